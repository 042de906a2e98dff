"""Secrets out of what is still coming: no prefix of what is written has one."""

import gzip
import json
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire import sse
from openapi.wire.clearing import MOST, Holding, cleared
from openapi.wire.exchange import Exchange, Framing, Headers, Oddity, Read, Request
from openapi.wire.redaction import Redactor

KEY = "sk-planted-0123456789"


def event(text: str) -> bytes:
    return b"data: " + json.dumps({"delta": {"content": text}}).encode() + b"\n\n"


def spelled(data: bytes) -> str:
    """What the whole events of these bytes say together."""
    found = [item for item in sse.decode(data) if isinstance(item, sse.Message)]
    return "".join(json.loads(item.data)["delta"]["content"] for item in found)


def fed(pieces: list[bytes]) -> list[bytes]:
    """What had been handed on after each read, and at the end."""
    holding, out, seen = Holding([KEY], Redactor([KEY])), b"", []
    for at, data in enumerate(pieces):
        out += b"".join(read.data for read in holding.feed(Read(float(at), data)))
        seen.append(out)
    return [*seen, out + b"".join(read.data for read in holding.close())]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    borders = sorted({0, len(data), *(place % (len(data) + 1) for place in places)})
    return [data[start:end] for start, end in pairwise(borders)]


TEXTS = st.lists(st.sampled_from([KEY, KEY[:9], KEY[9:], "s", "k-", "sk", *KEY, "hello ", '"', "é"]), max_size=40)


@given(TEXTS, st.lists(st.integers(0, 4000), max_size=30))
def test_nothing_that_was_handed_on_has_or_spells_the_secret(texts: list[str], places: list[int]) -> None:
    stream = b"".join(map(event, texts))
    seen = fed(cut(stream, places))
    for written in seen:
        assert KEY.encode() not in written
        assert KEY not in spelled(written)
    if KEY not in "".join(texts):
        assert seen[-1] == stream


def test_a_secret_that_the_stream_itself_gives_is_taken_out_of_it_and_known_from_then_on() -> None:
    gives = b'data: {"api_key": "given-0123456789"}\n\n'
    seen = fed([gives, event("as I said: given-0123456789. ")])
    assert b"given" not in seen[-1]
    assert seen[-1].count(b"data: ") == 2


def test_plain_events_are_handed_on_at_once() -> None:
    assert fed([event("a "), event("b ")])[:2] == [event("a "), event("a ") + event("b ")]
    assert fed([b": PING\n\n"])[0] == b": PING\n\n"


@pytest.mark.parametrize("text", [KEY[:1], KEY[:12], "a\\", "50%", "a%7"])
def test_what_may_be_the_beginning_of_a_secret_waits(text: str) -> None:
    assert fed([event(text)])[0] == b""


def test_half_an_event_waits_for_the_rest() -> None:
    whole = event("a ")
    assert fed([whole[:9], whole[9:]])[:2] == [b"", whole]


def test_an_event_without_an_end_is_not_held_for_ever() -> None:
    pieces = [b"x" * 1024] * (4 * MOST // 1024)
    seen = fed(pieces)
    assert seen[-1] == b"".join(pieces)
    assert all(1024 * (at + 1) - len(written) <= MOST + 2048 for at, written in enumerate(seen))


@pytest.mark.parametrize("shift", range(0, 10 * len(KEY), 7))
def test_of_an_endless_event_no_secret_is_handed_on_wherever_it_stands(shift: int) -> None:
    data = b"x" * (MOST - 5 * len(KEY) + shift) + KEY.encode() + b"y" * MOST
    seen = fed([data[at : at + 1000] for at in range(0, len(data), 1000)])
    assert len(seen[-1]) == len(data)
    assert KEY.encode() not in seen[-1]
    assert all(seen[-1].startswith(written) for written in seen)


def test_where_the_beginning_of_a_secret_waits_for_too_long_there_are_marks() -> None:
    comments = [b": " + b"x" * 1000 + b"\n\n"] * (MOST // 1000 + 2)
    pieces = [event(KEY[:9]), *comments, event(KEY[9:])]
    seen = fed(pieces)[-1]
    assert KEY[:9].encode() not in seen
    assert KEY not in spelled(seen)
    assert len(seen) == len(b"".join(pieces))


def test_everything_of_an_answer_is_cleared() -> None:
    request = Request("POST", "/v1/chat/completions")
    told = Exchange("", request, 200, (("x-echo", KEY),), error=f"with {KEY}", oddities=(Oddity("odd", KEY),))
    clear = cleared(told, Redactor([KEY]))
    assert KEY not in repr((clear.headers, clear.error, clear.oddities))


def test_a_compressed_answer_is_kept_decoded_where_it_holds_one() -> None:
    data = gzip.compress(f'{{"said": "{KEY}"}}'.encode())
    headers = (("content-type", "application/json"), ("content-encoding", "gzip"))
    coded = Exchange(
        "", Request("GET", "/"), 200, headers, (Read(0.1, data),), framing=Framing.CHUNKED, chunks=(len(data), 0)
    )
    clear = cleared(coded, Redactor([KEY]))
    assert KEY.encode() not in clear.content
    assert (clear.header("content-encoding"), clear.chunks) == (None, None)
    assert cleared(coded, Redactor(["another-secret"])) == coded


@pytest.mark.parametrize("headers", [(), (("Content-Encoding", "gzip, gzip"),)])
def test_of_a_secret_beneath_a_compression_that_is_not_told_marks_alone_are_kept(headers: Headers) -> None:
    told = gzip.compress(b'{"key": "' + KEY.encode() + b'"}')
    packed = gzip.compress(told) if headers else told
    exchange = Exchange("e1", Request("GET", "/"), 200, headers, (Read(0.1, packed[:9]), Read(0.2, packed[9:])))
    kept = cleared(exchange, Redactor([KEY]))
    assert not kept.body.startswith(b"\x1f\x8b")
    assert [len(read.data) for read in kept.reads] == [9, len(packed) - 9]
    harmless = replace(exchange, reads=(Read(0.1, gzip.compress(b"no secret")), Read(0.2, b"\x1f\x8bno gzip")))
    assert cleared(harmless, Redactor([KEY])).reads == harmless.reads
    odd = replace(exchange, reads=(Read(0.1, b"\x1f\x8bno gzip"),))
    assert cleared(odd, Redactor([KEY])).body == odd.body


def test_what_is_packed_again_and_again_is_not_kept() -> None:
    packed = b"no secret at all"
    for _ in range(5):
        packed = gzip.compress(packed)
    exchange = Exchange("e1", Request("GET", "/"), 200, (), (Read(0.1, packed),))
    assert not cleared(exchange, Redactor([KEY])).body.startswith(b"\x1f\x8b")


def test_chunk_sizes_are_kept_where_they_stay_true() -> None:
    data = event(f"a {KEY}")
    headers = (("content-type", "text/event-stream"),)
    exchange = Exchange("", Request("GET", "/"), 200, headers, (Read(0.1, data),), chunks=(len(data), 0))
    assert cleared(exchange, Redactor([KEY])).chunks == (len(data), 0)
    short = Exchange(
        "", Request("GET", "/"), 200, headers, (Read(0.1, event("abcdef")),), chunks=(len(event("abcdef")), 0)
    )
    assert cleared(short, Redactor(["abcdef"])).chunks is None
