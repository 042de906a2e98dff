"""Faults and honest variants, each judged the whole way: a mock over a socket, the real transport, the real judge.

One mock plays all of them (`X-Relay-Fault`, `X-Relay-Seed`) without pauses, a second one those that are wrong in time;
checks run in as many processes as there are jobs.
"""

import asyncio
import os
import signal
import tempfile
import threading
from collections.abc import Generator, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from functools import lru_cache
from io import StringIO
from multiprocessing import active_children, get_context
from pathlib import Path
from typing import TYPE_CHECKING

from conformance import plan as planning
from conformance.check import Options, check
from conformance.exit_code import exit_of
from conformance.fuzz.case import Case
from conformance.fuzz.effort import Effort
from conformance.fuzz.effort import cases as drawn_cases
from conformance.fuzz.hunt import Hunt, readable
from conformance.plan import Plan
from conformance.probe import Role
from conformance.probes import PROBES
from conformance.rule import Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Found, Run, Writer, lines_of, outcome_of
from conformance.target import Target
from conformance.transport import Link
from mock_server.faults import FAULTS
from mock_server.library import RECORDINGS
from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import Headers, Read
from openapi.wire.jsonl import Recording, read_recording, write_recording

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

KEY = "sk-relayproof-test-0123456789"
MODELS = {
    Role.CHAT: "mock-chat",
    Role.TOOLS: "mock-chat",
    Role.REASONING: "mock-reasoner",
    Role.VISION: "mock-chat",
    Role.VIDEO: "sora-2",
    Role.MESSAGES: "mock-claude",
    Role.COMPLETIONS: "mock-instruct",
    Role.EMBEDDINGS: "text-embedding-3-small",
}
CLAIMS = frozenset(need for probe in PROBES.values() for need in probe.needs)
GOOD = ""  # the name of no fault: the mock as it is
IDLE = 3.0  # seconds of silence after which a check of a mock that never pauses gives up
AT_ONCE = 3  # checks that one process runs together: one is judged while another waits
BATCH = 9
TRIES = 3  # of what is told by time


@dataclass(frozen=True, slots=True)
class Paced:
    """The probes that show what is wrong in time, asked of a mock that takes its time; `idle` in seconds."""

    only: tuple[str, ...]
    idle: float = 7.0


STREAMS = Paced(("sse.paced", "sse.paced-gzip"))
IN_TIME = {
    "sse-buffered-whole": Paced(("sse.paced",)),
    "tx-gzip-stream-not-flushed": Paced(("sse.paced-gzip",)),
    "sse-left-open": Paced(("chat.stream-usage",)),
    "sse-no-keepalive": Paced(("chat.stream-usage",), 35.0),
    "video-silent-gap": Paced(("video.create",), 90.0),
}
"""Faults that need real time: at full speed nothing takes any."""
ALSO_IN_TIME = {GOOD: STREAMS, "honest-slow": STREAMS, "honest-gzip": STREAMS}
LINKED = {"video-link-html", "video-link-404"}  # wrong behind a link, which is followed without our headers
DRAWN = (Role.CHAT, Role.TOOLS)  # roles that generated probes of a rare fault are for
DRAWN_OTHERWISE = {"rare-claude-end-lost-behind-streamed-call": (Role.MESSAGES,)}
UNCLAIMED = {"claim-n-unsaid": "n"}  # what shows only where a capability is left out of the claims


@dataclass(frozen=True, slots=True)
class Trial:
    """What the checks of one fault came to: the rules that failed or broke, those that were verified, the exit code.
    `left` are the generated probes that were not asked, None where none were to be."""

    fault: str
    seed: int
    failed: frozenset[str]
    broken: frozenset[str]
    passed: frozenset[str]
    exit: int
    strict: int = field(default=0, compare=False)  # the exit code where SHOULD counts as MUST
    told: tuple[tuple[str, str], ...] = field(default=(), compare=False)  # rule, its first finding
    left: int | None = field(default=None, compare=False)

    @property
    def named(self) -> frozenset[str]:
        """The rules that the fault says it breaks."""
        return frozenset(FAULTS[self.fault].breaks) if self.fault else frozenset()

    @property
    def weighty(self) -> frozenset[str]:
        """What failed, less the tolerances that no fault names: they are told and no more."""
        return frozenset(name for name in self.failed if BOOK[name].level is not Level.MAY or name in self.named)

    @property
    def unexpected(self) -> frozenset[str]:
        return self.weighty - self.named

    @property
    def missed(self) -> frozenset[str]:
        return self.named - self.failed

    @property
    def unverified(self) -> frozenset[str]:
        """The MUSTs that the mock as it is leaves open, and of generated probes those that were not asked."""
        if self.left is not None:
            return frozenset({f"{self.left} generated probes"} if self.left else ())
        must = {name for name, rule in BOOK.items() if rule.level is Level.MUST}
        return frozenset() if self.fault else frozenset(must - self.passed)

    @property
    def code(self) -> int | None:
        """The exit code that it must have: 1 where a MUST is named, 0 for the good, else any but 1."""
        if any(BOOK[name].level is Level.MUST for name in self.named):
            return 1
        return 0 if not self.fault else None

    @property
    def holds(self) -> bool:
        """Whether the fault broke exactly what it names."""
        open_ends = self.unexpected | self.missed | self.broken | self.unverified
        return not open_ends and (self.exit == self.code if self.code is not None else self.exit != 1)


def trial(fault: str, seed: int, *runs: Run) -> Trial:
    """The trial that the runs of one fault came to; the exit code is that of the first."""
    verdicts = [one for run in runs for one in run.verdicts]
    grouped: dict[str, list[Verdict]] = {}
    for one in verdicts:
        grouped.setdefault(one.rule, []).append(one)
    outcomes = {name: outcome_of(group) for name, group in grouped.items()}
    told = {
        one.rule: one.findings[0].text for one in reversed(verdicts) if one.outcome is Outcome.FAIL and one.findings
    }
    return Trial(
        fault,
        seed,
        frozenset(name for name, outcome in outcomes.items() if outcome is Outcome.FAIL),
        frozenset(one.rule for one in verdicts if one.outcome is Outcome.BROKEN),
        frozenset(name for name, outcome in outcomes.items() if outcome is Outcome.PASS),
        runs[0].footer.exit if runs[0].footer else 5,
        int(exit_of(verdicts, strict=True)),
        tuple(sorted(told.items())),
        runs[0].footer.generated.left if runs[0].footer and runs[0].footer.generated else None,
    )


# --- one check ------------------------------------------------------------------------------------------------------


def manner(fault: str, seed: int = 0) -> Headers:
    """The headers that make the mock play a fault."""
    said = (("x-relay-fault", fault),) if fault else ()
    return (*said, ("x-relay-seed", str(seed))) if seed else said


async def judged(
    base: str,
    headers: Headers = (),
    *,
    only: Sequence[str] = (),
    idle: float = IDLE,
    claims: frozenset[str] = CLAIMS,
    strict: bool = False,
    fetch_media: bool = False,
) -> Run:
    """The run of a check of the mock at `base`, with these headers on each request.

    `fetch_media` is for a mock whose links are its own: those of recordings are other people's.
    """
    target, plan = _plan(base, tuple(only), claims, fetch_media=fetch_media)
    options = Options(concurrency=8, patience=0.01, strict=strict)
    link = Link(base, KEY, headers=headers, idle=idle, total=120.0)
    return await check(target, link, plan, options, out=_Silent(StringIO()), watch=lambda _: None)


async def hunted(
    base: str,
    headers: Headers = (),
    *,
    seed: int = 0,
    stored: tuple[Found, ...] = (),
    concurrency: int = 8,
    drawn_for: tuple[Role, ...] = DRAWN,
    max_requests: int | None = None,
) -> Run:
    """The run of a check of the mock by generated probes in the default effort, behind the controls alone; of its chat,
    where no other role is named."""
    roles = {role: MODELS[role] for role in drawn_for}
    target = Target("mock", base, models=roles, max_requests=max_requests)
    again, unasked = readable(stored, roles)
    cases = {case.name: case for case in (*again.values(), *_drawn(drawn_for, seed))}
    controls = {
        name: one for name, one in PROBES.items() if name == "models.list" or (one.control and one.role in roles)
    }
    plan = planning.with_generated(planning.plan(target, BOOK, controls), target, (one.probe for one in cases.values()))
    hunt = Hunt(cases, stored, roles, {name: case.name for name, case in again.items()}, unasked)
    options = Options(concurrency=concurrency, patience=0.01, seed=seed, hunt=hunt)
    link = Link(base, KEY, headers=headers, idle=60.0, total=120.0)
    return await check(target, link, plan, options, out=_Silent(StringIO()), watch=lambda _: None)


@lru_cache(maxsize=2)
def _drawn(roles: tuple[Role, ...], seed: int) -> list[Case]:
    """Drawn once for all variants of a batch."""
    return drawn_cases({role: MODELS[role] for role in roles}, seed, Effort())


class _Silent(Writer):
    """Writes no line: the run is handed over whole."""

    def _line(self, record: dict[str, Json]) -> None:
        pass


@lru_cache
def _plan(base: str, only: tuple[str, ...], claims: frozenset[str], *, fetch_media: bool) -> tuple[Target, Plan]:
    target = Target("mock", base, models=MODELS, claims=claims)
    made = planning.plan(target, BOOK, PROBES, only, fetch_media=fetch_media)
    if not only:  # a mock without pauses that is slow for once would look like one that holds streams back
        made = replace(made, probes=tuple(one for one in made.probes if one.probe.id not in STREAMS.only))
    return target, made


# --- many -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Mocks:
    """The base URLs of a mock without pauses and of one that takes its time, where one is needed."""

    quick: str
    paced: str = ""


@contextmanager
def mocks(*, paced: bool = True) -> Iterator[Mocks]:
    """Both mocks, each in a process of its own. The one in time has a recorded video, quick but for its fault."""
    with ExitStack() as stack:
        quick = stack.enter_context(running("--api-key", KEY, "--speed", "max"))
        if not paced:
            yield Mocks(quick)
            return
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        (folder / "quick.jsonl").write_text(write_recording(_quick()), encoding="utf-8")
        yield Mocks(quick, stack.enter_context(running("--api-key", KEY, "--recordings", str(folder))))


def _quick() -> Recording:
    """A recorded video, two hundred times as fast."""
    source = RECORDINGS / "authored" / "seq-1-create-video.jsonl"
    recording = read_recording(source.read_text(encoding="utf-8"), "quick")
    slow = recording.exchange
    reads = tuple(Read(read.at / 200, read.data) for read in slow.reads)
    return replace(recording, exchange=replace(slow, reads=reads, ended_at=slow.ended_at / 200))


async def tried(
    served: Mocks, fault: str, seed: int = 0, *, keep: Path | None = None, fuzz: tuple[Role, ...] = ()
) -> Trial:
    """One fault, in time, at full speed, or both. `keep` is a folder that gets the runs, as JSONL. With `fuzz` by
    probes that are generated for these roles, with the same seed, and by no others."""
    headers, runs = manner(fault, seed), list[Run]()
    if fuzz:
        runs.append(await hunted(served.quick, headers, seed=seed, drawn_for=fuzz))
    elif fault and FAULTS[fault].rare:
        runs.append(await hunted(served.quick, headers, drawn_for=DRAWN_OTHERWISE.get(fault, DRAWN)))
    elif fault in LINKED:
        with running("--api-key", KEY, "--speed", "max", "--fault", fault) as base:
            runs.append(await judged(base, fetch_media=True))
    elif fault not in IN_TIME:
        claims = CLAIMS - {UNCLAIMED[fault]} if fault in UNCLAIMED else CLAIMS
        runs.append(await judged(served.quick, headers, claims=claims))
    paced = IN_TIME.get(fault) or ALSO_IN_TIME.get(fault)
    if paced and served.paced and not fuzz:
        runs.append(await _in_time(served.paced, fault, headers, paced))
    for number, run in enumerate(runs):
        if keep is None:
            break
        text = "".join(f"{line}\n" for line in lines_of(run))
        (keep / f"{fault or 'good'}.{seed}.{number}.jsonl").write_text(text, encoding="utf-8")
    return trial(fault, seed, *runs)


async def _in_time(base: str, fault: str, headers: Headers, paced: Paced) -> Run:
    """Rules told by time rather say nothing than accuse a relay on a machine that is busy: then it is tried again."""
    for _ in range(TRIES - 1):
        run = await judged(base, headers, only=paced.only, idle=paced.idle)
        if not fault or not trial(fault, 0, run).missed:
            return run
    return await judged(base, headers, only=paced.only, idle=paced.idle)


def try_all(
    wanted: Iterable[tuple[str, int]], *, jobs: int = 2, keep: Path | None = None, fuzz: tuple[Role, ...] = ()
) -> Generator[Trial, None, None]:
    """A trial for each fault and seed, as they end. Those that take their time begin first; none does with `fuzz`."""
    pairs = sorted(wanted, key=lambda pair: (pair[0] not in IN_TIME, pair[0] not in ALSO_IN_TIME))
    in_time = {*IN_TIME, *ALSO_IN_TIME, *LINKED}
    if fuzz:
        pairs, in_time = sorted(pairs, key=lambda pair: pair[1]), set()
    slow = [pair for pair in pairs if pair[0] in in_time]
    rare = [pair for pair in pairs if pair[0] and FAULTS[pair[0]].rare]
    quick = [pair for pair in pairs if pair not in slow and pair not in rare]
    batches = [rare[at : at + AT_ONCE] for at in range(0, len(rare), AT_ONCE)]  # the longest first
    batches += [quick[at : at + BATCH] for at in range(0, len(quick), BATCH)]
    with ExitStack() as stack:
        served = [stack.enter_context(mocks(paced=bool(slow) and not at)) for at in range(max(1, jobs // 2))]
        pool = stack.enter_context(_processes(jobs + bool(slow)))
        waiting = [pool.submit(_batch, served[0], slow, len(slow), keep, fuzz)] if slow else []
        waiting += [
            pool.submit(_batch, served[at % len(served)], one, AT_ONCE, keep, fuzz) for at, one in enumerate(batches)
        ]
        for done in as_completed(waiting):
            yield from done.result()


@contextmanager
def _processes(count: int) -> Iterator[ProcessPoolExecutor]:
    """So many processes. Where this one is interrupted they end at once, and also where it is killed: each waits for
    the end of a pipe that this one holds."""
    context, others = get_context("spawn"), active_children()
    theirs, ours = context.Pipe(duplex=False)
    with theirs, ours, ProcessPoolExecutor(count, context, _held, (theirs,)) as pool:
        try:
            yield pool
        except BaseException:  # Ctrl-C too: what is under way need not be waited for
            for process in active_children():
                if process not in others:
                    process.kill()
            raise


def _held(pipe: "Connection") -> None:
    """Begins one of those processes. Ctrl-C on a terminal goes to all of them, and is the first one's to hear."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(pipe,), daemon=True).start()


def _end_with(pipe: "Connection") -> None:
    with suppress(EOFError, OSError):
        pipe.recv_bytes()
    os._exit(1)


def _batch(
    served: Mocks, pairs: Sequence[tuple[str, int]], at_once: int, keep: Path | None, fuzz: tuple[Role, ...]
) -> list[Trial]:
    async def one(fault: str, seed: int) -> Trial:
        async with turn:
            return await tried(served, fault, seed, keep=keep, fuzz=fuzz)

    async def all_of_them() -> list[Trial]:
        return list(await asyncio.gather(*(one(fault, seed) for fault, seed in pairs)))

    turn = asyncio.Semaphore(at_once)
    return asyncio.run(all_of_them())
