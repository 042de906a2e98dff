"""Server-sent events: bytes to items and back, by the algorithm of WHATWG HTML 9.2.6, with nothing lost.

A browser throws away what it does not dispatch. Evidence may not: a comment is a keep-alive, a block without data is
what breaks some SDKs, and an unfinished tail is a cut answer. So the decoder tells four things apart:

    Message     a block that a conforming parser dispatches
    Comment     a line that begins with a colon, told when its line ends, inside a block or between blocks
    Silent      a block that dispatches nothing: no data field in it
    Truncated   what stood behind the last blank line when the bytes ended

Offsets count bytes from the start of the body. `start` is where the item's first line begins and `end` lies just
behind the byte that completed it, which is what the time of arrival hangs on. The LF of a CRLF completes nothing (the
CR did), so it stands between two items.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

BOM = b"\xef\xbb\xbf"
MAX_RETRY_DIGITS = 19  # a longer number is no time that anyone waits, and costs more than linear time to read


@dataclass(frozen=True, slots=True)
class Message:
    """One dispatched event. `event` and `id` are None where the block has no such field; `retry` is in milliseconds.

    `unknown` holds the lines that the algorithm ignores: other field names, an id with NUL, a retry that is no number.
    """

    data: str
    event: str | None = None
    id: str | None = None
    retry: int | None = None
    unknown: tuple[str, ...] = ()
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)

    @property
    def lines(self) -> int:
        """How many data fields were joined by LF."""
        return self.data.count("\n") + 1


@dataclass(frozen=True, slots=True)
class Silent:
    """A block that a conforming parser swallows: fields, but no data. All its fields may be absent (a spare blank)."""

    event: str | None = None
    id: str | None = None
    retry: int | None = None
    unknown: tuple[str, ...] = ()
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comment:
    """The text behind a leading colon, as it stands: relays send keep-alives so."""

    text: str
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Truncated:
    """Bytes of a block that no blank line ended. WHATWG 9.2.6: discard; here: a broken end is an ordinary value."""

    tail: bytes
    start: int = field(default=0, compare=False)
    end: int = field(default=0, compare=False)


Item = Message | Comment | Silent | Truncated


class Decoder:
    """Incremental, linear in the bytes, and indifferent to where a read ends.

    `feed(bytes)` returns what those bytes completed, `close()` what they left behind. A lone CR ends its line at once,
    so no event waits for a byte that may never come.
    """

    def __init__(self) -> None:
        self._offset = 0  # of the next byte to be read
        self._line: list[bytes] = []  # pieces of the unfinished line
        self._block: list[bytes] = []  # finished lines of the unfinished block, with their ends
        self._block_start = 0
        self._after_cr = False
        self._event: str | None = None
        self._id: str | None = None
        self._retry: int | None = None
        self._head: bytes | None = b""  # up to three bytes that may be a BOM; None once decided
        self._reset()

    def feed(self, data: bytes) -> list[Item]:
        if self._head is not None:
            data = self._strip_bom(data)
        if self._after_cr and data:
            self._after_cr = False
            if data[:1] == b"\n":
                data = self._swallow_lf(data)
        items: list[Item] = []
        lines = data.splitlines(keepends=True)  # bytes split at CR, LF and CRLF alone, as WHATWG has it
        rest = lines.pop() if lines and not lines[-1].endswith((b"\n", b"\r")) else b""
        for line in lines:
            self._end_line(line, items)
        if rest:
            self._line.append(rest)
            self._offset += len(rest)
        if data:
            self._after_cr = data[-1:] == b"\r"
        return items

    def close(self) -> list[Item]:
        """Call once, behind the last byte."""
        if self._head:  # one or two bytes of what could have been a BOM
            self._line.append(self._head)
            self._offset += len(self._head)
            self._head = None
        tail = b"".join(self._block) + b"".join(self._line)
        return [Truncated(tail, self._block_start, self._offset)] if tail else []

    def _strip_bom(self, data: bytes) -> bytes:
        head = (self._head or b"") + data
        if len(head) < len(BOM) and BOM.startswith(head):
            self._head = head
            return b""
        self._head = None
        if not head.startswith(BOM):
            return head
        self._offset = self._block_start = len(BOM)
        return head[len(BOM) :]

    def _swallow_lf(self, data: bytes) -> bytes:
        self._offset += 1
        if self._block:
            self._block[-1] += b"\n"
        else:
            self._block_start = self._offset
        return data[1:]

    def _end_line(self, ended: bytes, items: list[Item]) -> None:
        start = self._offset
        if self._line:
            start -= sum(map(len, self._line))
            ended = b"".join((*self._line, ended))
            self._line.clear()
        text = ended.rstrip(b"\r\n")
        completed = start + len(text) + 1  # behind the CR of a CRLF, not behind its LF
        self._offset = start + len(ended)
        if not text:
            items.append(self._dispatch(completed))
            self._block_start = self._offset
            return
        self._block.append(ended)
        if text[:1] == b":":
            items.append(Comment(text[1:].decode("utf-8", "replace"), start, completed))
            if len(self._block) == 1:  # between blocks: it belongs to none
                self._block.clear()
                self._block_start = self._offset
        else:
            self._field(text)

    def _field(self, line: bytes) -> None:
        name, colon, rest = line.partition(b":")
        value = rest.removeprefix(b" ").decode("utf-8", "replace") if colon else ""
        match name:
            case b"data":
                self._data.append(value)
            case b"event":
                self._event = value
            case b"id" if "\0" not in value:
                self._id = value
            case b"retry" if value.isascii() and value.isdigit() and len(value) < MAX_RETRY_DIGITS:
                self._retry = int(value)
            case _:
                self._unknown.append(line.decode("utf-8", "replace"))

    def _dispatch(self, end: int) -> Message | Silent:
        start, unknown = self._block_start, tuple(self._unknown)
        item: Message | Silent
        if self._data:
            data = "\n".join(self._data)
            item = Message(data, self._event, self._id, self._retry, unknown, start, end)
        else:
            item = Silent(self._event, self._id, self._retry, unknown, start, end)
        self._block.clear()
        self._reset()
        return item

    def _reset(self) -> None:
        self._data: list[str] = []
        self._event = self._id = self._retry = None
        self._unknown: list[str] = []


def decode(body: bytes) -> list[Item]:
    """The items of a whole body."""
    decoder = Decoder()
    return [*decoder.feed(body), *decoder.close()]


def encode(items: Iterable[Item], eol: str = "\n") -> bytes:
    """Items as bytes that decode to equal items. `eol` is LF, CR or CRLF.

    Raises ValueError for what no bytes can say: a line end inside a field other than data, or bytes after a Truncated.
    """
    out: list[bytes] = []
    items = list(items)
    for index, item in enumerate(items):
        if isinstance(item, Truncated):
            if index != len(items) - 1:
                msg = "nothing can follow an unfinished tail"
                raise ValueError(msg)
            out.append(item.tail)
        elif isinstance(item, Comment):
            out.append(_line(":" + item.text, eol))
        else:
            out.append(_block(item, eol))
    body = b"".join(out)
    return BOM + body if body.startswith(BOM) else body  # a decoder strips one


def _block(item: Message | Silent, eol: str) -> bytes:
    lines = []
    if item.event is not None:
        lines.append(_line(f"event: {item.event}", eol))
    if item.id is not None:
        lines.append(_line(f"id: {item.id}", eol))
    if item.retry is not None:
        lines.append(_line(f"retry: {item.retry}", eol))
    lines.extend(_line(text, eol) for text in item.unknown)
    if isinstance(item, Message):
        lines.extend(_line(f"data: {text}", eol) for text in item.data.split("\n"))
    return b"".join(lines) + eol.encode()


def _line(text: str, eol: str) -> bytes:
    if "\n" in text or "\r" in text:
        msg = f"a field cannot hold a line end: {text[:40]!r}"
        raise ValueError(msg)
    return (text + eol).encode()
