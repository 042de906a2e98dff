"""The rules about the stream of Claude's messages: nothing wrong falls between them, and nothing right is accused."""

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
from openapi import document, schema
from openapi.json_text import JsonText
from openapi.wire.exchange import Exchange
from openapi.wire.streams.messages import GRAMMAR, State, Symbol
from tests.conformance.claude import (
    PING,
    STOP,
    USAGE,
    WEATHER,
    Said,
    begin,
    block,
    call,
    delta,
    end,
    ending,
    failure,
    good,
    named,
    spoken,
    start,
    told,
)
from tests.conformance.exchanges import (
    DONE,
    Case,
    cut,
    each,
    failed,
    fails,
    ours,
    passes,
    rules_of,
    silent,
    undecided,
    unseen,
    verdict,
)

S = "messages.stream."
TOOL = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}}
THINKING = {"type": "thinking", "thinking": ""}
OPENAI = {"error": {"message": "x", "type": "y", "param": None, "code": None}}
UNNAMED = json.dumps(STOP)
TWICE = spoken(start(usage={}), *block(), ending(tokens=5), ending(tokens=4), STOP)


def thought(*deltas: Said, index: int = 0) -> list[Said]:
    return [begin(THINKING, index), *deltas, end(index)]


CASES = [
    passes("one at the start", S + "start", good()),
    fails("none", S + "start", spoken(*block(), ending(), STOP), at=0, says="content_block_start before message_start"),
    fails("two", S + "start", spoken(start(), start(), *block(), ending(), STOP), at=1),
    fails("one in a block", S + "start", spoken(start(), begin(), start(), *block(), ending(), STOP), at=2),
    fails("another role", S + "start", spoken(start(role="user"), ending(), STOP), at=0, says="/message/role"),
    fails("a content already", S + "start", spoken(start(content=[{"type": "text"}]), ending(), STOP), at=0),
    fails("no message", S + "start", spoken({"type": "message_start"}, ending(), STOP), at=0, says="expected message"),
    passes("usage has a rule of its own", S + "start", spoken(start(usage=5), ending(), STOP)),
    undecided("nothing came", S + "start", spoken()),
    silent("no stream", S + "start", told()),
    passes("one after another", S + "blocks", good(*block(), *call("{}", index=1))),
    passes("none", S + "blocks", spoken(start(), ending(), STOP)),
    fails("not begun", S + "blocks", good(delta(), end()), at=1, says="content_block_delta between the blocks"),
    fails("not ended", S + "blocks", good(begin(), delta()), at=3, says="message_delta within a block"),
    fails("one in another", S + "blocks", good(begin(), *block(index=1), end()), at=2),
    fails("ended twice", S + "blocks", good(*block(), end()), at=4),
    passes("one", S + "message-delta", good()),
    passes("two", S + "message-delta", spoken(start(), *block(), ending(None), ending(), STOP)),
    fails("none", S + "message-delta", spoken(start(), *block(), STOP), at=4),
    fails("before a block", S + "message-delta", spoken(start(), ending(), *block(), ending(), STOP), at=2),
    passes("message_stop", S + "ends", good()),
    passes("an error", S + "ends", spoken(start(), failure())),
    passes("and something behind it", S + "ends", spoken(start(), *block(), ending(), STOP, ending())),
    fails("nothing", S + "ends", spoken(start(), *block()), at=4, says="the stream ended between the blocks"),
    fails("no event at all", S + "ends", spoken(), at=0),
    undecided("we left", S + "ends", ours(spoken(start()))),
    undecided("the relay broke off", S + "ends", cut(spoken(start()))),
    passes("nothing", S + "nothing-after", good()),
    passes("a ping", S + "nothing-after", spoken(start(), *block(), ending(), STOP, PING)),
    passes("message_stop behind an error", S + "nothing-after", spoken(start(), failure(), STOP)),
    fails("another end", S + "nothing-after", spoken(start(), *block(), ending(), STOP, ending()), at=6),
    fails("a block behind an error", S + "nothing-after", spoken(start(), failure(), *block()), at=2),
    undecided("no end", S + "nothing-after", spoken(start())),
    passes("none", S + "no-done", good()),
    fails("one", S + "no-done", spoken(start(), *block(), ending(), STOP, DONE), at=6),
    passes("events", S + "schema", good()),
    passes("one of another day", S + "schema", spoken(start(), {"type": "x", "index": "y"}, ending(), STOP)),
    passes("an error", S + "schema", spoken(start(), failure())),
    fails("no type", S + "schema", spoken(start(), {"hello": "world"}, ending(), STOP), at=1),
    fails("an empty type", S + "schema", spoken(start(), {"type": ""}, ending(), STOP), at=1),
    fails("a null for a text", S + "schema", good(begin(), delta(text=None), end()), at=2, says="/delta/text"),
    fails("no index", S + "schema", good(begin(index=None), end()), at=1, says="/index"),
    fails("OpenAI's error", S + "schema", spoken(start(), OPENAI), at=1, says="expected an error"),
    fails("an error without a message", S + "schema", spoken(start(), {"type": "error", "error": {}}), at=1),
    fails("a call without a name, which nobody asked for", S + "schema", good(*call("{}", name=None)), at=1),
    passes("a call without a name has a rule of its own", S + "schema", good(*call("{}", name=None), tools=[WEATHER])),
    fails("no event", S + "schema", spoken(), at=0),
    undecided("no event yet", S + "schema", ours(spoken())),
    passes("named", S + "event-name", good()),
    passes("of another day", S + "event-name", spoken(start(), {"type": "x"}, ending(), STOP)),
    passes("[DONE] has no type", S + "event-name", spoken(start(), ending(), STOP, DONE)),
    fails("not named", S + "event-name", spoken(start(), ending(), UNNAMED), at=2, says="no name"),
    fails("named otherwise", S + "event-name", spoken(start(), b"event: x\n" + named(STOP).partition(b"\n")[2]), at=1),
    passes("0, 1", S + "index", good(*block(), *call("{}", index=1))),
    fails("from 1", S + "index", good(*block(index=1)), at=1, says="block 0 begins with the index 1"),
    fails("a hole", S + "index", good(*block(), *block(index=2)), at=4),
    fails("twice the same", S + "index", good(*block(), *block()), at=4),
    fails("a delta of another", S + "index", good(begin(), delta(index=1), end()), at=2, says="block 0 is open"),
    fails("an end of another", S + "index", good(begin(), end(1)), at=2),
    passes("a block that was not begun is told elsewhere", S + "index", good(delta(), end(), *block(index=1))),
    passes("no index is told elsewhere", S + "index", good(begin(index="0"), *block())),
    passes("text", S + "delta-kind", good()),
    passes("citations", S + "delta-kind", good(begin(), delta("citations_delta", citation={}), end())),
    passes("signed", S + "delta-kind",
           good(*thought(delta("thinking_delta", thinking="x"), delta("signature_delta", signature="s")))),
    passes("of another day", S + "delta-kind", good(begin(), delta("image_delta", data="x"), end())),
    passes("of a block of another day", S + "delta-kind", good(begin({"type": "image"}), delta(), end())),
    passes("of no block", S + "delta-kind", good(delta("input_json_delta", partial_json="{}"))),
    fails("text in a call", S + "delta-kind", good(begin(TOOL), delta(), end()), at=2),
    fails("text in thinking", S + "delta-kind", good(*thought(delta())), at=2, says="text_delta in a block of type th"),
    fails("thinking behind its signature", S + "delta-kind",
          good(*thought(delta("signature_delta", signature="s"), delta("thinking_delta", thinking="x"))), at=3),
    passes("counted", S + "input-tokens", good()),
    passes("from a cache", S + "input-tokens",
           spoken(start(usage={"input_tokens": 0, "cache_read_input_tokens": 9, "output_tokens": 0}), ending(), STOP)),
    fails("nothing", S + "input-tokens", spoken(start(usage=USAGE | {"input_tokens": 0}), ending(), STOP), at=0),
    undecided("no usage", S + "input-tokens", spoken(start(usage=None), ending(), STOP)),
    unseen("no start", S + "input-tokens", spoken(ending(), STOP)),
    passes("once", S + "output-tokens", good()),
    passes("growing", S + "output-tokens", spoken(start(), *block(), ending(None, 1), ending(tokens=2), STOP)),
    passes("nothing for nothing", S + "output-tokens", spoken(start(usage={}), ending(tokens=0), STOP)),
    passes("no count is told elsewhere", S + "output-tokens", spoken(start(), *block(), ending(tokens="2"), STOP)),
    fails("less than before", S + "output-tokens", TWICE, at=5, says="5 output_tokens were counted before, here 4"),
    fails("nothing for a text", S + "output-tokens",
          spoken(start(usage=USAGE | {"output_tokens": 0}), *block(), ending(tokens=0), STOP), at=4),
    passes("to the end", S + "completes", good()),
    fails("an error", S + "completes", spoken(start(), failure()), at=1, says="upstream went away"),
    fails("OpenAI's", S + "completes", spoken(start(), OPENAI), at=1),
    fails("a text", S + "completes", spoken(start(), {"type": "error", "error": "x"}), at=1),
    undecided("overloaded", S + "completes", spoken(start(), failure("overloaded_error"))),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    chapter = {name for name in BOOK if name.startswith(S)}
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter


# --- the grammar ----------------------------------------------------------------------------------------------------

SPOKEN: dict[Symbol, Said] = {
    Symbol.START: start(),
    Symbol.BLOCK_START: begin(),
    Symbol.DELTA: delta(),
    Symbol.BLOCK_STOP: end(),
    Symbol.MESSAGE_DELTA: ending(),
    Symbol.STOP: STOP,
    Symbol.ERROR: failure(),
    Symbol.IDLE: PING,
    Symbol.JUNK: {"hello": "world"},
}
BLOCKS = (Symbol.BLOCK_START, Symbol.DELTA, Symbol.BLOCK_STOP)
CLAIMS: dict[tuple[State, Symbol | None], str] = {
    **{(State.START, symbol): "start" for symbol in (*BLOCKS, Symbol.MESSAGE_DELTA, Symbol.STOP)},
    **{(state, Symbol.START): "start" for state in (State.OPEN, State.BLOCK, State.ENDING)},
    **{(State.OPEN, symbol): "blocks" for symbol in (Symbol.DELTA, Symbol.BLOCK_STOP)},
    **{(State.BLOCK, symbol): "blocks" for symbol in (Symbol.BLOCK_START, Symbol.MESSAGE_DELTA, Symbol.STOP)},
    (State.OPEN, Symbol.STOP): "message-delta",
    **{(State.ENDING, symbol): "message-delta" for symbol in BLOCKS},
    **{(state, None): "ends" for state in (State.START, State.OPEN, State.BLOCK, State.ENDING)},
    **{(state, Symbol.JUNK): "schema" for state in (State.START, State.OPEN, State.BLOCK, State.ENDING)},
    **{
        (state, symbol): "nothing-after"
        for state in (State.STOPPED, State.FAILED)
        for symbol in (Symbol.START, *BLOCKS, Symbol.MESSAGE_DELTA, Symbol.JUNK)
    },
    (State.STOPPED, Symbol.STOP): "nothing-after",
    (State.STOPPED, Symbol.ERROR): "nothing-after",
}


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


def saying(symbols: Sequence[Symbol]) -> Exchange:
    return spoken(*(SPOKEN[symbol] for symbol in symbols))


def weighty(exchange: Exchange) -> set[str]:
    return {rule for rule in failed(exchange) if BOOK[rule].level is not Level.MAY}


def test_each_way_out_of_the_grammar_has_a_rule() -> None:
    edges = {(state, symbol) for state in State for symbol in Symbol} - set(GRAMMAR.edges)
    assert set(CLAIMS) == edges | {(state, None) for state in State if state not in GRAMMAR.accepting}


@pytest.mark.parametrize(("state", "symbol"), CLAIMS, ids=lambda one: one.name if one else "end")
def test_the_rule_tells_where_the_stream_left_the_grammar(state: State, symbol: Symbol | None) -> None:
    symbols = [*way(state), *([symbol] if symbol else [])]
    found = verdict(S + CLAIMS[state, symbol], saying(symbols))
    assert found
    assert found.outcome is Outcome.FAIL
    assert found.findings[-1].at == len(way(state))


@given(st.lists(st.sampled_from(Symbol), max_size=12))
def test_no_stream_leaves_the_grammar_unseen(symbols: list[Symbol]) -> None:
    if GRAMMAR.walk(symbols):
        assert weighty(saying(symbols))


@given(
    st.lists(st.tuples(st.sampled_from(["text", "tool", "thinking"]), st.integers(0, 3)), max_size=5),
    st.integers(1, 3),
    st.integers(0, 2),
)
def test_what_the_grammar_allows_breaks_no_rule(blocks: list[tuple[str, int]], ends: int, pings: int) -> None:
    events: list[Said] = [start()]
    for index, (kind, pieces) in enumerate(blocks):
        if kind == "text":
            events += [begin(index=index), *[delta(index=index)] * pieces, end(index)]
        elif kind == "tool":
            events += call(*["", '{"city":"Rome"}'][: pieces + 2], index=index, id=f"toolu_{index}")
        else:
            events += thought(*[delta("thinking_delta", index, thinking="x")] * pieces,
                              delta("signature_delta", index, signature="s"), index=index)  # fmt: skip
    reason = "tool_use" if any(kind == "tool" for kind, _ in blocks) else "end_turn"
    events += [*[ending(None, 1)] * (ends - 1), ending(reason, 3), STOP]
    spaced = [one for event in events for one in (event, *[PING] * pings)]
    assert weighty(spoken(*spaced, tools=[WEATHER])) == set()


# --- values ---------------------------------------------------------------------------------------------------------

EVENT = "/components/schemas/MessageStreamEvent"
THOUGHT = thought(delta("thinking_delta", 2, thinking="x"), delta("signature_delta", 2, signature="s"), index=2)
LEGAL = (start(), *block(), *call('{"city":"Rome"}', index=1), *THOUGHT, ending("tool_use"), STOP)
VALUES: tuple[Any, ...] = (None, True, 0, -1, 1.5, "", "x", [], [None], {}, {"x": 1})
CLAIMING = {S + name for name in ("schema", "start")} | {
    "messages.usage",
    "messages.stop-reason",
    "messages.tool-id",
    "messages.tool-name",
    "messages.tool-input",
    "messages.tool-forced",
    S + "index",
}
Path = tuple[str | int, ...]


def places(value: Any, path: Path = ()) -> list[Path]:
    items: Any = value.items() if isinstance(value, dict) else ()
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
    (at, bent(one, path, put, drop=drop))
    for at, one in enumerate(LEGAL)
    for path in places(one)
    for put, drop in [(None, True), *((value, False) for value in VALUES)]
]


def is_faulty(event: Any) -> bool:
    return bool(schema.faults(document.load(), EVENT, JsonText(event)))


@pytest.mark.parametrize("asked", [{}, {"tools": [WEATHER]}], ids=["no tools", "tools"])
def test_each_fault_of_an_event_has_a_rule(asked: dict[str, Any]) -> None:
    faulty = [(at, one) for at, one in BENT if is_faulty(one)]
    assert len(faulty) > 200
    rules = {name: BOOK[name] for name in CLAIMING}
    assert not any(found.outcome is Outcome.FAIL for found in judge([spoken(*LEGAL, **asked)], rules))
    for at, one in faulty:
        exchange = spoken(*LEGAL[:at], one, *LEGAL[at + 1 :], **asked)
        assert any(found.outcome is Outcome.FAIL for found in judge([exchange], rules)), one
