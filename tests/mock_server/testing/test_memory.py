"""A connection in memory is as one over a socket, also where it breaks."""

import threading
from collections.abc import Iterator
from itertools import cycle

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.responses import PlainTextResponse

from mock_server.process import running
from mock_server.testing.httpx2_client import Transport
from mock_server.testing.local import application
from mock_server.testing.memory import Listener, Pipe
from mock_server.testing.wanted import Start
from openapi.wire.exchange import Request
from tests.mock_server.wire import encode

HELLO = {"model": "mock-chat", "stream": True, "messages": [{"role": "user", "content": "Hello"}]}
FAULTS = [
    "chat-stream-done-missing",
    "sse-content-length-on-stream",
    "tx-chunk-size-unreadable",
    "tx-chunked-body-cut",
    "tx-length-and-chunks",
    "tx-length-too-large",
    "tx-no-answer",
    "tx-reset",
    "tx-two-lengths",
]


@given(st.lists(st.binary(min_size=1, max_size=20)), st.lists(st.integers(1, 9), min_size=1), st.booleans())
def test_what_is_taken_joins_to_what_was_put(pieces: list[bytes], sizes: list[int], reset: bool) -> None:
    pipe = Pipe()
    for piece in pieces:
        pipe.put(piece)
    pipe.end(reset=reset)
    taken, turn = b"", cycle(sizes)
    while len(taken) < sum(map(len, pieces)):
        taken += pipe.take(next(turn))
    assert taken == b"".join(pieces)
    if reset:
        with pytest.raises(ConnectionResetError):
            pipe.take(1)
    else:
        assert pipe.take(1) == b""


def test_pieces_are_not_joined() -> None:
    pipe = Pipe()
    pipe.put(b"one")
    pipe.put(b"two")
    assert [pipe.take(2), pipe.take(9), pipe.take(9)] == [b"on", b"e", b"two"]


def test_who_waits_is_woken_or_told_that_nothing_came() -> None:
    pipe = Pipe()
    assert not pipe.readable
    with pytest.raises(TimeoutError):
        pipe.take(9, 0.01)
    writer = threading.Timer(0.05, pipe.put, (b"late",))
    writer.start()
    assert pipe.take(9, 20) == b"late"
    writer.join()


@pytest.fixture(scope="module")
def listener() -> Iterator[Listener]:
    made = Listener(application(Start()))
    yield made
    made.close()


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--speed", "max") as found:
        yield found


def outcome(client: httpx2.Client, fault: str) -> tuple[object, ...]:
    """What a client makes of a stream: its status, how many pieces came, and the error where it fails."""
    pieces, status = 0, None
    headers = {"authorization": "Bearer any-key", "x-relay-fault": fault}
    try:
        with client.stream("POST", "/v1/chat/completions", json=HELLO, headers=headers) as answer:
            status = answer.status_code
            for _ in answer.iter_raw():
                pieces += 1
    except httpx2.HTTPError as error:
        return status, pieces, type(error).__name__
    return status, pieces, None


@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_fails_in_memory_as_it_fails_over_a_socket(fault: str, listener: Listener, url: str) -> None:
    with httpx2.Client(base_url=url) as client:
        over_socket = outcome(client, fault)
    with httpx2.Client(base_url=url, transport=Transport(listener)) as client:
        in_memory = outcome(client, fault)
    assert in_memory == over_socket


def test_the_faults_that_are_compared_do_break_clients(listener: Listener) -> None:
    with httpx2.Client(base_url="http://mock-relay", transport=Transport(listener)) as client:
        errors = {outcome(client, fault)[-1] for fault in FAULTS}
    assert errors >= {None, "RemoteProtocolError", "ReadError"}


def test_a_connection_is_kept_for_the_next_request(listener: Listener) -> None:
    connection = listener.connect()
    for _ in range(2):
        connection.send(encode(Request("GET", "/v1/models", ())))
        assert connection.receive(9, 20) == b"HTTP/1.1 "
        while connection.readable:
            connection.receive()
    connection.close()
    assert connection.receive() == b""


def test_what_is_no_http_is_refused_in_the_envelope(listener: Listener) -> None:
    connection = listener.connect()
    connection.send(b"\x16\x03\x01 no HTTP\r\n\r\n")
    assert b"400" in connection.receive(20, 20)
    while connection.receive(timeout=20):
        pass
    connection.send(b"more")  # nobody hears it
    connection.close()


def test_a_closed_listener_ends_its_connections() -> None:
    listener = Listener(PlainTextResponse("here"))
    connection = listener.connect()
    listener.close()
    assert connection.receive(timeout=20) == b""
    connection.send(b"GET / HTTP/1.1\r\n\r\n")
    connection.close()
