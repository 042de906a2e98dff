"""The framing of one answer: RFC 9112 by example, by every split, at every cut, and beside h11."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise

import h11
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire import http1, http1_out
from openapi.wire.exchange import End, Framing, Headers
from openapi.wire.http1 import MAX_HEAD, MAX_LINE, AnswerReader, FramingError, parse_head

OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n\r\n"


@dataclass(frozen=True)
class Seen:
    """All that a reader says of an answer."""

    body: bytes
    status: int | None
    headers: Headers | None
    framing: Framing
    chunks: list[int]
    fault: str | None
    rest: bytes
    end: End


def seen(pieces: Iterable[bytes], method: str = "GET", *, reset: bool = False) -> Seen:
    reader = AnswerReader(method)
    body = b"".join([reader.feed(piece) for piece in pieces])
    end = reader.close(reset=reset)
    head = reader.head
    return Seen(
        body,
        head.status if head else None,
        head.headers if head else None,
        reader.framing,
        reader.chunks,
        reader.fault,
        reader.rest,
        end,
    )


def bytewise(data: bytes) -> list[bytes]:
    return [data[at : at + 1] for at in range(len(data))]


def cut(data: bytes, places: Iterable[int]) -> list[bytes]:
    return [data[a:b] for a, b in pairwise([0, *sorted(places), len(data)])]


# --- good answers ---------------------------------------------------------------------------------------------------

GOOD: dict[str, tuple[str, bytes, bytes, Framing, list[int]]] = {
    "length": ("GET", OK + b"Content-Length: 3\r\n\r\nabc", b"abc", Framing.CONTENT_LENGTH, []),
    "length nought": ("GET", OK + b"Content-Length: 0\r\n\r\n", b"", Framing.CONTENT_LENGTH, []),
    "length twice the same": ("GET", OK + b"Content-Length: 3, 3\r\ncontent-length: 3\r\n\r\nabc", b"abc",
                              Framing.CONTENT_LENGTH, []),
    "chunks": ("GET", CHUNKED + b"3\r\nabc\r\nA\r\n0123456789\r\n0\r\n\r\n", b"abc0123456789", Framing.CHUNKED,
               [3, 10, 0]),
    "only the last chunk": ("GET", CHUNKED + b"0\r\n\r\n", b"", Framing.CHUNKED, [0]),
    "extensions": ("GET", CHUNKED + b'3;a=b;c="d e"\r\nabc\r\n2 ;x\r\nde\r\n1 \t\r\nf\r\n000;last\r\n\r\n', b"abcdef",
                   Framing.CHUNKED, [3, 2, 1, 0]),
    "trailers": ("GET", CHUNKED + b"1\r\na\r\n0\r\nX-Sum: 1\r\nY: 2\r\n\r\n", b"a", Framing.CHUNKED, [1, 0]),
    "chunk data that look like framing": ("GET", CHUNKED + b"7\r\n0\r\n\r\n\r\n\r\n0\r\n\r\n", b"0\r\n\r\n\r\n",
                                          Framing.CHUNKED, [7, 0]),
    "chunked beats length": ("GET", OK + b"Content-Length: 99\r\nTransfer-Encoding: Chunked\r\n\r\n0\r\n\r\n", b"",
                             Framing.CHUNKED, [0]),
    "chunked last of two codings": ("GET", OK + b"Transfer-Encoding: gzip\r\n"
                                    b"Transfer-Encoding: , chunked,\r\n\r\n0\r\n\r\n", b"", Framing.CHUNKED, [0]),
    "204": ("GET", b"HTTP/1.1 204 No Content\r\nContent-Length: 5\r\n\r\n", b"", Framing.NONE, []),
    "304": ("GET", b"HTTP/1.1 304 Not Modified\r\nTransfer-Encoding: chunked\r\n\r\n", b"", Framing.NONE, []),
    "HEAD": ("HEAD", OK + b"Content-Length: 500\r\n\r\n", b"", Framing.NONE, []),
    "101": ("GET", b"HTTP/1.1 101 Switching Protocols\r\n\r\n", b"", Framing.NONE, []),
    "interim": ("GET", b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: <x>\r\n\r\n" + OK
                + b"Content-Length: 1\r\n\r\na", b"a", Framing.CONTENT_LENGTH, []),
    "bare LF head": ("GET", b"HTTP/1.1 200 OK\nContent-Length: 1\n\na", b"a", Framing.CONTENT_LENGTH, []),
    "LF then CRLF": ("GET", b"HTTP/1.1 200 OK\nContent-Length: 1\n\r\na", b"a", Framing.CONTENT_LENGTH, []),
    "CRLF then LF": ("GET", b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\na", b"a", Framing.CONTENT_LENGTH, []),
    "no reason phrase": ("GET", b"HTTP/1.0 200\r\nContent-Length: 1\r\n\r\na", b"a", Framing.CONTENT_LENGTH, []),
}  # fmt: skip
CLOSED = {
    "nothing said": (OK + b"\r\nabc", b"abc"),
    "no body at all": (OK + b"\r\n", b""),
    "chunked is not last": (OK + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n", b"0\r\n\r\n"),
    "an empty transfer coding": (OK + b"Transfer-Encoding:\r\nContent-Length: 1\r\n\r\nabc", b"abc"),
    "a Kelvin sign is no k": (OK + "Transfer-Encoding: chun\u212aed\r\n\r\n0".encode(), b"0"),
    "a vertical tab is no space": (OK + b"Transfer-Encoding: \x0bchunked\r\n\r\n0", b"0"),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_is_read_whole_and_byte_by_byte(name: str) -> None:
    method, data, body, framing, chunks = GOOD[name]
    found = seen([data], method)
    assert (found.body, found.framing, found.chunks) == (body, framing, chunks)
    assert (found.fault, found.end, found.rest) == (None, End.COMPLETE, b"")
    assert seen(bytewise(data), method) == found


@pytest.mark.parametrize("name", GOOD)
def test_bytes_behind_the_end_are_kept_and_are_no_body(name: str) -> None:
    method, data, body, _, _ = GOOD[name]
    for pieces in ([data + b"more\r\n\r\n"], [data, b"more", b"\r\n\r\n"], bytewise(data + b"more\r\n\r\n")):
        found = seen(pieces, method)
        assert (found.body, found.rest, found.end, found.fault) == (body, b"more\r\n\r\n", End.COMPLETE, None)


@pytest.mark.parametrize("name", GOOD)
@pytest.mark.parametrize("reset", [False, True])
def test_an_answer_cut_at_any_byte_is_never_complete(name: str, reset: bool) -> None:
    method, data, body, _, _ = GOOD[name]
    for length in range(len(data)):
        found = seen([data[:length]], method, reset=reset)
        assert found.end is (End.RESET if reset else End.TRUNCATED), data[:length]
        assert found.fault is None
        assert body.startswith(found.body)
        assert found.rest == b""


@pytest.mark.parametrize("name", CLOSED)
def test_an_answer_that_only_the_close_ends(name: str) -> None:
    data, body = CLOSED[name]
    found = seen([data])
    assert (found.body, found.framing, found.end, found.rest) == (body, Framing.CLOSE, End.COMPLETE, b"")
    assert seen(bytewise(data)) == found
    assert seen([data], reset=True).end is End.RESET
    head = data.index(b"\r\n\r\n") + 4
    assert all(seen([data[:length]]).end is End.TRUNCATED for length in range(head))
    assert all(seen([data[:length]]).end is End.COMPLETE for length in range(head, len(data)))


def test_before_the_close_a_close_framed_answer_is_not_complete() -> None:
    reader = AnswerReader("GET")
    assert reader.feed(OK + b"\r\nabc") == b"abc"
    assert not reader.complete


def test_fields_keep_the_case_of_their_names_their_order_and_their_bytes() -> None:
    head = parse_head(b"HTTP/1.1 429 Zu viel \xe4\r\nX-A:1\r\nx-a:\t 2 \r\nB:\r\nC: \xe4\xbd\xa0\r\nD: \xe9")
    assert (head.http, head.status) == ("1.1", 429)
    assert head.headers == (("X-A", "1"), ("x-a", "2"), ("B", ""), ("C", "你"), ("D", "é"))
    assert head.values("x-a") == ["1", "2"]


def oddities(data: bytes, method: str = "GET") -> list[tuple[str, str]]:
    """The oddities of an answer, the same however it comes."""
    found = []
    for pieces in ([data], bytewise(data)):
        reader = AnswerReader(method)
        for piece in pieces:
            reader.feed(piece)
        reader.close()
        assert reader.fault is None
        found.append([(odd.kind, odd.detail) for odd in reader.oddities])
    assert found[0] == found[1]
    return found[0]


LENGTH = b"Content-Length: 2\r\n\r\n"


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (OK + LENGTH + b"{}", []),
        (OK + LENGTH + b"{}\r\n\r\n", []),
        (b"HTTP/1.1 100 \nA: b\n\n" + OK + LENGTH + b"{}", []),
        (OK + LENGTH + b"{}x", [(http1.SURPLUS, "1 bytes")]),
        (OK + b"A: b\r\n c\r\n\td\r\nB: 1\r\n 2\r\n" + LENGTH + b"{}", [(http1.FOLDED, "A"), (http1.FOLDED, "B")]),
        (b"HTTP/1.1 200\r\n" + LENGTH + b"{}", [(http1.NO_SPACE, "200")]),
        (b"HTTP/1.1 200 \r\n" + LENGTH + b"{}", []),
        (b"HTTP/1.1 200 OK\n" + LENGTH + b"{}", [(http1.BARE_LF, "in the head")]),
        (OK + b"Content-Length: 2\n\n{}", [(http1.BARE_LF, "in the head")]),
        (b"HTTP/1.1 204 No Content\n\n", [(http1.BARE_LF, "in the head")]),
    ],
)
def test_what_may_not_stand_there_and_can_be_read_past(data: bytes, expected: list[tuple[str, str]]) -> None:
    assert oddities(data) == expected


def test_a_body_behind_an_answer_to_head_is_surplus() -> None:
    assert oddities(OK + LENGTH + b"{}", "HEAD") == [(http1.SURPLUS, "2 bytes")]


def test_a_folded_value_is_one_line() -> None:
    head = parse_head(b"HTTP/1.1 200 OK\r\nA: b\r\n  c \r\n\td\r\nB: e")
    assert head.headers == (("A", "b c d"), ("B", "e"))


# --- bad answers ----------------------------------------------------------------------------------------------------

BAD: dict[str, tuple[bytes, str, bytes]] = {
    "garbage": (b"\x16\x03\x01\r\n\r\n", "no status line", b""),
    "a blank line": (b"\r\n\r\n", "no status line", b""),
    "HTTP/0.9": (b"<html>\n\n</html>", "no status line", b""),
    "no version": (b"HTTP/ 200 OK\r\n\r\n", "no status line", b""),
    "four digits": (b"HTTP/1.1 2000 OK\r\n\r\n", "no status line", b""),
    "two digits": (b"HTTP/1.1 20\r\n\r\n", "no status line", b""),
    "digits that are none": ("HTTP/1.1 ２00 OK\r\n\r\n".encode(), "no status line", b""),
    "a request": (b"GET / HTTP/1.1\r\n\r\n", "no status line", b""),
    "no colon": (OK + b"oops\r\n\r\n", "no header field", b""),
    "no name": (OK + b": x\r\n\r\n", "no header field", b""),
    "space before the colon": (OK + b"Content-Length : 3\r\n\r\nabc", "no header field", b""),
    "folded before any field": (OK + b" c: d\r\n\r\n", "no header field", b""),
    "NUL in a fold": (OK + b"A: b\r\n c\0d\r\n\r\n", "no header field", b""),
    "NUL": (OK + b"A: b\0c\r\n\r\n", "no header field", b""),
    "bare CR in a field": (OK + b"A: b\rContent-Length: 3\r\n\r\nabc", "no header field", b""),
    "CR CR LF": (OK + b"A: b\r\r\n\r\n", "no header field", b""),
    "two lengths": (OK + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", "no length", b""),
    "two lengths in one": (OK + b"Content-Length: 3, 4\r\n\r\nabcd", "no length", b""),
    "signed": (OK + b"Content-Length: +3\r\n\r\nabc", "no length", b""),
    "negative": (OK + b"Content-Length: -3\r\n\r\nabc", "no length", b""),
    "an empty length": (OK + b"Content-Length:\r\n\r\nabc", "no length", b""),
    "Arabic digits": (OK + "Content-Length: ٣\r\n\r\nabc".encode(), "no length", b""),
    "no-break space": (OK + "Content-Length: \u00a03\r\n\r\nabc".encode(), "no length", b""),
    "endless": (OK + b"Content-Length: " + b"9" * 19 + b"\r\n\r\n", "no length", b""),
    "chunked twice": (OK + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", "twice", b""),
    "no size": (CHUNKED + b"\r\nabc", "no chunk size", b""),
    "only an extension": (CHUNKED + b";a=b\r\n", "no chunk size", b""),
    "0x": (CHUNKED + b"0x3\r\nabc\r\n", "no chunk size", b""),
    "underscore": (CHUNKED + b"1_0\r\n", "no chunk size", b""),
    "minus": (CHUNKED + b"-1\r\n", "no chunk size", b""),
    "space before": (CHUNKED + b" 3\r\nabc\r\n", "no chunk size", b""),
    "space within": (CHUNKED + b"1 0\r\n", "no chunk size", b""),
    "17 digits": (CHUNKED + b"0" * 16 + b"3\r\nabc\r\n", "no chunk size", b""),
    "bare LF behind the size": (CHUNKED + b"3\nabc\r\n0\r\n\r\n", "bare CR or LF", b""),
    "bare LF in an extension": (CHUNKED + b"3;a\n\r\nabc\r\n", "bare CR or LF", b""),
    "bare CR in an extension": (CHUNKED + b"3;a\rb\r\nabc\r\n", "bare CR or LF", b""),
    "chunk too long": (CHUNKED + b"3\r\nabcd\r\n0\r\n\r\n", "no CRLF behind chunk 1", b"abc"),
    "second chunk too long": (CHUNKED + b"3\r\nabc\r\n1\r\nde\r\n0\r\n\r\n", "no CRLF behind chunk 2", b"abcd"),
    "LF behind a chunk": (CHUNKED + b"3\r\nabc\n0\r\n\r\n", "no CRLF behind chunk 1", b"abc"),
    "bare LF trailer": (CHUNKED + b"1\r\na\r\n0\r\n\n", "bare CR or LF", b"a"),
}


@pytest.mark.parametrize("name", BAD)
def test_what_no_reader_may_go_on_from_is_named_and_the_body_so_far_kept(name: str) -> None:
    data, fault, body = BAD[name]
    found = seen([data])
    assert fault in str(found.fault)
    assert "\n" not in str(found.fault)
    assert (found.body, found.end, found.rest) == (body, End.TRUNCATED, b"")
    assert seen(bytewise(data)) == found
    assert seen([data, b"0\r\n\r\n", b"more"]) == found
    assert seen([data], reset=True).end is End.RESET


def test_a_head_with_a_bad_length_is_still_shown() -> None:
    assert seen([OK + b"Content-Length: x\r\n\r\n"]).status == 200


def test_parse_head_raises_what_the_reader_names() -> None:
    with pytest.raises(FramingError, match="is no status line"):
        parse_head(b"ICY 200 OK")


@pytest.mark.parametrize("spare", [0, 1])
def test_a_head_is_limited_in_the_same_way_however_it_comes(spare: int) -> None:
    frame = OK + b"A: \r\n\r\n"
    data = frame.replace(b"A: ", b"A: " + b"x" * (MAX_HEAD - len(frame) + spare))
    for pieces in ([data], [data[at : at + 4096] for at in range(0, len(data), 4096)], [data[:-1], data[-1:]]):
        found = seen(pieces)
        assert (found.fault is None) == (spare == 0)
        assert found.end is (End.TRUNCATED if spare else End.COMPLETE)


@pytest.mark.parametrize("line", [b"3;%s\r\n", b"0\r\nA: %s\r\n"])
@pytest.mark.parametrize("spare", [0, 1])
def test_a_line_of_a_chunk_is_limited_in_the_same_way_however_it_comes(line: bytes, spare: int) -> None:
    last = line.rpartition(b"%s")[0].rpartition(b"\n")[2]
    data = CHUNKED + line % (b"x" * (MAX_LINE - len(last) - 2 + spare))
    for pieces in ([data], [data[:-1], data[-1:]], cut(data, range(0, len(data), 1000))):
        fault = seen(pieces).fault
        assert fault is None if spare == 0 else "does not end within" in str(fault)


def test_borders_of_an_endless_answer_can_be_forgotten() -> None:
    reader = AnswerReader("POST")
    assert reader.feed(CHUNKED + b"1\r\na\r\n2\r\nbc\r\n3\r\nd") == b"abcd"
    reader.forget()
    assert reader.feed(b"ef\r\n0\r\n\r\n") == b"ef"
    assert reader.complete
    assert 1 not in reader.chunks


def test_a_head_without_end_is_given_up() -> None:
    assert "no end of the head" in str(seen([b"x" * MAX_HEAD]).fault)
    assert seen([b"x" * (MAX_HEAD - 1)]).fault is None


# --- any bytes ------------------------------------------------------------------------------------------------------

FRAGMENTS = st.sampled_from(
    [OK, CHUNKED, b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 204 X\r\n\r\n", b"Transfer-Encoding: chunked\r\n",
     b"Content-Length: 3\r\n", b"A: b\r\n", b"\r\n", b"\r\n\r\n", b"\n", b"\r", b"3\r\nabc\r\n", b"3;x\r\n", b"0\r\n",
     b"0\r\n\r\n", b"abc", b"3", b";", b":", b" ", b"\0", b"\xff"]
)  # fmt: skip


@given(st.lists(FRAGMENTS, max_size=14).map(b"".join), st.sampled_from(["GET", "HEAD"]), st.data())
def test_every_split_of_any_bytes_gives_the_same_answer(data: bytes, method: str, draw: st.DataObject) -> None:
    places = draw.draw(st.lists(st.integers(0, len(data)), max_size=10))
    whole = seen([data], method)
    assert seen(cut(data, places), method) == whole
    assert seen(bytewise(data), method) == whole
    assert whole.end is not End.COMPLETE or whole.fault is None


@given(st.binary(max_size=60))
def test_no_bytes_make_it_raise(data: bytes) -> None:
    for start in (b"", OK, OK + b"\r\n", CHUNKED, CHUNKED + b"3\r\nabc\r\n"):
        assert seen([start + data]) == seen(bytewise(start + data))


# --- beside h11, and what we send ourselves -------------------------------------------------------------------------

NAMES = st.from_regex(r"[A-Za-z][A-Za-z0-9-]{0,8}", fullmatch=True).filter(
    lambda name: name.lower() not in {"content-length", "transfer-encoding", "connection"}
)
VALUES = st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=9)
FIELDS = st.lists(st.tuples(NAMES, VALUES), max_size=3)


@dataclass(frozen=True)
class Answer:
    method: str
    data: bytes
    body: bytes


@st.composite
def answers(draw: st.DrawFn) -> Answer:
    method = draw(st.sampled_from(["GET", "POST", "HEAD"]))
    status = draw(st.sampled_from([200, 201, 204, 304, 400, 429, 503]))
    headers = draw(FIELDS)
    parts = draw(st.lists(st.binary(min_size=1, max_size=20), max_size=4))
    body = b"".join(parts)
    framing = draw(st.sampled_from([Framing.CHUNKED, Framing.CONTENT_LENGTH, Framing.CLOSE]))
    if framing is Framing.CHUNKED:
        headers.append(("Transfer-Encoding", "chunked"))
        extension = draw(st.sampled_from([b"", b";a=b", b';c="d";e']))
        trailer = draw(st.sampled_from([b"", b"X-Sum: 1\r\n"]))
        frames = [b"%X%b\r\n%b\r\n" % (len(part), extension, part) for part in parts]
        sent = b"".join(frames) + b"0" + extension + b"\r\n" + trailer + b"\r\n"
    else:
        sent = body
        if framing is Framing.CONTENT_LENGTH:
            headers.append(("Content-Length", str(len(body))))
    if method == "HEAD" or status in {204, 304}:
        sent = body = b""
    interim = draw(st.sampled_from([b"", b"HTTP/1.1 100 Continue\r\n\r\n"]))
    lines = b"".join(f"{name}: {value}\r\n".encode() for name, value in headers)
    return Answer(method, interim + b"HTTP/1.1 %d X\r\n" % status + lines + b"\r\n" + sent, body)


def by_h11(method: str, pieces: list[bytes]) -> tuple[int, list[tuple[str, str]], bytes, bool]:
    """Status, fields (names in lower case), body, and whether the answer ended."""
    connection = h11.Connection(h11.CLIENT)
    connection.send(h11.Request(method=method, target="/", headers=[("Host", "x")]))
    connection.send(h11.EndOfMessage())
    status, headers, body = 0, [], bytearray()
    for piece in [*pieces, b""]:
        connection.receive_data(piece)
        while True:
            event = connection.next_event()
            if isinstance(event, h11.Response):
                status = event.status_code
                headers = [(name.decode(), value.decode()) for name, value in event.headers]
            elif isinstance(event, h11.Data):
                body += event.data
            elif isinstance(event, h11.EndOfMessage):
                return status, headers, bytes(body), True
            elif not isinstance(event, h11.InformationalResponse):
                break
    return status, headers, bytes(body), False


@given(answers(), st.data())
def test_good_answers_are_read_as_h11_reads_them(answer: Answer, draw: st.DataObject) -> None:
    places = draw.draw(st.lists(st.integers(1, len(answer.data) - 1), max_size=6, unique=True))
    pieces = cut(answer.data, places)
    found = seen(pieces, answer.method)
    headers = [(name.lower(), value) for name, value in found.headers or ()]
    assert (found.status, headers, found.body, found.end is End.COMPLETE) == by_h11(answer.method, pieces)
    assert found.body == answer.body


@given(st.sampled_from([200, 404, 599]), FIELDS, st.lists(st.binary(max_size=20), max_size=4))
def test_what_we_send_is_read_back(status: int, headers: list[tuple[str, str]], parts: list[bytes]) -> None:
    head = http1_out.head(status, (*headers, ("transfer-encoding", "chunked")))
    body = b"".join(map(http1_out.chunk, parts))
    found = seen([head + body + http1_out.LAST_CHUNK])
    assert found.headers == (*headers, ("transfer-encoding", "chunked"))
    assert (found.status, found.body, found.end) == (status, b"".join(parts), End.COMPLETE)
    assert found.chunks == [*(len(part) for part in parts if part), 0]


def test_a_chunk_announced_larger_than_its_data_leaves_the_answer_unfinished() -> None:
    assert http1_out.chunk(b"abc", size=9) == b"9\r\nabc"
    assert http1_out.chunk(b"abc", size=3) == http1_out.chunk(b"abc") == b"3\r\nabc\r\n"
    found = seen([CHUNKED + http1_out.chunk(b"abc", size=9)])
    assert (found.body, found.chunks, found.end, found.fault) == (b"abc", [9], End.TRUNCATED, None)


@pytest.mark.parametrize("field", [("", "x"), ("a\r\nb", "x"), ("a", "x\ny"), ("a", "\0"), ("a: b", "x"), ("a ", "x")])
def test_a_field_that_would_break_the_head_is_not_sent(field: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="no header field can say"):
        http1_out.head(200, (field,))


def test_the_error_of_an_exchange_begins_with_one_word_for_framing() -> None:
    assert http1.FRAMING_FAULT == "framing: "


@pytest.mark.parametrize("status", [-1, 100, 199, 1000])
def test_a_status_that_no_final_answer_has_is_not_sent(status: int) -> None:
    with pytest.raises(ValueError, match="no final answer"):
        http1_out.head(status, ())


def test_a_small_status_has_three_digits() -> None:
    assert http1_out.head(16, ()) == b"HTTP/1.1 016 \r\n\r\n"
