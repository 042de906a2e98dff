"""When a stream said what, measured once and from the bytes."""

import math
from dataclasses import replace
from typing import Any

import pytest

from conformance.report.timing import Times, sample, shared, times, timing, timings
from openapi.wire.exchange import End, Exchange, Read, Request
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


def asked(*events: tuple[float, str], **changes: Any) -> Exchange:
    request = Request("POST", "/v1/chat/completions", body=b'{"stream":true}')
    told: dict[str, Any] = {"request": request, "probe": "chat.stream", "ended_at": 2.0, **changes}
    return replace(stream(*events), **told)


SAID = (
    (0.1, delta('{"role":"assistant","content":""}')),
    (0.5, delta('{"reasoning_content":"hm"}')),
    (0.6, delta("{}")),
    (0.9, delta('{"content":"a"}')),
    (1.1, delta('{"content":"b"}')),
    (1.5, "[DONE]"),
)


def test_a_sample_counts_what_says_something_and_nothing_else() -> None:
    one = sample(asked(*SAID))
    assert one is not None
    assert (one.key, one.ttft, one.total) == (("chat.stream", "", 1), 0.5, 2.0)
    assert one.gaps == pytest.approx((0.4, 0.2))
    assert one.per_piece == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("changes", "failed"),
    [
        ({}, False),
        ({"status": 503}, True),
        ({"status": 429}, True),
        ({"status": None, "end": End.RESET}, True),
        ({"end": End.TRUNCATED}, True),
        ({"end": End.TIMEOUT}, True),
        ({"end": End.CLIENT_ABORTED}, False),
        ({"status": 400}, False),
        ({"status": 503, "probe": "errors.unknown-model-stream"}, False),
    ],
)
def test_what_failed_is_counted_apart_and_is_no_sample(changes: dict[str, Any], failed: bool) -> None:
    told = times([asked(*SAID, **changes)])
    assert (len(told.samples), told.failed) == (0 if changes else 1, int(failed))


def test_a_time_that_is_none_is_no_sample() -> None:
    assert sample(asked((math.inf, delta('{"content":"a"}')))) is None


def test_relays_are_measured_on_what_all_of_them_answered() -> None:
    one = times([asked(*SAID), asked(*SAID, probe="chat.long", ended_at=9.0)])
    other, dead = times([asked(*SAID)]), times([])
    common = shared([one, other, dead])
    assert common is not None
    assert [[sample.key[0] for sample in times.samples] for times in common] == [["chat.stream"], ["chat.stream"], []]
    assert shared([dead, dead]) == [dead, dead]


def test_relays_that_were_not_asked_the_same_are_not_compared() -> None:
    apart = times([asked(*SAID, probe="chat.long")])
    assert shared([times([asked(*SAID)]), apart]) is None
    assert times([asked(*SAID, probe=None)]).samples[0].key == ("e1", "", 1)  # a recording goes by its name


def test_a_recording_takes_nothing_away_from_what_relays_were_asked_alike() -> None:
    live, recorded_ = times([asked(*SAID)]), times([asked(*SAID, probe=None)])
    assert shared([live, recorded_, live]) == [live, Times((), 0), live]
    assert shared([recorded_, recorded_]) == [recorded_, recorded_]
