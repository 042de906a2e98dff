"""One request to one relay, and every byte that came back: the only module of the suite that opens a socket.

httpx2 does the networking (TLS, proxies, time-outs). It would hide what a relay gets wrong, so its network backend is
wrapped: each decrypted read is kept with its time, and our own reader (`openapi.wire.http1`) says what the framing was.
Every request has a connection of its own: a server may close an idle one, and that must never look like a fault.
"""

import asyncio
import ssl
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import httpcore2
import httpx2

from conformance.target import ConfigurationError, is_loopback
from openapi.wire.exchange import Auth, End, Exchange, Framing, Headers, Read, Request
from openapi.wire.http1 import FRAMING_FAULT, AnswerReader
from openapi.wire.redaction import MARK, Redactor

MAX_BODY = 32 << 20  # bytes, head and framing too; what is longer is cut off by us, and so decides nothing
MAX_HEAD = 100 << 10  # bytes; httpcore2 gives up on a longer one
USER_AGENT = "relayproof"
SECRET_HEADERS = ("auth", "key", "token", "secret", "cookie")
KEY_HEADERS = frozenset({"x-api-key", "api-key", "x-goog-api-key"})  # in which a relay may look for the key itself
WRONG_KEY = "sk-relayproof-wrong-0123456789abcdef0123456789"


class UnreachableError(Exception):
    """No connection to the relay; the message is one line."""


class _TooLongError(Exception):
    """More than MAX_BODY came."""


@dataclass(frozen=True, slots=True)
class Link:
    """How a target is reached. Times are seconds; `idle` bounds the silence between reads, `total` the whole."""

    base: str
    key: str | None = field(default=None, repr=False)
    headers: Headers = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)
    ca_file: str | None = None
    total: float = 120.0
    idle: float = 60.0
    connect: float = 15.0


@dataclass(slots=True)
class _Tape:
    """What the tap heard on one connection: when the request was out, each read with its time, and how far it came.

    `asked` says that the relay itself was written to, not only a proxy before it; `over` that the other side closed.
    """

    sent_at: float = field(default_factory=time.perf_counter)
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    size: int = 0
    asked: bool = False
    over: bool = False

    def wrote(self, data: bytes) -> None:
        if not data:
            return
        self.asked = self.asked or not data.startswith(b"CONNECT ")
        if not self.reads:
            self.sent_at = time.perf_counter()

    def read(self, data: bytes) -> None:
        if not data:
            self.over = True
            return
        self.reads.append((time.perf_counter(), data))
        self.size += len(data)
        if self.size > MAX_BODY:
            raise _TooLongError

    def restart(self) -> None:
        """What came before TLS was the proxy's own talk."""
        self.reads.clear()
        self.size = 0


_tape: ContextVar[_Tape] = ContextVar("tape")


class _TappedStream(httpcore2.AsyncNetworkStream):
    def __init__(self, inner: httpcore2.AsyncNetworkStream) -> None:
        self._inner = inner

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - its interface
        data = await self._inner.read(max_bytes, timeout)
        _tape.get().read(data)
        return data

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        await self._inner.write(buffer, timeout)
        _tape.get().wrote(buffer)

    async def aclose(self) -> None:
        await self._inner.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        try:
            inner = await self._inner.start_tls(ssl_context, server_hostname, timeout)
        except asyncio.CancelledError:  # httpcore2 leaves the socket open then
            await self._inner.aclose()
            raise
        _tape.get().restart()
        return _TappedStream(inner)

    def get_extra_info(self, info: str) -> Any:  # noqa: ANN401
        return self._inner.get_extra_info(info)


class _Tap(httpcore2.AsyncNetworkBackend):
    def __init__(self, inner: httpcore2.AsyncNetworkBackend) -> None:
        self._inner = inner

    async def connect_tcp(self, *args: Any, **named: Any) -> httpcore2.AsyncNetworkStream:  # noqa: ANN401
        return _TappedStream(await self._inner.connect_tcp(*args, **named))


class _TappedTransport(httpx2.AsyncHTTPTransport):
    def __init__(self, verify: ssl.SSLContext, proxy: str | None = None) -> None:
        limits = httpx2.Limits(max_keepalive_connections=0)
        super().__init__(verify=verify, limits=limits, proxy=proxy)
        pool: Any = self._pool
        pool._network_backend = _Tap(pool._network_backend)  # noqa: SLF001 - it takes no backend; a test guards this


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator["Transport"]:
    """A transport for one target. Raises ConfigurationError for a CA file or a proxy that cannot be used."""
    context = _ssl_context(link.ca_file)
    proxy = link.proxy or _environment_proxy(link.base)
    try:
        transport = _TappedTransport(context, _proxy(proxy) if proxy else None)
    except (ValueError, httpx2.InvalidURL):
        msg = "the proxy cannot be used: expected a URL like http://127.0.0.1:7890"  # it may hold a password
        raise ConfigurationError(msg) from None
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # no request knows of the one before
    client = httpx2.AsyncClient(transport=transport, cookies=no_cookies, trust_env=False, follow_redirects=False)
    async with client:
        yield Transport(client, link)


def _ssl_context(ca_file: str | None) -> ssl.SSLContext:
    try:
        return httpx2.create_ssl_context() if ca_file is None else ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        what = f"the CA file {ca_file}" if ca_file else "what SSL_CERT_FILE or SSL_CERT_DIR names"
        msg = f"{what} cannot be used: {error}"
        raise ConfigurationError(msg) from None


def _proxy(url: str) -> str:
    """Raises ValueError for what is no HTTP proxy: of SOCKS the talk before the answer would read as the answer."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError(url)
    return url


def _environment_proxy(base: str) -> str | None:
    """HTTP_PROXY and its like, less what NO_PROXY names, and never for a loopback: no other machine has ours."""
    parts = urlsplit(base)
    if is_loopback(base) or proxy_bypass(parts.netloc):
        return None
    found = getproxies()
    proxy = found.get(parts.scheme) or found.get("all")
    return proxy if not proxy or "://" in proxy else f"http://{proxy}"


class Transport:
    """Sends requests and returns what happened. It never raises for what a relay does."""

    def __init__(self, client: httpx2.AsyncClient, link: Link) -> None:
        self.client = client
        self.link = link
        secret = [value for name, value in link.headers if _is_secret(name)]
        self.redactor = Redactor([*filter(None, [link.key]), WRONG_KEY, *secret])

    async def send(self, request: Request, *, total: float | None = None, idle: float | None = None) -> Exchange:
        """One exchange, secrets already out of it. Raises UnreachableError where no connection came about."""
        tape = _Tape()
        token = _tape.set(tape)
        sent = datetime.now(UTC)
        try:
            end, error = await self._drive(request, tape, total or self.link.total, idle or self.link.idle)
        finally:
            _tape.reset(token)
        ended_at = time.perf_counter() - tape.sent_at
        exchange = _exchange(request, tape, end, error, ended_at)
        stamp = sent.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return self._redacted(replace(exchange, sent=stamp, request=self._shown(request)))

    async def _drive(self, request: Request, tape: _Tape, total: float, idle: float) -> tuple[End | None, str | None]:
        """Reads the answer to its end. Returns how we ended it (None: it ended) and what went wrong, in our words."""
        timeout = httpx2.Timeout(idle, connect=self.link.connect)
        url = self.link.base + request.path
        try:
            async with (
                asyncio.timeout(total),
                self.client.stream(
                    request.method, url, headers=self._headers(request), content=request.body, timeout=timeout
                ) as response,
            ):
                async for _ in response.aiter_raw():
                    pass  # the tap has it
        except (httpx2.InvalidURL, httpx2.LocalProtocolError) as error:
            msg = f"the request cannot be sent: {self.redactor.text(_plain(error))}"
            raise ConfigurationError(msg) from None
        except (TimeoutError, _TooLongError, httpx2.TransportError) as error:
            if not tape.asked:
                raise UnreachableError(self.redactor.text(_plain(error))) from None
            return _broken_off(error, total, idle)
        return None, None

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        headers = [("accept-encoding", "identity"), ("user-agent", USER_AGENT)]
        said = {name for name, _ in (*self.link.headers, *request.headers)}
        headers = [pair for pair in headers if pair[0] not in said]
        headers += [*self._asked(request), *self._extra(request)]
        key = WRONG_KEY if request.auth is Auth.WRONG else self.link.key
        if key and request.auth is not Auth.NONE:
            headers.append(("authorization", f"Bearer {key}"))
        return headers

    def _asked(self, request: Request) -> Headers:
        """The headers of the probe, less those that the user said otherwise."""
        given = {name for name, _ in self.link.headers}
        headers = (*request.headers, ("accept", "application/json"))
        return tuple(pair for pair in headers if pair[0] not in given)

    def _extra(self, request: Request) -> Headers:
        """The headers of the user. One that holds a key would let in a request that is to have none, or a wrong one."""
        keyless = request.auth in {Auth.NONE, Auth.WRONG}
        return tuple(pair for pair in self.link.headers if not (keyless and pair[0] in KEY_HEADERS))

    def _shown(self, request: Request) -> Request:
        """The request as it is written down: without the key, and without the values of headers that hold one."""
        extra = [(name, MARK + "]" if _is_secret(name) else value) for name, value in self._extra(request)]
        auth = request.auth
        if auth is Auth.VALID and not self.link.key:
            auth = None  # there is no key: nothing can be said about it
        return replace(request, headers=(*self._asked(request), *extra), auth=auth)

    def _redacted(self, exchange: Exchange) -> Exchange:
        """Without the secrets. A compressed body that holds one is kept decoded."""
        decoded = exchange.content_reads
        if decoded is not exchange.reads:
            clear = self._clear(decoded, stream=exchange.is_stream)
            if clear != decoded:
                headers = tuple(pair for pair in exchange.headers if pair[0].lower() != "content-encoding")
                exchange = replace(exchange, reads=clear, headers=headers, chunks=None)
        reads = self._clear(exchange.reads, stream=exchange.is_stream)
        if sum(len(read.data) for read in reads) != len(exchange.body):
            exchange = replace(exchange, chunks=None)
        text = self.redactor.text
        headers = tuple((text(name), text(value)) for name, value in exchange.headers)
        return replace(exchange, reads=reads, headers=headers, error=exchange.error and text(exchange.error))

    def _clear(self, reads: tuple[Read, ...], *, stream: bool) -> tuple[Read, ...]:
        pieces = [read.data for read in reads]
        clear = self.redactor.pieces(pieces)
        if stream:
            clear = self.redactor.events(clear)
        return tuple(Read(read.at, data) for read, data in zip(reads, clear, strict=True))


def _broken_off(error: Exception, total: float, idle: float) -> tuple[End | None, str | None]:
    """What an error on a connection that stood says about the end, None where the bytes must say it."""
    match error:
        case TimeoutError():
            return End.TIMEOUT, f"no end within {total:g} s"
        case httpx2.TimeoutException():
            return End.TIMEOUT, f"no byte for {idle:g} s"
        case _TooLongError():
            return End.CLIENT_ABORTED, f"the answer is longer than {MAX_BODY} bytes: not read further"
        case httpx2.NetworkError():
            return End.RESET, None
    return None, str(error)


def _exchange(request: Request, tape: _Tape, end: End | None, error: str | None, ended_at: float) -> Exchange:
    reader = AnswerReader(request.method)
    reads: list[Read] = []
    for at, data in tape.reads:
        body = reader.feed(data)
        if body:
            reads.append(Read(_seconds(at - tape.sent_at), body))
    known = reader.complete  # by what it says of its length, not by the end of the connection
    closed, error = _ending(reader, tape, end, error)
    head = reader.head
    return Exchange(
        id="",
        request=request,
        status=head.status if head else None,
        headers=head.headers if head else (),
        reads=tuple(reads),
        end=closed,
        ended_at=_seconds(tape.reads[-1][0] - tape.sent_at if known and closed is End.COMPLETE else ended_at),
        http=head.http if head else "1.1",
        framing=reader.framing if head else None,
        chunks=tuple(reader.chunks) if head and reader.framing is Framing.CHUNKED else None,
        first_byte=_seconds(tape.reads[0][0] - tape.sent_at) if tape.reads else None,
        error=error,
    )


def _ending(reader: AnswerReader, tape: _Tape, end: End | None, error: str | None) -> tuple[End, str | None]:
    """How the answer ended, and what is to be said of it: by the bytes first, then by who ended it."""
    if reader.fault:
        return End.TRUNCATED, FRAMING_FAULT + reader.fault
    if end is None and error and not tape.over:  # the library went no further, and nobody had closed
        if reader.head is None and tape.size > MAX_HEAD:
            return End.CLIENT_ABORTED, f"the head is longer than {MAX_HEAD} bytes: not read further"
        return End.TRUNCATED, f"{FRAMING_FAULT}a client refuses it: {error}"
    if end in {End.TIMEOUT, End.CLIENT_ABORTED} and not reader.complete:
        return end, error
    closed = reader.close(reset=end is End.RESET)
    return closed, None if closed is End.COMPLETE else error or "the connection ended before the answer did"


def _seconds(value: float) -> float:
    return round(max(value, 0.0), 6)


def _is_secret(header: str) -> bool:
    return any(part in header.lower() for part in SECRET_HEADERS)


def _plain(error: BaseException) -> str:
    """One line about an error of the network, from the innermost cause that says something."""
    if isinstance(error, TimeoutError | httpx2.TimeoutException):
        return "no connection in time"
    chain: list[str] = []
    seen: BaseException | None = error
    while seen is not None:
        chain.append(str(seen))
        seen = seen.__cause__ or seen.__context__
    text = next((text for text in reversed(chain) if text), type(error).__name__)
    return " ".join(text.split())[:300]
