"""The published comparison: runs that can be read, of at least four servers, some of them recorded, and no secret."""

from pathlib import Path

import pytest

from conformance.report.comparison import compare
from conformance.report.matrix import earnest
from conformance.rules import BOOK
from conformance.stored import stored_run, text_at
from openapi.wire import secrets
from tests.system.command import ROOT

FOLDER = ROOT / "reports" / "comparison"
RUNS = sorted((FOLDER / "runs").iterdir())


def test_it_is_of_at_least_four_servers_and_says_where_they_differ() -> None:
    comparison = compare([stored_run(path) for path in RUNS], BOOK)
    assert len({relay.label for relay in comparison.relays}) == len(RUNS) >= 4
    assert sum(relay.label.startswith("recorded: ") for relay in comparison.relays) >= 2
    assert len(earnest(comparison)) > 20


@pytest.mark.parametrize(
    "path", [*RUNS, FOLDER / "side-by-side.html", FOLDER / "side-by-side.md"], ids=lambda path: path.name
)
def test_no_secret_and_no_place_of_a_machine_is_in_it(path: Path) -> None:
    text = text_at(path)
    assert [look.kind for look in secrets.looks(text)] == []
    assert not any(place in text for place in ("/root/", "/home/", "/tmp/"))


def test_it_is_small() -> None:
    assert sum(path.stat().st_size for path in FOLDER.rglob("*") if path.is_file()) < 3_000_000


@pytest.mark.parametrize("path", RUNS, ids=lambda path: path.name)
def test_the_readme_says_what_each_is(path: Path) -> None:
    assert f"`{path.name.removesuffix('.jsonl.gz')}`" in (FOLDER / "README.md").read_text(encoding="utf-8")
