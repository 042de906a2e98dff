"""HTTP/1.1 as it came over the socket."""

from collections.abc import Iterator

from conformance.answers import answered, describe
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, On, Remark, rule
from openapi.wire.exchange import End, Exchange
from openapi.wire.http1 import FRAMING_FAULT

REQUEST_IDS = ("x-request-id", "request-id", "x-oneapi-request-id", "x-litellm-call-id", "cf-ray")

coded = On("a Content-Encoding", lambda exchange: exchange.header("content-encoding") is not None)


@rule("transport.answered", Level.MUST, cites="RFC 9112 section 9.6", on=ANYTHING, silence=True)
def is_answered(exchange: Exchange) -> Iterator[Remark]:
    """A request is answered: the connection is not closed or reset before a status line."""
    if exchange.status is not None:
        return
    if (exchange.error or "").startswith(FRAMING_FAULT):
        yield Inconclusive("what came could not be read: see transport.framing")
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


@rule("transport.redirect", Level.SHOULD, cites="RFC 9110 section 15.4", on=ANYTHING, given=answered)
def redirect(exchange: Exchange) -> Iterator[Remark]:
    """A request to the API is answered where it was sent; a redirect loses the key or the body of a POST."""
    if exchange.status in {301, 302, 303, 307, 308}:
        yield Finding(f"expected an answer, got {exchange.status} to {exchange.header('location')!r}")


@rule("transport.request-id", Level.MAY, cites="OpenAI API reference, Debugging requests", on=ANYTHING, given=answered)
def request_id(exchange: Exchange) -> Iterator[Remark]:
    """An answer carries an id of the request that the operator can find again."""
    if not any(exchange.header(name) for name in REQUEST_IDS):
        yield Finding(f"none of the headers {', '.join(REQUEST_IDS)}")


def _ended(exchange: Exchange) -> str:
    return "reset" if exchange.end is End.RESET else "closed"
