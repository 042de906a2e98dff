"""What of a comparison is told as a difference, so that a relay of which nothing is known makes none."""

from collections.abc import Iterable, Sequence

from conformance.report.comparison import Comparison, Difference, Row
from conformance.rule import Level
from conformance.run import Run


def earnest(comparison: Comparison) -> list[Row]:
    """The rules in which one relay fails and another is verified, MUST first."""
    return _by_level(row for row in comparison.differences if row.difference is Difference.BREAKS)


def unmatched(comparison: Comparison) -> list[Row]:
    """The rules in which one relay fails and no other is verified, though others were judged: not claimed there, or
    left open. Relays of which nothing was decided at all are not among the others."""
    known = [number for number, relay in enumerate(comparison.relays) if relay.summary.all.decided]
    rows = (row for row in comparison.differences if row.difference is Difference.UNMATCHED)
    return _by_level(row for row in rows if not all(row.cells[number].failed for number in known))


def _by_level(rows: Iterable[Row]) -> list[Row]:
    return sorted(rows, key=lambda row: list(Level).index(row.level))


def one_relay(runs: Sequence[Run]) -> bool:
    """Whether all are runs of the same relay: by its name and where it is."""
    return len(runs) > 1 and len({run.header.whose for run in runs}) == 1


def by_one_law(runs: Sequence[Run]) -> bool:
    """Whether all were judged by the same document and, as far as they say, the same version."""
    documents = {run.header.document for run in runs}
    return len(documents) < 2 and len({run.header.suite for run in runs} - {""}) < 2
