"""What was asked and what came back, in bytes and seconds. Everything else is derived from these.

Seconds count from the moment when the request was sent. `reads` hold the body as it came, read by read, with the
transfer coding taken off and the content coding left on.
"""

import zlib
from bisect import bisect_left
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import accumulate
from typing import Any, TypeVar

from openapi import json_text
from openapi.json_text import Json, JsonText
from openapi.wire import sse

T = TypeVar("T")
Headers = tuple[tuple[str, str], ...]

_UNKNOWN = object()
MAX_CONTENT = 32 << 20  # bytes that a compressed body may expand to; beyond that it is a bomb, not an answer


class End(StrEnum):
    """How an answer ended. Rules about the end do not apply to what we ended ourselves."""

    COMPLETE = "complete"
    TRUNCATED = "truncated"
    RESET = "reset"
    TIMEOUT = "timeout"
    CLIENT_ABORTED = "client-aborted"


class Framing(StrEnum):
    """What tells where an HTTP/1.1 body ends (RFC 9112 section 6.3)."""

    CHUNKED = "chunked"
    CONTENT_LENGTH = "content-length"
    CLOSE = "close"
    NONE = "none"


class Auth(StrEnum):
    """What stood in the place of the key, which is never written down."""

    VALID = "valid"
    WRONG = "wrong"
    NONE = "none"


@dataclass(frozen=True, slots=True)
class Read:
    """One network read: when it came (seconds since the request was sent) and the body bytes in it."""

    at: float
    data: bytes


@dataclass(frozen=True, slots=True)
class Oddity:
    """Something in the framing that a reader passes over and a server may not send: its kind, and more about it."""

    kind: str
    detail: str


@dataclass(frozen=True)
class Request:
    """One request. `path` is target path and query, without the base URL's own prefix; `body` the bytes as sent."""

    method: str
    path: str
    headers: Headers = ()
    auth: Auth | None = None
    body: bytes | None = None

    @cached_property
    def json(self) -> JsonText:
        """The body as JSON text; an absent body is unreadable."""
        return json_text.read(self.body or b"")

    @property
    def object(self) -> dict[str, Json]:
        """The body where it is a JSON object, else an empty one."""
        return self.json.object

    @cached_property
    def _fields(self) -> dict[str, str]:
        return _first_of_each(self.headers)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return self._fields.get(name.lower())


@dataclass(frozen=True)
class Exchange:
    """One request and what came of it.

    `status` is None where no answer's head came; `error` then says why, in our words. `operation` and `probe` are the
    ids of what was asked, where known; `attempt` counts repeats after a 429, 503 or 529. `step` is the name of the
    request in a probe of several, `steps` are the names of all, sent or not; `repeat` counts how often the probe was
    made to see whether its outcome varies. `claims` are the capabilities that the request needs, each with whether the
    relay is said to have it. `chunks` are HTTP/1.1 chunk sizes as sent, the last zero included. `reused` says whether
    it went over the connection of the request before it, None where that was not wanted. `oddities` are what the
    framing has and may not have.
    """

    id: str
    request: Request
    status: int | None = None
    headers: Headers = ()
    reads: tuple[Read, ...] = ()
    end: End = End.COMPLETE
    ended_at: float = 0.0
    http: str = "1.1"
    framing: Framing | None = None
    chunks: tuple[int, ...] | None = None
    first_byte: float | None = None
    sent: str = ""
    error: str | None = None
    operation: str | None = None
    probe: str | None = None
    attempt: int = 1
    step: str | None = None
    steps: tuple[str, ...] = ()
    repeat: int = 1
    claims: Mapping[str, bool] = field(default_factory=dict, hash=False)
    reused: bool | None = None
    oddities: tuple[Oddity, ...] = ()

    _views: dict[object, Any] = field(default_factory=dict, init=False, repr=False, compare=False)

    def view(self, derive: Callable[["Exchange"], T]) -> T:
        """What `derive` makes of this exchange, made once. It must be a pure function with a name of its own."""
        known = self._views.get(derive, _UNKNOWN)
        if known is _UNKNOWN:
            known = self._views[derive] = derive(self)
        found: T = known
        return found

    @cached_property
    def _fields(self) -> dict[str, str]:
        return _first_of_each(self.headers)

    def header(self, name: str) -> str | None:
        """The first header of that name, in any case."""
        return self._fields.get(name.lower())

    @cached_property
    def media_type(self) -> str:
        """Lower case, without parameters; empty where there is no Content-Type."""
        return (self.header("content-type") or "").partition(";")[0].strip().lower()

    @cached_property
    def is_stream(self) -> bool:
        """Whether the answer says that it is an event stream."""
        return self.media_type == "text/event-stream"

    @cached_property
    def body(self) -> bytes:
        """All body bytes as they came."""
        return b"".join(read.data for read in self.reads)

    @cached_property
    def _decoded(self) -> tuple[tuple[Read, ...], str | None]:
        codings = [value for key, value in self.headers if key.lower() == "content-encoding"]
        return _decode_content(self.reads, ", ".join(codings))

    @property
    def content_reads(self) -> tuple[Read, ...]:
        """The reads with the content coding taken off, each at its own time."""
        return self._decoded[0]

    @property
    def content_fault(self) -> str | None:
        """Why the content coding could not be taken off, else None."""
        return self._decoded[1]

    @cached_property
    def content(self) -> bytes:
        """The body with its content coding taken off."""
        return b"".join(read.data for read in self.content_reads)

    @cached_property
    def json(self) -> JsonText:
        """The content as JSON text, read strictly."""
        return json_text.read(self.content)

    @property
    def object(self) -> dict[str, Json]:
        """The content where it is a JSON object, else an empty one."""
        return self.json.object

    @cached_property
    def items(self) -> tuple[sse.Item, ...]:
        """The content as server-sent events, with comments, silent blocks and the unfinished tail."""
        return tuple(sse.decode(self.content))

    @cached_property
    def messages(self) -> tuple[sse.Message, ...]:
        """The dispatched events, in order: the index of one is its number in findings."""
        return tuple(item for item in self.items if isinstance(item, sse.Message))

    @cached_property
    def payloads(self) -> tuple[JsonText, ...]:
        """The data of each message as JSON text."""
        return tuple(json_text.read(message.data) for message in self.messages)

    @cached_property
    def _ends(self) -> list[int]:
        return list(accumulate(len(read.data) for read in self.content_reads))

    def arrival(self, end: int) -> float:
        """When the byte just before offset `end` of the content came, in seconds."""
        if not self.content_reads:
            return self.ended_at
        return self.content_reads[min(bisect_left(self._ends, end), len(self._ends) - 1)].at


def _first_of_each(headers: Headers) -> dict[str, str]:
    """Lower-case name → the first value of that name."""
    return {key.lower(): value for key, value in reversed(headers)}


def _decode_content(reads: tuple[Read, ...], coding: str) -> tuple[tuple[Read, ...], str | None]:
    """RFC 9110 section 8.4. Only what the standard library undoes; we never ask for any other."""
    name = coding.strip().lower()
    if name in {"identity", ""} or not any(read.data for read in reads):
        return reads, None
    if name not in {"gzip", "x-gzip", "deflate"}:
        return reads, f"content coding {name[:40]!r} was not asked for and is not known"
    inflate = _Inflate(31 if "gzip" in name else _deflate_bits(reads))
    out: list[Read] = []
    for read in reads:
        out.append(Read(read.at, inflate.feed(read.data)))
        if inflate.fault:
            return tuple(out), f"content coding {name} {inflate.fault}"
    return tuple(out), None if inflate.ended else f"content coding {name} ends early"


class _Inflate:
    """Undoes gzip or deflate, of as many gzip members as there are (RFC 1952 section 2.2), up to MAX_CONTENT bytes."""

    def __init__(self, wbits: int) -> None:
        self.wbits = wbits
        self.fault: str | None = None
        self._size = 0
        self._zlib = zlib.decompressobj(wbits)

    @property
    def ended(self) -> bool:
        return self._zlib.eof

    def feed(self, data: bytes) -> bytes:
        """What the bytes expand to, as far as they do; `fault` then tells why no farther."""
        out = bytearray()
        while data and not self.fault:
            if self._zlib.eof:
                if self.wbits != 31 or not data.startswith(b"\x1f"):
                    self.fault = "has bytes behind its end"
                    break
                self._zlib = zlib.decompressobj(self.wbits)
            try:
                out += self._zlib.decompress(data, MAX_CONTENT - self._size - len(out) + 1)
            except zlib.error as error:
                self.fault = f"does not decode: {error}"
            if self._size + len(out) > MAX_CONTENT:
                self.fault = f"expands to more than {MAX_CONTENT} bytes"
                out.clear()
            data = self._zlib.unused_data
        self._size += len(out)
        return bytes(out)


def _deflate_bits(reads: tuple[Read, ...]) -> int:
    """`deflate` is the zlib format, and raw by an old mistake that clients put up with."""
    first = next(read.data for read in reads if read.data)
    return 15 if first[0] & 0x0F == 8 else -15
