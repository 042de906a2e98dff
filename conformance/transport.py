"""One request to one relay, and every byte that came back: the only module of the suite that opens a socket.

httpx2 does the networking (TLS, proxies, time-outs). It would hide what a relay gets wrong, so its network backend is
wrapped: each decrypted read is kept with its time, and our own reader (`openapi.wire.http1`) says what the framing was.
Every request has a connection of its own: a server may close an idle one, and that must never look like a fault. What
becomes of a connection that is kept open is a question of its own, which `Transport.line` asks.
"""

import asyncio
import socket
import ssl
import time
from collections.abc import AsyncIterator, Callable
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
from openapi.wire.clearing import cleared
from openapi.wire.exchange import Auth, End, Exchange, Framing, Headers, Read, Request
from openapi.wire.http1 import FRAMING_FAULT, AnswerReader
from openapi.wire.redaction import MARK, Redactor, mark
from openapi.wire.secrets import is_secret_header

MAX_BODY = 32 << 20  # bytes; what is cut off decides nothing
MAX_HEAD = 100 << 10  # bytes; httpcore2 gives up on a longer one
SETTLED = 0.1  # seconds behind an answer in which a relay that ends the connection has ended it
KEPT = 600.0  # seconds that we keep a connection: longer than any relay does
USER_AGENT = "relayproof"
KEY_HEADERS = frozenset({"x-api-key", "api-key", "x-goog-api-key"})  # in which a relay may look for the key itself
KEY_HERE = mark(0)  # in a header of a probe: where the key is to stand, if not in a bearer's; and so it is written down
WRONG_KEY = "sk-relayproof-wrong-0123456789abcdef0123456789"


class UnreachableError(Exception):
    """No connection to the relay; the message is one line."""


class _TooLongError(Exception):
    """More came than is read."""


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
    size: int | None = None  # bytes of an answer, head and framing too, MAX_BODY unless said; the rest is cut off by us


@dataclass(slots=True)
class _Tape:
    """What the tap heard on one connection: when the request was out, each read with its time, and how far it came.

    `asked` says that the relay itself was written to, not only a proxy before it; `over` that the other side closed.
    """

    most: int = MAX_BODY  # bytes
    sent_at: float = field(default_factory=time.perf_counter)
    reads: list[tuple[float, bytes]] = field(default_factory=list)
    size: int = 0
    asked: bool = False
    over: bool = False
    kept: bool = False  # it was to go over a connection that had been used before
    fresh: bool = False  # a connection was made for it

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
        if self.size > self.most:
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
        _tape.get().fresh = True
        return _TappedStream(await self._inner.connect_tcp(*args, **named))


Permits = Callable[[str, str], bool]
"""Whether a host may be reached at an address."""


class _Guarded(httpcore2.AsyncNetworkBackend):
    """Looks a name up once, looks at each address, and connects to one of those: nobody can tell it another between."""

    def __init__(self, inner: httpcore2.AsyncNetworkBackend, permits: Permits) -> None:
        self._inner = inner
        self._permits = permits

    async def connect_tcp(self, host: str, port: int, *args: Any, **named: Any) -> httpcore2.AsyncNetworkStream:  # noqa: ANN401
        addresses = await _addresses(host, port)
        refused = next((address for address in addresses if not self._permits(host, address)), None)
        if refused is not None:
            where = f"{host} is" if host == refused else f"{host} is at {refused}, which is"
            msg = f"{where} no public address"
            raise httpcore2.ConnectError(msg)
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, *args, **named)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return await self._inner.connect_tcp(addresses[-1], port, *args, **named)


async def _addresses(host: str, port: int) -> list[str]:
    """The addresses of a host, at least one. Raises ConnectError."""
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        msg = f"no address of {host}: {error}"
        raise httpcore2.ConnectError(msg) from None
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class _TappedTransport(httpx2.AsyncHTTPTransport):
    def __init__(
        self, verify: ssl.SSLContext, proxy: str | None = None, *, keeps: int = 0, permits: Permits | None = None
    ) -> None:
        limits = httpx2.Limits(max_keepalive_connections=keeps, keepalive_expiry=KEPT)
        super().__init__(verify=verify, limits=limits, proxy=proxy)
        pool: Any = self._pool
        backend = pool._network_backend  # noqa: SLF001 - it takes no backend; a test guards this
        pool._network_backend = _Tap(_Guarded(backend, permits) if permits else backend)  # noqa: SLF001


@asynccontextmanager
async def connected(link: Link) -> AsyncIterator["Transport"]:
    """A transport for one target. Raises ConfigurationError for a CA file or a proxy that cannot be used."""
    context = _ssl_context(link.ca_file)
    proxy = link.proxy or _environment_proxy(link.base)

    def client(keeps: int) -> httpx2.AsyncClient:
        return _client(_TappedTransport(context, _proxy(proxy) if proxy else None, keeps=keeps))

    try:
        first = client(0)
    except (ValueError, httpx2.InvalidURL):
        msg = "the proxy cannot be used: expected a URL like http://127.0.0.1:7890"  # it may hold a password
        raise ConfigurationError(msg) from None
    async with first:
        yield Transport(first, link, client)


def _client(transport: _TappedTransport) -> httpx2.AsyncClient:
    no_cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))  # no request knows of the one before
    return httpx2.AsyncClient(transport=transport, cookies=no_cookies, trust_env=False, follow_redirects=False)


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


def redactor_of(link: Link) -> Redactor:
    """What takes the secrets of a link out of evidence."""
    secret = [value for name, value in link.headers if is_secret_header(name)]
    return Redactor([*filter(None, [link.key]), WRONG_KEY, *secret])


class Transport:
    """Sends requests and returns what happened. It never raises for what a relay does."""

    def __init__(self, client: httpx2.AsyncClient, link: Link, another: Callable[[int], httpx2.AsyncClient]) -> None:
        self.client = client
        self.link = link
        self._another = another
        self.redactor = redactor_of(link)

    @property
    def _most(self) -> int:
        return self.link.size or MAX_BODY

    @asynccontextmanager
    async def line(self) -> AsyncIterator["Transport"]:
        """The same relay over one connection, kept open from request to request as far as the relay lets it."""
        async with self._another(1) as client:
            yield Transport(client, self.link, self._another)

    @asynccontextmanager
    async def stranger(self, permits: Permits, *, size: int) -> AsyncIterator["Transport"]:
        """A transport for URLs of anybody's: it has no key, no header of the user's and no proxy, connects where
        `permits` lets it, and reads so many bytes. What it returns is free of our secrets all the same."""
        context = _ssl_context(None)
        if self.link.ca_file:
            context.load_verify_locations(self.link.ca_file)

        def client(keeps: int) -> httpx2.AsyncClient:
            return _client(_TappedTransport(context, keeps=keeps, permits=permits))

        async with client(0) as one:
            transport = Transport(one, Link("", size=size), client)
            transport.redactor = self.redactor
            yield transport

    async def send(self, request: Request, *, total: float | None = None, idle: float | None = None) -> Exchange:
        """One exchange, secrets already out of it. Raises UnreachableError where no connection came about."""
        return await self._send(request, _Tape(self._most), total, idle)

    async def again(self, request: Request, *, total: float | None = None, idle: float | None = None) -> Exchange:
        """The second request of a line, or one behind it; the exchange says whether it went over the same connection.

        It waits a little, so that a connection that the relay ends behind its answer has ended.
        """
        await asyncio.sleep(SETTLED)
        tape = _Tape(self._most, kept=True)
        exchange = await self._send(request, tape, total, idle)
        return replace(exchange, reused=not tape.fresh)

    async def _send(self, request: Request, tape: _Tape, total: float | None, idle: float | None) -> Exchange:
        token = _tape.set(tape)
        sent = datetime.now(UTC)
        try:
            end, error = await self._drive(request, tape, total or self.link.total, idle or self.link.idle)
        finally:
            _tape.reset(token)
        ended_at = time.perf_counter() - tape.sent_at
        exchange = _exchange(request, tape, end, error, ended_at)
        stamp = sent.isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return cleared(replace(exchange, sent=stamp, request=self._shown(request)), self.redactor)

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
            if not tape.asked and not (tape.kept and not tape.fresh):
                raise UnreachableError(self.redactor.text(_plain(error))) from None
            return _broken_off(error, total, idle, self._most)
        return None, None

    def _headers(self, request: Request) -> list[tuple[str, str]]:
        headers = [("accept-encoding", "identity"), ("user-agent", USER_AGENT)]
        said = {name for name, _ in (*self.link.headers, *request.headers)}
        headers = [pair for pair in headers if pair[0] not in said]
        asked, key = self._asked(request), self._key(request)
        headers += [*((name, value.replace(KEY_HERE, key)) for name, value in asked), *self._extra(request)]
        if key and not any(KEY_HERE in value for _, value in asked):
            headers.append(("authorization", f"Bearer {key}"))
        return headers

    def _key(self, request: Request) -> str:
        """The key that goes out with a request, empty for none."""
        if request.auth is Auth.NONE:
            return ""
        return WRONG_KEY if request.auth is Auth.WRONG else self.link.key or ""

    def _asked(self, request: Request) -> Headers:
        """The headers of the probe, less those that the user said otherwise and those for a key that there is not."""
        given = {name for name, _ in self.link.headers}
        headers = (*request.headers, *(() if request.header("accept") else (("accept", "application/json"),)))
        keyless = not self._key(request)
        return tuple(pair for pair in headers if pair[0] not in given and not (keyless and KEY_HERE in pair[1]))

    def _extra(self, request: Request) -> Headers:
        """The headers of the user. One that holds a key would let in a request that is to have none, or a wrong one."""
        keyless = request.auth in {Auth.NONE, Auth.WRONG}
        return tuple(pair for pair in self.link.headers if not (keyless and pair[0] in KEY_HEADERS))

    def _shown(self, request: Request) -> Request:
        """The request as it is written down: without the key, and without the values of headers that hold one."""
        extra = [(name, MARK + "]" if is_secret_header(name) else value) for name, value in self._extra(request)]
        auth = request.auth
        if auth is Auth.VALID and not self.link.key:
            auth = None  # there is no key: nothing can be said about it
        return replace(request, headers=(*self._asked(request), *extra), auth=auth)


def _broken_off(error: Exception, total: float, idle: float, size: int) -> tuple[End | None, str | None]:
    """What an error on a connection that stood says about the end, None where the bytes must say it."""
    match error:
        case TimeoutError():
            return End.TIMEOUT, f"no end within {total:g} s"
        case httpx2.TimeoutException():
            return End.TIMEOUT, f"no byte for {idle:g} s"
        case _TooLongError():
            return End.CLIENT_ABORTED, f"the answer is longer than {size} bytes: not read further"
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
        oddities=reader.oddities,
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
