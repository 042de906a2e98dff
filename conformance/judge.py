"""Exchanges × rules → verdicts: pure, so that a stored run is judged again as it was judged first."""

import re
import traceback
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from math import inf, sqrt
from pathlib import PurePath

from conformance.answers import describe
from conformance.rule import Finding, Flaky, Inconclusive, NotSeen, Outcome, Remark, Rule, Verdict, worst
from openapi.wire.exchange import Exchange

MAX_FINDINGS = 20  # of one verdict; a broken stream of a million events needs no million sentences
REST = re.compile(r"and \d+ more of the same rule")  # the text of the finding that stands for those left out
NUMBER = re.compile(r"e(\d{1,9})(?!\d)")  # in the id of an exchange: which probe of the plan
Z = 1.96  # of the normal distribution, for an interval of 95 %


def judge(exchanges: Iterable[Exchange], rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    """The verdicts of all rules that apply, probe by probe: on each exchange, then on several together. A generated
    probe that is asked at two places of the plan is two.

    Of a request that was repeated after a 429, 503 or 529 only the last attempt is judged. What repeats of a probe say
    of one rule is one verdict. The order is that of the plan, whatever came first.
    """
    probes: dict[tuple[str, float], list[Exchange]] = {}
    for exchange in sorted(last_attempts(exchanges), key=_place):
        probes.setdefault((exchange.probe or exchange.id, _place(exchange)[0]), []).append(exchange)
    for group in probes.values():
        verdicts = [verdict for exchange in group for verdict in _of_one(exchange, rules)]
        verdicts += _of_several(group, rules)
        yield from _merged(verdicts, {exchange.id: exchange for exchange in group})


def last_attempts(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The exchanges less those that a later attempt of the same request of the same probe replaced."""
    kept: list[Exchange] = []
    for exchange in exchanges:
        if exchange.attempt > 1:
            earlier = [old for old in kept if _same_request(old, exchange)]
            if earlier:
                kept.remove(earlier[-1])
        kept.append(exchange)
    return kept


def _place(exchange: Exchange) -> tuple[float, int, str]:
    """Where an exchange stands in its plan, by the number in its id (see `Planned.id`)."""
    number = NUMBER.match(exchange.id)
    return (int(number[1]) if number else inf), exchange.repeat, exchange.step or ""


def _same_request(one: Exchange, other: Exchange) -> bool:
    return (one.probe, one.step, one.repeat, one.request) == (other.probe, other.step, other.repeat, other.request)


def _of_one(exchange: Exchange, rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    for rule in rules.values():
        if not rule.over and rule.speaks_of(exchange):
            try:
                applies = exchange.view(rule.on.holds)
            except Exception as error:  # noqa: BLE001 - as in `verdict`
                yield _broken(rule, (exchange,), error)
            else:
                if applies:
                    yield verdict(rule, exchange)


def _of_several(exchanges: Sequence[Exchange], rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    """What is judged of the steps of a probe, each repeat by itself."""
    for repeat in dict.fromkeys(exchange.repeat for exchange in exchanges):
        steps = {one.step: one for one in exchanges if one.step is not None and one.repeat == repeat}
        for rule in rules.values():
            if not (rule.over and rule.over[0] in steps and rule.speaks_of(steps[rule.over[0]])):
                continue
            if not set(rule.over).issubset(steps[rule.over[0]].steps or steps):
                continue
            present = tuple(steps[name] for name in rule.over if name in steps)
            try:
                applies = present[0].view(rule.on.holds)
            except Exception as error:  # noqa: BLE001 - as in `verdict`
                yield _broken(rule, present, error)
                continue
            if applies and len(present) == len(rule.over):
                yield verdict(rule, *present)
            elif applies and not present[0].view(rule.occasion.holds):
                yield _verdict(rule, present, Outcome.NOT_SEEN, reason=_never(rule, present[0]))
            elif applies:
                missing = next(name for name in rule.over if name not in steps)
                mood = all(one.status == 200 for one in present)
                reason = f"no request {missing!r} came of it: {describe(present[-1])}"
                yield _verdict(rule, present, Outcome.INCONCLUSIVE, reason=reason, mood=mood)


def verdict(rule: Rule, *exchanges: Exchange) -> Verdict:
    """One rule on one exchange, or on one for each of its steps; `on` aside.

    A check that raises is broken, and says so with its own name.
    """
    try:
        remarks = list(_remarks(rule, exchanges))
    except Exception as error:  # noqa: BLE001 - whatever a check raises is our fault and must not read as a verdict
        return _broken(rule, exchanges, error)
    found = tuple(remark for remark in remarks if isinstance(remark, Finding))
    if found:
        return _verdict(rule, exchanges, Outcome.FAIL, found=_capped(found))
    undecided = next((remark for remark in remarks if isinstance(remark, Inconclusive)), None)
    if undecided:
        return _verdict(rule, exchanges, Outcome.INCONCLUSIVE, reason=undecided.reason, mood=undecided.mood)
    unseen = next((remark for remark in remarks if isinstance(remark, NotSeen)), None)
    if unseen:
        return _verdict(rule, exchanges, Outcome.NOT_SEEN, reason=unseen.reason)
    return _verdict(rule, exchanges, Outcome.PASS)


def _remarks(rule: Rule, exchanges: Sequence[Exchange]) -> Iterable[Remark]:
    for exchange in exchanges:
        if exchange.status is None and not rule.silence:
            return [Inconclusive(describe(exchange))]
        if not exchange.view(rule.occasion.holds):
            return [NotSeen(_never(rule, exchange))]
        if not exchange.view(rule.given.holds):
            return [Inconclusive(f"{describe(exchange)}; needs {rule.given.name}")]
    return rule.check(*exchanges)


def _never(rule: Rule, exchange: Exchange) -> str:
    return f"not {rule.occasion.name}: {describe(exchange)}"


# --- repeats --------------------------------------------------------------------------------------------------------


def _merged(verdicts: Sequence[Verdict], exchanges: Mapping[str, Exchange]) -> Iterator[Verdict]:
    """One verdict for what the repeats of a probe say of one rule and step."""
    if all(exchange.repeat == 1 for exchange in exchanges.values()):
        yield from verdicts
        return
    groups: dict[tuple[str, tuple[str | None, ...]], list[Verdict]] = {}
    for one in verdicts:
        groups.setdefault((one.rule, tuple(exchanges[name].step for name in one.exchanges)), []).append(one)
    for group in groups.values():
        yield _together(group)


def _together(group: Sequence[Verdict]) -> Verdict:
    outcome = worst(one.outcome for one in group)
    if len(group) == 1 or outcome is not Outcome.FAIL:
        return next(one for one in group if one.outcome is outcome)
    failed = [one for one in group if one.outcome is Outcome.FAIL]
    passed = [one for one in group if one.outcome is Outcome.PASS]
    found = tuple(replace(told, exchange=told.exchange or one.exchanges[0]) for one in failed for told in one.findings)
    names = tuple(name for one in (*failed, *passed) for name in one.exchanges)
    flaky = _flaky(len(failed), len(failed) + len(passed)) if passed else None
    return replace(failed[0], exchanges=names, findings=_capped(found), flaky=flaky)


def _flaky(failed: int, of: int) -> Flaky:
    """The rate with its Wilson score interval."""
    rate, spread = failed / of, Z * Z / of
    middle, half = rate + spread / 2, Z * sqrt((rate * (1 - rate) + spread / 4) / of)
    return Flaky(failed, of, round((middle - half) / (1 + spread), 3), round((middle + half) / (1 + spread), 3))


# --- verdicts -------------------------------------------------------------------------------------------------------


def _broken(rule: Rule, exchanges: Sequence[Exchange], error: Exception) -> Verdict:
    reason = f"the check raised {type(error).__name__}: {str(error)[:200]}{_line_of(error)}"
    return _verdict(rule, exchanges, Outcome.BROKEN, reason=reason)


def _line_of(error: Exception) -> str:
    """Where in a check it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    return f" ({PurePath(frames[-1].filename).name}:{frames[-1].lineno})" if frames else ""


def _capped(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """The first of each place, then as many others as there is room for: nothing of another kind is left out unsaid."""
    if len(found) <= MAX_FINDINGS:
        return found
    firsts: dict[str, int] = {}
    for number, one in enumerate(found):
        firsts.setdefault(one.place, number)
    chosen = [*firsts.values(), *(number for number in range(MAX_FINDINGS + 1) if number not in firsts.values())]
    kept = tuple(found[number] for number in sorted(chosen[:MAX_FINDINGS]))
    elsewhere = ", at other places too" if len(firsts) > MAX_FINDINGS else ""
    return (*kept, Finding(f"and {len(found) - MAX_FINDINGS} more of the same rule{elsewhere}"))


def _verdict(
    rule: Rule,
    exchanges: Sequence[Exchange],
    outcome: Outcome,
    *,
    found: tuple[Finding, ...] = (),
    reason: str | None = None,
    mood: bool = False,
) -> Verdict:
    names = tuple(exchange.id for exchange in exchanges)
    return Verdict(rule.id, rule.level, outcome, exchanges[0].probe, names, found, reason, mood)
