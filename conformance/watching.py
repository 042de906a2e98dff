"""Progress while relays are asked: one line that is rewritten on a terminal, a line now and then where it is piped.

12/118 probes · 45 of 300 requests · 2,310 of 200,000 tokens · about 40 s left · chat.stream
"""

import shutil
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from conformance.check import Progress

EVERY = 10  # probes: how often a line is told where it is piped
LABEL = 16  # characters of a relay's name, where several are asked
SOON = 2.0  # seconds in which nothing is said of the time left
CLEAR = "\r\x1b[K"


class Watching:
    """Tells how far a check has come, or several of them, by their labels. Nothing where it is quiet."""

    def __init__(self, *, quiet: bool, clock: Callable[[], float] = time.monotonic) -> None:
        self.quiet = quiet
        self.terminal = sys.stderr.isatty()
        self._clock = clock
        self._began = clock()
        self._seen: dict[str, Progress] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self.terminal and not self.quiet:
            click.echo(CLEAR, nl=False, err=True)

    def __call__(self, progress: "Progress", label: str = "") -> None:
        """Takes note of how far one has come, and tells it."""
        self._seen[label] = progress
        if self.quiet:
            return
        text = line(self._seen, self._clock() - self._began, progress.last.probe or "")
        done = sum(one.done for one in self._seen.values())
        if self.terminal:
            width = shutil.get_terminal_size((100, 24)).columns - 1
            click.echo(f"{CLEAR}{text[:width]}", nl=False, err=True)
        elif done % EVERY == 0 or progress.done == progress.total:
            click.echo(text, err=True)


class Drawing:
    """Tells on a terminal that requests are drawn, and how many random ones there are: that takes its time."""

    def __init__(self, *, quiet: bool, wanted: int) -> None:
        self.shown = sys.stderr.isatty() and not quiet
        self.wanted = wanted

    def __enter__(self) -> Self:
        self._tell("drawing requests …")
        return self

    def __exit__(self, *_: object) -> None:
        self._tell("")

    def __call__(self, operation: str, many: int) -> None:
        self._tell(f"drawing {many:,} of {self.wanted:,} random requests for {operation} …")

    def _tell(self, text: str) -> None:
        if self.shown:
            click.echo(f"{CLEAR}{text}", nl=False, err=True)


def line(seen: Mapping[str, "Progress"], elapsed: float, last: str) -> str:
    """How far they have come, together; a relay by its label where there are several."""
    counted = [f"{label[:LABEL]} {one.done}/{one.total}".lstrip() for label, one in seen.items()]
    budgets = [one.budget for one in seen.values()]
    requests = sum(budget.requests for budget in budgets)
    tokens = sum(budget.prompt_tokens + budget.completion_tokens for budget in budgets)
    limits = (budgets[0].max_requests, budgets[0].max_tokens) if len(budgets) == 1 else (None, None)
    parts = [
        f"{' · '.join(counted)} probes",
        f"{requests}{_of(limits[0])} requests",
        f"{tokens:,}{_of(limits[1])} tokens",
        _left(seen, elapsed),
        last,
    ]
    return " · ".join(filter(None, parts))


def _of(limit: int | None) -> str:
    return "" if limit is None else f" of {limit:,}"


def _left(seen: Mapping[str, "Progress"], elapsed: float) -> str:
    """A guess at the time left, of the one that is furthest behind: probes take very different times."""
    rates = [(one.total - one.done) / one.done for one in seen.values() if one.done]
    left = elapsed * max(rates, default=0.0)
    if elapsed < SOON or not left:
        return ""
    return f"about {left:.0f} s left" if left < 90 else f"about {left / 60:.0f} min left"
