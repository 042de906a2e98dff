"""What the options of a session say: whom to judge, by what, and what it may cost."""

import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import pytest

from conformance import plan as planning
from conformance.budget import Budget
from conformance.check import Options
from conformance.extend import Extension, load
from conformance.fuzz import prepare as hunting
from conformance.fuzz.hunt import Hunt
from conformance.fuzz.store import read_failures
from conformance.known import Known
from conformance.outputs import prepare, safe
from conformance.plan import Plan
from conformance.reach import harmless, known_of, reached
from conformance.target import ConfigurationError, Target
from conformance.testing.loop import Loop
from conformance.testing.shared import LIMITS, Drawn, SharedBudget
from conformance.transport import Link

SHARED = "relayproof"  # in the input of a worker of pytest-xdist: where the processes of a session meet


@dataclass
class Setup:
    """One session. `folder` is where its processes meet, None where there is only one; `out` the file of the run."""

    target: Target
    link: Link = field(repr=False)
    known: Known
    book: Extension
    options: Options
    only: tuple[str, ...]
    out: Path
    folder: Path | None = None
    failures: Path = Path()  # of generated probes, asked first next time
    fuzz: bool = False
    cases: int = 0  # random ones, of each operation
    again: bool = False  # some stored failures are named, and asked alone
    loop: Loop = field(default_factory=Loop)

    @property
    def plan(self) -> Plan:
        """What can be asked of this target, and what is drawn behind it."""
        return self._planned[0]

    @property
    def hunt(self) -> Hunt | None:
        """What the generated probes of the plan are made from."""
        return self._planned[1]

    @cached_property
    def written(self) -> Plan:
        """What can be asked of what was written. Raises ConfigurationError."""
        plan = planning.plan(self.target, self.book.rules, self.book.probes, hunting.apart(self.only)[0])
        return replace(plan, extended=self.book.record)

    @cached_property
    def _planned(self) -> tuple[Plan, Hunt | None]:
        """Drawn when it is wanted, not before: hypothesis and schemathesis take their time."""
        if self.again:
            return hunting.again(self.written, self.target, self.only, self.failures)
        if not self.fuzz:
            return self.written, None
        return hunting.drawn(self.written, self.target, self.options.seed, self.cases, self.failures)

    @cached_property
    def budget(self) -> Budget:
        """Of the whole session, whatever asks: items and tests, and all workers."""
        limits = {name: getattr(self.target, name) for name in LIMITS}
        return Budget(**limits) if self.folder is None else SharedBudget(**limits, path=self.folder / "budget.json")

    def drawn(self) -> Budget:
        """A budget that counts one's own, and draws on that of the session."""
        return Drawn.on(self.budget)

    def shared(self) -> dict[str, str]:
        """What a worker is told, so that it meets the others."""
        if self.folder is None:
            self.folder = Path(mkdtemp(prefix="relayproof-"))
        return {"folder": str(self.folder), "out": str(self.out.resolve()), "failures": str(self.failures.resolve())}


def setup(config: pytest.Config) -> Setup:
    """Raises pytest.UsageError with one line for what is wrong with the options."""
    given = {name: config.getoption(f"relay_{name}") for name in GIVEN}
    given |= {"dry_run": config.option.collectonly, "dialects": given["dialects"] or ()}
    try:
        target, link = reached(given)
        options = Options(
            concurrency=given["concurrency"],
            seed=given["seed"],
            repeats=given["repeats"],
            strict=given["strict"],
            total=given["timeout"],
            idle=given["idle_timeout"],
            command=" ".join(["pytest", *map(harmless, _words(config))]),
            known=known_of(given),
        )
        made = Setup(target, link, options.known, load(given["extensions"]), options, tuple(given["only"]), Path())
        made.fuzz, made.cases = given["fuzz"], hunting.random_cases(given["cases"], fuzz=given["fuzz"])
        made.again = bool(hunting.apart(made.only)[1])
        _meet(made, config, given["out"])
        made.written  # noqa: B018 - a word of --relay-only that names nothing is told now
        if made.again:
            made.plan  # noqa: B018 - as above
        if made.fuzz:
            read_failures(made.failures)  # and a file that cannot be read
    except ConfigurationError as error:
        raise pytest.UsageError("relay: " + re.sub(r"--(?=[a-z])", "--relay-", str(error))) from None
    return made


GIVEN = (
    *("base_url", "target_name", "models", "api_key_env", "headers", "proxy", "ca_file", "timeout", "idle_timeout"),
    *("max_requests", "max_tokens", "max_cost", "only", "extensions", "baseline", "dialects", "strict"),
    *("concurrency", "repeats", "out", "fuzz", "cases", "seed"),
)


def _words(config: pytest.Config) -> list[str]:
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    return [*map(str, worker["mainargv"][1:] if worker else config.invocation_params.args)]


def _meet(made: Setup, config: pytest.Config, out: Path | None) -> None:
    """Where the run goes, and in a worker where the others are."""
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    if worker is not None:
        made.folder, made.out = Path(worker[SHARED]["folder"]), Path(worker[SHARED]["out"])
        made.failures = Path(worker[SHARED]["failures"])
        return
    fresh = _fresh(config, made.target.name)
    made.out = out or fresh
    made.failures = fresh.parent / f"{safe(made.target.name)}.failures.jsonl"
    if not config.option.collectonly and out is not None:
        prepare(out)


def _fresh(config: pytest.Config, name: str) -> Path:
    """A file of its own in pytest's cache, which no repository keeps, or in reports/local where there is no cache."""
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    file = f"{stamp}-{safe(name)}.jsonl"
    cache: Any = getattr(config, "cache", None)
    return Path(cache.mkdir("relayproof")) / file if cache is not None else Path("reports") / "local" / file
