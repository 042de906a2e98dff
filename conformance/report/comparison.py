"""Several runs side by side: pure data, from which the page, `compare` and the comment on a change are told.

    comparison = compare(runs, BOOK)
    comparison.relays        in the order of the runs, each with its summary and a label of its own
    comparison.rows          a row for each rule, with one cell for each relay, in the order of the relays
    comparison.differences   the rows in which one relay is seen to fail and another is not
    comparison.changes()     what became of each rule from the first run to the last

What was not asked is a cell without a result. It is no failure and no pass, and neither is anything else that was not
decided: two relays differ in earnest only where one fails and the other is verified.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from itertools import chain, count

from conformance.identity import identities
from conformance.report.summary import Laws, Result, Summary, Tally, summarise, tally
from conformance.rule import Level, Outcome
from conformance.run import Run

NOT_ASKED = "not-asked"  # the word for a cell without a result


class Difference(StrEnum):
    """How the relays differ on one rule, the gravest first."""

    BREAKS = "breaks"  # one fails, another is verified
    UNMATCHED = "unmatched"  # one fails, no other is verified, and not all fail
    OPEN = "open"  # nobody fails, and not all were left in the same state
    PLACES = "places"  # all fail, at different places


class Change(StrEnum):
    """What became of one rule from an older run to a newer."""

    NEWLY_BROKEN = "newly-broken"  # verified before, fails now
    NEWLY_SEEN = "newly-seen"  # open before, fails now
    MENDED = "mended"  # failed before, verified now
    FLAKY = "flaky"  # the outcome changed, and one of the two runs saw it come and go
    CHANGED = "changed"  # fails in both, at other places
    UNVERIFIED = "no-longer-verified"  # verified before, open now
    UNSEEN = "no-longer-seen"  # failed before, open now
    VERIFIED = "newly-verified"  # open before, verified now


@dataclass(frozen=True)
class Relay:
    """One run among others. `label` is no other's: the relay's name, with when it was asked where two share a name."""

    label: str
    summary: Summary

    @property
    def run(self) -> Run:
        return self.summary.run

    def failures(self, level: Level) -> int:
        """How many rules of that level failed, known ones included."""
        return self.summary.level(level)[Outcome.FAIL]

    @property
    def rank(self) -> tuple[bool, int, int, int, int]:
        """Orders relays: fewest MUST failures first, then most MUSTs verified, then fewest left open, then fewest
        SHOULD failures; one of which nothing was decided stands last, since what was not verified is no merit."""
        must = self.summary.level(Level.MUST)
        opened = must.total - must.decided
        return not self.summary.all.decided, must[Outcome.FAIL], -must.passed, opened, self.failures(Level.SHOULD)


@dataclass(frozen=True)
class Cell:
    """One rule at one relay; without a result where the run did not ask."""

    result: Result | None

    @property
    def outcome(self) -> Outcome | None:
        return self.result.outcome if self.result else None

    @property
    def word(self) -> str:
        """The outcome, or `not-asked`."""
        return self.result.outcome.value if self.result else NOT_ASKED

    @property
    def failed(self) -> bool:
        return self.outcome is Outcome.FAIL

    @property
    def verified(self) -> bool:
        return self.outcome is Outcome.PASS

    @property
    def flaky(self) -> bool:
        """Whether a failure was seen to come and go."""
        return self.result is not None and any(verdict.flaky for verdict in self.result.verdicts)

    @cached_property
    def places(self) -> frozenset[str]:
        """What its failures are called, equal from run to run."""
        if self.result is None:
            return frozenset()
        failed = (verdict for verdict in self.result.verdicts if verdict.outcome is Outcome.FAIL)
        return frozenset(name for verdict in failed for name in identities(verdict))


@dataclass(frozen=True)
class Row:
    """One rule at every relay. The level is the gravest that a run gave it."""

    rule: str
    level: Level
    law: str
    cites: str
    cells: tuple[Cell, ...]

    @property
    def chapter(self) -> str:
        return self.rule.partition(".")[0]

    @property
    def words(self) -> tuple[str, ...]:
        """The outcome at each relay, in words."""
        return tuple(cell.word for cell in self.cells)

    @cached_property
    def difference(self) -> Difference | None:
        failed = [cell.failed for cell in self.cells]
        if any(failed) and not all(failed):
            return Difference.BREAKS if any(cell.verified for cell in self.cells) else Difference.UNMATCHED
        if len(set(self.words)) > 1:
            return Difference.OPEN
        return Difference.PLACES if len({cell.places for cell in self.cells}) > 1 else None

    @property
    def urgency(self) -> tuple[int, int]:
        """Orders rows: those that most relays fail first, of the gravest level; those that all passed last."""
        weight = sum(cell.failed or cell.outcome is Outcome.BROKEN for cell in self.cells)
        passed = all(cell.verified for cell in self.cells)
        return (list(Level).index(self.level) if weight else len(Level) + passed), -weight


def change(old: Cell, new: Cell) -> Change | None:
    """What became of a rule; None where nothing did. A rule that is not in both runs has not changed."""
    if old.result is None or new.result is None:
        return None
    if old.outcome is new.outcome:
        if not old.failed or old.places == new.places:
            return None
        return Change.FLAKY if old.flaky or new.flaky else Change.CHANGED
    if old.flaky or new.flaky:
        return Change.FLAKY
    return _CHANGES.get((_state(old), _state(new)))


def _state(cell: Cell) -> str:
    return "fails" if cell.failed else "verified" if cell.verified else "open"


_CHANGES = {
    ("verified", "fails"): Change.NEWLY_BROKEN,
    ("open", "fails"): Change.NEWLY_SEEN,
    ("fails", "verified"): Change.MENDED,
    ("fails", "open"): Change.UNSEEN,
    ("verified", "open"): Change.UNVERIFIED,
    ("open", "verified"): Change.VERIFIED,
}


@dataclass(frozen=True)
class Comparison:
    """Relays × rules."""

    relays: tuple[Relay, ...]
    rows: tuple[Row, ...]

    @cached_property
    def ranked(self) -> tuple[int, ...]:
        """The numbers of the relays, fewest MUST failures first."""
        return tuple(sorted(range(len(self.relays)), key=lambda number: self.relays[number].rank))

    @cached_property
    def differences(self) -> tuple[Row, ...]:
        """The rows in which a relay is seen to fail and another is not."""
        grave = {Difference.BREAKS, Difference.UNMATCHED}
        return tuple(row for row in self.rows if row.difference in grave)

    @cached_property
    def chapters(self) -> Mapping[str, tuple[Row, ...]]:
        """The rows by chapter, in the order of the book."""
        grouped: dict[str, list[Row]] = {}
        for row in self.rows:
            grouped.setdefault(row.chapter, []).append(row)
        return {name: tuple(rows) for name, rows in grouped.items()}

    def tally(self, chapter: str, relay: int, level: Level | None = None) -> Tally:
        """Rules of a chapter by outcome at one relay; those that it was not asked are in no tally."""
        results = (row.cells[relay].result for row in self.chapters.get(chapter, ()))
        return tally(one for one in results if one is not None and level in {None, one.level})

    def changes(self, old: int = 0, new: int = -1) -> tuple[tuple[Change, Row], ...]:
        """What became of each rule from one run to another, in the order of `Change`."""
        told = ((change(row.cells[old], row.cells[new]), row) for row in self.rows)
        order = list(Change)
        return tuple(sorted(((what, row) for what, row in told if what), key=lambda one: order.index(one[0])))


def compare(runs: Sequence[Run], laws: Laws) -> Comparison:
    """The runs side by side, by one book; a rule that the book does not have stands behind those that it has."""
    summaries = [summarise(run, laws) for run in runs]
    by_rule = [{result.rule: result for result in summary.results} for summary in summaries]
    asked = dict.fromkeys(rule for results in by_rule for rule in results)
    order = [*(rule for rule in laws if rule in asked), *(rule for rule in asked if rule not in laws)]
    relays = tuple(Relay(label, summary) for label, summary in zip(_labels(summaries), summaries, strict=True))
    return Comparison(relays, tuple(_row(rule, [results.get(rule) for results in by_rule]) for rule in order))


def _row(rule: str, results: Sequence[Result | None]) -> Row:
    there = [result for result in results if result is not None]
    level = min((result.level for result in there), key=list(Level).index)
    return Row(rule, level, there[0].law, there[0].cites, tuple(Cell(result) for result in results))


def _labels(summaries: Sequence[Summary]) -> list[str]:
    """A name for each, no two alike: by when they were asked where that tells them apart, else by number."""
    names = [summary.relay for summary in summaries]
    shared = Counter(names)
    dated = [
        f"{name} · {summary.run.header.started}" if shared[name] > 1 else name
        for name, summary in zip(names, summaries, strict=True)
    ]
    labels: list[str] = []
    for label in dated:
        numbered = (f"{label} #{number}" for number in count(2))
        labels.append(next(one for one in chain([label], numbered) if one not in labels))
    return labels
