"""Runs of one relay, one after the other: pure data, from which the trend is told as text, JSON and pictures.

The runs themselves are the history: nothing is kept beside them that could say something else.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from statistics import median

from conformance.report.comparison import Change, Comparison, compare
from conformance.report.json_out import text_of
from conformance.report.summary import UNVERIFIED, Laws, Summary
from conformance.report.timing import times
from conformance.rule import Level, Outcome
from conformance.run import Run
from openapi.json_text import Json


@dataclass(frozen=True)
class Point:
    """One run of the history. `ttft` is the median in seconds of so many `streams`, None where there are none."""

    summary: Summary
    streams: int
    ttft: float | None

    @property
    def started(self) -> str:
        return self.summary.run.header.started

    def failed(self, level: Level) -> int:
        return self.summary.level(level)[Outcome.FAIL]

    @property
    def open(self) -> int:
        return sum(self.summary.all[outcome] for outcome in UNVERIFIED)

    @property
    def law(self) -> tuple[str, str]:
        """By which document and version it was judged."""
        return self.summary.run.header.document, self.summary.run.header.suite


@dataclass(frozen=True)
class History:
    """One relay over its runs, the oldest first."""

    name: str
    base_url: str
    points: tuple[Point, ...]
    comparison: Comparison

    @cached_property
    def steps(self) -> tuple[tuple[tuple[Change, str, Level], ...], ...]:
        """What changed from each run to the next: one less than there are points."""
        return tuple(
            tuple((what, row.rule, row.level) for what, row in self.comparison.changes(at, at + 1))
            for at in range(len(self.points) - 1)
        )

    @property
    def laws(self) -> int:
        """By how many versions of the law the runs were judged: beyond one, what changed may be the law."""
        return len({point.law for point in self.points})


def histories(runs: Iterable[Run], laws: Laws) -> list[History]:
    """The history of each relay among the runs, by its name and where it is; the one asked last stands first."""
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda one: one.header.started):
        grouped.setdefault(run.header.whose, []).append(run)
    told = [_history(name, base_url, group, laws) for (name, base_url), group in grouped.items()]
    return sorted(told, key=lambda history: history.points[-1].started, reverse=True)


def _history(name: str, base_url: str, runs: Sequence[Run], laws: Laws) -> History:
    comparison = compare(runs, laws)
    return History(name or base_url, base_url, tuple(_point(one.summary) for one in comparison.relays), comparison)


def _point(summary: Summary) -> Point:
    taken = times(summary.run.exchanges).ttft
    return Point(summary, len(taken), median(taken) if taken else None)


def render(runs: Iterable[Run], laws: Laws) -> str:
    """All histories as JSON text."""
    return text_of({"relays": [_record(history) for history in histories(runs, laws)]})


def _record(history: History) -> dict[str, Json]:
    return {
        "name": history.name,
        "base_url": history.base_url,
        "laws": history.laws,
        "runs": [_run(point) for point in history.points],
        "changes": [
            [{"rule": rule, "level": level.value, "change": what.value} for what, rule, level in step]
            for step in history.steps
        ],
    }


def _run(point: Point) -> dict[str, Json]:
    footer = point.summary.run.footer
    return {
        "started": point.started,
        "exit": point.summary.exit,
        "line": point.summary.line,
        "failed": {level.value: point.failed(level) for level in Level},
        "open": point.open,
        "spent": dict(footer.spent) if footer else None,
        "ttft": None if point.ttft is None else round(point.ttft, 6),
        "streams": point.streams,
        "document": point.law[0],
        "suite": point.law[1],
    }
