"""What is remembered of requests is bounded: also by what their answers weigh."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.adapter import Adapter
from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import Fields
from mock_server.library import RECORDINGS, Library, load
from mock_server.manners import Relays
from mock_server.options import Conduct, Options
from mock_server.relay import Relay
from mock_server.script import read
from mock_server.settled import HEAVIEST, LONGEST, Decision, Settled
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Auth

DOCUMENT = document.load()
RELAY = Relay(DOCUMENT, Library([], DOCUMENT))
LIBRARY = load(RECORDINGS, DOCUMENT)
HEADERS = (("authorization", "Bearer k"), ("content-type", "application/json"))


def known(body: bytes, answer: Answer, second: int | None) -> bool:
    """Whether a decision is found again."""
    settled, what, how = Settled(), ("/", body), ("POST", Fields())
    settled.find(RELAY, what, how, 1)
    for first in (True, False):
        assert settled.find(RELAY, what, how, 1) is None
        if settled.came(what):
            assert not first
            settled.keep(what, how, Decision(Asked("POST", "/", None, (), body, None, Auth.NONE), answer, second))
    return settled.find(RELAY, what, how, 1) is not None


@pytest.mark.parametrize(
    ("body", "frames", "second", "kept"),
    [
        (b"{}", (Frame(0.0, b"x" * 1000),), 1, True),
        (b"x" * (LONGEST + 1), (Frame(0.0, b"x"),), 1, False),
        (b"{}", (Frame(0.0, b"x" * HEAVIEST),), 1, False),
        (b"{}", (Frame(0.0, b""),) * (HEAVIEST // 100), 1, False),
        (b"{}", (Frame(0.0, b"x" * HEAVIEST),), None, True),
    ],
    ids=["small", "a long request", "a long answer", "an answer of many pieces", "a recorded one"],
)
def test_what_weighs_little_is_remembered(
    body: bytes, frames: tuple[Frame, ...], second: int | None, *, kept: bool
) -> None:
    assert known(body, Answer(200, (), frames), second) is kept


ANSWERS: tuple[dict[str, Json], ...] = (
    {"reply": "One."},
    {"status": 429},
    {"recording": "llama-server-loading/models-list"},
    {"headers": {"x-one": "1"}},
    {"faults": "chat-id-missing@0.5"},
    {"limit": "rpm=2"},
)
TURNS: tuple[dict[str, Json], ...] = (
    {},
    {},
    {"times": 1},
    {"after": 2},
    {"after": 1, "times": 2},
    {"probability": 0.5},
)
_rules = st.builds(
    lambda model, answer, turn: {"when": {"model": model}, **answer, **turn},
    st.sampled_from(["a", "mock-*", "*"]),
    st.sampled_from(ANSWERS),
    st.sampled_from(TURNS),
)


def adapter(script: list[dict[str, Json]]) -> Adapter:
    conduct = Conduct(script=read(json.dumps(script)))
    return Adapter(Relays(DOCUMENT, LIBRARY, conduct), Options(conduct=conduct))


@given(st.lists(_rules, max_size=4), st.lists(st.sampled_from(["a", "mock-chat", "gpt-4o"]), max_size=4))
def test_what_is_remembered_is_what_would_be_decided(script: list[dict[str, Json]], models: list[str]) -> None:
    quick, slow = adapter(script), adapter(script)
    for model in models * 4:
        raw = json.dumps({"model": model, "messages": [{"role": "user", "content": "hello"}], "n": 2}).encode()
        told = []
        for one, headers in ((quick, Fields(HEADERS)), (slow, HEADERS)):  # only of `Fields` anything is remembered
            done = one.decide(one.relays.usual, None, ("POST", "/v1/chat/completions", headers), raw, 1)
            names = [name for name, _ in done.answer.headers if not name.startswith("x-ratelimit-reset")]
            told.append((done.by, done.play and done.play.rule.name, done.answer.status, names, _lasting(done.answer)))
        assert told[0] == told[1]


def _lasting(answer: Answer) -> Json:
    """The body, less what tells the moment; a limit says when it is over."""
    if answer.status == 429:
        return None
    try:
        body: Json = json.loads(answer.body)
    except ValueError:
        return answer.body.decode()
    return {**body, "created": None, "id": body.get("id") is not None} if isinstance(body, dict) else body
