"""HTTP/1.1 as it came over the socket."""

from collections.abc import Iterator

from conformance.answers import answered, coded, describe, ok
from conformance.asked import streamed
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, NotSeen, On, Remark, rule
from conformance.rules.http import odd_path
from openapi.wire.exchange import End, Exchange, Framing
from openapi.wire.http1 import BARE_LF, FOLDED, FRAMING_FAULT, NO_SPACE, SURPLUS

REQUEST_IDS = ("x-request-id", "request-id", "x-oneapi-request-id", "x-litellm-call-id", "cf-ray")

LARGE = 1 << 20  # bytes of a request at which a server may hang up before it has read all of them
SINGLE = ("content-type", "date", "location", "retry-after", "etag", "last-modified")  # fields that stand once

bodyless = On(
    "an answer without a body",
    lambda exchange: exchange.request.method == "HEAD" or exchange.status in {204, 304},
)
no_content = On("a 204", lambda exchange: exchange.status == 204)


@rule("transport.answered", Level.MUST, cites="RFC 9112 section 9.6", on=ANYTHING, silence=True)
def is_answered(exchange: Exchange) -> Iterator[Remark]:
    """A request is answered: the connection is not closed or reset before a status line."""
    if exchange.status is not None:
        return
    if (exchange.error or "").startswith(FRAMING_FAULT):
        yield Inconclusive("what came could not be read: see transport.framing")
    elif exchange.reused:
        yield Inconclusive("the connection had been used before: see transport.reuse")
    elif len(exchange.request.body or b"") > LARGE:
        yield Inconclusive("the connection ended while a large body was sent (RFC 9110 section 15.5.14 allows it)")
    elif exchange.end in {End.TRUNCATED, End.RESET}:
        yield Finding(f"expected an answer, the connection was {_ended(exchange)} before any")
    else:
        yield Inconclusive(describe(exchange))


@rule("transport.framing", Level.MUST, cites="RFC 9112 sections 4 to 7", on=ANYTHING, silence=True)
def framing(exchange: Exchange) -> Iterator[Remark]:
    """The bytes that frame an answer can be read: status line, header fields, chunk sizes, one Content-Length."""
    if exchange.error and exchange.error.startswith(FRAMING_FAULT):
        yield Finding(exchange.error.removeprefix(FRAMING_FAULT), len(exchange.body))
    elif exchange.status is None:
        yield Inconclusive(describe(exchange))


@rule("transport.body-complete", Level.MUST, cites="RFC 9112 section 8", on=ANYTHING, given=answered)
def body_complete(exchange: Exchange) -> Iterator[Remark]:
    """A body ends as its framing says: by the last chunk or with the announced number of bytes."""
    if exchange.error and exchange.error.startswith(FRAMING_FAULT):
        yield Inconclusive("the framing itself is broken: see transport.framing")
    elif exchange.end in {End.TRUNCATED, End.RESET}:
        framed = exchange.framing.value if exchange.framing else "unknown"
        text = f"the connection was {_ended(exchange)} after {len(exchange.body)} body bytes (framing: {framed})"
        yield Finding(text, len(exchange.body))
    elif exchange.end is not End.COMPLETE:
        yield Inconclusive(describe(exchange))


@rule(
    "transport.content-encoding",
    Level.MUST,
    cites="RFC 9110 section 8.4",
    on=ANYTHING,
    occasion=coded,
)
def content_encoding(exchange: Exchange) -> Iterator[Remark]:
    """A body decodes by the Content-Encoding that it announces, and by none that was not asked for and nobody knows."""
    fault = exchange.content_fault
    if fault is None:
        return
    coding = (exchange.header("content-encoding") or "").strip().lower()
    if coding in (exchange.request.header("accept-encoding") or "").lower() and "not known" in fault:
        yield Inconclusive(f"the client asked for {coding}, which nobody here decodes")
    elif "ends early" in fault and exchange.end is not End.COMPLETE:
        yield Inconclusive(f"the body was cut: {fault}")
    else:
        yield Finding(fault)


@rule("transport.redirect", Level.SHOULD, cites="RFC 9110 section 15.4", on=~odd_path, given=answered)
def redirect(exchange: Exchange) -> Iterator[Remark]:
    """A request to the API is answered where it was sent; a redirect loses the key or the body of a POST."""
    if exchange.status in {301, 302, 303, 307, 308}:
        yield Finding(f"expected an answer, got {exchange.status} to {exchange.header('location')!r}")


@rule("transport.request-id", Level.MAY, cites="OpenAI API reference, Debugging requests", on=ANYTHING, given=answered)
def request_id(exchange: Exchange) -> Iterator[Remark]:
    """An answer carries an id of the request that the operator can find again."""
    if not any(exchange.header(name) for name in REQUEST_IDS):
        yield Finding(f"none of the headers {', '.join(REQUEST_IDS)}")


# --- the head -------------------------------------------------------------------------------------------------------


@rule("transport.head-syntax", Level.SHOULD, cites="RFC 9112 sections 2.2, 4 and 5.2", on=ANYTHING, given=answered)
def head_syntax(exchange: Exchange) -> Iterator[Remark]:
    """Lines of a head end in CRLF, no field is folded over several, and a space stands behind the status code."""
    for odd in exchange.oddities:
        if odd.kind in {BARE_LF, FOLDED, NO_SPACE}:
            yield Finding(f"{odd.kind}: {odd.detail}", place=odd.kind)


@rule("transport.singletons", Level.SHOULD, cites="RFC 9110 section 5.3", on=ANYTHING, given=answered)
def singletons(exchange: Exchange) -> Iterator[Remark]:
    """A field that is no list stands once in a head: of two, each client believes another."""
    names = [name.lower() for name, _ in exchange.headers]
    for name in SINGLE:
        if names.count(name) > 1:
            yield Finding(f"{name} stands {names.count(name)} times", place=name)


@rule("transport.length-and-coding", Level.SHOULD, cites="RFC 9112 section 6.2", on=ANYTHING, given=answered)
def length_and_coding(exchange: Exchange) -> Iterator[Remark]:
    """No answer has both Content-Length and Transfer-Encoding: a proxy and a client may disagree where it ends."""
    if exchange.header("transfer-encoding") is not None and exchange.header("content-length") is not None:
        yield Finding(f"Content-Length {exchange.header('content-length')!r} beside Transfer-Encoding")


@rule("transport.date", Level.MAY, cites="RFC 9110 section 6.6.1", on=ANYTHING, given=answered)
def date(exchange: Exchange) -> Iterator[Remark]:
    """An answer says when it was made."""
    if exchange.header("date") is None:
        yield Finding("there is no Date", place="date")


@rule("transport.header-text", Level.MAY, cites="RFC 9110 section 5.5", on=ANYTHING, given=answered)
def header_text(exchange: Exchange) -> Iterator[Remark]:
    """Values of fields are ASCII: browsers and Node hand others over garbled, or refuse them."""
    for name, value in exchange.headers:
        if not value.isascii():
            yield Finding(f"{name}: {value[:80]!r}", place=name.lower())


# --- the body -------------------------------------------------------------------------------------------------------


@rule(
    "transport.no-body",
    Level.MUST,
    cites="RFC 9110 sections 9.3.2, 15.3.5 and 15.4.5",
    on=ANYTHING,
    occasion=bodyless,
)
def no_body(exchange: Exchange) -> Iterator[Remark]:
    """An answer to HEAD, a 204 and a 304 have no body: what follows would be read as the next answer."""
    for odd in exchange.oddities:
        if odd.kind == SURPLUS:
            yield Finding(f"a body came: {odd.detail}")


@rule("transport.surplus", Level.SHOULD, cites="RFC 9112 section 6.3", on=ANYTHING, occasion=~bodyless)
def surplus(exchange: Exchange) -> Iterator[Remark]:
    """Nothing follows the end of an answer: it would be read as the next one."""
    for odd in exchange.oddities:
        if odd.kind == SURPLUS:
            yield Finding(f"{odd.detail} came", len(exchange.body))


@rule("transport.no-content", Level.SHOULD, cites="RFC 9110 section 8.6", on=ANYTHING, occasion=no_content)
def nothing_announced(exchange: Exchange) -> Iterator[Remark]:
    """A 204 announces no body, neither by Content-Length nor by Transfer-Encoding."""
    for name in ("content-length", "transfer-encoding"):
        if (exchange.header(name) or "0") != "0":
            yield Finding(f"204 with {name}: {exchange.header(name)}", place=name)


@rule("transport.close-delimited", Level.MAY, cites="RFC 9112 section 8", on=ANYTHING, given=answered)
def close_delimited(exchange: Exchange) -> Iterator[Remark]:
    """A body is chunked or has a length: one that ends with its connection cannot be told from one that was cut."""
    if exchange.framing is Framing.CLOSE:
        yield Finding(f"nothing but the end of the connection ends {len(exchange.body)} bytes")


@rule("transport.coding-unasked", Level.MAY, cites="RFC 9110 section 12.5.3", on=ANYTHING, occasion=coded)
def coding_unasked(exchange: Exchange) -> Iterator[Remark]:
    """A body is compressed only as the client said that it takes it."""
    usual = "identity" if exchange.probe else "*"  # what the transport says where a probe does not
    asked = (exchange.request.header("accept-encoding") or usual).lower()
    coding = (exchange.header("content-encoding") or "").strip().lower()
    if coding not in asked and "*" not in asked:
        yield Finding(f"asked for {asked!r}, got Content-Encoding {coding!r}")


@rule("transport.leading-whitespace", Level.MAY, cites="RFC 8259 section 2", on=~streamed, occasion=ok)
def leading_whitespace(exchange: Exchange) -> Iterator[Remark]:
    """JSON begins with its first byte: blanks sent to keep a connection settle the status before it is known."""
    blanks = len(exchange.content) - len(exchange.content.lstrip())
    if blanks and exchange.media_type == "application/json":
        yield Finding(f"{blanks} bytes of white space stand before the JSON", 0)


# --- the connection, and what stands before the relay ---------------------------------------------------------------


@rule("transport.reuse", Level.SHOULD, cites="RFC 9112 section 9.6", on=ANYTHING, silence=True, over=("kept", "next"))
def reuse(kept: Exchange, following: Exchange) -> Iterator[Remark]:
    """A connection that an answer leaves open takes the next request; one that is to end is announced with close."""
    if not answered.holds(kept) or kept.end is not End.COMPLETE or following.reused is None:
        yield Inconclusive(f"no connection was left: {describe(kept)}")
    elif _announced(kept):
        yield NotSeen("the first answer ended its connection, and said so")
    elif not following.reused:
        text = "the connection was closed or reset behind a whole answer that did not say Connection: close"
        yield Finding(text, place="connection", exchange=kept.id)
    elif following.status is None:
        text = f"the next request on the connection got no answer: {describe(following)}"
        yield Finding(text, place="connection", exchange=following.id)


def _announced(exchange: Exchange) -> bool:
    options = (exchange.header("connection") or "").lower()
    return "close" in options or exchange.framing is Framing.CLOSE or exchange.http == "1.0"


@rule("transport.gateway-timeout", Level.MAY, cites="Cloudflare error 524: 100 s without a byte", on=ANYTHING)
def gateway_timeout(exchange: Exchange) -> Iterator[Remark]:
    """No proxy in front gives up before the relay has answered."""
    if exchange.status in {504, 524}:
        yield Finding(f"{describe(exchange)} after {exchange.first_byte or exchange.ended_at:.0f} s")


def _ended(exchange: Exchange) -> str:
    return "reset" if exchange.end is End.RESET else "closed"
