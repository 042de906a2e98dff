"""Anthropic's own SDK reads the mock: what suits only our own reader is no protocol. Untyped here, on purpose, as
`test_sdk.py` is."""

from collections.abc import Iterator
from typing import Any

import anthropic
import pytest
from anthropic import Anthropic

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {
    "name": "weather",
    "description": "The weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
}
ASKED = {"model": "mock-claude", "max_tokens": 200, "messages": HELLO}
TOOLS = ASKED | {"tools": [TOOL], "tool_choice": {"type": "any"}}
THINKS = ASKED | {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}}


@pytest.fixture(scope="module")
def client(mock: str) -> Iterator[Any]:
    with Anthropic(base_url=mock, api_key="My API Key", max_retries=0) as made:
        yield made


def streamed(client: Any, asked: dict[str, Any]) -> tuple[list[str], Any]:
    """The types of the events as the SDK gives them, and the message that it joins from them."""
    with client.messages.stream(**asked) as events:
        kinds = [event.type for event in events]
        return kinds, events.get_final_message()


def test_a_whole_message(client: Any) -> None:
    message = client.messages.create(**ASKED, system="You answer briefly.")
    assert (message.type, message.role, message.stop_reason) == ("message", "assistant", "end_turn")
    assert message.content[0].text
    assert message.usage.input_tokens > 0
    assert message.usage.output_tokens > 0


def test_a_stream_joins_to_the_whole_message(client: Any) -> None:
    kinds, message = streamed(client, ASKED)
    whole = client.messages.create(**ASKED)
    assert kinds[0] == "message_start"
    assert kinds[-1] == "message_stop"
    assert message.content[0].text == whole.content[0].text
    assert message.usage.output_tokens == whole.usage.output_tokens


def test_the_raw_events_come_one_by_one(client: Any) -> None:
    kinds = [event.type for event in client.messages.create(**ASKED, stream=True)]
    assert kinds[:2] == ["message_start", "content_block_start"]
    assert kinds[-3:] == ["content_block_stop", "message_delta", "message_stop"]


@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool(client: Any, stream: bool) -> None:
    message = streamed(client, TOOLS)[1] if stream else client.messages.create(**TOOLS)
    [block] = message.content
    assert (message.stop_reason, block.type, block.name) == ("tool_use", "tool_use", "weather")
    assert list(block.input) == ["city"]


def test_the_result_of_a_tool_is_answered(client: Any) -> None:
    message = client.messages.create(**TOOLS)
    result = {"type": "tool_result", "tool_use_id": message.content[0].id, "content": "21 degrees"}
    turns = [*HELLO, {"role": "assistant", "content": message.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(**ASKED | {"messages": turns, "tools": [TOOL]})
    assert "21 degrees" in answer.content[0].text


@pytest.mark.parametrize("stream", [False, True])
def test_thinking(client: Any, stream: bool) -> None:
    message = streamed(client, THINKS)[1] if stream else client.messages.create(**THINKS)
    assert [block.type for block in message.content] == ["thinking", "text"]
    assert message.content[0].thinking
    assert message.content[0].signature


def test_a_limit_and_a_stop_sequence(client: Any) -> None:
    assert client.messages.create(**ASKED | {"max_tokens": 3}).stop_reason == "max_tokens"
    count = [{"role": "user", "content": "Count from 1 to 20."}]
    message = streamed(client, ASKED | {"messages": count, "stop_sequences": ["8"]})[1]
    assert (message.stop_reason, message.stop_sequence) == ("stop_sequence", "8")


def test_a_count(client: Any) -> None:
    counted = client.messages.count_tokens(model="mock-claude", messages=HELLO)
    assert counted.input_tokens == client.messages.create(**ASKED).usage.input_tokens


@pytest.mark.parametrize(
    ("change", "error", "kind"),
    [
        ({"model": "no-such-model"}, anthropic.NotFoundError, "not_found_error"),
        ({"max_tokens": 0}, anthropic.BadRequestError, "invalid_request_error"),
        ({"messages": []}, anthropic.BadRequestError, "invalid_request_error"),
    ],
)
def test_refusals_are_typed(
    client: Any, change: dict[str, Any], error: type[anthropic.APIStatusError], kind: str
) -> None:
    with pytest.raises(error) as raised:
        client.messages.create(**ASKED | change)
    body: Any = raised.value.body
    assert (body["type"], body["error"]["type"]) == ("error", kind)


def test_a_recorded_message(client: Any) -> None:
    headers = {"X-Relay-Recording": "litellm/messages-stream"}
    with client.messages.stream(**ASKED, extra_headers=headers) as events:
        message = events.get_final_message()
    assert message.content[0].text.startswith("Here are three colors:")
    assert message.usage.output_tokens == 24
