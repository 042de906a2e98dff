"""A pointer into the bundle leads to the line on which its author wrote what stands there."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.rules import BOOK
from openapi import document
from openapi.json_text import Json
from openapi.pointer import join, split
from openapi.source import FOLDER, Place, place_of


def line_at(place: Place, folder: Path = FOLDER) -> str:
    return (folder / place.file).read_text(encoding="utf-8").splitlines()[place.line - 1].strip()


def cited() -> list[str]:
    return sorted({found for rule in BOOK.values() for found in re.findall(r"openapi#(/[^\s;,]+)", rule.cites)})


@pytest.mark.parametrize("pointer", cited())
def test_what_a_rule_cites_stands_in_the_document(pointer: str) -> None:
    place = place_of(pointer)
    assert place, "a citation that leads nowhere"
    assert re.match(rf"(- )?['\"]?{re.escape(split(pointer)[-1])}['\"]?:", line_at(place))


def properties(value: Json, tokens: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    if isinstance(value, dict):
        for key, child in value.items():
            if len(tokens) > 1 and tokens[-1] == "properties":
                yield (*tokens, key)
            yield from properties(child, (*tokens, key)) if key != "examples" else ()


def test_every_property_of_every_schema_is_found_at_its_name() -> None:
    schemas = document.load().bundle["components"]["schemas"]
    pointers = [("components", "schemas", *rest) for rest in properties(schemas)]
    assert len(pointers) > 200
    for tokens in pointers:
        place = place_of(join(tokens))
        assert place, tokens
        assert re.search(rf"\b{re.escape(tokens[-1])}['\"]?:", line_at(place)), (tokens, place)


def test_an_operation_is_found_in_the_file_of_its_path() -> None:
    for operation in document.load().operations:
        place = place_of(join(["paths", operation.path, operation.method.lower()]))
        assert place
        assert line_at(place) == f"{operation.method.lower()}:"


@pytest.mark.parametrize(
    "pointer", ["/nowhere", "/components/schemas/Nobody", "/paths/~1v1~1models/get/99", "no slash"]
)
def test_what_stands_nowhere_has_no_place(pointer: str) -> None:
    assert place_of(pointer) is None


def test_a_schema_that_is_a_file_and_a_reference_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "schemas").mkdir()
    (tmp_path / "root.yaml").write_text("a:\n  $ref: '#/b'\nb:\n  $ref: '#/a'\nc: [1, {d: 2}]\n", encoding="utf-8")
    (tmp_path / "schemas" / "Whole.yaml").write_text("type: object\nproperties:\n  x: {}\n", encoding="utf-8")
    root = tmp_path / "root.yaml"
    assert place_of("/components/schemas/Whole/properties/x", root) == Place("schemas/Whole.yaml", 3)
    assert place_of("/a/z", root) is None
    assert place_of("/c/1/d", root) == Place("root.yaml", 5)
    (tmp_path / "empty.yaml").write_text("", encoding="utf-8")
    assert place_of("/a", tmp_path / "empty.yaml") is None
    assert place_of("/a", tmp_path / "missing.yaml") is None
