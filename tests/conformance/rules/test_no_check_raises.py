"""Whatever a relay sends and whatever was asked, no check raises: a raise is our fault and would hide a verdict."""

import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.asked import UNKNOWN_MODEL, UNKNOWN_PATH
from conformance.judge import judge
from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi import document
from openapi.wire.exchange import Auth, End, Exchange, Framing, Read, Request
from openapi.wire.redaction import mark
from tests.conformance.exchanges import (
    CHAT,
    DONE,
    EVENTS,
    JSON,
    WEATHER,
    answer,
    arguments,
    call,
    chat_body,
    choice,
    chunk,
    counted,
    failure,
    finish,
    got,
    head,
    message,
    request,
    role,
    sse_bytes,
    stream,
    text,
    usage,
)

OPERATIONS = tuple(one.id for one in document.load().operations)
DEEP: Any = json.loads("[" * 400 + "]" * 400)
SPECIAL = (DEEP, 10**400, -(10**30), 1e300, "\ud800", "\x00", "x" * 300, "50% https://x.example/a.mp4", mark(12), True)
WORDS = re.findall(
    r"\w+",
    "id object created model choices usage error index delta message finish_reason logprobs content role refusal "
    "reasoning_content tool_calls function name arguments type token logprob bytes top_logprobs prompt_tokens "
    "completion_tokens total_tokens prompt_tokens_details cached_tokens completion_tokens_details reasoning_tokens "
    "prompt_filter_results data owned_by param code output url status stream stream_options include_usage n stop "
    "max_tokens max_completion_tokens tools tool_choice response_format json_schema schema strict messages temperature",
)
LEGAL_BODIES = (
    chat_body(),
    chat_body(stream=True),
    chat_body(stream=True, stream_options={"include_usage": True}, n=2, stop=["a"], max_tokens=3),
    chat_body(stream=True, tools=[WEATHER], tool_choice="required"),
    chat_body(tools=[WEATHER], tool_choice={"type": "function", "function": {"name": "get_weather"}}),
    chat_body(tools=[WEATHER], tool_choice="none", logprobs=True, top_logprobs=2, n=2),
    chat_body(stream=True, logprobs=True, response_format={"type": "json_object"}),
    chat_body(response_format={"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}),
    chat_body(model="sora-2", stream=True, max_tokens=1000),
    chat_body(model=UNKNOWN_MODEL, stream=True),
)
PIECES = (
    role(),
    text(),
    text("中 50% ❌ https://x.example/a.mp4"),
    head(),
    arguments(),
    finish(),
    finish("tool_calls"),
    counted(),
    failure(),
    chunk(choice({"content": "{}"}, logprobs={"content": [{"token": "{}", "logprob": -1.0, "bytes": [1]}]})),
    chunk(choice({"output": [{"url": "https://x.example/b.mp4"}]})),
)
ANSWERS = (
    answer(),
    answer(message(None, "tool_calls", tool_calls=[call(), call()])),
    answer(message() | {"logprobs": {"content": [{"token": "Hi", "logprob": -1.0, "bytes": None}]}}),
    answer(usage=usage(prompt_tokens_details={"cached_tokens": 1})),
    failure(),
    {"object": "list", "data": [{"id": "m", "object": "model", "created": 1, "owned_by": "x"}]},
)

scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8)
values = st.recursive(
    scalars | st.sampled_from(SPECIAL),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(WORDS), inner, max_size=5),
    max_leaves=12,
)


@st.composite
def mutants(draw: st.DrawFn, whole: Sequence[Any]) -> Any:
    """One of these values with up to three places changed."""
    value = json.loads(json.dumps(draw(st.sampled_from(whole))))
    for _ in range(draw(st.integers(0, 3))):
        inner = value
        while isinstance(inner, dict | list) and inner:
            keys = sorted(inner) if isinstance(inner, dict) else range(len(inner))
            key = draw(st.sampled_from(keys))
            if not isinstance(inner[key], dict | list) or not inner[key] or draw(st.integers(0, 2)) == 0:
                inner[key] = json.loads(json.dumps(draw(values)))  # its own: the next change may be within it
                break
            inner = inner[key]
    return value


requests = st.builds(
    Request,
    method=st.sampled_from(["POST", "GET", "HEAD", "OPTIONS"]),
    path=st.sampled_from([CHAT, CHAT, CHAT, "/v1/models", "/v1/models/a%2Fb", f"/v1/models/{UNKNOWN_MODEL}"])
    | st.sampled_from(["/v1/messages", f"/v1/{UNKNOWN_PATH}", "/", "", "/v1/models/%ff?x"]),
    headers=st.sampled_from([(("content-type", JSON),), (), (("Content-Type", "text/plain"),)]),
    auth=st.sampled_from([None, *Auth]),
    body=st.none()
    | st.binary(max_size=20)
    | (mutants(LEGAL_BODIES) | values).map(lambda body: json.dumps(body).encode()),
)
legal_requests = st.sampled_from(LEGAL_BODIES).map(request) | st.just(
    request(method="GET", path="/v1/models", kind=None)
)
events = st.one_of(mutants(PIECES), values, st.just(DONE), st.binary(max_size=30), st.sampled_from(PIECES))


def wire(event: Any) -> bytes:
    return event if isinstance(event, bytes) else sse_bytes(event if event == DONE else json.dumps(event))


bodies = (
    st.lists(events.map(wire), max_size=8)
    | st.binary(max_size=60).map(lambda data: [data])
    | (mutants(ANSWERS) | values).map(lambda value: [json.dumps(value).encode()])
)
headers = st.lists(
    st.sampled_from(
        [("content-type", EVENTS), ("Content-Type", JSON), ("content-type", "text/event-stream;charset"), ("", "")]
    )
    | st.sampled_from([("content-encoding", "gzip"), ("content-encoding", "br"), ("x-request-id", mark(9))]),
    max_size=2,
).map(tuple)


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    reads = tuple(Read(float(at * 40), data) for at, data in enumerate(draw(bodies)))
    return Exchange(
        "e1",
        draw(legal_requests | requests),
        draw(st.sampled_from([200, 200, 200, None, 204, 302, 400, 401, 404, 429, 500, 503])),
        draw(headers | st.sampled_from([(("content-type", EVENTS),), (("content-type", JSON),)])),
        reads,
        draw(st.sampled_from(End)),
        draw(st.floats(0, 1000)),
        framing=draw(st.none() | st.sampled_from(Framing)),
        error=draw(st.sampled_from([None, "", "timed out", "framing: x"])),
        operation=draw(st.sampled_from([None, None, None, "noSuchOperation", *OPERATIONS])),
        probe=draw(st.sampled_from([None, "fuzz.x.1", "chat.whole", "video.create"])),
    )


def broken(exchange: Exchange) -> list[str]:
    found = judge([exchange], BOOK)
    return [f"{one.rule}: {one.reason}" for one in found if one.outcome is Outcome.BROKEN]


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(exchanges())
def test_no_check_raises(exchange: Exchange) -> None:
    assert broken(exchange) == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LEGAL_BODIES), st.lists(events.map(wire), max_size=8))
def test_no_check_raises_on_a_stream(body: Any, sent: list[bytes]) -> None:
    assert broken(stream(*sent, DONE, to=request(body))) == []


@settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(LEGAL_BODIES), mutants(ANSWERS))
def test_no_check_raises_on_a_whole_answer(body: Any, sent: Any) -> None:
    assert broken(got(200, sent, to=request(body))) == []


@pytest.mark.parametrize("depth", [200, 400, 800, 900, 940, 960, 980, 990])
@pytest.mark.parametrize("place", ["id", "model", "created", "usage", "choices", "x", "error"])
def test_no_depth_of_nesting_raises(depth: int, place: str) -> None:
    deep = '{"id":"c","object":"chat.completion","created":1,"model":"m","choices":[],"' + place + '":'
    data = deep + "[" * depth + "]" * depth + "}"
    for body in LEGAL_BODIES:
        assert broken(stream(role(), data, data, DONE, to=request(body))) == []
        assert broken(got(200, data.encode(), to=request(body))) == []
        assert broken(got(400, data.encode(), to=request(body))) == []
