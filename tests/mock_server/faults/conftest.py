"""Requests to a right relay with its answers: one of each kind that some fault is about."""

import json
from typing import Any

import pytest

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from openapi.wire.exchange import Auth, Headers

Body = dict[str, Any]
Pair = tuple[Asked, Answer]

KEY = ("authorization", "Bearer sk-secret-0123456789")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": CITY}}
CLOCK = {"type": "function", "function": {"name": "get_time", "description": "The time"}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}

CHATS: tuple[Body, ...] = (
    {},
    {"n": 2},
    {"stop": "a", "max_tokens": 20},
    {"max_completion_tokens": 12},
    {"logprobs": True, "top_logprobs": 2},
    {"response_format": {"type": "json_object"}},
    {"response_format": FORMAT},
    {"tools": [WEATHER], "tool_choice": "required"},
    {"tools": [WEATHER], "tool_choice": "none"},
    {"tools": [WEATHER], "tool_choice": NAMED},
    {"tools": [CLOCK], "tool_choice": "required"},
    {"model": "mock-reasoner"},
    {"model": "sora-2", "max_tokens": 1000},
)


def chat(
    more: Body, *, auth: Auth = Auth.VALID, headers: Headers = (KEY,), path: str = "/v1/chat/completions"
) -> Asked:
    prompt = "What is the weather in Paris and London?"
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": prompt}], **more}
    operation = "createChatCompletion" if path.endswith("/completions") else None
    return Asked("POST", path, operation, headers, json.dumps(body).encode(), body, auth)


def get(path: str, operation: str, auth: Auth = Auth.VALID) -> Asked:
    return Asked("GET", path, operation, (KEY,), b"", None, auth)


def refused(asked: Asked, status: int, code: str) -> Pair:
    return asked, synthesis.error(status, f"refused: {code}", type="invalid_request_error", code=code)


def _pairs() -> list[Pair]:
    streams = [{**more, "stream": True} for more in CHATS]
    streams += [{**more, "stream": True, "stream_options": {"include_usage": True}} for more in CHATS]
    asked = [chat(more) for more in (*CHATS, *streams)]
    asked += [get("/v1/models", "listModels"), get("/v1/models/mock-chat", "retrieveModel")]
    pairs = [(one, synthesis.answer(one, now=1_700_000_000)) for one in asked]
    unknown = get("/v1/models/nobody", "retrieveModel")
    return [
        *pairs,
        (unknown, synthesis.unknown_model("nobody")),
        (chat({"model": "nobody"}), synthesis.unknown_model("nobody")),
        refused(chat({}, auth=Auth.NONE, headers=()), 401, "invalid_api_key"),
        refused(chat({}, auth=Auth.WRONG), 401, "invalid_api_key"),
        refused(chat({"stream": True}, auth=Auth.WRONG), 401, "invalid_api_key"),
        refused(get("/v1/models", "listModels", Auth.NONE), 401, "invalid_api_key"),
        refused(chat({"messages": []}), 400, "invalid_value"),
        refused(chat({}, path="/v1/nowhere"), 404, "not_found"),
    ]


@pytest.fixture(scope="session")
def pairs() -> list[Pair]:
    """Each request with the answer of a right relay."""
    return _pairs()


@pytest.fixture(scope="session")
def stream() -> Pair:
    """A plain streamed chat, usage asked for."""
    asked = chat({"stream": True, "stream_options": {"include_usage": True}})
    return asked, synthesis.answer(asked, now=1_700_000_000)
