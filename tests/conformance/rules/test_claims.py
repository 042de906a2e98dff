"""Nothing that is wrong falls between the rules: each way out of the grammar, and each fault of a chunk, has a rule.

And nothing that is right is accused: whatever the grammar allows passes.
"""

import json
from collections import deque
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.judge import judge
from conformance.rule import Level, Outcome
from conformance.rules import BOOK
from openapi import document, json_text, schema
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import GRAMMAR, State, Symbol
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    Event,
    arguments,
    choice,
    chunk,
    counted,
    failed,
    failure,
    finish,
    head,
    role,
    stream,
    text,
    usage,
    verdict,
)

S = "chat.stream."
CHUNK = "/components/schemas/ChatCompletionChunk"
USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}
SPOKEN: dict[Symbol, Event] = {
    Symbol.ROLE: role(),
    Symbol.DELTA: text(),
    Symbol.TOOL: head(),
    Symbol.EMPTY: chunk(choice({})),
    Symbol.FINISH: finish(),
    Symbol.BARE: chunk(),
    Symbol.USAGE: counted(),
    Symbol.ERROR: failure(),
    Symbol.DONE: DONE,
    Symbol.JUNK: {"hello": "world"},
}
ALL = tuple(Symbol)
CLAIMS: dict[tuple[State, Symbol | None], str] = {
    (State.START, Symbol.DELTA): "role-first",
    (State.START, Symbol.TOOL): "role-first",
    (State.START, Symbol.FINISH): "role-first",
    (State.START, Symbol.USAGE): "usage-asked",
    (State.START, Symbol.DONE): "finish-once",
    (State.START, Symbol.JUNK): "schema",
    (State.START, None): "done",
    (State.OPEN, Symbol.USAGE): "usage-asked",
    (State.OPEN, Symbol.DONE): "finish-once",
    (State.OPEN, Symbol.JUNK): "schema",
    (State.OPEN, None): "done",
    (State.FINISHED, Symbol.DELTA): "finish-last",
    (State.FINISHED, Symbol.TOOL): "finish-last",
    (State.FINISHED, Symbol.FINISH): "finish-once",
    (State.FINISHED, Symbol.JUNK): "schema",
    (State.FINISHED, None): "done",
    (State.COUNTED, Symbol.ROLE): "finish-last",
    (State.COUNTED, Symbol.DELTA): "finish-last",
    (State.COUNTED, Symbol.TOOL): "finish-last",
    (State.COUNTED, Symbol.EMPTY): "finish-last",
    (State.COUNTED, Symbol.FINISH): "finish-once",
    (State.COUNTED, Symbol.USAGE): "usage-asked",
    (State.COUNTED, Symbol.JUNK): "schema",
    (State.COUNTED, None): "done",
    # Whatever is out of order behind an error, the error has failed the stream.
    **{(State.FAILED, symbol): "completes" for symbol in ALL if symbol not in {Symbol.DONE, Symbol.ERROR}},
    **{(State.DONE, symbol): "nothing-after-done" for symbol in ALL},
    (State.DONE, Symbol.DONE): "done-once",
}


def missing() -> set[tuple[State, Symbol | None]]:
    """Every way to leave the grammar: each symbol without an edge, and the end where it is not accepted."""
    edges = {(state, symbol) for state in State for symbol in Symbol} - set(GRAMMAR.edges)
    return edges | {(state, None) for state in State if state not in GRAMMAR.accepting}


def way(to: State) -> list[Symbol]:
    """The shortest legal way from the start to a state."""
    ways: dict[State, list[Symbol]] = {GRAMMAR.start: []}
    todo = deque([GRAMMAR.start])
    while to not in ways:
        state = todo.popleft()
        for (origin, symbol), after in GRAMMAR.edges.items():
            if origin is state and after not in ways:
                ways[after] = [*ways[state], symbol]
                todo.append(after)
    return ways[to]


def spoken(symbols: Sequence[Symbol], **asked: Any) -> Exchange:
    return stream(*(SPOKEN[symbol] for symbol in symbols), **asked)


def weighty(exchange: Exchange) -> set[str]:
    """What is told of the order and the values; that an answer says nothing is no matter of these."""
    return {rule for rule in failed(exchange) if BOOK[rule].level is not Level.MAY} - {"chat.not-empty"}


def claimed(exchange: Exchange) -> bool:
    """Whether a rule about the values of a chunk tells of something."""
    rules = {name: BOOK[name] for name in CLAIMING}
    return any(found.outcome is Outcome.FAIL for found in judge([exchange], rules))


def test_each_way_out_of_the_grammar_has_a_rule() -> None:
    assert set(CLAIMS) == missing()


@pytest.mark.parametrize(("state", "symbol"), CLAIMS, ids=lambda one: one.name if one else "end")
def test_the_rule_tells_where_the_stream_left_the_grammar(state: State, symbol: Symbol | None) -> None:
    symbols = [*way(state), *([symbol] if symbol else [])]
    exchange = spoken(symbols, **USAGE)
    found = verdict(S + CLAIMS[state, symbol], exchange)
    assert found
    assert found.outcome is Outcome.FAIL
    expected = len(way(state)) + (CLAIMS[state, symbol] == "finish-once" and symbol is Symbol.DONE)
    assert found.findings[-1].at == (way(state).index(Symbol.ERROR) if state is State.FAILED else expected)


@given(st.lists(st.sampled_from(ALL), max_size=12), st.booleans())
def test_no_stream_leaves_the_grammar_unseen(symbols: list[Symbol], counts: bool) -> None:
    if GRAMMAR.walk(symbols):
        assert weighty(spoken(symbols, **(USAGE if counts else {})))


@st.composite
def legal_walks(draw: st.DrawFn) -> list[Symbol]:
    """A walk that keeps to the grammar, without an error, and ends in [DONE]."""
    state, symbols = GRAMMAR.start, list[Symbol]()
    for pick in draw(st.lists(st.integers(0, 9), max_size=15)):
        open_ = [symbol for symbol in GRAMMAR.expected(state) if symbol is not Symbol.ERROR]
        if open_:
            symbols.append(open_[pick % len(open_)])
            state = GRAMMAR.edges[state, symbols[-1]]
    rest = {State.START: [Symbol.ROLE, Symbol.FINISH, Symbol.DONE], State.OPEN: [Symbol.FINISH, Symbol.DONE]}
    return symbols + rest.get(state, [Symbol.DONE] if state is not State.DONE else [])


@given(legal_walks())
def test_what_the_grammar_allows_breaks_no_rule(symbols: list[Symbol]) -> None:
    assert GRAMMAR.walk(symbols) == ()
    assert weighty(spoken(symbols, **(USAGE if Symbol.USAGE in symbols else {}))) == set()


@given(st.lists(st.integers(0, 2), min_size=3, max_size=30))
def test_choices_may_interleave_at_will(turns: list[int]) -> None:
    told = [role(0), role(1), role(2)]
    told += [text(index=index) for index in turns]
    told += [finish(index=index) for index in sorted({0, 1, 2}, key=turns.count)]
    assert weighty(stream(*told, DONE, n=3)) == set()


# --- values ---------------------------------------------------------------------------------------------------------

LEGAL = (role(), text(), head(), arguments(), finish(), counted(), chunk(usage=usage(x_details={})))
VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    1,
    -1,
    0.0,
    1.5,
    10**30,
    "",
    "x",
    "stop",
    [],
    [None],
    [{}],
    {},
    {"x": 1},
)
CLAIMING = {S + name for name in ("schema", "finish-reason", "delta", "null-calls", "created", "id", "usage-asked")} | {
    S + "usage-unasked",
    "usage.stream-types",
    "usage.details",
    "tools.index",
    "tools.fragments",
    "tools.head",
    "tools.id-continued",
}
Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    """Every place in a value but the whole."""
    items: Any = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [one for token, item in items for one in ((*path, token), *places(item, (*path, token)))]


def bent(value: Any, path: Path, put: Any, *, drop: bool) -> Any:
    """A copy with another value at a place, or with nothing there."""
    copy = json.loads(json.dumps(value))
    inner = copy
    for token in path[:-1]:
        inner = inner[token]
    if drop:
        del inner[path[-1]]
    else:
        inner[path[-1]] = put
    return copy


BENT = [
    bent(one, path, put, drop=drop)
    for one in LEGAL
    for path in places(one)
    for put, drop in [(None, True), *((value, False) for value in VALUES)]
]
FAULTY = [one for one in BENT if not schema.is_valid(document.load(), CHUNK, one)]


@pytest.mark.parametrize("tools", [{}, {"tools": [WEATHER]}], ids=["no tools", "tools"])
@pytest.mark.parametrize("counts", [{}, USAGE], ids=["no usage", "usage"])
def test_each_fault_of_a_chunk_has_a_rule(tools: dict[str, Any], counts: dict[str, Any]) -> None:
    sent = (stream(role(), one, finish(), counted(), DONE, **tools, **counts) for one in FAULTY)
    unclaimed = [exchange.payloads[1].value for exchange in sent if not claimed(exchange)]
    assert len(FAULTY) > 500
    assert unclaimed == []


@given(st.dictionaries(st.sampled_from(sorted(chunk(usage=1))), st.sampled_from(VALUES)))
def test_a_chunk_with_several_faults_is_told(members: dict[str, Any]) -> None:
    one = text() | members
    assert json_text.read(json.dumps(one)).readable
    if not schema.is_valid(document.load(), CHUNK, one):
        assert claimed(stream(role(), one, finish(), DONE))
