"""What a command does around a hunt: draws the cases, reads the failures of earlier runs, and writes what is left."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from conformance.fuzz.hunt import Hunt, stored_cases
from conformance.fuzz.plain import THERE, reached_by
from conformance.fuzz.store import failures_after, read_failures, write_failures
from conformance.plan import Plan, is_named, with_generated
from conformance.rule import GENERATED
from conformance.run import Found, Run
from conformance.target import ConfigurationError, Target


def drawn(plan: Plan, target: Target, seed: int, random: int, failures: Path) -> tuple[Plan, Hunt]:
    """The plan with generated probes, failures of earlier runs first, and what they are made from. `random` are the
    cases that schemathesis draws for each operation besides. Raises ConfigurationError."""
    from conformance.fuzz.effort import Effort, cases  # noqa: PLC0415 - hypothesis and schemathesis take half a second

    stored = read_failures(failures)
    made = [*stored_cases(stored, target.models), *cases(target.models, seed, Effort(random=random))]
    by_name = {case.name: case for case in made}
    hunt = Hunt(by_name, stored, target.models)
    return with_generated(plan, target, (case.probe for case in by_name.values())), hunt


def undrawn(plan: Plan, target: Target) -> str | None:
    """Why nothing was drawn for a plan; None where something was."""
    if plan.generated:
        return None
    if not reached_by(target.models):
        return f"no model is named for what requests are drawn for ({THERE})"
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
    cases = {case.name: case for word in words for case in stored_cases(_of(word, stored, failures), target.models)}
    if not written:
        roles = {case.role for case in cases.values()}
        controls = tuple(one for one in plan.probes if one.probe.control and one.probe.role in roles)
        plan = replace(plan, probes=controls, skipped=())
    plan = with_generated(replace(plan, only=tuple(only)), target, (case.probe for case in cases.values()))
    if not plan.generated:
        why = "no model is named for it, no rule that is wanted speaks of it, it is not claimed, or of another version"
        msg = f"--only {words[0]}: it cannot be asked: {why}"
        raise ConfigurationError(msg)
    return plan, Hunt(cases, stored, target.models, shrinks=False)


def _of(word: str, stored: Sequence[Found], failures: Path) -> list[Found]:
    """The stored failures of this name, or below it. Raises ConfigurationError where there is none."""
    found = [one for one in stored if is_named(one.probe, [word]) or is_named(one.drawn, [word])]
    if not found:
        there = f"; there are {', '.join(sorted({one.probe for one in stored}))}" if stored else ""
        msg = f"--only {word}: no failure of such a name is stored in {failures}{there}"
        raise ConfigurationError(msg)
    return found


def store(run: Run, hunt: Hunt, failures: Path) -> list[Path]:
    """Writes what failed, to be asked first next time, less what is mended; the file, where there is one."""
    generated = run.footer.generated if run.footer else None
    if generated is None:
        return []
    left = failures_after(hunt.stored, generated)
    if not left and not failures.exists():
        return []
    write_failures(failures, left)
    return [failures]
