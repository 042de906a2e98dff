"""A client of sockets alone, for what no client of HTTP would show: the bytes of an answer, their times, its end."""

import json
import re
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import accumulate
from time import monotonic
from typing import Any

from openapi import json_text
from openapi.wire import sse
from tests.mock_server.capture import connect

KEY = "sk-relayproof-test-0123456789"
CHAT = "/v1/chat/completions"
FIN, RESET, OPEN = "fin", "reset", "open"
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
SILENCE = 2.5  # seconds behind which a connection is left open
_VARIES = re.compile(rb'(?<="created":)\d+|(?<=req_)\w+|(?<=chatcmpl-)\w+')
_SIZE = re.compile(rb"([0-9a-f]+)\r\n")


@dataclass(frozen=True)
class Ask:
    """One request. A dict as `body` is sent as JSON; `key` None sends none."""

    method: str = "POST"
    path: str = CHAT
    body: Any = None
    headers: tuple[tuple[str, str], ...] = ()
    key: str | None = f"authorization: Bearer {KEY}"
    media: str | None = "application/json"

    def with_header(self, name: str, value: str) -> "Ask":
        return replace(self, headers=(*self.headers, (name, value)))

    @property
    def bytes(self) -> bytes:
        body = (
            self.body if isinstance(self.body, bytes) else b"" if self.body is None else json.dumps(self.body).encode()
        )
        lines = [f"{self.method} {self.path} HTTP/1.1", "host: mock", "connection: close"]
        lines += [self.key] if self.key else []
        lines += [f"content-type: {self.media}"] if body and self.media else []
        lines += [f"content-length: {len(body)}"] if body else []
        lines += [f"{name}: {value}" for name, value in self.headers]
        return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


@dataclass(frozen=True)
class Came:
    """What one request brought: the reads with their times, in seconds, and the end."""

    reads: tuple[tuple[float, bytes], ...]
    end: str

    @cached_property
    def data(self) -> bytes:
        return b"".join(data for _, data in self.reads).removeprefix(GO_ON)

    @property
    def first_of_body(self) -> float:
        """When something stood behind the head, in seconds."""
        ends = accumulate(len(data) for _, data in self.reads)
        head = len(self.data) - len(self.rest)
        return next(at for (at, _), end in zip(self.reads, ends, strict=True) if end > head)

    @cached_property
    def _split(self) -> tuple[bytes, bytes]:
        end = re.search(rb"\r?\n\r?\n", self.data)
        return (self.data[: end.start()], self.data[end.end() :]) if end else (self.data, b"")

    @property
    def head(self) -> bytes:
        return self._split[0]

    @property
    def rest(self) -> bytes:
        """What stands behind the head, framing and all."""
        return self._split[1]

    @property
    def status(self) -> int:
        return int(self.data.split(b" ", 2)[1])

    def values(self, name: str) -> list[str]:
        """Of each line with this name, in any case."""
        pairs = (line.partition(b":") for line in self.head.split(b"\n")[1:])
        return [value.decode().strip() for key, _, value in pairs if key.strip().lower() == name.encode()]

    def value(self, name: str) -> str:
        return next(iter(self.values(name)), "")

    @property
    def names(self) -> list[str]:
        return [line.partition(b":")[0].decode() for line in self.head.split(b"\n")[1:]]

    @cached_property
    def chunks(self) -> list[bytes]:
        """The data of each chunk, as far as sizes can be read."""
        found, at = [], 0
        while size := _SIZE.match(self.rest, at):
            start, length = size.end(), int(size[1], 16)
            found.append(self.rest[start : start + length])
            at = start + length + 2
        return found

    @cached_property
    def body(self) -> bytes:
        """Without what frames it."""
        return b"".join(self.chunks) if "chunked" in self.values("transfer-encoding") else self.rest

    @cached_property
    def level(self) -> bytes:
        """The body without what differs from one answer to the next."""
        return _VARIES.sub(b"0", self.body)

    @cached_property
    def events(self) -> list[str]:
        """The data of its events."""
        return [item.data for item in sse.decode(self.level) if isinstance(item, sse.Message)]

    @property
    def json(self) -> dict[str, Any]:
        return json_text.read(self.body).object

    @property
    def error(self) -> Any:
        return self.json.get("error")

    @property
    def text(self) -> str:
        """What the deltas of its events spell."""
        found: list[Any] = [json_text.read(data).object.get("choices") for data in self.events]
        deltas = (choice.get("delta", {}) for choices in found for choice in choices or ())
        return "".join(delta.get("content") or "" for delta in deltas)

    @property
    def spread(self) -> float:
        """Seconds from the first read to the last."""
        return self.reads[-1][0] - self.reads[0][0]


def ask(url: str, wanted: Ask) -> Came:
    """Sends the bytes of a request and takes what comes, to the end or to a silence."""
    reads: list[tuple[float, bytes]] = []
    with connect(url, SILENCE) as client:
        began = monotonic()
        client.sendall(wanted.bytes)
        while True:
            try:
                data = client.recv(1 << 16)
            except TimeoutError:
                return Came(tuple(reads), OPEN)
            except ConnectionError:
                return Came(tuple(reads), RESET)
            if not data:
                return Came(tuple(reads), FIN)
            reads.append((monotonic() - began, data))
