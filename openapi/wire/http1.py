"""The framing of one HTTP/1.1 answer, as evidence: its head, the borders of its chunks, and how it ended.

A client library reads past what it forgives. This reader (RFC 9112) forgives nothing that decides where the body ends,
and what it cannot go on from it names: `fault` is then one sentence, and `end` is TRUNCATED. What it can go on from and
no server may send is among `oddities`.
"""

import re
from dataclasses import dataclass, replace

from openapi.wire.exchange import End, Framing, Headers, Oddity

FRAMING_FAULT = "framing: "  # what the error of an exchange begins with where its framing could not be read
SURPLUS = "bytes behind the end"  # the kinds of oddities
BARE_LF = "a bare LF"
FOLDED = "a folded field"
NO_SPACE = "no space behind the status"
MAX_HEAD = 256 << 10  # bytes, with its blank line; more is no head
MAX_LINE = 16 << 10  # bytes of a chunk's or trailer's line, with its end
CRLF = b"\r\n"
_BLANK = re.compile(rb"\n\r?\n")  # a bare LF may end a line of the head: RFC 9112 section 2.2
_UNREADABLE = re.compile(rb"[\0\r]")  # RFC 9110 section 5.5
_STATUS = re.compile(rb"HTTP/([0-9]\.[0-9]) ([0-9]{3})(?: [^\r\0]*)?")


@dataclass(frozen=True, slots=True)
class Head:
    """A status line and its fields, names in the case in which they came, folded values on one line."""

    http: str
    status: int
    headers: Headers
    oddities: tuple[Oddity, ...] = ()

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key.lower() == name]


class FramingError(ValueError):
    """Bytes from which no reader may go on (RFC 9112 sections 4, 5 and 7)."""


class AnswerReader:
    """Feed it what the connection gives; it hands back the body bytes in each read.

    `method` is the request's: an answer to HEAD has no body. Interim answers (1xx) are passed over.
    """

    def __init__(self, method: str) -> None:
        self.method = method
        self.head: Head | None = None
        self.framing = Framing.NONE
        self.chunks: list[int] = []
        self.fault: str | None = None
        self.complete = False
        self._buffer = bytearray()
        self._searched = 0  # bytes of the buffer in which no head ends
        self._left = 0  # bytes of the body or chunk still to come

    @property
    def rest(self) -> bytes:
        """The bytes behind the end of the answer."""
        return bytes(self._buffer) if self.complete else b""

    @property
    def oddities(self) -> tuple[Oddity, ...]:
        """What stands in the answer and may not, though it can be read past; spare line ends behind it are none."""
        behind = len(self.rest.strip(CRLF))
        found = self.head.oddities if self.head else ()
        return (*found, Oddity(SURPLUS, f"{len(self.rest)} bytes")) if behind else found

    def feed(self, data: bytes) -> bytes:
        """The body bytes in `data`, transfer coding taken off."""
        if self.fault:
            return b""
        if self.framing is Framing.CLOSE:
            return data
        self._buffer += data
        body = bytearray()
        try:
            self._advance(body)
        except FramingError as error:
            self.fault = str(error)
        return bytes(body)

    def forget(self) -> None:
        """The borders of the chunks that came so far: of an endless answer nobody can keep all of them."""
        del self.chunks[:-1]

    def close(self, *, reset: bool = False) -> End:
        """The connection is over: how the answer ended."""
        if self.framing is Framing.CLOSE and not reset:
            self.complete = True
        if self.complete:
            return End.COMPLETE
        return End.RESET if reset else End.TRUNCATED

    def _advance(self, body: bytearray) -> None:
        while self.head is None:
            if not self._read_head():
                return
        if self.framing is Framing.CLOSE:
            body += self._take(len(self._buffer))
        elif self.framing is Framing.CHUNKED:
            self._read_chunks(body)
        elif not self.complete:
            body += self._take(min(self._left, len(self._buffer)))
            self._left -= len(body)
            self.complete = self._left == 0

    def _read_head(self) -> bool:
        blank = _BLANK.search(self._buffer, self._searched, MAX_HEAD)
        if blank is None:
            if len(self._buffer) >= MAX_HEAD:
                msg = f"no end of the head within {MAX_HEAD} bytes"
                raise FramingError(msg)
            self._searched = max(len(self._buffer) - 2, 0)
            return False
        last, end = blank.span()
        data = self._take(end)
        head = parse_head(data[:last].removesuffix(b"\r"))
        self._searched = 0
        if 100 <= head.status < 200 and head.status != 101:
            return True
        bare = (Oddity(BARE_LF, "in the head"),) if data.count(b"\n") > data.count(CRLF) else ()
        self.head = replace(head, oddities=head.oddities + bare)
        self.framing, self._left = body_framing(head, self.method)
        return True

    def _read_chunks(self, body: bytearray) -> None:
        while self._buffer and not self.complete:
            if self._left:
                data = self._take(min(self._left - 2, len(self._buffer))) if self._left > 2 else b""
                body += data
                self._left -= len(data)
                if self._left > 2 or len(self._buffer) < 2:
                    break
                if self._take(2) != CRLF:
                    msg = f"no CRLF behind chunk {len(self.chunks)}"
                    raise FramingError(msg)
                self._left = 0
            elif self.chunks and self.chunks[-1] == 0:
                if not self._read_trailer():
                    break
            elif not self._read_size():
                break

    def _read_size(self) -> bool:
        line = self._take_line("a chunk size")
        if line is None:
            return False
        digits = line.partition(b";")[0].rstrip(b" \t")
        if not digits or digits.strip(b"0123456789abcdefABCDEF") or len(digits) > 16:
            msg = f"{line[:40]!r} is no chunk size"
            raise FramingError(msg)
        size = int(digits, 16)
        self.chunks.append(size)
        self._left = size + 2 if size else 0
        return True

    def _read_trailer(self) -> bool:
        line = self._take_line("a trailer")
        self.complete = line == b""
        return line is not None

    def _take_line(self, what: str) -> bytes | None:
        end = self._buffer.find(b"\n", 0, MAX_LINE)
        if end < 0:
            if len(self._buffer) >= MAX_LINE:
                msg = f"{what} does not end within {MAX_LINE} bytes"
                raise FramingError(msg)
            return None
        line = self._take(end + 1)
        if line[-2:] != CRLF or b"\r" in line[:-2]:  # a reader that takes a bare one for an end sees another body
            msg = f"{what} has a bare CR or LF: {line[:40]!r}"
            raise FramingError(msg)
        return line[:-2]

    def _take(self, count: int) -> bytes:
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        return data


def parse_head(data: bytes) -> Head:
    """A status line and fields (RFC 9112 sections 4 and 5). Raises FramingError."""
    first, *lines = data.replace(CRLF, b"\n").split(b"\n")
    status = _STATUS.fullmatch(first)
    if not status:
        msg = f"{first[:40]!r} is no status line"
        raise FramingError(msg)
    odd = [Oddity(NO_SPACE, status[2].decode())] if status.end(2) == len(first) else []
    fields: list[list[bytes]] = []
    for line in lines:
        if fields and line[:1] in {b" ", b"\t"}:  # RFC 9112 section 5.2: more of the value before
            fields[-1].append(line.strip(b" \t"))
        else:
            fields.append([line])
    headers = tuple(_field(b" ".join(field)) for field in fields)
    folded = (name for (name, _), field in zip(headers, fields, strict=True) if len(field) > 1)
    odd += [Oddity(FOLDED, name) for name in dict.fromkeys(folded)]
    return Head(status[1].decode(), int(status[2]), headers, tuple(odd))


def _field(line: bytes) -> tuple[str, str]:
    name, colon, value = line.partition(b":")
    if not colon or not name or name != name.strip() or _UNREADABLE.search(line):
        msg = f"{line[:40]!r} is no header field"
        raise FramingError(msg)
    return name.decode("latin-1"), _text(value.strip(b" \t"))


def body_framing(head: Head, method: str) -> tuple[Framing, int]:
    """What tells where the body ends, and its length where that is known (RFC 9112 section 6.3)."""
    if method == "HEAD" or head.status in {204, 304} or 100 <= head.status < 200:
        return Framing.NONE, 0
    if codings := _members(head, "transfer-encoding"):
        chunked = [coding.isascii() and coding.lower() == "chunked" for coding in codings if coding]
        if chunked.count(True) > 1:
            msg = f"Transfer-Encoding {', '.join(codings)[:40]!r} is chunked twice"
            raise FramingError(msg)
        return (Framing.CHUNKED if chunked[-1:] == [True] else Framing.CLOSE), 0
    lengths = set(_members(head, "content-length"))
    if not lengths:
        return Framing.CLOSE, 0
    length = lengths.pop()
    if lengths or not (length.isascii() and length.isdigit()) or len(length) > 18:
        msg = f"Content-Length {head.values('content-length')!r} is no length"
        raise FramingError(msg)
    return Framing.CONTENT_LENGTH, int(length)


def _members(head: Head, name: str) -> list[str]:
    """The members of a list field, empty ones too (RFC 9110 section 5.6.1)."""
    return [part.strip(" \t") for value in head.values(name) for part in value.split(",")]


def _text(value: bytes) -> str:
    """Fields are bytes; UTF-8 where they are that, else Latin-1, which takes any byte."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return value.decode("latin-1")
