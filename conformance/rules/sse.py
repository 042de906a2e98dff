"""Server-sent events, byte by byte."""

from collections.abc import Iterator

from conformance.answers import complete, decoded, event_stream, excerpt, ok
from conformance.asked import chat, legal, streamed
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, Remark, rule
from openapi.wire.exchange import Exchange, Framing
from openapi.wire.sse import Message, Silent, Truncated
from openapi.wire.streams.chat import SENTINEL

WHATWG = "WHATWG HTML section 9.2"


@rule("sse.content-type", Level.MUST, cites=f"{WHATWG}.5", on=chat & streamed & legal, given=ok)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """A request with stream true is answered as text/event-stream, whatever it accepts."""
    if not exchange.is_stream:
        yield Finding(f"expected Content-Type text/event-stream, got {exchange.header('content-type')!r}")


@rule("sse.charset", Level.SHOULD, cites=f"{WHATWG}.7, IANA registration", on=ANYTHING, occasion=event_stream)
def charset(exchange: Exchange) -> Iterator[Remark]:
    """An event stream is UTF-8: a charset parameter is absent or utf-8."""
    _, _, parameters = (exchange.header("content-type") or "").partition(";")
    for parameter in parameters.split(";"):
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in {"utf-8", "utf8"}:
            yield Finding(f"expected utf-8, got charset {value.strip()!r}")


@rule(
    "sse.utf8", Level.MUST, cites=f"{WHATWG}.6; RFC 8259 section 8.1", on=ANYTHING, occasion=event_stream, given=decoded
)
def utf8(exchange: Exchange) -> Iterator[Remark]:
    """The bytes of a stream are UTF-8, once its pieces are joined."""
    try:
        exchange.content.decode("utf-8")
    except UnicodeDecodeError as error:
        at_the_cut = error.end == len(exchange.content) and error.reason == "unexpected end of data"
        if at_the_cut and not complete.holds(exchange):
            yield Inconclusive("the body was cut inside a character: see transport.body-complete")
        else:
            event = sum(message.end <= error.start for message in exchange.messages)
            seen = exchange.content[error.start : error.start + 4].hex(" ")
            yield Finding(f"byte {error.start} begins no UTF-8 character: {seen}", event)


@rule(
    "sse.json",
    Level.MUST,
    cites="RFC 8259; OpenAI API reference, Streaming",
    on=ANYTHING,
    occasion=event_stream,
    given=decoded,
)
def json_data(exchange: Exchange) -> Iterator[Remark]:
    """The data of each event is one JSON object, strictly read, or the literal [DONE]."""
    for event, (message, payload) in enumerate(zip(exchange.messages, exchange.payloads, strict=True)):
        if message.data == SENTINEL:
            continue
        if payload.fault:
            yield Finding(f"{payload.fault}: {excerpt(message.data)}", event)
        elif not isinstance(payload.value, dict):
            yield Finding(f"expected a JSON object, got {excerpt(message.data)}", event)


@rule("sse.framed", Level.MUST, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def framed(exchange: Exchange) -> Iterator[Remark]:
    """No payload stands outside a data field: a parser throws away a line of bare JSON or HTML."""
    event = 0
    for item in exchange.items:
        if isinstance(item, Message | Silent):
            lines = item.unknown
        elif isinstance(item, Truncated):
            lines = tuple(item.tail.decode("utf-8", "replace").splitlines())
        else:
            continue
        for line in lines:
            if line.lstrip().startswith(("{", "[", "<")):
                yield Finding(f"a line outside any field: {excerpt(line)}", event)
        event += isinstance(item, Message)


@rule("sse.last-blank", Level.MUST, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def last_blank(exchange: Exchange) -> Iterator[Remark]:
    """The last event is ended by a blank line: without it a parser never dispatches the event."""
    tail = exchange.items[-1] if exchange.items else None
    if not isinstance(tail, Truncated):
        return
    if not complete.holds(exchange):
        yield Inconclusive("the body was cut: see transport.body-complete")
    elif tail.tail.lstrip(b" \r\n\t"):
        text = excerpt(tail.tail.decode("utf-8", "replace"))
        yield Finding(f"the stream ends without a blank line behind: {text}", len(exchange.messages))


@rule("sse.no-length", Level.SHOULD, cites="RFC 9112 section 6.2", on=chat & streamed & legal, given=event_stream)
def no_length(exchange: Exchange) -> Iterator[Remark]:
    """A live stream announces no Content-Length: who knows the length has waited for the end."""
    if exchange.framing is Framing.CONTENT_LENGTH:
        yield Finding(f"a stream of {len(exchange.body)} bytes came with a Content-Length")


@rule("sse.event-names", Level.MAY, cites="OpenAI API reference, Streaming", on=chat & streamed, given=event_stream)
def event_names(exchange: Exchange) -> Iterator[Remark]:
    """A chat stream has no event field; parsers that go line by line trip over one."""
    named = [event for event, message in enumerate(exchange.messages) if message.event is not None]
    if named:
        yield Finding(f"{len(named)} events have an event field, first {exchange.messages[named[0]].event!r}", named[0])
