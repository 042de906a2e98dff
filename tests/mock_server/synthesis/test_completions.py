"""Text completions of the mock: whole and streamed one reply, within what was asked."""

import json
from itertools import accumulate, pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.synthesis import tokens
from openapi import document, json_text
from openapi.schema import faults
from openapi.wire import sse
from openapi.wire.exchange import Auth
from openapi.wire.streams import completions

Body = dict[str, Any]
NOW = 1_700_000_000
COUNT = "Count from 1 to 10"


def answered(body: Body) -> Answer:
    raw = json.dumps(body).encode()
    asked = Asked("POST", "/v1/completions", "createCompletion", (), raw, body, Auth.VALID)
    return synthesis.answer(asked, now=NOW)


def say(prompt: Any, **more: Any) -> Body:
    return {"model": "mock-instruct", "prompt": prompt, **more}


def whole(body: Body) -> Body:
    got = answered(body)
    assert got.status == 200, got.body
    value: Body = json.loads(got.body)
    assert faults(document.load(), "/components/schemas/Completion", value) == ()
    return value


def messages(body: Body) -> list[sse.Message]:
    got = answered({"stream_options": {"include_usage": True}, **body, "stream": True})
    assert dict(got.headers)["content-type"] == "text/event-stream"
    return [item for item in sse.decode(got.body) if isinstance(item, sse.Message)]


def pieces(body: Body) -> list[Body]:
    *said, last = messages(body)
    assert last.data == completions.SENTINEL
    chunks = [json.loads(one.data) for one in said]
    for chunk in chunks:
        assert faults(document.load(), "/components/schemas/CompletionChunk", chunk) == ()
    return chunks


def texts(body: Body) -> list[str]:
    return [choice["text"] for choice in whole(body)["choices"]]


prompts = st.one_of(
    st.text(max_size=30),
    st.just(COUNT),
    st.lists(st.text(max_size=10), min_size=1, max_size=3),
    st.lists(st.integers(0, 10**6), min_size=1, max_size=5),
    st.lists(st.lists(st.integers(0, 99), min_size=1, max_size=3), min_size=1, max_size=3),
)
requests = st.fixed_dictionaries(
    {"model": st.just("mock-instruct"), "prompt": prompts},
    optional={
        "n": st.integers(1, 3),
        "echo": st.booleans(),
        "max_tokens": st.integers(0, 40),
        "stop": st.text(max_size=2) | st.lists(st.text(max_size=2), max_size=4),
        "temperature": st.sampled_from([0, 1]),
        "logprobs": st.integers(0, 5),
        "suffix": st.text(max_size=5),
    },
)


@given(requests)
def test_the_stream_spells_the_whole_answer(body: Body) -> None:
    at_once = completions.whole(whole(body))
    in_pieces = completions.fold(json_text.read(json.dumps(piece)) for piece in pieces(body))
    assert in_pieces.usage == at_once.usage
    assert {index: (one.content, one.finish) for index, one in in_pieces.choices.items()} == {
        index: (one.content, one.finish) for index, one in at_once.choices.items()
    }


@given(requests)
def test_the_stream_is_within_its_grammar(body: Body) -> None:
    said = [
        one
        for event, message in enumerate(messages(body))
        for one in completions.classify(event, message, json_text.read(message.data))
    ]
    for index in range(len(whole(body)["choices"])):
        assert completions.GRAMMAR.walk(one.symbol for one in completions.project(said, index)) == ()


@given(requests)
def test_the_limit_holds_and_the_counts_add_up(body: Body) -> None:
    answer = whole({**body, "echo": False})
    limit = body.get("max_tokens", 16)
    counts = [tokens.count(choice["text"]) for choice in answer["choices"]]
    assert all(count <= limit for count in counts)
    assert answer["usage"]["total_tokens"] == sum(
        value for name, value in answer["usage"].items() if "total" not in name
    )


@given(requests)
def test_equal_requests_have_equal_answers(body: Body) -> None:
    assert answered(body) == answered(dict(reversed(body.items())))


@given(requests.filter(lambda body: "logprobs" in body))
def test_four_lists_of_one_length(body: Body) -> None:
    for choice in whole(body)["choices"]:
        told = choice["logprobs"]
        assert "".join(told["tokens"]) == choice["text"]
        assert {len(one) for one in told.values()} == {len(told["tokens"])}
        assert told["text_offset"] == [*accumulate(map(len, told["tokens"]), initial=0)][:-1]
        for token, value, others in zip(told["tokens"], told["token_logprobs"], told["top_logprobs"], strict=True):
            if value is not None:
                assert others[token] == max(others.values()) == value < 0
                assert len(others) == max(body["logprobs"], 1)
        unknown = [value for value in told["token_logprobs"] if value is None]
        assert len(unknown) <= bool(body.get("echo"))


def test_offsets_go_on_from_piece_to_piece() -> None:
    choices = [one["choices"][0] for one in pieces(say(COUNT, logprobs=1, echo=True)) if one["choices"]]
    starts = [start for choice in choices if choice["logprobs"] for start in choice["logprobs"]["text_offset"]]
    assert starts[0] == 0
    assert all(before < after for before, after in pairwise(starts))
    assert starts[-1] < len("".join(choice["text"] for choice in choices))


def test_without_a_limit_sixteen_tokens_come() -> None:
    answer = whole(say("Tell me a story"))
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 16


def test_a_limit_of_nothing_says_nothing() -> None:
    assert texts(say("Hello", max_tokens=0)) == [""]
    assert texts(say("Hello", max_tokens=0, echo=True)) == ["Hello"]


def test_a_stop_sequence_ends_the_text() -> None:
    assert texts(say(COUNT, max_tokens=60, stop=["6", "8"])) == ["1, 2, 3, 4, 5, "]
    assert whole(say(COUNT, max_tokens=60, stop="6"))["choices"][0]["finish_reason"] == "stop"


def test_an_echoed_prompt_is_not_stopped() -> None:
    [text] = texts(say(f"6. {COUNT}", max_tokens=60, stop="6", echo=True))
    assert text == f"6. {COUNT}1, 2, 3, 4, 5, "


def test_prompts_are_answered_in_their_order() -> None:
    asked = [f"Count from 1 to {last}" for last in (3, 5)]
    answer = whole(say(asked, n=2, max_tokens=60))
    assert [choice["index"] for choice in answer["choices"]] == [0, 1, 2, 3]
    assert [choice["text"][-1] for choice in answer["choices"]] == ["3", "3", "5", "5"]
    assert answer["usage"]["prompt_tokens"] == sum(map(tokens.count, asked))


def test_token_ids_are_words() -> None:
    [one, other] = texts(say([[1, 2, 3], [4]], echo=True, max_tokens=0))
    assert one != other
    assert whole(say([1, 2, 3]))["usage"]["prompt_tokens"] == 3
    assert texts(say([7, 8], echo=True, max_tokens=0)) == texts(say([[7, 8]], echo=True, max_tokens=0))


def test_all_that_were_made_are_counted() -> None:
    once, thrice = whole(say("Hello", n=1)), whole(say("Hello", n=1, best_of=3))
    assert len(thrice["choices"]) == 1
    assert thrice["usage"]["completion_tokens"] == 3 * once["usage"]["completion_tokens"]


@pytest.mark.parametrize("body", [say("Hello", n=2, best_of=1), say("Hello", best_of=2, stream=True)])
def test_what_cannot_be_done_is_refused(body: Body) -> None:
    refused = answered(body)
    assert refused.status == 400
    assert json.loads(refused.body)["error"]["param"] == "best_of"


def test_usage_comes_where_it_was_asked_for() -> None:
    assert [one["choices"] for one in pieces(say("Hello")) if one["usage"]] == [[]]
    assert all("usage" not in one for one in pieces(say("Hello", stream_options=None)))


@pytest.mark.parametrize("prompt", [None, [], {}, 5, [None], ["a", 1]])
def test_nonsense_that_was_let_in_is_answered(prompt: Any) -> None:
    """`request-not-validated` is a fault of the mock: what is behind it must not break."""
    assert answered(say(prompt, n="x", logprobs="y", max_tokens=[])).status == 200
