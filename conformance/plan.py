"""Which probes a target gets, and which rules nothing of it can reach."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from conformance.probe import Planned, Probe, Role
from conformance.rule import Outcome, Rule, Verdict
from conformance.target import ConfigurationError, Target


@dataclass(frozen=True)
class Plan:
    """What will be asked, the rules that judge it, and the verdicts that are known before anything is sent."""

    probes: tuple[Planned, ...]
    rules: Mapping[str, Rule]
    skipped: tuple[Verdict, ...]
    idle_roles: tuple[Role, ...]  # named, but no rule of this version speaks of them
    only: tuple[str, ...] = ()  # what the user confined it to

    @property
    def tokens(self) -> int:
        """The most tokens that all of it can cost."""
        return sum(planned.probe.tokens(planned.model) for planned in self.probes)

    @property
    def requests(self) -> int:
        """How many requests all of it takes, repeats aside."""
        return sum(len(planned.probe.steps) for planned in self.probes)


def plan(target: Target, rules: Mapping[str, Rule], probes: Mapping[str, Probe], only: Sequence[str] = ()) -> Plan:
    """The plan for one target. `only` keeps rules by id, chapter or beginning of an id, and probes by id likewise: a
    word that names a rule, or no probe, stands for all probes that reach its rules. The control probe of each role that
    is asked anything comes with it: it tells whether the relay knows the model at all.

    Raises ConfigurationError where a word of `only` names nothing.
    """
    asked = [probe for probe in probes.values() if _claimed(probe, target)]
    sought = [word for word in only if word in rules or not any(_named(probe.id, [word]) for probe in asked)]
    for word in sought:
        if not any(_named(name, [word]) for name in rules):
            msg = f"--only {word}: no rule, surface or probe of this target has such a name"
            raise ConfigurationError(msg)
    wanted = confined(rules, only)
    by_rule = {name: rule for name, rule in wanted.items() if not only or _named(name, sought)}
    planned = [
        Planned(number, probe, target.models.get(probe.role, "") if probe.role else "")
        for number, probe in enumerate(asked, 1)
    ]
    if only:
        named = {one.number for one in planned if _named(one.probe.id, only) or any(one.reaches(by_rule))}
        roles = {one.probe.role for one in planned if one.number in named}
        planned = [one for one in planned if one.number in named or (one.probe.control and one.probe.role in roles)]
    reached = {rule.id for one in planned for rule in one.reaches(wanted)}
    unreached = [rule for name, rule in by_rule.items() if name not in reached]
    skipped = tuple(_skip(rule, target, probes.values()) for rule in unreached)
    idle = tuple(role for role in target.models if not any(probe.role is role for probe in probes.values()))
    return Plan(tuple(planned), wanted, skipped, idle, tuple(only))


def confined(rules: Mapping[str, Rule], only: Sequence[str]) -> dict[str, Rule]:
    """The rules that `only` names; all of them where it is empty or names probes alone."""
    return {name: rule for name, rule in rules.items() if not only or _named(name, only)} or dict(rules)


def _named(name: str, only: Iterable[str]) -> bool:
    return any(name == word or name.startswith(word.rstrip(".") + ".") for word in only)


def _claimed(probe: Probe, target: Target) -> bool:
    return (probe.role is None or probe.role in target.models) and not probe.needs & target.unsupported


def _skip(rule: Rule, target: Target, probes: Iterable[Probe]) -> Verdict:
    reasons: list[str] = []
    for probe in probes:
        if _claimed(probe, target) or not any(Planned(0, probe, _stand_in(probe)).reaches({rule.id: rule})):
            continue
        if probe.role and probe.role not in target.models:
            reasons.append(f"no model is named for {probe.role}")
        else:
            reasons.append(f"the target does not claim {', '.join(sorted(probe.needs & target.unsupported))}")
    reason = reasons[0] if reasons else "no probe of this version reaches it"
    return Verdict(rule.id, rule.level, Outcome.SKIPPED, None, (), (), reason)


def _stand_in(probe: Probe) -> str:
    return "sora-2" if probe.role is Role.VIDEO else "m"


def untestable(planned: Planned, rules: Mapping[str, Rule], reason: str) -> list[Verdict]:
    """The verdicts of a probe that could not be made."""
    return [
        Verdict(rule.id, rule.level, Outcome.UNTESTABLE, planned.probe.id, (), (), reason)
        for rule in planned.reaches(rules)
    ]
