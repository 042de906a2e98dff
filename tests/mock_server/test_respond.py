"""Sending on time, over plain ASGI and over a connection of our own, and stopping when the client leaves."""

import asyncio
import math
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

import pytest
from starlette.types import Message

from mock_server.answer import Answer, Frame
from mock_server.replay import Connection, Mode, Pace
from mock_server.respond import EXTENSION, Clock, Responder
from openapi.wire.exchange import End, Framing

SSE = (("Content-Type", "text/event-stream"), ("X-Ünicode", "é"))
STREAM = Answer(200, SSE, (Frame(0.0, b"a"), Frame(0.02, b"b"), Frame(0.04, b"c")), Framing.CHUNKED, ended_at=0.04)


@dataclass
class Connected:
    """A connection that remembers."""

    connection: Connection = field(default_factory=Connection)
    written: list[bytes] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    finished: bool | None = None
    broken: bool = False
    leave: Callable[[], None] | None = None

    def write(self, data: bytes) -> None:
        self.written.append(data)
        self.times.append(perf_counter())

    async def drain(self) -> None:
        pass

    def finish(self, *, keep_alive: bool) -> None:
        self.finished = keep_alive

    def reset(self) -> None:
        self.broken = True

    def when_left(self, call: Callable[[], None]) -> None:
        self.leave = call


async def unused(message: Message) -> None:
    pytest.fail(f"sent by ASGI: {message}")


def stays(_: float = 0.0) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        await asyncio.Event().wait()
        raise AssertionError

    return receive


def leaves(after: float) -> Callable[[], Awaitable[Message]]:
    async def receive() -> Message:
        await asyncio.sleep(after)
        return {"type": "http.disconnect"}

    return receive


def over_asgi(answer: Answer, pace: Pace | None = None, receive: Any = None) -> list[Message]:
    sent: list[Message] = []

    async def send(message: Message) -> None:
        sent.append(message)

    async def run() -> None:
        source = receive or stays()
        scope = {"method": "POST", "path": "/", "http_version": "1.1"}
        await Responder(scope, source, send, Clock(source), pace or Pace()).respond(answer)

    asyncio.run(run())
    return sent


def over_raw(answer: Answer, pace: Pace | None = None, leaving: float | None = None) -> Connected:
    connected = Connected()

    async def run() -> None:
        scope = {"method": "POST", "path": "/", "extensions": {EXTENSION: connected}}
        if leaving is not None:
            asyncio.get_running_loop().call_later(leaving, lambda: connected.leave and connected.leave())
        clock = Clock(stays(), raw=connected)
        await Responder(scope, stays(), unused, clock, pace or Pace()).respond(answer)

    asyncio.run(asyncio.wait_for(run(), 10))
    return connected


# --- plain ASGI ------------------------------------------------------------------------------------------------------


def test_asgi_gets_a_start_a_message_a_frame_and_an_end() -> None:
    start, *bodies = over_asgi(STREAM)
    assert start["status"] == 200
    assert (b"content-type", b"text/event-stream") in start["headers"]
    assert not {name for name, _ in start["headers"]} & {b"date", b"transfer-encoding"}
    assert [(body["body"], body["more_body"]) for body in bodies] == [
        (b"a", True),
        (b"b", True),
        (b"c", True),
        (b"", False),
    ]


def test_asgi_without_a_body_starts_and_ends() -> None:
    assert [message["type"] for message in over_asgi(Answer(204, (), framing=Framing.NONE))] == [
        "http.response.start",
        "http.response.body",
    ]


def test_asgi_tells_an_early_end_by_sending_no_more() -> None:
    sent = over_asgi(Answer(200, SSE, (Frame(0.0, b"a"),), Framing.CHUNKED, End.TRUNCATED))
    assert [message.get("more_body") for message in sent] == [None, True]


def test_asgi_silence_lasts_until_the_client_leaves() -> None:
    started = perf_counter()
    over_asgi(Answer(200, SSE, (Frame(0.0, b"a"),), Framing.CHUNKED, End.TIMEOUT), receive=leaves(0.1))
    assert perf_counter() - started >= 0.1


# --- our own connection ----------------------------------------------------------------------------------------------


def test_each_piece_is_a_write_at_its_time() -> None:
    connected = over_raw(STREAM)
    assert [data[-6:] for data in connected.written[1:]] == [
        b"1\r\na\r\n",
        b"1\r\nb\r\n",
        b"1\r\nc\r\n",
        b"0\r\n\r\n"[-6:],
    ]
    assert connected.times[3] - connected.times[1] >= 0.03
    assert connected.finished is True


@pytest.mark.parametrize("pace", [Pace(math.inf), Pace(1e9, Mode.FAST)])
def test_what_is_due_leaves_in_one_write_with_its_chunks(pace: Pace) -> None:
    (written,) = over_raw(STREAM, pace).written
    assert written.endswith(b"\r\n\r\n1\r\na\r\n1\r\nb\r\n1\r\nc\r\n0\r\n\r\n")


def test_fast_still_waits_for_what_is_not_due() -> None:
    connected = over_raw(STREAM, Pace(0.1, Mode.FAST))
    assert len(connected.written) == 3


def test_lateness_does_not_add_up() -> None:
    """A piece that is held up holds up none behind it: all hang on one clock."""
    frames = tuple(Frame(index * 0.05, b"x") for index in range(20))

    class Slow(Connected):
        async def drain(self) -> None:
            if len(self.written) == 2:
                await asyncio.sleep(0.9)

    connected = Slow()

    async def run() -> float:
        clock = Clock(stays())
        scope = {"method": "POST", "path": "/", "extensions": {EXTENSION: connected}}
        answer = Answer(200, SSE, frames, Framing.CHUNKED, ended_at=0.95)
        await Responder(scope, stays(), unused, clock, Pace()).respond(answer)
        return clock.elapsed()

    assert 0.9 <= asyncio.run(run()) < 1.5  # 1.8 if each waited for the one before


def test_a_client_that_leaves_ends_it_at_once() -> None:
    answer = Answer(200, SSE, (Frame(0.0, b"a"), Frame(60.0, b"b")), Framing.CHUNKED, ended_at=60.0)
    started = perf_counter()
    connected = over_raw(answer, leaving=0.05)
    assert perf_counter() - started < 5
    assert connected.finished is None
    assert len(connected.written) == 2


def test_a_reset_breaks_the_connection() -> None:
    assert over_raw(Answer(200, SSE, (Frame(0.0, b"a"),), Framing.CHUNKED, End.RESET)).broken


def test_a_truncated_answer_closes_without_its_last_chunk() -> None:
    connected = over_raw(Answer(200, SSE, (Frame(0.0, b"a"),), Framing.CHUNKED, End.TRUNCATED))
    assert connected.written[-1] == b"1\r\na\r\n"
    assert connected.finished is False


def test_silence_lasts_until_the_client_leaves_and_then_closes() -> None:
    connected = over_raw(Answer(200, SSE, (), Framing.CHUNKED, End.TIMEOUT), leaving=0.05)
    assert connected.broken is False
    assert len(connected.written) == 1
