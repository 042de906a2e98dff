"""Speed that does not fall: what comes is read at a steady rate, however much came before and however it was cut.

Each case measures processor time of a first and a second half, or of some and of eight times as much. Quadratic work
would show as a ratio of 3, or of 64; the bounds leave room for a busy machine, and small times are not compared.
"""

import gc
import time
from collections.abc import Callable

import pytest

from openapi import json_text
from openapi.wire.http1 import MAX_HEAD, AnswerReader
from openapi.wire.redaction import Redactor
from openapi.wire.sse import Decoder, Message
from openapi.wire.streams import chat

MB = 1 << 20
FLOOR = 0.05  # seconds of processor time; less says nothing
EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"' + b"x" * 180 + b'"}}]}\n\n'


def seconds(work: Callable[[], object]) -> float:
    gc.disable()  # as timeit does: a collection walks over all that the other tests have left
    try:
        start = time.process_time()
        work()
        return time.process_time() - start
    finally:
        gc.enable()


def assert_linear(work: Callable[[int], object]) -> None:
    """Eight times as much in at most twenty times the time."""
    small = min(seconds(lambda: work(1)) for _ in range(3))
    large = min(seconds(lambda: work(8)) for _ in range(3))
    assert large < 20 * max(small, FLOOR / 8)


def feed(decoder: Decoder, piece: bytes, times: int) -> int:
    return sum(len(decoder.feed(piece)) for _ in range(times))


def test_a_stream_of_50_mb_is_decoded_at_a_steady_rate() -> None:
    decoder, half = Decoder(), 25 * MB // (16 * len(EVENT))
    piece = EVENT * 16
    first = seconds(lambda: feed(decoder, piece, half))
    assert seconds(lambda: feed(decoder, piece, half)) < 2 * max(first, FLOOR)
    assert decoder.close() == []


@pytest.mark.parametrize(
    "piece",
    [b"x" * 4096, b"data: " + b"x" * 1017 + b"\n", b"\ndata: " + b"x" * 1016 + b"\r", b": " + b"x" * 2045 + b"\r"],
    ids=["a line", "lines", "reads between CR and LF", "comments ended by CR"],
)
def test_one_event_of_50_mb_is_collected_at_a_steady_rate_and_joined_once(piece: bytes) -> None:
    decoder, half = Decoder(), 25 * MB // len(piece)
    decoder.feed(b"data: ")
    first = seconds(lambda: feed(decoder, piece, half))
    assert seconds(lambda: feed(decoder, piece, half)) < 2 * max(first, FLOOR)
    items = []
    assert seconds(lambda: items.extend(decoder.feed(b"\n\n"))) < 2
    assert [type(item) for item in items][:1] == [Message]


def fed(head: bytes, piece: bytes, times: int, size: int) -> AnswerReader:
    """A reader that was fed the head, and then so many pieces in reads of that size."""
    reader = AnswerReader("GET")
    reader.feed(head)
    data = piece * times
    for at in range(0, len(data), size):
        reader.feed(data[at : at + size])
    return reader


OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"
ONE_READ = 1 << 30
SHAPES: dict[str, Callable[[int], AnswerReader]] = {
    "small chunks": lambda times: fed(CHUNKED, b"1\r\nx\r\n", 1_000 * times, 4096),
    "small chunks in one read": lambda times: fed(CHUNKED, b"1\r\nx\r\n", 1_000 * times, ONE_READ),
    "one chunk byte by byte": lambda times: fed(CHUNKED + b"FFFFFFF\r\n", b"x", 2_000 * times, 1),
    "a length byte by byte": lambda times: fed(OK + b"Content-Length: 9999999\r\n\r\n", b"x", 2_000 * times, 1),
    "trailers in one read": lambda times: fed(CHUNKED + b"0\r\n", b"A: b\r\n", 2_000 * times, ONE_READ),
    "interim answers in one read": lambda times: fed(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 500 * times, ONE_READ),
    "bytes behind the end": lambda times: fed(OK + b"Content-Length: 0\r\n\r\n", b"x" * 4096, 500 * times, 4096),
    "a folded field": lambda times: fed(OK + b"A: b", b"\r\n c" * (MAX_HEAD // 72), times, ONE_READ),
    "a head in small reads": lambda times: fed(b"", b"\r\n A" * (MAX_HEAD // 34), times, 16),
}


@pytest.mark.parametrize("shape", SHAPES)
def test_an_answer_is_read_in_time_linear_in_its_bytes(shape: str) -> None:
    assert SHAPES[shape](1).fault is None
    assert_linear(SHAPES[shape])


def test_a_secret_in_every_piece_is_taken_out_in_linear_time() -> None:
    redactor = Redactor(["sk-0123456789abcdef"])

    def work(times: int) -> None:
        redactor.pieces([b"text sk-0123456", b"789abcdef text"] * 4_000 * times)

    assert_linear(work)


def test_a_long_stream_is_folded_in_linear_time() -> None:
    payload = json_text.read('{"choices":[{"index":0,"delta":{"content":"x","tool_calls":[{"index":0,"id":"a",'
                             '"function":{"arguments":"y"}}]}}]}')  # fmt: skip

    def work(times: int) -> str:
        reply = chat.fold([payload] * (2_000 * times))
        return reply.choices[0].content + reply.choices[0].tool_calls[0].arguments

    assert_linear(work)
