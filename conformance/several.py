"""Several relays judged at once, in step, each with a key, a way, a budget and failures of its own."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from conformance.check import Options, Progress, check
from conformance.pace import PATIENCE, Company
from conformance.plan import Plan
from conformance.run import Run, Writer, read_run
from conformance.target import Target
from conformance.transport import Link

Watch = Callable[[int, Progress], None]
"""Told which of them came how far."""


@dataclass(frozen=True)
class Member:
    """One relay among several, and the file that its run is written to."""

    target: Target
    link: Link
    plan: Plan
    options: Options
    out: Path


@dataclass(frozen=True)
class Judged:
    """What came of one: its run, which has no footer where a fault of ours ended it."""

    run: Run
    fault: Exception | None = None


async def check_all(members: Sequence[Member], watch: Watch) -> list[Judged]:
    """Judges all of them, in their order. What goes wrong with one is its own: the others go on."""
    names = [str(number) for number in range(len(members))]
    plans = {name: [one.probe.id for one in member.plan.probes] for name, member in zip(names, members, strict=True)}
    company = Company(plans, PATIENCE)
    work = (_one(number, member, company, watch) for number, member in enumerate(members))
    return list(await asyncio.gather(*work))


async def _one(number: int, member: Member, company: Company, watch: Watch) -> Judged:
    who = str(number)
    with member.out.open("w", encoding="utf-8") as file:
        try:
            run = await check(
                member.target,
                member.link,
                member.plan,
                member.options,
                out=Writer(file),
                watch=lambda progress: watch(number, progress),
                pace=company.member(who),
            )
        except Exception as error:  # noqa: BLE001 - of one relay; its run says that it did not end, the command ends with 5
            return Judged(read_run(member.out.read_text(encoding="utf-8")), error)
        finally:
            company.leave(who)
    return Judged(run)
