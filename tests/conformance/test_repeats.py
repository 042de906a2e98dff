"""When a failing probe was made often enough."""

import pytest

from conformance.repeats import ERROR, NEEDED, SELDOM, Trial
from conformance.rule import Outcome


def after(*outcomes: Outcome) -> Trial:
    trial = Trial()
    for outcome in outcomes:
        trial = trial.seen(outcome)
    return trial


def test_enough_failures_in_a_row_bound_the_error() -> None:
    assert SELDOM**NEEDED <= ERROR < SELDOM ** (NEEDED - 1)
    assert after(*[Outcome.FAIL] * (NEEDED - 1)).open
    assert not after(*[Outcome.FAIL] * NEEDED).open


def test_a_flaky_rule_is_made_as_often_so_that_its_rate_can_be_told() -> None:
    assert after(Outcome.PASS).open
    assert not after(*[Outcome.PASS] * NEEDED).open


@pytest.mark.parametrize("outcome", [Outcome.INCONCLUSIVE, Outcome.NOT_SEEN, Outcome.BROKEN])
def test_what_decides_nothing_does_not_count(outcome: Outcome) -> None:
    assert after(outcome) == Trial()
