"""The process: sockets, uvicorn, and the connection under a request.

uvicorn is used as a library: its protocol on httptools parses requests and keeps connections alive. The answers are
written past it, by `Connected`, because ASGI cannot break framing and makes each chunk a write. That rests on a few
names inside uvicorn (`cycle`, `flow`, `on_headers_complete`, `send_400_response`), which the tests of this module hold.
"""

import asyncio
import contextlib
import gc
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from mock_server import synthesis
from mock_server.app import create_app
from mock_server.library import RECORDINGS, Library, load
from mock_server.options import Options
from mock_server.recorder import Recorder
from mock_server.replay import AS_RECORDED, Connection, on_wire
from mock_server.respond import EXTENSION, date
from mock_server.script import Script
from mock_server.script.reading import check_recordings
from mock_server.script.reading import load as load_script
from openapi import document

if TYPE_CHECKING:
    from mock_server.workers.member import Member

GARBAGE = 20_000, 50, 20  # a journal keeps what it is given: a young object is seldom garbage
GRACE = 1  # seconds that answers under way get when the server is told to stop
KEEP_ALIVE = 75  # seconds that an idle connection is kept; longer than clients keep theirs


def library(options: Options) -> Library:
    """The recordings to serve. Raises LibraryError."""
    return load(options.recordings or RECORDINGS, document.load())


def scripted(options: Options, recordings: Library) -> Script:
    """The script to play. Raises ScriptError, also for a recording that is not there."""
    seed = options.conduct.seed
    if options.script is None:
        return Script(seed=seed)
    return check_recordings(load_script(options.script, seed), recordings, str(options.script))


def recorder(options: Options) -> Recorder | None:
    """What keeps the answers of an upstream."""
    if options.upstream is None or options.record_to is None:
        return None
    return Recorder(options.record_to, f"{options.upstream.url}, through the proxy")


def build(options: Options, recordings: Library | None = None, meeting: Path | None = None) -> ASGIApp:
    """The application. One of several worker processes calls it with the options, and where they meet (`workers/`)."""
    member = _joined(meeting, options) if meeting else None
    recordings = recordings or library(options)
    options = replace(options, conduct=replace(options.conduct, script=scripted(options, recordings)))
    reload = partial(library, options)
    app = create_app(document.load(), recordings, options, reload=reload, recorder=recorder(options), member=member)
    gc.collect()
    gc.freeze()  # what was loaded stays: nobody need look through it again and again
    gc.set_threshold(*GARBAGE)
    return partial(_until_cancelled, app)


def _joined(meeting: Path, options: Options) -> "Member":
    """This process as one of the workers that meet there."""
    from mock_server.workers.member import Member  # noqa: PLC0415 - only where there are several

    return Member(meeting, options.workers)


async def _until_cancelled(app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """A stream that is cut when the server stops is no error to be logged with a traceback."""
    try:
        await app(scope, receive, send)
    except asyncio.CancelledError:
        connected: Connected | None = scope.get("extensions", {}).get(EXTENSION)
        if connected:
            connected.finish(keep_alive=False)


def listen(host: str, port: int) -> socket.socket:
    """A bound and listening socket; port 0 takes a free one. Raises OSError.

    TCP_NODELAY hangs on `proto` in asyncio: without it each answer waits 40 ms for an acknowledgement.
    """
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    bound = socket.socket(family, kind, socket.IPPROTO_TCP)
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(address)
        bound.listen(2048)
    except OSError:
        bound.close()
        raise
    bound.set_inheritable(True)
    return bound


def url_of(bound: socket.socket) -> str:
    """The base URL that reaches a listening socket from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{host}:{port}"


def serve(options: Options, bound: socket.socket, recordings: Library | None = None) -> None:
    """Serves until it is told to stop. Raises KeyboardInterrupt if that was Ctrl-C."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what matters in it is told by app.py
    if options.workers == 1:
        Server(config(partial(build, options, recordings))).run(sockets=[bound])
        return
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - imports multiprocessing, only then

    from mock_server.workers import hub  # noqa: PLC0415

    with hub.running() as path:
        Multiprocess(config(partial(build, options, None, path), workers=options.workers), sockets=[bound]).run()


def config(factory: Callable[[], ASGIApp], workers: int = 1) -> Config:
    """uvicorn's settings: nothing of its own on the wire, and an end to every shutdown."""
    return Config(
        factory,
        factory=True,
        workers=workers,
        http=Protocol,
        loop="auto",
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=False,
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=GRACE,
    )


class Protocol(HttpToolsProtocol):
    """uvicorn's, with the connection handed to the application, names of fields as they were sent, and our envelope for
    what is no HTTP."""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        connected = Connected(self)
        self.scope["extensions"] = cast("dict[str, dict[object, object]]", {EXTENSION: connected})
        super().on_headers_complete()
        connected.cycle = self.cycle

    def send_400_response(self, msg: str) -> None:
        under_way = self.cycle is not None and self.cycle.response_started and not self.cycle.response_complete
        if not under_way:
            refusal = synthesis.error(400, msg, type="invalid_request_error", code="invalid_http")
            pieces = on_wire(refusal, AS_RECORDED, Connection(keep_alive=False), date())
            self.transport.write(b"".join(data for _, data in pieces))
        self.transport.close()


class Connected:
    """The connection under one request (`respond.Raw`)."""

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

    def finish(self, *, keep_alive: bool) -> None:
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
