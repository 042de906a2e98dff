"""The stream of Claude's messages: what one event says, what may follow what, and what all of them spell."""

import json
from typing import Any

import pytest

from openapi import json_text
from openapi.wire.sse import Message
from openapi.wire.streams import messages
from openapi.wire.streams.messages import GRAMMAR, Said, State, Symbol

START = {"type": "message_start", "message": {"id": "msg_1", "model": "m", "usage": {"input_tokens": 9}}}


def classified(data: Any) -> Said:
    text = data if isinstance(data, str) else json.dumps(data)
    return messages.classify(3, Message(text), json_text.read(text))


@pytest.mark.parametrize(
    ("data", "symbol", "index"),
    [
        (START, Symbol.START, None),
        ({"type": "content_block_start", "index": 0}, Symbol.BLOCK_START, 0),
        ({"type": "content_block_start", "index": True}, Symbol.BLOCK_START, None),
        ({"type": "content_block_delta", "index": 1}, Symbol.DELTA, 1),
        ({"type": "content_block_stop", "index": "1"}, Symbol.BLOCK_STOP, None),
        ({"type": "message_delta"}, Symbol.MESSAGE_DELTA, None),
        ({"type": "message_stop"}, Symbol.STOP, None),
        ({"type": "ping"}, Symbol.IDLE, None),
        ({"type": "of another day"}, Symbol.IDLE, None),
        ("[DONE]", Symbol.IDLE, None),
        ({"type": "error", "error": {}}, Symbol.ERROR, None),
        ({"error": {"message": "x"}}, Symbol.ERROR, None),
        ({"error": None}, Symbol.JUNK, None),
        ({"type": ""}, Symbol.JUNK, None),
        ({"type": 5}, Symbol.JUNK, None),
        ({}, Symbol.JUNK, None),
        ([], Symbol.JUNK, None),
        ("{", Symbol.JUNK, None),
    ],
    ids=str,
)
def test_an_event_is_known_by_its_type(data: Any, symbol: Symbol, index: int | None) -> None:
    assert classified(data) == Said(symbol, 3, index)


WHOLE = [Symbol.START, Symbol.BLOCK_START, Symbol.DELTA, Symbol.BLOCK_STOP, Symbol.MESSAGE_DELTA, Symbol.STOP]


@pytest.mark.parametrize(
    "symbols",
    [
        WHOLE,
        [Symbol.START, Symbol.MESSAGE_DELTA, Symbol.STOP],
        [Symbol.START, Symbol.BLOCK_START, Symbol.BLOCK_STOP, *WHOLE[1:]],
        [*WHOLE[:5], Symbol.MESSAGE_DELTA, Symbol.STOP],
        [one for symbol in WHOLE for one in (Symbol.IDLE, symbol)] + [Symbol.IDLE],
        [Symbol.ERROR],
        [*WHOLE[:3], Symbol.ERROR, Symbol.STOP],
        [*WHOLE[:5], Symbol.ERROR, Symbol.ERROR],
    ],
)
def test_the_grammar_allows(symbols: list[Symbol]) -> None:
    assert GRAMMAR.walk(symbols) == ()


@pytest.mark.parametrize(
    ("symbols", "state", "got"),
    [
        (WHOLE[1:], State.START, Symbol.BLOCK_START),
        ([Symbol.START, *WHOLE], State.OPEN, Symbol.START),
        ([Symbol.START, *WHOLE[2:]], State.OPEN, Symbol.DELTA),
        ([*WHOLE[:3], *WHOLE[1:]], State.BLOCK, Symbol.BLOCK_START),
        ([*WHOLE[:3], *WHOLE[4:]], State.BLOCK, Symbol.MESSAGE_DELTA),
        ([*WHOLE[:4], Symbol.STOP], State.OPEN, Symbol.STOP),
        ([*WHOLE, Symbol.STOP], State.STOPPED, Symbol.STOP),
        (WHOLE[:5], State.ENDING, None),
        ([], State.START, None),
    ],
)
def test_one_mistake_is_told_once(symbols: list[Symbol], state: State, got: Symbol | None) -> None:
    assert [(one.state, one.got) for one in GRAMMAR.walk(symbols)] == [(state, got)]


def folded(*events: Any) -> messages.Reply:
    return messages.fold(json_text.read(json.dumps(event)) for event in events)


def test_events_spell_a_message() -> None:
    thinking = {"type": "thinking", "thinking": "", "signature": ""}
    tool = {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {}}
    reply = folded(
        START,
        {"type": "content_block_start", "index": 0, "content_block": thinking},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "Hm"}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "signature_delta", "signature": "s"}},
        {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": "A"}},
        {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "B"}},
        {"type": "content_block_start", "index": 2, "content_block": tool},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": '{"a"'}},
        {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": ":1}"}},
        {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 7}},
        {"type": "message_stop"},
    )
    assert (reply.id, reply.model, reply.stop_reason, reply.stop_sequence) == ("msg_1", "m", "tool_use", None)
    assert (reply.text, [block.text for block in reply.thoughts], reply.thoughts[0].signature) == ("AB", ["Hm"], "s")
    assert [(block.id, block.name, block.json, block.deltas) for block in reply.tools] == [
        ("toolu_1", "f", '{"a":1}', ["input_json_delta"] * 2)
    ]
    assert reply.usage == {"input_tokens": 9, "output_tokens": 7}


def test_a_whole_message_spells_the_same() -> None:
    reply = messages.whole(
        {
            "id": "msg_1",
            "model": "m",
            "content": [
                {"type": "thinking", "thinking": "Hm", "signature": "s"},
                {"type": "text", "text": "AB"},
                {"type": "tool_use", "id": "toolu_1", "name": "f", "input": {"a": 1}},
                "junk",
            ],
            "stop_reason": "stop_sequence",
            "stop_sequence": "x",
            "usage": {"input_tokens": 9, "output_tokens": True, "cache_creation": {}},
        }
    )
    assert (reply.text, reply.thoughts[0].text, reply.tools[0].input) == ("AB", "Hm", {"a": 1})
    assert (reply.stop_reason, reply.stop_sequence, reply.usage) == ("stop_sequence", "x", {"input_tokens": 9})


@pytest.mark.parametrize(
    "event",
    [
        {},
        [],
        {"type": "message_start"},
        {"type": "content_block_start", "index": 0},
        {"type": "content_block_start", "content_block": {"type": "text"}},
        {"type": "content_block_delta", "index": "0", "delta": {"text": "A"}},
        {"type": "content_block_stop", "index": 0},
        {"type": "message_delta"},
        {"type": "message_delta", "delta": 5, "usage": 5},
    ],
    ids=str,
)
def test_what_has_no_form_spells_nothing(event: Any) -> None:
    assert folded(event) == messages.Reply()


def test_a_delta_without_its_block_has_a_block_without_a_type() -> None:
    assert folded({"type": "content_block_delta", "index": 0, "delta": {"text": "A"}}).blocks[0].type == ""


@pytest.mark.parametrize("content", [None, "text", {}, 5])
def test_a_content_that_is_no_list_has_no_blocks(content: Any) -> None:
    assert messages.whole({"content": content}).blocks == {}
