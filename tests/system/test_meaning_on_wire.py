"""Every other fault changes what a client reads, and nothing of what frames it: in replay, and the same as a proxy."""

import json
import re
from collections.abc import Iterator
from contextlib import ExitStack
from functools import cache

import pytest

from mock_server.answer import Answer, Asked
from mock_server.asking import Fields
from mock_server.faults import FAULTS
from mock_server.faults.beyond import beyond
from mock_server.library import Library
from mock_server.options import Conduct
from mock_server.process import running
from mock_server.relay import Relay
from openapi import document
from openapi.wire.exchange import Auth
from openapi.wire.http1 import AnswerReader
from tests.evidence import levelled
from tests.mock_server.faults.conftest import _pairs
from tests.system.faults_on_wire import SHOWN, said
from tests.system.raw import FIN, KEY, Ask, Came, ask

OTHERS = [name for name in FAULTS if name not in SHOWN]
IN_TIME = {"video-silent-gap"}  # which changes times alone: `tests/mock_server/faults/test_kinds.py` has it
MORE = (
    Ask("GET", "/__relay__/media/a.mp4", key=None),
    Ask("GET", "/v1/models", key=None),
    Ask(path="/v1/messages", body={"model": "mock-claude", "max_tokens": 9, "messages": said()["messages"]}),
    Ask(body=said("Hello", temperature=1, user="a", seed=7)),
    Ask(body=said("Hello", temperature=1, user="a")),
)
CITY = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}
NESTED = {"type": "object", "properties": {"city": CITY}, "required": ["city"]}
TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": NESTED}}
CALL = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
RESULT = [
    {"role": "user", "content": "The weather?"},
    {"role": "assistant", "content": None, "tool_calls": [CALL]},
    {"role": "tool", "tool_call_id": "a", "content": [{"type": "text", "text": "fine"}]},
]
OWN = [  # calls as the mock tells them, come back with their results
    {"role": "assistant", "content": None, "tool_calls": [CALL | {"id": f"call_{'0' * 24}"}]},
    {"role": "tool", "tool_call_id": f"call_{'0' * 24}", "content": "fine"},
]
ANSWER = {"role": "assistant", "content": "Hello.", "annotations": []}
JSON = {"type": "json_object"}
FORM = {"type": "json_schema", "json_schema": {"name": "a", "schema": CITY}}
RARE = (  # in which parameters meet, or an answer of the mock's comes back
    Ask(
        body=said(
            stream=True, n=2, response_format={"type": "json_schema", "json_schema": {"name": "a", "schema": CITY}}
        )
    ),
    Ask(body=said(stop=["zz"], logprobs=True)),
    Ask(body=said("a\0b")),
    Ask(body=said() | {"messages": RESULT, "tools": [TOOL]}),
    Ask(body=said(relayproof_unknown=[])),
    Ask(body=said(n={})),
    Ask(body=said(n=2, stop="a")),
    Ask(body=said(response_format=JSON, logprobs=True)),
    Ask(body=said(response_format=JSON, stop="zz", stream=True)),
    Ask(body=said(max_tokens=1)),
    Ask(body=said(max_tokens=3, n=2)),
    Ask(body={"stream": True} | said()),
    Ask(body=said("a \ud800", stream=True)),
    Ask(body=said(tools=[TOOL], tool_choice="required")),
    Ask(body=said(n=3, stream=True)),
    Ask(body=json.dumps(said()).encode()[:-1] + b",}"),
    Ask(body={"messages": said()["messages"], "model": "mock-chat"}),
    Ask(body=said() | {"messages": [*RESULT[:1], ANSWER, *RESULT[:1], ANSWER, *RESULT[:1]]}),
    Ask(body=said(stream=True) | {"messages": [*RESULT[:1], *OWN, *RESULT[:1]]}),
    Ask(body=said(tools=[TOOL], tool_choice="required") | {"messages": [*RESULT[:1], *OWN, *OWN]}),
    Ask("GET", "/v1/models/text-embedding-3-small"),
    Ask("GET", "/v1/models/org%2Fname"),
)
Urls = dict[str, str]
Read = tuple[int, str | None, bytes]  # status, media type, and the body less what differs from one answer to the next


def relay(*names: str) -> Relay:
    """One without recordings, as those that are asked are."""
    known = document.load()
    return Relay(known, Library([], known), Conduct(faults=tuple(FAULTS[name] for name in names), api_key=KEY))


def asked_of(it: Relay, wanted: Ask) -> Asked:
    """The request as a relay would get it over a socket."""
    head, _, body = wanted.bytes.partition(b"\r\n\r\n")
    pairs = (line.partition(": ") for line in head.decode().split("\r\n")[1:])
    return it.asked(wanted.method, wanted.path, Fields((name, value) for name, _, value in pairs), body)


@cache
def asks() -> tuple[Ask, ...]:
    """Requests of each kind that some fault is about."""
    return (*(_ask(asked) for asked, _ in _pairs()), *MORE, *RARE)


def _ask(asked: Asked) -> Ask:
    known = next((f"{name}: {value}" for name, value in asked.headers if name in {"authorization", "x-api-key"}), None)
    key = known if known is None or asked.auth is Auth.WRONG else known.replace("sk-secret-0123456789", KEY)
    return Ask(asked.method, asked.path, asked.raw or None, key=key)


def level(answer: Answer) -> Read:
    """What a client reads, less what differs from one answer to the next."""
    media = next((value for name, value in answer.headers if name.lower() == "content-type"), None)
    return answer.status, media, levelled(_unlinked(answer.body))


@cache
def _goods() -> tuple[Read, ...]:
    it = relay()
    return tuple(level(it.answer(asked_of(it, wanted))) for wanted in asks())


def shows(name: str) -> tuple[Ask, Read, Read]:
    """A request whose answer the fault changes, the good answer, and what the fault makes of it."""
    for wanted, good in zip(asks(), _goods(), strict=True):
        it = relay(name)
        bad = level(it.answer(asked_of(it, wanted)))
        if bad != good:
            return wanted, good, bad
    raise AssertionError(name)


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """A mock without recordings, and a proxy in front of it."""
    empty, folder = (str(tmp_path_factory.mktemp(name)) for name in ("empty", "recorded"))
    with ExitStack() as stack:
        replay = stack.enter_context(running("--speed", "max", "--recordings", empty, "--api-key", KEY))
        proxied = ("--record-from", replay, "--to", folder, "--speed", "max")
        yield {"replay": replay, "proxy": stack.enter_context(running(*proxied))}


def seen(came: Came, method: str) -> Read:
    """What a client reads of an answer in which nothing is wrong with the framing."""
    reader = AnswerReader(method)
    reader.feed(came.data)
    assert (reader.complete, reader.fault, reader.oddities, reader.rest, came.end) == (True, None, (), b"", FIN)
    return came.status, next(iter(came.values("content-type")), None), levelled(_unlinked(came.body))


@pytest.mark.parametrize("name", [name for name in OTHERS if name not in IN_TIME])
def test_a_fault_of_meaning_is_on_the_wire_and_the_framing_is_right(name: str, urls: Urls) -> None:
    wanted, good, bad = shows(name)
    assert seen(ask(urls["replay"], wanted), wanted.method) == good
    faulty = wanted.with_header("x-relay-fault", name)
    assert seen(ask(urls["replay"], faulty), wanted.method) == bad
    if not beyond(FAULTS[name]):
        assert seen(ask(urls["proxy"], faulty), wanted.method) == bad


def _unlinked(body: bytes) -> bytes:
    """Links of the mock's own lead to where it was found."""
    return re.sub(rb"http://[\w.:]+(?=/__relay__)", b"http://here", body)


def test_what_is_left_out_is_little() -> None:
    assert set(FAULTS) >= IN_TIME
    assert len(OTHERS) + len(SHOWN) == len(FAULTS)
