"""A connection, and the requests that come on it: uvicorn's protocol on httptools, and what is written past it.

uvicorn parses requests and keeps connections alive. The answers are written past it, by `Connected`, because ASGI
cannot break framing and makes each chunk a write; and what can be answered at once is, without a task (`Direct`). A
request whose head came before, byte for byte, is answered past it altogether (`head.py`). That rests on a few names
inside uvicorn (`cycle`, `flow`, `pipeline`, `on_headers_complete`, `on_response_complete`, `send_400_response`,
`timeout_keep_alive_handler`, `_start_asgi_task`), which the tests of this module and of `head.py` hold.

A client may be hostile, or broken: what is no HTTP is told in our envelope, in its turn behind the requests that came
whole before it; a head that does not end, and a request that stands still, end the connection.
"""

import asyncio
import contextlib
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar, cast
from typing import Protocol as Interface

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server import synthesis
from mock_server.answer import Answer
from mock_server.head import Head, Heads
from mock_server.replay import AS_RECORDED, Connection, on_wire
from mock_server.respond import EXTENSION, Say, date
from openapi.wire.http1 import MAX_HEAD

if TYPE_CHECKING:
    from collections import deque

    from uvicorn._types import ASGI3Application

T = TypeVar("T")

SHORT = 64 << 10  # bytes of a body that is awaited before anything is decided
PATIENCE = 60.0  # seconds in which a head must come, and something of a body


class Direct(Interface):
    """An application that may answer without a task."""

    heads: Heads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def directly(self, head: Head, body: bytes, say: Say) -> ASGIApp | None:
        """Writes the answer to a request that came whole, or says who sends it."""


class Line(list[T]):
    """A short queue: a deque weighs 760 bytes while it is empty, and each connection has one."""

    def appendleft(self, one: T) -> None:
        self.insert(0, one)

    def popleft(self) -> T:
        return self.pop(0)


class Protocol(HttpToolsProtocol):
    """uvicorn's, with the connection handed to the application, names of fields as they were sent, our envelope for
    what is no HTTP, and no task for what is answered at once: one is started when a short request is whole, or proves
    not to be short."""

    held: Direct | None = None  # who is to answer the request that is coming in
    watch: Callable[[], None] | None = None  # who wants to know when the client leaves
    _bare = 0  # bytes since the last that belonged to a body, or ended a request
    _asking = True  # whether a request is still to come, or is coming
    _in_head = True  # no body yet
    _moved = False  # whether anything came since the last look
    _heads_seen = 0  # looks at a head that is not whole
    _refusal: Answer | None = None  # what is said last, behind the answers that are under way
    _look: asyncio.TimerHandle | None = None
    _came = b""  # what came, where it began between two requests
    _decided: ASGIApp | None = None  # who sends the answer to what is read now
    _answered = 0.0  # when the last answer was given that uvicorn does not know of

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.pipeline = cast("deque[tuple[RequestResponseCycle, ASGI3Application]]", Line())
        self._look = self.loop.call_later(PATIENCE, self._look_again)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look:
            self._look.cancel()
        super().connection_lost(exc)
        if self.watch:
            self.watch()
            self.watch = None

    # --- what comes -------------------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self.transport.is_closing():
            return
        # between two requests: all that began are answered, and the client reads what it is sent
        between = not self._asking and self.cycle.response_complete and not self.pipeline and not self.flow.write_paused
        if between and len(data) <= SHORT and self._knows(data):
            return
        self._moved = True
        self._bare += len(data)
        self._came = data if between else b""
        super().data_received(data)
        self._came, self._decided = b"", None
        if self._bare > MAX_HEAD and not self.transport.is_closing():
            self._refuse(_refusal(431, f"More than {MAX_HEAD} bytes came that are no body.", "request_head_too_large"))

    def _knows(self, data: bytes) -> bool:
        """Answers a request that came whole and whose head is known, past uvicorn. One whose answer takes time is
        decided, and then read as any other."""
        app: Direct = self.app
        known = app.heads.find(data)
        if known is None:
            return False
        self._decided = app.directly(*known, self._answer)
        return self._decided is None

    def _answer(self, data: bytes, keep_alive: bool) -> None:
        self._answered = self.loop.time()
        self.server_state.total_requests += 1
        self.transport.write(data)
        if not keep_alive:
            self.transport.close()

    def timeout_keep_alive_handler(self) -> None:
        """Begins anew behind what was answered since the timer began."""
        left = self._answered + self.timeout_keep_alive - self.loop.time()
        if left > 0 and not self.transport.is_closing():
            self.timeout_keep_alive_task = self.loop.call_later(left, self.timeout_keep_alive_handler)
        else:
            super().timeout_keep_alive_handler()

    def on_message_begin(self) -> None:
        self._asking = self._in_head = True
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        connected = Connected(self)
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {EXTENSION: connected})
        super().on_headers_complete()
        connected.cycle = self.cycle
        self._in_head = False  # now: a target that cannot be read has made no cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        if cycle is self.cycle and cycle.more_body and not self.expect_100_continue and hasattr(app, "directly"):
            self.held = cast("Direct", app)
        else:
            super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        self._bare = 0
        super().on_body(body)
        if self.held and len(self.cycle.body) > SHORT:
            self._release(self.held)

    def on_message_complete(self) -> None:
        self._bare, self._asking = 0, False
        super().on_message_complete()
        if self.held and self.flow.write_paused:  # a client that asks on and does not read waits its turn
            self._release(self.held)
        elif self.held:
            sender = self._decided or self._decide(self.held)
            if sender is not self.held:  # who has decided needs it no more: many streams may be open at once
                self.cycle.body.clear()
                self.headers.clear()
            self._release(sender)
        self._came = b""

    def _decide(self, app: Direct) -> ASGIApp | None:
        scope, body = cast("Scope", self.cycle.scope), bytes(self.cycle.body)
        head = app.heads.read(scope, keep_alive=self.cycle.keep_alive)
        if self._came:
            app.heads.learn(self._came, head, body)
        return app.directly(head, body, scope["extensions"][EXTENSION].say)

    def _release(self, app: ASGIApp | None) -> None:
        self.held = None
        if app:
            super()._start_asgi_task(self.cycle, cast("ASGI3Application", app))

    # --- what is refused --------------------------------------------------------------------------------------------

    def send_400_response(self, msg: str) -> None:
        self._refuse(_refusal(400, msg, "invalid_http"))

    def _refuse(self, refusal: Answer) -> None:
        """Says it and closes, once what came whole is answered; cuts an answer whose own request broke."""
        if self.transport.is_closing():
            return
        broken = self.cycle if self._asking and not self._in_head else None  # whose body is not whole
        if broken and self.pipeline and self.pipeline[0][0] is broken:
            self.pipeline.popleft()
            broken = None
        if broken and not broken.response_complete:
            if not broken.response_started:
                self._say(refusal)
            self.transport.close()
        elif self._is_answering:
            self._refusal = refusal
        else:
            self._say(refusal)
            self.transport.close()

    @property
    def _is_answering(self) -> bool:
        """Whether an answer to a request that came whole is under way, or waits for its turn."""
        return bool(self.pipeline) or (self.cycle is not None and not self.cycle.response_complete)

    def _say(self, refusal: Answer) -> None:
        pieces = on_wire(refusal, AS_RECORDED, Connection(keep_alive=False), date())
        self.transport.write(b"".join(data for _, data in pieces))

    def on_response_complete(self) -> None:
        last = not self.pipeline
        super().on_response_complete()
        if last and self._refusal is not None and not self.transport.is_closing():
            self._say(self._refusal)
            self.transport.close()

    def _look_again(self) -> None:
        """Closes a connection whose request stands still, or whose head has not come in all the time since the look
        before; nothing is said to one that never asked."""
        waiting = self._asking and not self.flow.read_paused and not self._answers_another
        self._heads_seen = self._heads_seen + 1 if waiting and self._in_head and self.headers is not None else 0
        if waiting and (not self._moved or self._heads_seen > 1):
            if self.headers is not None:
                self._refuse(_refusal(408, f"The request did not come within {PATIENCE:g} s.", "request_timeout"))
            self.transport.close()
        self._moved = False
        if not self.transport.is_closing():
            self._look = self.loop.call_later(PATIENCE, self._look_again)

    @property
    def _answers_another(self) -> bool:
        """Whether an answer is under way that is not to what is still coming."""
        under_way = self.cycle is not None and not self.cycle.response_complete
        return under_way and (self._in_head or self.cycle.response_started or bool(self.pipeline))


def _refusal(status: int, message: str, code: str) -> Answer:
    return synthesis.error(status, message, type="invalid_request_error", code=code)


class Connected:
    """The connection under one request (`respond.Raw`)."""

    __slots__ = ("cycle", "protocol")

    def __init__(self, protocol: Protocol) -> None:
        self.protocol = protocol
        self.cycle: RequestResponseCycle = protocol.cycle

    @property
    def connection(self) -> Connection:
        scope = self.cycle.scope
        return Connection(scope["method"], scope["http_version"], self.cycle.keep_alive)

    def write(self, data: bytes) -> None:
        self.cycle.response_started = True
        self.cycle.waiting_for_100_continue = False
        if data and not self.protocol.transport.is_closing():
            self.protocol.transport.write(data)

    def say(self, data: bytes, keep_alive: bool) -> None:
        self.write(data)
        self.finish(keep_alive=keep_alive)

    async def drain(self) -> None:
        if self.protocol.flow.write_paused:
            await self.protocol.flow.drain()

    def when_left(self, call: Callable[[], None]) -> None:
        if self.cycle.disconnected:
            call()
        else:
            self.protocol.watch = call

    def finish(self, *, keep_alive: bool) -> None:
        self.protocol.watch = None
        cycle = self.cycle
        cycle.response_started = cycle.response_complete = True
        cycle.message_event.set()
        if not keep_alive or not cycle.keep_alive:
            self.protocol.transport.close()
        cycle.on_response()

    def reset(self) -> None:
        transport = self.protocol.transport
        with contextlib.suppress(OSError, ValueError, AttributeError):  # gone already, or none: in memory
            linger = struct.pack("ii", 1, 0)
            transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.cycle.response_started = self.cycle.response_complete = True
        transport.abort()
