"""Sends an answer when its parts are due: the only asynchronous code of the data path.

Times hang on one clock started with the request, so that lateness never adds up. A client that leaves is noticed while
we wait, and ends it. Through `Raw`, which our server puts into the scope, the bytes leave as `replay.on_wire` framed
them; through plain ASGI, as under any other server or none, an early end is told by sending no more.
"""

import asyncio
import logging
import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from email.utils import formatdate
from functools import lru_cache
from time import perf_counter, time
from typing import NamedTuple, Protocol

from starlette.types import Receive, Scope, Send

from mock_server.answer import Answer
from mock_server.replay import (
    Connection,
    Pace,
    Piece,
    at_once,
    framing_of,
    on_wire,
    schedule,
    sent_headers,
    squeezed,
    stays_open,
)
from openapi.wire.exchange import End, Framing

EXTENSION = "relayproof.transport"
RESET_DELAY = 0.05  # seconds that what was written before a reset gets to arrive

logger = logging.getLogger(__name__)


Say = Callable[[bytes, bool], None]  # all of an answer, and whether the connection stays open


class Raw(Protocol):
    """The connection under one request, for bytes that ASGI cannot say."""

    connection: Connection

    def write(self, data: bytes) -> None: ...

    async def drain(self) -> None: ...

    def finish(self, *, keep_alive: bool) -> None:
        """The answer is over; close unless another may follow."""

    def reset(self) -> None:
        """Break the connection (TCP RST)."""

    def when_left(self, call: Callable[[], None]) -> None:
        """Call this once the client is gone, at once if it is."""


class Sent(NamedTuple):
    """What went out of an answer: its bytes, head and framing too where they are ours, and when the first and the last
    of them left, in seconds since the request, None where none did. `late` is the worst lateness in seconds; `left`
    whether the client was gone before the end."""

    size: int
    first: float | None
    last: float | None
    late: float
    left: bool


class Moment:
    """When a request came: in seconds since 1970, and where the clock stood that only runs forward."""

    __slots__ = ("came", "started")

    def __init__(self) -> None:
        self.came, self.started = time(), perf_counter()

    def elapsed(self) -> float:
        """Seconds since then."""
        return perf_counter() - self.started


class Clock:
    """Seconds since a request came, and waiting for one of them or for the client to leave: over a `raw` connection
    that says so, else by `receive`. `note` is told how late each moment was that was waited for, in seconds."""

    __slots__ = (
        "_note",
        "_raw",
        "_receive",
        "_sleeper",
        "_watched",
        "_watcher",
        "first",
        "last",
        "late",
        "left",
        "moment",
        "size",
    )

    def __init__(
        self,
        receive: Receive,
        moment: Moment | None = None,
        raw: Raw | None = None,
        note: Callable[[float], None] | None = None,
    ) -> None:
        self.moment = moment or Moment()
        self._note = note
        self.left = False
        self.late = 0.0  # the worst lateness, in seconds
        self.size = 0  # bytes that went out
        self.first: float | None = None  # when they began to, and when they ended
        self.last: float | None = None
        self._receive = receive
        self._raw = raw
        self._watched = False
        self._watcher: asyncio.Task[None] | None = None
        self._sleeper: asyncio.Future[None] | None = None

    def elapsed(self) -> float:
        return self.moment.elapsed()

    def count(self, size: int) -> None:
        """So many bytes leave now."""
        self.last = self.elapsed()
        if not self.size:
            self.first = self.last
        self.size += size

    @property
    def sent(self) -> Sent:
        return Sent(self.size, self.first, self.last, self.late, self.left)

    async def until(self, due: float | None) -> bool:
        """Waits for that moment, None for ever. False as soon as the client has left."""
        waited = False
        while not self.left and (due is None or due > self.elapsed()):
            waited = True
            loop = asyncio.get_running_loop()
            if not self._watched:
                self._begin_to_watch()
            self._sleeper = loop.create_future()
            timer = loop.call_later(due - self.elapsed(), self._wake) if due is not None else None
            try:
                await self._sleeper
            finally:
                if timer:
                    timer.cancel()
        if due is not None and not self.left:
            late = self.elapsed() - due
            self.late = max(self.late, late)
            if waited and self._note:
                self._note(late)
        return not self.left

    def _wake(self) -> None:
        if self._sleeper and not self._sleeper.done():
            self._sleeper.set_result(None)

    def _begin_to_watch(self) -> None:
        self._watched = True
        if self._raw:
            self._raw.when_left(self._leave)
        else:
            self._watcher = asyncio.create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass
        self._leave()

    def _leave(self) -> None:
        self.left = True
        self._wake()

    def stop(self) -> None:
        if self._watcher:
            self._watcher.cancel()


@dataclass(frozen=True, slots=True)
class Responder:
    """One request's way back."""

    scope: Scope
    receive: Receive
    send: Send
    clock: Clock
    pace: Pace

    async def respond(self, answer: Answer) -> Sent:
        """Send the whole answer, or as much as the client stays for."""
        raw: Raw | None = self.scope.get("extensions", {}).get(EXTENSION)
        if self.pace.gap != math.inf:
            answer = squeezed(answer, self.pace.gap * self.pace.speed)
        try:
            await (self._raw(answer, raw) if raw else self._asgi(answer))
        finally:
            self.clock.stop()
        return tell(self.scope["path"], self.clock.sent)

    async def _raw(self, answer: Answer, raw: Raw) -> None:
        connection = raw.connection
        whole = at_once(answer, self.pace, connection, date())
        if whole is not None:
            data, keep_alive = whole
            await self._put(data, raw)
            raw.finish(keep_alive=keep_alive)
        elif await self._write(on_wire(answer, self.pace, connection, date()), raw):
            await self._end(answer, raw)

    async def _end(self, answer: Answer, raw: Raw) -> None:
        """What comes behind the last byte."""
        over = self.pace.due(answer.ended_at)
        if answer.end is End.TIMEOUT:
            await self.clock.until(None)
            raw.finish(keep_alive=False)
        elif answer.end is End.RESET:
            if await self.clock.until(max(over, self.clock.elapsed() + RESET_DELAY)):
                raw.reset()
        elif await self.clock.until(over):
            raw.finish(keep_alive=stays_open(answer, raw.connection))

    async def _write(self, pieces: Iterable[Piece], raw: Raw) -> bool:
        """Writes each piece at its time, joined with others that are due by then if the pace allows it."""
        now, joined = self.clock.elapsed(), self.pace.joined
        waiting: list[bytes] = []
        for due, data in pieces:
            if due > now or (waiting and not joined):
                await self._flush(waiting, raw)
                if not await self.clock.until(due):
                    return False
                now = self.clock.elapsed()
            waiting.append(data)
        await self._flush(waiting, raw)
        return not self.clock.left

    async def _flush(self, waiting: list[bytes], raw: Raw) -> None:
        if waiting:
            data = waiting[0] if len(waiting) == 1 else b"".join(waiting)
            waiting.clear()
            await self._put(data, raw)

    async def _put(self, data: bytes, raw: Raw) -> None:
        if data:
            self.clock.count(len(data))
        raw.write(data)
        await raw.drain()

    async def _asgi(self, answer: Answer) -> None:
        connection = Connection(self.scope["method"], self.scope.get("http_version", "1.1"))
        framing = framing_of(answer, connection)
        body = list(schedule(answer, self.pace)) if framing is not Framing.NONE else []
        over = self.pace.due(answer.ended_at)
        headers = sent_headers(answer, framing, "", keep_alive=True)
        started = False
        for due, data in [*body, (over, b"")]:
            if not await self.clock.until(due):
                return
            if not started:
                await self.send({"type": "http.response.start", "status": answer.status, "headers": _encoded(headers)})
                started = True
            if data:
                self.clock.count(len(data))
                await self.send({"type": "http.response.body", "body": data, "more_body": True})
        if answer.end is End.COMPLETE:
            await self.send({"type": "http.response.body", "body": b"", "more_body": False})
        elif answer.end is End.TIMEOUT:
            await self.clock.until(None)


def tell(path: str, sent: Sent) -> Sent:
    """Logs what became of an answer, for who wants to know."""
    if logger.isEnabledFor(logging.DEBUG):
        left = " and the client left" if sent.left else ""
        logger.debug("%s: %.1f ms late at worst%s", path, sent.late * 1000, left)
    return sent


def _encoded(headers: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    """For ASGI: names in lower case; Date and Transfer-Encoding are the server's own."""
    return [
        (name.lower().encode("latin-1"), value.encode("utf-8"))
        for name, value in headers
        if name.lower() not in {"date", "transfer-encoding"}
    ]


def date() -> str:
    """Now, for the header Date (RFC 9110 section 6.6.1)."""
    return _date(int(time()))


@lru_cache(maxsize=1)
def _date(second: int) -> str:
    return formatdate(second, usegmt=True)
