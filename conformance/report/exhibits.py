"""Which exchanges a page holds, and which of them whole: what failures rest on first, within an allowance.

A page is bounded whatever its runs are: each exchange is worth a number of characters (`Evidence.weight`), and those
for which none are left are a line, or nothing. The whole of each is in the run file.
"""

from collections.abc import Iterable, Iterator, Sequence

from conformance.report.columns import Column
from conformance.report.drawers import Drawer
from conformance.report.evidence import Evidence, evidence
from conformance.rule import Outcome, Verdict

LINES = 320  # exchanges that have a line; more where failures rest on more
LINE = 270  # characters of one
CONCERN = (Outcome.FAIL, Outcome.BROKEN, Outcome.UNTESTABLE, Outcome.INCONCLUSIVE, Outcome.NOT_SEEN, Outcome.SKIPPED)

Exhibit = tuple[Column, Evidence]


def of(column: Column) -> Iterator[Evidence]:
    """All exchanges of a column, in the order of its run."""
    run = column.relay.run
    resting: dict[str, list[Verdict]] = {}
    for verdict in run.verdicts:
        for name in verdict.exchanges:
            resting.setdefault(name, []).append(verdict)
    base_url = run.header.relay.get("base_url")
    for number, exchange in enumerate(run.exchanges):
        yield evidence(exchange, number, f"x{column.number}-{number}", resting.get(exchange.id, ()), base_url)


def listed(every: Sequence[Exhibit], rules: Iterable[Drawer]) -> list[Exhibit]:
    """Those that have a line, in their order: what failures on the page rest on, and of the others as many as there are
    lines for, those first on which another rule of the page rests."""
    failed: set[str] = set()
    others: set[str] = set()
    for rule in rules:
        for at in rule.at:
            (failed if at in rule.failed else others).update(one.anchor for one in at.slots)
    ordered = sorted(every, key=lambda one: (one[1].anchor not in failed, one[1].anchor not in others, one[1].number))
    chosen = {one.anchor for _, one in ordered[: max(LINES, len(failed))]}
    return [one for one in every if one[1].anchor in chosen]


def affordable(every: Sequence[Exhibit], allowance: int) -> frozenset[str]:
    """The anchors of those that are shown whole: what failures rest on first, then what is open, then the rest; of one
    concern the small ones first, so that many are."""
    concern = _concern(every)
    ordered = sorted(every, key=lambda one: (concern.get(_key(one), len(CONCERN) + 1), one[1].weight))
    spent, whole = 0, set()
    for _, one in ordered:
        if spent + one.weight <= allowance:
            spent += one.weight
            whole.add(one.anchor)
    return frozenset(whole)


def _key(one: Exhibit) -> tuple[int, str]:
    return one[0].number, one[1].exchange.id


def _concern(every: Sequence[Exhibit]) -> dict[tuple[int, str], int]:
    """How grave the gravest verdict is that rests on an exchange: 0 for a failure."""
    concern: dict[tuple[int, str], int] = {}
    for column in {column.number: column for column, _ in every}.values():
        for verdict in column.relay.run.verdicts:
            urgency = CONCERN.index(verdict.outcome) if verdict.outcome in CONCERN else len(CONCERN)
            for name in verdict.exchanges:
                key = (column.number, name)
                concern[key] = min(concern.get(key, urgency), urgency)
    return concern
