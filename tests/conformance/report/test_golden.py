"""Each format of two runs, as it stands in `golden/`: what others parse does not change unseen.

Where a change is meant: `UPDATE_GOLDEN=1 pytest tests/conformance/report/test_golden.py`, and read the difference.
"""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.report import badge, json_out, junit, markdown, sarif, terminal
from conformance.run import Run
from tests.conformance.report.made import BOOK, known_run, small_run

GOLDEN = Path(__file__).with_name("golden")
RUNS = {"small": small_run, "known": known_run}
FORMATS: dict[str, Callable[[Run], str]] = {
    "junit.xml": lambda run: junit.render(run, BOOK),
    "sarif.json": lambda run: sarif.render(run, BOOK),
    "summary.md": lambda run: markdown.render(run, BOOK),
    "verdicts.json": lambda run: json_out.render(run, BOOK),
    "badge.svg": lambda run: badge.render(run, BOOK),
    "badge.json": lambda run: badge.endpoint(run, BOOK),
    "terminal.txt": lambda run: terminal.render(run, BOOK, width=80),
    "screen.txt": lambda run: terminal.render(run, BOOK, width=80, height=22),
}


def held(path: Path, text: str) -> None:
    """Compares with what stands there, or writes it where that is asked for."""
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("of", RUNS)
def test_a_format_is_as_it_was(of: str, name: str) -> None:
    held(GOLDEN / f"{of}-{name}", FORMATS[name](RUNS[of]()))
