"""How long a model takes that nobody recorded."""

import json
import random
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.answer import Answer, Asked
from mock_server.latency import USUAL, Latency, LatencyError, distribution, retimed
from mock_server.library import Library
from mock_server.relay import Relay
from openapi import document

DOCUMENT = document.load()
RELAY = Relay(DOCUMENT, Library([], DOCUMENT))
KEY = (("authorization", "Bearer k"), ("content-type", "application/json"))


def asked(**more: object) -> Asked:
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": "Tell me of the sea."}], **more}
    return RELAY.asked("POST", "/v1/chat/completions", KEY, json.dumps(body).encode())


def made(latency: Latency, under_way: int = 1, **more: object) -> Answer:
    request = asked(**more)
    return retimed(request, RELAY.answer(request), latency, under_way)


def dues(answer: Answer) -> list[float]:
    return [frame.due for frame in answer.frames]


def of(ttft: str | None = None, itl: str | None = None, slots: int | None = None) -> Latency:
    first, next_ = (None if text is None else distribution(text) for text in (ttft, itl))
    return Latency(first, next_, slots)


def test_a_stream_takes_the_first_token_and_then_one_after_the_other() -> None:
    found = dues(made(of("500", "20"), stream=True))
    assert found[0] == 0.5
    assert {round(after - before, 6) for before, after in pairwise(found)} == {0.02}


def test_a_whole_answer_comes_when_all_its_tokens_are_made() -> None:
    answer = made(of("500", "10"), max_tokens=21)
    assert round(answer.ended_at, 6) == round(0.5 + 20 * 0.01, 6) == round(dues(answer)[0], 6)


def test_what_is_not_said_stays_as_it_was() -> None:
    usual = dues(RELAY.answer(asked(stream=True)))
    found = dues(made(of(ttft="500"), stream=True))
    steps = [[round(after - before, 6) for before, after in pairwise(times)] for times in (usual, found)]
    assert steps[0] == steps[1]
    assert found[0] == 0.5
    assert retimed(asked(), RELAY.answer(asked()), USUAL).ended_at == RELAY.answer(asked()).ended_at


def test_with_more_under_way_than_there_is_room_for_each_takes_longer() -> None:
    one, four = (made(of("100", "10", slots=2), under_way, stream=True) for under_way in (2, 4))
    assert round(four.ended_at / one.ended_at, 6) == 2


def test_equal_requests_take_equal_times_and_others_do_not() -> None:
    spread = of("normal(500,100)", "uniform(5,15)")
    assert dues(made(spread, stream=True)) == dues(made(spread, stream=True))
    assert dues(made(spread, stream=True)) != dues(made(spread, stream=True, user="another"))


def test_errors_and_recordings_keep_their_times() -> None:
    request = asked(n="x")
    refused = RELAY.answer(request)
    assert retimed(request, refused, of("500")) is refused
    recorded = replace(RELAY.answer(asked()), recorded="x")
    assert retimed(asked(), recorded, of("500")) is recorded


@pytest.mark.parametrize(
    ("text", "low", "high"), [("200", 0.2, 0.2), ("uniform(100,300)", 0.1, 0.3), ("lognormal(200,0.1)", 0.1, 0.4)]
)
def test_times_are_seconds_of_milliseconds(text: str, low: float, high: float) -> None:
    die = random.Random(1)
    assert all(low <= distribution(text).seconds(die) <= high for _ in range(200))


@given(st.floats(0, 1e12), st.floats(0, 1e3), st.sampled_from(["normal", "lognormal", "uniform"]), st.integers())
def test_no_time_is_negative_or_without_end(one: float, other: float, kind: str, seed: int) -> None:
    found = distribution(f"{kind}({one:.3f},{other:.3f})").seconds(random.Random(seed))
    assert 0 <= found <= 3600


@pytest.mark.parametrize("text", ["", "-1", "fast", "normal(1)", "normal(1,2,3)", "gamma(1,2)", "1e9"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(LatencyError, match="in ms"):
        distribution(text)
