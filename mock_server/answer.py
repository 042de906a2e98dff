"""What the mock is about to send, as a value: recordings and synthesis make it, faults change it, replay paces it."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from openapi.json_text import Json, JsonText
from openapi.wire import http1_out
from openapi.wire.exchange import Auth, End, Framing, Headers

Wire = Callable[[bytes], bytes]
FRAME = 200  # bytes that a frame weighs beside its data


@dataclass(frozen=True, slots=True)
class Frame:
    """Body bytes that leave in one piece (one HTTP/1.1 chunk where the framing is chunked), due so many seconds after
    the request's head came in."""

    due: float
    data: bytes


class Frames(tuple[Frame, ...]):
    """The frames of an answer that is sent again and again: what they are as one, and as chunks, is made once."""

    @cached_property
    def whole(self) -> bytes:
        """All of them as one."""
        return b"".join(frame.data for frame in self)

    @cached_property
    def chunked(self) -> bytes:
        """All of them as chunks of HTTP, without the last one."""
        return b"".join(http1_out.chunk(frame.data) for frame in self)


@dataclass(frozen=True)
class Answer:
    """One answer, whole. `headers` are end to end: hop-by-hop fields, Date and Content-Length are made when it is sent.

    `first_byte` is when the head leaves; None: with the first frame.
    `end` COMPLETE ends as the framing asks; TRUNCATED closes early (no last chunk, fewer bytes than announced), RESET
    breaks the connection, TIMEOUT goes silent until the client leaves. `ended_at` is when that happens.
    `wire` maps each framed piece as it would go out (head, chunks, terminator) to the bytes that do, for faults that
    HTTP itself forbids; None sends what is right. `recorded` is the name of the recording, whose bytes
    leave as they are, never compressed.
    """

    status: int
    headers: Headers
    frames: tuple[Frame, ...] = ()
    framing: Framing = Framing.CONTENT_LENGTH
    end: End = End.COMPLETE
    ended_at: float = 0.0
    wire: Wire | None = None
    first_byte: float | None = None
    recorded: str = ""

    @property
    def body(self) -> bytes:
        frames = self.frames
        return frames.whole if isinstance(frames, Frames) else b"".join(frame.data for frame in frames)

    @cached_property
    def length(self) -> str:
        """The size of the body, as a header says it."""
        return str(len(self.body))

    @cached_property
    def names(self) -> frozenset[str]:
        """The names of the headers, in lower case."""
        return frozenset(name.lower() for name, _ in self.headers)

    @cached_property
    def start(self) -> bytes:
        """The status line and `fields`. Raises ValueError for a status that none has."""
        return http1_out.status_line(self.status) + self.fields

    @cached_property
    def fields(self) -> bytes:
        """The headers as lines, but for a Content-Length, which is made when the answer is sent."""
        return http1_out.fields(tuple(pair for pair in self.headers if pair[0].lower() != "content-length"))

    def adding(self, headers: Headers) -> "Answer":
        """The same with more headers, none of them a length: what is known of the others is not found out again."""
        fields = self.fields + http1_out.fields(headers)  # first: it is then known of this one too
        made = object.__new__(Answer)
        known = made.__dict__
        known.update(self.__dict__)
        known["headers"], known["fields"] = self.headers + headers, fields
        known.pop("names", None)  # of fewer headers
        known.pop("start", None)
        return made


@dataclass(frozen=True, slots=True)
class Says:
    """What an answer that is made up is to say: a text, or calls, each a name with arguments."""

    text: str | None = None
    calls: tuple[tuple[str, Json], ...] = ()


class Asked(NamedTuple):
    """One request as the mock sees it. `operation` is None for a path that the document does not have.

    `body` is the JSON value of the body (None where there is none or it is no JSON; `raw` has the bytes), `auth` what
    the key was found to be. `seed` varies what is made up, within what is legal; 0 varies nothing. `turn` counts equal
    requests, this one too, where the relay has a fault that may want to know; `under_way` how many answers are under
    way with it. `says` is what a script has put into the model's mouth, `text` the body as it was read.
    """

    method: str
    path: str
    operation: str | None
    headers: Headers
    raw: bytes
    body: Json
    auth: Auth
    seed: int = 0
    turn: int = 1
    under_way: int = 1
    says: Says | None = None
    text: JsonText | None = None

    @property
    def unread(self) -> "Asked":
        """The same without the value of its body, which can be read again."""
        return Asked._make((*self[:5], None, *self[6:-1], None))

    @property
    def judged(self) -> Json | JsonText:
        """The body with what its text shows of it, as long as it is that of the text."""
        return self.text if self.text and self.text.value is self.body else self.body

    @property
    def object(self) -> dict[str, Json]:
        return self.body if isinstance(self.body, dict) else {}

    @property
    def streamed(self) -> bool:
        return self.object.get("stream") is True
