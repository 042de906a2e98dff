"""Answers as server-sent events."""

from collections.abc import Iterable, Iterator
from itertools import zip_longest

from mock_server.answer import Answer, Frame
from mock_server.synthesis import pace
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse
from openapi.wire.exchange import Framing

HEADERS = (("content-type", "text/event-stream"), ("cache-control", "no-cache"), ("x-accel-buffering", "no"))

Object = dict[str, Json]


def streamed(chunks: Iterable[Object], seed: str, request: str) -> Answer:
    """The stream of these chunks, then the literal `[DONE]`. `seed` sets its pace, `request` its x-request-id."""
    said = [sse.Message(json_text.write(chunk).decode()) for chunk in chunks]
    return sent([*said, sse.Message("[DONE]")], seed, request)


def sent(messages: Iterable[sse.Message], seed: str, request: str) -> Answer:
    """The stream of these events, a frame for each."""
    data = [sse.encode([message]) for message in messages]
    dues = pace.dues(len(data), seed)
    frames = tuple(Frame(due, event) for due, event in zip(dues, data, strict=True))
    return Answer(200, (*HEADERS, ("x-request-id", f"req_{request[:24]}")), frames, Framing.CHUNKED, ended_at=dues[-1])


def interleaved(streams: list[list[Object]]) -> Iterator[Object]:
    """The pieces of several choices, taking turns."""
    for row in zip_longest(*streams):
        yield from (choice for choice in row if choice is not None)
