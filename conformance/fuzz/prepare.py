"""What a command does around a hunt: draws the cases, reads the failures of earlier runs, and writes what is left."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from conformance.budget import Budget
from conformance.fuzz.hunt import KEPT_BACK, Hunt, readable, rule_of
from conformance.fuzz.logged import found_in_log
from conformance.fuzz.plain import DRAWN_ROLES, reached_by
from conformance.fuzz.store import failures_after, read_failures, write_failures
from conformance.plan import Plan, is_named, with_generated
from conformance.rule import GENERATED
from conformance.run import Found, Generated, Run
from conformance.target import ConfigurationError, Target

UNJUDGED = "its rule is not among those that are judged"
UNCLAIMED = "the target does not claim what it needs"
UNNAMED = "--only names others"


def drawn(
    plan: Plan,
    target: Target,
    seed: int,
    random: int,
    failures: Path,
    *,
    watch: Callable[[str, int], None] | None = None,
) -> tuple[Plan, Hunt]:
    """The plan with generated probes, failures of earlier runs first, and what they are made from. `random` are the
    cases that schemathesis draws for each operation besides: no more than the limit on requests leaves room for, and
    `watch` is told how many there are so far. Raises ConfigurationError."""
    from conformance.fuzz.effort import Effort, cases  # noqa: PLC0415 - hypothesis and schemathesis take half a second

    counted: dict[str, int] = {}

    def told(operation: str, many: int) -> None:
        counted[operation] = many
        if watch:
            watch(operation, many)

    random = room_for(plan, target, random)
    stored = read_failures(failures)
    again, unasked = readable(stored, target.models)
    made = [*again.values(), *cases(target.models, seed, Effort(random=random), told)]
    named = {case.name: case for case in made}
    planned = with_generated(plan, target, (case.probe for case in named.values()))
    unasked |= {one.identity: UNJUDGED for one in stored if rule_of(one) not in plan.rules}
    names = {one.probe.id for one in planned.generated}
    unasked |= {name: UNCLAIMED for name, case in again.items() if case.name not in names and name not in unasked}
    first = {name: case.name for name, case in again.items()}
    return planned, Hunt(named, stored, target.models, first, unasked, counted)


def undrawn(plan: Plan, target: Target) -> str | None:
    """Why nothing was drawn for a plan; None where something was."""
    if plan.generated:
        return None
    if not reached_by(target.models):
        return f"no model is named for what requests are drawn for ({DRAWN_ROLES})"
    return "what is drawn reaches none of the rules that are wanted, or is not claimed"


def random_cases(wanted: int | None, *, fuzz: bool) -> int:
    """How many random cases to draw for each operation. Raises ConfigurationError where nothing is drawn at all."""
    if wanted is not None and not fuzz:
        msg = "--fuzz-cases says how many --fuzz draws besides: give --fuzz too"
        raise ConfigurationError(msg)
    return wanted or 0


def apart(only: Sequence[str]) -> tuple[list[str], list[str]]:
    """The words of `--only` that name what was written, and those that name generated probes: `fuzz` and below."""
    again = [word for word in only if f"{word}.".startswith(GENERATED)]
    return [word for word in only if word not in again], again


def again(plan: Plan, target: Target, only: Sequence[str], failures: Path) -> tuple[Plan, Hunt]:
    """The plan with the stored failures that `only` names, asked as they are, and nothing that is drawn. Where it names
    nothing else only the controls of their roles are asked beside them. Raises ConfigurationError."""
    written, words = apart(only)
    stored = read_failures(failures)
    named = {one.identity: one for word in words for one in _of(word, stored, failures)}
    cases, unasked = readable(tuple(named.values()), target.models)
    if not written:
        roles = {case.role for case in cases.values()}
        controls = tuple(one for one in plan.probes if one.probe.control and one.probe.role in roles)
        plan = replace(plan, probes=controls, skipped=())
    by_name = {case.name: case for case in cases.values()}
    plan = with_generated(replace(plan, only=tuple(only)), target, (case.probe for case in by_name.values()))
    if not plan.generated:
        why = next(iter(unasked.values()), "no rule that is wanted speaks of it, or it is not claimed")
        msg = f"--only {words[0]}: it cannot be asked: {why}"
        raise ConfigurationError(msg)
    unasked |= {one.identity: UNNAMED for one in stored if one.identity not in named}
    names = {identity: case.name for identity, case in cases.items()}
    return plan, Hunt(by_name, stored, target.models, names, unasked, shrinks=False)


def _of(word: str, stored: Sequence[Found], failures: Path) -> list[Found]:
    """The stored failures of this name, or below it. Raises ConfigurationError where there is none."""
    found = [one for one in stored if is_named(one.probe, [word]) or is_named(one.drawn, [word])]
    if not found:
        there = f"; there are {', '.join(sorted({one.probe for one in stored}))}" if stored else ""
        msg = f"--only {word}: no failure of such a name is stored in {failures}{there}"
        raise ConfigurationError(msg)
    return found


def room_for(plan: Plan, target: Target, wanted: int) -> int:
    """How many of so many generated probes the limit on requests can leave room for, behind the plan's own."""
    return wanted if target.max_requests is None else min(wanted, max(target.max_requests - plan.requests, 0))


def room_in(target: Target, plan: Plan) -> int:
    """How many generated probes the limits leave room for where each costs the most that it can: behind the plan's own,
    and less the part that is kept for making failures smaller."""
    budget = Budget(target.max_requests, target.max_tokens, target.max_cost)
    for one in plan.probes:
        budget.requests += len(one.probe.steps)
        budget.tokens += one.tokens
        budget.cost += one.cost
    wanted = ((len(one.probe.steps), one.tokens, one.cost) for one in plan.generated)
    return budget.fitting(wanted, budget.part(KEPT_BACK))


def store(run: Run, hunt: Hunt, failures: Path) -> list[Path]:
    """Writes what failed, to be asked first next time, less what is mended; the file, where there is one."""
    generated = run.footer.generated if run.footer else None
    return [] if generated is None else _written(hunt, generated, failures)


def store_logged(run: Run, hunt: Hunt, failures: Path) -> list[Path]:
    """The same of a run that did not end, as far as its log goes: what failed of what was drawn."""
    verdicts = [one for one in run.verdicts if not one.generated or one.probe in hunt.cases]
    found = (replace(one, case=hunt.cases[one.probe].record()) for one in found_in_log(run, verdicts))
    return _written(hunt, Generated(0, 0, 0, 0, tuple(found)), failures)


def _written(hunt: Hunt, generated: Generated, failures: Path) -> list[Path]:
    left = failures_after(hunt.stored, generated)
    if not left and not failures.exists():
        return []
    write_failures(failures, left)
    return [failures]
