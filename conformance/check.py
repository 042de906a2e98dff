"""Plan → transport → judge → run: the one place where the stages meet."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from conformance.answers import describe, message_of
from conformance.budget import MAX_RECEIVED, Budget, Spend
from conformance.exit_code import Exit, exit_of
from conformance.fuzz.hunt import Hunt, Hunter
from conformance.fuzz.smaller import ALL_TRIES
from conformance.gate import Gate
from conformance.judge import judge
from conformance.known import Known
from conformance.media import fetch
from conformance.pace import ALONE, Pace
from conformance.plan import Bound, Plan, untestable
from conformance.price import FREE
from conformance.probe import Planned, Role, Step
from conformance.repeats import Trial
from conformance.rule import MEDIA, Level, Outcome, Rule, Verdict
from conformance.run import Footer, Generated, Header, Run, Writer, counts
from conformance.target import Target
from conformance.transport import Link, Transport, UnreachableError, connected
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Request

TRY_LATER = {429, 503, 529}
MAX_REPEATS = 3
LONGEST_WAIT = 60.0  # seconds; who asks for more is not waited for
NO_KEY = "none was given (RELAYPROOF_API_KEY, or the variable of --api-key-env)"
FLOODED = f"the answers were more than {MAX_RECEIVED} bytes"
VIDEO_TOTAL, VIDEO_IDLE = 1800.0, 300.0  # seconds


@dataclass(frozen=True, slots=True)
class Options:
    """How a check is run. `total` and `idle` are seconds, None for what the kind of model asks for."""

    concurrency: int = 16  # at most; halved each time the relay asks to try later
    seed: int = 0
    strict: bool = False
    total: float | None = None
    idle: float | None = None
    command: str = ""
    patience: float = 1.0  # factor on the waits before another attempt
    repeats: int = 0  # how often a failing probe is made again at most, to see whether its outcome varies
    known: Known = field(default_factory=Known)  # what may excuse
    hunt: Hunt | None = None  # what was drawn, beside the plan


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a check has come."""

    done: int
    total: int
    budget: Budget
    last: Exchange


Watch = Callable[[Progress], None]


@dataclass(slots=True)
class _State:
    """What the probes of one check share."""

    exchanges: dict[int, list[Exchange]] = field(default_factory=dict)
    left: dict[int, str] = field(default_factory=dict)  # number of a planned probe → why it could not be made
    halt: str | None = None  # why nothing more is sent: not reached, out of quota, key refused
    cut: bool = False  # a planned probe did not fit into the budget
    judged: dict[int, tuple[int, list[Verdict]]] = field(default_factory=dict)  # of how many exchanges, and what

    @property
    def asked(self) -> list[Exchange]:
        """All exchanges, in the order of the plan."""
        return [one for number in sorted(self.exchanges) for one in self.exchanges[number]]


async def check(
    target: Target,
    link: Link,
    plan: Plan,
    options: Options,
    *,
    out: Writer,
    watch: Watch,
    pace: Pace = ALONE,
    budget: Budget | None = None,
) -> Run:
    """Judges one relay. Every line of the run is written as it happens; `pace` is kept with other relays that are asked
    meanwhile. The budget is the target's, or one that is shared. Raises ConfigurationError."""
    started = _now()
    models: dict[str, Json] = {role.value: name for role, name in target.models.items()}
    header = Header(
        relay={"name": target.name, "base_url": target.base, "models": models, **_absent(target)},
        document=document.load().digest,
        suite=_version(),
        seed=options.seed,
        started=started,
        plan={
            "probes": len(plan.probes),
            "requests": plan.requests,
            "max_tokens": plan.tokens,
            "limits": {"requests": target.max_requests, "tokens": target.max_tokens},
            "only": list(plan.only),
            **_bounds(target, plan, options),
            **({"extended": [dict(one) for one in plan.extended]} if plan.extended else {}),
        },
        command=options.command,
    )
    out.header(header)
    budget = budget or Budget(target.max_requests, target.max_tokens, target.max_cost)
    state = _State()
    async with connected(link) as transport:
        session = _Session(transport, plan, options, budget, state, out, watch, Gate(options.concurrency), pace)
        generated = await session.run()
    verdicts = options.known.over(_verdicts(plan, state))
    notes = options.known.notes(verdicts, whole=not plan.only and state.halt is None and not state.cut)
    code = _exit(verdicts, state, options, stale=any(note.stale for note in notes))
    for verdict in verdicts:
        out.verdict(verdict)
    outcomes = {outcome.value: count for outcome, count in sorted(counts(verdicts).items())}
    spent = budget.spent(target.currency)
    footer = Footer(outcomes, spent, _now(), int(code), state.halt, options.known.dialect, notes, generated)
    out.footer(footer)
    return Run(header, tuple(state.asked), tuple(verdicts), footer)


def bound_of(target: Target, plan: Plan, options: Options) -> Bound:
    """What the check never goes beyond."""
    tries = ALL_TRIES if plan.generated else 0
    return plan.bound(repeats=options.repeats, attempts=MAX_REPEATS + 1, tries=tries).within(target)


def _bounds(target: Target, plan: Plan, options: Options) -> dict[str, Json]:
    bound = bound_of(target, plan, options)
    told: dict[str, Json] = {"generated": len(plan.generated), "bound_requests": bound.requests}
    told["bound_tokens"] = bound.tokens
    if options.hunt and options.hunt.random:
        told["random"] = dict(options.hunt.random)
    return told | ({"bound_cost": float(bound.cost), "currency": target.currency} if target.currency else {})


def _absent(target: Target) -> dict[str, Json]:
    return {"absent": [*sorted(target.absent)]} if target.absent else {}


def _verdicts(plan: Plan, state: _State) -> list[Verdict]:
    judged: list[Verdict] = []
    for number in sorted(state.exchanges):
        asked = state.exchanges[number]
        if state.judged.get(number, (0, []))[0] != len(asked):
            state.judged[number] = len(asked), _judged(asked, plan.rules)
        judged += state.judged[number][1]
    for planned in plan.probes:
        if planned.number in state.left:
            judged += untestable(planned, plan.rules, state.left[planned.number])
    return [*judged, *plan.skipped]


def _judged(exchanges: Sequence[Exchange], rules: Mapping[str, Rule]) -> list[Verdict]:
    """On copies: what rules derive from an answer can be far larger than it."""
    return list(judge([replace(exchange) for exchange in exchanges], rules))


def _exit(verdicts: Sequence[Verdict], state: _State, options: Options, *, stale: bool) -> Exit:
    if state.halt is not None or _key_refused(state.asked):
        return Exit.UNREACHABLE
    return exit_of(verdicts, strict=options.strict, cut=state.cut, stale=stale)


def _key_refused(exchanges: Sequence[Exchange]) -> bool:
    """401 or 403 on every request that came with the key."""
    keyed = [one for one in exchanges if one.request.auth not in {Auth.NONE, Auth.WRONG}]
    return bool(keyed) and all(one.status in {401, 403} for one in keyed)


def _nothing_served(exchanges: Sequence[Exchange]) -> bool:
    """404 or 405 on every path, and not for want of a model: then we asked in the wrong place."""
    lost = [one for one in exchanges if one.status in {404, 405} and not _model_refused(one)]
    return len({one.request.path for one in lost}) > 1 and len(lost) == len(exchanges)


@dataclass(slots=True)
class _Session:
    transport: Transport
    plan: Plan
    options: Options
    budget: Budget
    state: _State
    out: Writer
    watch: Watch
    gate: Gate
    pace: Pace = ALONE
    done: int = 0
    passing: set[int] = field(default_factory=set)  # numbers of probes whose exchanges are not kept

    async def run(self) -> Generated | None:
        """Asks everything: one probe first, to see whether anybody is there, then the controls, then the rest; at last
        what failed is asked again, where its outcome may vary."""
        controls = [
            planned for planned in self.plan.probes if planned.probe.control or planned.probe.id == "models.list"
        ]
        controls = controls or [*self.plan.probes[:1]]
        await self.all(controls[:1])
        await self.all(controls[1:])
        self._halt_where_lost()
        lost = self._lost_roles(controls)
        rest = [planned for planned in self.plan.probes if planned not in controls]
        for planned in rest:
            if planned.probe.role in lost:
                self.state.left[planned.number] = lost[planned.probe.role]
                self.pace.skip(planned.probe.id)
        left = [planned for planned in rest if planned.number not in self.state.left]
        await self.all(left)
        await self._repeat()
        if self.options.hunt is None:
            return None
        hunter = Hunter(
            self.options.hunt,
            replace(self.plan, generated=tuple(one for one in self.plan.generated if one.probe.role not in lost)),
            self,
            judged=lambda: self.options.known.over(_verdicts(self.plan, self.state)),
            halted=lambda: self.state.halt or (FLOODED if self.budget.flooded else None),
        )
        return await hunter.run()

    def part(self, share: float) -> Spend:
        return self.budget.part(share)

    def fitting(self, probes: Sequence[Planned], kept: Spend) -> int:
        """How many of these probes fit into what is left of the budget, less what is kept for later."""
        return self.budget.fitting(((len(one.probe.steps), one.tokens, one.cost) for one in probes), kept)

    async def verdicts(self, planned: Planned, *, kept: bool) -> tuple[list[Verdict], int]:
        """One generated probe: what is to be said of it, and how many requests it took; `kept` writes its exchanges to
        the run."""
        number = planned.number
        if not kept:
            self.passing.add(number)
        await self._make(planned, 1)
        exchanges = self.state.exchanges.get(number, []) if kept else self.state.exchanges.pop(number, [])
        self.passing.discard(number)
        return self.options.known.over(_judged(exchanges, self.plan.rules)), len(exchanges)

    @property
    def _total(self) -> int:
        return max(len(self.plan.probes) + len(self.plan.generated), self.done)

    def _halt_where_lost(self) -> None:
        """Stops where the key is refused on every request so far, or nothing is served at all."""
        asked = self.state.asked
        if self.state.halt is None and _key_refused(asked):
            what = "refused the key" if self.transport.link.key else f"asks for a key, and {NO_KEY}"
            self.state.halt = f"the relay {what}: {describe(asked[0])}"
        if self.state.halt is None and _nothing_served(asked):
            self.state.halt = f"the base URL seems wrong, nothing is served there: {describe(asked[0])}"

    async def _repeat(self) -> None:
        """Makes failing probes again, one for each rule that failed, until it is known whether the outcome varies."""
        if not self.options.repeats:
            return
        probes = {planned.probe.id: planned for planned in self.plan.probes}
        trials: dict[str, Trial] = {}
        asked: dict[str, Planned] = {}
        for verdict in _verdicts(self.plan, self.state):
            planned = probes.get(verdict.probe or "")
            failed = verdict.outcome is Outcome.FAIL and verdict.rule not in trials
            if planned and failed and _may_vary(verdict, planned):
                trials[verdict.rule], asked[verdict.rule] = Trial(), planned
        for repeat in range(2, self.options.repeats + 2):
            again = {asked[rule].number: asked[rule] for rule, trial in trials.items() if trial.open}
            if not again or self.state.halt:
                return
            await self.all(list(again.values()), repeat)
            for planned in again.values():
                fresh = [one for one in self.state.exchanges[planned.number] if one.repeat == repeat]
                for verdict in _judged(fresh, self.plan.rules):
                    if asked.get(verdict.rule) is planned:
                        trials[verdict.rule] = trials[verdict.rule].seen(verdict.outcome)

    def _lost_roles(self, controls: Sequence[Planned]) -> dict[Role | None, str]:
        """Roles whose model is refused as unknown on its control probe."""
        lost: dict[Role | None, str] = {}
        for planned in controls:
            answers = [one for one in self.state.exchanges.get(planned.number, ()) if one.step != MEDIA]
            if planned.probe.control and answers and _model_refused(answers[-1]):
                lost[planned.probe.role] = (
                    f"the relay does not know the model {planned.model!r}: {describe(answers[-1])}"
                )
        return lost

    async def all(self, probes: Sequence[Planned], repeat: int = 1) -> None:
        """All at once, the longest first, since they are the last to end; then, one by one, those that go alone."""
        async with asyncio.TaskGroup() as group:
            for planned in sorted(probes, key=lambda one: -len(one.probe.steps)):
                if not planned.probe.alone:
                    group.create_task(self._make(planned, repeat))
        for planned in probes:
            if planned.probe.alone:
                await self._make(planned, repeat)

    async def _make(self, planned: Planned, repeat: int) -> None:
        """One probe: its requests one after the other, each following from the answers before it, or all at once."""
        sofar: list[Exchange] = []
        if planned.probe.together:
            async with asyncio.TaskGroup() as group:
                for step in planned.probe.steps:
                    group.create_task(self._step(planned, step, repeat, sofar, self.transport))
        else:
            async with AsyncExitStack() as kept:
                transport = self.transport
                if any(step.reuse for step in planned.probe.steps):
                    transport = await kept.enter_async_context(transport.line())
                for step in planned.probe.steps:
                    if not await self._step(planned, step, repeat, sofar, transport):
                        break
        if repeat == 1:
            self.done += 1
            asked = self.state.exchanges.get(planned.number)
            if asked:
                self.watch(Progress(self.done, self._total, self.budget, asked[-1]))

    async def _step(
        self, planned: Planned, step: Step, repeat: int, sofar: list[Exchange], transport: Transport
    ) -> bool:
        """One request, sent again where the relay asks to try later. False where the probe ends here."""
        request = planned.probe.bound(step, planned.model, tuple(sofar))
        if step.link:
            return await self._fetch(planned, step, repeat, request)
        if step.follows and not planned.leads_on(step, request):
            return False  # the answers lead nowhere: the judge says so
        exchange = None
        async with self.gate.inside(ahead=bool(sofar)):
            if repeat == 1 and step == planned.probe.steps[0] and not self.state.halt:
                await self.pace.meet(planned.probe.id)
            for attempt in range(1, MAX_REPEATS + 2):
                exchange = await self._attempt(planned, step, request, (repeat, attempt), transport)
                if exchange is None:
                    break
                self.state.exchanges.setdefault(planned.number, []).append(exchange)
                if _out_of_quota(exchange):
                    self.state.halt = f"out of quota: {describe(exchange)}"
                pause = _pause(exchange, attempt)
                if pause is None or self.state.halt:
                    break
                self.gate.narrow()
                await asyncio.sleep(pause * self.options.patience)
        if exchange is not None:
            sofar.append(exchange)
        return exchange is not None

    async def _fetch(self, planned: Planned, step: Step, repeat: int, request: Request) -> bool:
        """Fetches what the answers link to: no request to the relay, so that no answer to it ends the check."""
        if not request.path or self.state.halt:
            return False
        if self.budget.reserve(0):
            async with self.gate.inside(ahead=True):
                exchange = await fetch(request, self.transport)
        else:
            reason = f"there were more than {MAX_RECEIVED} bytes" if self.budget.flooded else self.budget.refusal(0)
            exchange = Exchange("", request, error=f"the link was not fetched: {reason}")
        shown = replace(exchange.request, path=self.transport.redactor.text(exchange.request.path))
        exchange = replace(exchange, request=shown, sent=exchange.sent or _now())
        exchange = planned.named(exchange, step, repeat)
        self.state.exchanges.setdefault(planned.number, []).append(exchange)
        self.out.exchange(exchange)
        return True

    async def _attempt(
        self, planned: Planned, step: Step, request: Request, count: tuple[int, int], transport: Transport
    ) -> Exchange | None:
        """One request, within the budget; `count` is which repeat and which attempt it is."""
        repeat, attempt = count
        first = count == (1, 1)
        first = first and not planned.probe.generated  # nobody had planned on those
        if self.state.halt:
            if first:
                self.state.left.setdefault(planned.number, self.state.halt)
            return None
        tokens = 0 if step.free else planned.probe.cost(request)
        cost = FREE if step.free else planned.cost_of(request)
        if not self.budget.reserve(tokens, cost):
            if first:
                self.state.cut = True
                reason = FLOODED if self.budget.flooded else None
                self.state.left.setdefault(planned.number, reason or self.budget.refusal(tokens, cost))
            return None
        video = planned.probe.role is Role.VIDEO
        total = self.options.total or (VIDEO_TOTAL if video else None)
        idle = self.options.idle or (VIDEO_IDLE if video else None)
        try:
            send = transport.again if step.reuse else transport.send
            exchange = await send(request, total=total, idle=idle)
        except UnreachableError as error:
            if not self.state.exchanges:
                self.state.halt = f"the relay could not be reached: {error}"
                self.state.left[planned.number] = self.state.halt
                return None
            exchange = Exchange("", request, error=f"no connection: {error}", sent=_now())
        self.budget.settle(tokens, exchange, cost, planned.price)
        exchange = planned.named(exchange, step, repeat, attempt)
        if planned.number not in self.passing:
            self.out.exchange(exchange)
        return exchange


def _may_vary(verdict: Verdict, planned: Planned) -> bool:
    """Whether a failure is worth asking again: one of weight, in which a model had a part that is not dear."""
    return verdict.level is not Level.MAY and not planned.probe.free and planned.probe.role is not Role.VIDEO


def _pause(exchange: Exchange, attempts: int) -> float | None:
    """Seconds to wait before a repeat; None where there is nothing to wait for."""
    if exchange.status not in TRY_LATER or attempts > MAX_REPEATS or _model_refused(exchange):
        return None
    told = _retry_after(exchange.header("retry-after"))
    pause = 2.0 ** (attempts - 1) if told is None else told
    return pause if pause <= LONGEST_WAIT else None


def _retry_after(value: str | None) -> float | None:
    """Seconds, from a number or a date (RFC 9110 section 10.2.3); None where it says nothing that can be read."""
    if value is None:
        return None
    if value.strip().isascii() and value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        moment = parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max((moment - datetime.now(UTC)).total_seconds(), 0.0)


def _code(exchange: Exchange) -> str:
    match exchange.object.get("error"):
        case {"code": str(code)}:
            return code
    return ""


def _out_of_quota(exchange: Exchange) -> bool:
    if exchange.status == 402:
        return True
    refused = exchange.status is not None and exchange.status >= 400
    return refused and _code(exchange) in {
        "insufficient_quota",
        "insufficient_user_quota",
        "billing_hard_limit_reached",
    }


def _model_refused(exchange: Exchange) -> bool:
    """Whether the answer says that there is no such model: by its code, or by 404 or 503 about a model."""
    if exchange.status is None or exchange.status < 400:
        return False
    if _code(exchange) == "model_not_found":
        return True
    match exchange.object.get("error"):
        case {"type": "not_found_error", "message": str(text)} if text.startswith("model:"):  # Anthropic's own
            return True
    text = message_of(exchange).lower()
    return (
        exchange.status in {400, 404}
        and "model" in text
        and any(word in text for word in ("not found", "not exist", "unknown model", "invalid model", "no such model"))
    )


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def _version() -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

    try:
        return version("relayproof")
    except PackageNotFoundError:
        return "unreleased"
