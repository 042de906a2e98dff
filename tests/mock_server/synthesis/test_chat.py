"""The whole and the streamed answer: one reply, in order, within what was asked."""

from collections.abc import Callable
from itertools import pairwise
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server.answer import Answer
from mock_server.synthesis import tokens
from openapi import json_text
from openapi.wire import sse
from openapi.wire.streams import chat

Body = dict[str, Any]

WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "The weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "days": {"type": "integer", "minimum": 1}},
            "required": ["city"],
        },
    },
}
TIME = {"type": "function", "function": {"name": "get_time", "description": "The time now"}}
SCHEMA = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}

prompts = st.one_of(
    st.text(max_size=40),
    st.sampled_from(
        [
            "Count from 1 to 10",
            "What is the weather in Paris and London?",
            "讲一个故事",
            "What is the time?",
            "Give me JSON with the keys name and age",
        ]
    ),
)
requests = st.fixed_dictionaries(
    {
        "model": st.sampled_from(["mock-chat", "mock-reasoner", "sora-2"]),
        "messages": prompts.map(lambda text: [{"role": "user", "content": text}]),
    },
    optional={
        "n": st.integers(1, 3),
        "max_tokens": st.integers(0, 60),
        "max_completion_tokens": st.integers(1, 60),
        "stop": st.one_of(st.text(max_size=3), st.lists(st.text(max_size=2), max_size=4)),
        "temperature": st.sampled_from([0, 1, 2]),
        "logprobs": st.booleans(),
        "top_logprobs": st.integers(0, 20),
        "parallel_tool_calls": st.booleans(),
        "response_format": st.sampled_from(
            [{"type": "json_object"}, {"type": "json_schema", "json_schema": {"name": "x", "schema": SCHEMA}}]
        ),
    },
)

choices_of_tools = st.fixed_dictionaries(
    {
        "tools": st.sampled_from([[WEATHER], [WEATHER, TIME]]),
        "tool_choice": st.sampled_from(
            ["auto", "none", "required", {"type": "function", "function": {"name": "get_weather"}}]
        ),
    }
)
requests = st.builds(lambda body, tools: {**body, **tools}, requests, st.just({}) | choices_of_tools)


def say(text: str, **more: object) -> Body:
    return {"model": "mock-chat", "messages": [{"role": "user", "content": text}], **more}


def spelling(reply: chat.Reply) -> list[object]:
    return [
        (
            index,
            choice.role,
            choice.content,
            choice.reasoning,
            choice.refusal,
            choice.finish,
            choice.logprobs,
            [(call.index, call.id, call.type, call.name, call.arguments) for call in choice.tool_calls.values()],
        )
        for index, choice in sorted(reply.choices.items())
    ]


@given(requests)
def test_the_stream_spells_the_whole_answer(
    whole: Callable[[Body], Body], spelled: Callable[[Body], chat.Reply], body: Body
) -> None:
    at_once, in_pieces = chat.whole(whole(body)), spelled(body)
    assert spelling(in_pieces) == spelling(at_once)
    assert in_pieces.usage == at_once.usage
    assert in_pieces.model == at_once.model == body["model"]


@given(requests)
def test_the_stream_is_within_its_grammar(streamed: Callable[[Body], list[sse.Item]], body: Body) -> None:
    said: list[chat.Said] = []
    for number, item in enumerate(streamed(body)):
        assert isinstance(item, sse.Message)
        said += chat.classify(number, item, json_text.read(item.data))
    assert chat.Symbol.JUNK not in {one.symbol for one in said}
    for index in range(body.get("n", 1)):
        assert not chat.GRAMMAR.walk(one.symbol for one in chat.project(said, index))


@given(requests)
def test_every_choice_is_there_in_order(whole: Callable[[Body], Body], body: Body) -> None:
    assert [choice["index"] for choice in whole(body)["choices"]] == list(range(body.get("n", 1)))


@given(requests)
def test_usage_adds_up(whole: Callable[[Body], Body], body: Body) -> None:
    usage = whole(body)["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert usage["completion_tokens_details"]["reasoning_tokens"] <= usage["completion_tokens"]
    assert usage["prompt_tokens_details"]["cached_tokens"] == 0


@given(requests.filter(lambda body: body["model"] != "sora-2"))
def test_limits_hold(whole: Callable[[Body], Body], body: Body) -> None:
    limit = min(body.get("max_tokens", 10**6), body.get("max_completion_tokens", 10**6))
    got = whole(body)
    assert got["usage"]["completion_tokens"] <= limit * body.get("n", 1)
    for choice in got["choices"]:
        assert choice["finish_reason"] in {"stop", "length", "tool_calls"}


@given(requests.filter(lambda body: body["model"] != "sora-2"))
def test_stop_sequences_are_never_said(whole: Callable[[Body], Body], body: Body) -> None:
    stops = [body["stop"]] if isinstance(body.get("stop"), str) else body.get("stop", [])
    for choice in whole(body)["choices"]:
        assert not any(stop and stop in (choice["message"]["content"] or "") for stop in stops)


def test_a_limit_cuts_exactly_there(whole: Callable[[Body], Body]) -> None:
    for limit in (0, 1, 2, 40):
        got = whole(say("Tell me a story", max_tokens=limit))
        assert got["usage"]["completion_tokens"] == limit
        assert got["choices"][0]["finish_reason"] == "length"


def test_a_limit_that_is_just_enough_ends_with_stop(whole: Callable[[Body], Body]) -> None:
    got = whole(say("Count from 1 to 3", max_tokens=tokens.count("1, 2, 3")))
    assert (got["choices"][0]["message"]["content"], got["choices"][0]["finish_reason"]) == ("1, 2, 3", "stop")


def test_stop_ends_the_text_before_the_sequence(whole: Callable[[Body], Body]) -> None:
    for stop in (", 5", [", 5", ", 7"], [", 7", ", 5"]):
        choice = whole(say("Count from 1 to 10", stop=stop))["choices"][0]
        assert (choice["message"]["content"], choice["finish_reason"]) == ("1, 2, 3, 4", "stop")


def test_choices_differ_unless_the_temperature_is_zero(whole: Callable[[Body], Body]) -> None:
    texts = [choice["message"]["content"] for choice in whole(say("Tell me a story", n=3))["choices"]]
    cold = [choice["message"]["content"] for choice in whole(say("Tell me a story", n=3, temperature=0))["choices"]]
    assert len(set(texts)) == 3
    assert len(set(cold)) == 1


def test_logprobs_are_those_of_the_tokens(whole: Callable[[Body], Body], chunks: Callable[[Body], list[Body]]) -> None:
    body = say("讲一个故事", logprobs=True, top_logprobs=3)
    choice = whole(body)["choices"][0]
    told = choice["logprobs"]["content"]
    assert "".join(one["token"] for one in told) == choice["message"]["content"]
    for one in told:
        assert bytes(one["bytes"]).decode() == one["token"]
        assert len(one["top_logprobs"]) == len({other["token"] for other in one["top_logprobs"]}) == 3
        assert one["logprob"] <= 0
    pieces = [chunk["choices"][0] for chunk in chunks(body) if chunk["choices"]]
    assert all(len(one["logprobs"]["content"]) == 1 for one in pieces if one["delta"].get("content"))


def test_logprobs_that_were_not_asked_for_are_null(whole: Callable[[Body], Body]) -> None:
    assert whole(say("hi"))["choices"][0]["logprobs"] is None


def test_usage_is_a_last_chunk_where_it_was_asked_for(chunks: Callable[[Body], list[Body]]) -> None:
    *others, last = chunks(say("hi"))
    assert last["choices"] == []
    assert last["usage"]["total_tokens"] > 0
    assert all(chunk["choices"] and chunk["usage"] is None for chunk in others)
    assert all("usage" not in chunk for chunk in chunks(say("hi", stream_options=None)))


def test_a_stream_begins_with_the_role_and_ends_with_an_empty_delta(chunks: Callable[[Body], list[Body]]) -> None:
    first, *_, last = chunks(say("hi", stream_options=None))
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": "", "refusal": None}
    assert last["choices"][0]["delta"] == {}
    assert last["choices"][0]["finish_reason"] == "stop"


def test_all_chunks_have_one_envelope(chunks: Callable[[Body], list[Body]]) -> None:
    assert len({(chunk["id"], chunk["created"], chunk["model"], chunk["object"]) for chunk in chunks(say("hi"))}) == 1


def test_ids_differ_between_requests(whole: Callable[[Body], Body]) -> None:
    assert whole(say("hi"))["id"] != whole(say("ho"))["id"]


def test_equal_requests_have_equal_answers(answer: Callable[[Body], Answer]) -> None:
    assert answer(say("hi", stream=True)) == answer(say("hi", stream=True))


def test_the_events_are_spread_in_time(answer: Callable[[Body], Answer]) -> None:
    dues = [frame.due for frame in answer(say("Tell me a story", stream=True)).frames]
    assert dues[0] == 0.02
    assert all(0.004 < later - due < 0.021 for due, later in pairwise(dues))


def test_many_choices_do_not_take_for_ever(answer: Callable[[Body], Answer]) -> None:
    assert answer(say("Tell me a story", stream=True, n=128)).ended_at < 5


def test_reasoning_comes_before_the_text(chunks: Callable[[Body], list[Body]]) -> None:
    deltas = [
        chunk["choices"][0]["delta"] for chunk in chunks({**say("hi"), "model": "mock-reasoner"}) if chunk["choices"]
    ]
    kinds = ["reasoning_content" if "reasoning_content" in delta else "content" for delta in deltas[1:-1]]
    assert kinds == sorted(kinds, reverse=True)
    assert set(kinds) == {"reasoning_content", "content"}


@settings(max_examples=200)
@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner, max_size=3)))
def test_parameters_of_a_wrong_type_are_as_if_absent(answer: Callable[[Body], Answer], junk: object) -> None:
    names = (
        "n",
        "stop",
        "max_tokens",
        "tools",
        "tool_choice",
        "response_format",
        "logprobs",
        "top_logprobs",
        "messages",
    )
    for name in names:
        assert answer({**say("hi"), name: junk}).status in {200, 400}


def test_the_user_has_no_effect_on_the_words_and_the_seed_has_one(whole: Callable[[Body], Body]) -> None:
    def said(**more: object) -> str:
        asked = {"model": "mock-chat", "messages": [{"role": "user", "content": "Why is the sky blue?"}]}
        text: str = whole({**asked, **more})["choices"][0]["message"]["content"]
        return text

    assert said(seed=7, user="a") == said(seed=7, user="b")
    assert len({said(seed=seed) for seed in range(8)}) > 1
