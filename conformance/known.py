"""What is known of a relay before it is judged, laid over its verdicts: its baseline and the habits of its family.

A failure is excused where each of its findings is: a waiver for one place hides nothing that is found at another.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from conformance.baseline import Waiver
from conformance.dialect import Dialect, Habit
from conformance.identity import fits
from conformance.judge import REST
from conformance.rule import Finding, Outcome, Verdict
from conformance.run import Note, Stale

SOON = 14  # days


@dataclass(frozen=True)
class Known:
    """What may excuse. `today` decides which waivers still do; a clock is the caller's to read."""

    waivers: tuple[Waiver, ...] = ()
    dialects: tuple[Dialect, ...] = ()
    today: date = date.min

    @property
    def dialect(self) -> str | None:
        """The names of the families, None where none is allowed."""
        return ", ".join(dialect.name for dialect in self.dialects) or None

    def over(self, verdicts: Iterable[Verdict]) -> list[Verdict]:
        """The verdicts, those that are excused with what excuses them."""
        active = [waiver for waiver in self.waivers if not waiver.expired(self.today)]
        alone = [habit for dialect in self.dialects for habit in dialect.habits if not habit.beside]
        judged = list(verdicts)
        seen = {
            (verdict.rule, habit.label, name)
            for verdict in judged
            for habit in _shown(verdict, alone)
            for name in verdict.exchanges
        }
        return [_excused(verdict, [*alone, *self._beside(verdict, seen)], active) for verdict in judged]

    def _beside(self, verdict: Verdict, seen: set[tuple[str, str, str]]) -> list[Habit]:
        """The habits that show only beside another failure, where that was seen in an exchange of this verdict."""
        habits = (habit for dialect in self.dialects for habit in dialect.habits if habit.beside)
        return [
            habit
            for habit in habits
            if any((rule, habit.label, name) in seen for rule in habit.beside for name in verdict.exchanges)
        ]

    def notes(self, verdicts: Sequence[Verdict], *, whole: bool) -> tuple[Note, ...]:
        """What is to be said of the baseline. Only a `whole` run, one that was confined to no part and came to its end,
        tells what is no longer needed."""
        told = (_note(waiver, self.today, verdicts, whole=whole) for waiver in self.waivers)
        return tuple(note for note in told if note is not None)


def _findings(verdict: Verdict) -> tuple[Finding, ...]:
    """What has to be excused. The finding that stands for those left out, none of another place, is none of its own."""
    return tuple(one for one in verdict.findings if not REST.fullmatch(one.text)) or (Finding(""),)


def _shown(verdict: Verdict, habits: Sequence[Habit]) -> Iterator[Habit]:
    """The habits that a failure shows."""
    if verdict.outcome is Outcome.FAIL:
        own = [habit for habit in habits if verdict.rule in habit.rules]
        yield from (habit for habit in own for found in _findings(verdict) if habit.covers(verdict, found))


def _excused(verdict: Verdict, habits: Sequence[Habit], waivers: Sequence[Waiver]) -> Verdict:
    if verdict.outcome is not Outcome.FAIL or not (habits or waivers):
        return verdict
    own = [habit for habit in habits if verdict.rule in habit.rules]
    about = [waiver for waiver in waivers if fits(waiver.rule, verdict.rule)]
    dialect: list[str] = []
    waived: list[str] = []
    for found in _findings(verdict):
        habit = next((habit for habit in own if habit.covers(verdict, found)), None)
        waiver = next((waiver for waiver in about if waiver.covers(verdict, found)), None)
        if habit is not None:
            dialect.append(habit.said)
        elif waiver is not None:
            waived.append(waiver.label)
        else:
            return verdict
    return replace(verdict, waived=_joined(waived), dialect=_joined(dialect))


def _joined(labels: list[str]) -> str | None:
    return "; ".join(dict.fromkeys(labels)) or None


def _note(waiver: Waiver, today: date, verdicts: Sequence[Verdict], *, whole: bool) -> Note | None:
    if waiver.expired(today):
        return Note(Stale.EXPIRED, waiver.name, f"it excused until {waiver.expires}, and no longer does")
    about = [verdict for verdict in verdicts if fits(waiver.rule, verdict.rule)]
    if whole and not _used(waiver, about):
        note = _needless(waiver, about)
        if note is not None:
            return note
    left = (waiver.expires - today).days if waiver.expires is not None else None
    if left is not None and left <= SOON:
        return Note(Stale.EXPIRES_SOON, waiver.name, f"it excuses until {waiver.expires}", left)
    return None


def _used(waiver: Waiver, about: Iterable[Verdict]) -> bool:
    failed = (verdict for verdict in about if verdict.outcome is Outcome.FAIL)
    return any(waiver.covers(verdict, found) for verdict in failed for found in _findings(verdict))


def _needless(waiver: Waiver, about: Sequence[Verdict]) -> Note | None:
    """Why a waiver that excuses nothing is not needed; None where what it names was left open."""
    named = list(_named(waiver, about)) or about
    outcomes = {verdict.outcome for verdict in named}
    if outcomes == {Outcome.PASS}:
        return Note(Stale.UNEXPECTED_PASS, waiver.name, "what it excuses was verified everywhere that it names")
    if outcomes <= {Outcome.PASS, Outcome.FAIL}:
        return Note(Stale.UNUSED, waiver.name, "nothing of this run is what it excuses")
    return None


def _named(waiver: Waiver, about: Iterable[Verdict]) -> Iterator[Verdict]:
    """The verdicts at the probe that a waiver names; places of findings say nothing of what passed."""
    return (verdict for verdict in about if waiver.covers(verdict, Finding("")))
