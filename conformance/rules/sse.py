"""Server-sent events, byte by byte."""

import re
from collections.abc import Iterator, Sequence
from itertools import accumulate, pairwise

from conformance.answers import coded, complete, decoded, event_stream, excerpt, ok, reply_of, whole_reply
from conformance.asked import chat, legal, member, spoken, streamed, streams
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, On, Remark, rule
from openapi.json_text import is_unicode
from openapi.wire.exchange import Exchange, Framing
from openapi.wire.sse import BOM, Comment, Message, Silent, Truncated
from openapi.wire.streams.chat import SENTINEL

WHATWG = "WHATWG HTML section 9.2"
ECHO = re.compile(r"Repeat this word exactly[^:]*: (\S+)")  # how a probe asks for a word back
LINE_END = re.compile(rb"\r\n|\r|\n")


def word_of(exchange: Exchange) -> str:
    """The word beyond ASCII that the last message asks for again; empty for any other request, and where it has half a
    character in it, which has no UTF-8."""
    messages = member(exchange, "messages")
    last = messages[-1] if isinstance(messages, list) and messages else None
    text = last.get("content") if isinstance(last, dict) else None
    asked = ECHO.fullmatch(text) if isinstance(text, str) else None
    return asked[1] if asked and not asked[1].isascii() and is_unicode(asked[1]) else ""


asks_word = On("a word to be said again", lambda exchange: bool(word_of(exchange)))


@rule("sse.content-type", Level.MUST, cites=f"{WHATWG}.5", on=streams & streamed & legal, given=ok)
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
        if isinstance(item, (Message, Silent)):
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


@rule("sse.no-length", Level.SHOULD, cites="RFC 9112 section 6.2", on=streams & streamed & legal, given=event_stream)
def no_length(exchange: Exchange) -> Iterator[Remark]:
    """A live stream announces no Content-Length: who knows the length has waited for the end."""
    if exchange.framing is Framing.CONTENT_LENGTH:
        yield Finding(f"a stream of {len(exchange.body)} bytes came with a Content-Length")


@rule("sse.event-names", Level.MAY, cites="OpenAI API reference, Streaming", on=spoken & streamed, given=event_stream)
def event_names(exchange: Exchange) -> Iterator[Remark]:
    """A stream of choices has no event field; parsers that go line by line trip over one."""
    named = [event for event, message in enumerate(exchange.messages) if message.event is not None]
    if named:
        yield Finding(f"{len(named)} events have an event field, first {exchange.messages[named[0]].event!r}", named[0])


# --- text -----------------------------------------------------------------------------------------------------------


@rule(
    "sse.mojibake",
    Level.MUST,
    cites=f"{WHATWG}.6; RFC 8259 section 8.1",
    on=chat & legal & asks_word,
    given=whole_reply,
)
def mojibake(exchange: Exchange) -> Iterator[Remark]:
    """Text beyond ASCII is passed on as it is: UTF-8 is not read as another encoding and encoded once more."""
    word = word_of(exchange)
    said = "".join(choice.content for choice in reply_of(exchange).choices.values())
    garbled = next((form for sign in word if not sign.isascii() for form in _twice(sign) if form in said), None)
    if garbled:
        yield Finding(f"asked for {word!r}, got {excerpt(said)!r}: {garbled!r} is UTF-8 that was encoded twice")
    elif word not in said:
        yield Inconclusive(f"the model was asked for {word!r} and said {excerpt(said)!r}", mood=True)


def _twice(sign: str) -> tuple[str, ...]:
    """A character whose bytes were read as Latin-1, or as Windows-1252, which has no sign for five of them."""
    data = sign.encode()
    return data.decode("latin-1"), "".join(_windows(byte) for byte in data)


def _windows(byte: int) -> str:
    try:
        return bytes([byte]).decode("cp1252")
    except UnicodeDecodeError:
        return chr(byte)


# --- what is legal, and breaks simple clients -----------------------------------------------------------------------


@rule("sse.cache-control", Level.MAY, cites=f"{WHATWG}.7", on=streams & streamed, given=event_stream)
def cache_control(exchange: Exchange) -> Iterator[Remark]:
    """A stream says that no cache on the way may keep it: Cache-Control: no-cache, or no-store."""
    said = exchange.header("cache-control")
    if not re.search(r"\bno-(cache|store)\b", (said or "").lower()):
        yield Finding(f"expected Cache-Control: no-cache, got {said!r}", place="cache-control")


@rule("sse.accel-buffering", Level.MAY, cites="NGINX, X-Accel-Buffering", on=streams & streamed, given=event_stream)
def accel_buffering(exchange: Exchange) -> Iterator[Remark]:
    """A stream asks proxies in front not to hold it back: X-Accel-Buffering: no."""
    said = exchange.header("x-accel-buffering")
    if (said or "").strip().lower() != "no":
        yield Finding(f"expected X-Accel-Buffering: no, got {said!r}", place="x-accel-buffering")


@rule("sse.bom", Level.MAY, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def byte_order_mark(exchange: Exchange) -> Iterator[Remark]:
    """A stream begins without a byte order mark: parsers that look for `data:` lose the first event."""
    if exchange.content.startswith(BOM):
        yield Finding("the stream begins with the bytes ef bb bf", 0)


@rule("sse.line-ends", Level.MAY, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def line_ends(exchange: Exchange) -> Iterator[Remark]:
    """Lines end in LF, or all of them in CRLF: parsers that know no other way wait for the end of the stream."""
    ends = set(LINE_END.findall(exchange.content)) if b"\r" in exchange.content else set()
    if b"\r" in ends:
        yield Finding("lines end in a bare CR")
    elif len(ends) > 1:
        yield Finding("some lines end in LF and some in CRLF")


@rule("sse.multi-line", Level.MAY, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def multi_line(exchange: Exchange) -> Iterator[Remark]:
    """An event has its data in one line: parsers that go line by line take each for an event."""
    found = [event for event, message in enumerate(exchange.messages) if "\n" in message.data]
    if found:
        yield Finding(f"{len(found)} events have several data lines", found[0])


@rule("sse.id-and-comment", Level.MAY, cites=f"{WHATWG}.6", on=ANYTHING, occasion=event_stream, given=decoded)
def id_and_comment(exchange: Exchange) -> Iterator[Remark]:
    """Where events have an id, no comment stands in a block of its own: some SDKs dispatch it as an empty event."""
    if any(message.id is not None for message in exchange.messages):
        alone = sum(_lonely(pair) for pair in pairwise(exchange.items))
        if alone:
            yield Finding(f"events have an id, and {alone} comments a blank line behind them")


def _lonely(pair: Sequence[object]) -> bool:
    before, after = pair
    return isinstance(before, Comment) and isinstance(after, Silent)


chunked = On("HTTP chunks as they were sent", lambda exchange: bool(exchange.chunks) and not coded.holds(exchange))


@rule(
    "sse.whole-events",
    Level.MAY,
    cites="RFC 9112 section 7.1",
    on=streams & streamed,
    given=event_stream,
    occasion=chunked,
)
def whole_events(exchange: Exchange) -> Iterator[Remark]:
    """A chunk of HTTP ends with a line: code that takes each for an event, or decodes each, gets halves."""
    body = exchange.body
    for border in accumulate(exchange.chunks or ()):
        if 0 < border < len(body) and body[border - 1 : border] not in {b"\n", b"\r"}:
            event = sum(message.end <= border for message in exchange.messages)
            yield Finding(f"a chunk ends within a line, behind {body[:border][-20:]!r}", event)
            return
