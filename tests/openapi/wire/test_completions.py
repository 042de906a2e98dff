"""The stream of text completions: what each event says, what the pieces spell, and the recordings of real servers."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.library import RECORDINGS
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording
from openapi.wire.sse import Message
from openapi.wire.streams import chat
from openapi.wire.streams.completions import GRAMMAR, Said, State, Symbol, classify, fold, project, whole

TEXT, EMPTY, FINISH, BARE = Symbol.DELTA, Symbol.EMPTY, Symbol.FINISH, Symbol.BARE
USAGE, DONE, ERROR, JUNK = Symbol.USAGE, Symbol.DONE, Symbol.ERROR, Symbol.JUNK


def said(data: str) -> list[tuple[Symbol, int | None]]:
    return [(one.symbol, one.choice) for one in classify(7, Message(data), json_text.read(data))]


def piece(**choice: Json) -> str:
    return json.dumps({"choices": [choice]})


def walked(*symbols: Symbol) -> list[tuple[State, Symbol | None]]:
    return [(violation.state, violation.got) for violation in GRAMMAR.walk(symbols)]


@pytest.mark.parametrize(
    ("choice", "symbols"),
    [
        ({"text": "a"}, [TEXT]),
        ({"text": "a", "finish_reason": None}, [TEXT]),
        ({"text": "a", "finish_reason": "stop"}, [TEXT, FINISH]),
        ({"text": "", "finish_reason": "length"}, [EMPTY, FINISH]),
        ({"text": "", "finish_reason": ""}, [EMPTY]),
        ({"text": None}, [EMPTY]),
        ({}, [EMPTY]),
        ({"delta": {"role": "assistant", "content": "a"}}, [EMPTY]),
        ({"text": ["a"]}, [TEXT]),
    ],
)
def test_what_a_choice_says(choice: dict[str, Json], symbols: list[Symbol]) -> None:
    assert said(piece(index=3, **choice)) == [(symbol, 3) for symbol in symbols]


@pytest.mark.parametrize(
    ("data", "symbol"),
    [
        ("[DONE]", DONE),
        ('{"error":{"message":"x"}}', ERROR),
        ('{"choices":[],"usage":{}}', USAGE),
        ('{"choices":[]}', BARE),
        ('{"choices":[7]}', JUNK),
        ('{"choices":[{"text":"a"}]}', JUNK),
        ('{"choices":[{"index":true,"text":"a"}]}', JUNK),
        ('{"choices":{}}', JUNK),
        ("7", JUNK),
        ("{", JUNK),
    ],
)
def test_what_concerns_every_choice(data: str, symbol: Symbol) -> None:
    assert said(data) == [(symbol, None)]


def test_the_order() -> None:
    assert walked(TEXT, TEXT, EMPTY, FINISH, EMPTY, USAGE, DONE) == []
    assert walked(FINISH, DONE) == []
    assert walked(BARE, TEXT, ERROR) == []
    assert walked(TEXT, DONE) == [(State.OPEN, DONE)]
    assert walked(TEXT, FINISH, TEXT, FINISH, DONE) == [(State.FINISHED, TEXT)]
    assert walked(TEXT, FINISH, FINISH, DONE) == [(State.FINISHED, FINISH)]
    assert walked(TEXT, USAGE, FINISH, DONE) == [(State.OPEN, USAGE)]
    assert walked(TEXT, FINISH) == [(State.FINISHED, None)]
    assert walked(FINISH, DONE, DONE, TEXT)[:1] == [(State.DONE, DONE)]


def test_nobody_introduces_himself_and_no_tool_is_called() -> None:
    spoken = {symbol for _, symbol in GRAMMAR.edges} | set(GRAMMAR.resume)
    assert spoken == set(Symbol) - {Symbol.ROLE, Symbol.TOOL, Symbol.JUNK}
    assert State.START not in {state for edge, after in GRAMMAR.edges.items() for state in (edge[0], after)}
    assert GRAMMAR.start is State.OPEN


def test_two_choices_are_joined_each_for_itself() -> None:
    texts = [(0, "a"), (1, "x"), (0, "b"), (1, "")]
    pieces = [piece(index=index, text=text, finish_reason="stop" if text == "" else None) for index, text in texts]
    reply = fold(map(json_text.read, pieces))
    assert {index: choice.content for index, choice in reply.choices.items()} == {0: "ab", 1: "x"}
    assert {index: choice.finish for index, choice in reply.choices.items()} == {0: [], 1: ["stop"]}


def test_a_whole_answer_spells_the_same() -> None:
    answer: dict[str, Json] = {
        "id": "c1",
        "model": "m",
        "created": 1,
        "choices": [{"index": 0, "text": "ab", "finish_reason": "stop"}, 7, {"text": "lost"}],
        "usage": {"total_tokens": 3},
    }
    reply = whole(answer)
    assert (reply.id, reply.model, reply.created, reply.usage) == ("c1", "m", 1, {"total_tokens": 3})
    assert [(choice.index, choice.content, choice.finish) for choice in reply.choices.values()] == [(0, "ab", ["stop"])]


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["choices", "index", "text", "finish_reason", "usage", "error"]), inner)
    ),
    max_leaves=12,
)


@given(st.lists(values, max_size=4))
def test_nothing_raises(bodies: list[Json]) -> None:
    texts = [json_text.read(json.dumps(body)) for body in bodies]
    for body in bodies:
        if not isinstance(body, dict):
            assert said(json.dumps(body)) == [(JUNK, None)]
    fold(texts)
    whole(texts[0].object if texts else {})


def recorded(name: str) -> Exchange:
    return read_recording((RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8"), name).exchange


@pytest.mark.parametrize("source", ["llama-server", "litellm"])
def test_real_streams_keep_the_order_and_spell_the_whole_answer(source: str) -> None:
    exchange = recorded(f"{source}/completions-stream")
    found: list[Said] = []
    for event, message in enumerate(exchange.messages):
        found += classify(event, message, exchange.payloads[event])
    assert {one.symbol for one in found} <= {TEXT, EMPTY, FINISH, DONE}
    assert GRAMMAR.walk(one.symbol for one in project(found, 0)) == ()
    assert (
        fold(exchange.payloads).choices[0].content == whole(recorded(f"{source}/completions").object).choices[0].content
    )


def test_the_grammar_is_that_of_chat_from_where_it_is_open() -> None:
    """An edge that chat gains or loses is gained or lost here, so it is written down once."""
    assert all(chat.GRAMMAR.edges[edge] is after for edge, after in GRAMMAR.edges.items())
    left_out = set(chat.GRAMMAR.edges) - set(GRAMMAR.edges)
    assert all(state is State.START or symbol in {Symbol.ROLE, Symbol.TOOL} for state, symbol in left_out)
