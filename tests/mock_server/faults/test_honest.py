"""Honest variants: other bytes, the same answer."""

import zlib
from typing import Any

import pytest

from mock_server.answer import Answer, Asked
from mock_server.faults import FAULTS, Fault
from openapi import json_text
from openapi.wire import sse
from openapi.wire.exchange import Framing
from openapi.wire.streams import chat

Pair = tuple[Asked, Answer]

HONEST = [pytest.param(fault, id=fault.id) for fault in FAULTS.values() if fault.honest]


def header(answer: Answer, name: str) -> str:
    return next((value for key, value in answer.headers if key.lower() == name), "")


def content(answer: Answer) -> bytes:
    return zlib.decompress(answer.body, wbits=47) if header(answer, "content-encoding") else answer.body


def is_stream(answer: Answer) -> bool:
    return header(answer, "content-type").lower().startswith("text/event-stream")


def spelled(answer: Answer) -> list[Any]:
    """What a client makes of a chat answer: text, thinking, calls and end of each choice, and the usage."""
    if not is_stream(answer):
        reply = chat.whole(json_text.read(content(answer)).object)
    else:
        items = [item for item in sse.decode(content(answer)) if isinstance(item, sse.Message)]
        assert items[-1].data == chat.SENTINEL
        reply = chat.fold(json_text.read(item.data) for item in items)
    counts = {name: (reply.usage or {}).get(name) for name in ("prompt_tokens", "completion_tokens", "total_tokens")}
    return [
        counts,
        *(
            (
                index,
                choice.role,
                choice.content,
                choice.reasoning,
                choice.logprobs,
                [
                    "calls" if reason in {"stop", "tool_calls"} and choice.tool_calls else reason
                    for reason in choice.finish
                ],
                [(call.id, call.type, call.name, call.arguments) for call in choice.tool_calls.values()],
            )
            for index, choice in sorted(reply.choices.items())
        ),
    ]


def violations(answer: Answer) -> list[object]:
    said: list[chat.Said] = []
    items = [item for item in sse.decode(content(answer)) if isinstance(item, sse.Message)]
    for number, message in enumerate(items):
        said += chat.classify(number, message, json_text.read(message.data))
    indexes = {one.choice for one in said if one.choice is not None}
    return [found for index in indexes for found in chat.GRAMMAR.walk(one.symbol for one in chat.project(said, index))]


@pytest.mark.parametrize("fault", HONEST)
def test_the_answer_is_the_same(fault: Fault, pairs: list[Pair]) -> None:
    assert fault.answer
    for asked, answer in pairs:
        if asked.operation != "createChatCompletion" or answer.status != 200:
            continue
        sent = fault.answer(asked, answer)
        assert spelled(sent) == spelled(answer)
        if is_stream(sent):
            assert not violations(sent)


@pytest.mark.parametrize("fault", HONEST)
def test_a_refusal_stays_one(fault: Fault, pairs: list[Pair]) -> None:
    assert fault.answer
    for asked, answer in pairs:
        if answer.status == 200:
            continue
        sent = fault.answer(asked, answer)
        error = json_text.read(content(sent)).object["error"]
        assert sent.status == answer.status
        assert isinstance(error, dict)
        assert {"message", "type", "param", "code"} <= set(error)


def test_a_character_is_split(pairs: list[Pair]) -> None:
    bend = FAULTS["sse-network-split-mid-line"].answer
    assert bend
    [asked, answer] = next(pair for pair in pairs if "sora-2" in str(pair[0].body) and pair[0].streamed)
    sent = bend(asked, answer)
    assert sent.body == answer.body
    assert {len(frame.data) for frame in sent.frames} <= set(range(1, 8))
    assert any(0x80 <= frame.data[0] < 0xC0 for frame in sent.frames)


def test_every_compressed_piece_can_be_read_when_it_comes(stream: Pair) -> None:
    bend = FAULTS["honest-gzip"].answer
    assert bend
    inflate = zlib.decompressobj(wbits=31)
    pieces = [inflate.decompress(frame.data) for frame in bend(*stream).frames]
    assert pieces == [frame.data for frame in stream[1].frames]
    assert inflate.eof


def test_a_close_framed_stream_keeps_its_frames(stream: Pair) -> None:
    bend = FAULTS["honest-close-framed"].answer
    assert bend
    sent = bend(*stream)
    assert (sent.framing, sent.frames) == (Framing.CLOSE, stream[1].frames)
