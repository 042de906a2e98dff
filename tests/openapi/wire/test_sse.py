"""The SSE decoder and encoder: WHATWG HTML 9.2.6 by example, by property, and on every recording."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire.sse import BOM, Comment, Decoder, Item, Message, Silent, Truncated, decode, encode

EOLS = ("\n", "\r", "\r\n")


def feed_in(pieces: list[bytes]) -> list[Item]:
    decoder = Decoder()
    items = [item for piece in pieces for item in decoder.feed(piece)]
    return items + decoder.close()


def spans(items: list[Item]) -> list[tuple[int, int]]:
    return [(item.start, item.end) for item in items]


@pytest.mark.parametrize(
    ("body", "items"),
    [
        (b"data: a\n\n", [Message("a")]),
        (b"data:a\n\n", [Message("a")]),
        (b"data:  a\n\n", [Message(" a")]),
        (b"data\n\n", [Message("")]),
        (b"data:\n\n", [Message("")]),
        (b"data\ndata\n\n", [Message("\n")]),
        (b"data: a\ndata: b\n\n", [Message("a\nb")]),
        (b": ping\n\n", [Comment(" ping"), Silent()]),
        (b":\n", [Comment("")]),
        (b"event: x\ndata: a\nid: 7\nretry: 10\n\n", [Message("a", "x", "7", 10)]),
        (b"event: x\n\n", [Silent("x")]),
        (b"retry: 3000\n\n", [Silent(retry=3000)]),
        (b"retry: soon\n\n", [Silent(unknown=("retry: soon",))]),
        (b"retry: \xd9\xa3\n\n", [Silent(unknown=("retry: ٣",))]),
        (b"retry: " + b"9" * 30 + b"\n\n", [Silent(unknown=("retry: " + "9" * 30,))]),
        (b"id: a\0b\ndata: x\n\n", [Message("x", unknown=("id: a\0b",))]),
        (b"id\ndata: x\n\n", [Message("x", id="")]),
        (b'{"error":{}}\n\n', [Silent(unknown=('{"error":{}}',))]),
        (b"data: a", [Truncated(b"data: a")]),
        (b"data: a\n", [Truncated(b"data: a\n")]),
        (b"data: [DONE]\\n\\n", [Truncated(b"data: [DONE]\\n\\n")]),
        (b"data: a\n: c\n", [Comment(" c"), Truncated(b"data: a\n: c\n")]),
        (b"\n", [Silent()]),
        (b"", []),
        (BOM + b"data: a\n\n", [Message("a")]),
        (BOM + BOM + b"data: a\n\n", [Silent(unknown=("\ufeffdata: a",))]),
        (BOM[:2], [Truncated(BOM[:2])]),
        (b"data: \xff\xe4\xb8\n\n", [Message("\ufffd\ufffd")]),
        ("data: \u2028\u0085\x0b\n\n".encode(), [Message("\u2028\u0085\x0b")]),
    ],
)
def test_whatwg_by_example(body: bytes, items: list[Item]) -> None:
    assert decode(body) == items
    assert feed_in([bytes([byte]) for byte in body]) == items


def test_a_comment_inside_a_block_is_told_when_it_comes_and_does_not_part_the_block() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\n: alive\n") == [Comment(" alive")]
    assert decoder.feed(b"data: b\n\n") == [Message("a\nb")]


def test_an_event_ended_by_bare_cr_does_not_wait_for_the_next_byte() -> None:
    decoder = Decoder()
    assert decoder.feed(b"data: a\r\r") == [Message("a")]
    assert decoder.feed(b"") == []
    assert decoder.feed(b"\ndata: b\r\n\r") == [Message("b")]
    assert decoder.feed(b"\n") == []
    assert decoder.close() == []


def test_offsets_point_at_the_first_byte_and_behind_the_completing_one() -> None:
    body = b"data: a\n\n: c\n\ndata: b\r\n\r\ndata: rest"
    items = decode(body)
    assert spans(items) == [(0, 9), (9, 13), (13, 14), (14, 24), (25, 35)]
    assert body[items[3].start : items[3].end] == b"data: b\r\n\r"


def test_offsets_count_the_bom() -> None:
    assert spans(decode(BOM + b"data: a\n\n")) == [(3, 12)]


@given(st.lists(st.sampled_from([b"data", b":", b" ", b"\r", b"\n", b"a", b"\xe4", b"\xb8", b"\xef", b"\xbb", b"\xbf",
                                 b"id", b"event", b"retry", b"0", b"\0"]), max_size=60).map(b"".join),
       st.data())  # fmt: skip
def test_every_split_of_the_bytes_gives_the_same_items(body: bytes, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=12)))
    pieces = [body[a:b] for a, b in pairwise([0, *cuts, len(body)])]
    whole = decode(body)
    assert feed_in(pieces) == whole
    assert spans(feed_in(pieces)) == spans(whole)
    assert not lost_bytes(body, whole)


def lost_bytes(body: bytes, items: list[Item]) -> bytes:
    """What no item's span holds, the BOM and the LF of a CRLF aside (the CR completes the line)."""
    held = bytearray(len(body))
    for item in items:
        held[item.start : item.end] = b"x" * (item.end - item.start)
    free = [i for i in range(len(BOM) if body.startswith(BOM) else 0, len(body)) if not held[i]]
    return bytes(body[i] for i in free if not (body[i] == 0x0A and i and body[i - 1] == 0x0D))


def test_every_recorded_stream_decodes_with_no_byte_unaccounted_for(recorded_stream: tuple[str, bytes]) -> None:
    name, body = recorded_stream
    items = decode(body)
    assert not lost_bytes(body, items), name
    assert any(isinstance(item, Message) for item in items), name


TEXT = st.text(st.characters(exclude_characters="\r\n", exclude_categories=["Cs"]), max_size=12)
NAME = st.none() | TEXT
UNKNOWN = st.lists(
    st.text('abcxyz:{}" ', min_size=1, max_size=8).filter(
        lambda line: line[0] != ":" and line.partition(":")[0] not in {"data", "event", "id", "retry"}
    ),
    max_size=2,
).map(tuple)
ID = st.none() | TEXT.filter(lambda text: "\0" not in text)
RETRY = st.none() | st.integers(0, 10**17)
MESSAGES = st.builds(Message, st.lists(TEXT, min_size=1, max_size=3).map("\n".join), NAME, ID, RETRY, UNKNOWN)
ITEMS = st.lists(MESSAGES | st.builds(Silent, NAME, ID, RETRY, UNKNOWN) | st.builds(Comment, TEXT), max_size=8)


@given(ITEMS, st.sampled_from(EOLS), st.sampled_from([b"", b"data: half", b"x"]))
def test_decode_undoes_encode(items: list[Item], eol: str, tail: bytes) -> None:
    if tail:
        items = [*items, Truncated(tail)]
    assert decode(encode(items, eol)) == items


@pytest.mark.parametrize(
    "items",
    [[Comment("a\nb")], [Message("a\rb")], [Message("a", event="\n")], [Truncated(b"x"), Message("a")]],
)
def test_what_no_bytes_can_say_is_refused(items: list[Item]) -> None:
    with pytest.raises(ValueError, match=r"line end|nothing can follow"):
        encode(items)


def test_the_number_of_data_lines_is_kept() -> None:
    assert Message("a\nb\n").lines == 3
