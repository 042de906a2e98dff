"""Which exchanges a page holds, and which of them whole: what failures rest on first, within an allowance.

A page is bounded whatever its runs are: each exchange is worth a number of characters (`Evidence.weight`), and those
for which none are left are a line, or nothing. The whole of each is in the run file.
"""

from collections.abc import Iterable, Iterator, Sequence

from conformance.report.columns import Column
from conformance.report.drawers import Drawer
from conformance.report.evidence import Evidence, evidence
from conformance.rule import Verdict

LINES = 320  # exchanges that have a line; more where failures rest on more
LINE = 270  # characters of one
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
    """Those that have a line, by their concern: what failures on the page rest on, in the order of the page, and of the
    others as many as there are lines for, those first on which another rule of the page rests."""
    failed: dict[str, int] = {}
    others: dict[str, int] = {}
    for number, rule in enumerate(rules):
        for at in rule.at:
            for one in at.slots:
                (failed if at in rule.failed else others).setdefault(one.anchor, number)
    last = len(failed) + len(others) + len(every)
    ordered = sorted(
        every, key=lambda one: (failed.get(one[1].anchor, last), others.get(one[1].anchor, last), one[1].number)
    )
    return ordered[: max(LINES, len(failed))]


def affordable(concern: Iterable[Exhibit], allowance: int) -> frozenset[str]:
    """The anchors of those that are shown whole: as many as fit, those of more concern first."""
    spent, whole = 0, set()
    for _, one in concern:
        if spent + one.weight <= allowance:
            spent += one.weight
            whole.add(one.anchor)
    return frozenset(whole)
