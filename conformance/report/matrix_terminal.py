"""Several runs on one screen: who stands where, the rules in which they differ, and what is faster, with its test."""

from collections.abc import Iterator, Sequence

from rich.text import Text

from conformance.report.comparison import Cell, Change, Comparison, Row, compare
from conformance.report.escape import visible
from conformance.report.matrix import by_one_law, earnest, one_relay, unmatched
from conformance.report.speed import speeds
from conformance.report.summary import UNVERIFIED, Laws
from conformance.report.terminal import MARKS, Line, fitting
from conformance.rule import Level
from conformance.run import Run

LABEL = 40
RULE = 48
ROOMS = (40, 20, 12, 8, 6, 4, 3, 2, 1, 0)
TONES = {
    Change.NEWLY_BROKEN: "bold red",
    Change.NEWLY_SEEN: "bold red",
    Change.MENDED: "green",
    Change.VERIFIED: "green",
}


def render(runs: Sequence[Run], laws: Laws, *, width: int = 100, height: int | None = None, color: bool = False) -> str:
    """The text, as `terminal.render` has it."""
    comparison = compare(runs, laws)
    series = one_relay(runs)
    return fitting((_lines(comparison, room, series=series) for room in ROOMS), width, height, color=color)


def _lines(comparison: Comparison, room: int, *, series: bool) -> Iterator[Line]:
    yield from _relays(comparison, series=series)
    yield from _changes(comparison, room) if series else _differences(comparison, room)
    yield from _speed(comparison, max(room // 2, 1))
    if not by_one_law([relay.run for relay in comparison.relays]):
        yield 0, Text("\nThey were judged by different versions of the law: judge each again, by one", "yellow")


def _relays(comparison: Comparison, *, series: bool) -> Iterator[Line]:
    order = range(len(comparison.relays)) if series else comparison.ranked
    for place, number in enumerate(order, 1):
        relay = comparison.relays[number]
        summary = relay.summary
        tone = "bold green" if summary.holds else "bold red" if summary.exit == 1 else "bold yellow"
        opened = sum(summary.all[outcome] for outcome in UNVERIFIED)
        code = "no exit code" if summary.exit is None else f"exit {summary.exit}"
        levels = " · ".join(f"{level.value} {summary.level(level).fraction}" for level in Level)
        yield (
            0,
            Text.assemble(
                (f"{place} ", "dim"),
                (f"{visible(relay.label, LABEL)}  ", "bold"),
                (levels, tone),
                f" · {opened} not verified · {code}: {summary.word}",
            ),
        )


def _differences(comparison: Comparison, room: int) -> Iterator[Line]:
    rows, alone = earnest(comparison), unmatched(comparison)
    yield 0, Text(f"\nThey differ in {len(rows)} rule{'' if len(rows) == 1 else 's'}", "bold")
    yield from _rows(comparison, rows, room)
    if alone:
        yield 0, Text(f"\nOne fails and no other was verified ({len(alone)})", "bold")
        yield from _rows(comparison, alone, room // 2)


def _rows(comparison: Comparison, rows: Sequence[Row], room: int) -> Iterator[Line]:
    for row in rows[:room]:
        text = Text("  ")
        for number in comparison.ranked:
            text.append_text(_mark(row.cells[number])).append(" ")
        yield 0, text.append(f" {row.level.value:6} ", "dim").append(visible(row.rule, RULE))
    if len(rows) > room:
        yield 2, Text(f"… and {len(rows) - room} more rules", "dim")


def _mark(cell: Cell) -> Text:
    return Text(*MARKS[cell.outcome]) if cell.outcome else Text("·", "dim")


def _changes(comparison: Comparison, room: int) -> Iterator[Line]:
    changes = comparison.changes()
    yield 0, Text("\nNothing changed" if not changes else f"\nChanged ({len(changes)})", "bold")
    for what, row in changes[:room]:
        words = f"{row.cells[0].word} → {row.cells[-1].word}"
        yield (
            2,
            Text.assemble(
                (f"{what.value.replace('-', ' '):19}", TONES.get(what, "yellow")),
                (f"{row.level.value:7}", "dim"),
                (visible(row.rule, RULE), "bold"),
                (f"  {words}", "dim"),
            ),
        )
    if len(changes) > room:
        yield 2, Text(f"… and {len(changes) - room} more rules", "dim")


def _speed(comparison: Comparison, room: int) -> Iterator[Line]:
    told = [one for one in speeds(comparison) if one.differs]
    if told:
        yield 0, Text("\nSpeed", "bold")
    for one in told[:room]:
        fast, slow = (visible(comparison.relays[number].label, LABEL) for number in (one.fast, one.slow))
        size = f"{one.ratio:.2f} times ({one.low:.2f}–{one.high:.2f}), {one.pairs} pairs, p {one.p:.2g}"
        size += "" if one.together else ", at other times,"
        yield 2, Text.assemble((f"{one.measure}: ", "dim"), f"{slow} takes {size} as long as {fast}")
    if len(told) > room:
        yield 2, Text(f"… and {len(told) - room} more", "dim")
