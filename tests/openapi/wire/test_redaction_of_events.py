"""A secret that the events of a stream spell together is taken out of them, and all else in them stays."""

import json
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire import sse
from openapi.wire.redaction import LONGEST, MARK, Redactor, mark

KEY = 'sk-"odd"/key\\0123456789é😀'
CLEAN = Redactor([KEY])


def event(content: Any, **more: Any) -> bytes:
    return f"data: {json.dumps({'choices': [{'delta': {'content': content}}], **more})}\n\n".encode()


def contents(body: bytes) -> list[Any]:
    messages = [item for item in sse.decode(body) if isinstance(item, sse.Message)]
    return [json.loads(message.data)["choices"][0]["delta"]["content"] for message in messages]


@given(st.lists(st.integers(0, len(KEY)), max_size=6), st.integers(1, 40), st.booleans())
def test_a_key_is_found_wherever_it_is_cut_into_deltas(cuts: list[int], size: int, ascii_only: bool) -> None:
    places = [0, *sorted(cuts), len(KEY)]
    texts = ["before ", *(KEY[a:b] for a, b in pairwise(places)), " after"]
    body = b"".join(event(text, id="chat", n=number) for number, text in enumerate(texts))
    if not ascii_only:
        body = body.decode().encode()
    reads = [body[at : at + size] for at in range(0, len(body), size)]
    cleaned = CLEAN.events(CLEAN.pieces(reads))
    assert len(cleaned) == len(reads)
    told = contents(b"".join(cleaned))
    assert "".join(told) == f"before {mark(len(KEY.encode()))} after" or MARK in "".join(told)
    assert KEY not in "".join(told)
    assert [json.loads(item.data)["n"] for item in sse.decode(b"".join(cleaned)) if isinstance(item, sse.Message)] == [
        *range(len(texts))
    ]


@given(st.lists(st.text(max_size=5) | st.none() | st.integers(), max_size=8), st.integers(1, 30))
def test_a_stream_without_a_key_stays_as_it_is(texts: list[Any], size: int) -> None:
    body = b"".join(map(event, texts)) + b": comment\n\ndata: [DONE]\n\ndata: {"
    reads = [body[at : at + size] for at in range(0, len(body), size)]
    assert CLEAN.events(reads) == reads


def test_what_looks_like_a_part_of_the_key_elsewhere_stays() -> None:
    body = event(KEY[:4], id=KEY[:4] + "x", sk="s,k") + event(KEY[4:])
    (cleaned,) = CLEAN.events([body])
    assert contents(cleaned) == [mark(len(KEY.encode())), ""]
    first = json.loads(cleaned.decode().split("\n")[0].removeprefix("data: "))
    assert (first["id"], first["sk"]) == (KEY[:4] + "x", "s,k")


def test_the_texts_of_two_choices_are_not_mixed() -> None:
    def delta(index: int, text: str) -> bytes:
        return f"data: {json.dumps({'choices': [{'index': index, 'text': text}]})}\n\n".encode()

    body = b"".join(delta(index, letter) for letter in KEY for index in (1, 0))
    (cleaned,) = CLEAN.events([body])
    assert cleaned.decode().count(MARK) == 2
    spread = b"".join(delta(number % 2, letter) for number, letter in enumerate(KEY))
    assert CLEAN.events([spread]) == [spread]


def test_a_text_of_any_length_is_no_burden() -> None:
    body = event("x" * (LONGEST + 1) + KEY[:9], b=KEY[:5]) + event(KEY[9:], b=KEY[5:])
    (cleaned,) = CLEAN.events([body])
    assert KEY[9:] not in cleaned.decode()
    assert cleaned.startswith(f'data: "{mark(0)}"\n\ndata: '.encode())


@pytest.mark.parametrize("data", ["[" * 5000, '"\\ud800"', '{"a":"\\ud800"}', "no json", '{"index":true}'])
def test_events_of_any_kind_raise_nothing(data: str) -> None:
    body = f"data: {data}\n\n".encode() * 2
    assert CLEAN.events([body]) == [body]
