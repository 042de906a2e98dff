"""Mocks in this process, without a network, one for each way to start it, kept for the session."""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

import httpx2
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from mock_server import server
from mock_server.app import create_app
from mock_server.options import Conduct, Options
from mock_server.replay import Pace
from mock_server.testing.httpx2_client import Transport
from mock_server.testing.memory import Listener
from mock_server.testing.relay import Asking, MockRelay
from mock_server.testing.wanted import Start, Wanted
from openapi import document

T = TypeVar("T")

URL = "https://mock-relay"
HOSTS = ("mock-relay", "api.openai.com", "api.anthropic.com")  # for whom it stands where httpx asks


class Local(MockRelay):
    """A mock in this process: a `transport` for httpx2, an `app`, and connections of `listener`."""

    def __init__(self, app: ASGIApp, listener: Listener) -> None:
        self.listener = listener
        self.transport = Transport(listener)
        self.app = partial(_elsewhere, listener.loop, app)
        super().__init__(URL, _over(self.transport))


class Locals:
    """Those that were made. They end with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._made: dict[Start, Local] = {}

    def of(self, wanted: Wanted) -> Local:
        """The mock of these options, as this test wants it. Raises ValueError."""
        if wanted.start not in self._made:
            self._made[wanted.start] = self._make(wanted.start)
        local = self._made[wanted.start]
        local.play(wanted)
        return local

    def _make(self, start: Start) -> Local:
        app = application(start)
        listener = Listener(app)
        self._stack.callback(listener.close)
        return Local(app, listener)


def application(start: Start) -> ASGIApp:
    """What `serve` serves, without what a process of its own does to its memory. Raises LibraryError."""
    conduct = Conduct(api_key=start.api_key, seed=start.seed, strict=start.strict)
    options = Options(recordings=start.recordings, pace=Pace(start.speed), conduct=conduct)
    return create_app(document.load(), server.library(options), options)


def _over(transport: Transport) -> Asking:
    def ask(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        with httpx2.Client(transport=transport, base_url="http://localhost", timeout=None) as client:
            answer = client.request(method, path, content=body)
            return answer.status_code, answer.content

    return ask


async def _elsewhere(loop: asyncio.AbstractEventLoop, app: ASGIApp, scope: Scope, receive: Receive, send: Send) -> None:
    """Lets the application run in its own loop, whichever one asks: its journal is waited for there too."""
    here = asyncio.get_running_loop()

    async def received() -> Message:
        return await _run(here, receive)

    async def sent(message: Message) -> None:
        await _run(here, partial(send, message))

    await _run(loop, partial(app, scope, received, sent))


async def _run(loop: asyncio.AbstractEventLoop, call: Callable[[], Awaitable[T]]) -> T:
    """What a call gives that is made in a loop of another thread."""

    async def called() -> T:
        return await call()

    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(called(), loop))
