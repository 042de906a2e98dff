"""Claude's messages, made up: they obey the request, and the stream spells what the whole answer says."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.synthesis.messages import as_chat
from openapi import document, json_text, schema
from openapi.wire import sse
from openapi.wire.exchange import Auth
from openapi.wire.streams import messages
from openapi.wire.streams.messages import GRAMMAR, Reply

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Current weather of a city", "input_schema": CITY}
COUNT = "Count from 1 to 30 in digits, separated by commas."
THINK = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "max_tokens": 2000}


def answered(operation: str = "createMessage", **more: Any) -> Answer:
    body = {"model": "mock-claude", "max_tokens": 200, "messages": [{"role": "user", "content": "Hello"}], **more}
    asked = Asked("POST", "/v1/messages", operation, (), json.dumps(body).encode(), body, Auth.VALID)
    return synthesis.answer(asked, now=1_700_000_000)


def say(text: str) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": text}]}


def whole(**more: Any) -> dict[str, Any]:
    got = answered(**more)
    assert got.status == 200, got.body
    body: dict[str, Any] = json.loads(got.body)
    return body


def events(**more: Any) -> list[sse.Message]:
    got = answered(**more, stream=True)
    assert dict(got.headers)["content-type"] == "text/event-stream"
    return [item for item in sse.decode(got.body) if isinstance(item, sse.Message)]


def spelled(**more: Any) -> Reply:
    return messages.fold(json_text.read(event.data) for event in events(**more))


REQUESTS: list[dict[str, Any]] = [
    {},
    {"max_tokens": 4},
    say(COUNT) | {"stop_sequences": ["8", "20"]},
    say("What is the weather in Paris and in London?") | {"tools": [WEATHER], "tool_choice": {"type": "any"}},
    {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "get_weather"}, "max_tokens": 3},
    THINK,
    THINK | {"max_tokens": 1030},
    {"stop_sequences": ["e"], "max_tokens": 1},
]


@pytest.mark.parametrize("asked", REQUESTS, ids=str)
def test_both_forms_are_legal_and_say_the_same(asked: dict[str, Any]) -> None:
    body, found = whole(**asked), events(**asked)
    assert schema.faults(document.load(), "/components/schemas/Message", body) == ()
    said = [messages.classify(at, one, json_text.read(one.data)) for at, one in enumerate(found)]
    assert GRAMMAR.walk([one.symbol for one in said]) == ()
    for one in found:
        event = json.loads(one.data)
        assert one.event == event["type"]
        assert schema.faults(document.load(), "/components/schemas/MessageStreamEvent", event) == ()
    streamed, told = spelled(**asked), messages.whole(body)
    assert (streamed.text, streamed.stop_reason, streamed.stop_sequence) == (
        told.text,
        told.stop_reason,
        told.stop_sequence,
    )
    assert streamed.usage == told.usage
    assert [json.loads(one.json) for one in streamed.tools] == [one.input for one in told.tools]
    assert [(one.text, one.signature) for one in streamed.thoughts] == [
        (one.text, one.signature) for one in told.thoughts
    ]


@settings(max_examples=40)
@given(st.integers(1, 300), st.lists(st.sampled_from(["a", "1", ", ", "zzz", ""]), max_size=3), st.booleans())
def test_the_limit_and_the_stops_hold(limit: int, stops: list[str], counting: bool) -> None:
    reply = spelled(**say(COUNT if counting else "Hello"), max_tokens=limit, stop_sequences=stops)
    assert reply.usage["output_tokens"] <= limit
    assert not any(stop in reply.text for stop in stops if stop)
    assert (reply.stop_reason == "stop_sequence") is (reply.stop_sequence is not None)
    assert reply.stop_sequence is None or reply.stop_sequence in stops


def test_a_stop_sequence_is_named() -> None:
    body = whole(**say(COUNT), stop_sequences=["20", "8"])
    assert (body["stop_reason"], body["stop_sequence"]) == ("stop_sequence", "8")
    assert body["content"] == [{"type": "text", "text": "1, 2, 3, 4, 5, 6, 7, "}]


@pytest.mark.parametrize(
    ("choice", "calls"),
    [
        ({"type": "any"}, 2),
        ({"type": "any", "disable_parallel_tool_use": True}, 1),
        ({"type": "auto"}, 2),
        ({"type": "tool", "name": "get_weather"}, 1),
        ({"type": "none"}, 0),
        (None, 2),
    ],
)
def test_tools_are_called_as_asked(choice: Any, calls: int) -> None:
    asked = say("What is the weather in Paris and in London?") | {"tools": [WEATHER]}
    body = whole(**asked, **({"tool_choice": choice} if choice else {}))
    used = [block for block in body["content"] if block["type"] == "tool_use"]
    assert [block["input"]["city"] for block in used] == ["Paris", "London"][:calls]
    assert len({block["id"] for block in used}) == calls
    assert all(block["id"].startswith("toolu_") for block in used)
    assert (body["stop_reason"] == "tool_use") is bool(calls)


def test_a_result_is_used() -> None:
    turns = [
        {"role": "user", "content": "What is the weather in Paris?"},
        {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "get_weather", "input": {}}]},
        {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t", "content": "21 degrees"}]},
    ]
    body = whole(messages=turns, tools=[WEATHER])
    assert "21 degrees" in body["content"][0]["text"]
    assert body["stop_reason"] == "end_turn"


def test_thinking_comes_first_and_is_signed() -> None:
    thought, said = whole(**THINK)["content"]
    assert (thought["type"], said["type"]) == ("thinking", "text")
    assert thought["thinking"]
    assert thought["signature"]


def test_more_thinking_than_tokens_is_refused() -> None:
    got = answered(thinking=THINK["thinking"], max_tokens=1024)
    assert got.status == 400
    assert json.loads(got.body)["error"]["type"] == "invalid_request_error"


def test_a_tool_that_was_not_declared_is_refused_in_the_envelope() -> None:
    got = answered(tools=[WEATHER], tool_choice={"type": "tool", "name": "nothing"})
    assert got.status == 400
    assert json.loads(got.body)["type"] == "error"


def test_a_count_is_what_a_message_reads() -> None:
    asked: dict[str, Any] = {"system": "You answer briefly. " * 9, "tools": [WEATHER]}
    counted = json.loads(answered("countMessageTokens", **asked).body)
    assert counted == {"input_tokens": whole(**asked)["usage"]["input_tokens"]}
    assert counted["input_tokens"] > json.loads(answered("countMessageTokens").body)["input_tokens"] + 30


def test_the_chat_that_asks_the_same() -> None:
    picture = {"type": "image", "source": {"type": "url", "url": "https://x.example/a.png"}}
    asked: dict[str, Any] = {
        "model": "m",
        "system": [{"type": "text", "text": "Be brief."}],
        "messages": [
            {"role": "user", "content": [picture, {"type": "text", "text": "What is it?"}]},
            {"role": "assistant", "content": [{"type": "tool_use", "id": "t", "name": "f", "input": {"a": 1}}]},
            {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "t"}]},
            {"role": "user", "content": []},
        ],
        "tools": [WEATHER, {"type": "web_search_20250305", "name": "web_search"}],
    }
    chat: Any = as_chat(asked)
    assert [one["role"] for one in chat["messages"]] == ["system", "user", "assistant", "tool"]
    assert [part["type"] for part in chat["messages"][1]["content"]] == ["image_url", "text"]
    assert chat["messages"][2]["tool_calls"][0]["function"] == {"name": "f", "arguments": '{"a":1}'}
    assert [tool["function"]["name"] for tool in chat["tools"]] == ["get_weather"]
