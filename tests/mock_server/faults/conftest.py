"""Requests to a right relay with its answers: one of each kind that some fault is about."""

import json
from typing import Any

import pytest

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.library import Library
from mock_server.relay import Relay
from openapi import document
from openapi.wire.exchange import Auth, Headers

Body = dict[str, Any]
Pair = tuple[Asked, Answer]

JSON_TYPE = ("content-type", "application/json")
KEY = ("authorization", "Bearer sk-secret-0123456789")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"type": "function", "function": {"name": "get_weather", "description": "Weather", "parameters": CITY}}
CLOCK = {"type": "function", "function": {"name": "get_time", "description": "The time"}}
NAMED = {"type": "function", "function": {"name": "get_weather"}}
FORMAT = {"type": "json_schema", "json_schema": {"name": "city", "schema": CITY}}

CALLED = [
    {"role": "user", "content": "The weather?"},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [{"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}],
    },
    {"role": "tool", "tool_call_id": "a", "content": "fine"},
]

EDIT = [{"role": "assistant", "content": f"sid: s_{'0' * 32}"}, {"role": "user", "content": "A dog."}]

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
    {"tools": [WEATHER], "tool_choice": "required", "parallel_tool_calls": False},
    {"tools": [WEATHER], "messages": CALLED},
    {"messages": [{"role": "user", "content": "Repeat this: marigold-4417"}]},
    {"messages": [{"role": "user", "content": "Reveal a private address."}], "response_format": FORMAT},
    {"user": "a", "seed": 7, "relayproof_unknown": None},
    {"model": "mock-reasoner", "max_tokens": 500},
    {"model": "mock-reasoner"},
    {"model": "sora-2", "max_tokens": 1000},
    {"model": "sora-2", "messages": [{"role": "user", "content": [{"type": "text", "text": "A cat."}]}]},
    {"model": "sora-2", "messages": [{"role": "user", "content": "A cat."}, *EDIT]},
)


def chat(
    more: Body, *, auth: Auth = Auth.VALID, headers: Headers = (KEY,), path: str = "/v1/chat/completions"
) -> Asked:
    prompt = "What is the weather in Paris and London?"
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": prompt}], **more}
    operation = "createChatCompletion" if path.endswith("/completions") else None
    return Asked("POST", path, operation, headers, json.dumps(body).encode(), body, auth)


def post(path: str, operation: str, body: Body) -> Asked:
    return Asked("POST", path, operation, (KEY,), json.dumps(body).encode(), body, Auth.VALID)


def of_claude(more: Body, *, auth: Auth = Auth.VALID, path: str = "/v1/messages", key: str = "x-api-key") -> Asked:
    """A request in Claude's protocol."""
    prompt = "What is the weather in Paris and London?"
    body = {"model": "mock-claude", "max_tokens": 300, "messages": [{"role": "user", "content": prompt}], **more}
    operation = "countMessageTokens" if path.endswith("count_tokens") else "createMessage"
    return Asked("POST", path, operation, ((key, "sk-secret-0123456789"),), json.dumps(body).encode(), body, auth)


TOOL = {"name": "get_weather", "description": "Weather", "input_schema": CITY}
CLAUDES: tuple[Body, ...] = (
    {},
    {"max_tokens": 5},
    {"system": "Be brief.", "stop_sequences": ["a"]},
    {"tools": [TOOL], "tool_choice": {"type": "any"}},
    {"tools": [TOOL], "tool_choice": {"type": "none"}},
    {"max_tokens": 2000, "thinking": {"type": "enabled", "budget_tokens": 1024}},
)


def claudes() -> list[Pair]:
    """Messages, whole and streamed, a count, and a refusal in their own envelope."""
    asked = [of_claude({**more, **stream}) for more in CLAUDES for stream in ({}, {"stream": True})]
    asked += [of_claude({}, key="authorization")]
    asked += [of_claude({"system": "Be brief.", "tools": [TOOL]}, path="/v1/messages/count_tokens")]
    unknown = of_claude({"model": "nobody"})
    refusal = synthesis.unknown_model("nobody", unknown.operation)
    return [*((one, synthesis.answer(one, now=1_700_000_000)) for one in asked), (unknown, refusal)]


def others() -> list[Asked]:
    """Text completions and embeddings."""
    text = {"model": "mock-instruct", "prompt": "Count from 1 to 30"}
    usage = {"stream_options": {"include_usage": True}}
    texts: list[Body] = [{}, {"n": 2}, {"stop": "4"}, {"max_tokens": 5}, {"logprobs": 2}, {"echo": True}]
    texts += [
        {"prompt": ["a", "b"]},
        {"stream": True, "stop": "4"},
        {"stream": True, "n": 2},
        {"stream": True, **usage},
    ]
    vector = {"model": "mock-embed", "input": ["red", "green"], "dimensions": 8}
    vectors: list[Body] = [{}, {"encoding_format": "base64"}, {"input": ""}, {"input": ["a", "b", "c", "d"]}]
    return [
        *(post("/v1/completions", "createCompletion", {**text, **more}) for more in texts),
        *(post("/v1/embeddings", "createEmbedding", {**vector, **more}) for more in vectors),
    ]


def get(path: str, operation: str, auth: Auth = Auth.VALID) -> Asked:
    return Asked("GET", path, operation, (KEY,), b"", None, auth)


def refused(asked: Asked, status: int, code: str) -> Pair:
    return asked, synthesis.error(status, f"refused: {code}", type="invalid_request_error", code=code)


def _pairs() -> list[Pair]:
    streams = [{**more, "stream": True} for more in CHATS]
    streams += [{**more, "stream": True, "stream_options": {"include_usage": True}} for more in CHATS]
    asked = [*(chat(more) for more in (*CHATS, *streams)), *others()]
    asked += [get("/v1/models", "listModels"), get("/v1/models/mock-chat", "retrieveModel")]
    pairs = [(one, synthesis.answer(one, now=1_700_000_000)) for one in asked]
    unknown = get("/v1/models/nobody", "retrieveModel")
    scheme = (("www-authenticate", "Bearer"),)
    challenged = synthesis.error(401, "refused", type="invalid_request_error", code="invalid_api_key", headers=scheme)
    return [
        *pairs,
        *claudes(),
        (unknown, synthesis.unknown_model("nobody")),
        (chat({"model": "nobody"}), synthesis.unknown_model("nobody")),
        refused(chat({}, auth=Auth.NONE, headers=()), 401, "invalid_api_key"),
        refused(chat({}, auth=Auth.WRONG), 401, "invalid_api_key"),
        refused(chat({"stream": True}, auth=Auth.WRONG), 401, "invalid_api_key"),
        refused(get("/v1/models", "listModels", Auth.NONE), 401, "invalid_api_key"),
        refused(chat({"messages": []}), 400, "invalid_value"),
        (chat({"max_tokens": 10**9}), synthesis.no_room(10**9, 10**6, "createChatCompletion")),
        (chat({}, auth=Auth.NONE, headers=(("authorization", "Basic eDp5"),)), challenged),
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


LIBERTIES: tuple[tuple[str, str, Headers], ...] = (
    ("HEAD", "/v1/models", ()),
    ("PUT", "/v1/chat/completions", ()),
    ("OPTIONS", "/v1/models", ()),
    ("POST", "/v1/chat/completions/", ()),
    ("POST", "//v1/chat/completions", ()),
    ("GET", "/v1/models", (("origin", "https://app.example"),)),
    (
        "OPTIONS",
        "/v1/chat/completions",
        (
            ("origin", "https://app.example"),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,x-stainless-os"),
        ),
    ),
    *(
        ("POST", "/v1/chat/completions", headers)
        for headers in (
            (("authorization", "bearer k"),),
            (("AUTHORIZATION", "Bearer k"),),
            (("authorization", "Bearer k"), ("authorization", "Bearer k")),
            (("content-encoding", "identity"),),
            (("expect", "100-continue"),),
            (("content-type", "application/json; charset=utf-8"),),
            (("content-type", "Application/JSON"),),
            (("accept-encoding", "gzip"),),
        )
    ),
)


@pytest.fixture(scope="session")
def liberties() -> list[Pair]:
    """Requests that take the liberties of HTTP, with the answers of a right relay."""
    relay = Relay(document.load(), Library([], document.load()))
    raw = b" " * (1 << 21) + b'{"model":"mock-chat","messages":[{"role":"user","content":"hi"}],"stream":true}'
    asked = [
        relay.asked(method, path, (JSON_TYPE, KEY, *headers), raw if method == "POST" else b"")
        for method, path, headers in LIBERTIES
    ]
    reordered = b'{"messages":[{"role":"user","content":"hi"}],"model":"mock-chat"}'
    asked.append(relay.asked("POST", "/v1/chat/completions", (JSON_TYPE, KEY), reordered))
    return [(one, relay.answer(one)) for one in asked]
