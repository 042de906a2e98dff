"""The phase of a check that asks generated probes: in waves within the budget, and then makes smaller what failed.

Whoever runs it hands over how a probe is asked and judged; nothing here opens a socket or waits for a clock. A wave is
chosen when the one before has been settled, so that what is asked does not hang on how many requests are out at a time.

The budget is spent in rounds: each leaves a part of what there is for what it finds, and the next has what of that was
not needed. At last nothing is asked that could not be asked again: what fails then would be told on one answer.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from conformance.budget import Spend
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case, read_case
from conformance.fuzz.smaller import AGAIN, Asks, Failing, Smaller, failing
from conformance.identity import identities
from conformance.plan import SMALLEST, Plan
from conformance.probe import Planned, Role
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Earlier, Found, Generated

KEPT_BACK = 0.25  # the part of the budget that a round leaves for making failures smaller


@dataclass(frozen=True, slots=True)
class Hunt:
    """What to ask beside the plan: the cases by the names of their probes, and the failures of earlier runs, with the
    names of the probes that ask them again and why others cannot be asked, by identity. `random` are how many random
    cases there are of an operation, where such were wanted. What fails is made smaller, where it `shrinks`."""

    cases: Mapping[str, Case]
    stored: tuple[Found, ...] = ()
    roles: Mapping[Role, str] = field(default_factory=dict)
    again: Mapping[str, str] = field(default_factory=dict)
    unasked: Mapping[str, str] = field(default_factory=dict)
    random: Mapping[str, int] = field(default_factory=dict)
    shrinks: bool = True

    def probe_of(self, stored: Found) -> str:
        """The name of the probe that asks a stored failure again."""
        return self.again.get(stored.identity, stored.probe)


@dataclass(slots=True)
class Hunter:
    """One hunt under way. `halted` says why nothing more is sent, where that is so."""

    hunt: Hunt
    plan: Plan
    asks: Asks
    judged: Callable[[], list[Verdict]]
    halted: Callable[[], str | None]

    async def run(self) -> Generated:
        """Asks what was drawn, as far as the budget goes, and tells what was found."""
        smaller = Smaller(self.hunt.roles, self.plan, self.asks, self.halted, self.hunt.shrinks)
        stored = {self.hunt.probe_of(one) for one in self.hunt.stored}
        left = sorted(self.plan.generated, key=lambda one: one.probe.id not in stored)
        found: list[Found] = []
        more = True
        while more and left:
            rest = await self._round(left, stored)
            found += await self._found(smaller, found)
            more, left = len(rest) < len(left), rest
        return self._told(left, smaller.tries, found)

    def _told(self, left: Sequence[Planned], tries: int, found: Sequence[Found]) -> Generated:
        verdicts, many = self.judged(), len(self.plan.generated)
        mended, earlier = self._earlier(verdicts, {one.probe.id for one in left})
        stopped = self.halted() if left else None
        return Generated(many, many - len(left), len(left), tries, tuple(found), mended, stopped, earlier)

    async def _round(self, left: Sequence[Planned], stored: set[str]) -> list[Planned]:
        """Asks these as far as the budget goes less a part of it, and returns the rest. What was stored goes alone, so
        that it is asked first; what is too dear is passed over, and what is cheaper behind it is not. What it takes to
        ask again what was asked is left too."""
        kept, passed = self.asks.part(KEPT_BACK), list[Planned]()
        while left and not self.halted():
            ahead = sum(one.probe.id in stored for one in left)
            wave = self._wave(left[: ahead or None], kept)
            if wave:
                await self.asks.all(wave)
                kept = _most(kept, *map(_again, wave))
            else:
                passed.append(left[0])
            left = left[max(len(wave), 1) :]
        return [*passed, *left]

    def _wave(self, left: Sequence[Planned], kept: Spend) -> Sequence[Planned]:
        """As many as leave what is kept, and enough to ask the dearest of them again."""
        wave = left[: self.asks.fitting(left, kept)]
        while wave:
            fits = self.asks.fitting(wave, _most(kept, *map(_again, wave)))
            if fits == len(wave):
                break
            wave = wave[: max(fits, len(wave) // 2)]
        return wave

    async def _found(self, smaller: Smaller, before: Sequence[Found]) -> list[Found]:
        """What a round found, by the smallest probe that shows it. All of it is asked again before any is made smaller:
        to know what is so is worth more."""
        known = {one.identity for one in before}
        new = [one for one in self._failing(self.judged()) if one.identity not in known][: SMALLEST - len(before)]
        asked = [await smaller.again(one) for one in new]
        return [await smaller.smallest(one) for one in asked]

    def _failing(self, verdicts: Sequence[Verdict]) -> list[Failing]:
        """Each finding that the plan's own probes do not show as well, by the smallest case drawn; MUSTs first."""
        shown = {(one.rule, found.place) for one in verdicts if not one.generated for found in one.findings}
        told: dict[str, Failing] = {}
        for verdict in sorted(filter(self._is_finding, verdicts), key=self._size):
            for identity, one in failing(verdict):
                if (verdict.rule, one.place) not in shown:
                    told.setdefault(identity, Failing(identity, verdict, one, self.hunt.cases[verdict.probe or ""]))
        return sorted(told.values(), key=lambda one: (one.verdict.level is not Level.MUST, one.identity))

    def _is_finding(self, verdict: Verdict) -> bool:
        weighty = verdict.level is not Level.MAY and not verdict.excused
        return verdict.outcome is Outcome.FAIL and weighty and verdict.probe in self.hunt.cases

    def _size(self, verdict: Verdict) -> tuple[tuple[int, int], str]:
        case = self.hunt.cases.get(verdict.probe or "")
        return (case.size if case else (0, 0)), verdict.probe or ""

    def _earlier(self, verdicts: Sequence[Verdict], left: set[str]) -> tuple[tuple[str, ...], Earlier | None]:
        """The stored failures that are mended: known to fail each time, asked, and passed. And what became of all."""
        stored = {one.identity: one for one in self.hunt.stored}
        if not stored:
            return (), None
        failed = {name for verdict in verdicts if verdict.outcome is Outcome.FAIL for name in identities(verdict)}
        passed = {(one.rule, one.probe) for one in verdicts if one.outcome is Outcome.PASS}
        unasked = {name: why for name, one in stored.items() if (why := self._unasked(one, left))}
        rest = [one for name, one in stored.items() if name not in unasked and name not in failed]
        decided = [one for one in rest if (rule_of(one), self.hunt.probe_of(one)) in passed]
        open_ = unasked | {one.identity: "what came does not decide it" for one in rest if one not in decided}
        mended = tuple(one.identity for one in decided if one.flaky is False)
        passing = tuple(one.identity for one in decided if one.flaky is not False)
        failing_ = tuple(name for name in stored if name not in unasked and name in failed)
        return mended, Earlier(len(stored), failing_, passing, open_)

    def _unasked(self, stored: Found, left: set[str]) -> str | None:
        """Why a stored failure was not asked again; None where it was."""
        name = self.hunt.probe_of(stored)
        if stored.identity in self.hunt.unasked:
            return self.hunt.unasked[stored.identity]
        if name in left:
            return self.halted() or "the budget left it out"
        if all(one.probe.id != name for one in self.plan.generated):
            return "the relay does not know its model"
        return None


def rule_of(found: Found) -> str:
    """The id of the rule that it breaks."""
    return found.identity.partition(" ")[0]


def _again(planned: Planned) -> Spend:
    """What it costs at most to ask it again; a video is not."""
    times = 0 if planned.probe.role is Role.VIDEO else AGAIN
    return times * len(planned.probe.steps), times * planned.tokens, times * planned.cost


def _most(*spends: Spend) -> Spend:
    requests, tokens, costs = zip(*spends, strict=True)
    return max(requests), max(tokens), max(costs)


def readable(stored: Sequence[Found], roles: Mapping[Role, str]) -> tuple[dict[str, Case], dict[str, str]]:
    """The cases of earlier failures, by identity, and why others cannot be asked: this version does not know such, or
    no model is named for the role. What a file says is held to the bounds of what is drawn."""
    cases: dict[str, Case] = {}
    unasked: dict[str, str] = {}
    for one in stored:
        made = _readable(one, roles)
        if isinstance(made, Case):
            cases[one.identity] = made
        else:
            unasked[one.identity] = made
    return cases, unasked


def _readable(stored: Found, roles: Mapping[Role, str]) -> Case | str:
    try:
        case = read_case(stored.case)
        held = bounded(case, roles)
    except KeyError as error:
        return f"this version cannot ask it: {error.args[0]}"
    except (TypeError, ValueError) as error:
        return f"this version cannot ask it: {error}"
    if held and held.role in roles:
        return held
    role = next((role for role in (case.role, Role.TOOLS) if role not in roles), None)
    everything = {**roles} | dict.fromkeys((case.role, Role.TOOLS), "m")
    if role and bounded(case, everything):
        return f"no model is named for {role.value}"
    return "it is no such request as is drawn"
