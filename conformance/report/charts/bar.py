"""Rules by outcome as one stacked bar: what was verified first, failures last, the gravest at the end.

Only what was verified is filled with its colour. What a relay does not claim is hatched, what never came to be measured
is hollow, and each stretch has a texture of its own, so that no colour is needed to tell them apart.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from conformance.report.comparison import NOT_ASKED, Cell
from conformance.rule import Level, Outcome

WIDTH, HEIGHT = 100.0, 8.0
ORDER = (
    Outcome.PASS.value,
    Outcome.NOT_SEEN.value,
    NOT_ASKED,
    Outcome.SKIPPED.value,
    Outcome.INCONCLUSIVE.value,
    Outcome.UNTESTABLE.value,
    Outcome.BROKEN.value,
    *(f"{Outcome.FAIL.value} {level.value}" for level in reversed(Level)),
)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of the bar: the word of its outcome, with the level behind it where it failed, and where it lies."""

    word: str
    count: int
    start: float
    width: float


def parts(cells: Iterable[tuple[Cell, Level]]) -> Iterator[Part]:
    """The stretches of cells, each with the level of its rule."""
    words = sorted((_word(cell, level) for cell, level in cells), key=ORDER.index)
    start = 0.0
    for word, group in groupby(words):
        count = len(list(group))
        width = WIDTH * count / len(words)
        yield Part(word, count, round(start, 2), round(width, 2))
        start += width


def _word(cell: Cell, level: Level) -> str:
    return f"{cell.word} {level.value}" if cell.failed else cell.word


def bar(cells: Iterable[tuple[Cell, Level]]) -> Markup:
    """The bar; what it says stands in words beside it, so that it is hidden from screen readers."""
    shown = Markup('<svg class="bar" viewBox="0 0 100 8" preserveAspectRatio="none" aria-hidden="true">')
    for part in parts(cells):
        shown += Markup('<rect class="b-{}" x="{:g}" width="{:g}"/>').format(
            part.word.replace(" ", " w-"), part.start, part.width
        )
    return shown + Markup("</svg>")
