"""Text completions: nothing wrong falls between the rules, nothing right is accused, and no check raises."""

import json
from itertools import cycle
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.judge import judge
from conformance.rule import Level, Outcome
from conformance.rules import BOOK
from openapi import document, schema
from openapi.wire.exchange import Exchange
from openapi.wire.streams.completions import GRAMMAR, State, Symbol
from tests.conformance.exchanges import DONE, Event, failure, got, usage
from tests.conformance.text_exchanges import (
    answer,
    asked,
    end,
    entry,
    listed,
    more_text,
    packed,
    piece,
    said,
    stream,
    totals,
    vectors_asked,
)

USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}
SPOKEN: dict[Symbol, Event] = {
    Symbol.DELTA: more_text(),
    Symbol.EMPTY: more_text(""),
    Symbol.FINISH: end(),
    Symbol.BARE: piece(),
    Symbol.USAGE: totals(),
    Symbol.ERROR: failure(),
    Symbol.DONE: DONE,
    Symbol.JUNK: {"hello": "world"},
}
ALL = tuple(SPOKEN)
WAYS: dict[State, list[Symbol]] = {
    State.OPEN: [],
    State.FINISHED: [Symbol.FINISH],
    State.COUNTED: [Symbol.FINISH, Symbol.USAGE],
    State.FAILED: [Symbol.ERROR],
    State.DONE: [Symbol.FINISH, Symbol.USAGE, Symbol.DONE],
}


CHAPTERS = ("completions", "embeddings", "usage")
RULES = {name: rule for name, rule in BOOK.items() if rule.chapter in CHAPTERS}


def weighty(exchange: Exchange) -> set[str]:
    """The rules of these chapters that an exchange breaks."""
    found = judge([exchange], RULES)
    return {one.rule for one in found if one.outcome is Outcome.FAIL and one.level is not Level.MAY}


def spoken(symbols: list[Symbol], **members: Any) -> Exchange:
    return stream(*(SPOKEN[symbol] for symbol in symbols), **members)


def outs() -> list[tuple[State, Symbol | None]]:
    """Every way to leave the grammar."""
    found: list[tuple[State, Symbol | None]] = [
        (state, symbol) for state in WAYS for symbol in ALL if (state, symbol) not in GRAMMAR.edges
    ]
    return found + [(state, None) for state in WAYS if state not in GRAMMAR.accepting]


@pytest.mark.parametrize(("state", "symbol"), outs(), ids=lambda one: one.name if one else "end")
def test_each_way_out_of_the_grammar_has_a_rule(state: State, symbol: Symbol | None) -> None:
    told = weighty(spoken([*WAYS[state], *([symbol] if symbol else [])], **USAGE))
    assert {rule for rule in told if rule.startswith("completions.stream.")}


@given(st.lists(st.sampled_from(ALL), max_size=10), st.booleans())
def test_no_stream_leaves_the_grammar_unseen(symbols: list[Symbol], counts: bool) -> None:
    if GRAMMAR.walk(symbols):
        assert weighty(spoken(symbols, **(USAGE if counts else {})))


@st.composite
def legal_walks(draw: st.DrawFn) -> list[Symbol]:
    """A walk that keeps to the grammar, without an error, and ends in [DONE]."""
    state, symbols = GRAMMAR.start, list[Symbol]()
    for pick in draw(st.lists(st.integers(0, 9), max_size=12)):
        choices = [symbol for symbol in GRAMMAR.expected(state) if symbol is not Symbol.ERROR]
        if choices:
            symbols.append(choices[pick % len(choices)])
            state = GRAMMAR.edges[state, symbols[-1]]
    rest = {State.OPEN: [Symbol.FINISH, Symbol.DONE], State.DONE: []}
    return symbols + rest.get(state, [Symbol.DONE])


@given(legal_walks())
def test_what_the_grammar_allows_breaks_no_rule(symbols: list[Symbol]) -> None:
    assert GRAMMAR.walk(symbols) == ()
    assert weighty(spoken(symbols, **(USAGE if Symbol.USAGE in symbols else {}))) == set()


# --- values ---------------------------------------------------------------------------------------------------------

CHUNK = "/components/schemas/CompletionChunk"
LOGPROBS = {"tokens": ["a"], "token_logprobs": [-1.0], "top_logprobs": [{"a": -1.0}], "text_offset": [0]}
VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    1,
    -1,
    1.5,
    10**400,
    "",
    "x",
    "stop",
    "\ud800",
    [],
    [None],
    [{}],
    {},
    {"x": 1},
    packed(1.0),
)
PIECES = (more_text(), end(), totals(), piece(said(logprobs=LOGPROBS)), piece(said("", None), usage=usage()))
BODIES: list[dict[str, Any]] = [
    {},
    {"prompt": ["a", "b"], "n": 2},
    {"logprobs": 2, "echo": True},
    {"stop": "x", "max_tokens": 2},
    {"prompt": [[1], [2]], "echo": True},
]
VECTORS: list[tuple[Any, dict[str, Any]]] = [
    ("red", {}),
    (["red", "green", "red"], {"dimensions": 2}),
    (["red", "green"], {"encoding_format": "base64"}),
    ("", {}),
]


def bent(value: Any) -> list[Any]:
    """Copies of a value, each with another value, or none, at one place."""
    made: list[Any] = []

    def walk(inner: Any, rebuild: Any) -> None:
        items: Any = inner.items() if isinstance(inner, dict) else enumerate(inner) if isinstance(inner, list) else ()
        for key, child in list(items):
            for put in VALUES:
                copy = inner.copy()
                copy[key] = put
                made.append(rebuild(copy))
            less = inner.copy()
            del less[key]
            made.append(rebuild(less))

            def again(new: Any, inner: Any = inner, key: Any = key) -> Any:
                copy = inner.copy()
                copy[key] = new
                return rebuild(copy)

            walk(child, again)

    walk(value, lambda whole: whole)
    return made


FAULTY = [one for each in PIECES for one in bent(each) if not schema.is_valid(document.load(), CHUNK, one)]


@pytest.mark.parametrize("members", [{}, USAGE], ids=["no usage", "usage"])
def test_each_fault_of_a_piece_has_a_rule(members: dict[str, Any]) -> None:
    assert len(FAULTY) > 200
    unseen = [one for one in FAULTY if not weighty(stream(more_text(), one, end(), totals(), DONE, **members))]
    assert unseen == []


def broken(exchange: Exchange) -> list[str]:
    return [f"{one.rule}: {one.reason}" for one in judge([exchange], RULES) if one.outcome is Outcome.BROKEN]


def test_no_check_raises_on_a_bent_answer() -> None:
    bodies = bent(answer(said(finish="stop", logprobs=LOGPROBS)))
    for body, members in zip(bodies, cycle(BODIES), strict=False):
        assert broken(got(200, json.dumps(body).encode(), to=asked(**members))) == []


def test_no_check_raises_on_bent_vectors() -> None:
    bodies = [*bent(listed(entry(), entry(index=1))), *bent(listed(entry(packed(1.0, 2.0)), entry(packed(0.5), 1)))]
    for body, (text, members) in zip(bodies, cycle(VECTORS), strict=False):
        assert broken(got(200, json.dumps(body).encode(), to=vectors_asked(text, **members))) == []


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.sampled_from(BODIES), st.lists(st.sampled_from([DONE, failure(), *PIECES, *FAULTY]), max_size=6))
def test_no_check_raises_on_a_stream(members: dict[str, Any], events: list[Any]) -> None:
    assert broken(stream(*events, DONE, **members)) == []
