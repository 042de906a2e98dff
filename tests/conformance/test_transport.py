"""The transport against real sockets: nothing that a relay does raises, and the evidence is what it sent."""

import asyncio
import gzip
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from conformance import transport
from conformance.probes import PROBES
from conformance.target import ConfigurationError
from conformance.transport import KEY_HERE, WRONG_KEY, Link, UnreachableError, connected
from openapi.wire.exchange import Auth, End, Exchange, Framing, Request
from openapi.wire.http1 import BARE_LF, FOLDED, FRAMING_FAULT, NO_SPACE, SURPLUS
from openapi.wire.redaction import MARK
from tests.system.hostile import (
    JSON,
    SSE,
    Connection,
    Relay,
    bomb,
    chunk,
    chunked,
    drips,
    floods,
    forwards,
    head,
    read_request,
    said,
    self_signed,
    sends,
    serving,
    whole,
)

KEY = "sk-relayproof/a-test+key-0123456789"
ASKED = Request("POST", "/v1/chat/completions", (("content-type", "application/json"),), Auth.VALID, b'{"a":1}')
PLAIN_KEY = "sk-relayproof-a-test-key-0123456789"
GOOD = chunked(b'{"a":', b'"b"}')


def sent(link: Link, request: Request = ASKED, **limits: float) -> Exchange:
    async def send() -> Exchange:
        async with connected(link) as one:
            return await one.send(request, **limits)

    return asyncio.run(send())


def answered(
    relay: Relay | bytes, *, unread: bool = False, request: Request = ASKED, key: str = KEY, **limits: float
) -> Exchange:
    """What the transport makes of a relay, or of a relay that sends these bytes and closes."""
    with serving(sends(relay) if isinstance(relay, bytes) else relay, unread=unread) as server:
        return sent(Link(server.url, key, total=5, idle=5), request, **limits)


@contextmanager
def silent_port() -> Iterator[int]:
    """A port that accepts connections and does nothing with them."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield listener.getsockname()[1]


# --- the tap --------------------------------------------------------------------------------------------------------


def test_the_tap_sees_every_byte_of_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that guards `_pool._network_backend`: without the tap no byte would be seen."""
    seen: list[bytes] = []
    read = transport._Tape.read

    def listen(tape: transport._Tape, data: bytes) -> None:
        seen.append(data)
        read(tape, data)

    monkeypatch.setattr(transport._Tape, "read", listen)
    data = b"HTTP/1.1 103 Early\r\nLink: a\r\n\r\n" + chunked(b"a" * 100_000, bytes(range(256))) + b"behind it"
    exchange = answered(data)
    assert data.startswith(b"".join(seen))
    assert len(b"".join(seen)) >= len(data) - len(b"behind it")
    assert exchange.body == b"a" * 100_000 + bytes(range(256))


def test_chunks_framing_and_headers_are_what_the_server_sent() -> None:
    lines = (SSE, "x-Odd-CASE:  spaced out \t", "X-Twice: 1", "X-Twice: 2")
    exchange = answered(chunked(b"data: 1\n\n", b"d", b"ata: 2\n\n", lines=lines))
    assert (exchange.status, exchange.http, exchange.framing) == (200, "1.1", Framing.CHUNKED)
    assert exchange.chunks == (9, 1, 8, 0)
    assert exchange.headers[:-1] == (
        ("Content-Type", "text/event-stream"),
        ("x-Odd-CASE", "spaced out"),
        ("X-Twice", "1"),
        ("X-Twice", "2"),
    )
    assert (exchange.end, exchange.error) == (End.COMPLETE, None)


def test_reads_keep_their_times_in_order() -> None:
    def slow(connection: Connection) -> None:
        connection.send(head(200, SSE, "Transfer-Encoding: chunked"))
        for number in range(4):
            connection.wait(0.1)
            connection.send(chunk(b"data: %d\n\n" % number))
        connection.wait(0.1)
        connection.send(b"0\r\n\r\n")

    exchange = answered(slow)
    times = [exchange.first_byte or 0.0, *(read.at for read in exchange.reads), exchange.ended_at]
    assert exchange.body == b"".join(b"data: %d\n\n" % number for number in range(4))
    assert len(exchange.reads) > 1  # 4, unless the machine is busy
    assert all(a < b for a, b in pairwise(times)), times
    assert 0.3 < times[-1] - times[0] < 5
    assert exchange.sent.endswith("Z")


@pytest.mark.parametrize(
    ("data", "framing", "body"),
    [
        (whole(200, "{}"), Framing.CONTENT_LENGTH, b"{}"),
        (head(200, JSON) + b"{}", Framing.CLOSE, b"{}"),
        (b"HTTP/1.0 200 OK\r\n\r\nx", Framing.CLOSE, b"x"),
        (head(204), Framing.NONE, b""),
        (GOOD, Framing.CHUNKED, b'{"a":"b"}'),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 1000 + GOOD, Framing.CHUNKED, b'{"a":"b"}'),
        (GOOD + b"HTTP/1.1 200 OK\r\n\r\ntrailing garbage", Framing.CHUNKED, b'{"a":"b"}'),
        (whole(200, "{}") + b"trailing garbage", Framing.CONTENT_LENGTH, b"{}"),
    ],
    ids=["length", "close", "http-1.0", "none", "chunked", "thousand-interim", "garbage-behind", "more-than-length"],
)
def test_a_whole_answer_is_complete_whatever_frames_it(data: bytes, framing: Framing, body: bytes) -> None:
    exchange = answered(data)
    assert (exchange.end, exchange.framing, exchange.body) == (End.COMPLETE, framing, body)
    assert (exchange.chunks is not None) == (framing is Framing.CHUNKED)


def test_an_answer_to_head_has_no_body() -> None:
    exchange = answered(head(200, "Content-Length: 5"), request=Request("HEAD", "/v1/models"))
    assert (exchange.end, exchange.body) == (End.COMPLETE, b"")


# --- a connection that ends too soon --------------------------------------------------------------------------------

WHOLE_OF = {
    "chunked": GOOD,
    "length": whole(200, '{"a":"b"}', JSON),
    "close": head(200, JSON) + b'{"a":"b"}',
}


@pytest.mark.parametrize("framing", WHOLE_OF)
@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_an_answer_that_is_cut_at_any_byte_ends_in_a_named_state(framing: str, *, reset: bool) -> None:
    data = WHOLE_OF[framing]

    def cut(connection: Connection) -> None:
        connection.send(data[: connection.number - 1])
        if reset:
            connection.reset()

    async def all_cuts(base: str) -> list[Exchange]:
        async with connected(Link(base, KEY, total=5, idle=5)) as one:
            return [await one.send(ASKED) for _ in range(len(data) + 1)]

    with serving(cut) as server:
        exchanges = asyncio.run(all_cuts(server.url))
    short = End.RESET if reset else End.TRUNCATED
    blank = data.index(b"\r\n\r\n") + 4
    for size, exchange in enumerate(exchanges):
        complete = size == len(data) or (framing == "close" and size >= blank and not reset)
        if reset and framing == "close":
            complete = False  # only the end of the connection says where such a body ends
        assert exchange.end is (End.COMPLETE if complete else short), size
        assert (exchange.status == 200) == (size >= blank)
        assert b'{"a":"b"}'.startswith(exchange.body)
        assert (exchange.error is None) == complete


def test_a_connection_that_is_closed_without_an_answer() -> None:
    exchange = answered(b"")
    assert (exchange.status, exchange.end, exchange.reads) == (None, End.TRUNCATED, ())
    assert exchange.error
    assert exchange.first_byte is None


def test_an_answer_that_comes_before_the_request_was_read() -> None:
    big = Request("POST", "/v1/chat/completions", ASKED.headers, Auth.VALID, b'{"a":"' + b"x" * (4 << 20) + b'"}')
    exchange = answered(said(413, {"error": {}}, "Connection: close"), unread=True, request=big)
    assert exchange.end in {End.COMPLETE, End.RESET}  # the kernel may throw away what it had not handed over
    assert exchange.status in {413, None}


# --- what is no HTTP ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "is no status line"),
        (b"\x00\x01\x02\xff\r\n\r\n", "is no status line"),
        (b"HTTP/1.1 2OO OK\r\n\r\n", "is no status line"),
        (b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n", "is no header field"),
        (b"HTTP/1.1 200 OK\r\nX: a\0b\r\n\r\n", "is no header field"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", "is no length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello", "is no length"),
        (head(200, "Transfer-Encoding: chunked") + b"zz\r\nhello\r\n0\r\n\r\n", "is no chunk size"),
        (head(200, "Transfer-Encoding: chunked") + b"-5\r\nhello\r\n0\r\n\r\n", "is no chunk size"),
        (head(200, "Transfer-Encoding: chunked") + b"ffffffffffffffffff\r\nhello\r\n", "is no chunk size"),
        (head(200, "Transfer-Encoding: chunked") + b"2\r\nhello\r\n0\r\n\r\n", "no CRLF behind chunk"),
        (b"HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 2\r\n\r\n{}", "a client refuses it"),
        (head(200, "Transfer-Encoding: br, chunked") + chunk(b"x") + b"0\r\n\r\n", "a client refuses it"),
    ],
)
def test_broken_framing_is_told_and_never_raised(data: bytes, fault: str) -> None:
    exchange = answered(data)
    assert exchange.end is End.TRUNCATED
    assert (exchange.error or "").startswith(FRAMING_FAULT)
    assert fault in (exchange.error or "")


def test_what_a_client_refuses_does_not_hang_on_how_it_was_cut_into_reads() -> None:
    def slow(connection: Connection) -> None:
        connection.send(b"HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 2\r\n\r\n{")
        connection.wait(0.1)
        connection.send(b"}")

    assert answered(slow).error == answered(b"HTTP/1.1 200 OK\r\nX Y: a\r\nContent-Length: 2\r\n\r\n{}").error


def test_a_line_break_in_a_header_is_one_header_more_and_nothing_else() -> None:
    exchange = answered(whole(200, "{}", "X-A: 1\r\nX-Injected: 2"))
    assert exchange.header("x-injected") == "2"


def test_a_huge_head_is_not_read_further_and_not_blamed_on_the_relay() -> None:
    exchange = answered(floods(b"HTTP/1.1 200 OK\r\n", b"X-A: " + b"a" * 1000 + b"\r\n", 8 << 20))
    assert (exchange.end, exchange.status) == (End.CLIENT_ABORTED, None)
    assert "the head is longer than" in (exchange.error or "")


def test_bytes_that_are_no_utf8_are_kept_as_they_came() -> None:
    exchange = answered(chunked(b"\xff\xfe", b"\xed\xa0\x80"))
    assert exchange.body == b"\xff\xfe\xed\xa0\x80"


# --- what never ends ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("first", "piece"),
    [
        (head(200, SSE, "Transfer-Encoding: chunked"), chunk(b": keep-alive\n\n")),
        (head(200, SSE), b"data: x\n\n"),
        (b"HTTP/1.1 200 OK\r\n", b"X-A: b\r\n"),
        (b"", b"H"),
        (b"", b"HTTP/1.1 102 Processing\r\n\r\n"),
    ],
    ids=["chunked", "until-close", "head", "status-line", "interim"],
)
def test_an_answer_without_an_end_is_ended_by_the_total_time(first: bytes, piece: bytes) -> None:
    exchange = answered(drips(first, piece, 0.02), total=0.3)
    if exchange.error and exchange.error.startswith(FRAMING_FAULT):
        pytest.fail(exchange.error)
    assert (exchange.end, exchange.error) == (End.TIMEOUT, "no end within 0.3 s")
    assert 0.25 < exchange.ended_at < 2


def test_a_silence_is_ended_by_the_idle_time() -> None:
    exchange = answered(drips(head(200, SSE) + b"data: 1\n\n", b"", 5), idle=0.2)
    assert (exchange.end, exchange.error, exchange.status) == (End.TIMEOUT, "no byte for 0.2 s", 200)


@pytest.mark.parametrize(
    ("first", "piece"),
    [(head(200, JSON), b"a" * 65536), (b"", b"HTTP/1.1 102 Processing\r\n\r\n" * 2000)],
    ids=["body", "interim"],
)
def test_no_more_is_read_than_the_cap(monkeypatch: pytest.MonkeyPatch, first: bytes, piece: bytes) -> None:
    monkeypatch.setattr(transport, "MAX_BODY", 1 << 20)
    exchange = answered(floods(first, piece, 20 << 20))
    assert exchange.end is End.CLIENT_ABORTED
    assert exchange.error == "the answer is longer than 1048576 bytes: not read further"
    assert len(exchange.body) < (1 << 20) + (1 << 17)


def test_a_line_of_forty_megabytes_is_cut_at_the_cap() -> None:
    exchange = answered(floods(head(200, SSE), b"a" * (1 << 20), 40 << 20), total=60)
    assert exchange.end is End.CLIENT_ABORTED
    assert transport.MAX_BODY - (1 << 17) < len(exchange.body) <= transport.MAX_BODY + (1 << 17)


def test_a_gzip_bomb_stays_small() -> None:
    exchange = answered(bomb(80 << 20))
    assert len(exchange.body) < 200_000
    assert exchange.content_fault == "content coding gzip expands to more than 33554432 bytes"


# --- a relay that cannot be reached ---------------------------------------------------------------------------------


def test_a_refused_connection() -> None:
    with silent_port() as port:
        pass
    with pytest.raises(UnreachableError):
        sent(Link(f"http://127.0.0.1:{port}"))


def test_a_host_that_does_not_exist() -> None:
    with pytest.raises(UnreachableError) as told:
        sent(Link("http://no-such-host.invalid"))
    assert "\n" not in str(told.value)


def test_a_certificate_that_nobody_trusts_and_one_that_the_user_trusts(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    with serving(sends(GOOD), tls=context) as server:
        with pytest.raises(UnreachableError, match=r"(?i)certificate"):
            sent(Link(server.url, KEY))
        assert server.heard == []
        trusting = Link(server.url, KEY, ca_file=str(certificate))
        exchange = sent(trusting)
        assert (exchange.end, exchange.chunks, exchange.body) == (End.COMPLETE, (5, 4, 0), b'{"a":"b"}')


def test_a_handshake_that_never_comes() -> None:
    with silent_port() as port, pytest.raises(UnreachableError, match="no connection in time"):
        sent(Link(f"https://127.0.0.1:{port}", connect=0.2))


def test_a_total_time_that_ends_before_there_is_a_connection() -> None:
    with silent_port() as port, pytest.raises(UnreachableError, match="no connection in time"):
        sent(Link(f"https://127.0.0.1:{port}"), total=0.2)


def test_plain_http_where_tls_was_expected() -> None:
    with serving(sends(GOOD), unread=True) as server, pytest.raises(UnreachableError):
        sent(Link(server.url.replace("http:", "https:")))


def test_a_ca_file_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("garbage")
    with pytest.raises(ConfigurationError, match=r"ca\.pem cannot be used"):
        sent(Link("https://127.0.0.1:1", ca_file=str(tmp_path / "ca.pem")))


def test_an_environment_that_names_no_certificates(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "missing.pem"))
    with pytest.raises(ConfigurationError, match="SSL_CERT_FILE"):
        sent(Link("https://127.0.0.1:1"))


def test_a_header_that_cannot_be_sent_is_wrong_use() -> None:
    with serving(sends(GOOD)) as server, pytest.raises(ConfigurationError, match="cannot be sent"):
        sent(Link(server.url, headers=(("x-a", "two\nlines"),)))


# --- proxies --------------------------------------------------------------------------------------------------------


def test_a_proxy_is_asked_for_a_plain_target() -> None:
    with serving(sends(GOOD)) as server, serving(forwards) as proxy:
        exchange = sent(Link(f"http://relay.invalid:{server.port}", KEY, proxy=proxy.url))
        assert exchange.body == b'{"a":"b"}'
        assert proxy.heard[0].target == f"http://relay.invalid:{server.port}/v1/chat/completions"
        assert server.heard[0].body == b'{"a":1}'


def test_what_a_proxy_says_to_connect_is_no_evidence(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    with serving(sends(GOOD), tls=context) as server, serving(forwards) as proxy:
        base = f"https://relay.example:{server.port}"
        exchange = sent(Link(base, KEY, proxy=proxy.url, ca_file=str(certificate)))
        assert (exchange.end, exchange.body, exchange.chunks) == (End.COMPLETE, b'{"a":"b"}', (5, 4, 0))
        assert exchange.header("via") is None
        assert [heard.method for heard in proxy.heard] == ["CONNECT"]
        assert not proxy.heard[0].headers("authorization")
        assert server.heard[0].key == KEY


@pytest.mark.parametrize(
    "answer",
    [head(407, "Content-Length: 0"), b"", b"garbage\r\n\r\n", b"HTTP/1.1 200 OK\r\n"],
    ids=["refused", "closed", "garbage", "cut"],
)
def test_a_proxy_that_makes_no_tunnel_is_no_fault_of_the_relay(answer: bytes) -> None:
    with serving(sends(answer)) as proxy, pytest.raises(UnreachableError):
        sent(Link("https://relay.example", KEY, proxy=proxy.url), total=2)


def test_a_proxy_that_never_answers_is_no_fault_of_the_relay() -> None:
    with silent_port() as port, pytest.raises(UnreachableError, match="no connection in time"):
        sent(Link("https://relay.example", KEY, proxy=f"http://127.0.0.1:{port}"), idle=0.2)


@pytest.mark.parametrize(
    "proxy",
    ["nonsense", "ftp://user:hush@127.0.0.1:1", "socks5://127.0.0.1:1080", "http://", "http://[::1", "http://h:hush"],
)
def test_a_proxy_that_is_none_is_wrong_use_and_not_printed(proxy: str) -> None:
    with pytest.raises(ConfigurationError) as told:
        sent(Link("http://127.0.0.1:1", proxy=proxy))
    assert "the proxy cannot be used" in str(told.value)
    assert "hush" not in str(told.value)


@pytest.fixture
def bare_environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    return monkeypatch


@pytest.mark.parametrize("variable", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
@pytest.mark.parametrize("scheme", ["http://", ""])
def test_a_proxy_of_the_environment_counts(bare_environment: pytest.MonkeyPatch, variable: str, scheme: str) -> None:
    with serving(sends(GOOD)) as server, serving(forwards) as proxy:
        bare_environment.setenv(variable, f"{scheme}127.0.0.1:{proxy.port}")
        assert sent(Link(f"http://relay.invalid:{server.port}", KEY)).status == 200
        assert len(proxy.heard) == 1


def test_no_proxy_counts_too(bare_environment: pytest.MonkeyPatch) -> None:
    with serving(forwards) as proxy:
        bare_environment.setenv("HTTP_PROXY", proxy.url)
        bare_environment.setenv("NO_PROXY", "relay.invalid")
        with pytest.raises(UnreachableError):
            sent(Link("http://relay.invalid:1", KEY))
        assert proxy.heard == []


def test_a_relay_of_this_machine_is_never_sought_through_the_environments_proxy(
    bare_environment: pytest.MonkeyPatch,
) -> None:
    bare_environment.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    assert answered(GOOD).status == 200


# --- what is sent ---------------------------------------------------------------------------------------------------


def heard_of(
    link_headers: tuple[tuple[str, str], ...] = (),
    auth: Auth = Auth.VALID,
    *,
    asked: tuple[tuple[str, str], ...] = (),
    key: str | None = KEY,
) -> tuple[list[str], Exchange]:
    """The lines of the head that a relay got, and the exchange."""
    with serving(sends(GOOD)) as server:
        request = Request("POST", "/v1/x", (("content-type", "application/json"), *asked), auth, b"{}")
        exchange = sent(Link(server.url, key, headers=link_headers), request)
        return server.heard[0].head.lower().split("\r\n"), exchange


def test_the_key_is_sent_where_it_is_wanted_and_only_there() -> None:
    assert f"authorization: bearer {KEY}".lower() in heard_of()[0]
    assert f"authorization: bearer {WRONG_KEY}".lower() in heard_of(auth=Auth.WRONG)[0]
    assert not any(line.startswith("authorization") for line in heard_of(auth=Auth.NONE)[0])


IN_A_HEADER = (("x-api-key", KEY_HERE),)


def test_a_probe_may_say_where_the_key_is_to_stand() -> None:
    lines, exchange = heard_of(asked=IN_A_HEADER)
    assert f"x-api-key: {KEY}".lower() in lines
    assert not any(line.startswith("authorization") for line in lines)
    assert exchange.request.header("x-api-key") == KEY_HERE
    lines, exchange = heard_of(asked=(("authorization", f"Bearer {KEY_HERE}"),))
    assert lines.count(f"authorization: bearer {KEY}".lower()) == 1
    assert exchange.request.header("authorization") == f"Bearer {KEY_HERE}"
    lines, _ = heard_of(auth=Auth.WRONG, asked=IN_A_HEADER)
    assert f"x-api-key: {WRONG_KEY}" in lines


@pytest.mark.parametrize(("auth", "key"), [(Auth.NONE, KEY), (Auth.VALID, None)])
def test_without_a_key_there_is_no_header_for_it(auth: Auth, key: str | None) -> None:
    lines, exchange = heard_of(auth=auth, asked=IN_A_HEADER, key=key)
    assert not any(line.startswith(("x-api-key", "authorization")) for line in lines)
    assert exchange.request.header("x-api-key") is None


def test_a_key_header_of_the_user_takes_the_place_of_ours() -> None:
    lines, exchange = heard_of((("x-api-key", "hush-hush-hush"),), asked=IN_A_HEADER)
    assert [line for line in lines if line.startswith("x-api-key")] == ["x-api-key: hush-hush-hush"]
    assert exchange.request.header("x-api-key") == MARK + "]"


def test_a_header_of_the_user_is_sent_and_its_secret_not_written() -> None:
    lines, exchange = heard_of((("x-api-key", "hush-hush-hush"), ("x-plain", "seen")))
    assert "x-api-key: hush-hush-hush" in lines
    assert ("x-plain", "seen") in exchange.request.headers
    assert exchange.request.header("x-api-key") == MARK + "]"


@pytest.mark.parametrize("auth", [Auth.NONE, Auth.WRONG])
def test_a_second_key_is_left_out_where_the_key_is_to_be_absent_or_wrong(auth: Auth) -> None:
    lines, exchange = heard_of((("x-api-key", "hush-hush-hush"), ("cookie", "pass-of-the-gateway")), auth)
    assert not any(line.startswith("x-api-key") for line in lines)
    assert exchange.request.header("x-api-key") is None
    assert "cookie: pass-of-the-gateway" in lines


def test_a_header_of_the_user_takes_the_place_of_ours() -> None:
    given = (("user-agent", "mine/1"), ("content-type", "text/plain"), ("accept", "*/*"))
    lines, exchange = heard_of(given)
    for name, value in given:
        assert [line for line in lines if line.startswith(f"{name}:")] == [f"{name}: {value}"]
        assert exchange.request.header(name) == value


def test_no_request_knows_of_the_one_before() -> None:
    async def twice(base: str) -> None:
        async with connected(Link(base, KEY)) as one:
            await one.send(ASKED)
            await one.send(ASKED)

    with serving(sends(whole(200, "{}", "Set-Cookie: a=b; Path=/"))) as server:
        asyncio.run(twice(server.url))
        assert [heard.headers("cookie") for heard in server.heard] == [[], []]


def test_a_redirect_is_not_followed() -> None:
    with serving(sends(GOOD)) as elsewhere:
        exchange = answered(head(307, f"Location: {elsewhere.url}/v1/x", "Content-Length: 0"))
        assert (exchange.status, elsewhere.heard) == (307, [])


def test_without_a_key_nothing_is_said_about_it() -> None:
    with serving(sends(GOOD)) as server:
        assert sent(Link(server.url)).request.auth is None
        assert server.heard[0].key is None


# --- one connection for several requests ----------------------------------------------------------------------------


def lined(relay: Relay, *requests: Request) -> tuple[list[Exchange], int]:
    """What a line makes of requests one after the other, and how many connections it took."""

    async def send(base: str) -> list[Exchange]:
        async with connected(Link(base, KEY, total=5, idle=5)) as one, one.line() as line:
            return [await (line.again if at else line.send)(request) for at, request in enumerate(requests)]

    with serving(relay) as server:
        return asyncio.run(send(server.url)), len(server.heard)


def answers(*sent: bytes, reset: bool = False) -> Relay:
    """A relay that answers so many requests on a connection, and then ends it."""

    def relay(connection: Connection) -> None:
        for at, data in enumerate(sent):
            if at and read_request(connection.sock) is None:
                return
            connection.send(data)
        if reset:
            connection.wait(0.02)
            connection.reset()

    return relay


def test_a_line_goes_over_one_connection_and_each_answer_is_its_own() -> None:
    exchanges, connections = lined(answers(GOOD, whole(200, "second"), whole(404, "third")), *[ASKED] * 3)
    assert connections == 1
    assert [(one.status, one.body, one.reused) for one in exchanges] == [
        (200, b'{"a":"b"}', None),
        (200, b"second", True),
        (404, b"third", True),
    ]
    assert all(one.end is End.COMPLETE for one in exchanges)
    assert all(0 < (one.first_byte or 0) <= one.ended_at < 2 for one in exchanges)


@pytest.mark.parametrize("reset", [False, True], ids=["closed", "reset"])
def test_a_connection_that_ends_behind_its_answer_is_not_used_again(*, reset: bool) -> None:
    exchanges, connections = lined(answers(GOOD, reset=reset), ASKED, ASKED)
    assert connections == 2
    assert [(one.status, one.end, one.reused) for one in exchanges] == [
        (200, End.COMPLETE, None),
        (200, End.COMPLETE, False),
    ]


def test_a_connection_that_ends_instead_of_the_next_answer() -> None:
    exchanges, connections = lined(answers(GOOD, b""), ASKED, ASKED)
    assert connections == 1
    assert (exchanges[1].status, exchanges[1].end, exchanges[1].reused) == (None, End.TRUNCATED, True)


def test_without_a_line_every_request_has_a_connection_of_its_own() -> None:
    async def twice(base: str) -> list[Exchange]:
        async with connected(Link(base, KEY)) as one:
            return [await one.send(ASKED), await one.send(ASKED)]

    with serving(answers(GOOD, GOOD)) as server:
        assert [one.reused for one in asyncio.run(twice(server.url))] == [None, None]
        assert len(server.heard) == 2


# --- what may not stand there ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "method", "kind"),
    [
        (whole(200, "{}", "X: a\r\n b"), "GET", FOLDED),
        (b"HTTP/1.1 200\r\nContent-Length: 2\r\n\r\n{}", "GET", NO_SPACE),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\n{}", "GET", BARE_LF),
        (whole(200, "{}") + b"garbage", "GET", SURPLUS),
        (whole(200, "{}"), "HEAD", SURPLUS),
        (head(204) + b"{}", "OPTIONS", SURPLUS),
    ],
)
def test_what_a_client_reads_past_is_kept(data: bytes, method: str, kind: str) -> None:
    exchange = answered(data, request=Request(method, "/v1/models"))
    assert exchange.end is End.COMPLETE
    assert [odd.kind for odd in exchange.oddities] == [kind]


def test_the_key_is_not_among_what_is_kept() -> None:
    exchange = answered(whole(200, "{}", f"x-{PLAIN_KEY}: a\r\n b"), key=PLAIN_KEY)
    assert [PLAIN_KEY in odd.detail for odd in exchange.oddities] == [False]
    assert answered(whole(200, "{}")).oddities == ()


# --- probes that take liberties go out as they are meant ------------------------------------------------------------


def lines_of(probe: str, step: str) -> tuple[str, list[str], bytes]:
    """The request line, the fields as sent, and the body that a relay gets."""
    row = PROBES[probe]
    request = row.bound(next(one for one in row.steps if one.name == step), "m")
    with serving(sends(GOOD)) as server:
        sent(Link(server.url, KEY), request)
        line, *fields = server.heard[0].head.split("\r\n")
        return line, fields, server.heard[0].body


def test_slashes_are_sent_as_they_stand() -> None:
    assert lines_of("http.double-slash", "")[0] == "POST //v1/chat/completions HTTP/1.1"
    assert lines_of("http.trailing-slash", "")[0] == "POST /v1/chat/completions/ HTTP/1.1"


def test_the_key_is_sent_as_it_is_spelled() -> None:
    assert f"authorization: bearer {KEY}" in lines_of("http.key", "bearer-lower")[1]
    assert f"AUTHORIZATION: Bearer {KEY}" in lines_of("http.key", "key-name-case")[1]
    assert lines_of("http.key", "key-twice")[1].count(f"authorization: Bearer {KEY}") == 2
    for step in ("bearer-lower", "key-name-case", "usual"):
        assert sum(line.lower().startswith("authorization") for line in lines_of("http.key", step)[1]) == 1


def test_a_body_is_sent_as_it_is_spelled() -> None:
    assert "content-type: application/json; charset=utf-8" in lines_of("http.body", "charset")[1]
    assert "content-type: Application/JSON" in lines_of("http.body", "type-case")[1]
    assert "expect: 100-continue" in lines_of("http.body", "expect")[1]
    plain = lines_of("http.body", "usual")[2]
    assert lines_of("http.body", "spaces")[2] == b"\r\n\t " + plain + b" \n"
    _, fields, packed = lines_of("http.body", "gzip")
    assert ("content-encoding: gzip" in fields, gzip.decompress(packed)) == (True, plain)


def test_a_browser_asks_without_a_key_and_an_sdk_names_its_headers() -> None:
    line, fields, body = lines_of("http.preflight", "sdk")
    assert (line, body) == ("OPTIONS /v1/chat/completions HTTP/1.1", b"")
    assert "origin: https://app.example" in fields
    assert any("x-stainless-os" in field for field in fields if field.startswith("access-control-request-headers"))
    assert not any(field.lower().startswith("authorization") for field in fields)


def test_a_megabyte_is_sent_only_where_no_model_reads_it() -> None:
    row = PROBES["http.body"]
    large = row.steps[-1]
    refused = Exchange("", row.request("m"), 404)
    assert len(row.bound(large, "m", [refused]).body or b"") > 1 << 20
    assert row.bound(large, "m", [Exchange("", row.request("m"), 200)]).body is None
    assert row.bound(large, "m").body is None


# --- secrets --------------------------------------------------------------------------------------------------------


def test_a_key_that_is_echoed_is_marked_with_its_length_kept() -> None:
    exchange = answered(chunked(f'{{"a":"{KEY[:9]}'.encode(), f'{KEY[9:]}"}}'.encode()))
    assert KEY.encode() not in exchange.body
    assert MARK.encode() in exchange.body
    assert exchange.chunks == (15, 28, 0)
    assert len(exchange.body) == 43


@pytest.mark.parametrize("cut", [None, -9], ids=["whole", "cut"])
def test_a_key_in_a_compressed_body_is_taken_out_of_it(cut: int | None) -> None:
    packed = gzip.compress(f'{{"a":"{KEY}"}}'.encode())[:cut]
    exchange = answered(whole(200, packed, JSON, "Content-Encoding: gzip"))
    assert KEY.encode() not in exchange.content + exchange.body
    assert MARK.encode() in exchange.content
    assert exchange.header("content-encoding") is None


def test_a_compressed_body_without_a_key_stays_as_it_came() -> None:
    packed = gzip.compress(b'{"a":"b"}')
    exchange = answered(whole(200, packed, JSON, "Content-Encoding: gzip"))
    assert (exchange.body, exchange.content) == (packed, b'{"a":"b"}')


def test_neither_a_header_nor_an_error_of_framing_tells_the_key() -> None:
    exchange = answered(whole(200, "{}", f"X-Echo: a{KEY}b", f"Location: /?k={KEY.replace('/', '%2F')}"))
    assert "relayproof/a-test" not in str(exchange.headers)
    assert sum(MARK in value for _, value in exchange.headers) == 2
    assert KEY not in (answered(f"{KEY}\r\n\r\n".encode()).error or "")


def test_a_link_does_not_spell_its_secrets() -> None:
    assert "hush" not in repr(Link("http://h", "hush", (("x-api-key", "hush"),), "http://u:hush@h"))


# --- speed ----------------------------------------------------------------------------------------------------------


def test_many_requests_at_a_time_do_not_mix_their_evidence() -> None:
    def echo(connection: Connection) -> None:
        connection.wait(0.005 * (connection.number % 5))
        connection.send(chunked(*(bytes([byte]) for byte in connection.heard.body)))

    async def many(base: str) -> list[Exchange]:
        async with connected(Link(base, KEY)) as one:
            return await asyncio.gather(
                *(one.send(Request("POST", "/v1/x", (), Auth.VALID, b"%d" % number * 3)) for number in range(40))
            )

    started = time.perf_counter()
    with serving(echo) as server:
        exchanges = asyncio.run(many(server.url))
    assert [exchange.body for exchange in exchanges] == [b"%d" % number * 3 for number in range(40)]
    assert time.perf_counter() - started < 10


def test_an_sni_is_sent(tmp_path: Path) -> None:
    context, certificate = self_signed(tmp_path)
    names: list[str | None] = []

    def named(_: ssl.SSLSocket | ssl.SSLObject, name: str | None, __: ssl.SSLContext) -> None:
        names.append(name)

    context.sni_callback = named
    with serving(sends(GOOD), tls=context) as server:
        sent(Link(f"https://localhost:{server.port}", KEY, ca_file=str(certificate)))
    assert names == ["localhost"]
