"""Answer × pace → (due time, bytes), on an absolute schedule that never runs backwards. Pure.

    Exchange ──answer_of──► Answer ──schedule──► body frames, paced ──on_wire──► framed pieces, as they leave

`schedule` is enough where somebody else does the framing (ASGI); `on_wire` frames by itself, which is what lets a fault
break the framing and lets a hundred chunks leave in one write.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import lru_cache
from itertools import accumulate, chain
from typing import NamedTuple

from mock_server.answer import Answer, Frame, Frames, Wire
from openapi.wire import http1_out, sse
from openapi.wire.exchange import End, Exchange, Framing, Headers

HOP_BY_HOP = frozenset(
    {"connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade"}  # RFC 9110 7.6.1
)


Piece = tuple[float, bytes]  # when it is due, in seconds since the request, and what leaves then
Whole = tuple[bytes, bool]  # all that leaves, and whether the connection stays open


class Mode(StrEnum):
    """EXACT sends the frames as they are, EVENTS one event of a stream each, FAST joins what is due in one write."""

    EXACT = "exact"
    EVENTS = "events"
    FAST = "fast"


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast: `speed` divides all times, infinity makes everything due at once and then implies FAST. No pause
    between two pieces is longer than `gap` seconds, once divided."""

    speed: float = 1.0
    mode: Mode = Mode.EXACT
    gap: float = math.inf

    @property
    def joined(self) -> bool:
        return self.mode is Mode.FAST or self.speed == math.inf

    def due(self, at: float) -> float:
        return at / self.speed


AS_RECORDED = Pace()

# As globals: by its class a member costs ten times as much before Python 3.12, and each answer asks a dozen times.
COMPLETE = End.COMPLETE
CHUNKED, CLOSE, CONTENT_LENGTH, NONE = Framing.CHUNKED, Framing.CLOSE, Framing.CONTENT_LENGTH, Framing.NONE
EVENTS = Mode.EVENTS

# --- from a recording -----------------------------------------------------------------------------------------------


def answer_of(exchange: Exchange) -> Answer:
    """A recorded exchange as an answer to be sent again.

    Where our own side broke it off (`client-aborted`) nobody knows what would have come: it ends early, at once, since
    silence would keep a client waiting for nothing. Where no head came (`status` null) none is sent.
    """
    end = End.TRUNCATED if exchange.end is End.CLIENT_ABORTED else exchange.end
    framing = exchange.framing or _usual_framing(exchange)
    answer = Answer(
        status=exchange.status or 502,
        headers=tuple(_end_to_end(exchange.headers, keep_length=framing is NONE or end is not COMPLETE)),
        frames=Frames(_frames(exchange)),
        framing=framing,
        end=end,
        ended_at=exchange.ended_at,
        first_byte=exchange.first_byte,
        recorded=exchange.id or "a recording",
    )
    if exchange.status is None:
        return replace(answer, frames=(), wire=_nothing, end=End.RESET if end is COMPLETE else end)
    return replace(answer, wire=_unfinished_chunk(exchange, answer.frames))


def _usual_framing(exchange: Exchange) -> Framing:
    return CHUNKED if exchange.chunks is not None or exchange.is_stream else CONTENT_LENGTH


def _end_to_end(headers: Headers, *, keep_length: bool) -> Iterator[tuple[str, str]]:
    for name, value in headers:
        lower = name.lower()
        if lower not in HOP_BY_HOP and lower != "date" and (keep_length or lower != "content-length"):
            yield name, value


def _frames(exchange: Exchange) -> Iterator[Frame]:
    """The chunks as they were sent, each due with the read that holds its last byte; else one frame a read."""
    if not exchange.chunks:
        yield from (Frame(read.at, read.data) for read in exchange.reads if read.data)
        return
    yield from _cut(exchange, accumulate(exchange.chunks))


def _cut(exchange: Exchange, borders: Iterable[int]) -> Iterator[Frame]:
    """The body cut at these offsets, with what stands behind the last one."""
    body, start = exchange.body, 0
    clock = _Clock((read.at, len(read.data)) for read in exchange.reads)
    for border in (*borders, len(body)):
        end = min(border, len(body))
        if end > start:
            yield Frame(clock.at(end), body[start:end])
            start = end


class _Clock:
    """When the byte before an offset came; offsets may only grow."""

    def __init__(self, pieces: Iterable[tuple[float, int]]) -> None:
        self._pieces = iter(pieces)
        self._at, self._end = 0.0, 0

    def at(self, end: int) -> float:
        while self._end < end:
            at, size = next(self._pieces)
            self._at, self._end = max(self._at, at), self._end + size
        return self._at


def _nothing(_: bytes) -> bytes:
    return b""


def _unfinished_chunk(exchange: Exchange, frames: tuple[Frame, ...]) -> Wire | None:
    """A chunk whose size came and whose end did not: its size is told again, and left unfulfilled."""
    sizes = [size for size in exchange.chunks or () if size]
    if not frames or sum(sizes) <= len(exchange.body) or len(sizes) != len(frames):
        return None
    whole, cut = http1_out.chunk(frames[-1].data), http1_out.chunk(frames[-1].data, size=sizes[-1])
    return lambda piece: cut if piece == whole else piece


def squeezed(answer: Answer, gap: float) -> Answer:
    """The answer without a pause of more than `gap` seconds, before its first byte too; what follows moves up."""
    moments = sorted({answer.first_byte or 0.0, *(frame.due for frame in answer.frames), answer.ended_at})
    moved, before, now = dict[float, float](), 0.0, 0.0
    for moment in moments:
        now += min(moment - before, gap)
        before = moment
        moved[moment] = now
    first = None if answer.first_byte is None else moved[answer.first_byte or 0.0]
    frames = Frames(replace(frame, due=moved[frame.due]) for frame in answer.frames)
    return replace(answer, frames=frames, first_byte=first, ended_at=moved[answer.ended_at])


# --- the schedule of the body ---------------------------------------------------------------------------------------


def schedule(answer: Answer, pace: Pace) -> Iterator[Piece]:
    """The pieces of the body, each due so many seconds after the request; none empty, none earlier than the last."""
    latest, speed = 0.0, pace.speed
    for frame in _events(answer) if pace.mode is EVENTS else answer.frames:
        latest = max(latest, frame.due / speed)
        if frame.data:
            yield latest, frame.data


def _events(answer: Answer) -> Iterator[Frame]:
    """One event a frame, due with its last byte. Other media types keep their frames."""
    media = next((value for name, value in answer.headers if name.lower() == "content-type"), "")
    if not media.lower().startswith("text/event-stream"):
        yield from answer.frames
        return
    body, start = answer.body, 0
    clock = _Clock((frame.due, len(frame.data)) for frame in answer.frames)
    for item in sse.decode(body):
        if isinstance(item, sse.Comment):  # leaves with the blank line or the fields behind it
            continue
        end = item.end + (body[item.end - 1 : item.end + 1] == b"\r\n")
        if end > start:
            yield Frame(clock.at(end), body[start:end])
            start = end
    if start < len(body):
        yield Frame(clock.at(len(body)), body[start:])


# --- the framed pieces ----------------------------------------------------------------------------------------------


class Connection(NamedTuple):
    """What the framing of an answer depends on: the request's method and HTTP version, and whether it stays open."""

    method: str = "POST"
    http: str = "1.1"
    keep_alive: bool = True


def framing_of(answer: Answer, connection: Connection) -> Framing:
    """The framing that this request allows (RFC 9112 sections 6.1 and 6.3)."""
    if connection.method == "HEAD" or answer.status in {204, 304}:
        return NONE
    if answer.framing is NONE:
        return CONTENT_LENGTH
    if answer.framing is CHUNKED and connection.http == "1.0":
        return CLOSE
    return answer.framing


def stays_open(answer: Answer, connection: Connection) -> bool:
    """Whether another answer can follow on the connection. Behind bytes that a fault changed none can."""
    return (
        connection.keep_alive
        and answer.end is COMPLETE
        and answer.wire is None
        and framing_of(answer, connection) is not CLOSE
    )


def on_wire(answer: Answer, pace: Pace, connection: Connection, date: str) -> Iterator[Piece]:
    """All the bytes of the answer as they leave, `wire` applied: head, pieces of the body, last chunk."""
    pieces = _framed(answer, pace, connection, date)
    if answer.wire is None:
        return pieces
    wire = answer.wire
    return ((due, wire(data)) for due, data in pieces)


def at_once(answer: Answer, pace: Pace, connection: Connection, date: str, own: Headers = ()) -> Whole | None:
    """All the bytes of the answer where nothing of it is to be waited for and nothing is wrong with it, else None.
    Headers that are its `own` stand behind those that it has."""
    if pace.speed != math.inf or pace.mode is EVENTS or answer.wire or answer.end is not COMPLETE:
        return None
    framing = framing_of(answer, connection)
    keep_alive = connection.keep_alive and framing is not CLOSE
    made = _lines(date, framing is CHUNKED, _length(answer, framing), keep_alive)
    if framing is CONTENT_LENGTH:
        body = answer.body
    elif framing is CHUNKED:
        body = _chunked(answer) + http1_out.LAST_CHUNK
    else:
        body = answer.body if framing is CLOSE else b""
    return b"".join((answer.start, http1_out.fields(own), made, body)), keep_alive


def _chunked(answer: Answer) -> bytes:
    frames = answer.frames
    return frames.chunked if isinstance(frames, Frames) else Frames(frames).chunked


def _framed(answer: Answer, pace: Pace, connection: Connection, date: str) -> Iterator[Piece]:
    framing = framing_of(answer, connection)
    chunked = framing is CHUNKED
    over = pace.due(max(answer.ended_at, *(frame.due for frame in answer.frames), 0.0))
    body = iter(()) if framing is NONE else schedule(answer, pace)
    start = next(body, None)  # the others are made when they are due: many streams may be open at once
    first = over if start is None else start[0]
    begin = first if answer.first_byte is None else min(first, pace.due(answer.first_byte))
    yield begin, answer.start + _lines(date, chunked, _length(answer, framing), stays_open(answer, connection))
    for due, data in body if start is None else chain((start,), body):
        yield due, http1_out.chunk(data) if chunked else data
    if chunked and answer.end is COMPLETE:
        yield over, http1_out.LAST_CHUNK


@lru_cache(maxsize=64)
def _lines(date: str, chunked: bool, length: str | None, keep_alive: bool) -> bytes:
    """The end of a head: the fields that are made when it is sent, and the blank line."""
    return http1_out.fields(_made(date, length, chunked=chunked, keep_alive=keep_alive)) + b"\r\n"


def sent_headers(answer: Answer, framing: Framing, date: str, *, keep_alive: bool) -> Headers:
    """The headers with those that are made anew: Date, the framing, and Connection where it closes."""
    kept = tuple((name, value) for name, value in answer.headers if name.lower() != "content-length")
    chunked = framing is CHUNKED
    return (*kept, *_made(date, _length(answer, framing), chunked=chunked, keep_alive=keep_alive))


def _made(date: str, length: str | None, *, chunked: bool, keep_alive: bool) -> Headers:
    made: list[tuple[str, str]] = [("date", date)]
    if chunked:
        made.append(("transfer-encoding", "chunked"))
    elif length is not None:
        made.append(("content-length", length))
    if not keep_alive:
        made.append(("connection", "close"))
    return tuple(made)


def _length(answer: Answer, framing: Framing) -> str | None:
    if framing is CLOSE or framing is CHUNKED or answer.status == 204:
        return None
    if answer.end is COMPLETE and framing is not NONE:
        return answer.length
    size = len(answer.body)
    told = next((value for name, value in answer.headers if name.lower() == "content-length"), None)
    if framing is NONE:  # what GET would have had, where it is known
        return told or (str(size) if size and answer.framing is CONTENT_LENGTH else None)
    return told if told and told.isdigit() and int(told) > size else str(size + 1)
