"""What rules read off an answer: each a pure view of an exchange, made once.

The predicates here look at what came back; they stand in a rule's `given` (nothing to judge without it) or `occasion`
(the law speaks of such answers only).
"""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Protocol

from conformance.asked import completions, operation_of
from conformance.rule import On, on
from openapi import document, schema
from openapi.json_text import Json, JsonText
from openapi.pointer import escape
from openapi.schema import SchemaFault
from openapi.wire.exchange import End, Exchange
from openapi.wire.grammar import Grammar
from openapi.wire.sse import Message
from openapi.wire.streams import chat
from openapi.wire.streams import completions as text_stream
from openapi.wire.streams.chat import Reply, Said, State, Symbol

EXCERPT = 120
MAX_CHOICES = 128  # n at its largest

answered = On("an answer", lambda exchange: exchange.status is not None)
complete = On("an answer that ended by itself", lambda exchange: exchange.end is End.COMPLETE)
coded = On("a Content-Encoding", lambda exchange: exchange.header("content-encoding") is not None)
decoded = On("a content coding that decodes", lambda exchange: exchange.content_fault is None)
intact = complete & decoded
ok = On("a 200", lambda exchange: exchange.status == 200)
GATEWAY_TIMEOUTS = {504, 524}  # of a proxy before a slow relay, in its own words: told by transport.gateway-timeout
error_answer = On(
    "an error answer of the relay's own", lambda e: (e.status or 0) >= 400 and e.status not in GATEWAY_TIMEOUTS
)
event_stream = On("a 200 event stream", lambda exchange: exchange.status == 200 and exchange.is_stream)
ended = event_stream & intact


@on("a 200 with a JSON object that is no error")
def json_answer(exchange: Exchange) -> bool:
    is_object = exchange.status == 200 and not exchange.is_stream and isinstance(exchange.json.value, dict)
    return is_object and not _is_error(exchange)


def _is_error(exchange: Exchange) -> bool:
    """An error object and nothing else, which errors.not-200 tells of."""
    return bool(exchange.object.get("error")) and "choices" not in exchange.object


def describe(exchange: Exchange) -> str:
    """What came, in a few words, for the reason of an inconclusive verdict."""
    if exchange.status is None:
        return exchange.error or "no answer came"
    text = f"the answer was {exchange.status}"
    if exchange.status >= 400:
        return f"{text}: {excerpt(message_of(exchange))}"
    if exchange.end is not End.COMPLETE:
        return f"{text}, {exchange.end.value} after {exchange.ended_at:.1f} s"
    if exchange.content_fault:
        return f"{text}, {exchange.content_fault}"
    if _is_error(exchange):
        return f"{text} with an error: {excerpt(message_of(exchange))}"
    return f"{text} {exchange.media_type or 'without a media type'}"


def message_of(exchange: Exchange) -> str:
    """The text of an error answer: the envelope's message, else the body."""
    match exchange.object.get("error"):
        case {"message": str(text)}:
            return text
        case str(text):
            return text
    return exchange.content[:400].decode("utf-8", "replace")


def excerpt(value: object, limit: int = EXCERPT) -> str:
    """A value in at most so many characters."""
    text = value if isinstance(value, str) else _json(value)
    text = " ".join(text.split())
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _json(value: object) -> str:
    try:
        return json.dumps(value, ensure_ascii=False)
    except RecursionError:
        return "a value nested too deeply"


# --- chat, and the text completions before it -----------------------------------------------------------------------


class Stream(Protocol):
    """A protocol whose answers have choices."""

    GRAMMAR: Grammar[State, Symbol]

    def classify(self, event: int, message: Message, payload: JsonText) -> Iterator[Said]: ...

    def fold(self, payloads: Iterable[JsonText]) -> Reply: ...

    def whole(self, answer: dict[str, Json]) -> Reply: ...


def _stream_of(exchange: Exchange) -> Stream:
    if completions.holds(exchange):
        return text_stream
    return chat


def reply_of(exchange: Exchange) -> Reply:
    """The message that the answer spells, streamed or whole."""
    return exchange.view(_reply)


def _reply(exchange: Exchange) -> Reply:
    stream = _stream_of(exchange)
    return stream.fold(exchange.payloads) if exchange.is_stream else stream.whole(exchange.object)


replied = event_stream | json_answer


def _readable(exchange: Exchange) -> bool:
    """What is joined from events says nothing where one of them was lost: other rules tell of the loss."""
    if not exchange.is_stream:
        return True
    pairs = zip(exchange.messages, exchange.payloads, strict=True)
    if not all(
        message.data == chat.SENTINEL or (payload.object and payload.fault is None) for message, payload in pairs
    ):
        return False
    return "\ufffd" not in "".join(message.data for message in exchange.messages) or _is_utf8(exchange.content)


readable = On("events that can all be read", lambda exchange: exchange.view(_readable))


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


@on("choices and no error")
def _says_choices(exchange: Exchange) -> bool:
    return bool(reply_of(exchange).choices) and not saying(exchange, Symbol.ERROR)


whole_reply = replied & intact & readable & _says_choices


def said_of(exchange: Exchange) -> tuple[Said, ...]:
    """What the events of a chat stream say, in order."""
    return exchange.view(_said)


def _said(exchange: Exchange) -> tuple[Said, ...]:
    stream, pairs = _stream_of(exchange), zip(exchange.messages, exchange.payloads, strict=True)
    return tuple(
        said for event, (message, payload) in enumerate(pairs) for said in stream.classify(event, message, payload)
    )


def saying(exchange: Exchange, symbol: Symbol) -> tuple[Said, ...]:
    """Where the events of a chat stream say this, in order."""
    return tuple(exchange.view(_by_symbol).get(symbol, ()))


def _by_symbol(exchange: Exchange) -> dict[Symbol, list[Said]]:
    found: dict[Symbol, list[Said]] = {}
    for said in said_of(exchange):
        found.setdefault(said.symbol, []).append(said)
    return found


def choice_indexes(exchange: Exchange) -> tuple[int, ...]:
    """The choices that a stream speaks of; a stream that speaks of none is judged as choice 0 would see it.

    No more than a request can ask for: chat.stream.index tells of the others.
    """
    return tuple(sorted({said.choice for said in said_of(exchange) if said.choice is not None})[:MAX_CHOICES]) or (0,)


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """One violation of the chat grammar, with its choice and the number of its event (None: the end)."""

    choice: int
    event: int | None
    state: State
    got: Symbol | None

    @property
    def text(self) -> str:
        return f"choice {self.choice}: {self._what}"

    @property
    def place(self) -> str:
        return self._what.replace(" ", "-")

    @property
    def _what(self) -> str:
        return f"{self.got.value if self.got else 'the stream ended'} {self.state.value}"


def out_of_order(exchange: Exchange) -> tuple[OutOfOrder, ...]:
    """Where the stream left its grammar, over all choices, what several choices share told once."""
    return exchange.view(_out_of_order)


def _out_of_order(exchange: Exchange) -> tuple[OutOfOrder, ...]:
    grammar = _stream_of(exchange).GRAMMAR
    found: dict[tuple[int | None, State, Symbol | None], OutOfOrder] = {}
    for choice in choice_indexes(exchange):
        seen = chat.project(said_of(exchange), choice)
        for violation in grammar.walk([one.symbol for one in seen], ended=exchange.end is End.COMPLETE):
            event = seen[violation.index].event if violation.index < len(seen) else None
            key = (event, violation.state, violation.got)
            found.setdefault(key, OutOfOrder(choice, event, violation.state, violation.got))
    return tuple(found.values())


def is_prefilter(chunk: dict[str, Json]) -> bool:
    """Azure's first chunk, which carries filter results and nothing else: legal there, and passed on by relays."""
    return "prompt_filter_results" in chunk and chunk.get("choices") == [] and chunk.get("usage") is None


def chunks_of(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    """The chunks of a chat stream with their event numbers: JSON objects that are neither errors nor the prefilter."""
    return exchange.view(_chunks)


def _chunks(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    return tuple(
        (event, chunk)
        for event, payload in enumerate(exchange.payloads)
        if isinstance(chunk := payload.value, dict) and chunk.get("error") is None and not is_prefilter(chunk)
    )


@on("a chunk")
def _has_chunk(exchange: Exchange) -> bool:
    return bool(chunks_of(exchange))


chunked = event_stream & _has_chunk


def schema_faults(exchange: Exchange) -> tuple[tuple[int | None, SchemaFault], ...]:
    """How the answer leaves the document's schema: by event for a stream, else with None, whatever type it declares."""
    return exchange.view(_schema_faults)


def _schema_faults(exchange: Exchange) -> tuple[tuple[int | None, SchemaFault], ...]:
    book, name = document.load(), operation_of(exchange)
    kind = exchange.media_type if exchange.is_stream else "application/json"
    media = book.operation(name).media_for(exchange.status or 0, kind) if name else None
    if media is None:
        return ()
    if not exchange.is_stream:
        return tuple((None, fault) for fault in schema.faults(book, media.pointer, exchange.json))
    texts = [(event, exchange.payloads[event]) for event, _ in chunks_of(exchange)]
    if schema.surely_valid(book, media.pointer, (text for _, text in texts)):
        return ()
    return tuple((event, fault) for event, text in texts for fault in schema.faults(book, media.pointer, text))


def starred(pointer: str) -> str:
    """A pointer with `*` for each index: the place is the same in every answer."""
    return "/".join("*" if token.isascii() and token.isdigit() else token for token in pointer.split("/"))


def place_of(fault: SchemaFault) -> str:
    """Where a fault is, as a finding names the place; `/` for the whole value."""
    missing = f"/{escape(fault.missing)}" if fault.missing is not None else ""
    return starred(fault.pointer) + missing or "/"
