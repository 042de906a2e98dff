"""The phase of a check that asks generated probes: in waves within the budget, and then makes smaller what failed.

Whoever runs it hands over how a probe is asked and judged; nothing here opens a socket or waits for a clock. A wave is
chosen when the one before has been settled, so that what is asked does not hang on how many requests are out at a time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from conformance.budget import NOTHING, Spend
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case, bodies_of, is_legal, read_case
from conformance.fuzz.plain import PLAIN
from conformance.fuzz.shrink import Data, shrink_case
from conformance.identity import identities, place_of
from conformance.plan import SMALLEST, Plan
from conformance.probe import Planned, Role
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Found, Generated

AGAIN = 2  # times that what failed is asked once more before it is made smaller
TRIES = 160  # requests that go into one finding
ALL_TRIES = 640  # and into all of them
KEPT_BACK = 0.25  # the part of the budget that is left for making failures smaller


class Asks(Protocol):
    """How the check asks: a probe sent, its exchanges judged. `kept` says whether they are written to the run."""

    async def all(self, probes: Sequence[Planned], repeat: int = 1) -> None: ...

    async def verdicts(self, planned: Planned, *, kept: bool) -> list[Verdict]: ...

    def part(self, share: float) -> Spend: ...

    def fitting(self, probes: Sequence[Planned], kept: Spend) -> int: ...


@dataclass(frozen=True, slots=True)
class Hunt:
    """What to ask beside the plan: the cases by the names of their probes, and the failures of earlier runs. What fails
    is made smaller, where it `shrinks`."""

    cases: Mapping[str, Case]
    stored: tuple[Found, ...] = ()
    roles: Mapping[Role, str] = field(default_factory=dict)
    shrinks: bool = True


@dataclass(slots=True)
class Hunter:
    """One hunt under way. `fixed` are the verdicts of the probes that were not drawn."""

    hunt: Hunt
    plan: Plan
    asks: Asks
    judged: Callable[[], list[Verdict]]
    halted: Callable[[], bool]
    tries: int = 0
    finals: int = 0  # requests that ask the smallest once more, for the run
    number: int = 0
    asked: int = 0
    kept: Spend = NOTHING  # of the budget, for making failures smaller
    last: Planned | None = None  # none dearer is left to be asked when a failure has been made smaller
    known: dict[str, frozenset[str]] = field(default_factory=dict)  # name of a case → what failed of it

    async def run(self) -> Generated:
        """Asks what was drawn, as far as the budget goes, and tells what was found."""
        self.kept = self.asks.part(KEPT_BACK)
        stored = {one.probe for one in self.hunt.stored}
        first = [one for one in self.plan.generated if one.probe.id in stored]
        left = await self._asked(first)
        left += await self._asked([one for one in self.plan.generated if one.probe.id not in stored])
        found = await self._smallest(self.judged(), [])
        self.kept = NOTHING
        if left:  # what was kept and not needed is there for the rest
            left = await self._asked(left)
            found += await self._smallest(self.judged(), found)
        mended = self._mended(self.judged(), left)
        return Generated(len(self.plan.generated), self.asked, len(left), self.tries, tuple(found), mended)

    async def _asked(self, left: list[Planned]) -> list[Planned]:
        """Asks these as far as the budget goes, and returns the rest."""
        while left and not self.halted():
            wave = left[: self.asks.fitting(left, self.kept)]
            if not wave:
                break
            await self.asks.all(wave)
            self.asked += len(wave)
            left = left[len(wave) :]
        return left

    def _mended(self, verdicts: Sequence[Verdict], left: Sequence[Planned]) -> tuple[str, ...]:
        """Stored failures whose probe was asked, and did not fail so."""
        failing = {name for verdict in verdicts if verdict.outcome is Outcome.FAIL for name in identities(verdict)}
        asked = {one.probe.id for one in self.plan.generated} - {one.probe.id for one in left}
        decided = {(one.rule, one.probe) for one in verdicts if one.outcome is Outcome.PASS}
        return tuple(
            one.identity
            for one in self.hunt.stored
            if one.probe in asked
            and one.identity not in failing
            and (one.identity.partition(" ")[0], one.probe) in decided
            and not one.flaky
        )

    async def _smallest(self, verdicts: Sequence[Verdict], before: Sequence[Found]) -> list[Found]:
        """The smallest probe of each finding that was not told before, and that the plan's own probes do not show."""
        shown = {(one.rule, found.place) for one in verdicts if not one.generated for found in one.findings}
        failing: dict[str, tuple[Verdict, Finding]] = {}
        for verdict in sorted(filter(self._is_finding, verdicts), key=self._size):
            for identity, told in _failing(verdict):
                if (verdict.rule, told.place) not in shown:
                    failing.setdefault(identity, (verdict, told))
        for one in before:
            failing.pop(one.identity, None)
        found: list[Found] = []
        for identity in sorted(failing, key=lambda one: (failing[one][0].level is not Level.MUST, one)):
            if len(before) + len(found) >= SMALLEST or self.halted():
                break
            found.append(await self._one(identity, *failing[identity]))
        return found

    def _is_finding(self, verdict: Verdict) -> bool:
        weighty = verdict.level is not Level.MAY and not verdict.excused
        return verdict.outcome is Outcome.FAIL and weighty and verdict.probe in self.hunt.cases

    def _size(self, verdict: Verdict) -> tuple[tuple[int, int], str]:
        case = self.hunt.cases.get(verdict.probe or "")
        return (case.size if case else (0, 0)), verdict.probe or ""

    async def _one(self, identity: str, verdict: Verdict, told: Finding) -> Found:
        drawn = self.hunt.cases[verdict.probe or ""]
        if drawn.role is Role.VIDEO:  # dear: not asked again
            return Found(identity, verdict.level, told.text, drawn.name, drawn.name, 0, drawn.record(), flaky=False)
        before, self.last = self.tries, self._planned(drawn, 0)
        again = [await self._failures(drawn, before + TRIES) for _ in range(AGAIN)]
        steady = all(names is not None and identity in names for names in again)
        best = drawn
        if steady and self.hunt.shrinks:
            best = await self._shrunk(identity, await self._alone(identity, verdict, drawn), before)
        flaky = any(names is not None and identity not in names for names in again)
        self.number += 1
        planned, final = self._planned(best, len(self.plan.probes) + self.number), list[Verdict]()
        if best is not drawn or self._within(len(planned.probe.steps)):
            self.finals += len(planned.probe.steps)
            final = await self.asks.verdicts(planned, kept=True)
        text = next((one.text for each in final for name, one in _failing(each) if name == identity), told.text)
        tries = self.tries - before
        return Found(identity, verdict.level, text, best.name, drawn.name, tries, best.record(), flaky)

    async def _alone(self, identity: str, verdict: Verdict, case: Case) -> Case:
        """The request that fails, alone, where it fails so without the others of its case."""
        if case.kind == "one" or self.plan.rules[verdict.rule].over:
            return case
        for body in bodies_of(case):
            one = self._candidate(replace(case, kind="one", data={}), {"body": body})
            if one and identity in await self._fails(one, self.tries + TRIES):
                return one
        return case

    async def _shrunk(self, identity: str, case: Case, before: int) -> Case:
        """The smallest case found that fails in the same way. What is no JSON was made from a plain request, and stays
        as it is."""
        best, most = case, before + TRIES
        if case.raw is not None:
            return best
        steps = shrink_case(case.data, PLAIN.get(case.operation))
        try:
            candidate = next(steps)
            while self.tries < most and self._within(1) and not self.halted():
                smaller = self._candidate(case, candidate)
                fails = smaller is not None and identity in await self._fails(smaller, most)
                best = smaller if fails and smaller else best
                candidate = steps.send(fails)
        except StopIteration:
            pass
        return best

    def _candidate(self, case: Case, data: Data) -> Case | None:
        """A case of other data, where that is within bounds as it stands, and as legal as it was."""
        made = bounded(replace(case, data=data), self.hunt.roles)
        if made is None or made.data != data:
            return None
        before, now = (is_legal(case.operation, one) for one in (case.body, made.body))
        return made if case.body is None or before == now else None

    async def _fails(self, case: Case, most: int) -> frozenset[str]:
        """The identities of what fails of a case, asked once for all findings."""
        if case.name not in self.known:
            told = await self._failures(case, most)
            if told is None:
                return frozenset()
            self.known[case.name] = told
        return self.known[case.name]

    async def _failures(self, case: Case, most: int) -> frozenset[str] | None:
        """The identities of what fails of a case, asked anew; None where that does not fit into the budget, with what
        is asked last, to be kept."""
        planned = self._planned(case, 0)
        steps = len(case.probe.steps)
        last = len(self.last.probe.steps) if self.last else 0
        if self._beyond(planned) or self.tries + steps > most or not self._within(steps + last):
            return None
        wanted = [one for one in (planned, self.last) if one]
        if self.asks.fitting(wanted, NOTHING) < len(wanted):
            return None
        self.tries += steps
        verdicts = await self.asks.verdicts(planned, kept=False)
        return frozenset(name for each in verdicts for name, _ in _failing(each))

    def _beyond(self, planned: Planned) -> bool:
        """Whether it may cost more than was said of so many requests before."""
        most = self.plan.dearest * len(planned.probe.steps)
        return planned.tokens > most.tokens or planned.cost > most.cost

    def _within(self, requests: int) -> bool:
        return self.tries + self.finals + requests <= ALL_TRIES

    def _planned(self, case: Case, number: int) -> Planned:
        """A case as what it was made from is planned: claimed as that is, and at its price."""
        model = self.hunt.roles.get(case.role, "")
        like = next(one for one in self.plan.generated if one.model == model)
        return Planned(
            number, case.probe, model, dict.fromkeys(case.probe.needs, True) if like.claims else {}, like.price
        )


def _failing(verdict: Verdict) -> Iterator[tuple[str, Finding]]:
    """What a verdict found, each with its identity."""
    if verdict.outcome is Outcome.FAIL:
        yield from ((f"{verdict.rule} {place_of(verdict, one)}", one) for one in verdict.findings)


def stored_cases(stored: Sequence[Found], roles: Mapping[Role, str]) -> list[Case]:
    """The cases of earlier failures; left out are those that this version cannot ask, and those for a role that is not
    named now. What a file says is held to the bounds of what is drawn."""
    cases = []
    for one in stored:
        try:
            held = bounded(read_case(one.case), roles)
        except (KeyError, TypeError, ValueError):
            continue
        if held and held.role in roles:
            cases.append(held)
    return cases
