"""Several runs as Markdown (GitHub flavour), for a comment: what became of one relay, or how several differ.

The first line is a mark by which a comment is found and replaced. Runs of one relay are told as a change, from the
first to the last: newly broken, mended, flaky, changed. Different relays are told side by side.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

from conformance.report.comparison import Cell, Change, Comparison, Row, compare
from conformance.report.markdown import NAME, escaped, table
from conformance.report.matrix import by_one_law, earnest, one_relay, unmatched
from conformance.report.speed import Speed, speeds
from conformance.report.summary import UNVERIFIED, Laws
from conformance.rule import Level, Outcome
from conformance.run import Run

MARK = "<!-- relayproof -->"
MANY = 60  # rows of one table
SIGNS = {Outcome.FAIL: "❌", Outcome.PASS: "✅", Outcome.BROKEN: "💥"}
GRAVE = (Change.NEWLY_BROKEN, Change.NEWLY_SEEN)


def render(runs: Sequence[Run], laws: Laws) -> str:
    """The Markdown text."""
    comparison = compare(runs, laws)
    told = _change(comparison) if one_relay(runs) else _side_by_side(comparison)
    return "\n".join([MARK, *told, *_other_laws(runs)]) + "\n"


def _change(comparison: Comparison) -> Iterator[str]:
    old, new = comparison.relays[0], comparison.relays[-1]
    changes = comparison.changes()
    counted = Counter(what for what, _ in changes)
    said = " · ".join(f"{counted[what]} {_word(what)}" for what in Change if counted[what]) or "nothing changed"
    must = any(what in GRAVE and row.level is Level.MUST and not _excuse(row.cells[-1]) for what, row in changes)
    sign = "❌" if must else "✅" if new.summary.holds else "⚠️"
    yield f"### {sign} {escaped(new.summary.relay, NAME)}: {said}\n"
    yield f"**{escaped(new.summary.line)}** (before: {escaped(old.summary.line)})"
    rows = [_changed(what, row) for what, row in changes]
    if rows:
        yield ""
        yield from table(("change", "rule", "level", "before", "now", "found"), rows[:MANY])
    yield from _more(len(rows))
    stood = [row for row in comparison.rows if row.cells[0].failed and row.cells[-1].failed]
    if stood:
        names = ", ".join(escaped(row.rule, NAME) for row in stood[:MANY])
        yield f"\n<details><summary>Failed before and now ({len(stood)})</summary>\n\n{names}\n\n</details>"
    yield f"\n<sub>{escaped(old.run.header.started)} → {escaped(new.run.header.started)}</sub>"


def _changed(what: Change, row: Row) -> tuple[str, ...]:
    before, now = row.cells[0], row.cells[-1]
    result = now.result if now.failed else before.result
    found = escaped(result.said) if result and (now.failed or before.failed) else ""
    return f"**{_word(what)}**", escaped(row.rule, NAME), row.level.value, _said(before), _said(now), found or "—"


def _said(cell: Cell) -> str:
    excuse = _excuse(cell)
    return f"{cell.word}, {excuse}" if excuse else cell.word


def _excuse(cell: Cell) -> str | None:
    """What excuses all of its failures: they decide no exit code, and turn no comment red."""
    return cell.result.excuse if cell.result else None


def _word(what: Change) -> str:
    return what.value.replace("-", " ")


def _side_by_side(comparison: Comparison) -> Iterator[str]:
    count = len(earnest(comparison))
    yield f"### {len(comparison.relays)} relays side by side · rules where they differ: {count}\n"
    yield from table(("relay", "exit", *Level, "open"), (_relay(comparison, number) for number in comparison.ranked))
    yield from _rows(comparison, "Where they differ", earnest(comparison))
    yield from _rows(comparison, "Where one fails and no other was verified", unmatched(comparison))
    told = [one for one in speeds(comparison) if one.differs]
    if told:
        yield "\n#### Speed\n"
        head = ("measure", "faster", "slower", "ratio (95 %)", "p", "pairs")
        yield from table(head, (_speed(comparison, one) for one in told[:MANY]))


def _relay(comparison: Comparison, number: int) -> tuple[str, ...]:
    relay = comparison.relays[number]
    opened = sum(relay.summary.all[outcome] for outcome in UNVERIFIED)
    code = "none" if relay.summary.exit is None else str(relay.summary.exit)
    fractions = (relay.summary.level(level).fraction for level in Level)
    return escaped(relay.label, NAME), f"{code}: {relay.summary.word}", *fractions, str(opened)


def _rows(comparison: Comparison, title: str, rows: Sequence[Row]) -> Iterator[str]:
    if rows:
        labels = [escaped(comparison.relays[number].label, NAME) for number in comparison.ranked]
        yield f"\n#### {title}\n"
        yield from table(("rule", "level", *labels), (_difference(comparison, row) for row in rows[:MANY]))
        yield from _more(len(rows))


def _difference(comparison: Comparison, row: Row) -> tuple[str, ...]:
    cells = (row.cells[number] for number in comparison.ranked)
    signs = (f"{SIGNS.get(cell.outcome, '')} {_said(cell)}".strip() if cell.outcome else cell.word for cell in cells)
    return escaped(row.rule, NAME), row.level.value, *signs


def _speed(comparison: Comparison, one: Speed) -> tuple[str, ...]:
    fast, slow = (escaped(comparison.relays[number].label, NAME) for number in (one.fast, one.slow))
    return (
        one.measure,
        f"{fast} {one.fast_median:.3f} s",
        f"{slow} {one.slow_median:.3f} s",
        f"{one.ratio:.2f} ({one.low:.2f}–{one.high:.2f})",
        f"{one.p:.2g}",
        f"{one.pairs}{'' if one.together else ', at other times'}",
    )


def _other_laws(runs: Sequence[Run]) -> Iterator[str]:
    if not by_one_law(runs):
        yield "\n⚠️ They were judged by different versions of the law: `relayproof judge` judges each again, by one."


def _more(count: int) -> Iterator[str]:
    if count > MANY:
        yield f"\n… and {count - MANY} more rules in the JSON."
