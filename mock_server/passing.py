"""One answer on its way through a proxy: each read goes on at once, and to the tape."""

import logging
import re
from dataclasses import dataclass, field, replace
from time import perf_counter

from mock_server.recorder import Tape
from mock_server.respond import Clock, Raw
from mock_server.upstream import UpstreamError, without_connection
from openapi.wire.exchange import End, Exchange, Framing, Read
from openapi.wire.http1 import AnswerReader

logger = logging.getLogger(__name__)

HEAD_END = re.compile(rb"\n\r?\n")
MOST_HEAD = 1 << 20  # bytes of interim heads before the one that counts
MOST = 64 << 20  # bytes of an answer that are kept; more passes on, and makes no recording
READ = 128  # bytes that a read weighs beside its data
INTERIM = re.compile(rb"HTTP/\S+ 1(?!01)\d\d")  # RFC 9110 section 15.2


@dataclass
class Passing:
    """What came so far of an answer. `asked` is its exchange as far as it is known before anything came; with a
    `through` the bytes go on to the client there, with a `tape` they are recorded."""

    asked: Exchange
    clock: Clock
    tape: Tape | None = None
    through: Raw | None = None
    started: float = field(default_factory=perf_counter)
    reads: list[Read] = field(default_factory=list)
    first_byte: float | None = None
    _head: bytearray = field(default_factory=bytearray)  # while it is not whole
    _gone: bool = False
    _heads: int = 0  # bytes that came before the head was whole
    _weight: int = 0  # of what is kept

    def __post_init__(self) -> None:
        self.reader = AnswerReader(self.asked.request.method)

    @property
    def over(self) -> bool:
        return self.reader.complete or self.reader.fault is not None

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

    def _keep(self, read: Read) -> None:
        self._weight += len(read.data) + READ
        if self._weight <= MOST:
            self.reads.append(read)
            if self.tape:
                self.tape.read(read, stream=self._is_plain_stream)
            return
        if not self.through:
            msg = f"its answer is larger than the {MOST} bytes that can be changed"
            raise UpstreamError(msg)
        self.reads.clear()
        if self.tape:
            logger.warning("not recorded: an answer to %s of more than %d bytes", self.asked.operation, MOST)
        self.drop()

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
            chunks=tuple(reader.chunks) if head and reader.framing is Framing.CHUNKED else None,
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

    async def _send(self, data: bytes, through: Raw) -> None:
        """The head goes on when it is whole, less what is about the upstream's connection, the rest as it comes."""
        if not self._gone:
            self._head += data
            if self.reader.head is None and not self.reader.fault:
                return
            data, self._gone = _for_the_client(bytes(self._head)), True
            self._head.clear()
        self.clock.count(len(data))
        through.write(data)
        await through.drain()

    @property
    def _is_plain_stream(self) -> bool:
        head = self.reader.head
        kind = next(iter(head.values("content-type")), "") if head else ""
        return kind.lower().startswith("text/event-stream") and not (head and head.values("content-encoding"))


def _for_the_client(data: bytes) -> bytes:
    """What came up to the end of the head and behind it, without interim heads."""
    start = 0
    while found := HEAD_END.search(data, start):
        head = data[start : found.end()]
        if not INTERIM.match(head):
            return without_connection(head) + data[found.end() :]
        start = found.end()
    return data[start:]
