"""Chat requests put to the synthesis, and what its answers spell."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from openapi import json_text
from openapi.wire import sse
from openapi.wire.exchange import Auth
from openapi.wire.streams import chat

NOW = 1_700_000_000

Body = dict[str, Any]


def _asked(body: Body) -> Asked:
    raw = json.dumps(body).encode()
    return Asked("POST", "/v1/chat/completions", "createChatCompletion", (), raw, body, Auth.VALID)


@pytest.fixture(scope="session")
def answer() -> Callable[[Body], Answer]:
    """The answer to a chat request."""
    return lambda body: synthesis.answer(_asked(body), now=NOW)


@pytest.fixture(scope="session")
def whole(answer: Callable[[Body], Answer]) -> Callable[[Body], Body]:
    """The JSON object of the whole answer; the request must succeed."""

    def ask(body: Body) -> Body:
        got = answer(body)
        assert got.status == 200, got.body
        assert dict(got.headers)["content-type"] == "application/json"
        value: Body = json.loads(got.body)
        return value

    return ask


@pytest.fixture(scope="session")
def streamed(answer: Callable[[Body], Answer]) -> Callable[[Body], list[sse.Item]]:
    """The items of the streamed answer, usage asked for unless the request says otherwise."""

    def ask(body: Body) -> list[sse.Item]:
        got = answer({"stream_options": {"include_usage": True}, **body, "stream": True})
        assert got.status == 200, got.body
        assert dict(got.headers)["content-type"] == "text/event-stream"
        return sse.decode(got.body)

    return ask


@pytest.fixture(scope="session")
def chunks(streamed: Callable[[Body], list[sse.Item]]) -> Callable[[Body], list[Body]]:
    """The chunks of the streamed answer, `[DONE]` taken off."""

    def ask(body: Body) -> list[Body]:
        items = streamed(body)
        assert all(isinstance(item, sse.Message) for item in items)
        *said, last = [item.data for item in items if isinstance(item, sse.Message)]
        assert last == chat.SENTINEL
        return [json.loads(data) for data in said]

    return ask


@pytest.fixture(scope="session")
def spelled(chunks: Callable[[Body], list[Body]]) -> Callable[[Body], chat.Reply]:
    """The reply that the streamed answer spells."""
    return lambda body: chat.fold(json_text.read(json.dumps(chunk)) for chunk in chunks(body))
