"""Exchanges and rules to verdicts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from conformance.judge import MAX_FINDINGS, judge, last_attempts, verdict
from conformance.rule import ANYTHING, Check, Finding, Inconclusive, Level, NotSeen, On, Outcome, Remark, Rule
from openapi.wire.exchange import End, Exchange
from tests.conformance.exchanges import got, request, whole

NO_ANSWER = got(None, kind=None, end=End.TIMEOUT, error="no byte within 60 s")
NEVER = On("never", lambda _: False)


def raising(_: Exchange) -> bool:
    msg = "a predicate of ours"
    raise TypeError(msg)


def law(
    *remarks: Remark, on: On = ANYTHING, occasion: On = ANYTHING, given: On = ANYTHING, silence: bool = False
) -> Rule:
    return Rule("test.law", Level.MUST, "nowhere", on, lambda _: remarks, occasion, given, silence)


def broken_by(check: Check) -> Rule:
    return replace(law(), check=check)


@pytest.mark.parametrize(
    ("remarks", "outcome"),
    [
        ((), Outcome.PASS),
        ((Finding("x"),), Outcome.FAIL),
        ((Inconclusive("x"), NotSeen("y"), Finding("z")), Outcome.FAIL),
        ((NotSeen("y"), Inconclusive("x")), Outcome.INCONCLUSIVE),
        ((NotSeen("y"),), Outcome.NOT_SEEN),
    ],
)
def test_the_weightiest_remark_decides(remarks: tuple[Remark, ...], outcome: Outcome) -> None:
    assert verdict(law(*remarks), whole()).outcome is outcome


def test_the_reason_and_the_mood_are_those_of_the_first_inconclusive() -> None:
    found = verdict(law(Inconclusive("moody", mood=True), Inconclusive("other")), whole())
    assert (found.reason, found.mood) == ("moody", True)


def test_what_is_not_given_is_inconclusive_with_the_reason() -> None:
    found = verdict(law(Finding("x"), given=NEVER), got(429, b"slow down"))
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "the answer was 429: slow down; needs never")


def test_an_occasion_that_never_came_is_not_seen() -> None:
    found = verdict(law(Finding("x"), occasion=NEVER, given=NEVER), whole())
    assert (found.outcome, found.reason) == (Outcome.NOT_SEEN, "not never: the answer was 200 application/json")


def test_no_answer_is_judged_by_the_few_that_hear_silence() -> None:
    assert verdict(law(), NO_ANSWER).reason == "no byte within 60 s"
    assert verdict(law(), NO_ANSWER).outcome is Outcome.INCONCLUSIVE
    assert verdict(law(Finding("x"), silence=True), NO_ANSWER).outcome is Outcome.FAIL


def crash(_: Exchange) -> Iterable[Remark]:
    msg = "x" * 999
    raise RecursionError(msg)


def crash_late(_: Exchange) -> Iterator[Remark]:
    yield Finding("never told")
    raise KeyError


@pytest.mark.parametrize(
    ("rule", "name"),
    [
        (broken_by(crash), "RecursionError"),
        (broken_by(crash_late), "KeyError"),
        (law(on=On("on", raising)), "TypeError"),
        (law(occasion=On("occasion", raising)), "TypeError"),
        (law(given=On("given", raising)), "TypeError"),
    ],
)
def test_whatever_raises_is_broken_and_says_so(rule: Rule, name: str) -> None:
    (found,) = judge([whole()], {rule.id: rule})
    assert found.outcome is Outcome.BROKEN
    assert found.findings == ()
    assert (found.reason or "").startswith(f"the check raised {name}")
    assert len(found.reason or "") < 300


def test_a_rule_that_does_not_apply_says_nothing() -> None:
    assert [*judge([whole(), whole()], {"test.law": law(on=NEVER)})] == []


def test_verdicts_come_exchange_by_exchange_in_the_order_of_the_rules() -> None:
    first, second = replace(whole(), id="a"), replace(whole(), id="b", probe="p")
    rules = {name: replace(law(), id=name) for name in ("z", "y")}
    found = [(one.exchanges, one.rule, one.probe) for one in judge([first, second], rules)]
    assert found == [(("a",), "z", None), (("a",), "y", None), (("b",), "z", "p"), (("b",), "y", "p")]


def test_a_flood_of_findings_is_cut_and_counted() -> None:
    flood = law(*(Finding(str(at), at) for at in range(MAX_FINDINGS + 5)))
    found = verdict(flood, whole()).findings
    assert len(found) == MAX_FINDINGS + 1
    assert found[-1] == Finding("and 5 more of the same rule")
    assert len(verdict(law(*(Finding("x"),) * MAX_FINDINGS), whole()).findings) == MAX_FINDINGS


def test_of_a_repeated_request_the_last_attempt_counts() -> None:
    tries = [replace(got(status), id=f"e1.{at}", attempt=at, probe="p") for at, status in enumerate((429, 429, 200), 1)]
    other = replace(got(503, to=request({"model": "n"})), id="e2", probe="p")
    assert [one.id for one in last_attempts([tries[0], other, *tries[1:]])] == ["e2", "e1.3"]


def test_a_later_attempt_without_an_earlier_one_counts_by_itself() -> None:
    alone = replace(whole(), attempt=2)
    assert last_attempts([alone]) == [alone]
