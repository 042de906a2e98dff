"""One answer on its way through a proxy: each read goes on at once, and to the tape."""

import re
from collections import deque
from dataclasses import dataclass, field, replace
from itertools import accumulate
from time import perf_counter

from mock_server.recorder import Tape
from mock_server.respond import Clock, Raw
from mock_server.upstream import UpstreamError, without_connection
from openapi.wire import http1_out
from openapi.wire.exchange import End, Exchange, Framing, Headers, Read
from openapi.wire.http1 import AnswerReader

STREAM = 4 << 20  # bytes of an event stream that are kept while it passes: the tape has it line by line
WAITED = 16 << 20  # and of one that a fault is to change
BEGINNING = 1 << 20  # of an answer that is longer than what is kept: its beginning
ENDING = 64 << 10  # and its end
HEAD_END = re.compile(rb"\n\r?\n")
MOST_HEAD = 1 << 20  # bytes of interim heads before the one that counts
MOST = 64 << 20  # bytes of any other answer that are kept
READ = 128  # bytes that a read weighs beside its data
INTERIM = re.compile(rb"HTTP/\S+ 1(?!01)\d\d")  # RFC 9110 section 15.2


@dataclass
class Passing:
    """What came so far of an answer. `asked` is its exchange as far as it is known before anything came; with a
    `through` the bytes go on to the client there, with fields of ours (`told`) in the head; with a `tape` they are
    recorded. `reads` are all of the body, or of a long one the beginning; then `ending` is its end.
    """

    asked: Exchange
    clock: Clock
    tape: Tape | None = None
    through: Raw | None = None
    told: Headers = ()
    started: float = field(default_factory=perf_counter)
    reads: list[Read] = field(default_factory=list)
    first_byte: float | None = None
    size: int = 0  # bytes of the body
    ending: deque[bytes] = field(default_factory=deque)
    _head: bytearray = field(default_factory=bytearray)  # while it is not whole
    _gone: bool = False
    _heads: int = 0  # bytes that came before the head was whole
    _weight: int = 0  # of what is kept

    def __post_init__(self) -> None:
        self.reader = AnswerReader(self.asked.request.method)

    @property
    def over(self) -> bool:
        return self.reader.complete or self.reader.fault is not None

    @property
    def long(self) -> bool:
        """Whether the body is more than what is kept of it."""
        return self._weight > self._most

    @property
    def _most(self) -> int:
        """Bytes that are kept: a stream is on tape besides, which takes its time where a fault waits for all of it."""
        if not self._is_plain_stream:
            return MOST
        return STREAM if self.through else WAITED

    async def feed(self, data: bytes) -> None:
        """Bytes as the upstream sent them. Raises UpstreamError for an answer that does not end where it must."""
        at = round(perf_counter() - self.started, 6)
        self.first_byte = at if self.first_byte is None else self.first_byte
        had_head = self.reader.head is not None
        body = self.reader.feed(data)
        if self.tape and self.reader.head and not had_head:
            self.tape.head(self.exchange(End.COMPLETE))
        if not self.reader.head and not self.reader.fault:
            self._heads += len(data)
            if self._heads > MOST_HEAD:
                msg = f"no head came within {MOST_HEAD} bytes"
                raise UpstreamError(msg)
        if body:
            self._keep(Read(at, body))
        if self.through:
            await self._send(data, self.through)

    def drop(self) -> None:
        """Nothing comes that is worth a recording."""
        if self.tape:
            self.tape.drop()
            self.tape = None

    def exchange(self, end: End, error: str | None = None) -> Exchange:
        """What came, with this end."""
        head, reader = self.reader.head, self.reader
        return replace(
            self.asked,
            status=head.status if head else None,
            headers=head.headers if head else (),
            http=head.http if head else "1.1",
            framing=reader.framing if head else None,
            chunks=tuple(reader.chunks) if head and reader.framing is Framing.CHUNKED and not self.long else None,
            first_byte=self.first_byte,
            reads=tuple(self.reads),
            end=end,
            ended_at=round(perf_counter() - self.started, 6),
            error=error,
            oddities=reader.oddities,
        )

    def finish(self, end: End) -> None:
        """Ends the client's connection as the upstream's ended."""
        if self.through is None or self.clock.left:
            return
        if end is End.RESET:
            self.through.reset()
        else:
            known = self.reader.framing is not Framing.CLOSE and not self.reader.rest
            self.through.finish(keep_alive=end is End.COMPLETE and known)

    def _keep(self, read: Read) -> None:
        """Keeps what came, of a long body only the beginning and the end. Raises UpstreamError where all is needed."""
        was_long = self.long
        self.size += len(read.data)
        self._weight += len(read.data) + READ
        if self.tape:
            self.tape.read(read, stream=self._is_plain_stream)
        if not self.long:
            self.reads.append(read)
            return
        if not self.through:
            msg = f"its answer is larger than the {self._most} bytes that can be changed"
            raise UpstreamError(msg)
        self.reader.forget()
        if not was_long:
            ends = accumulate(len(one.data) + READ for one in self.reads)
            self.reads = [one for one, end in zip(self.reads, ends, strict=True) if end <= BEGINNING]
        self.ending.append(read.data)
        while sum(map(len, self.ending)) - len(self.ending[0]) >= ENDING:
            self.ending.popleft()

    async def _send(self, data: bytes, through: Raw) -> None:
        """The head goes on when it is whole, less what is about the upstream's connection, the rest as it comes."""
        if not self._gone:
            self._head += data
            if self.reader.head is None and not self.reader.fault:
                return
            data, self._gone = _for_the_client(bytes(self._head), self.told), True
            self._head.clear()
        self.clock.count(len(data))
        through.write(data)
        await through.drain()

    @property
    def _is_plain_stream(self) -> bool:
        head = self.reader.head
        kind = next(iter(head.values("content-type")), "") if head else ""
        return kind.lower().startswith("text/event-stream") and not (head and head.values("content-encoding"))


def _for_the_client(data: bytes, told: Headers) -> bytes:
    """What came up to the end of the head and behind it, without interim heads, and with fields of ours."""
    start = 0
    while found := HEAD_END.search(data, start):
        head = data[start : found.end()]
        if not INTERIM.match(head):
            status, _, fields = without_connection(head, {name for name, _ in told}).partition(b"\n")
            return status + b"\n" + http1_out.fields(told) + fields + data[found.end() :]
        start = found.end()
    return data[start:]
