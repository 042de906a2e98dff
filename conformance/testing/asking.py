"""The probes that the selected items need, asked once for all processes of a session, by the check's own engine."""

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import cached_property

from conformance.check import Progress, check
from conformance.exit_code import MEANING, Exit
from conformance.fuzz.prepare import store
from conformance.identity import NOBODY
from conformance.outputs import prepare
from conformance.plan import Plan, confined
from conformance.report.summary import Result
from conformance.rule import GENERATED, Outcome, Rule, Verdict
from conformance.run import Run, RunError, Writer, outcome_of, read_run
from conformance.target import ConfigurationError
from conformance.testing.setup import Setup
from conformance.testing.shared import locked

Pair = tuple[str, str]  # the ids of a rule and of the probe that is judged by it, NOBODY for no probe
FUZZED = GENERATED.rstrip(".")  # in the place of a probe: all that are generated, as they are other ones for each seed


def pairs(plan: Plan) -> dict[Pair, Rule]:
    """What there is to be judged, in the order of the plan; behind it the rules that generated probes reach, and those
    that nothing asked reaches."""
    found = {(rule.id, planned.probe.id): rule for planned in plan.probes for rule in planned.reaches(plan.rules)}
    drawn = {(rule.id, FUZZED): rule for rule in _drawn(plan)}
    return found | drawn | {(verdict.rule, NOBODY): plan.rules[verdict.rule] for verdict in plan.skipped}


def _drawn(plan: Plan) -> list[Rule]:
    """The rules that some generated probe reaches."""
    left = dict(plan.rules)
    for planned in plan.generated:
        for rule in list(planned.reaches(left)):
            del left[rule.id]
    return [rule for rule in plan.rules.values() if rule.id not in left]


def cut(plan: Plan, wanted: Iterable[Pair]) -> Plan:
    """The plan of some of its pairs: their probes, generated ones too, the controls of their roles, and their rules."""
    chosen = set(wanted)
    if chosen.issuperset(pairs(plan)):
        return plan
    named = {probe for _, probe in chosen}
    drawn = {rule: plan.rules[rule] for rule, probe in chosen if probe == FUZZED}
    generated = tuple(one for one in plan.generated if any(one.reaches(drawn)))
    roles = {one.probe.role for one in plan.probes if one.probe.id in named}
    roles |= {one.probe.role for one in generated}
    only = tuple(sorted({rule for rule, _ in chosen}))
    return replace(
        plan,
        probes=tuple(
            one for one in plan.probes if one.probe.id in named or (one.probe.control and one.probe.role in roles)
        ),
        rules=confined(plan.rules, only),
        generated=generated,
        skipped=tuple(verdict for verdict in plan.skipped if (verdict.rule, NOBODY) in chosen),
        only=only,
    )


@dataclass(frozen=True)
class Answered:
    """A run by the pairs that were selected. `lost` says why nothing of it counts, where that is so."""

    run: Run | None
    wanted: tuple[Pair, ...] = ()
    groups: Mapping[Pair, Sequence[Verdict]] = field(default_factory=dict)
    lost: str | None = None

    def result(self, rule: Rule, pair: Pair) -> Result | None:
        """What became of a pair; None where nothing was said of it."""
        verdicts = tuple(self.groups.get(pair, ()))
        if not verdicts:
            return None
        return _result(rule, verdicts)

    def whole(self, rule: Rule) -> Result:
        """What became of a rule over all probes that were made."""
        return _result(rule, tuple(self.by_rule[rule.id]))

    def speaks(self, pair: Pair) -> bool | None:
        """Of what could not be asked whether this pair tells why, for all with the same reason; None for what was."""
        reason = self._unasked(pair)
        return None if reason is None else self._speakers[reason] == pair

    def _unasked(self, pair: Pair) -> str | None:
        verdicts = self.groups.get(pair, ())
        outcome = outcome_of(verdicts) if verdicts else None
        if self.lost is not None and outcome in {None, Outcome.UNTESTABLE, Outcome.INCONCLUSIVE}:
            return self.lost
        return next((one.reason or "" for one in verdicts if one.outcome is outcome is Outcome.UNTESTABLE), None)

    @cached_property
    def _speakers(self) -> dict[str, Pair]:
        """The first of the plan for each reason, so that it is the same one in whatever order tests are run."""
        found: dict[str, Pair] = {}
        for pair in self.wanted:
            reason = self._unasked(pair)
            if reason is not None:
                found.setdefault(reason, pair)
        return found

    @cached_property
    def by_rule(self) -> dict[str, list[Verdict]]:
        return self.run.by_rule() if self.run else {}


def _result(rule: Rule, verdicts: tuple[Verdict, ...]) -> Result:
    return Result(rule.id, rule.level, outcome_of(verdicts), rule.law, rule.cites, verdicts)


@dataclass
class Asking:
    """The one run of a session."""

    setup: Setup
    answered: Answered | None = None
    begun: bool = False  # the file of the run is there

    def ask(self, wanted: Sequence[Pair]) -> Answered:
        """Asks, the first time and in one process; the others read what it wrote."""
        if self.answered is None:
            chosen = set(wanted)
            planned = pairs(self.setup.plan)
            wanted = [pair for pair in planned if pair in chosen]
            try:
                run = self._shared(wanted) if self.setup.folder else self._run(wanted)
            except (ConfigurationError, RunError, OSError) as error:
                self.answered = Answered(None, tuple(wanted), lost=str(error))
            else:
                self.answered = answered(run, wanted, set(planned))
        return self.answered

    def told(self) -> Run | None:
        """The run as far as there is one, also of another process or interrupted; None where nothing was asked."""
        if self.answered is not None:
            return self.answered.run
        if self.begun or (self.setup.folder is not None and (self.setup.folder / "asked").exists()):
            with suppress(RunError, OSError):
                return self._read()
        return None

    def _shared(self, wanted: Sequence[Pair]) -> Run:
        """Whoever comes first asks, and the others wait. A process that died in mid-run has spent what it has: nobody
        asks in its place."""
        assert self.setup.folder
        asked = self.setup.folder / "asked"
        with locked(self.setup.folder / "asking.lock"):
            if asked.exists():
                return self._read()
            asked.touch()
            return self._run(wanted)

    def _read(self) -> Run:
        return read_run(self.setup.out.read_text(encoding="utf-8"))

    def _run(self, wanted: Sequence[Pair]) -> Run:
        setup = self.setup
        prepare(setup.out)
        with setup.out.open("w", encoding="utf-8") as file:
            self.begun = True
            plan = cut(setup.plan, wanted)
            out, budget = Writer(file), setup.drawn()
            hunt = setup.hunt if plan.generated else None
            options = replace(setup.options, hunt=hunt)
            judging = check(setup.target, setup.link, plan, options, out=out, watch=_silent, budget=budget)
            run = setup.loop.run(judging)
        if hunt:
            store(run, hunt, setup.failures)
        return run


def _silent(_: Progress) -> None:
    """Progress is pytest's to show."""


def answered(run: Run, wanted: Sequence[Pair], planned: set[Pair]) -> Answered:
    """The verdicts of a run by pair. One that no plan could foresee, of a request that followed from an answer, goes to
    the first selected pair of its rule: what was found is told."""
    chosen = set(wanted)
    first: dict[str, Pair] = {}
    for pair in wanted:
        first.setdefault(pair[0], pair)
    groups: dict[Pair, list[Verdict]] = {}
    for verdict in run.verdicts:
        pair = (verdict.rule, FUZZED if verdict.generated else verdict.probe or NOBODY)
        place = pair if pair in chosen else None if pair in planned else first.get(verdict.rule)
        if place is not None:
            groups.setdefault(place, []).append(verdict)
    return Answered(run, tuple(wanted), groups, lost_of(run))


def lost_of(run: Run) -> str | None:
    """Why a run verified nothing that it left open: it was not reached, or it did not end."""
    if run.footer is None:
        return "who asked ended before the run did: nothing is asked twice"
    if run.footer.exit == Exit.UNREACHABLE:
        return run.footer.note or MEANING[Exit.UNREACHABLE]
    return None
