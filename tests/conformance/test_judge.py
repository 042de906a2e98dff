"""Exchanges and rules to verdicts."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pytest

from conformance.judge import MAX_FINDINGS, judge, last_attempts, verdict
from conformance.rule import (
    ANYTHING,
    Check,
    Finding,
    Flaky,
    Inconclusive,
    Level,
    NotSeen,
    On,
    Outcome,
    Remark,
    Rule,
    Verdict,
)
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


# --- several exchanges ----------------------------------------------------------------------------------------------

EQUAL = On("asked alike", lambda exchange: exchange.request.method == "POST")


def step(name: str, answer: Exchange, repeat: int = 1) -> Exchange:
    return replace(answer, id=f"e1-{name}~{repeat}", probe="p", step=name, steps=("one", "other"), repeat=repeat)


def alike(one: Exchange, other: Exchange) -> Iterator[Remark]:
    if one.body != other.body:
        yield Finding("they differ", exchange=other.id)


def pair(check: Check = alike, on: On = EQUAL) -> dict[str, Rule]:
    return {"test.pair": replace(law(on=on), id="test.pair", check=check, over=("one", "other"))}


A, B = got(200, b"a"), got(200, b"b")


def told(*exchanges: Exchange, rules: dict[str, Rule] | None = None) -> list[Verdict]:
    return list(judge(exchanges, rules or pair()))


def test_a_law_about_two_exchanges_is_given_both_in_the_order_that_it_names() -> None:
    (found,) = told(step("other", B), step("one", A))
    assert (found.outcome, found.exchanges, found.probe) == (Outcome.FAIL, ("e1-one~1", "e1-other~1"), "p")
    assert [one.exchange for one in found.findings] == ["e1-other~1"]
    (found,) = told(step("other", A), step("one", A))
    assert found.outcome is Outcome.PASS


def test_a_law_about_two_exchanges_says_nothing_of_others() -> None:
    assert told(A, replace(A, id="x", probe="p"), step("third", A)) == []
    assert told(replace(step("one", A), steps=("one", "third"))) == []
    assert told(step("one", A), step("other", B), rules=pair(on=NEVER)) == []
    assert told(replace(step("one", A), probe="p"), replace(step("other", B), probe="q"))[0].outcome is not Outcome.FAIL


def test_where_a_step_did_not_come_about_nothing_is_decided() -> None:
    (found,) = told(step("one", A))
    assert (found.outcome, found.mood) == (Outcome.INCONCLUSIVE, True)
    assert found.reason == "no request 'other' came of it: the answer was 200 application/json"
    (found,) = told(step("one", got(500, b"down")))
    assert (found.outcome, found.mood) == (Outcome.INCONCLUSIVE, False)


def test_where_a_step_did_not_come_about_for_want_of_the_occasion_it_is_not_seen() -> None:
    rules = {"test.pair": replace(pair()["test.pair"], occasion=NEVER)}
    (found,) = told(step("one", A), rules=rules)
    assert (found.outcome, found.reason) == (Outcome.NOT_SEEN, "not never: the answer was 200 application/json")


def test_all_exchanges_of_a_law_must_be_there_to_be_judged() -> None:
    (found,) = told(step("one", A), step("other", NO_ANSWER))
    assert (found.outcome, found.reason) == (Outcome.INCONCLUSIVE, "no byte within 60 s")


def test_a_predicate_that_raises_is_broken_for_several_too() -> None:
    (found,) = told(step("one", A), step("other", B), rules=pair(on=On("on", raising)))
    assert found.outcome is Outcome.BROKEN


def test_what_a_relay_is_not_said_to_have_concerns_the_rules_on_claims_alone() -> None:
    rules = {name: replace(law(), id=name) for name in ("test.law", "claims.law")}
    assert [one.rule for one in judge([replace(A, claims={"n": False})], rules)] == ["claims.law"]
    assert [one.rule for one in judge([replace(A, claims={"n": True})], rules)] == ["test.law", "claims.law"]


def test_the_order_is_that_of_the_plan() -> None:
    mixed = [replace(A, id=name, probe=name.partition("-")[0]) for name in ("e10", "e2-b", "x", "e2-a", "e1")]
    found = [one.exchanges[0] for one in judge(mixed, {"test.law": law()})]
    assert found == ["e1", "e2-b", "e2-a", "e10", "x"]


# --- repeats --------------------------------------------------------------------------------------------------------


def says_b(exchange: Exchange) -> Iterator[Remark]:
    if exchange.body == b"b":
        yield Finding("b was said")
    elif exchange.body == b"?":
        yield Inconclusive("nothing was said")


def repeated(*answers: bytes) -> Verdict:
    exchanges = [
        replace(got(200, body), id=f"e1~{at}", probe="p", repeat=at) for at, body in enumerate(answers, start=1)
    ]
    (found,) = judge(exchanges, {"test.law": broken_by(says_b)})
    return found


def test_repeats_that_all_fail_are_one_failure() -> None:
    found = repeated(b"b", b"b", b"?")
    assert (found.outcome, found.flaky, found.exchanges) == (Outcome.FAIL, None, ("e1~1", "e1~2"))
    assert [one.exchange for one in found.findings] == ["e1~1", "e1~2"]


def test_repeats_that_pass_now_and_then_are_flaky_with_the_rate() -> None:
    found = repeated(b"b", b"a", b"?", b"b", b"a")
    assert found.outcome is Outcome.FAIL
    assert found.flaky == Flaky(2, 4, 0.15, 0.85)
    assert found.exchanges == ("e1~1", "e1~4", "e1~2", "e1~5")


def test_repeats_without_a_failure_keep_what_they_verified() -> None:
    assert repeated(b"?", b"a").outcome is Outcome.PASS
    assert repeated(b"?", b"?").exchanges == ("e1~1",)


def test_repeats_of_several_steps_are_judged_each_by_itself() -> None:
    rounds = [step("one", A), step("other", B), step("one", A, 2), step("other", A, 2)]
    (found,) = told(*rounds)
    assert (found.outcome, found.flaky) == (Outcome.FAIL, Flaky(1, 2, 0.095, 0.905))
    assert [one.exchange for one in found.findings] == ["e1-other~1"]


def test_a_probe_that_is_asked_at_two_places_of_the_plan_is_judged_at_each() -> None:
    """As a check judges them: what was asked once more is not laid over what was asked first."""
    asked = [step("one", A), step("other", B)]
    twice = [replace(one, id=f"e{number}-{one.step}") for number in (204, 104) for one in asked]
    assert [one.exchanges for one in told(*twice)] == [("e104-one", "e104-other"), ("e204-one", "e204-other")]
