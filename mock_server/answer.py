"""What the mock is about to send, as a value: recordings and synthesis make it, faults change it, replay paces it."""

from collections.abc import Callable
from dataclasses import dataclass

from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Framing, Headers

Wire = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Frame:
    """Body bytes that leave in one piece (one HTTP/1.1 chunk where the framing is chunked), due so many seconds after
    the request's head came in."""

    due: float
    data: bytes


@dataclass(frozen=True)
class Answer:
    """One answer, whole. `headers` are end to end: hop-by-hop fields, Date and Content-Length are made when it is sent.

    `first_byte` is when the head leaves; None: with the first frame.
    `end` COMPLETE ends as the framing asks; TRUNCATED closes early (no last chunk, fewer bytes than announced), RESET
    breaks the connection, TIMEOUT goes silent until the client leaves. `ended_at` is when that happens.
    `wire` maps each framed piece as it would go out (head, chunks, terminator) to the bytes that do, for faults that
    HTTP itself forbids; None sends what is right. `recorded` bytes leave as they are, never compressed.
    """

    status: int
    headers: Headers
    frames: tuple[Frame, ...] = ()
    framing: Framing = Framing.CONTENT_LENGTH
    end: End = End.COMPLETE
    ended_at: float = 0.0
    wire: Wire | None = None
    first_byte: float | None = None
    recorded: bool = False

    @property
    def body(self) -> bytes:
        return b"".join(frame.data for frame in self.frames)


@dataclass(frozen=True)
class Asked:
    """One request as the mock sees it. `operation` is None for a path that the document does not have.

    `body` is the JSON value of the body (None where there is none or it is no JSON; `raw` has the bytes), `auth` what
    the key was found to be. `seed` varies what is made up, within what is legal; 0 varies nothing. `turn` counts equal
    requests, this one too, where the relay has a fault that may want to know.
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

    @property
    def object(self) -> dict[str, Json]:
        return self.body if isinstance(self.body, dict) else {}

    @property
    def streamed(self) -> bool:
        return self.object.get("stream") is True
