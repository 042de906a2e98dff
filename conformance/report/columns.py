"""One relay of a page: a column of its matrix, a row of its tables, and the letter that it goes by."""

import shlex
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.report.comparison import Comparison, Relay
from conformance.report.escape import visible, visible_html
from conformance.report.money import Money, money
from conformance.report.platform import Covered, Standing, covered, platform
from conformance.report.smallest import Smallest, smallest, told
from conformance.report.summary import Summary, Tally
from conformance.report.timing import Timing, timings
from conformance.rule import Level
from conformance.run import Note

MANY_NOTES = 40  # on the baseline


@dataclass(frozen=True)
class Column:
    """One relay. `mark` is its letter on a page about several, `file` what its run is called on disk."""

    number: int
    mark: str
    relay: Relay
    file: str
    money: Money
    covered: tuple[Covered, ...]
    known: tuple[tuple[str, int], ...]
    timings: tuple[Timing, ...]

    @property
    def summary(self) -> Summary:
        return self.relay.summary

    @property
    def file_word(self) -> Markup:
        """The name of its run, quoted for a shell."""
        return shell_word(self.file)

    @property
    def tone(self) -> str:
        return "pass" if self.summary.holds else "fail" if self.summary.exit == 1 else "open"

    @property
    def levels(self) -> tuple[tuple[Level, Tally], ...]:
        return tuple((level, self.summary.level(level)) for level in Level)

    @property
    def notes(self) -> tuple[Note, ...]:
        return self.summary.notes[:MANY_NOTES]

    @property
    def generated(self) -> tuple[str, ...]:
        """What became of generated probes, in sentences; nothing where none were drawn."""
        footer = self.summary.run.footer
        return tuple(told(footer.generated)) if footer and footer.generated else ()

    @property
    def smallest(self) -> tuple[Smallest, ...]:
        """What they found, each by the smallest request that shows it."""
        return smallest(self.summary.run)

    @property
    def models(self) -> tuple[str, ...]:
        models = self.relay.run.header.relay.get("models")
        named = models.values() if isinstance(models, dict) else ()
        return tuple(dict.fromkeys(str(name) for name in named))[:4]

    @property
    def standings(self) -> Mapping[Standing, int]:
        counted = Counter(one.standing for one in self.covered)
        return {standing: counted[standing] for standing in Standing}


def column(number: int, which: int, comparison: Comparison, files: Sequence[str]) -> Column:
    """The column of that number, of that relay of the comparison."""
    relay = comparison.relays[which]
    return Column(
        number=number,
        mark=letters(number),
        relay=relay,
        file=files[which] if which < len(files) else "RUN.jsonl",
        money=money(relay.run),
        covered=tuple(covered(relay.run, platform())),
        known=tuple(_known(relay.summary)),
        timings=tuple(timings(relay.run.exchanges)),
    )


def _known(summary: Summary) -> Iterator[tuple[str, int]]:
    """What of the failures is known, or comes and goes: by name, where there is any."""
    excused = Counter(one.excuse for one in summary.known)
    counted = {"waived": excused["waived"], "dialect": excused["dialect"], "flaky": summary.flaky}
    return ((name, count) for name, count in counted.items() if count)


def letters(number: int) -> str:
    """A, B … Z, AA, AB …, as the style of the page counts them."""
    first, last = divmod(number, 26)
    return (letters(first - 1) if first else "") + chr(ord("A") + last)


def shell_word(text: str) -> Markup:
    """A word that a reader pastes into a shell."""
    return visible_html(shlex.quote(visible(text, 200)))
