"""The connection under a request, on our server.

uvicorn is used as a library: its protocol on httptools parses requests and keeps connections alive. The answers are
written past it, by `Connected`, because ASGI cannot break framing and makes each chunk a write; and what can be
answered at once is, without a task (`Direct`). That rests on a few names inside uvicorn (`cycle`, `flow`,
`on_headers_complete`, `send_400_response`, `_start_asgi_task`), which the tests of this module hold.
"""

import contextlib
import socket
import struct
from collections.abc import Callable
from typing import TYPE_CHECKING, cast
from typing import Protocol as Interface

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server import synthesis
from mock_server.replay import AS_RECORDED, Connection, on_wire
from mock_server.respond import EXTENSION, Raw, date

if TYPE_CHECKING:
    from uvicorn._types import ASGI3Application

SHORT = 64 << 10  # bytes of a body that is awaited before anything is decided


class Direct(Interface):
    """An application that may answer without a task."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...

    def directly(self, scope: Scope, body: bytes, raw: Raw) -> ASGIApp | None:
        """Writes the answer to a request that came whole, or says who sends it."""


class Protocol(HttpToolsProtocol):
    """uvicorn's, with the connection handed to the application, names of fields as they were sent, our envelope for
    what is no HTTP, and no task for what is answered at once: one is started when a short request is whole, or proves
    not to be short."""

    held: Direct | None = None  # who is to answer the request that is coming in
    watch: Callable[[], None] | None = None  # who wants to know when the client leaves

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        if self.watch:
            self.watch()
            self.watch = None

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        connected = Connected(self)
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {EXTENSION: connected})
        super().on_headers_complete()
        connected.cycle = self.cycle

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: "ASGI3Application") -> None:
        if cycle is self.cycle and cycle.more_body and not self.expect_100_continue and hasattr(app, "directly"):
            self.held = cast("Direct", app)
        else:
            super()._start_asgi_task(cycle, app)

    def on_body(self, body: bytes) -> None:
        super().on_body(body)
        if self.held and len(self.cycle.body) > SHORT:
            self._release(self.held)

    def on_message_complete(self) -> None:
        super().on_message_complete()
        if self.held and self.flow.write_paused:  # a client that asks on and does not read waits its turn
            self._release(self.held)
        elif self.held:
            scope = cast("Scope", self.cycle.scope)
            app = self.held.directly(scope, bytes(self.cycle.body), scope["extensions"][EXTENSION])
            if app is not self.held:  # who has decided needs it no more: many streams may be open at once
                self.cycle.body.clear()
                scope["headers"].clear()
            self._release(app)

    def _release(self, app: ASGIApp | None) -> None:
        self.held = None
        if app:
            super()._start_asgi_task(self.cycle, cast("ASGI3Application", app))

    def send_400_response(self, msg: str) -> None:
        under_way = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not under_way:
            refusal = synthesis.error(400, msg, type="invalid_request_error", code="invalid_http")
            pieces = on_wire(refusal, AS_RECORDED, Connection(keep_alive=False), date())
            self.transport.write(b"".join(data for _, data in pieces))
        self.transport.close()


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
