"""When a stream said what, measured once and from the bytes."""

import math

import pytest

from conformance.report.timing import timing, timings
from openapi.wire.exchange import Exchange, Read, Request
from tests.conformance.report.made import recorded

STREAM = (("content-type", "text/event-stream"),)


def stream(*events: tuple[float, str]) -> Exchange:
    reads = tuple(Read(at, f"data: {data}\n\n".encode()) for at, data in events)
    return Exchange("e1", Request("POST", "/v1/x"), 200, STREAM, reads, ended_at=9.0)


def delta(text: str) -> str:
    return f'{{"choices":[{{"index":0,"delta":{text}}}]}}'


@pytest.mark.parametrize(
    "said",
    [
        delta('{"content":"a"}'),
        delta('{"reasoning_content":"a"}'),
        delta('{"tool_calls":[{"index":0}]}'),
        '{"choices":[{"index":0,"text":"a"}]}',
        '{"type":"response.output_text.delta","delta":"a"}',
        '{"type":"content_block_delta","delta":{"text":"a"}}',
    ],
)
def test_ttft_is_the_first_event_that_says_something(said: str) -> None:
    exchange = stream((0.1, delta('{"role":"assistant","content":""}')), (0.5, said), (0.7, said), (0.8, "[DONE]"))
    one = timing(exchange)
    assert (one.first_byte, one.ttft, one.total) == (0.1, 0.5, 9.0)
    assert one.longest_gap == pytest.approx(0.4)


def test_a_stream_that_says_nothing_has_no_ttft() -> None:
    assert timing(stream((0.1, "[DONE]"))).ttft is None
    assert timing(stream((0.1, "not json"), (0.2, "[1]"))).ttft is None


def test_a_stream_that_was_held_back_is_one_tick() -> None:
    held = timing(stream(*((4.0, delta('{"content":"a"}')) for _ in range(50))))
    assert held.ticks == (120,)


def test_times_that_are_no_times_raise_nothing() -> None:
    assert timing(stream((math.inf, "x"), (math.nan, "x"), (-1.0, "x"))).events == 3


def test_only_streams_are_timed() -> None:
    whole = recorded("litellm/chat-basic", "e1", "p")
    streamed = recorded("litellm/chat-stream", "e2", "p")
    assert [one.exchange.id for one in timings((whole, streamed))] == ["e2"]
