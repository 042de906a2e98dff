"""Several relays asked in step: the same probe goes to all of them at about the same time, so that the hour decides
nothing.

Each probe is a meeting. Who comes to it waits for the others that are to come; who plans it not, or has left, is not
waited for. A slow relay is waited for as long as it comes to one meeting after the other; one that has come to none for
the time of `patience` is late, and not waited for until it has caught up: a relay that hangs holds the others up once.
"""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Protocol

PATIENCE = 30.0  # seconds


class Pace(Protocol):
    """What a check asks before it makes a probe."""

    async def meet(self, probe: str) -> None:
        """Returns when the probe may go out."""

    def skip(self, probe: str) -> None:
        """Says that the probe will not be made."""


class Alone:
    """The pace of a check that has no company."""

    async def meet(self, probe: str) -> None:
        pass

    def skip(self, probe: str) -> None:
        pass


ALONE = Alone()


class Company:
    """The meetings of several checks. `plans` are the ids of the probes that each is to make, by its name."""

    def __init__(self, plans: Mapping[str, Iterable[str]], patience: float) -> None:
        self.patience = patience
        self._awaited: dict[str, set[str]] = {}
        for who, probes in plans.items():
            for probe in probes:
                self._awaited.setdefault(probe, set()).add(who)
        self._open = {probe: asyncio.Event() for probe in self._awaited}
        self._begun: set[str] = set()  # probes that somebody has gone out with
        self._late: set[str] = set()
        self._seen: dict[str, float] = {}  # when each last came to a meeting, by the clock of the loop

    def member(self, who: str) -> "Member":
        return Member(self, who)

    async def meet(self, who: str, probe: str) -> None:
        if probe not in self._open:
            return  # of no plan: it came up on the way
        if probe not in self._begun:
            self._late.discard(who)  # it has caught up
        self.skip(who, probe)
        self._seen[who] = _now()
        while not self._open[probe].is_set():
            await self._wait(probe)
        self._begun.add(probe)
        self._seen[who] = _now()  # who waited was not silent

    async def _wait(self, probe: str) -> None:
        """Waits until it is open, or somebody has been silent for too long."""
        since = {who: self._seen.setdefault(who, _now()) for who in self._awaited[probe] - self._late}
        with suppress(TimeoutError):
            async with asyncio.timeout(min(since.values()) + self.patience - _now()):
                await self._open[probe].wait()
        silent = {who for who in since if self._seen[who] + self.patience <= _now()}
        self._late |= silent & self._awaited[probe]
        self._look()

    def skip(self, who: str, probe: str) -> None:
        """It has come to this one, or will not."""
        self._awaited.get(probe, set()).discard(who)
        self._look()

    def leave(self, who: str) -> None:
        """Nobody waits for it any more."""
        for awaited in self._awaited.values():
            awaited.discard(who)
        self._look()

    def _look(self) -> None:
        for probe, awaited in self._awaited.items():
            if not awaited - self._late:
                self._open[probe].set()


class Member:
    """The pace of one of them."""

    def __init__(self, company: Company, who: str) -> None:
        self._company = company
        self._who = who

    async def meet(self, probe: str) -> None:
        await self._company.meet(self._who, probe)

    def skip(self, probe: str) -> None:
        self._company.skip(self._who, probe)


def _now() -> float:
    return asyncio.get_running_loop().time()
