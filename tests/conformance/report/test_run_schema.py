"""reports/run.schema.json says exactly what is written."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings

from conformance.rule import Level, Outcome
from conformance.run import Run, Short, Writer
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Framing
from tests.conformance.report.made import recorded, runs, small_run

SCHEMA = json.loads((Path(__file__).parents[3] / "reports" / "run.schema.json").read_text(encoding="utf-8"))
VALIDATOR = jsonschema_rs.Draft202012Validator(SCHEMA)
OPTIONAL = {
    "exchange": {"probe", "operation", "attempt"},
    "verdict": {"reason", "mood", "flaky", "waived", "dialect"},
    "footer": {"note", "dialect", "notes"},
}


def plain(value: Any) -> Any:
    """The value with no lone surrogate in it: they are legal JSON, and beyond what the validator can hold."""
    match value:
        case str():
            return value.encode("utf-8", "replace").decode()
        case list():
            return [plain(item) for item in value]
        case dict():
            return {plain(name): plain(member) for name, member in value.items()}
    return value


def lines(run: Run) -> Iterator[dict[str, Any]]:
    out = io.StringIO()
    writer = Writer(out)
    writer.header(run.header)
    for exchange in run.exchanges:
        writer.exchange(exchange)
    for verdict in run.verdicts:
        writer.verdict(verdict)
    if run.footer:
        writer.footer(run.footer)
    return map(json.loads, out.getvalue().split("\n")[:-1])


def test_the_schema_is_a_schema() -> None:
    jsonschema_rs.meta.validate(SCHEMA)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_every_line_that_is_written_fits(run: Run) -> None:
    for line in lines(run):
        VALIDATOR.validate(plain(line))


@pytest.mark.parametrize("line", list(lines(small_run())), ids=lambda line: f"{line['type']} {line.get('id', '')}")
def test_a_line_with_a_member_too_few_or_too_many_does_not_fit(line: dict[str, Any]) -> None:
    for name in line:
        less = {key: value for key, value in line.items() if key != name}
        assert VALIDATOR.is_valid(less) == (name in OPTIONAL.get(line["type"], ())), name
    assert not VALIDATOR.is_valid({**line, "more": 1})


@pytest.mark.parametrize("line", list(lines(small_run())), ids=lambda line: f"{line['type']} {line.get('id', '')}")
def test_a_member_of_another_type_does_not_fit(line: dict[str, Any]) -> None:
    wrong: dict[str, Json] = {"type": "trailer", "probe": 3}
    for name in line:
        assert not VALIDATOR.is_valid({**line, name: wrong.get(name, {"an": ["object", 1.5]})}) or name in {
            "relay",
            "plan",
            "spent",
        }, name
    for name in {"relay", "plan", "spent", "outcomes"} & line.keys():
        assert not VALIDATOR.is_valid({**line, name: []})


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("request", "auth"), "maybe"),
        (("request", "key"), "sk-1"),
        (("request", "headers"), [["a"]]),
        (("headers", 0), ["a", 1]),
        (("reads", 0), [0.1]),
        (("reads", 0), ["0.1", "x"]),
        (("reads", 0), [0.1, {"b64": "eA==", "x": 1}]),
        (("end",), "done"),
        (("framing",), "magic"),
        (("attempt",), 1),
        (("chunks",), [1.5]),
    ],
)
def test_an_exchange_with_something_wrong_inside_does_not_fit(path: tuple[Any, ...], value: Json) -> None:
    (line,) = (line for line in lines(small_run()) if line.get("id") == "e2")
    place: Any = line
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not VALIDATOR.is_valid(line)


def test_closed_sets_are_those_of_the_code() -> None:
    defs = SCHEMA["$defs"]
    assert defs["verdict"]["properties"]["outcome"]["enum"] == list(Outcome)
    found = defs["footer"]["properties"]["generated"]["properties"]["found"]["items"]["properties"]
    assert found["short"]["enum"] == list(Short)
    assert defs["verdict"]["properties"]["level"]["enum"] == list(Level)
    assert defs["exchange"]["properties"]["end"]["enum"] == list(End)
    assert defs["exchange"]["properties"]["framing"]["enum"] == [*Framing, None]
    assert defs["request"]["properties"]["auth"]["enum"] == list(Auth)


def test_bytes_that_are_not_text_fit() -> None:
    run = Run(small_run().header, (recorded("llama-server/chat-truncated-utf8-stream", "e1", "p"),), ())
    assert all(VALIDATOR.is_valid(line) for line in lines(run))
