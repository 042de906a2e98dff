"""A client that sees the bytes: it sends what it is given and reads one answer, by its framing."""

import json
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter
from typing import Self
from urllib.parse import urlsplit

from openapi.wire.exchange import End, Request
from openapi.wire.http1 import AnswerReader, Head


@dataclass
class Seen:
    """One answer as it came over the socket: the reads with their times, the chunk sizes, the end."""

    reader: AnswerReader
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    end: End | None = None

    @property
    def head(self) -> Head:
        assert self.reader.head, "no head came"
        return self.reader.head

    @property
    def status(self) -> int:
        return self.head.status

    @property
    def body(self) -> bytes:
        return b"".join(data for _, data in self.reads)

    @property
    def chunks(self) -> tuple[int, ...]:
        return tuple(self.reader.chunks)

    def header(self, name: str) -> str | None:
        return next(iter(self.head.values(name)), None)

    def error(self) -> dict[str, object]:
        """The members of the error envelope."""
        error = json.loads(self.body)["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert isinstance(error, dict)
        return error


class Wire:
    """A connection to a mock. Bytes go out as they are given; `answer` reads one answer."""

    def __init__(self, url: str, timeout: float = 20.0) -> None:
        target = urlsplit(url)
        self.socket = socket.create_connection((target.hostname or "", target.port or 0), timeout)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> None:
        self.socket.sendall(data)

    def answer(self, method: str = "POST", *, until_close: bool = False) -> Seen:
        seen, started, reset = Seen(AnswerReader(method)), perf_counter(), False
        while until_close or not seen.reader.complete:
            try:
                data = self.socket.recv(65536)
            except ConnectionResetError:
                reset, data = True, b""
            if not data:
                break
            body = seen.reader.feed(data)
            if body:
                seen.reads.append((perf_counter() - started, body))
        seen.end = seen.reader.close(reset=reset)
        return seen


def encode(request: Request, key: str | None = "any-key") -> bytes:
    """A request as HTTP/1.1. `key` None sends none."""
    fields = [f"{request.method} {request.path} HTTP/1.1", "host: mock"]
    fields += [f"{name}: {value}" for name, value in request.headers]
    fields += [f"authorization: Bearer {key}"] if key is not None else []
    fields += [f"content-length: {len(request.body)}"] if request.body is not None else []
    return ("\r\n".join(fields) + "\r\n\r\n").encode() + (request.body or b"")


Ask = Callable[..., Seen]
