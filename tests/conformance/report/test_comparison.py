"""Runs side by side: what differs in earnest, what changed, and who stands first."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.report.comparison import Cell, Change, Difference, change, compare
from conformance.report.summary import summarise
from conformance.rule import Finding, Flaky, Level, Outcome, Verdict
from conformance.run import Run
from tests.conformance.report.made import BOOK, HEADER, runs, small_run

FAIL, PASS, OPEN = Outcome.FAIL, Outcome.PASS, Outcome.INCONCLUSIVE


def run(name: str, *verdicts: Verdict, started: str = "2026-11-22T12:42:50Z") -> Run:
    return Run(replace(HEADER, relay={"name": name}, started=started), (), verdicts)


def verdict(outcome: Outcome, place: str = "", rule: str = "usage.sum", flaky: Flaky | None = None) -> Verdict:
    found = (Finding("seen", place=place),) if outcome is FAIL else ()
    return Verdict(rule, BOOK[rule].level, outcome, "chat.basic", (), found, flaky=flaky)


def cell(outcome: Outcome | None, place: str = "", flaky: Flaky | None = None) -> Cell:
    if outcome is None:
        return Cell(None)
    return Cell(summarise(run("a", verdict(outcome, place, flaky=flaky)), BOOK).results[0])


@pytest.mark.parametrize(
    ("outcomes", "difference"),
    [
        ((PASS, PASS), None),
        ((FAIL, FAIL), None),
        ((FAIL, PASS, OPEN), Difference.BREAKS),
        ((OPEN, FAIL), Difference.UNMATCHED),
        ((PASS, OPEN), Difference.OPEN),
        ((OPEN, Outcome.SKIPPED), Difference.OPEN),
    ],
)
def test_relays_differ_in_earnest_where_one_fails(outcomes: tuple[Outcome, ...], difference: Difference | None) -> None:
    compared = compare([run(f"r{n}", verdict(outcome)) for n, outcome in enumerate(outcomes)], BOOK)
    (row,) = compared.rows
    assert row.difference is difference
    assert (row in compared.differences) is (difference in {Difference.BREAKS, Difference.UNMATCHED})
    assert row.words == tuple(outcome.value for outcome in outcomes)


def test_failures_at_other_places_are_told_apart_and_are_no_difference_of_outcome() -> None:
    compared = compare([run("a", verdict(FAIL, "/x")), run("b", verdict(FAIL, "/y"))], BOOK)
    assert compared.rows[0].difference is Difference.PLACES
    assert compared.differences == ()


def test_what_a_run_did_not_ask_is_a_cell_without_a_result() -> None:
    compared = compare([run("a", verdict(PASS)), run("b", verdict(PASS, rule="sse.json"))], BOOK)
    assert [(row.rule, row.words) for row in compared.rows] == [
        ("sse.json", ("not-asked", "pass")),
        ("usage.sum", ("pass", "not-asked")),
    ]
    assert compared.tally("usage", 1).total == 0


RATE = Flaky(1, 6, 0.03, 0.56)


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        (cell(PASS), cell(FAIL), Change.NEWLY_BROKEN),
        (cell(OPEN), cell(FAIL), Change.NEWLY_SEEN),
        (cell(FAIL), cell(PASS), Change.MENDED),
        (cell(FAIL), cell(OPEN), Change.UNSEEN),
        (cell(PASS), cell(OPEN), Change.UNVERIFIED),
        (cell(OPEN), cell(PASS), Change.VERIFIED),
        (cell(FAIL, "/x"), cell(FAIL, "/y"), Change.CHANGED),
        (cell(FAIL, "/x", RATE), cell(FAIL, "/y"), Change.FLAKY),
        (cell(FAIL, flaky=RATE), cell(PASS), Change.FLAKY),
        (cell(PASS), cell(FAIL, flaky=RATE), Change.FLAKY),
        (cell(PASS), cell(PASS), None),
        (cell(FAIL, "/x"), cell(FAIL, "/x"), None),
        (cell(OPEN), cell(Outcome.NOT_SEEN), None),
        (cell(None), cell(FAIL), None),
        (cell(FAIL), cell(None), None),
    ],
)
def test_what_became_of_a_rule(old: Cell, new: Cell, what: Change | None) -> None:
    assert change(old, new) is what


def test_a_relay_of_which_nothing_was_decided_stands_behind_one_that_fails() -> None:
    dead = run("dead", verdict(Outcome.UNTESTABLE))
    compared = compare(
        [
            dead,
            run("bad", verdict(FAIL)),
            run("open", verdict(PASS), verdict(OPEN, rule="sse.json")),
            run("good", verdict(PASS)),
        ],
        BOOK,
    )
    assert [compared.relays[number].label for number in compared.ranked] == ["good", "open", "bad", "dead"]


def test_labels_tell_runs_of_one_relay_apart() -> None:
    day, next_day = "2026-11-22T12:00:00Z", "2026-11-23T12:00:00Z"
    compared = compare([run("a", started=day), run("b"), run("a", started=next_day), run("a", started=day)], BOOK)
    labels = [relay.label for relay in compared.relays]
    assert labels == [f"a · {day}", "b", f"a · {next_day}", f"a · {day} #2"]


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(runs, min_size=1, max_size=4))
def test_any_runs_compare_and_each_with_itself_shows_no_difference(several: list[Run]) -> None:
    compared = compare(several, BOOK)
    assert len({relay.label for relay in compared.relays}) == len(several)
    assert all(len(row.cells) == len(several) for row in compared.rows)
    for number, relay in enumerate(compared.relays):
        asked = [row.rule for row in compared.rows if row.cells[number].result is not None]
        assert sorted(asked) == sorted(result.rule for result in relay.summary.results)
        by_chapter = sum(compared.tally(name, number).total for name in compared.chapters)
        assert by_chapter == relay.summary.all.total
    same = compare([several[0], several[0]], BOOK)
    assert same.changes() == ()
    assert {row.difference for row in same.rows} <= {None}


def test_the_small_run_against_itself_without_its_failures_is_mended() -> None:
    old = small_run()
    mended = tuple(
        replace(one, outcome=PASS, findings=()) if one.outcome is FAIL and one.level is Level.MUST else one
        for one in old.verdicts
    )
    changes = compare([old, replace(old, verdicts=mended)], BOOK).changes()
    assert {(what, row.rule) for what, row in changes} == {
        (Change.MENDED, "chat.stream.finish-once"),
        (Change.MENDED, "errors.no-key"),
    }
