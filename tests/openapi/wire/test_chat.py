"""The stream of chat completions: what each event says, what the chunks spell, and every recording of a real server."""

import json
from collections.abc import Iterator
from dataclasses import fields
from itertools import chain

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.library import RECORDINGS
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import End, Exchange
from openapi.wire.grammar import Violation
from openapi.wire.jsonl import read_recording
from openapi.wire.sse import Message
from openapi.wire.streams.chat import (
    GRAMMAR,
    TEXTS,
    Choice,
    Reply,
    Said,
    State,
    Symbol,
    ToolCall,
    classify,
    fold,
    project,
    whole,
)

ROLE, TEXT, TOOL, EMPTY = Symbol.ROLE, Symbol.DELTA, Symbol.TOOL, Symbol.EMPTY
FINISH, BARE, USAGE, DONE, ERROR, JUNK = (
    Symbol.FINISH, Symbol.BARE, Symbol.USAGE, Symbol.DONE, Symbol.ERROR, Symbol.JUNK
)  # fmt: skip


def said(data: str) -> list[tuple[Symbol, int | None]]:
    return [(one.symbol, one.choice) for one in classify(7, Message(data), json_text.read(data))]


def of_choice(index: Json, **members: Json) -> str:
    return json.dumps({"choices": [{"index": index, **members}]})


# --- classify -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "symbols"),
    [
        ("[DONE]", [DONE]),
        ('{"error":{"message":"x"}}', [ERROR]),
        ('{"error":"x"}', [ERROR]),
        ('{"error":{"code":1},"choices":[{"index":0,"delta":{"content":"a"}}]}', [ERROR]),
        ('{"error":{},"choices":[]}', [BARE]),
        ('{"error":{}}', [JUNK]),
        ('{"choices":[],"usage":{}}', [USAGE]),
        ('{"choices":[],"usage":{"total_tokens":1},"error":null}', [USAGE]),
        ('{"choices":[]}', [BARE]),
        ('{"choices":[],"usage":null,"prompt_filter_results":[]}', [BARE]),
        ('{"choices":[],"usage":[]}', [BARE]),
    ],
)
def test_what_concerns_every_choice(data: str, symbols: list[Symbol]) -> None:
    assert said(data) == [(symbol, None) for symbol in symbols]


@pytest.mark.parametrize(
    ("delta", "finish", "symbols"),
    [
        ({"role": "assistant"}, None, [ROLE]),
        ({"role": "assistant", "content": ""}, None, [ROLE]),
        ({"role": "assistant", "content": "a"}, None, [ROLE, TEXT]),
        ({"role": ""}, None, [EMPTY]),
        ({"role": None}, None, [EMPTY]),
        ({"content": "a"}, None, [TEXT]),
        ({"content": "a"}, "stop", [TEXT, FINISH]),
        ({"reasoning_content": "a"}, None, [TEXT]),
        ({"reasoning": "a", "content": "b"}, None, [TEXT]),
        ({"refusal": "a"}, None, [TEXT]),
        ({"audio": {"data": "AA=="}}, None, [TEXT]),
        ({"content": ""}, None, [EMPTY]),
        ({"content": None, "tool_calls": None}, None, [EMPTY]),
        ({"tool_calls": [{"index": 0}]}, None, [TOOL]),
        ({"tool_calls": []}, None, [EMPTY]),
        ({"function_call": {"name": "f"}}, None, [TOOL]),
        ({"role": "assistant", "content": "a", "tool_calls": [{}]}, "tool_calls", [ROLE, TEXT, TOOL, FINISH]),
        ({}, None, [EMPTY]),
        ({"unknown": 1}, None, [EMPTY]),
        ({}, "stop", [EMPTY, FINISH]),
        ({}, "", [EMPTY]),
        ({}, "invented", [EMPTY, FINISH]),
    ],
)
def test_what_a_delta_says(delta: Json, finish: Json, symbols: list[Symbol]) -> None:
    assert said(of_choice(3, delta=delta, finish_reason=finish)) == [(symbol, 3) for symbol in symbols]


def test_a_delta_without_finish_reason_says_no_end() -> None:
    assert said(of_choice(0, delta={})) == [(EMPTY, 0)]


def test_one_chunk_may_speak_of_several_choices() -> None:
    data = '{"choices":[{"index":1,"delta":{"content":"a"}},{"index":0,"delta":{},"finish_reason":"stop"},7]}'
    assert said(data) == [(TEXT, 1), (EMPTY, 0), (FINISH, 0), (JUNK, None)]


def test_usage_beside_choices_is_no_usage_chunk() -> None:
    assert said('{"choices":[{"index":0,"delta":{"content":"a"}}],"usage":{"total_tokens":1}}') == [(TEXT, 0)]


@pytest.mark.parametrize(
    "data",
    [
        "",
        " ",
        "[DONE] ",
        "[done]",
        '"[DONE]"',
        "{",
        "null",
        "1",
        '"text"',
        "[]",
        "{}",
        '{"error":null}',
        '{"choices":null}',
        '{"choices":{}}',
        '{"choices":"abc"}',
        '{"choices":1,"usage":{}}',
        '{"usage":{}}',
        '{"choices":[null]}',
        '{"choices":["a"]}',
        '{"choices":[[]]}',
        '{"choices":[{}]}',
        '{"choices":[{"index":0}]}',
        '{"choices":[{"delta":{}}]}',
        '{"choices":[{"index":0,"message":{"content":"a"}}]}',
        '{"choices":[{"index":true,"delta":{}}]}',
        of_choice("0", delta={}),
        of_choice(0.5, delta={}),
        of_choice(None, delta={}),
        of_choice(0, delta=[]),
        of_choice(0, delta=None),
        of_choice(0, delta="a"),
    ],
)
def test_what_is_no_chunk_is_junk_to_every_choice(data: str) -> None:
    assert said(data) == [(JUNK, None)]


MEMBERS = st.sampled_from(
    ["choices", "index", "delta", "error", "usage", "finish_reason", "message", "logprobs", "id", "model", "created",
     "role", "tool_calls", "function", "name", "arguments", "type", "audio", *TEXTS]
)  # fmt: skip
ANY: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 2) | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(["", "a", "stop", "[DONE]"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(MEMBERS, inner, max_size=6),
    max_leaves=10,
)  # fmt: skip
CHUNKS = st.fixed_dictionaries(
    {"choices": st.lists(st.fixed_dictionaries({"index": ANY, "delta": st.dictionaries(MEMBERS, ANY)}), max_size=3)},
    optional={"usage": ANY, "id": ANY, "created": ANY, "model": ANY},
).map(json.dumps)


@given(CHUNKS | ANY.map(json.dumps) | st.text(max_size=10))
def test_every_event_says_something_and_none_makes_it_raise(data: str) -> None:
    found = list(classify(7, Message(data), json_text.read(data)))
    assert found
    assert all(one.event == 7 for one in found)


def test_a_choice_sees_its_own_chunks_and_what_concerns_all() -> None:
    stream = [Said(ROLE, 0, 0), Said(ROLE, 1, 1), Said(BARE, 2), Said(TEXT, 3, 1), Said(DONE, 4)]
    assert project(iter(stream), 0) == [Said(ROLE, 0, 0), Said(BARE, 2), Said(DONE, 4)]
    assert project(stream, 1) == stream[1:]
    assert project(stream, 2) == [Said(BARE, 2), Said(DONE, 4)]


# --- fold -----------------------------------------------------------------------------------------------------------


def folded(*chunks: Json) -> Reply:
    return fold(json_text.read(json.dumps(chunk)) for chunk in chunks)


def delta(index: Json, finish: Json = None, **members: Json) -> Json:
    return {"choices": [{"index": index, "delta": members, "finish_reason": finish}]}


def call(index: Json, **members: Json) -> list[Json]:
    return [{"index": index, **members}]


def test_two_choices_with_tools_interleaved() -> None:
    reply = folded(
        {"id": "c1", "model": "m", "created": 5, "choices": [{"index": 1, "delta": {"role": "assistant"}}]},
        delta(0, role="assistant", content=""),
        delta(1, content="he", reasoning_content="I "),
        delta(0, tool_calls=call(0, id="t0", type="function", function={"name": "f", "arguments": ""})),
        delta(1, content="llo", reasoning_content="think"),
        delta(0, tool_calls=call(1, id="t1", type="function", function={"name": "g", "arguments": "{"})),
        delta(0, tool_calls=call(0, function={"arguments": '{"a":'})),
        delta(0, tool_calls=[*call(1, function={"arguments": "}"}), *call(0, function={"arguments": "1}"})]),
        delta(1, "stop"),
        delta(0, "tool_calls"),
        {"id": "c2", "model": "m2", "created": 6, "choices": [], "usage": {"total_tokens": 3}},
    )
    assert (reply.id, reply.model, reply.created, reply.usage) == ("c1", "m", 5, {"total_tokens": 3})
    first, second = reply.choices[0], reply.choices[1]
    assert (first.role, first.content, first.finish) == ("assistant", "", ["tool_calls"])
    assert [(one.id, one.type, one.name, one.arguments) for one in first.tool_calls.values()] == [
        ("t0", "function", "f", '{"a":1}'),
        ("t1", "function", "g", "{}"),
    ]
    assert (second.content, second.reasoning, second.refusal, second.finish) == ("hello", "I think", "", ["stop"])
    assert second.tool_calls == {}


PARTS = st.fixed_dictionaries(
    {},
    optional={
        "content": st.sampled_from(["a", "b", "", None]),
        "refusal": st.sampled_from(["r", None]),
        "tool_calls": st.builds(call, st.integers(0, 2), function=st.builds(dict, arguments=st.sampled_from("{}1"))),
    },
)


@given(st.lists(PARTS, max_size=8), st.lists(PARTS, max_size=8), st.randoms(use_true_random=False))
def test_how_choices_interleave_does_not_matter(one: list[Json], two: list[Json], random: object) -> None:
    queues: list[list[Json]] = [
        [{"choices": [{"index": at, "delta": part}]} for part in parts] for at, parts in enumerate((one, two))
    ]
    alone = [folded(*queue) for queue in queues]
    mixed: list[Json] = []
    while any(queues):
        mixed.append(random.choice([queue for queue in queues if queue]).pop(0))  # type: ignore[attr-defined]
    together = folded(*mixed)
    assert together.choices == alone[0].choices | alone[1].choices


def test_the_first_that_came_is_kept_and_every_end() -> None:
    reply = folded(
        delta(0, "stop", role="assistant", tool_calls=call(0, id="", type="", function={"name": ""})),
        delta(0, "length", role="user", tool_calls=call(0, id="a", type="t", function={"name": "f"})),
        delta(0, "", tool_calls=call(0, id="b", type="u", function={"name": "g"})),
    )
    assert reply.choices == {
        0: Choice(0, "assistant", {}, {0: ToolCall(0, "a", "t", "f", ["", "", ""])}, ["stop", "length"])
    }


def test_reasoning_has_two_names() -> None:
    assert folded(delta(0, reasoning="a"), delta(0, reasoning="b")).choices[0].reasoning == "ab"
    assert folded(delta(0, reasoning="a", reasoning_content="b")).choices[0].reasoning == "b"
    assert folded(delta(0, refusal="no")).choices[0].refusal == "no"


def test_logprobs_are_joined_and_their_absence_is_told() -> None:
    def chunk(logprobs: Json) -> Json:
        return {"choices": [{"index": 0, "delta": {}, "logprobs": logprobs}]}

    found = folded(chunk(None), chunk({"content": [{"token": "a"}]}), chunk({"content": [{"token": "b"}, 1]}))
    assert found.choices[0].logprobs == [{"token": "a"}, {"token": "b"}, 1]
    assert found.choices[0].has_logprobs
    assert folded(chunk({"content": []})).choices[0].has_logprobs
    assert not folded(chunk({"content": None}), chunk([])).choices[0].has_logprobs


def test_a_call_without_index_has_its_place() -> None:
    calls: list[Json] = [{"id": "a"}, {"id": "b", "index": None}, {"id": "c", "index": True}, "junk"]
    assert {at: one.id for at, one in folded(delta(0, tool_calls=calls)).choices[0].tool_calls.items()} == {
        0: "a", 1: "b", 2: "c"
    }  # fmt: skip


@pytest.mark.parametrize(
    "chunk",
    [
        None, [], "text", 5, {}, {"id": 5, "model": [], "created": "now", "usage": []}, {"created": True},
        {"created": 1.5}, {"choices": {}}, {"choices": [None, 1, "a", []]}, delta(None, content="a"),
        delta("0", content="a"), delta(index=True, content="a"), delta(0.0, content="a"),
    ],
)  # fmt: skip
def test_what_has_not_the_right_type_is_not_taken_over(chunk: Json) -> None:
    assert folded(chunk) == Reply()


@pytest.mark.parametrize(
    "members",
    [
        {"role": 5}, {"content": 5}, {"content": ["a"]}, {"refusal": {}}, {"tool_calls": {}}, {"tool_calls": [1, None]},
        {"unknown": "a"},
    ],
)  # fmt: skip
def test_a_choice_of_wrong_members_is_empty(members: dict[str, Json]) -> None:
    assert folded(delta(0, **members)).choices == {0: Choice(0)}
    assert folded({"choices": [{"index": 0, "delta": "a", "finish_reason": 5, "logprobs": 5}]}).choices == {
        0: Choice(0)
    }


def test_a_call_of_wrong_members_is_empty() -> None:
    calls = call(4, id=5, type=[], function={"name": 5, "arguments": {"a": 1}})
    assert folded(delta(0, tool_calls=calls)).choices[0].tool_calls == {4: ToolCall(4, pieces=[""])}
    assert folded(delta(0, tool_calls=call(4, function="f"))).choices[0].tool_calls == {4: ToolCall(4)}


@given(st.lists(CHUNKS | ANY.map(json.dumps), max_size=3), ANY)
def test_no_json_makes_folding_raise(chunks: list[str], answer: Json) -> None:
    fold(map(json_text.read, chunks))
    whole(answer if isinstance(answer, dict) else {"choices": answer})


def test_a_whole_answer_is_read_to_the_same_record() -> None:
    message: Json = {"role": "assistant", "content": None, "tool_calls": [
        {"id": "a", "type": "function", "function": {"name": "f", "arguments": "{}"}},
        {"id": "b", "type": "function", "function": {"name": "g", "arguments": "[]"}},
    ]}  # fmt: skip
    reply = whole({"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]})
    assert [(one.id, one.name, one.arguments) for one in reply.choices[0].tool_calls.values()] == [
        ("a", "f", "{}"), ("b", "g", "[]")
    ]  # fmt: skip
    assert (reply.id, reply.choices[0].finish) == ("c", ["tool_calls"])


# --- recordings -----------------------------------------------------------------------------------------------------


def _chats() -> Iterator[tuple[str, Exchange]]:
    for path in sorted(RECORDINGS.rglob("*.jsonl")):
        name = path.relative_to(RECORDINGS).with_suffix("").as_posix()
        exchange = read_recording(path.read_text(encoding="utf-8"), name).exchange
        if exchange.request.path == "/v1/chat/completions" and exchange.status == 200:
            yield name, exchange


CHATS = dict(_chats())
STREAMS = [name for name, exchange in CHATS.items() if exchange.is_stream]

# What the grammar refuses in them, decided by eye: the choice, the symbol, the state.
REFUSED: dict[str, list[tuple[int, Symbol | None, State]]] = {
    # llama-server sends no role where the text begins with a character of several tokens
    "llama-server/chat-zh-free-stream": [(0, TEXT, State.START)],
    # litellm takes n streams for one: it sends the role to the first choice that speaks, and one end for both
    "litellm/chat-n2-stream": [(0, TEXT, State.START), (1, DONE, State.OPEN)],
    # its source writes the line ends behind [DONE] as backslash and n, so that the last event never ends
    "authored/seq-5-rate-limited": [(0, None, State.FINISHED)],
}


def refused(exchange: Exchange) -> list[tuple[int, Symbol | None, State]]:
    events = zip(exchange.messages, exchange.payloads, strict=True)
    stream = list(chain.from_iterable(classify(at, *event) for at, event in enumerate(events)))
    found: list[tuple[int, Symbol | None, State]] = []
    for choice in sorted({one.choice for one in stream if one.choice is not None}) or [0]:
        symbols = [one.symbol for one in project(stream, choice)]
        told: tuple[Violation[State, Symbol], ...] = GRAMMAR.walk(symbols, ended=exchange.end is End.COMPLETE)
        found += [(choice, one.got, one.state) for one in told]
    return found


@pytest.mark.parametrize("name", STREAMS)
def test_recorded_streams_are_accepted_where_they_are_right(name: str) -> None:
    assert refused(CHATS[name]) == REFUSED.get(name, [])


def test_the_table_of_refusals_names_recordings_that_there_are() -> None:
    assert set(STREAMS) >= set(REFUSED)
    assert len(STREAMS) >= 30


# Where the stream and the whole answer to one request do not spell the same: (choice, field) of what differs.
DIFFERENT = {
    # the stream has lost the role of one choice and the end of the other, and sends that end as the first's
    "litellm/chat-n2-stream": {(0, "role"), (0, "finish"), (1, "finish")},
    # the limit cuts a character in the middle: streamed, the text is held back; whole, another text is made up
    "litellm/chat-truncated-utf8-stream": {(0, "texts")},
    "llama-server/chat-truncated-utf8-stream": {(0, "texts")},
}


def _pairs() -> Iterator[tuple[str, str]]:
    """A streamed and a whole recording of one source, whose requests are equal apart from how to send the answer."""
    asked = {
        name: {key: value for key, value in exchange.request.object.items() if key not in {"stream", "stream_options"}}
        for name, exchange in CHATS.items()
    }
    for name, other in ((one, two) for one in STREAMS for two in CHATS if two not in STREAMS):
        if asked[name] == asked[other] and name.partition("/")[0] == other.partition("/")[0]:
            yield name, other


PAIRS = list(_pairs())


@pytest.mark.parametrize(("streamed", "answered"), PAIRS)
def test_a_recorded_stream_spells_what_the_whole_answer_says(streamed: str, answered: str) -> None:
    one, other = fold(CHATS[streamed].payloads), whole(CHATS[answered].object)
    assert one.choices.keys() == other.choices.keys()
    different = {
        (index, name)
        for index in one.choices
        for name in (member.name for member in fields(Choice))
        if _said(one.choices[index], name) != _said(other.choices[index], name)
    }
    assert different == DIFFERENT.get(streamed, set())


def _said(choice: Choice, name: str) -> object:
    if name == "texts":
        return {key: "".join(pieces) for key, pieces in choice.texts.items()}
    if name == "tool_calls":
        return [(one.id, one.type, one.name, one.arguments) for one in choice.tool_calls.values()]
    return getattr(choice, name)


def test_there_are_pairs_to_compare() -> None:
    assert len(PAIRS) >= 25
    assert {name for name, _ in PAIRS} >= set(DIFFERENT)
