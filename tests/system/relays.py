"""The whole way, for tests: a mock in a process of its own, judged over a socket by the real suite."""

import asyncio
import io
from collections.abc import Sequence

from conformance import plan as planning
from conformance.check import Options, check
from conformance.known import Known
from conformance.offline import NOTHING
from conformance.probe import Role
from conformance.probes import PROBES
from conformance.rules import BOOK
from conformance.run import Run, Writer
from conformance.target import Target
from conformance.transport import Link
from mock_server.process import running

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


def judged(
    *serve: str,
    only: Sequence[str] = (),
    idle: float = 3.0,
    claims: frozenset[str] = CLAIMS,
    known: Known = NOTHING,
    fetch_media: bool = False,
) -> Run:
    """The run of a check of the mock, started with these options of `serve` and said to have these capabilities.

    `fetch_media` is for a mock whose links are its own: those of recordings are other people's.
    """
    with running("--api-key", KEY, *serve) as base:
        target = Target("mock", base, models=MODELS, claims=claims)
        plan = planning.plan(target, BOOK, PROBES, only, fetch_media=fetch_media)
        options = Options(concurrency=8, patience=0.01, known=known)
        link = Link(base, KEY, idle=idle, total=120.0)
        return asyncio.run(check(target, link, plan, options, out=Writer(io.StringIO()), watch=lambda _: None))
