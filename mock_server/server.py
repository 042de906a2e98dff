"""The process: its socket, its workers, and uvicorn around our connections."""

import asyncio
import gc
import logging
import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, cast

from starlette.types import ASGIApp
from uvicorn import Config, Server

from mock_server.adapter import Adapter
from mock_server.app import create_app
from mock_server.library import RECORDINGS, Library, load
from mock_server.options import USUAL, Options
from mock_server.protocol import Protocol
from mock_server.recorder import Recorder
from mock_server.relay import Relay
from mock_server.script import Script
from mock_server.script.reading import check_recordings
from mock_server.script.reading import load as load_script
from mock_server.watching import Follow, watch
from openapi import document

if TYPE_CHECKING:
    from mock_server.workers.member import Member

GARBAGE = 20_000, 50, 20  # a journal keeps what it is given: a young object is seldom garbage
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


class AliasError(ValueError):
    """An alias of a model that there is not."""


def check_aliases(options: Options, recordings: Library, script: Script) -> None:
    """Raises AliasError. A relay that is passed on to knows its models itself."""
    relay = Relay(document.load(), recordings, replace(options.conduct, script=script, aliases=()))
    for name, model in options.conduct.aliases:
        if options.upstream is None and not relay.knows(model):
            near = "".join(f"; did you mean {one}?" for one in get_close_matches(model, relay.known_models, 1))
            msg = f"--alias {name}={model}: no model is named {model}{near}"
            raise AliasError(msg)


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
    if options.watch:
        app.following = asyncio.get_running_loop().create_task(watch(_follows(app.adapter, options)))
    gc.collect()
    gc.freeze()  # what was loaded stays: nobody need look through it again and again
    gc.set_threshold(*GARBAGE)
    return app


def _joined(meeting: Path, options: Options) -> "Member":
    """This process as one of the workers that meet there."""
    from mock_server.workers.member import Member  # noqa: PLC0415 - only where there are several

    return Member(meeting, options.workers)


def _follows(adapter: Adapter, options: Options) -> Iterator[Follow]:
    yield Follow(options.recordings or RECORDINGS, adapter.reload)
    if options.script:
        script = options.script.resolve()
        read = partial(_perform, adapter, options)
        yield Follow(script.parent, read, script.name)


def _perform(adapter: Adapter, options: Options) -> None:
    """The script as it is on disk now. Raises ScriptError."""
    adapter.relays.perform(scripted(options, adapter.relays.usual.library))


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


def url_of(bound: socket.socket, scheme: str = "http") -> str:
    """The base URL that reaches a listening socket from this machine."""
    host, port = bound.getsockname()[:2]
    host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"{scheme}://{host}:{port}"


def serve(options: Options, bound: socket.socket, recordings: Library | None = None) -> None:
    """Serves until it is told to stop. Raises what the handlers of those signals raise, and OSError where several
    workers have nowhere to meet."""
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)  # what matters in it is told by app.py
    if options.workers == 1:
        Server(config(partial(build, options, recordings), options)).run(sockets=[bound])
        return
    from uvicorn.supervisors import Multiprocess  # noqa: PLC0415 - imports multiprocessing, only then

    from mock_server.workers import hub  # noqa: PLC0415

    with hub.running() as path:
        Multiprocess(config(partial(build, options, None, path), options), sockets=[bound]).run()


def config(factory: Callable[[], ASGIApp], options: Options = USUAL) -> Config:
    """uvicorn's settings: nothing of its own on the wire, and an end to every shutdown."""
    return Config(
        factory,
        factory=True,
        workers=options.workers,
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
        timeout_graceful_shutdown=cast("int", options.grace),  # any number of seconds does
        ssl_certfile=options.tls.certificate if options.tls else None,
        ssl_keyfile=options.tls.key if options.tls else None,
    )
