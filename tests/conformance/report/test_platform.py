"""Each row of the platforms is judged, open, not asked, not claimed or not yet judged, and never more than that."""

from collections import Counter
from dataclasses import replace

import pytest

from conformance.report.platform import Covered, Entry, Standing, covered, platform, probes_of
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Run
from openapi import document
from tests.conformance.report.made import HEADER, small_run

ROW = Entry("p", "g", "n", "POST /v1/chat/completions", ("chat.stream", "chat.whole"))
VIDEO = replace(ROW, probes=("video.create",))


def run(*verdicts: Verdict, **header: object) -> Run:
    return Run(replace(HEADER, **header), (), verdicts)  # type: ignore[arg-type]


def verdict(rule: str, outcome: Outcome, probe: str = "chat.stream") -> Verdict:
    return Verdict(rule, Level.MUST, outcome, probe, ())


@pytest.mark.parametrize(
    ("verdicts", "told"),
    [
        ((("a.b", Outcome.PASS), ("a.c", Outcome.FAIL)), Covered(Standing.JUDGED, 1, 1)),
        ((("a.b", Outcome.PASS), ("a.b", Outcome.FAIL)), Covered(Standing.JUDGED, 0, 1)),
        ((("a.b", Outcome.INCONCLUSIVE), ("a.c", Outcome.NOT_SEEN)), Covered(Standing.OPEN)),
        ((("a.b", Outcome.UNTESTABLE),), Covered(Standing.OPEN)),
    ],
)
def test_a_row_is_judged_where_a_rule_was_decided(verdicts: tuple[tuple[str, Outcome], ...], told: Covered) -> None:
    assert covered(run(*(verdict(*one) for one in verdicts)), [ROW]) == [told]


def test_what_was_not_asked_is_not_claimed_unless_the_run_was_confined() -> None:
    assert covered(run(), [ROW, VIDEO]) == [Covered(Standing.NOT_CLAIMED)] * 2
    confined = run(plan={"only": ["errors"]})
    assert covered(confined, [ROW, VIDEO]) == [Covered(Standing.NOT_ASKED), Covered(Standing.NOT_CLAIMED)]


def test_of_recordings_nobody_says_what_was_claimed() -> None:
    assert covered(run(relay={"name": "recorded"}), [ROW, VIDEO]) == [Covered(Standing.NOT_ASKED)] * 2
    assert covered(run(relay={"models": {}}, plan={}), [ROW]) == [Covered(Standing.NOT_ASKED)]


def test_what_no_probe_asks_is_not_yet_judged_whatever_the_run() -> None:
    none = replace(ROW, probes=())
    assert covered(small_run(), [none]) == [Covered(Standing.NOT_YET)]


def test_every_row_of_the_platforms_is_there_and_names_probes_that_exist() -> None:
    rows = platform()
    assert Counter(row.platform for row in rows) == {"apistudio": 64, "suxi": 74}
    assert all(row.name and row.operation for row in rows)
    assert sum(bool(row.probes) for row in rows) >= 36
    with pytest.raises(ValueError, match=r"'chat\.nothing' is no probe"):
        probes_of("chat.stream chat.nothing")


def test_a_row_is_judged_by_probes_of_its_own_operation() -> None:
    book = document.load()
    for row in platform():
        method, _, path = row.operation.partition(" ")
        if row.probes and method in {"GET", "POST"}:
            assert book.match(method, path), row
