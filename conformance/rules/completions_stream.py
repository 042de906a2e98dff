"""The stream of POST /v1/completions. Its order is that of chat without roles and tools, and is checked as there."""

from collections.abc import Iterator

from conformance.answers import chunked, ended, event_stream, place_of, readable, schema_faults
from conformance.asked import streamed, with_usage
from conformance.rule import Finding, Level, Remark, rule
from conformance.rules import chat_stream
from conformance.rules.chat_stream import closed, of_created, of_empty_id, of_finish, of_usage
from conformance.rules.completions import asked_for, legal_text
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange

CHUNK = "openapi#/components/schemas/CompletionChunk"
REFERENCE = "OpenAI API reference, The completion object"
SENTINEL = "OpenAI API reference, Create completion, stream"
OPTIONS = "openapi#/components/schemas/CompletionRequest/properties/stream_options"
stream = legal_text & streamed


def of_text(fault: SchemaFault) -> bool:
    return fault.pointer.endswith("/text") or (fault.missing == "text" and fault.pointer.startswith("/choices/"))


CLAIMED = (of_created, of_empty_id, of_finish, of_text, of_usage)


@rule("completions.stream.schema", Level.MUST, cites=CHUNK, on=stream, given=event_stream)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """Each event is a piece: id, object text_completion, created, model and choices, of the right types."""
    yield from chat_stream.unclaimed(exchange, CLAIMED)


@rule("completions.stream.text", Level.MUST, cites=f"{CHUNK}, text", on=stream, given=chunked)
def text(exchange: Exchange) -> Iterator[Remark]:
    """Each choice of a piece has its text, empty where nothing is added: clients append it unseen."""
    for event, fault in schema_faults(exchange):
        if of_text(fault):
            yield Finding(f"{fault.pointer}: expected {fault.expected}, got {fault.got}", event, place_of(fault))


@rule("completions.stream.finish-reason", Level.MUST, cites=f"{CHUNK}, finish_reason", on=stream, given=chunked)
def finish_reason(exchange: Exchange) -> Iterator[Remark]:
    """finish_reason is null, or one of stop, length and content_filter."""
    yield from chat_stream.finish_reason(exchange)


@rule("completions.stream.id", Level.MUST, cites=f"{REFERENCE}, id", on=stream, given=chunked)
def one_id(exchange: Exchange) -> Iterator[Remark]:
    """All pieces of an answer have the same id, and it is not empty."""
    yield from chat_stream.one_id(exchange)


@rule("completions.stream.created", Level.MUST, cites=f"{REFERENCE}, created", on=stream, given=chunked)
def one_created(exchange: Exchange) -> Iterator[Remark]:
    """All pieces of an answer have the same created, in seconds."""
    yield from chat_stream.one_created(exchange)


@rule("completions.stream.index", Level.MUST, cites=f"{CHUNK}, index", on=stream, given=chunked)
def index(exchange: Exchange) -> Iterator[Remark]:
    """The index of a choice is below the number of prompts times n."""
    yield from chat_stream.indexed(exchange, asked_for(exchange) - 1)


@rule(
    "completions.stream.finish-once",
    Level.MUST,
    cites=f"{REFERENCE}, finish_reason",
    on=stream,
    given=event_stream & readable,
)
def finish_once(exchange: Exchange) -> Iterator[Remark]:
    """Each choice ends with exactly one finish_reason that is not null."""
    yield from chat_stream.finish_once(exchange)


@rule("completions.stream.finish-last", Level.MUST, cites=f"{REFERENCE}, finish_reason", on=stream, given=chunked)
def finish_last(exchange: Exchange) -> Iterator[Remark]:
    """A choice says nothing more behind its finish_reason, and nobody does behind the usage."""
    yield from chat_stream.finish_last(exchange)


@rule("completions.stream.done", Level.MUST, cites=SENTINEL, on=stream, given=ended)
def done(exchange: Exchange) -> Iterator[Remark]:
    """A stream ends with the event [DONE]."""
    yield from chat_stream.done(exchange)


@rule("completions.stream.done-once", Level.MUST, cites=SENTINEL, on=stream, given=closed)
def done_once(exchange: Exchange) -> Iterator[Remark]:
    """[DONE] comes once."""
    yield from chat_stream.done_once(exchange)


@rule("completions.stream.nothing-after-done", Level.MUST, cites=SENTINEL, on=stream, given=closed)
def nothing_after_done(exchange: Exchange) -> Iterator[Remark]:
    """No event follows [DONE]."""
    yield from chat_stream.nothing_after_done(exchange)


@rule("completions.stream.completes", Level.MUST, cites="OpenAI API reference, Errors", on=stream, given=event_stream)
def completes(exchange: Exchange) -> Iterator[Remark]:
    """A legal request whose answer began is answered to the end: no error takes the place of the rest."""
    yield from chat_stream.completes(exchange)


@rule("completions.stream.usage-asked", Level.MUST, cites=OPTIONS, on=stream & with_usage, given=ended)
def usage_asked(exchange: Exchange) -> Iterator[Remark]:
    """With include_usage one piece with empty choices has the usage, behind all choices and before [DONE]."""
    yield from chat_stream.usage_asked(exchange)


@rule("completions.stream.usage-unasked", Level.SHOULD, cites=OPTIONS, on=stream & ~with_usage, given=chunked)
def usage_unasked(exchange: Exchange) -> Iterator[Remark]:
    """Without include_usage no piece has a usage: code that reads choices[0] breaks on the one that has none."""
    yield from chat_stream.usage_unasked(exchange)
