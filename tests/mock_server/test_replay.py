"""The schedule and the framing, without a clock or a socket."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.answer import Answer, Frame
from mock_server.replay import Connection, Mode, Pace, answer_of, framing_of, on_wire, schedule, stays_open
from openapi.wire import sse
from openapi.wire.exchange import End, Exchange, Framing, Read, Request
from openapi.wire.http1 import AnswerReader

SSE = (("content-type", "text/event-stream"),)
times = st.floats(0, 100)
reads = st.lists(st.builds(Read, times, st.binary(max_size=40)), max_size=8).map(
    lambda found: tuple(sorted(found, key=lambda read: read.at))
)
frames = st.lists(st.builds(Frame, times, st.binary(max_size=20)), max_size=8).map(tuple)
paces = st.builds(Pace, st.sampled_from([0.5, 1.0, 20.0, math.inf]), st.sampled_from(Mode))


def exchange(*pieces: Read, **known: object) -> Exchange:
    made = Exchange("x", Request("POST", "/"), status=200, headers=SSE, reads=pieces, framing=Framing.CHUNKED)
    return replace(made, ended_at=pieces[-1].at if pieces else 0.0, **known)  # type: ignore[arg-type]


def sent(answer: Answer, pace: Pace | None = None, connection: Connection | None = None) -> AnswerReader:
    """What a strict reader makes of the framed bytes."""
    connection = connection or Connection()
    reader = AnswerReader(connection.method)
    for piece in on_wire(answer, pace or Pace(), connection, "now"):
        reader.feed(piece[1])
    reader.close()
    return reader


# --- from a recording ------------------------------------------------------------------------------------------------


def test_chunks_are_cut_from_the_joined_body_and_due_with_their_last_byte() -> None:
    recorded = exchange(Read(1.0, b"abcd"), Read(2.0, b"ef"), chunks=(3, 3, 0))
    assert answer_of(recorded).frames == (Frame(1.0, b"abc"), Frame(2.0, b"def"))


def test_without_chunks_each_read_is_a_frame() -> None:
    recorded = exchange(Read(1.0, b"ab"), Read(1.0, b"cd"))
    assert answer_of(recorded).frames == (Frame(1.0, b"ab"), Frame(1.0, b"cd"))


def test_the_head_leaves_when_it_was_seen() -> None:
    answer = answer_of(exchange(Read(3.0, b"a"), first_byte=1.0))
    assert [due for due, _ in on_wire(answer, Pace(2.0), Connection(), "now")] == [0.5, 1.5, 1.5]


def test_hop_by_hop_headers_and_date_are_left_behind() -> None:
    headers = (("Date", "x"), ("Keep-Alive", "x"), ("Transfer-Encoding", "x"), ("Content-Length", "9"), ("X-A", "1"))
    assert answer_of(exchange(Read(1.0, b"a"), headers=headers)).headers == (("X-A", "1"),)


def test_our_own_abort_is_replayed_as_an_early_end() -> None:
    assert answer_of(exchange(Read(1.0, b"a"), end=End.CLIENT_ABORTED)).end is End.TRUNCATED


def test_no_head_was_recorded_and_none_is_sent() -> None:
    answer = answer_of(exchange(status=None, framing=None, end=End.RESET))
    assert b"".join(data for _, data in on_wire(answer, Pace(), Connection(), "now")) == b""


def test_a_chunk_that_was_cut_announces_its_whole_size_again() -> None:
    recorded = exchange(Read(1.0, b"abc"), Read(2.0, b"de"), chunks=(3, 9), end=End.TRUNCATED)
    reader = sent(answer_of(recorded))
    assert (reader.chunks, reader.complete, reader.fault) == ([3, 9], False, None)


@given(reads, st.lists(st.integers(0, 50), max_size=8))
def test_cutting_loses_no_byte_and_keeps_their_order(found: tuple[Read, ...], chunks: list[int]) -> None:
    recorded = exchange(*found, chunks=tuple(chunks))
    answer = answer_of(recorded)
    assert answer.body == recorded.body
    assert all(frame.data for frame in answer.frames)


@given(reads, st.lists(st.integers(1, 50), max_size=8))
def test_no_frame_is_due_before_its_bytes_were_there(found: tuple[Read, ...], chunks: list[int]) -> None:
    recorded = exchange(*found, chunks=tuple(chunks))
    end = 0
    for frame in answer_of(recorded).frames:
        end += len(frame.data)
        assert frame.due == recorded.arrival(end)


# --- the schedule ----------------------------------------------------------------------------------------------------


@given(frames, paces)
def test_the_schedule_never_runs_backwards_and_keeps_the_bytes(found: tuple[Frame, ...], pace: Pace) -> None:
    answer = Answer(200, SSE, found)
    paced = list(schedule(answer, pace))
    assert b"".join(data for _, data in paced) == answer.body
    assert [due for due, _ in paced] == sorted(due for due, _ in paced)


def test_speed_divides_all_pauses() -> None:
    answer = Answer(200, SSE, (Frame(1.0, b"a"), Frame(4.0, b"b")))
    assert [due for due, _ in schedule(answer, Pace(4.0))] == [0.25, 1.0]
    assert [due for due, _ in schedule(answer, Pace(math.inf))] == [0.0, 0.0]


def test_what_has_no_pauses_is_joined() -> None:
    assert Pace(math.inf).joined
    assert Pace(1.0, Mode.FAST).joined
    assert not Pace(100.0).joined


@pytest.mark.parametrize("eol", ["\n", "\r\n", "\r"])
def test_events_leave_one_by_one(eol: str) -> None:
    blocks = [sse.encode([sse.Message("a")], eol), sse.encode([sse.Message("b", event="x")], eol)]
    body = b"".join(blocks)
    answer = Answer(200, SSE, (Frame(1.0, body[:5]), Frame(2.0, body[5:])))
    assert [data for _, data in schedule(answer, Pace(mode=Mode.EVENTS))] == blocks


def test_a_comment_leaves_with_its_blank_line_and_a_tail_at_the_end() -> None:
    answer = Answer(200, SSE, (Frame(1.0, b": PING\n\ndata: a\n\nda"),))
    found = [data for _, data in schedule(answer, Pace(mode=Mode.EVENTS))]
    assert found == [b": PING\n\n", b"data: a\n\n", b"da"]


def test_an_answer_that_is_no_stream_keeps_its_frames() -> None:
    answer = Answer(200, (("content-type", "application/json"),), (Frame(1.0, b'{"a":'), Frame(2.0, b"1}")))
    assert list(schedule(answer, Pace(mode=Mode.EVENTS))) == [(frame.due, frame.data) for frame in answer.frames]


# --- the framing -----------------------------------------------------------------------------------------------------


@given(frames, paces, st.sampled_from([Framing.CHUNKED, Framing.CONTENT_LENGTH, Framing.CLOSE]))
def test_a_strict_reader_reads_back_what_was_framed(found: tuple[Frame, ...], pace: Pace, framing: Framing) -> None:
    answer = Answer(200, SSE, found, framing)
    reader, body = AnswerReader("POST"), b""
    for piece in on_wire(answer, pace, Connection(), "now"):
        body += reader.feed(piece[1])
    assert (reader.close(), reader.fault, body) == (End.COMPLETE, None, answer.body)


def test_one_frame_is_one_chunk() -> None:
    answer = Answer(200, SSE, (Frame(0.0, b"abc"), Frame(0.0, b""), Frame(0.0, b"de")), Framing.CHUNKED)
    assert sent(answer).chunks == [3, 2, 0]


@pytest.mark.parametrize(
    ("answer", "connection", "framing"),
    [
        (Answer(200, (), framing=Framing.CHUNKED), Connection("HEAD"), Framing.NONE),
        (Answer(204, (), framing=Framing.CONTENT_LENGTH), Connection(), Framing.NONE),
        (Answer(200, (), framing=Framing.CHUNKED), Connection(http="1.0"), Framing.CLOSE),
        (Answer(200, (), framing=Framing.NONE), Connection("GET"), Framing.CONTENT_LENGTH),
    ],
)
def test_the_request_may_forbid_a_framing(answer: Answer, connection: Connection, framing: Framing) -> None:
    assert framing_of(answer, connection) is framing


def test_head_tells_the_length_that_get_would_have() -> None:
    reader = sent(Answer(200, (), (Frame(0.0, b"abc"),)), connection=Connection("HEAD"))
    assert reader.head
    assert reader.head.values("content-length") == ["3"]


def test_a_204_has_no_length() -> None:
    reader = sent(Answer(204, (), framing=Framing.NONE))
    assert reader.head
    assert reader.head.values("content-length") == []


def test_a_cut_body_announces_more_than_comes() -> None:
    reader = sent(Answer(200, (), (Frame(0.0, b"abc"),), end=End.TRUNCATED))
    assert not reader.complete
    assert reader.head
    assert reader.head.values("content-length") == ["4"]


def test_a_fault_of_the_wire_sees_head_chunks_and_terminator() -> None:
    pieces: list[bytes] = []

    def wire(piece: bytes) -> bytes:
        pieces.append(piece)
        return piece

    sent(Answer(200, SSE, (Frame(0.0, b"abc"),), Framing.CHUNKED, wire=wire))
    assert [pieces[0][:15], *pieces[1:]] == [b"HTTP/1.1 200 OK", b"3\r\nabc\r\n", b"0\r\n\r\n"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, (), end=End.TRUNCATED),
        Answer(200, (), wire=bytes.upper),
        Answer(200, (), framing=Framing.CLOSE),
    ],
)
def test_no_other_answer_follows_a_broken_one(answer: Answer) -> None:
    assert not stays_open(answer, Connection())
    assert stays_open(Answer(200, ()), Connection())
