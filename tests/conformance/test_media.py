"""What links lead to: only public addresses, only what was looked at, and nothing of ours goes there."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpcore2
import pytest

from conformance import media, transport
from conformance.media import MAX_MEDIA, fetch, is_public, refusal
from conformance.probe import FIRST_BYTES
from conformance.transport import Link, connected
from openapi.wire.exchange import Auth, End, Exchange, Request
from openapi.wire.redaction import mark
from tests.system.hostile import Connection, drips, floods, head, self_signed, sends, serving, whole

KEY = "sk-relayproof-media-0123456789"
VIDEO = whole(206, b"\0\0\0\x20ftypisom", "Content-Type: video/mp4")
ELSEWHERE = "https://relay.example"


def asked(url: str) -> Request:
    return Request("GET", url, FIRST_BYTES, Auth.NONE)


def fetched(url: str, base: str = ELSEWHERE, **link: Any) -> Exchange:
    async def work() -> Exchange:
        async with connected(Link(base, KEY, **link)) as relay:
            return await fetch(asked(url), relay)

    return asyncio.run(work())


def resolving(monkeypatch: pytest.MonkeyPatch, **hosts: Sequence[str]) -> list[str]:
    """Names are looked up here and nowhere else; returns which ones were, in order."""
    looked_up: list[str] = []

    async def addresses(host: str, port: int) -> list[str]:
        looked_up.append(host)
        return list(hosts.get(host.partition(".")[0], [host]))

    monkeypatch.setattr(transport, "_addresses", addresses)
    return looked_up


# --- addresses and URLs ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["8.8.8.8", "168.63.129.17", "2606:4700::1", "64:ff9b::8.8.8.8"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "127.8.8.8", "0.0.0.0", "10.0.0.1", "172.16.0.1", "192.168.1.1", "169.254.169.254"),
        *("100.100.100.200", "168.63.129.16", "192.0.0.192", "192.88.99.1", "198.18.0.1", "192.0.2.1"),
        *("224.0.1.1", "239.1.1.1", "240.0.0.1", "255.255.255.255"),
        *("::", "::1", "::7f00:1", "::ffff:8.8.8.8", "::ffff:169.254.169.254", "fe80::1", "fe80::1%eth0"),
        *("fec0::1", "ff02::1", "ff0e::1", "64:ff9b::169.254.169.254", "64:ff9b:1::1", "2002:7f00:1::", "2001::1"),
        *("2001:db8::1", "100::1", "fd00:ec2::254"),
    ],
)  # fmt: skip
def test_any_other_address_is_not(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://cdn.example/a.mp4?sig=1", None),
        ("HTTPS://[2606:4700::1]:8443/a.mp4", None),
        ("file:///etc/passwd", "is neither http nor https"),
        ("gopher://cdn.example/", "is neither http nor https"),
        ("/a.mp4", "is neither http nor https"),
        ("http:///a.mp4", "names no host"),
        ("https://me:hush@cdn.example/", "holds a user"),
        ("https://@cdn.example/", "holds a user"),
        ("http://[::1", "is no URL"),
        ("http://cdn.example:99999/", "is no URL"),
        (f"https://cdn.example/?key={mark(30)}", "holds the key"),
    ],
)
def test_the_form_of_a_url(url: str, why: str | None) -> None:
    assert refusal(url) == why


# --- what is asked, and of whom -------------------------------------------------------------------------------------


def test_nothing_of_ours_goes_there() -> None:
    secret = "hush-0123456789"
    with serving(sends(VIDEO)) as cdn:
        url = f"{cdn.url}/a.mp4?sig=x"
        came = fetched(url, cdn.url, headers=(("x-api-key", secret), ("cookie", secret), ("x-mine", "1")))
    [heard] = cdn.heard
    assert (heard.line, heard.headers("range")) == ("GET /a.mp4?sig=x HTTP/1.1", ["bytes=0-1023"])
    names = {line.partition(":")[0].lower() for line in heard.head.split("\r\n")[1:]}
    assert names == {"host", "connection", "accept", "accept-encoding", "user-agent", "range"}
    assert KEY.encode() not in heard.raw
    assert (came.status, came.media_type, came.error, came.end) == (206, "video/mp4", None, End.COMPLETE)
    assert (came.request.path, came.request.auth) == (url, Auth.NONE)


def test_what_was_looked_up_is_what_is_connected_to() -> None:
    """A name that changes its address between the look and the connection gains nothing: there is one look-up."""
    tried: list[str] = []

    class Network(httpcore2.AsyncNetworkBackend):
        async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore2.AsyncNetworkStream:
            tried.append(host)
            raise httpcore2.ConnectError("nobody there")

    async def connect(host: str) -> None:
        await transport._Guarded(Network(), lambda _, address: is_public(address)).connect_tcp(host, 443)

    def refused(host: str) -> str:
        with pytest.raises(httpcore2.ConnectError) as error:
            asyncio.run(connect(host))
        return str(error.value)

    with pytest.MonkeyPatch.context() as patch:
        looked_up = resolving(patch, cdn=["93.184.216.34", "2606:4700::1"], mixed=["93.184.216.34", "10.0.0.7"])
        assert refused("cdn.example") == "nobody there"
        assert tried == ["93.184.216.34", "2606:4700::1"]
        assert refused("mixed.example") == "mixed.example is at 10.0.0.7, which is no public address"
        assert refused("169.254.169.254") == "169.254.169.254 is no public address"
        assert len(tried) == 2
        assert looked_up == ["cdn.example", "mixed.example", "169.254.169.254"]


def test_another_address_is_tried_where_one_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "is_public", lambda _: True)
    resolving(monkeypatch, cdn=["127.0.0.2", "127.0.0.1"])
    with serving(sends(VIDEO)) as cdn:  # listens on the second alone
        came = fetched(f"http://cdn.example:{cdn.port}/a.mp4")
    assert came.status == 206
    assert [heard.headers("host") for heard in cdn.heard] == [[f"cdn.example:{cdn.port}"]]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "0x7f.1", "inner.example"])
def test_a_relay_elsewhere_cannot_send_us_to_this_machine(host: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if host == "inner.example":
        resolving(monkeypatch, inner=["127.0.0.1"])
    with serving(sends(VIDEO)) as inner:
        came = fetched(f"http://{host}:{inner.port}/a.mp4")
        assert inner.heard == []
    assert came.status is None
    assert "no public address" in (came.error or "") or "no address" in (came.error or "")


def test_a_relay_on_loopback_has_its_own_host_alone() -> None:
    with serving(sends(VIDEO)) as server:
        assert fetched(f"http://127.0.0.1:{server.port}/a.mp4", "http://127.0.0.1:1").status == 206
        other = fetched(f"http://127.0.0.1:{server.port}/a.mp4", "http://localhost:1")
        assert other.status is None
        assert len(server.heard) == 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://169.254.169.254/latest/meta-data/", "169.254.169.254 is no public address"),
        ("http://10.0.0.1/", "10.0.0.1 is no public address"),
        ("http://localhost:{port}/a.mp4", "which is no public address"),
        ("//[::1]:{port}/a.mp4", "::1 is no public address"),
        ("file:///etc/passwd", "the link is neither http nor https"),
        ("http://me:hush@127.0.0.1:{port}/", "the link holds a user"),
        ("http://[::1", "the link is no URL"),
        ("https://cdn.example/" + "a" * 300, "no connection"),
    ],
)
def test_a_redirect_is_looked_at_like_a_link(target: str, why: str, monkeypatch: pytest.MonkeyPatch) -> None:
    resolving(monkeypatch, localhost=["127.0.0.1"], cdn=["192.168.0.1"])

    def relay(connection: Connection) -> None:
        connection.send(head(302, f"Location: {target.format(port=server.port)}", "Content-Length: 0"))

    with serving(relay) as server:
        came = fetched(f"{server.url}/a.mp4", server.url)
        assert len(server.heard) == 1
    assert came.status == 302
    assert (came.error or "").startswith("redirected, and ")
    assert why in (came.error or "")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects_are_followed_as_far_as_three(status: int) -> None:
    hop = head(status, "Location: /b.mp4", "Content-Length: 0", "Set-Cookie: a=b; Path=/")
    with serving(sends(hop, hop, hop, VIDEO)) as cdn:
        came = fetched(f"{cdn.url}/a.mp4", cdn.url)
        assert [heard.target for heard in cdn.heard] == ["/a.mp4", "/b.mp4", "/b.mp4", "/b.mp4"]
        assert not any(heard.headers("cookie") for heard in cdn.heard)
    assert (came.status, came.request.path) == (206, f"{cdn.url}/b.mp4")
    with serving(sends(hop)) as cdn:
        came = fetched(f"{cdn.url}/a.mp4", cdn.url)
        assert len(cdn.heard) == 4
    assert came.status == status
    assert (came.error or "").startswith("redirected, and more than 3 redirects: ")


def test_a_redirect_that_says_not_where_is_its_own_answer() -> None:
    with serving(sends(head(302, "Content-Length: 0"))) as cdn:
        came = fetched(f"{cdn.url}/a.mp4", cdn.url)
    assert (came.status, came.error) == (302, None)


# --- how much, and how long -----------------------------------------------------------------------------------------


def test_who_ignores_the_range_is_not_read_to_the_end() -> None:
    flood = floods(head(200, "Content-Type: video/mp4", "Content-Length: 99999999"), b"x" * 4096, 4 << 20)
    with serving(flood) as cdn:
        came = fetched(f"{cdn.url}/a.mp4", cdn.url)
    assert (came.status, came.end, came.media_type) == (200, End.CLIENT_ABORTED, "video/mp4")
    assert len(came.body) <= MAX_MEDIA + 65536


def test_patience_has_an_end_over_all_redirects(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "PATIENCE", 2.0)
    slow = drips(head(200, "Content-Type: video/mp4", "Content-Length: 9999"), b"x", 0.05)
    hop = head(302, "Location: /b.mp4", "Content-Length: 0")

    def relay(connection: Connection) -> None:
        connection.wait(0.5)
        (slow if connection.number > 1 else sends(hop))(connection)

    with serving(relay) as cdn:
        came = fetched(f"{cdn.url}/a.mp4", cdn.url)
    assert (came.status, came.end) == (200, End.TIMEOUT)
    assert came.ended_at < 1.6


def test_nobody_there_is_told() -> None:
    came = fetched("http://127.0.0.1:1/a.mp4", "http://127.0.0.1:9")
    assert (came.status, came.request.path) == (None, "http://127.0.0.1:1/a.mp4")
    assert (came.error or "").startswith("no connection: ")


@pytest.mark.parametrize("url", ["http://a\x7fb.example/", f"http://{'a' * 70}.example/", "http://xn--\u20ac.example/"])
def test_a_host_that_is_none_is_told(url: str) -> None:
    came = fetched(url)
    assert came.status is None
    assert "no connection" in (came.error or "")


# --- TLS ------------------------------------------------------------------------------------------------------------


def test_the_certificate_is_held_against_the_name_and_not_the_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    context, certificate = self_signed(tmp_path)
    names: list[str] = []
    context.sni_callback = lambda _socket, name, _context: names.append(name)
    monkeypatch.setattr(media, "is_public", lambda _: True)
    resolving(monkeypatch, relay=["127.0.0.1"], other=["127.0.0.1"])
    with serving(sends(VIDEO), tls=context) as cdn:

        def trusting(host: str, **link: Any) -> Exchange:
            return fetched(f"https://{host}.example:{cdn.port}/a.mp4", **link)

        assert trusting("relay", ca_file=str(certificate)).status == 206
        assert names == ["relay.example"]
        assert "certificate" in (trusting("other", ca_file=str(certificate)).error or "").lower()
        assert "certificate" in (trusting("relay").error or "").lower()
        assert len(cdn.heard) == 1


def test_no_proxy_stands_between(monkeypatch: pytest.MonkeyPatch) -> None:
    """It would look up names itself, and may be let in where we are not."""
    with serving(sends(VIDEO)) as cdn, serving(sends(VIDEO)) as proxy:
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        came = fetched(f"{cdn.url}/a.mp4", cdn.url, proxy=proxy.url)
        assert (came.status, len(cdn.heard), proxy.heard) == (206, 1, [])


def test_addresses_are_those_of_the_system() -> None:
    look: Callable[[str], list[str]] = lambda host: asyncio.run(transport._addresses(host, 80))  # noqa: E731
    assert look("127.0.0.1") == ["127.0.0.1"]
    assert "127.0.0.1" in look("localhost") or "::1" in look("localhost")
    with pytest.raises(httpcore2.ConnectError, match="no address of"):
        look("no-such-host.invalid")
    with pytest.raises(httpcore2.ConnectError, match="no address of"):
        look("a" * 70 + ".invalid")
