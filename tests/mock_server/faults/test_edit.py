"""Answers taken apart and put together again."""

import json

import pytest

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults import chunks, edit
from openapi.wire import sse
from openapi.wire.exchange import Framing

Pair = tuple[Asked, Answer]


def streamed(*frames: Frame, ended_at: float = 0.0) -> Answer:
    return Answer(200, (("content-type", "text/event-stream"),), frames, Framing.CHUNKED, ended_at=ended_at)


def text(piece: str) -> bytes:
    return sse.encode([sse.Message(json.dumps({"choices": [{"index": 0, "delta": {"content": piece}}]}))])


def test_an_event_is_due_with_its_last_byte() -> None:
    answer = streamed(Frame(0.1, b"data: a\n"), Frame(0.2, b"\ndata: b\n\ndata"), Frame(0.5, b": c\n\n"))
    assert [(event.due, event.data) for event in edit.events(answer)] == [(0.2, "a"), (0.2, "b"), (0.5, "c")]


def test_what_is_not_changed_keeps_its_bytes(stream: Pair) -> None:
    asked, answer = stream
    assert edit.on_events(lambda _, found: found)(asked, answer) is answer
    assert edit.on_frames(lambda _, frames: frames)(asked, answer).body == answer.body


def test_recorded_streams_come_through_unchanged(recorded_stream: tuple[str, bytes]) -> None:
    _, body = recorded_stream
    found = edit.events(streamed(Frame(0.0, body)))
    assert sse.decode(b"".join(event.bytes for event in found)) == sse.decode(body)


def test_the_rest_behind_the_last_frame_stays() -> None:
    answer = streamed(Frame(0.1, b"a"), Frame(0.4, b"b"), ended_at=0.9)
    assert edit.with_frames(answer, answer.frames[:1]).ended_at == pytest.approx(0.6)


def test_spans_are_cut_across_chunks() -> None:
    answer = streamed(*(Frame(0.1, text(piece)) for piece in ("see ht", "tp://x.example", "/a.mp4", " now")))
    left = chunks.without_spans(edit.events(answer), r"https?://\S+")
    assert [chunks.content(event) for event in left] == ["see ", "", "", " now"]


def test_other_answers_are_left_alone(stream: Pair) -> None:
    asked, answer = stream
    change = edit.on_chunks(lambda _, chunk, __: chunk.clear())
    assert change(Asked("POST", "/v1/else", None, (), b"", None, asked.auth), answer) is answer
    failed = Answer(500, answer.headers, answer.frames)
    assert change(asked, failed) is failed


def test_a_compressed_stream_is_left_alone(stream: Pair) -> None:
    asked, answer = stream
    packed = edit.with_header(answer, "content-encoding", "gzip")
    assert edit.on_events(lambda _, __: [])(asked, packed) is packed


def test_there_is_one_header_of_a_name() -> None:
    answer = Answer(200, (("Content-Type", "a"), ("via", "b")))
    assert edit.with_header(answer, "content-type", "c").headers == (("via", "b"), ("content-type", "c"))
    assert edit.with_header(answer, "content-type", None).headers == (("via", "b"),)


def test_recorded_text_loses_what_matches(recorded_stream: tuple[str, bytes]) -> None:
    _, body = recorded_stream
    left = chunks.without_spans(edit.events(streamed(Frame(0.0, body))), "[a-y]|https?://")
    assert not any(set(chunks.content(event)) & set("abcxy") for event in left)
