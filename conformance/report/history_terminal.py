"""Histories on the terminal: a line a run, a line for what changed, and a trend of bars."""

from collections.abc import Iterable, Iterator, Sequence

from rich.text import Text

from conformance.report.comparison import Change
from conformance.report.escape import visible
from conformance.report.history import History, Point, histories
from conformance.report.matrix_terminal import TONES
from conformance.report.summary import Laws
from conformance.report.terminal import Line, fitting
from conformance.rule import Level
from conformance.run import Run

BARS = "▁▂▃▄▅▆▇█"
NAME = 60
TREND = 60  # runs
ROOMS = (1000, 40, 20, 12, 8, 5, 3, 2, 1)  # runs that are told, the newest


def render(runs: Iterable[Run], laws: Laws, *, width: int = 100, height: int | None = None, color: bool = False) -> str:
    """The text, as `terminal.render` has it."""
    told = histories(runs, laws)
    return fitting((_lines(told, room) for room in ROOMS), width, height, color=color)


def _lines(told: Sequence[History], room: int) -> Iterator[Line]:
    for number, history in enumerate(told):
        blank = "\n" if number else ""
        runs = f"{len(history.points)} run{'' if len(history.points) == 1 else 's'}"
        yield 0, Text.assemble(blank, (visible(history.name, NAME), "bold"), f"  {runs}", (_laws(history), "yellow"))
        yield from _trends(history)
        first = max(len(history.points) - room, 0)
        if first:
            yield 2, Text(f"… {first} older", "dim")
        for at, point in enumerate(history.points[first:], first):
            yield 2, _point(point)
            if at:
                yield from _step(history.steps[at - 1])


def _laws(history: History) -> str:
    return f"  judged by {history.laws} versions of the law" if history.laws > 1 else ""


def _trends(history: History) -> Iterator[Line]:
    points = history.points[-TREND:]
    if len(points) > 1:
        failed = [float(point.failed(Level.MUST)) for point in points]
        yield 2, Text(f"MUST failed  {bars(failed)}  {failed[0]:.0f} → {failed[-1]:.0f}")
        taken = [point.ttft for point in points if point.ttft is not None]
        if len(taken) > 1:
            yield 2, Text(f"TTFT median  {bars(taken)}  {taken[0]:.3f} s → {taken[-1]:.3f} s")


def bars(values: Sequence[float]) -> str:
    """A bar for each value, from nothing to the greatest."""
    most = max(values, default=0.0)
    return "".join(BARS[round((len(BARS) - 1) * value / most)] if most > 0 else BARS[0] for value in values)


def _point(point: Point) -> Text:
    summary = point.summary
    tone = "green" if summary.holds else "red" if summary.exit == 1 else "yellow"
    levels = " · ".join(f"{level.value} {summary.level(level).fraction}" for level in Level)
    code = "did not end" if summary.exit is None else f"exit {summary.exit}"
    ttft = "" if point.ttft is None else f" · TTFT {point.ttft:.3f} s of {point.streams}"
    return Text.assemble(
        (f"{visible(point.started, 30)}  ", "dim"), (levels, tone), f" · {point.open} not verified · {code}{ttft}"
    )


def _step(step: Sequence[tuple[Change, str, Level]]) -> Iterator[Line]:
    for what in Change:
        rules = [f"{visible(rule, NAME)} ({level.value})" for change, rule, level in step if change is what]
        if rules:
            more = f" and {len(rules) - 6} more" if len(rules) > 6 else ""
            yield (
                4,
                Text.assemble(
                    (f"{what.value.replace('-', ' ')}: ", TONES.get(what, "yellow")), ", ".join(rules[:6]), more
                ),
            )
