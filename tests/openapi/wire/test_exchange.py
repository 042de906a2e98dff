"""What an exchange tells of itself: each view is derived from bytes and seconds, and says when it could not be."""

import gzip
import zlib
from itertools import accumulate, pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.json_text import JsonText
from openapi.wire import exchange as module
from openapi.wire.exchange import Exchange, Headers, Read, Request
from openapi.wire.sse import Comment, Message, Silent, Truncated

REQUEST = Request("POST", "/v1/chat/completions")
TEXT = b'{"answer": "' + bytes(range(97, 123)) * 40 + b'"}'


def answer(*pieces: bytes, headers: Headers = (), ended_at: float = 9.0) -> Exchange:
    """An exchange whose n-th read (from 1) came at n seconds."""
    reads = tuple(Read(float(at), piece) for at, piece in enumerate(pieces, 1))
    return Exchange("e1", REQUEST, 200, headers, reads, ended_at=ended_at)


def coded(coding: str, *pieces: bytes) -> Exchange:
    return answer(*pieces, headers=(("Content-Encoding", coding),))


def raw_deflate(data: bytes, level: int = 6) -> bytes:
    deflate = zlib.compressobj(level, wbits=-15)
    return deflate.compress(data) + deflate.flush()


# --- head and request -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "media_type", "is_stream"),
    [
        ((), "", False),
        ((("Content-Type", ""),), "", False),
        ((("content-type", "application/json"),), "application/json", False),
        ((("CONTENT-TYPE", " Text/Event-Stream ; charset=UTF-8"),), "text/event-stream", True),
        ((("Content-Type", "text/event-stream;"), ("Content-Type", "text/html")), "text/event-stream", True),
        ((("X-Content-Type", "text/event-stream"),), "", False),
    ],
)
def test_the_media_type_is_lower_case_and_without_parameters(
    headers: Headers, media_type: str, is_stream: bool
) -> None:
    found = answer(headers=headers)
    assert (found.media_type, found.is_stream) == (media_type, is_stream)


def test_the_first_header_of_a_name_counts_in_any_case() -> None:
    headers = (("Retry-After", "1"), ("retry-after", "2"))
    assert answer(headers=headers).header("RETRY-AFTER") == "1"
    assert answer(headers=headers).header("retry") is None
    assert Request("GET", "/", headers).header("retry-After") == "1"
    assert Request("GET", "/").header("a") is None


def test_a_request_is_read_as_json_where_it_is_that() -> None:
    assert Request("POST", "/", body=b'{"n":2}').object == {"n": 2}
    assert Request("POST", "/", body=b"[2]").json == JsonText([2])
    assert Request("POST", "/", body=b"[2]").object == {}
    assert not Request("GET", "/").json.readable


# --- views ----------------------------------------------------------------------------------------------------------


def test_json_views() -> None:
    found = answer(b'{"id":', b'"x"}')
    assert found.body == found.content == b'{"id":"x"}'
    assert found.json == JsonText({"id": "x"})
    assert found.object == {"id": "x"}
    assert answer().object == {}
    assert not answer().json.readable


def test_stream_views() -> None:
    found = answer(b': hi\n\ndata: {"a"', b":1}\n\ndata: [DONE]\n\ndata: half")
    assert found.items == (
        Comment(" hi"), Silent(), Message('{"a":1}'), Message("[DONE]"), Truncated(b"data: half")
    )  # fmt: skip
    assert found.messages == (Message('{"a":1}'), Message("[DONE]"))
    assert [payload.value for payload in found.payloads] == [{"a": 1}, None]
    assert [found.arrival(item.end) for item in found.items] == [1.0, 1.0, 2.0, 2.0, 2.0]


def test_a_view_is_made_once_for_each_exchange() -> None:
    made: list[str] = []

    def derive(exchange: Exchange) -> None:
        made.append(exchange.id)

    def other(exchange: Exchange) -> int:
        return len(exchange.body)

    one, two = answer(b"a"), answer(b"a")
    for found in (one, one, two, two):
        assert found.view(derive) is None
        assert found.view(other) == 1
    assert made == ["e1", "e1"]


def test_views_are_no_part_of_an_exchange() -> None:
    one, two = answer(b"a"), answer(b"a")
    one.view(len_of)
    assert one == two
    assert hash(one) == hash(two)
    assert "_views" not in repr(one)


def len_of(exchange: Exchange) -> int:
    return len(exchange.content)


# --- when a byte came -----------------------------------------------------------------------------------------------


def test_a_byte_came_with_the_read_that_holds_it() -> None:
    found = answer(b"abc", b"", b"de", b"f")
    assert [found.arrival(end) for end in range(1, 7)] == [1.0, 1.0, 1.0, 3.0, 3.0, 4.0]


def test_what_is_before_or_behind_the_body_has_the_nearest_time() -> None:
    assert answer(b"abc").arrival(0) == 1.0
    assert answer(b"abc", b"d").arrival(99) == 2.0
    assert answer(ended_at=7.5).arrival(1) == 7.5


@given(st.lists(st.binary(max_size=5), min_size=1, max_size=8))
def test_arrival_agrees_with_counting(pieces: list[bytes]) -> None:
    found, ends = answer(*pieces), list(accumulate(map(len, pieces)))
    for end in range(1, ends[-1] + 1):
        assert found.arrival(end) == 1 + next(at for at, stop in enumerate(ends) if stop >= end)


# --- content coding -------------------------------------------------------------------------------------------------

CODED = {
    "gzip": gzip.compress(TEXT),
    "X-GZIP": gzip.compress(TEXT),
    " Gzip ": gzip.compress(TEXT),
    "deflate": zlib.compress(TEXT),
    "Deflate": raw_deflate(TEXT),
    "DEFLATE": raw_deflate(TEXT, 0),
    "identity": TEXT,
    "": TEXT,
}


@pytest.mark.parametrize("coding", CODED)
@given(data=st.data())
def test_a_content_coding_is_taken_off_and_each_read_keeps_its_time(coding: str, data: st.DataObject) -> None:
    body = CODED[coding]
    places = sorted(data.draw(st.lists(st.integers(0, len(body)), max_size=6)))
    pieces = [body[a:b] for a, b in pairwise([0, *places, len(body)])]
    found = coded(coding, *pieces)
    assert (found.content, found.content_fault) == (TEXT, None)
    assert [read.at for read in found.content_reads] == [read.at for read in found.reads]
    assert found.body == body
    assert found.object["answer"]


def test_flushed_pieces_are_content_at_the_time_of_their_own_read() -> None:
    deflate = zlib.compressobj(wbits=31)
    first = deflate.compress(b"data: a\n\n") + deflate.flush(zlib.Z_SYNC_FLUSH)
    found = coded("gzip", first, deflate.compress(b"data: b\n\n") + deflate.flush())
    assert [read.data for read in found.content_reads] == [b"data: a\n\n", b"data: b\n\n"]
    assert [found.arrival(message.end) for message in found.messages] == [1.0, 2.0]


@pytest.mark.parametrize("cut", [0, 1, 5, 20])
def test_members_of_gzip_follow_each_other(cut: int) -> None:
    """RFC 1952 section 2.2: a file is a series of members."""
    body = gzip.compress(b"data: a\n\n") + gzip.compress(b"data: b\n\n")
    found = coded("gzip", body[:cut], body[cut:])
    assert (found.content, found.content_fault) == (b"data: a\n\ndata: b\n\n", None)


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br"])
def test_a_coding_of_no_bytes_is_no_fault(coding: str) -> None:
    for found in (coded(coding), coded(coding, b"", b"")):
        assert (found.content, found.content_fault) == (b"", None)


@pytest.mark.parametrize(
    ("coding", "pieces", "fault", "content"),
    [
        ("br", [b"abc"], "content coding 'br' was not asked for and is not known", b"abc"),
        ("gzip, gzip", [b"abc"], "content coding 'gzip, gzip' was not asked for", b"abc"),
        ("gzip", [gzip.compress(TEXT)[:-1]], "content coding gzip ends early", TEXT),
        ("deflate", [zlib.compress(TEXT)[:1]], "content coding deflate ends early", b""),
        ("gzip", [TEXT], "content coding gzip does not decode", b""),
        ("gzip", [zlib.compress(TEXT)], "content coding gzip does not decode", b""),
        ("deflate", [gzip.compress(TEXT)], "content coding deflate does not decode", b""),
        ("gzip", [gzip.compress(TEXT)[:-8], b"\0" * 8], "content coding gzip does not decode", TEXT),
        ("gzip", [gzip.compress(TEXT) + b"x", b"y"], "content coding gzip has bytes behind its end", TEXT),
        ("gzip", [gzip.compress(TEXT), b"x", b"y"], "content coding gzip has bytes behind its end", TEXT),
        ("deflate", [zlib.compress(TEXT), b"", b"x"], "content coding deflate has bytes behind its end", TEXT),
    ],
)
def test_a_coding_that_cannot_be_taken_off_is_told(
    coding: str, pieces: list[bytes], fault: str, content: bytes
) -> None:
    found = coded(coding, *pieces)
    assert str(found.content_fault).startswith(fault)
    assert found.content == content


def test_two_headers_are_two_codings() -> None:
    twice = answer(gzip.compress(gzip.compress(TEXT)), headers=(("Content-Encoding", "gzip"),) * 2)
    assert "'gzip, gzip' was not asked for" in str(twice.content_fault)


def test_a_bomb_is_not_expanded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONTENT", 1000)
    whole = gzip.compress(b"a" * 1000)
    assert coded("gzip", whole).content_fault is None
    for bomb in (gzip.compress(b"a" * 1001), gzip.compress(b"a" * 10_000_000)):
        found = coded("gzip", bomb)
        assert found.content_fault == "content coding gzip expands to more than 1000 bytes"
        assert found.content == b""


def test_a_bomb_in_many_reads_leaves_what_came_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CONTENT", 1000)
    deflate = zlib.compressobj(wbits=31)
    pieces = [deflate.compress(b"a" * 400) + deflate.flush(zlib.Z_SYNC_FLUSH) for _ in range(4)]
    found = coded("gzip", *pieces)
    assert "expands to more" in str(found.content_fault)
    assert found.content == b"a" * 800


@given(st.sampled_from(["gzip", "deflate", "x-gzip"]), st.lists(st.binary(max_size=20), max_size=4))
def test_no_bytes_make_decoding_raise(coding: str, pieces: list[bytes]) -> None:
    found = coded(coding, *pieces)
    assert found.content_fault or found.content is not None
    assert len(found.content_reads) <= len(pieces)
