"""The interpreter of the tables on tables made by hand, and the table of chat walked along every edge and off it."""

from collections import deque
from enum import Enum

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire.grammar import Grammar, Violation
from openapi.wire.streams.chat import GRAMMAR, State, Symbol


class Place(Enum):
    OUT = "out"
    IN = "in"
    OVER = "over"


class Sign(Enum):
    OPEN = "("
    WORD = "w"
    CLOSE = ")"
    NOISE = "#"


TABLE = Grammar(
    start=Place.OUT,
    accepting=frozenset({Place.OVER}),
    edges={
        (Place.OUT, Sign.OPEN): Place.IN,
        (Place.IN, Sign.WORD): Place.IN,
        (Place.IN, Sign.CLOSE): Place.OVER,
    },
    resume={Sign.WORD: Place.IN, Sign.CLOSE: Place.OVER},
)


def walk(text: str, *, ended: bool = True) -> tuple[Violation[Place, Sign], ...]:
    return TABLE.walk(map(Sign, text), ended=ended)


@pytest.mark.parametrize("text", ["()", "(w)", "(www)"])
def test_what_follows_the_edges_is_accepted(text: str) -> None:
    assert walk(text) == ()


def test_one_mistake_is_told_once_because_the_walk_resumes_where_its_symbol_leads() -> None:
    assert walk("www)") == (Violation(0, Place.OUT, Sign.WORD, (Sign.OPEN,)),)


def test_a_symbol_that_leads_nowhere_leaves_the_state_as_it_was() -> None:
    assert walk("(#w#)") == (
        Violation(1, Place.IN, Sign.NOISE, (Sign.WORD, Sign.CLOSE)),
        Violation(3, Place.IN, Sign.NOISE, (Sign.WORD, Sign.CLOSE)),
    )


def test_each_mistake_is_judged_on_its_own() -> None:
    assert [(one.index, one.got) for one in walk("w)(w)")] == [(0, Sign.WORD), (2, Sign.OPEN), (3, Sign.WORD)]


def test_the_end_may_be_the_violation() -> None:
    assert walk("(w") == (Violation(2, Place.IN, None, (Sign.WORD, Sign.CLOSE)),)
    assert walk("") == (Violation(0, Place.OUT, None, (Sign.OPEN,)),)


def test_nothing_is_said_of_an_end_that_was_not_the_streams_own() -> None:
    assert walk("(w", ended=False) == ()
    assert walk("", ended=False) == ()
    assert len(walk("w", ended=False)) == 1


def test_what_may_come_is_told_in_the_order_of_the_table() -> None:
    assert TABLE.expected(Place.IN) == (Sign.WORD, Sign.CLOSE)
    assert TABLE.expected(Place.OVER) == ()


def test_the_symbols_are_read_once_and_need_no_length() -> None:
    assert TABLE.walk(iter([Sign.OPEN, Sign.CLOSE])) == ()


# --- the table of chat ----------------------------------------------------------------------------------------------


def way(start: State, goals: frozenset[State]) -> list[Symbol]:
    """The shortest list of symbols from a state to one of the goals."""
    todo: deque[tuple[State, list[Symbol]]] = deque([(start, [])])
    been = {start}
    while todo:
        state, path = todo.popleft()
        if state in goals:
            return path
        for (origin, symbol), after in GRAMMAR.edges.items():
            if origin is state and after not in been:
                been.add(after)
                todo.append((after, [*path, symbol]))
    msg = f"no way from {start} to {goals}"
    raise AssertionError(msg)


@given(st.lists(st.integers(0, 1000), max_size=30))
def test_every_walk_along_the_edges_of_chat_is_accepted(choices: list[int]) -> None:
    state, symbols = GRAMMAR.start, []
    for choice in choices:
        open_to = GRAMMAR.expected(state)
        if not open_to:
            break
        symbols.append(open_to[choice % len(open_to)])
        state = GRAMMAR.edges[state, symbols[-1]]
    assert GRAMMAR.walk([*symbols, *way(state, GRAMMAR.accepting)]) == ()


MISSING = [(state, symbol) for state in State for symbol in Symbol if (state, symbol) not in GRAMMAR.edges]


@pytest.mark.parametrize(("state", "symbol"), MISSING, ids=lambda one: one.name)
def test_every_missing_edge_of_chat_is_one_violation(state: State, symbol: Symbol) -> None:
    before = way(GRAMMAR.start, frozenset({state}))
    after = way(GRAMMAR.resume.get(symbol, state), GRAMMAR.accepting)
    told = Violation(len(before), state, symbol, GRAMMAR.expected(state))
    assert GRAMMAR.walk([*before, symbol], ended=False) == (told,)
    assert GRAMMAR.walk([*before, symbol, *after]) == (told,)


@pytest.mark.parametrize(
    "state", [state for state in State if state not in GRAMMAR.accepting], ids=lambda one: one.name
)
def test_every_end_of_chat_before_its_time_is_one_violation(state: State) -> None:
    before = way(GRAMMAR.start, frozenset({state}))
    assert GRAMMAR.walk(before) == (Violation(len(before), state, None, GRAMMAR.expected(state)),)
    assert GRAMMAR.walk(before, ended=False) == ()


ROLE, TEXT, TOOL, EMPTY = Symbol.ROLE, Symbol.DELTA, Symbol.TOOL, Symbol.EMPTY
FINISH, BARE, USAGE, DONE, ERROR, JUNK = (
    Symbol.FINISH, Symbol.BARE, Symbol.USAGE, Symbol.DONE, Symbol.ERROR, Symbol.JUNK
)  # fmt: skip


@pytest.mark.parametrize(
    "symbols",
    [
        [ROLE, TEXT, FINISH, DONE],
        [ROLE, FINISH, DONE],
        [ROLE, TEXT, TOOL, TOOL, FINISH, USAGE, DONE],
        [BARE, EMPTY, ROLE, ROLE, TEXT, EMPTY, FINISH, EMPTY, ROLE, BARE, USAGE, BARE, DONE],
        [ROLE, TEXT, ERROR],
        [ROLE, TEXT, ERROR, ERROR, DONE],
        [ERROR],
    ],
)
def test_streams_written_by_hand_that_chat_accepts(symbols: list[Symbol]) -> None:
    assert GRAMMAR.walk(symbols) == ()


@pytest.mark.parametrize(
    ("symbols", "told"),
    [
        ([], (0, None)),
        ([DONE], (0, DONE)),
        ([TEXT, FINISH, DONE], (0, TEXT)),
        ([TOOL, TOOL, FINISH, DONE], (0, TOOL)),
        ([ROLE, TEXT, DONE], (2, DONE)),
        ([ROLE, TEXT, FINISH], (3, None)),
        ([ROLE, TEXT, FINISH, USAGE], (4, None)),
        ([ROLE, FINISH, FINISH, DONE], (2, FINISH)),
        ([ROLE, FINISH, TEXT, FINISH, DONE], (2, TEXT)),
        ([ROLE, USAGE, FINISH, DONE], (1, USAGE)),
        ([ROLE, FINISH, USAGE, USAGE, DONE], (3, USAGE)),
        ([ROLE, FINISH, DONE, DONE], (3, DONE)),
        ([ROLE, FINISH, DONE, BARE], (3, BARE)),
        ([ROLE, JUNK, FINISH, DONE], (1, JUNK)),
        ([ROLE, ERROR, FINISH, DONE], (2, FINISH)),
    ],
)
def test_streams_written_by_hand_that_chat_refuses_once(symbols: list[Symbol], told: tuple[int, Symbol | None]) -> None:
    assert [(one.index, one.got) for one in GRAMMAR.walk(symbols)] == [told]


def test_every_state_of_chat_can_be_reached_and_left_for_an_end() -> None:
    for state in State:
        way(GRAMMAR.start, frozenset({state}))
        way(state, GRAMMAR.accepting)
