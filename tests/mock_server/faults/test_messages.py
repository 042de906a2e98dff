"""Faults of Claude's protocol: honest ones change no message, and none touches another protocol."""

import json
from typing import Any

import pytest

from mock_server.answer import Answer, Asked
from mock_server.faults import FAULTS, Fault
from openapi import json_text
from openapi.wire import sse
from openapi.wire.streams import messages

Pair = tuple[Asked, Answer]

OWN = [fault for fault in FAULTS.values() if "claude" in fault.id]
HONEST = [pytest.param(fault, id=fault.id) for fault in OWN if fault.honest]
SENDING = [pytest.param(fault, id=fault.id) for fault in OWN if fault.answer]


def of_messages(pairs: list[Pair]) -> list[Pair]:
    return [pair for pair in pairs if pair[0].operation == "createMessage" and pair[1].status == 200]


def events(answer: Answer) -> list[sse.Message]:
    return [item for item in sse.decode(answer.body) if isinstance(item, sse.Message)]


def spelled(asked: Asked, answer: Answer) -> tuple[Any, ...]:
    """What a client makes of an answer; a block that says nothing is as none."""
    if asked.streamed:
        reply = messages.fold(json_text.read(event.data) for event in events(answer))
    else:
        reply = messages.whole(json.loads(answer.body))
    counts = {name: count for name, count in reply.usage.items() if count}
    blocks = [(one.type, one.text, one.id, one.name, one.json, one.signature) for one in reply.blocks.values()]
    said = [one for one in blocks if one[1] or one[2]]
    return reply.id, reply.model, said, reply.stop_reason, reply.stop_sequence, counts


@pytest.mark.parametrize("fault", HONEST)
def test_an_honest_variant_spells_the_same_message(fault: Fault, pairs: list[Pair]) -> None:
    assert fault.answer
    changed = 0
    for asked, answer in of_messages(pairs):
        sent = fault.answer(asked, answer)
        changed += sent != answer
        assert spelled(asked, sent) == spelled(asked, answer)
        said = [messages.classify(at, one, json_text.read(one.data)).symbol for at, one in enumerate(events(sent))]
        assert not asked.streamed or messages.GRAMMAR.walk(said) == ()
    assert changed


@pytest.mark.parametrize("fault", SENDING)
def test_no_other_protocol_is_touched(fault: Fault, pairs: list[Pair]) -> None:
    assert fault.answer
    for asked, answer in pairs:
        if asked.operation not in {"createMessage", "countMessageTokens"}:
            assert fault.answer(asked, answer) == answer


def test_only_the_order_of_two_events_changes_where_blocks_interleave(pairs: list[Pair]) -> None:
    bend = FAULTS["claude-blocks-interleaved"].answer
    assert bend
    several = [pair for pair in of_messages(pairs) if pair[1].body.count(b"event: content_block_stop") == 2]
    assert several
    for asked, answer in several:
        sent = events(bend(asked, answer))
        assert sorted(one.data for one in sent) == sorted(one.data for one in events(answer))
        kinds = [one.event for one in sent]
        second = [at for at, kind in enumerate(kinds) if kind == "content_block_start"][1]
        assert kinds[second + 1] == "content_block_stop"
