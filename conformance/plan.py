"""Which probes a target gets, and which rules nothing of it can reach."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import ROUND_CEILING, Decimal
from functools import cached_property
from math import ceil
from typing import TypeVar

from conformance.price import FREE, price_for
from conformance.probe import Planned, Probe, Role
from conformance.rule import CLAIMS, MEDIA, Outcome, Rule, Verdict
from conformance.target import ConfigurationError, Target
from openapi.json_text import Json

R = TypeVar("R")
GRAIN = Decimal("1E-9")  # of money, to which a share of it is rounded up
SMALLEST = 100  # generated probes that failed and were made smaller
OF_CLAIMS = "nothing of this kind is claimed, or left unclaimed"
OF_LINKS = "links are fetched with --fetch-media only"


@dataclass(frozen=True, slots=True)
class Bound:
    """Requests, tokens and money at most."""

    requests: int = 0
    tokens: int = 0
    cost: Decimal = FREE

    def __add__(self, other: "Bound") -> "Bound":
        return Bound(self.requests + other.requests, self.tokens + other.tokens, self.cost + other.cost)

    def __mul__(self, times: int) -> "Bound":
        return Bound(self.requests * times, self.tokens * times, self.cost * times)

    def within(self, target: Target) -> "Bound":
        """The same, or the limits of the target where these are lower."""
        return Bound(
            self.requests if target.max_requests is None else min(self.requests, target.max_requests),
            self.tokens if target.max_tokens is None else min(self.tokens, target.max_tokens),
            self.cost if target.max_cost is None else min(self.cost, target.max_cost),
        )


def _sum(probes: Iterable[Planned]) -> Bound:
    bounds = (Bound(len(one.probe.steps), one.tokens, one.cost) for one in probes)
    return sum(bounds, Bound())


@dataclass(frozen=True)
class Plan:
    """What will be asked, the rules that judge it, and the verdicts that are known before anything is sent."""

    probes: tuple[Planned, ...]
    rules: Mapping[str, Rule]
    skipped: tuple[Verdict, ...]
    idle_roles: tuple[Role, ...]  # named, but no rule of this version speaks of them
    only: tuple[str, ...] = ()  # what the user confined it to
    generated: tuple[Planned, ...] = ()  # asked behind them, as far as the budget goes
    extended: tuple[Mapping[str, Json], ...] = ()  # where rules and probes of the user's own come from

    @property
    def tokens(self) -> int:
        """The most tokens that all of it can cost, generated probes and repeats aside."""
        return _sum(self.probes).tokens

    @property
    def requests(self) -> int:
        """How many requests all of it takes, generated probes and repeats aside."""
        return _sum(self.probes).requests

    @property
    def once(self) -> "Bound":
        """What it costs at most to ask all of it once, generated probes too."""
        return _sum((*self.probes, *self.generated))

    @cached_property
    def dearest(self) -> Bound:
        """The most that a request of a generated probe can cost, on the average of its probe."""
        tokens = max((ceil(one.tokens / len(one.probe.steps)) for one in self.generated), default=0)
        cost = max((one.cost / len(one.probe.steps) for one in self.generated), default=FREE)
        return Bound(1, tokens, cost.quantize(GRAIN, ROUND_CEILING))

    def bound(self, *, repeats: int, attempts: int, tries: int) -> "Bound":
        """What it never goes beyond: what fails is made again, so many `tries` may go into making failures smaller, and
        each request is sent so many times at most, where the relay asks to try later."""
        again = _sum(one for one in self.probes if not one.probe.free)
        smaller = self.dearest * tries if self.generated else Bound()
        return (self.once + again * repeats + smaller) * attempts


def plan(
    target: Target,
    rules: Mapping[str, Rule],
    probes: Mapping[str, Probe],
    only: Sequence[str] = (),
    *,
    fetch_media: bool = False,
) -> Plan:
    """The plan for one target. `only` keeps rules by id, chapter or beginning of an id, and probes by id likewise: a
    word that names a rule, or no probe, stands for all probes that reach its rules. The control probe of each role that
    is asked anything comes with it: it tells whether the relay knows the model at all.

    Where the target lists its claims, one cheap probe is asked of each capability that it does not claim, for the rules
    on claims alone.

    Raises ConfigurationError where a word of `only` names nothing, or a claim is none that a probe needs.
    """
    _check_claims(target, probes.values())
    explored = _explored(target, probes.values())
    asked = [probe for probe in probes.values() if _claimed(probe, target) or probe.id in explored]
    asked = asked if fetch_media else [probe.without_links() for probe in asked]
    sought = [word for word in only if word in rules or not any(is_named(probe.id, [word]) for probe in asked)]
    for word in sought:
        if not any(is_named(name, [word]) for name in rules):
            msg = f"--only {word}: no rule, surface or probe of this target has such a name"
            raise ConfigurationError(msg)
    wanted = confined(rules, only)
    by_rule = {name: rule for name, rule in wanted.items() if not only or is_named(name, sought)}
    planned = [_planned(number, probe, target) for number, probe in enumerate(asked, 1)]
    if only:
        named = {one.number for one in planned if is_named(one.probe.id, only) or any(one.reaches(by_rule))}
        roles = {one.probe.role for one in planned if one.number in named}
        planned = [one for one in planned if one.number in named or (one.probe.control and one.probe.role in roles)]
    known = {rule.id for one in planned for rule in one.reaches(wanted)}
    unreached = {name: rule for name, rule in by_rule.items() if name not in known and _asks_for(rule, target)}
    skipped = tuple(_skipped(unreached, target, probes.values()))
    idle = tuple(role for role in target.models if not any(probe.role is role for probe in probes.values()))
    return Plan(tuple(planned), wanted, skipped, idle, tuple(only))


def with_generated(plan: Plan, target: Target, probes: Iterable[Probe]) -> Plan:
    """The plan with generated probes behind its own: those that need nothing that is not claimed, and reach a rule.

    Their numbers leave room before them for the smallest of those that fail, which then come first wherever findings
    are told in the order of the plan.
    """
    first = len(plan.probes) + SMALLEST + 1
    made = (_planned(0, probe, target) for probe in probes if _claimed(probe, target))
    reaching = [one for one in made if any(one.reaches(plan.rules))]
    return replace(plan, generated=tuple(replace(one, number=first + at) for at, one in enumerate(reaching)))


def _planned(number: int, probe: Probe, target: Target) -> Planned:
    model = target.models.get(probe.role, "") if probe.role else ""
    return Planned(number, probe, model, target.claimed(probe.needs), price_for(target.prices, model))


def confined(rules: Mapping[str, R], only: Sequence[str]) -> dict[str, R]:
    """The rules that `only` names; all of them where it is empty or names probes alone."""
    return {name: rule for name, rule in rules.items() if not only or is_named(name, only)} or dict(rules)


def is_named(name: str, only: Iterable[str]) -> bool:
    """Whether a word is this name, or the beginning of it."""
    return any(name == word or name.startswith(word.rstrip(".") + ".") for word in only)


def _claimed(probe: Probe, target: Target) -> bool:
    return _possible(probe, target) and not probe.needs & target.unsupported and _all_claimed(probe, target)


def _possible(probe: Probe, target: Target) -> bool:
    named = probe.role is None or probe.role in target.models
    return named and not (probe.unbounded and (target.max_tokens is not None or target.max_cost is not None))


def _all_claimed(probe: Probe, target: Target) -> bool:
    return all(target.claimed(probe.needs).values())


def _check_claims(target: Target, probes: Iterable[Probe]) -> None:
    needed = {need for probe in probes for need in probe.needs}
    strangers = sorted((target.claims or frozenset()) - needed)
    if strangers:
        msg = f"the target {target.name} claims {', '.join(strangers)}, which no probe needs; there are "
        raise ConfigurationError(msg + ", ".join(sorted(needed)))


def _explored(target: Target, probes: Iterable[Probe]) -> set[str]:
    """For each capability that is not claimed the first probe that needs only it. A video is dear, and is not asked."""
    chosen: dict[str, str] = {}
    for probe in probes:
        fits = _possible(probe, target) and not probe.needs & target.unsupported and probe.role is not Role.VIDEO
        if fits and len(probe.needs) == 1 and not _all_claimed(probe, target):
            chosen.setdefault(next(iter(probe.needs)), probe.id)
    return set(chosen.values())


def _asks_for(rule: Rule, target: Target) -> bool:
    """Whether it is worth a word that a rule is not reached: one on claims is nobody's, where none are listed."""
    return rule.chapter != CLAIMS or target.claims is not None


def _skipped(unreached: Mapping[str, Rule], target: Target, probes: Iterable[Probe]) -> Iterator[Verdict]:
    """Why each of these rules is not reached: by what the first probe lacks that would have reached it."""
    reasons: dict[str, str] = {}
    for probe in probes:
        for rule in Planned(0, probe, _stand_in(probe)).reaches(unreached):
            reason = _why_not(rule, probe, target)
            if reason:
                reasons.setdefault(rule.id, reason)
    for rule in unreached.values():
        nothing = OF_CLAIMS if rule.chapter == CLAIMS else "no probe of this version reaches it"
        yield Verdict(rule.id, rule.level, Outcome.SKIPPED, None, (), (), reasons.get(rule.id, nothing))


def _why_not(rule: Rule, probe: Probe, target: Target) -> str:
    """What keeps a probe that would reach the rule from doing so; empty where nothing does."""
    if _claimed(probe, target):
        return OF_LINKS if MEDIA in rule.over else ""
    if probe.role and probe.role not in target.models:
        return f"no model is named for {probe.role}"
    if probe.unbounded and not _possible(probe, target):
        return "nothing would bound its cost: it is asked where tokens are not capped"
    unclaimed = {need for need, has in target.claimed(probe.needs).items() if not has}
    return f"the target does not claim {', '.join(sorted((probe.needs & target.unsupported) | unclaimed))}"


def _stand_in(probe: Probe) -> str:
    return "sora-2" if probe.role is Role.VIDEO else "m"


def untestable(planned: Planned, rules: Mapping[str, Rule], reason: str) -> list[Verdict]:
    """The verdicts of a probe that could not be made."""
    return [
        Verdict(rule.id, rule.level, Outcome.UNTESTABLE, planned.probe.id, (), (), reason)
        for rule in planned.reaches(rules)
    ]
