"""Honest variants: other bytes, the same answer."""

import zlib
from typing import Any

import pytest

from mock_server.answer import Answer, Asked
from mock_server.faults import FAULTS, Fault
from mock_server.synthesis.prompt import Prompt
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse
from openapi.wire.exchange import Framing
from openapi.wire.streams import chat

Pair = tuple[Asked, Answer]

TOLERATED = {  # legal too, and told, because clients break on it
    "sse-bare-cr",
    "sse-mixed-line-ends",
    "sse-bom",
    "sse-multi-line-data",
    "sse-comment-blank-line-after-id",
    "tx-json-leading-whitespace",
    "tx-close-delimited",
    "tx-gzip-unasked",
}
LATER = {"honest-429-then-well", "honest-429-without-retry-after", "honest-503-then-well"}  # the answer comes next time
HONEST = [
    pytest.param(fault, id=fault.id)
    for fault in FAULTS.values()
    if (fault.honest and fault.answer and fault.id not in LATER) or fault.id in TOLERATED
]


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
        own = (asked.operation or "").endswith(("Message", "MessageTokens"))
        assert ({"message", "type"} if own else {"message", "type", "param", "code"}) <= set(error)


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
    bend = FAULTS["tx-close-delimited"].answer
    assert bend
    sent = bend(*stream)
    assert (sent.framing, sent.frames) == (Framing.CLOSE, stream[1].frames)


# --- of a service, and of a model with a will of its own ------------------------------------------------------------


@pytest.mark.parametrize("name", sorted(LATER))
def test_who_is_busy_answers_the_next_time(name: str, pairs: list[Pair]) -> None:
    bend = FAULTS[name].answer
    assert bend
    for asked, answer in pairs:
        first, second = bend(asked._replace(turn=1), answer), bend(asked._replace(turn=2), answer)
        assert second == answer
        if answer.status == 200 and asked.method == "POST":
            assert first.status in {429, 503}
            assert (header(first, "retry-after") == "1") is (name != "honest-429-without-retry-after")
        else:
            assert first == answer


def test_other_words_are_of_another_seed_each_time(pairs: list[Pair]) -> None:
    bend = FAULTS["honest-other-words"].asked
    assert bend
    asked = pairs[0][0]
    assert bend(asked._replace(turn=1)).seed != bend(asked._replace(turn=2)).seed != asked.seed
    assert bend(asked).body == asked.body


def test_a_model_thinks_where_nobody_asked(pairs: list[Pair]) -> None:
    bend = FAULTS["honest-thinks-first"].asked
    assert bend
    for asked, _ in pairs:
        if asked.operation == "createChatCompletion" and asked.object:
            assert bend(asked).object["thinking"]
            assert bend(bend(asked)) == bend(asked)
        else:
            assert bend(asked) == asked


def test_who_declines_counts_as_many_tokens_and_obeys_what_is_no_prompt(pairs: list[Pair]) -> None:
    bend = FAULTS["honest-declines"].asked
    assert bend
    asked = next(one for one, _ in pairs if one.operation == "createChatCompletion" and one.object)
    said: list[Json] = [{"role": "user", "content": "Write a long story about the sea, and one about the hills."}]
    plain = asked._replace(body={"model": "m", "messages": said})
    assert bend(plain).object["messages"] != said
    assert Prompt(bend(plain).object).tokens == Prompt(plain.object).tokens
    obliged: list[dict[str, Json]] = [{"model": "m", "messages": said, "stop": "x"}, {"model": "m"}, {"messages": []}]
    for body in obliged:
        assert bend(asked._replace(body=body)).body == body
    short: list[Json] = [{"role": "user", "content": "Hi"}]
    assert bend(asked._replace(body={"messages": short})).object["messages"] == short
