"""A conversation as a machine: what is drawn keeps to it, and what is asked is legal or not asked at all."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.fuzz.bounds import LIMIT, bounded
from conformance.fuzz.case import Case, is_legal
from conformance.fuzz.moves import BACK, EDGES, MOST, State, begins, calls, follows, groups
from conformance.fuzz.plain import PLAIN
from conformance.fuzz.walks import talks
from conformance.probe import Planned, Role
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import End, Exchange
from tests.conformance import claude
from tests.conformance.exchanges import (
    DONE,
    answer,
    arguments,
    call,
    chat_body,
    cut,
    finish,
    got,
    head,
    message,
    request,
    role,
    stream,
    text,
    whole,
)

CHAT, CLAUDE = "createChatCompletion", "createMessage"
ROLES = dict.fromkeys(Role, "m")
SAY: Any = {"move": "say", "content": "And now?"}
TOOLED: dict[str, Any] = {
    "tools": [{"type": "function", "function": {"name": "get_weather"}}],
    "tool_choice": "required",
}


def next_of(operation: str, last: Exchange, *moves: Json) -> Any:
    [(follow, _)] = follows(operation, last.request.object, [*moves])
    return follow([last])


def said_in(body: Any) -> list[Any]:
    return [one for one in body["messages"] if one["role"] == "assistant"]


# --- what is drawn --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("operation", [CHAT, CLAUDE])
@pytest.mark.parametrize("seed", range(3))
def test_a_walk_keeps_to_the_machine_and_the_seed(operation: str, seed: int) -> None:
    drawn = list(talks(operation, seed, 40, tools=True))
    assert drawn == list(talks(operation, seed, 40, tools=True))
    assert len(drawn) == len({one.name for one in drawn}) == 40
    assert {len(one.probe.steps) for one in drawn} == {2, 3, 4}
    for case in drawn:
        found = groups(case.body, case.data["moves"])
        assert [move for group in found for move in group] == case.data["moves"]
        state = begins(case.body)
        for group in found:
            assert group[-1].get("back", "came") in BACK[state]
            state = EDGES[state, str(group[-1]["move"])]
        assert is_legal(operation, case.body)
        held = bounded(case, ROLES)
        assert held is not None
        assert (held.data, held.role is Role.TOOLS) == (case.data, operation == CHAT and needs_tools(case))
        assert ("messages_tools" in held.probe.needs) == (operation == CLAUDE and needs_tools(case))
        assert [step.name for step in held.probe.steps] == [f"turn-{at}" for at in range(1, 2 + len(found))]
    told = {str(move["move"]) for case in drawn for group in groups(case.body, case.data["moves"]) for move in group}
    assert told == {"say", "call", "result", "proceed", "stream", "limit", "system"}


def needs_tools(case: Case) -> bool:
    return begins(case.body) is State.CALLED or calls(case.data["moves"])


def test_without_a_model_for_tools_none_are_called() -> None:
    assert not any(needs_tools(case) for case in talks(CHAT, 0, 40, tools=False))


RESULT: Any = {"move": "result", "content": "21"}
MOVES: tuple[Any, ...] = (
    *(SAY, RESULT, {"move": "call", "content": "a", "back": "text"}, {"move": "proceed", "content": []}),
    *({"move": "stream", "to": True}, {"move": "limit", "to": 12}, {"move": "system", "content": "x"}),
)


@given(st.lists(st.sampled_from(MOVES), max_size=6), st.booleans())
def test_moves_are_walked_whole_or_not_at_all(moves: list[Json], called: bool) -> None:
    body: dict[str, Json] = {**chat_body(max_tokens=9), **(TOOLED if called else {})}
    found = groups(body, moves)
    assert not found or [dict(move) for group in found for move in group] == moves
    assert len(found) <= MOST
    case = bounded(Case("talk", CHAT, Role.CHAT, {"body": body, "moves": moves}), ROLES)
    assert (case is None) == (not found)
    state = State.CALLED if called else State.ANSWERED
    for move in (group[-1] for group in found):
        assert (state, move["move"]) in EDGES
        state = EDGES[state, str(move["move"])]


NO_MOVES: list[Any] = [
    None,
    "say",
    [],
    [5],
    [{}],
    [{"move": "say"}],
    [{"move": "say", "content": 5}],
    [{"move": "say", "content": "a", "back": "null"}],
    [{"move": "say", "content": "a", "reasoning_effort": "high"}],
    [{"move": "jump", "content": "a"}],
    [{"move": "result", "content": "a"}],
    [{"move": "limit", "to": 0}, SAY],
    [{"move": "limit", "to": True}, SAY],
    [{"move": "limit", "to": LIMIT + 1}, SAY],
    [{"move": "stream", "to": "yes"}, SAY],
    [SAY, {"move": "stream", "to": True}],
    [SAY] * (MOST + 1),
    [{"move": "say", "content": [{"type": "image_url", "image_url": {"url": "https://files.example/a.png"}}]}],
    [{"move": "say", "content": "x" * 6000}],
]


@pytest.mark.parametrize("moves", NO_MOVES, ids=lambda moves: str(moves)[:60])
def test_what_a_file_says_is_held_to_the_machine_and_to_the_bounds(moves: Any) -> None:
    assert bounded(Case("talk", CHAT, Role.CHAT, {"body": chat_body(), "moves": moves}), ROLES) is None
    assert bounded(Case("talk", "createEmbedding", Role.CHAT, {"body": chat_body(), "moves": [SAY]}), ROLES) is None


# --- what is asked next ---------------------------------------------------------------------------------------------


def test_an_answer_is_taken_back_as_it_came_or_as_clients_write_it() -> None:
    last = whole(answer({"index": 0, "message": {"role": "assistant", "content": "Hi", "refusal": None, "x": [1]},
                         "finish_reason": "stop"}))  # fmt: skip
    as_came = {"role": "assistant", "content": "Hi", "refusal": None, "x": [1]}
    assert next_of(CHAT, last, SAY)["messages"][1:] == [as_came, {"role": "user", "content": "And now?"}]
    for back, content in (("text", "Hi"), ("parts", [{"type": "text", "text": "Hi"}])):
        asked = next_of(CHAT, last, {**SAY, "back": back})
        assert said_in(asked) == [{"role": "assistant", "content": content}]
    streamed = stream(role(), text("H"), text("i"), finish(), DONE)
    assert said_in(next_of(CHAT, streamed, SAY)) == [{"role": "assistant", "content": "Hi"}]


def test_calls_are_answered_and_go_on() -> None:
    last = stream(role(), head(), arguments('{"city":"Oslo"}'), finish("tool_calls"), DONE, **TOOLED)
    asked = next_of(CHAT, last, {"move": "stream", "to": False}, {**RESULT, "back": "none"})
    assert said_in(asked) == [{"role": "assistant", "tool_calls": [call('{"city":"Oslo"}')]}]
    assert asked["messages"][-1]["role"] == "tool"
    assert not {"stream", "stream_options", "tool_choice"} & asked.keys()
    on = next_of(CHAT, last, {"move": "proceed", "content": "21"})
    assert (on["tool_choice"], on["tools"], on["stream"]) == ("required", TOOLED["tools"], True)
    assert said_in(on)[0]["content"] is None


def test_limit_and_instruction_change_in_their_place() -> None:
    last = whole(answer(), messages=[{"role": "developer", "content": "a"}, {"role": "user", "content": "b"}],
                 max_completion_tokens=9)  # fmt: skip
    asked = next_of(CHAT, last, {"move": "limit", "to": 12}, {"move": "system", "content": "c"}, SAY)
    assert [one["role"] for one in asked["messages"]] == ["system", "user", "assistant", "user"]
    assert (asked["max_completion_tokens"], "max_tokens" in asked) == (12, False)


def test_claudes_blocks_go_back_with_their_thinking_and_without_empty_texts() -> None:
    thought = {"type": "thinking", "thinking": "hm", "signature": "s"}
    use = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Oslo"}}
    spoken: list[Any] = [thought, {"type": "text", "text": ""}, {"type": "text", "text": "Let me see."}, use]
    last = claude.told(claude.message(*spoken), tools=[claude.WEATHER], tool_choice={"type": "any"})
    asked = next_of(CLAUDE, last, {"move": "result", "content": [{"type": "text", "text": "21"}]})
    assert said_in(asked)[0]["content"] == [thought, spoken[2], use]
    assert asked["messages"][-1] == {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": [{"type": "text", "text": "21"}]},
        ],
    }
    bare = next_of(CLAUDE, last, {"move": "result", "content": "21", "back": "none"})
    assert said_in(bare)[0]["content"] == [thought, use]


FAILED = (
    got(500, {"error": {"message": "no", "type": "server_error"}}, to=request(chat_body())),
    got(400, b"<html>", to=request(chat_body())),
    Exchange("e1", request(chat_body()), None, error="no connection"),
    cut(stream(role(), text("Hi"), finish(), DONE), End.RESET),
    whole({"choices": []}),
    whole(answer(message(None, tool_calls=[call(id="a")]))),
    whole({"error": {"message": "no", "type": "x"}}),
)


@pytest.mark.parametrize("last", FAILED, ids=range(len(FAILED)))
def test_where_an_answer_leads_nowhere_the_conversation_ends(last: Exchange) -> None:
    assert next_of(CHAT, last, SAY) is None


@pytest.mark.parametrize(
    "last",
    [
        claude.told(claude.message({"type": "server_tool_use", "id": "a", "name": "web_search", "input": {}})),
        claude.told(claude.message(content=[])),
        claude.told({"type": "error", "error": {"type": "api_error", "message": "no"}}),
    ],
    ids=range(3),
)
def test_blocks_that_cannot_go_back_end_it_too(last: Exchange) -> None:
    assert next_of(CLAUDE, last, SAY) is None


values = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-1, 3), st.sampled_from(["", "a", "\ud83d", "text", "assistant"])),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(["role", "content", "tool_calls", "type", "text", "id", "function", "name", "arguments"]),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=10,
)
messages = st.one_of(values, st.fixed_dictionaries({"role": st.just("assistant"), "content": values}, optional={
    "tool_calls": st.one_of(values, st.lists(st.just(call('{"city":"Oslo"}', id="a")), max_size=2)),
    "refusal": values, "reasoning_content": values, "audio": values, "function_call": values,
}))  # fmt: skip
blocks = st.one_of(values, st.fixed_dictionaries(
    {"type": st.sampled_from(["text", "thinking", "tool_use", "redacted_thinking", "image"])},
    optional={"text": values, "thinking": values, "signature": values, "id": values, "name": values, "input": values},
))  # fmt: skip


def written(value: Any) -> bytes:
    return json_text.write(value)


@settings(max_examples=150)
@given(messages, st.sampled_from(["stop", "tool_calls", None]), st.booleans(), st.sampled_from(MOVES), st.booleans())
def test_an_odd_answer_of_chat_makes_a_legal_request_or_none(
    said: Json, reason: Json, streamed: bool, ask: Json, called: bool
) -> None:
    part = {"index": 0, "delta" if streamed else "message": said, "finish_reason": reason}
    asked = {**chat_body(max_tokens=9), **(TOOLED if called else {}), **({"stream": True} if streamed else {})}
    if streamed:
        raw = b"data: " + written({"choices": [part]}) + b"\n\ndata: [DONE]\n\n"
        last = got(200, raw, to=request(asked), kind="text/event-stream")
    else:
        last = got(200, written({"choices": [part]}), to=request(asked))
    for follow, _ in follows(CHAT, asked, [ask]):
        body = follow([last])
        assert body is None or is_legal(CHAT, body)


@settings(max_examples=150)
@given(st.one_of(values, st.lists(blocks, max_size=3)), st.sampled_from(MOVES), st.booleans(), st.booleans())
def test_an_odd_answer_of_claude_makes_a_legal_request_or_none(
    content: Json, ask: Json, streamed: bool, called: bool
) -> None:
    choice = {"tool_choice": {"type": "any"}, "tools": [claude.WEATHER]} if called else {}
    body = claude.body(**choice, **({"stream": True} if streamed else {}))
    if streamed:
        told = [{"type": "content_block_start", "index": at, "content_block": one}
                for at, one in enumerate(content if isinstance(content, list) else [])]  # fmt: skip
        events = [claude.start(), *told, {"type": "message_stop"}]
        raw = b"".join(b"data: " + written(one) + b"\n\n" for one in events)
        last = got(200, raw, to=request(body, path=claude.PATH), kind="text/event-stream")
    else:
        raw = written({"type": "message", "content": content, "stop_reason": "end_turn"})
        last = got(200, raw, to=request(body, path=claude.PATH))
    for follow, _ in follows(CLAUDE, body, [ask]):
        made = follow([last])
        assert made is None or is_legal(CLAUDE, made)


# --- what it may cost -----------------------------------------------------------------------------------------------

TALKS = {operation: list(talks(operation, 5, 31, tools=True)) for operation in (CHAT, CLAUDE)}


@settings(max_examples=60)
@given(st.integers(0, 30), st.sampled_from([CHAT, CLAUDE]), st.integers(0, 400))
def test_no_request_costs_more_than_was_planned_for_its_step(at: int, operation: str, length: int) -> None:
    case = TALKS[operation][at]
    held = bounded(case, ROLES)
    assert held
    planned = Planned(1, held.probe, "m")
    spent = planned.probe.cost(planned.probe.request("m"))
    sofar: list[Exchange] = []
    for step in planned.probe.steps:
        asked = planned.probe.bound(step, "m", sofar)
        if step.follows:
            if not planned.leads_on(step, asked):
                break
            spent += planned.probe.cost(asked)
        sofar.append(replied(operation, asked.object, "é" * length))
    assert spent <= planned.tokens


def replied(operation: str, asked: Any, said: str) -> Exchange:
    """A right answer to any request, as long as is wished."""
    forced = "tool_choice" in asked
    if operation == CLAUDE:
        use = {"type": "tool_use", "id": "t", "name": "get_weather", "input": {"city": said}}
        content = [use] if forced else [{"type": "text", "text": said}]
        return got(200, {"type": "message", "content": content, "stop_reason": "end_turn"},
                   to=request(asked, path=claude.PATH))  # fmt: skip
    calling: dict[str, Any] = {"tool_calls": [call(json.dumps({"city": said}), id="a")]} if forced else {}
    return got(200, answer(message(None if forced else said, **calling)), to=request(asked))


def test_an_answer_within_its_limit_leads_on_to_the_end() -> None:
    for operation in (CHAT, CLAUDE):
        for case in TALKS[operation]:
            planned = Planned(1, case.probe, "m")
            sofar: list[Exchange] = []
            for step in planned.probe.steps:
                asked = planned.probe.bound(step, "m", sofar)
                assert not step.follows or planned.leads_on(step, asked), (case, step.name)
                limit = min(int(str(asked.object["max_tokens"])), 60)
                sofar.append(replied(operation, asked.object, "word " * limit))


def test_the_plain_request_is_where_a_talk_begins() -> None:
    for operation in (CHAT, CLAUDE):
        assert begins(PLAIN[operation]) is State.ANSWERED
