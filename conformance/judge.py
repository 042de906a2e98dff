"""Exchanges × rules → verdicts: pure, so that a stored run is judged again as it was judged first."""

from collections.abc import Iterable, Iterator, Mapping

from conformance.answers import describe
from conformance.rule import Finding, Inconclusive, NotSeen, Outcome, Remark, Rule, Verdict
from openapi.wire.exchange import Exchange

MAX_FINDINGS = 20  # of one verdict; a broken stream of a million events needs no million sentences


def judge(exchanges: Iterable[Exchange], rules: Mapping[str, Rule]) -> Iterator[Verdict]:
    """The verdicts of all rules that apply, exchange by exchange, in the order of the catalogue.

    Of a request that was repeated after a 429, 503 or 529 only the last attempt is judged.
    """
    for exchange in last_attempts(exchanges):
        for rule in rules.values():
            try:
                applies = rule.on.holds(exchange)
            except Exception as error:  # noqa: BLE001 - as in `verdict`
                yield _broken(rule, exchange, error)
            else:
                if applies:
                    yield verdict(rule, exchange)


def last_attempts(exchanges: Iterable[Exchange]) -> list[Exchange]:
    """The exchanges less those that a later attempt of the same request of the same probe replaced."""
    kept: list[Exchange] = []
    for exchange in exchanges:
        if exchange.attempt > 1:
            earlier = [old for old in kept if old.probe == exchange.probe and old.request == exchange.request]
            if earlier:
                kept.remove(earlier[-1])
        kept.append(exchange)
    return kept


def verdict(rule: Rule, exchange: Exchange) -> Verdict:
    """One rule on one exchange, `on` aside. A check that raises is broken, and says so with its own name."""
    try:
        remarks = list(_remarks(rule, exchange))
    except Exception as error:  # noqa: BLE001 - whatever a check raises is our fault and must not read as a verdict
        return _broken(rule, exchange, error)
    found = tuple(remark for remark in remarks if isinstance(remark, Finding))
    if found:
        return _verdict(rule, exchange, Outcome.FAIL, found=_capped(found))
    undecided = next((remark for remark in remarks if isinstance(remark, Inconclusive)), None)
    if undecided:
        return _verdict(rule, exchange, Outcome.INCONCLUSIVE, reason=undecided.reason, mood=undecided.mood)
    unseen = next((remark for remark in remarks if isinstance(remark, NotSeen)), None)
    if unseen:
        return _verdict(rule, exchange, Outcome.NOT_SEEN, reason=unseen.reason)
    return _verdict(rule, exchange, Outcome.PASS)


def _remarks(rule: Rule, exchange: Exchange) -> Iterable[Remark]:
    if exchange.status is None and not rule.silence:
        return [Inconclusive(describe(exchange))]
    if not rule.occasion.holds(exchange):
        return [NotSeen(f"not {rule.occasion.name}: {describe(exchange)}")]
    if not rule.given.holds(exchange):
        return [Inconclusive(f"{describe(exchange)}; needs {rule.given.name}")]
    return rule.check(exchange)


def _broken(rule: Rule, exchange: Exchange, error: Exception) -> Verdict:
    reason = f"the check raised {type(error).__name__}: {str(error)[:200]}"
    return _verdict(rule, exchange, Outcome.BROKEN, reason=reason)


def _capped(found: tuple[Finding, ...]) -> tuple[Finding, ...]:
    if len(found) <= MAX_FINDINGS:
        return found
    return (*found[:MAX_FINDINGS], Finding(f"and {len(found) - MAX_FINDINGS} more of the same rule"))


def _verdict(
    rule: Rule,
    exchange: Exchange,
    outcome: Outcome,
    *,
    found: tuple[Finding, ...] = (),
    reason: str | None = None,
    mood: bool = False,
) -> Verdict:
    return Verdict(rule.id, rule.level, outcome, exchange.probe, (exchange.id,), found, reason, mood)
