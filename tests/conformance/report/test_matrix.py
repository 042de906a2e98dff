"""Several runs told: equal ones show no difference, a change is one, a relay of which nothing is known makes none."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.report import matrix_json, matrix_markdown, matrix_terminal
from conformance.report.comparison import compare
from conformance.report.matrix import earnest, one_relay, unmatched
from conformance.report.summary import summarise
from conformance.rule import Finding, Flaky, Level, Outcome, Verdict
from conformance.run import Run
from tests.conformance.report.made import BOOK, HEADER, HOSTILE, ended, hostile_run, known_run, runs, small_run
from tests.conformance.report.test_golden import GOLDEN, held

MUSTS = [rule for rule, row in BOOK.items() if row.level is Level.MUST]


def of(name: str, *outcomes: Outcome, started: str = "2026-11-22T12:00:00Z", code: int | None = None) -> Run:
    verdicts = tuple(
        Verdict(rule, Level.MUST, outcome, "p", ("e1",), (Finding("seen", 3, "/a"),) if outcome is Outcome.FAIL else ())
        for rule, outcome in zip(MUSTS, outcomes, strict=False)
    )
    header = replace(HEADER, relay={"name": name, "base_url": f"https://{name}.example"}, started=started)
    return ended(Run(header, (), verdicts), code)


def read(*several: Run) -> dict[str, Any]:
    found = json.loads(matrix_json.render(several, BOOK))
    assert isinstance(found, dict)
    return found


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_a_run_beside_itself_shows_no_difference(run: Run) -> None:
    told = read(run, run)
    assert (told["differences"], told["unmatched"], told["changes"]) == ([], [], [])
    assert not any(one["differs"] for one in told["speed"])


def test_one_that_fails_where_another_is_verified_is_the_difference() -> None:
    told = read(of("a", Outcome.PASS, Outcome.PASS), of("b", Outcome.PASS, Outcome.FAIL))
    assert [(one["rule"], one["outcomes"]) for one in told["differences"]] == [(MUSTS[1], ["pass", "fail"])]
    assert told["ranked"] == ["a", "b"]


def test_a_relay_that_was_not_reached_makes_no_difference() -> None:
    dead = of("dead", Outcome.UNTESTABLE, Outcome.UNTESTABLE, code=3)
    told = read(of("a", Outcome.FAIL, Outcome.PASS), of("b", Outcome.FAIL, Outcome.PASS), dead)
    assert (told["differences"], told["unmatched"]) == ([], [])
    told = read(of("a", Outcome.FAIL, Outcome.PASS), of("b", Outcome.SKIPPED, Outcome.PASS), dead)
    assert [one["rule"] for one in told["unmatched"]] == [MUSTS[0]]


def test_runs_of_one_relay_are_told_as_a_change() -> None:
    old = of("a", Outcome.PASS, Outcome.FAIL, Outcome.FAIL)
    new = of("a", Outcome.FAIL, Outcome.PASS, Outcome.FAIL, started="2026-11-23T12:00:00Z")
    text = matrix_markdown.render([old, new], BOOK)
    assert text.startswith("<!-- relayproof -->\n### ❌ a: 1 newly broken · 1 mended\n")
    assert "Failed before and now (1)" in text
    assert one_relay([old, new])
    assert not one_relay([old, of("b")])
    again = matrix_markdown.render([new, new], BOOK)
    assert "nothing changed" in again


def test_what_comes_and_goes_is_flaky_and_not_newly_broken() -> None:
    old = of("a", Outcome.PASS)
    flaky = Verdict(MUSTS[0], Level.MUST, Outcome.FAIL, "p", ("e1",), flaky=Flaky(1, 6, 0.03, 0.56))
    new = ended(replace(old, verdicts=(flaky,)))
    assert [one["change"] for one in read(old, new)["changes"]] == ["flaky"]


def test_other_versions_of_the_law_are_told() -> None:
    old, new = of("a", Outcome.PASS), of("a", Outcome.FAIL)
    new = replace(new, header=replace(new.header, document="sha256:another"))
    assert "different versions of the law" in matrix_markdown.render([old, new], BOOK)
    assert "different versions of the law" in matrix_terminal.render([old, new], BOOK)
    assert "different versions of the law" not in matrix_markdown.render([old, old], BOOK)


@pytest.mark.parametrize("height", [22, 40])
def test_a_matrix_fits_the_screen(height: int) -> None:
    odd = ended(Run(replace(HEADER, relay={"name": "odd"}), (), tuple(
        Verdict(f"later.{number}", Level.MUST, Outcome.FAIL, "p", ()) for number in range(90)
    )))  # fmt: skip
    good = ended(Run(HEADER, (), tuple(replace(one, outcome=Outcome.PASS) for one in odd.verdicts)))
    text = matrix_terminal.render([odd, good], BOOK, width=80, height=height)
    assert text.count("\n") <= height
    assert "They differ in 90 rules" in text


def test_formats_are_as_they_were() -> None:
    changed = replace(small_run(), verdicts=known_run().verdicts)
    other = replace(known_run(), header=replace(HEADER, relay={"name": "b-relay", "base_url": "https://b.example"}))
    held(GOLDEN / "change.md", matrix_markdown.render([small_run(), ended(changed)], BOOK))
    held(GOLDEN / "side-by-side.md", matrix_markdown.render([small_run(), other], BOOK))
    held(GOLDEN / "side-by-side.json", matrix_json.render([small_run(), other], BOOK))
    held(GOLDEN / "side-by-side.txt", matrix_terminal.render([small_run(), other], BOOK, width=80))


@settings(max_examples=30, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(runs, min_size=2, max_size=4))
def test_totals_of_each_relay_are_those_of_its_run(several: list[Run]) -> None:
    told = read(*several)
    comparison = compare(several, BOOK)
    for run, relay in zip(several, told["relays"], strict=True):
        assert relay["line"] == summarise(run, BOOK).line
    assert [one["rule"] for one in told["differences"]] == [row.rule for row in earnest(comparison)]
    assert [one["rule"] for one in told["unmatched"]] == [row.rule for row in unmatched(comparison)]
    for number in range(len(several)):
        words = [row["outcomes"][number] for row in told["rules"]]
        total = summarise(several[number], BOOK).all
        assert {one: words.count(one.value) for one in Outcome} == {one: total[one] for one in Outcome}
    matrix_terminal.render(several, BOOK)
    matrix_markdown.render(several, BOOK)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_runs_are_told_and_hidden_nothing(text: str) -> None:
    several = [hostile_run(text), hostile_run(text), small_run()]
    for told in (matrix_markdown.render(several, BOOK), matrix_terminal.render(several, BOOK)):
        assert "\x1b" not in told
        assert "\u202e" not in told
        assert len(told) < 400_000
    assert "<script>" not in matrix_markdown.render(several, BOOK)
    read(*several)
