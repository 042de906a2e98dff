"""A live relay, spoken to over a socket of our own: its answers come as the bytes that they are."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from mock_server.asking import keys_of
from mock_server.replay import HOP_BY_HOP
from openapi.wire.exchange import Headers

CONNECT = 15.0  # seconds
LEFT_OUT = HOP_BY_HOP | {"host", "content-length", "expect"}


class UpstreamError(Exception):
    """No connection came about, or no answer that can be passed on; the message is one line."""


class Reader(asyncio.StreamReader):
    """What an upstream sent is read to the end also where it then broke the connection: one that refuses a request
    before it is whole sends its answer, and a reset behind it."""

    broken: Exception | None = None

    def set_exception(self, exc: Exception) -> None:
        self.broken = exc
        self.feed_eof()


class AddressError(ValueError):
    """What is no base URL of a relay."""


@dataclass(frozen=True, slots=True)
class Upstream:
    """Where a relay is. `prefix` is the path before `/v1`; with a `key` that goes there in place of the client's."""

    host: str
    port: int
    tls: bool
    prefix: str = ""
    key: str | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"{'https' if self.tls else 'http'}://{self.authority}{self.prefix}"

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.tls else 80) else f"{host}:{self.port}"

    def request(self, method: str, target: str, headers: Headers, body: bytes) -> bytes:
        """A request as it goes there: end to end fields in their order, the key theirs or ours."""
        kept = [(name, value) for name, value in headers if _goes_on(name)]
        if self.key is not None:
            kept = [(name, value) for name, value in kept if not keys_of(((name, value),))]
            kept.append(("authorization", f"Bearer {self.key}"))
        fields = [("host", self.authority), *kept]
        if body or method not in {"GET", "HEAD", "OPTIONS", "DELETE"}:
            fields.append(("content-length", str(len(body))))
        lines = [f"{method} {self.prefix}{target} HTTP/1.1", *(f"{name}: {value}" for name, value in fields)]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[tuple[Reader, asyncio.StreamWriter]]:
        """A connection of its own for one request. Raises UpstreamError."""
        context = ssl.create_default_context() if self.tls else None
        try:
            async with asyncio.timeout(CONNECT):
                reader, writer = await self._open(context)
        except (OSError, TimeoutError, UnicodeError) as error:
            text = str(error).strip() or "no connection in time"
            raise UpstreamError(" ".join(text.split())[:200]) from error
        try:
            yield reader, writer
        finally:
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _open(self, context: ssl.SSLContext | None) -> tuple[Reader, asyncio.StreamWriter]:
        loop = asyncio.get_running_loop()
        reader = Reader(loop=loop)
        protocol = asyncio.StreamReaderProtocol(reader, loop=loop)
        transport, _ = await loop.create_connection(lambda: protocol, self.host, self.port, ssl=context)
        return reader, asyncio.StreamWriter(transport, protocol, reader, loop)


def _goes_on(name: str) -> bool:
    lower = name.lower()
    return lower not in LEFT_OUT and not lower.startswith("x-relay-")


def parse(url: str, key: str | None = None) -> Upstream:
    """From a base URL, with or without a final `/v1`. Raises AddressError."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        msg = f"{url!r} is no URL: {error}"
        raise AddressError(msg) from error
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        msg = f"{url!r} is no base URL: expected one like https://relay.example/v1"
        raise AddressError(msg)
    if parts.query or parts.fragment or parts.username is not None:
        msg = "a base URL has no query, fragment or user"
        raise AddressError(msg)
    if not (url.isascii() and url.isprintable()) or " " in url:
        msg = f"{url!r} is no base URL: it has characters that no request can say"
        raise AddressError(msg)
    if key is not None and not (key.isascii() and key.isprintable()):
        msg = "the key has characters that no header can hold"
        raise AddressError(msg)
    tls = parts.scheme == "https"
    prefix = parts.path.rstrip("/").removesuffix("/v1")
    return Upstream(parts.hostname, port or (443 if tls else 80), tls, prefix, key)


def without_connection(head: bytes, names: Collection[str] = ()) -> bytes:
    """The lines of a head as they came, less those that are about the upstream's connection, or have these names."""
    out = OF_CONNECTION.union(name.encode("latin-1") for name in names)
    return b"\n".join(line for line in head.split(b"\n") if line.partition(b":")[0].strip().lower() not in out)


OF_CONNECTION = frozenset({b"connection", b"keep-alive", b"proxy-connection", b"upgrade"})
