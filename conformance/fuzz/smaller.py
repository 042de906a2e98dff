"""What failed, asked again and made smaller, within the budget and so many requests.

    asked again   twice: what fails each time goes on, what does not is flaky, and stays as it was drawn
    alone         the request that fails, without the others of its case
    smaller       candidate by candidate (`shrink`), and the smallest once more, for the run

Where one of these is not asked to the end, the finding says why (`Short`): of what was not asked again nobody knows
whether it fails each time.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from conformance.budget import NOTHING, Spend
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case, bodies_of, is_legal
from conformance.fuzz.plain import PLAIN
from conformance.fuzz.shrink import Data, shrink_case
from conformance.identity import place_of
from conformance.plan import Plan
from conformance.probe import Planned, Role
from conformance.rule import Finding, Outcome, Verdict
from conformance.run import Found, Short

AGAIN = 2  # times that what failed is asked once more before it is made smaller
TRIES = 160  # requests that go into one finding
ALL_TRIES = 640  # and into all of them


class Asks(Protocol):
    """How the check asks: a probe sent, its exchanges judged and counted. `kept` says whether they are written to the
    run."""

    async def all(self, probes: Sequence[Planned], repeat: int = 1) -> None: ...

    async def verdicts(self, planned: Planned, *, kept: bool) -> tuple[list[Verdict], int]: ...

    def part(self, share: float) -> Spend: ...

    def fitting(self, probes: Sequence[Planned], kept: Spend) -> int: ...


@dataclass(frozen=True, slots=True)
class Failing:
    """A finding as a generated probe showed it, and what asking it again told: None where that was not asked."""

    identity: str
    verdict: Verdict
    told: Finding
    drawn: Case
    flaky: bool | None = None
    short: Short | None = None
    tries: int = 0

    def found(self, best: Case, text: str, tries: int, short: Short | None) -> Found:
        """What is told of it, by the smallest case that shows it."""
        level, names = self.verdict.level, (best.name, self.drawn.name)
        return Found(self.identity, level, text, *names, tries, best.record(), self.flaky, short)


@dataclass(slots=True)
class Smaller:
    """All that is asked again in one hunt. What fails each time is made smaller, where it `shrinks`."""

    roles: Mapping[Role, str]
    plan: Plan
    asks: Asks
    halted: Callable[[], str | None]
    shrinks: bool = True
    tries: int = 0
    finals: int = 0  # requests that ask the smallest once more, for the run
    number: int = 0
    last: Planned | None = None  # none dearer is left to be asked when a failure has been made smaller
    short: Short | None = None  # why the candidate before was not asked
    known: dict[str, frozenset[str]] = field(default_factory=dict)  # name of a case → what failed of it

    async def again(self, one: Failing) -> Failing:
        """The same, asked again as often as tells whether it fails each time; not at all where not all of that fits."""
        if one.drawn.role is Role.VIDEO:
            return replace(one, short=Short.DEAR)
        planned, before = self._planned(one.drawn, 0), self.tries
        short = self._short([planned] * AGAIN, before + TRIES)
        if short:
            return replace(one, short=short)
        seen = [self._fails_so(await self._verdicts(planned), one) for _ in range(AGAIN)]
        flaky = None if None in seen and False not in seen else False in seen
        undecided = Short.HALT if self.halted() else Short.OPEN
        return replace(one, flaky=flaky, short=undecided if flaky is None else None, tries=self.tries - before)

    async def smallest(self, one: Failing) -> Found:
        """What is told of a finding that was asked again: made smaller, where it fails each time."""
        if one.flaky is None:
            return one.found(one.drawn, one.told.text, one.tries, one.short)
        before, best, short = self.tries, one.drawn, None
        self.last = self._planned(one.drawn, 0)
        if self.shrinks and not one.flaky:
            most = before + TRIES - one.tries
            best, short = await self._shrunk(one.identity, await self._alone(one, most), most)
        self.last = None
        final, tries = await self._final(best, one), one.tries + self.tries - before
        if best is not one.drawn and not (failed := self._fails_so(final, one)):  # what was drawn is shown, which did
            flaky, short = (True, None) if failed is False else (one.flaky, Short.OPEN)
            return replace(one, flaky=flaky).found(one.drawn, one.told.text, tries, short)
        told = next((told for each in final for name, told in failing(each) if name == one.identity), one.told)
        return one.found(best, told.text, tries, short)

    def _fails_so(self, verdicts: Sequence[Verdict], one: Failing) -> bool | None:
        """Whether it failed once more; None where what came decides nothing."""
        if any(name == one.identity for each in verdicts for name, _ in failing(each)):
            return True
        decided = {Outcome.PASS, Outcome.FAIL}
        asked = not self.halted() and any(
            one.verdict.rule == each.rule and each.outcome in decided for each in verdicts
        )
        return False if asked else None

    async def _final(self, best: Case, one: Failing) -> list[Verdict]:
        """The smallest asked once more, for the run; what is flaky too, beside what failed of it."""
        planned = self._planned(best, len(self.plan.probes) + self.number + 1)
        if best is one.drawn and (not one.flaky or self._short([planned], self.tries + len(planned.probe.steps))):
            return []  # it is in the run
        self.number += 1
        self.finals += len(planned.probe.steps)
        return (await self.asks.verdicts(planned, kept=True))[0]

    async def _verdicts(self, planned: Planned) -> list[Verdict]:
        """What is to be said of a probe that is not kept. A sequence that leads nowhere takes fewer requests than it
        has steps."""
        verdicts, sent = await self.asks.verdicts(planned, kept=False)
        self.tries += sent
        return verdicts

    async def _alone(self, one: Failing, most: int) -> Case:
        """The request that fails, alone, where it fails so without the others of its case."""
        case = one.drawn
        if case.kind == "one" or self.plan.rules[one.verdict.rule].over:
            return case
        for body in bodies_of(case):
            alone = self._candidate(replace(case, kind="one", data={}), {"body": body})
            if alone and one.identity in await self._fails(alone, most):
                return alone
        return case

    async def _shrunk(self, identity: str, case: Case, most: int) -> tuple[Case, Short | None]:
        """The smallest case found that fails in the same way, and why not all smaller ones were asked. What is no JSON
        was made from a plain request, and stays as it is."""
        best = case
        if case.raw is not None:
            return best, None
        self.short = None
        steps = shrink_case(case.data, PLAIN.get(case.operation))
        try:
            candidate = next(steps)
            while self.short in {None, Short.BUDGET}:  # a cheaper one may fit
                smaller = self._candidate(case, candidate)
                fails = smaller is not None and identity in await self._fails(smaller, most)
                best = smaller if fails and smaller else best
                candidate = steps.send(fails)
        except StopIteration:
            pass
        return best, self.short

    def _candidate(self, case: Case, data: Data) -> Case | None:
        """A case of other data, where that is within bounds as it stands, and as legal as it was."""
        made = bounded(replace(case, data=data), self.roles)
        if made is None or made.data != data:
            return None
        before, now = (is_legal(case.operation, one) for one in (case.body, made.body))
        return made if case.body is None or before == now else None

    async def _fails(self, case: Case, most: int) -> frozenset[str]:
        """The identities of what fails of a case, asked once for all findings; none where it is not to be asked, and
        then `short` says why."""
        if case.name not in self.known:
            planned = self._planned(case, 0)
            if self._beyond(planned):
                return frozenset()
            if short := self._short([planned], most):
                self.short = short
                return frozenset()
            verdicts = await self._verdicts(planned)
            self.known[case.name] = frozenset(name for each in verdicts for name, _ in failing(each))
        return self.known[case.name]

    def _short(self, wanted: Sequence[Planned], most: int) -> Short | None:
        """Why these are not to be asked, with what is asked last, to be kept; None where they are."""
        steps = sum(len(one.probe.steps) for one in wanted)
        last = [self.last] if self.last else []
        if self.halted():
            return Short.HALT
        if self.tries + steps > most or not self._within(steps + sum(len(one.probe.steps) for one in last)):
            return Short.TRIES
        wanted = [*wanted, *last]
        return Short.BUDGET if self.asks.fitting(wanted, NOTHING) < len(wanted) else None

    def _within(self, requests: int) -> bool:
        return self.tries + self.finals + requests <= ALL_TRIES

    def _beyond(self, planned: Planned) -> bool:
        """Whether it may cost more than was said of so many requests before."""
        most = self.plan.dearest * len(planned.probe.steps)
        return planned.tokens > most.tokens or planned.cost > most.cost

    def _planned(self, case: Case, number: int) -> Planned:
        """A case as what it was made from is planned: claimed as that is, and at its price."""
        model = self.roles.get(case.role, "")
        like = next(one for one in self.plan.generated if one.model == model)
        return Planned(
            number, case.probe, model, dict.fromkeys(case.probe.needs, True) if like.claims else {}, like.price
        )


def failing(verdict: Verdict) -> Iterator[tuple[str, Finding]]:
    """What a verdict found, each with its identity."""
    if verdict.outcome is Outcome.FAIL:
        yield from ((f"{verdict.rule} {place_of(verdict, one)}", one) for one in verdict.findings)
