"""Evidence of one answer, taken by a client that knows sockets and no HTTP library: bytes, borders, order, end."""

import socket
from dataclasses import replace
from time import perf_counter

from mock_server.replay import HOP_BY_HOP
from openapi.wire.exchange import End, Exchange, Framing, Headers, Read, Request
from openapi.wire.http1 import AnswerReader
from tests.mock_server.wire import Wire, encode

MADE_ANEW = HOP_BY_HOP | {"date", "content-length"}
ADDED = frozenset({"x-request-id", "access-control-allow-origin"})  # by the mock, where nobody else said them


def captured(url: str, request: Request, *, patience: float = 20.0, key: str | None = "any-key") -> Exchange:
    """What one request brings, read to the end of the answer, or to so many seconds of silence."""
    reader, started = AnswerReader(request.method), perf_counter()
    reads: list[Read] = []
    first: float | None = None
    end: End | None = None
    with Wire(url, patience) as wire:
        wire.send(encode(request, key))
        while not reader.complete and not reader.fault:
            try:
                data = wire.socket.recv(65536)
            except (TimeoutError, ConnectionError) as error:
                end = End.TIMEOUT if isinstance(error, TimeoutError) else End.RESET
                break
            at = perf_counter() - started
            first = at if first is None else first
            if not data:
                break
            if body := reader.feed(data):
                reads.append(Read(at, body))
    return _exchange(request, reader, tuple(reads), first, end or reader.close())


def _exchange(
    request: Request, reader: AnswerReader, reads: tuple[Read, ...], first: float | None, end: End
) -> Exchange:
    head = reader.head
    made = Exchange("captured", request, reads=reads, end=end, first_byte=first, oddities=reader.oddities)
    made = replace(made, error=reader.fault, ended_at=reads[-1].at if reads else 0.0)
    if head is None:
        return made
    chunks = tuple(reader.chunks) if reader.framing is Framing.CHUNKED else None
    return replace(made, status=head.status, headers=head.headers, framing=reader.framing, chunks=chunks)


def end_to_end(headers: Headers, known: Headers) -> Headers:
    """The headers that must be the same again, in their order; of what a mock adds only what was `known` before."""
    left_out = MADE_ANEW | (ADDED - {name.lower() for name, _ in known})
    return tuple(pair for pair in headers if pair[0].lower() not in left_out)


def open_port(url: str) -> tuple[str, int]:
    """Host and port of a base URL."""
    host, _, port = url.removeprefix("http://").rpartition(":")
    return host, int(port)


def connect(url: str, timeout: float = 10.0) -> socket.socket:
    """A bare connection."""
    return socket.create_connection(open_port(url), timeout)
