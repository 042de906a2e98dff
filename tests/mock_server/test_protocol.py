"""A connection whose client is hostile or broken: what is answered, in which order, and when it is closed."""

import json
import math
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic, sleep

import pytest

from mock_server import protocol
from mock_server.app import create_app
from mock_server.library import RECORDINGS, load
from mock_server.options import Options
from mock_server.replay import Pace
from mock_server.testing.memory import Connection, Listener
from openapi import document
from openapi.wire.exchange import End
from openapi.wire.http1 import MAX_HEAD, AnswerReader
from tests.mock_server.wire import Wire

GET = b"GET /v1/models HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n\r\n"
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n"
SLOW = b"GET / HTTP/1.1\r\nhost: m\r\nx-relay-recording: authored/seq-8-truncated\r\n\r\n"
MUCH = MAX_HEAD + (256 << 10)


def answers(data: bytes, *methods: str) -> list[tuple[int, bytes]]:
    """Status and body of each answer, in their order; nothing is left behind the last."""
    found = []
    for method in methods:
        reader = AnswerReader(method)
        body = reader.feed(data)
        assert reader.head, data
        found.append((reader.head.status, body))
        data = reader.rest
    assert data == b""
    return found


def all_of(wire: Wire) -> bytes:
    came = b""
    while data := wire.socket.recv(1 << 20):
        came += data
    return came


def test_what_is_no_http_is_told_behind_the_answers_to_what_came_before_it(wire: Wire) -> None:
    wire.send(GET.replace(b"GET", b"HEAD") + GET + b"\0" * 100)
    first, second, third = answers(all_of(wire), "HEAD", "GET", "GET")
    assert (first, second[0], third[0]) == ((200, b""), 200, 400)
    assert json.loads(third[1])["error"]["code"] == "invalid_http"


def test_a_body_that_breaks_does_not_cut_the_answer_before_it(wire: Wire) -> None:
    wire.send(GET + POST + b"transfer-encoding: chunked\r\n\r\nzz\r\n")
    assert [status for status, _ in answers(all_of(wire), "GET", "POST")] == [200, 400]


ENDLESS = {
    "a target": b"GET /" + b"a" * MUCH,
    "a field": b"GET / HTTP/1.1\r\na: " + b"b" * MUCH,
    "fields": b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * (MUCH // 6),
    "a trailer": POST + b"transfer-encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * (MUCH // 6),
    "a chunk's extension": POST + b"transfer-encoding: chunked\r\n\r\n5;" + b"a" * MUCH,
}


@pytest.mark.parametrize("what", ENDLESS)
def test_what_is_no_body_and_does_not_end_is_431(what: str, wire: Wire) -> None:
    came = b""
    try:
        wire.send(ENDLESS[what])
        came = all_of(wire)
    except ConnectionError:  # it closed while we were sending: what it said may be lost
        pass
    if came:
        ((status, body),) = answers(came, "POST")
        assert status in {400, 431}
        assert json.loads(body)["error"]["code"] in {"request_head_too_large", "invalid_http"}


def test_a_head_that_is_long_and_ends_is_read(wire: Wire) -> None:
    wire.send(GET.replace(b"host: m", b"host: m\r\na: " + b"b" * (MAX_HEAD - 1000)))
    assert wire.answer("GET").status == 200


# --- what stands still ----------------------------------------------------------------------------------------------

SHORT = 0.15  # seconds


@contextmanager
def connected(speed: float = 1.0) -> Iterator[Connection]:
    known = document.load()
    listener = Listener(create_app(known, load(RECORDINGS, known), Options(pace=Pace(speed))))
    try:
        yield listener.connect()
    finally:
        listener.close()


def rest(connection: Connection, seconds: float = 5.0) -> bytes:
    """All that comes until the server closes."""
    came = b""
    while data := connection.receive(timeout=seconds):
        came += data
    return came


@pytest.fixture(autouse=True)
def _no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", SHORT)


def test_who_never_asks_is_left_without_a_word() -> None:
    with connected() as connection:
        assert rest(connection) == b""


@pytest.mark.parametrize(
    "part",
    [
        b"GET / HTTP/1.1\r\nhost: m\r\n",
        POST + b"content-length: 100\r\n\r\n{",
        POST + b"transfer-encoding: chunked\r\n\r\n5\r\nhe",
        GET + b"GE",
    ],
)
def test_a_request_that_stands_still_is_408(part: bytes) -> None:
    with connected() as connection:
        connection.send(part)
        *_, (status, body) = answers(rest(connection), *(["GET", "GET"] if part.startswith(GET) else ["POST"]))
    assert (status, json.loads(body)["error"]["code"]) == (408, "request_timeout")


def test_a_head_that_drips_is_408_too() -> None:
    with connected() as connection:
        began = monotonic()
        connection.send(b"GET / HTTP/1.1\r\n")
        while not connection.readable and monotonic() - began < 5:
            connection.send(b"a: b\r\n")
            sleep(SHORT / 5)
        assert b" 408 " in rest(connection)
        assert monotonic() - began < 2


def test_a_body_that_is_slow_and_moves_is_waited_for() -> None:
    body = b'{"model":"mock-chat","messages":[]}'
    with connected() as connection:
        connection.send(POST + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        for at in range(len(body)):
            connection.send(body[at : at + 1])
            sleep(SHORT / 8)
        assert connection.receive(timeout=5).startswith(b"HTTP/1.1 400 ")


def test_an_answer_that_is_slow_is_sent_whole_and_so_is_a_connection_kept() -> None:
    with connected(speed=100) as connection:  # 0.7 s
        connection.send(SLOW)
        reader = AnswerReader("GET")
        for data in iter(lambda: connection.receive(timeout=5), b""):
            reader.feed(data)
        assert len(reader.chunks) == 48
        assert reader.close() is End.TRUNCATED
    with connected(speed=math.inf) as connection:  # an answer in one piece
        connection.send(GET)
        assert connection.receive(timeout=5)
        sleep(4 * SHORT)
        connection.send(GET)
        assert connection.receive(timeout=5).startswith(b"HTTP/1.1 200 ")


def test_a_target_that_cannot_be_read_does_not_cut_the_answer_before_it() -> None:
    with connected() as connection:
        connection.send(
            b"GET /__relay__/health HTTP/1.1\r\nhost: m\r\n\r\n" + b"CONNECT m:80 HTTP/1.1\r\nhost: m\r\n\r\n"
        )
        assert [status for status, _ in answers(rest(connection), "GET", "GET")] == [404, 400]
