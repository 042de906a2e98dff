"""Exit codes, never mixed."""

from collections.abc import Iterable
from enum import IntEnum

from conformance.rule import Level, Outcome, Verdict
from conformance.run import outcome_of


class Exit(IntEnum):
    """What the command's end says."""

    VERIFIED = 0
    VIOLATED = 1
    MISUSED = 2
    UNREACHABLE = 3
    UNVERIFIED = 4
    OUR_FAULT = 5


MEANING = {
    Exit.VERIFIED: "every MUST that the relay decides was verified",
    Exit.VIOLATED: "a MUST is broken",
    Exit.MISUSED: "wrong use or configuration",
    Exit.UNREACHABLE: "the relay could not be reached or refused the key: nothing verified",
    Exit.UNVERIFIED: "some MUSTs could not be verified",
    Exit.OUR_FAULT: "a check of ours broke: not the relay's fault",
}


def exit_of(verdicts: Iterable[Verdict], *, strict: bool = False, cut: bool = False, stale: bool = False) -> Exit:
    """The exit code of a run's verdicts. `strict` counts SHOULD as MUST; `cut` says that a planned probe was not sent,
    `stale` that the baseline is no longer right.

    What is left open of a generated probe decides nothing: nobody had planned on it.

    A failure that a baseline or a dialect excuses decides nothing, nor does what only the model's mood left open, nor a
    stale baseline; the last two count where it is strict, a stale baseline as wrong configuration.
    """
    rules: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        rules.setdefault(verdict.rule, []).append(verdict)
    if any(verdict.outcome is Outcome.BROKEN for group in rules.values() for verdict in group):
        return Exit.OUR_FAULT
    weighty = {Level.MUST, Level.SHOULD} if strict else {Level.MUST}
    counted = [group for group in rules.values() if group[0].level in weighty]
    if any(verdict.outcome is Outcome.FAIL and not verdict.excused for group in counted for verdict in group):
        return Exit.VIOLATED
    if cut or not rules or any(_open(group, strict=strict) for group in counted):
        return Exit.UNVERIFIED
    return Exit.MISUSED if strict and stale else Exit.VERIFIED


def exit_of_all(codes: Iterable[int | None]) -> Exit:
    """The exit code of several runs, each by its own; None is a run that did not end.

    The gravest decides: a fault of ours, then a relay that breaks a MUST. Where none does, 3 says that no relay could
    be reached, and 4 that one was not, or left MUSTs open: what was not verified is not green for its company.
    """
    known = list(codes)
    for code in (Exit.OUR_FAULT, Exit.VIOLATED):
        if code in known:
            return code
    if known and all(code == Exit.UNREACHABLE for code in known):
        return Exit.UNREACHABLE
    if not known or any(code in {None, Exit.UNREACHABLE, Exit.UNVERIFIED} for code in known):
        return Exit.UNVERIFIED
    return Exit.MISUSED if Exit.MISUSED in known else Exit.VERIFIED


def _open(group: list[Verdict], *, strict: bool) -> bool:
    """Whether a rule was left unverified by something other than the model's mood."""
    outcome = outcome_of(group)
    if outcome is Outcome.UNTESTABLE:
        return True
    undecided = [one for one in group if one.outcome is Outcome.INCONCLUSIVE and not one.generated]
    return outcome is Outcome.INCONCLUSIVE and any(strict or not one.mood for one in undecided)
