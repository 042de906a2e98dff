"""One rule as the page has it: a cell for each relay, and what of its findings, reasons and exchanges is shown."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from conformance.report.comparison import Cell, Row
from conformance.report.evidence import Evidence
from conformance.report.summary import Result, excuses_of
from conformance.rule import Finding, Outcome, Verdict

MANY_REASONS = 4
MANY_PROBES = 6
SLOTS = {Outcome.FAIL: 3, Outcome.PASS: 1}  # exchanges inside one rule of a page about one relay; others 2
FINDINGS = (5, 2)  # of one rule at one relay: on a page about one, and about several
SLOTS_OF_SEVERAL = 1


@dataclass(frozen=True, slots=True)
class Found:
    """One finding with where it was made."""

    text: str
    probe: str | None
    exchanges: tuple[str, ...]
    at: int | None
    place: str
    excuses: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class At:
    """One rule at one relay. `number` is that of its column."""

    number: int
    cell: Cell
    findings: tuple[Found, ...]
    slots: tuple[Evidence, ...]

    @property
    def result(self) -> Result | None:
        return self.cell.result

    @property
    def findings_left(self) -> int:
        return len(self.cell.result.findings) - len(self.findings) if self.cell.result else 0

    @property
    def exchanges_left(self) -> int:
        return len(self.cell.result.exchanges) - len(self.slots) if self.cell.result else 0

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.cell.result.reasons[:MANY_REASONS] if self.cell.result else ()

    @property
    def probes(self) -> tuple[str, ...]:
        return self.cell.result.probes[:MANY_PROBES] if self.cell.result else ()

    @property
    def probes_left(self) -> int:
        return len(self.cell.result.probes) - len(self.probes) if self.cell.result else 0


@dataclass(frozen=True, slots=True)
class Alike:
    """Relays that are in the same state for the same reasons."""

    word: str
    reasons: tuple[str, ...]
    at: tuple[At, ...]


@dataclass(frozen=True)
class Drawer:
    """One rule. `anchor` is its id in the page, `faults` are those that prove it, `group` where it is in the list."""

    row: Row
    anchor: str
    group: str
    at: tuple[At, ...]
    faults: tuple[tuple[str, str], ...]

    @cached_property
    def failed(self) -> tuple[At, ...]:
        """The relays of which something was found."""
        return tuple(one for one in self.at if one.findings or one.cell.failed)

    @cached_property
    def others(self) -> tuple[Alike, ...]:
        """The others, those together of which the same is to be said, verified ones last."""
        grouped: dict[tuple[str, tuple[str, ...]], list[At]] = {}
        for one in self.at:
            if one not in self.failed:
                grouped.setdefault((one.cell.word, one.reasons), []).append(one)
        alike = [Alike(word, reasons, tuple(group)) for (word, reasons), group in grouped.items()]
        return tuple(sorted(alike, key=lambda one: one.at[0].cell.verified))

    @property
    def weight(self) -> int:
        """About the characters of HTML that it takes."""
        row, said = self.row, len(self.said[1][:220])
        killers = sum(len(name) + len(text) for name, text in self.faults[:1]) + 30 * len(self.faults[1:3])
        found = sum(
            200 + 80 * len(one.slots) + sum(130 + len(each.text[:700]) + len(each.place) for each in one.findings)
            for one in self.failed
        )
        alike = sum(60 + 60 * len(one.at) + sum(30 + len(text[:300]) for text in one.reasons) for one in self.others)
        return (
            560
            + 2 * len(row.rule)
            + len(row.law)
            + 2 * len(row.cites)
            + 34 * len(self.at)
            + said
            + killers
            + found
            + alike
        )

    @property
    def said(self) -> tuple[int, str]:
        """The first thing to say of it, a finding or else why it is open, and of which column."""
        for one in (*self.failed, *(group.at[0] for group in self.others)):
            if one.result and one.result.said:
                return one.number, one.result.said
        return 0, ""


def group_of(row: Row, answering: Sequence[int]) -> str:
    """Where a rule stands: by the gravest thing that any relay shows. The key of a group's name, less its `group.`.

    `answering` are the relays of which anything was decided: one that could not be reached spoils nothing.
    """
    cells = [row.cells[number] for number in answering] or row.cells
    outcomes = {cell.outcome for cell in cells}
    failed = [cell.result for cell in cells if cell.failed and cell.result is not None]
    if Outcome.BROKEN in outcomes:
        return "broken"
    if any(not result.excused for result in failed):
        return row.level.value
    if failed:
        return "known"
    if outcomes == {Outcome.PASS}:
        return "pass"
    return "unclaimed" if outcomes <= {Outcome.SKIPPED, None} else "open"


def at(number: int, cell: Cell, shown: Mapping[str, Evidence], *, several: bool) -> At:
    """A cell with what is shown of it. `shown` are the exchanges of that relay."""
    result = cell.result
    if result is None:
        return At(number, cell, (), ())
    slots = _slots(result, shown)
    many = SLOTS_OF_SEVERAL if several else SLOTS.get(result.outcome, 2)
    return At(number, cell, tuple(_findings(result, slots)[: FINDINGS[several]]), tuple(slots[:many]))


def _findings(result: Result, slots: Sequence[Evidence]) -> list[Found]:
    """The findings, those of the exchanges that are shown first, and of what a probe found at one place only the first:
    repeats and neighbours tell nothing new."""
    order = {one.exchange.id: place for place, one in enumerate(slots)}
    found = [_found(verdict, found) for verdict, found in result.findings]
    found.sort(key=lambda one: min((order.get(name, len(order)) for name in one.exchanges), default=len(order)))
    distinct: dict[tuple[str | None, str, str], Found] = {}
    for one in found:
        distinct.setdefault((one.probe, one.place, "" if one.place else one.text), one)
    return list(distinct.values())


def _found(verdict: Verdict, found: Finding) -> Found:
    ids = verdict.exchanges if found.exchange is None else (found.exchange,)
    return Found(found.text, verdict.probe, ids, found.at, found.place, excuses_of(verdict))


def _slots(result: Result, shown: Mapping[str, Evidence]) -> Sequence[Evidence]:
    """The exchanges behind a result; of those behind a failure the one with the smallest request first."""
    there = [shown[name] for name in result.exchanges if name in shown]
    if result.outcome is not Outcome.FAIL:
        return there
    deciding = {name for verdict in result.deciding for name in verdict.exchanges}
    return sorted(there, key=lambda one: (one.exchange.id not in deciding, len(one.exchange.request.body or b"")))
