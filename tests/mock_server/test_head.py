"""A head that came before is known by its bytes: what is answered is what a server answers that knows none."""

import json
import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from time import sleep

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import protocol
from mock_server.app import create_app
from mock_server.asking import Fields
from mock_server.head import LONGEST, MOST, Head, Heads
from mock_server.library import RECORDINGS, load
from mock_server.options import Options
from mock_server.protocol import SHORT, Protocol
from mock_server.replay import Connection, Pace
from mock_server.testing import memory
from mock_server.testing.memory import Listener
from openapi import document
from openapi.wire.http1 import AnswerReader

DOCUMENT = document.load()
LIBRARY = load(RECORDINGS, DOCUMENT)
ASKED = {"model": "mock-chat", "messages": [{"role": "user", "content": "hello"}]}
LAST = b"GET /v1/nothing HTTP/1.1\r\nhost: m\r\nconnection: close\r\n\r\n"
PASSING = re.compile(rb'date: [^\r]*|req_[0-9a-f]{32}|"created": ?\d+|"id": ?"[^"]*"', re.IGNORECASE)


class Unlearned(Heads):
    """Knows nothing."""

    def learn(self, data: bytes, head: Head, body: bytes) -> None: ...


@contextmanager
def listening(heads: Heads, speed: float = math.inf) -> Iterator[Listener]:
    app = create_app(DOCUMENT, LIBRARY, Options(pace=Pace(speed)))
    app.heads = app.adapter.heads = heads
    listener = Listener(app)
    try:
        yield listener
    finally:
        listener.close()


def body_of(**members: object) -> bytes:
    return json.dumps(ASKED | members).encode()


def posted(body: bytes, *fields: bytes, target: bytes = b"/v1/chat/completions") -> bytes:
    lines = [b"POST %b HTTP/1.1" % target, b"host: m", b"authorization: Bearer k", b"content-type: application/json"]
    return b"\r\n".join([*lines, *fields, b"content-length: %d" % len(body), b"", body])


def told(connection: memory.Connection, method: str = "POST") -> tuple[int, bytes]:
    """One answer: its status and its body."""
    reader, body = AnswerReader(method), b""
    while not reader.complete:
        body += reader.feed(connection.receive(timeout=5))
    assert reader.head
    return reader.head.status, body


# --- what is known is what would be read ----------------------------------------------------------------------------

FIELDS = (
    b"connection: close",
    b"Connection: keep-alive",
    b"connection: upgrade\r\nupgrade: websocket",
    b"upgrade: h2c",
    b"expect: 100-continue",
    b"transfer-encoding: chunked",
    b"content-length: 0",
    b"Content-Length: 2",
    b"content-length: +2",
    b"content-length: 2, 2",
    b"x-folded: a\r\n b",
    b"x-relay-seed: 3",
    b"x-relay-fault: chat-id-missing",
    b"accept-encoding: gzip",
    b"content-encoding: gzip",
    b"origin: http://here",
    b"x-no-colon",
    b"x-null: a\x00b",
    b"x-lf: a\nx-more: b",
    b"",
)
_bodies = st.sampled_from(
    [b"", b"{}", b"{", body_of(), body_of(model="none"), body_of(stream=True), body_of(n="many"), b"0\r\n\r\n"]
)


@st.composite
def _requests(draw: st.DrawFn) -> bytes:
    """One request, right or wrong, or what nearly is one."""
    body = draw(_bodies)
    start = draw(
        st.sampled_from(
            [
                b"POST /v1/chat/completions HTTP/1.1",
                b"POST /v1/chat/completions HTTP/1.0",
                b"GET /v1/models HTTP/1.1",
                b"HEAD /v1/models?a=b HTTP/1.1",
                b"OPTIONS /v1/models HTTP/1.1",
                b"GET /__relay__/recordings HTTP/1.1",
                b"GET http://m/v1/models HTTP/1.1",
                b"CONNECT m:80 HTTP/1.1",
                b"GET /%76%31/models HTTP/1.1",
                b"\r\nGET /v1/models HTTP/1.1",
                b"GET /v1/models HTTP/1.1\n\nGET /v1/models HTTP/1.1",
                b"PUT",
            ]
        )
    )
    fields = draw(st.lists(st.sampled_from(FIELDS), max_size=2))
    length = [b"content-length: %d" % len(body)] if draw(st.integers(0, 4)) else []
    usual = [b"host: m", b"authorization: Bearer k", b"content-type: application/json"]
    blank = draw(st.sampled_from([b"\r\n", b"\r\n", b"\r\n", b"\n"]))
    return blank.join([start, *usual, *length, *fields, b"", b""]) + body


def everything(listener: Listener, pieces: list[bytes]) -> list[bytes]:
    """All that is answered on one connection, less what is of the moment; it ends with the last request, or before."""
    connection = listener.connect()
    for piece in filter(None, [*pieces, LAST]):
        connection.send(piece)
    came = b""
    while data := connection.receive(timeout=10):
        came += data
    return PASSING.sub(b"", came).split(b"\r\n")


def test_a_head_that_is_known_is_answered_as_one_that_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "PATIENCE", 0.1)  # what stands still is ended soon
    with listening(Heads()) as knowing, listening(Unlearned()) as reading:

        @given(st.lists(_requests(), min_size=1, max_size=3), st.integers(0, 400))
        @settings(max_examples=150)
        def same(requests: list[bytes], cut: int) -> None:
            data = b"".join(requests)
            for pieces in (requests * 3, [data[:cut], data[cut:]], requests, [data + data]):
                assert everything(knowing, pieces) == everything(reading, pieces)

        same()


# --- which are known ------------------------------------------------------------------------------------------------


def known(data: bytes, body: bytes, fields: tuple[tuple[str, str], ...], connection: Connection = Connection()) -> bool:  # noqa: B008
    heads = Heads()
    heads.learn(data, Head("/", "/", Fields(fields), connection), body)
    return heads.find(data) is not None


HOST = ("host", "m")
TWO = (HOST, ("content-length", "2"))
GET, POST = b"GET / HTTP/1.1\r\nhost: m\r\n\r\n", b"POST / HTTP/1.1\r\nhost: m\r\ncontent-length: 2\r\n\r\n{}"
LONG = "a" * LONGEST


@pytest.mark.parametrize(
    ("is_known", "data", "body", "fields", "connection"),
    [
        (True, GET, b"", (HOST,), Connection("GET")),
        (True, POST, b"{}", TWO, Connection()),
        (False, GET, b"", (HOST,), Connection("GET", "1.0")),
        (False, GET, b"", (HOST,), Connection("GET", keep_alive=False)),
        (False, GET + GET, b"", (HOST,), Connection("GET")),
        (False, GET.replace(b"\r\n", b"\n"), b"", (HOST,), Connection("GET")),
        (False, b"\r\n" + GET, b"", (HOST,), Connection("GET")),
        (False, b"GET / HTTP/1.1\n\n" + GET, b"", (HOST,), Connection("GET")),
        (False, GET.replace(b"m\r", b"m\r\n n\r"), b"", (("host", "mn"),), Connection("GET")),
        (False, POST + b"{}", b"{}", TWO, Connection()),
        (False, POST.replace(b"2\r", b"+2\r"), b"{}", (HOST, ("content-length", "+2")), Connection()),
        (False, GET.replace(b"m\r", b"m\r\nexpect: a\r"), b"", (HOST, ("Expect", "a")), Connection("GET")),
        (False, GET.replace(b"m\r", b"m\r\nupgrade: a\r"), b"", (HOST, ("upgrade", "a")), Connection("GET")),
        (
            False,
            POST.replace(b"2\r", b"2\r\ntransfer-encoding: a\r"),
            b"{}",
            (*TWO, ("transfer-encoding", "a")),
            Connection(),
        ),
        (False, GET.replace(b"m\r", LONG.encode() + b"\r"), b"", (("host", LONG),), Connection("GET")),
    ],
)
def test_a_head_is_known_where_it_frames_its_request_by_itself(
    data: bytes, body: bytes, fields: tuple[tuple[str, str], ...], connection: Connection, *, is_known: bool
) -> None:
    assert known(data, body, fields, connection) is is_known


def test_only_a_body_of_that_length_is_one() -> None:
    heads = Heads()
    heads.learn(POST, Head("/", "/", Fields(TWO)), b"{}")
    assert heads.find(POST[:-2] + b"[]") == (Head("/", "/", Fields(TWO)), b"[]")
    assert heads.find(POST[:-1]) is None
    assert heads.find(POST + b" ") is None
    assert heads.find(b"") is None


def test_so_many_heads_are_known() -> None:
    heads = Heads()
    for number in range(MOST + 1):
        heads.learn(GET.replace(b"/", b"/%d" % number, 1), Head(f"/{number}", f"/{number}", Fields((HOST,))), b"")
    assert heads.find(GET.replace(b"/", b"/%d" % MOST, 1))
    assert heads.find(GET.replace(b"/", b"/0", 1)) is None


@pytest.mark.parametrize(("name", "is_kept"), [(b"a", True), (b"a" * LONGEST, False)])
def test_the_fields_of_a_long_head_are_not_kept(name: bytes, *, is_kept: bool) -> None:
    heads = Heads()
    scope = {"method": "GET", "path": "/", "headers": [(name, b"b")]}
    assert (heads.read(scope).fields is heads.read(scope).fields) is is_kept


# --- on a connection ------------------------------------------------------------------------------------------------


def test_what_is_answered_by_and_by_is_read_and_answered_once() -> None:
    with listening(Heads(), speed=50) as listener:
        connection = listener.connect()
        for _ in range(3):
            connection.send(posted(body_of(stream=True)))
            status, body = told(connection)
            assert status == 200
            assert body.endswith(b"data: [DONE]\n\n")
        connection.send(b"GET /__relay__/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        health = json.loads(told(connection, "GET")[1])
        assert health["answered"] == 3


def test_what_is_long_is_read() -> None:
    long = posted(body_of(user="u" * SHORT))
    with listening(Heads()) as listener:
        connection = listener.connect()
        for _ in range(3):
            connection.send(long)
            assert told(connection)[0] == 200


def test_the_control_is_found_by_a_head_that_is_known() -> None:
    with listening(Heads()) as listener:
        connection = listener.connect()
        for _ in range(3):
            connection.send(b"GET /__relay__/health HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
            assert b'"answered"' in told(connection, "GET")[1]


def test_a_connection_that_is_used_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ended: list[float] = []
    usual = Protocol.connection_lost

    def lost(self: Protocol, exc: Exception | None) -> None:
        ended.append(self.loop.time())
        usual(self, exc)

    monkeypatch.setattr(Protocol, "connection_lost", lost)
    monkeypatch.setattr("mock_server.server.KEEP_ALIVE", 1.0)
    with listening(Heads()) as listener:
        connection = listener.connect()
        for _ in range(7):
            connection.send(posted(body_of()))
            assert told(connection)[0] == 200
            sleep(0.2)
        began = listener.loop.time()
        assert connection.receive(timeout=10) == b""
        assert 0.3 < ended[0] - began < 8
