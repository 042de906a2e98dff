"""How pytest shows what became of a rule: nothing is green that was not verified, nobody FAILED without a finding."""

from itertools import product

import pytest

from conformance.report.summary import Result
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.testing.items import Fate, fate


def result(level: Level, outcome: Outcome, *, mood: bool = False, waived: str | None = None) -> Result:
    found = (Finding("expected a, got b"),) if outcome is Outcome.FAIL else ()
    verdict = Verdict("acme.a", level, outcome, "acme.p", ("e1",), found, "why", mood, waived=waived)
    return Result("acme.a", level, outcome, "It holds.", "x", (verdict,))


@pytest.mark.parametrize(("level", "outcome"), list(product(Level, Outcome)), ids=str)
def test_only_a_pass_is_green_and_only_a_failure_is_the_relays(level: Level, outcome: Outcome) -> None:
    one = result(level, outcome)
    for strict in (False, True):
        shown = fate(one, one, strict=strict, speaks=True if outcome is Outcome.UNTESTABLE else None)
        assert (shown is Fate.PASSED) == (outcome is Outcome.PASS)
        assert shown is not Fate.FAILED or outcome is Outcome.FAIL


@pytest.mark.parametrize(
    ("one", "shown", "strictly"),
    [
        (result(Level.MUST, Outcome.FAIL), Fate.FAILED, Fate.FAILED),
        (result(Level.SHOULD, Outcome.FAIL), Fate.XFAILED, Fate.FAILED),
        (result(Level.MAY, Outcome.FAIL), Fate.XFAILED, Fate.XFAILED),
        (result(Level.MUST, Outcome.FAIL, waived="ticket"), Fate.XFAILED, Fate.XFAILED),
        (result(Level.MUST, Outcome.INCONCLUSIVE), Fate.ERROR, Fate.ERROR),
        (result(Level.SHOULD, Outcome.INCONCLUSIVE), Fate.SKIPPED, Fate.ERROR),
        (result(Level.MUST, Outcome.INCONCLUSIVE, mood=True), Fate.SKIPPED, Fate.ERROR),
        (result(Level.MUST, Outcome.NOT_SEEN), Fate.SKIPPED, Fate.SKIPPED),
        (result(Level.MUST, Outcome.SKIPPED), Fate.SKIPPED, Fate.SKIPPED),
        (result(Level.MAY, Outcome.BROKEN), Fate.ERROR, Fate.ERROR),
    ],
    ids=str,
)
def test_what_weighs_is_red_as_the_exit_code_has_it(one: Result, shown: Fate, strictly: Fate) -> None:
    assert (fate(one, one), fate(one, one, strict=True)) == (shown, strictly)


def test_what_another_probe_decided_is_not_missing() -> None:
    left, decided = result(Level.MUST, Outcome.INCONCLUSIVE), result(Level.MUST, Outcome.PASS)
    assert fate(left, decided) is Fate.SKIPPED
    assert fate(left, result(Level.MUST, Outcome.FAIL)) is Fate.SKIPPED, "the failure is told where it was found"


@pytest.mark.parametrize("level", Level)
def test_what_could_not_be_asked_is_red_once_for_each_reason(level: Level) -> None:
    one = result(level, Outcome.UNTESTABLE)
    assert (fate(one, one, speaks=True), fate(one, one, speaks=False)) == (Fate.ERROR, Fate.SKIPPED)


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.UNTESTABLE])
def test_what_was_drawn_and_left_open_is_never_red(outcome: Outcome) -> None:
    one = result(Level.MUST, outcome)
    assert fate(one, one, strict=True, planned=False) is Fate.SKIPPED
    failed = result(Level.MUST, Outcome.FAIL)
    assert fate(failed, failed, planned=False) is Fate.FAILED
