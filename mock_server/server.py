"""The process: its options, its socket, and uvicorn, which is used as a library (`protocol.py`)."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn import Config, Server

from mock_server.app import create_app
from mock_server.journal import MOST as JOURNAL
from mock_server.latency import USUAL, Latency
from mock_server.library import RECORDINGS, Library, load
from mock_server.protocol import Connected, Protocol
from mock_server.recorder import Recorder
from mock_server.replay import AS_RECORDED, Pace
from mock_server.respond import EXTENSION
from mock_server.script import Script
from mock_server.script.reading import check_recordings
from mock_server.script.reading import load as load_script
from mock_server.upstream import Upstream
from mock_server.validation import Mode as Validation
from mock_server.wish import Wish
from openapi import document

GARBAGE = 20_000, 50, 20  # a journal keeps what it is given: a young object is seldom garbage
GRACE = 1  # seconds that answers under way get when the server is told to stop
KEEP_ALIVE = 75  # seconds that an idle connection is kept; longer than clients keep theirs


@dataclass(frozen=True, slots=True)
class Options:
    """How to serve. `recordings` None takes the built-in ones; `strict` answers nothing that was not recorded or
    scripted."""

    host: str = "127.0.0.1"
    port: int = 8787
    recordings: Path | None = None
    pace: Pace = AS_RECORDED
    faults: tuple[Wish, ...] = ()
    api_key: str | None = None
    workers: int = 1
    seed: int = 0
    script: Path | None = None
    latency: Latency = USUAL
    strict: bool = False
    control: bool = True
    token: str | None = field(default=None, repr=False)
    journal: int = JOURNAL
    upstream: Upstream | None = None
    record_to: Path | None = None
    validate: Validation = Validation.REJECT


def library(options: Options) -> Library:
    """The recordings to serve. Raises LibraryError."""
    return load(options.recordings or RECORDINGS, document.load())


def scripted(options: Options, recordings: Library) -> Script:
    """The script to play. Raises ScriptError, also for a recording that is not there."""
    if options.script is None:
        return Script(seed=options.seed)
    return check_recordings(load_script(options.script, options.seed), recordings, str(options.script))


def recorder(options: Options) -> Recorder | None:
    """What keeps the answers of an upstream."""
    if options.upstream is None or options.record_to is None:
        return None
    return Recorder(options.record_to, f"{options.upstream.url}, through the proxy")


def build(options: Options, recordings: Library | None = None) -> ASGIApp:
    """The application; what a worker process calls with the options alone."""
    recordings = recordings or library(options)
    app = create_app(
        document.load(),
        recordings,
        wanted=options.faults,
        api_key=options.api_key,
        pace=options.pace,
        seed=options.seed,
        script=scripted(options, recordings),
        latency=options.latency,
        strict=options.strict,
        mode=options.validate,
        control=options.control,
        token=options.token,
        journal=options.journal,
        workers=options.workers,
        reload=partial(library, options),
        upstream=options.upstream,
        recorder=recorder(options),
    )
    gc.collect()
    gc.freeze()  # what was loaded stays: nobody need look through it again and again
    gc.set_threshold(*GARBAGE)
    return partial(_until_cancelled, app)


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

    Multiprocess(config(partial(build, options), workers=options.workers), sockets=[bound]).run()


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
