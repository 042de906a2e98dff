"""Probes sent to a live relay, each answer kept as a recording: by the same plan, transport and budget as a check."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from io import StringIO
from pathlib import Path

from conformance.check import Options, Watch, check
from conformance.judge import last_attempts
from conformance.plan import Plan
from conformance.probe import Planned
from conformance.run import Run, Writer
from conformance.target import Target
from conformance.transport import Link
from openapi import document
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import Recording, write_recording


def chosen(plan: Plan, words: Sequence[str]) -> Plan:
    """The plan with the probes of these names or chapters, or for these operations; all without words."""
    kept = tuple(one for one in plan.probes if not words or any(_means(word, one) for word in words))
    return replace(plan, probes=kept, only=tuple(words))


def _means(word: str, planned: Planned) -> bool:
    name = planned.probe.id
    return name == word or name.startswith(f"{word}.") or word in _operations(planned)


def _operations(planned: Planned) -> set[str]:
    asked = (one.request for one in planned.unanswered())
    return {match.operation.id for one in asked if (match := document.load().match(one.method, one.path))}


async def ask(target: Target, link: Link, plan: Plan, options: Options, watch: Watch) -> Run:
    """The run of the probes, judged by no rule. Raises ConfigurationError."""
    return await check(target, link, replace(plan, rules={}, skipped=()), options, out=Writer(StringIO()), watch=watch)


def write(run: Run, folder: Path, of: str) -> Iterator[Path]:
    """A recording of each answer, named by its probe; of a request that was sent again the last. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    for exchange in last_attempts(run.exchanges):
        if exchange.status is not None:
            path = folder / f"{_name(exchange)}.jsonl"
            path.write_text(write_recording(Recording("recorded", of, exchange)), encoding="utf-8")
            yield path


def _name(exchange: Exchange) -> str:
    step = f"-{exchange.step}" if exchange.step else ""
    return f"{exchange.probe or exchange.id}{step}"
