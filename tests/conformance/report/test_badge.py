"""A badge is green only where green is honest, and says a count, never a score."""

import json
import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings

from conformance.report import badge
from conformance.report.summary import summarise
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Run
from tests.conformance.report.made import BOOK, HEADER, HOSTILE, ended, hostile_run, runs


def of(*outcomes: Outcome, code: int | None = None) -> Run:
    rules = [rule for rule, row in BOOK.items() if row.level is Level.MUST]
    verdicts = tuple(
        Verdict(rule, Level.MUST, outcome, "p", ("e1",)) for rule, outcome in zip(rules, outcomes, strict=False)
    )
    return ended(Run(HEADER, (), verdicts), code)


@pytest.mark.parametrize(
    ("run", "message", "color"),
    [
        (of(Outcome.PASS, Outcome.PASS), "MUST 2/2", "brightgreen"),
        (of(Outcome.PASS, Outcome.FAIL), "MUST 1/2", "red"),
        (of(Outcome.PASS, Outcome.UNTESTABLE), "MUST 1/1 · 1 open", "lightgrey"),
        (of(Outcome.PASS, Outcome.INCONCLUSIVE), "MUST 1/1 · 1 open", "lightgrey"),
        (of(Outcome.SKIPPED), "nothing verified", "lightgrey"),
        (of(code=3), "not reached", "lightgrey"),
        (of(Outcome.BROKEN), "broken suite", "lightgrey"),
        (replace(of(Outcome.PASS), footer=None), "unfinished", "lightgrey"),
    ],
)
def test_what_a_badge_says(run: Run, message: str, color: str) -> None:
    told = json.loads(badge.endpoint(run, BOOK))
    assert {name: told[name] for name in ("schemaVersion", "label", "color")} == {
        "schemaVersion": 1,
        "label": "a-relay",
        "color": color,
    }
    assert told["message"] == (message if message.startswith("MUST") else summarise(run, BOOK).word)
    texts = [
        element.text for element in ET.fromstring(badge.render(run, BOOK)).iter("{http://www.w3.org/2000/svg}text")
    ]
    assert texts == ["a-relay", told["message"]]


@settings(max_examples=60)
@given(runs)
def test_green_is_what_holds(run: Run) -> None:
    assert (badge.tone(summarise(run, BOOK)) == "good") == summarise(run, BOOK).holds
    ET.fromstring(badge.render(run, BOOK))


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_name_is_text_and_short(text: str) -> None:
    svg = badge.render(hostile_run(text), BOOK)
    assert len(svg) < 5000
    assert {element.tag.rpartition("}")[2] for element in ET.fromstring(svg).iter()} == {
        "svg", "title", "clipPath", "rect", "g", "text",
    }  # fmt: skip
    json.loads(badge.endpoint(hostile_run(text), BOOK))
