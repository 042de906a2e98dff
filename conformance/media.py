"""What a link in an answer leads to, fetched as a stranger would: without the key, and from public addresses alone.

A relay chooses its links, and we follow them from the machine of the user. So every address is looked at, a name's when
the connection is made (to that very address: no second look-up), and those behind redirects too. What is refused says
nothing about the relay.
"""

import asyncio
from dataclasses import replace
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import urljoin, urlsplit

from conformance.target import ConfigurationError, is_loopback
from conformance.transport import Transport, UnreachableError
from openapi.wire.exchange import Exchange, Request
from openapi.wire.redaction import MARK

MAX_MEDIA = 64 << 10  # bytes; who ignores Range sends more, and we stop reading
PATIENCE = 30.0  # seconds, redirects included
MAX_REDIRECTS = 3
REDIRECTS = {301, 302, 303, 307, 308}
NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052: an IPv4 address in the last 32 bits
NEVER = (  # where the standard library says otherwise, or not in every version
    IPv4Network("192.0.0.0/24"),  # protocol assignments, Oracle's metadata among them
    IPv4Network("192.88.99.0/24"),  # 6to4 relays
    IPv4Network("168.63.129.16/32"),  # Azure's metadata; those of other clouds are link-local, private or shared
)


def is_public(address: str) -> bool:
    """Whether an IP address is one of the open Internet (IANA special-purpose address registries)."""
    ip = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address):
        if ip in NAT64:
            return is_public(str(IPv4Address(int(ip) & 0xFFFFFFFF)))
        if ip.ipv4_mapped or ip.sixtofour or ip.teredo or ip.is_site_local:
            return False
    return ip.is_global and not (ip.is_multicast or ip.is_reserved or any(ip in network for network in NEVER))


def refusal(url: str) -> str | None:
    """Why a URL is not fetched, None where its form is right."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "is no URL"
    if parts.scheme not in {"http", "https"}:
        return "is neither http nor https"
    if not host:
        return "names no host"
    if "@" in parts.netloc:
        return "holds a user"
    return "holds the key" if MARK in url else None


async def fetch(request: Request, relay: Transport) -> Exchange:
    """The exchange that the link of a request led to, at the last of its redirects; its `error` says why no further.

    Where the relay is on loopback, its own host may be fetched from too.
    """
    home = urlsplit(relay.link.base).hostname if is_loopback(relay.link.base) else None

    def permits(host: str, address: str) -> bool:
        return is_public(address) or (host == home and ip_address(address).is_loopback)

    came: Exchange | None = None
    error = f"more than {MAX_REDIRECTS} redirects"
    end = asyncio.get_running_loop().time() + PATIENCE
    async with relay.stranger(permits, size=MAX_MEDIA) as stranger:
        for _ in range(MAX_REDIRECTS + 1):
            refused = refusal(request.path)
            if refused:
                error = f"the link {refused}"
                break
            try:
                left = max(end - asyncio.get_running_loop().time(), 0.001)
                came = await stranger.send(request, total=left, idle=left)
            except (UnreachableError, ConfigurationError) as reason:
                error = f"no connection: {reason}"
                break
            target = came.header("location") if came.status in REDIRECTS else None
            if target is None:
                return came
            request = replace(request, path=_joined(request.path, target))
    error = f"{error}: {_short(request.path)}"
    return replace(came, error=f"redirected, and {error}") if came else Exchange("", request, error=error)


def _joined(url: str, target: str) -> str:
    try:
        return urljoin(url, target)
    except ValueError:
        return target


def _short(url: str) -> str:
    return url if len(url) <= 200 else url[:199] + "…"
