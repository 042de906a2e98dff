"""The stream of POST /v1/chat/completions: its order (read off the grammar) and the values that must agree in it.

Every way to leave the grammar belongs to one rule here; a test walks all of them.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from itertools import islice

from conformance.answers import (
    OutOfOrder,
    choice_indexes,
    chunked,
    chunks_of,
    complete,
    describe,
    ended,
    event_stream,
    excerpt,
    intact,
    is_prefilter,
    out_of_order,
    place_of,
    readable,
    reply_of,
    said_of,
    saying,
    schema_faults,
)
from conformance.asked import chat, choices_of, legal, streamed, with_tools, with_usage
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import State, Symbol

CHUNK = "openapi#/components/schemas/ChatCompletionChunk"
REFERENCE = "OpenAI API reference, The chat completion chunk object"
OPTIONS = "openapi#/components/schemas/ChatCompletionRequest/properties/stream_options"
stream = chat & streamed & legal
closed = event_stream & On("a [DONE]", lambda exchange: bool(saying(exchange, Symbol.DONE)))
# Limits and moderation may set in after the first byte; type and code then say so.
NOBODYS_FAULT = re.compile(r"rate_?limit|quota|overloaded|content_?(policy|filter)|moderation|safety", re.IGNORECASE)
LONG = 200  # characters, and the most deltas in which so many are no stream
FEW = 2
BEHIND_FINISH = {State.FINISHED, State.COUNTED}


def _schema(exchange: Exchange, claims: Callable[[SchemaFault], bool]) -> Iterator[Remark]:
    for event, fault in schema_faults(exchange):
        if claims(fault):
            yield Finding(f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}", event, place_of(fault))


def _order(exchange: Exchange, claims: Callable[[OutOfOrder], bool]) -> Iterator[Remark]:
    for fault in out_of_order(exchange):
        if claims(fault):
            yield Finding(fault.text, fault.event if fault.event is not None else len(exchange.messages), fault.place)


# --- values ---------------------------------------------------------------------------------------------------------


def of_finish(fault: SchemaFault) -> bool:
    return fault.pointer.endswith("/finish_reason")


def of_tool_calls(fault: SchemaFault) -> bool:
    return "/delta/tool_calls/" in fault.pointer


def of_null_calls(fault: SchemaFault) -> bool:
    """A list of tolerances names it: told by a rule that fails nobody."""
    return fault.pointer.endswith("/delta/tool_calls") and fault.got == "null"


def of_delta(fault: SchemaFault) -> bool:
    return (
        "/delta" in fault.pointer + "/" + (fault.missing or "")
        and not of_tool_calls(fault)
        and not of_null_calls(fault)
    )


def of_usage(fault: SchemaFault) -> bool:
    return fault.pointer.startswith("/usage")


def of_created(fault: SchemaFault) -> bool:
    return fault.pointer == "/created"


def of_empty_id(fault: SchemaFault) -> bool:
    return fault.pointer == "/id" and fault.keyword == "minLength"


def choices_in(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    """The choices of all chunks, those that are objects, with the numbers of their events."""
    return exchange.view(_choices)


def _choices(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    return tuple(
        (event, choice)
        for event, chunk in chunks_of(exchange)
        if isinstance(choices := chunk.get("choices"), list)
        for choice in choices
        if isinstance(choice, dict)
    )


CLAIMED = (of_created, of_empty_id, of_finish, of_delta, of_null_calls, of_tool_calls, of_usage)


def deltas_in(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    """The deltas of all choices, those that are objects, with the numbers of their events."""
    return exchange.view(_deltas)


def _deltas(exchange: Exchange) -> tuple[tuple[int, dict[str, Json]], ...]:
    return tuple(
        (event, delta) for event, choice in choices_in(exchange) if isinstance(delta := choice.get("delta"), dict)
    )


@rule("chat.stream.schema", Level.MUST, cites=CHUNK, on=stream, given=event_stream)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """Each event is a chunk: id, object chat.completion.chunk, created, model and choices, of the right types."""
    yield from unclaimed(exchange, CLAIMED)


def unclaimed(exchange: Exchange, claimed: Iterable[Callable[[SchemaFault], bool]]) -> Iterator[Remark]:
    """What is no chunk, and the faults of chunks that no other rule claims."""
    if not exchange.messages:
        no_event = "no event came"
        yield Finding(f"expected chunks, {no_event}", 0) if intact.holds(exchange) else Inconclusive(no_event)
    junk = {said.event for said in saying(exchange, Symbol.JUNK)}
    chunks = dict(chunks_of(exchange))
    faulted = {event for event, _ in schema_faults(exchange)}
    for event in sorted(junk & chunks.keys() - faulted):
        yield Finding(f"expected a chunk, got {excerpt(exchange.messages[event].data)}", event)
    yield from _schema(exchange, lambda f: not any(claims(f) for claims in claimed))


@rule("chat.stream.finish-reason", Level.MUST, cites=f"{CHUNK}, finish_reason", on=stream, given=chunked)
def finish_reason(exchange: Exchange) -> Iterator[Remark]:
    """finish_reason is null, or one of stop, length, tool_calls, content_filter and function_call."""
    yield from _schema(exchange, of_finish)


@rule("chat.stream.finish-key", Level.MAY, cites=f"{CHUNK}, finish_reason", on=stream, given=chunked)
def finish_key(exchange: Exchange) -> Iterator[Remark]:
    """finish_reason stands in each choice, as null until the last; strict readers miss it where it is left out."""
    for event, choice in choices_in(exchange):
        if "delta" in choice and "finish_reason" not in choice:
            yield Finding("a choice without the member finish_reason", event)
            return


@rule("chat.stream.null-calls", Level.MAY, cites=f"{CHUNK}, delta.tool_calls", on=stream, given=chunked)
def null_calls(exchange: Exchange) -> Iterator[Remark]:
    """A delta without calls leaves tool_calls out; null and [] mislead code that tests for the member."""
    for event, delta in deltas_in(exchange):
        if "tool_calls" in delta and delta["tool_calls"] in (None, []):
            yield Finding("a delta with empty tool_calls", event)
            return


@rule("chat.stream.role-null", Level.MAY, cites=f"{REFERENCE}, delta.role", on=stream, given=chunked)
def role_null(exchange: Exchange) -> Iterator[Remark]:
    """A delta that does not say the role leaves it out; null is refused by readers that know four roles."""
    for event, delta in deltas_in(exchange):
        if delta.get("role", "") is None:
            yield Finding("a delta with the role null", event, "/choices/*/delta/role")
            return


@rule(
    "chat.stream.prefilter",
    Level.MAY,
    cites="Azure OpenAI, Content filter results in streams",
    on=stream,
    given=event_stream & On("an event", lambda exchange: bool(exchange.messages)),
)
def prefilter(exchange: Exchange) -> Iterator[Remark]:
    """The first chunk has a choice; one of filter results alone stops code that reads choices[0]."""
    for event, payload in enumerate(exchange.payloads):
        if is_prefilter(payload.object):
            yield Finding("a chunk with prompt_filter_results and no choice", event, "/prompt_filter_results")
            return


@rule("chat.stream.message", Level.MAY, cites=f"{CHUNK}, choices", on=stream, given=chunked)
def message_beside(exchange: Exchange) -> Iterator[Remark]:
    """A choice of a chunk has a delta and no message: clients that prefer message print the text twice."""
    for event, choice in choices_in(exchange):
        if choice.get("delta") and choice.get("message"):
            yield Finding("a message beside the delta", event, "/choices/*/message")
            return


@rule("chat.stream.delta", Level.MUST, cites=f"{CHUNK}, delta", on=stream, given=chunked)
def delta(exchange: Exchange) -> Iterator[Remark]:
    """delta is an object whose content and refusal are texts or null, and whose tool_calls is a list."""
    calls_too = not with_tools.holds(exchange)  # else rules of their own speak of them
    yield from _schema(exchange, lambda fault: of_delta(fault) or (calls_too and of_tool_calls(fault)))


def _constant(exchange: Exchange, name: str) -> Iterator[Remark]:
    first = next((chunk.get(name) for _, chunk in chunks_of(exchange)), None)
    if isinstance(first, dict | list):
        first = None
    for event, chunk in chunks_of(exchange):
        value = chunk.get(name)
        if value != first and not isinstance(value, dict | list):  # which the rule on the schema tells
            yield Finding(f"{name} was {excerpt(first)} in the first chunk and is {excerpt(value)} here", event)


@rule("chat.stream.id", Level.MUST, cites=f"{REFERENCE}, id", on=stream, given=chunked)
def one_id(exchange: Exchange) -> Iterator[Remark]:
    """All chunks of a stream have the same id, and it is not empty."""
    for event, chunk in chunks_of(exchange):
        if not chunk.get("id"):
            yield Finding(f"expected an id, got {excerpt(chunk.get('id'))}", event)
            return
    yield from _constant(exchange, "id")


@rule("chat.stream.created", Level.MUST, cites=f"{REFERENCE}, created", on=stream, given=chunked)
def one_created(exchange: Exchange) -> Iterator[Remark]:
    """All chunks of a stream have the same created, in seconds."""
    yield from islice(_schema(exchange, of_created), 1)
    yield from _constant(exchange, "created")


@rule("chat.stream.index", Level.MUST, cites=f"{CHUNK}, index", on=stream, given=chunked)
def index(exchange: Exchange) -> Iterator[Remark]:
    """The index of a choice is 0 to n-1."""
    yield from indexed(exchange, choices_of(exchange) - 1)


def indexed(exchange: Exchange, most: int) -> Iterator[Remark]:
    """Whether no choice has an index beyond `most`."""
    for said in said_of(exchange):
        if said.choice is not None and not 0 <= said.choice <= most:
            yield Finding(f"expected an index from 0 to {most}, got {excerpt(said.choice)}", said.event)
            return


# --- order ----------------------------------------------------------------------------------------------------------


def without_role(fault: OutOfOrder) -> bool:
    return fault.state is State.START and fault.got in {Symbol.DELTA, Symbol.TOOL, Symbol.FINISH}


def behind_finish(fault: OutOfOrder) -> bool:
    late = {Symbol.DELTA, Symbol.TOOL} | ({Symbol.ROLE, Symbol.EMPTY} if fault.state is State.COUNTED else set())
    return fault.state in BEHIND_FINISH and fault.got in late


def misplaced_usage(fault: OutOfOrder) -> bool:
    """Counted before the choice was over, or twice."""
    return fault.got is Symbol.USAGE and fault.state in {State.START, State.OPEN, State.COUNTED}


def not_done(fault: OutOfOrder) -> bool:
    return fault.got is None


def done_again(fault: OutOfOrder) -> bool:
    return fault.state is State.DONE and fault.got is Symbol.DONE


def behind_done(fault: OutOfOrder) -> bool:
    return fault.state is State.DONE and fault.got is not Symbol.DONE


@rule("chat.stream.role-first", Level.SHOULD, cites=f"{REFERENCE}, delta.role", on=stream, given=chunked)
def role_first(exchange: Exchange) -> Iterator[Remark]:
    """The first delta of a choice says the role assistant, before any text or call."""
    yield from _order(exchange, without_role)
    for event, delta in deltas_in(exchange):
        role = delta.get("role")
        if role and role != "assistant" and isinstance(role, str):
            yield Finding(f"expected the role assistant, got {excerpt(role)}", event)
            return


@rule(
    "chat.stream.finish-once", Level.MUST, cites=f"{REFERENCE}, finish_reason", on=stream, given=event_stream & readable
)
def finish_once(exchange: Exchange) -> Iterator[Remark]:
    """Each choice ends with exactly one finish_reason that is not null."""
    finished = saying(exchange, Symbol.FINISH)
    for choice in choice_indexes(exchange):
        events = [one.event for one in finished if one.choice == choice]
        if len(events) > 1:
            yield Finding(f"choice {choice}: a finish_reason in {len(events)} chunks", events[1])
        elif not events and saying(exchange, Symbol.ERROR):
            yield Inconclusive("the stream told an error: see stream.completes")
        elif not events and not complete.holds(exchange):
            yield Inconclusive(f"the stream did not end by itself: {describe(exchange)}")
        elif not events:
            yield Finding(f"choice {choice}: no finish_reason in the whole stream", len(exchange.messages))


@rule("chat.stream.finish-last", Level.MUST, cites=f"{REFERENCE}, finish_reason", on=stream, given=chunked)
def finish_last(exchange: Exchange) -> Iterator[Remark]:
    """A choice says nothing more behind its finish_reason, and nobody does behind the usage chunk."""
    yield from _order(exchange, behind_finish)


@rule("chat.stream.done", Level.MUST, cites="OpenAI API reference, stream", on=stream, given=ended)
def done(exchange: Exchange) -> Iterator[Remark]:
    """A stream ends with the event [DONE]."""
    last = exchange.messages[-1].data if exchange.messages else "nothing"
    if any(not_done(fault) for fault in out_of_order(exchange)):
        yield Finding(f"expected [DONE], the stream ended behind {excerpt(last)}", len(exchange.messages))
    elif not saying(exchange, Symbol.DONE):
        yield Inconclusive("the stream told an error and ended: see stream.completes")


@rule("chat.stream.done-once", Level.MUST, cites="OpenAI API reference, stream", on=stream, given=closed)
def done_once(exchange: Exchange) -> Iterator[Remark]:
    """[DONE] comes once."""
    yield from _order(exchange, done_again)


@rule("chat.stream.nothing-after-done", Level.MUST, cites="OpenAI API reference, stream", on=stream, given=closed)
def nothing_after_done(exchange: Exchange) -> Iterator[Remark]:
    """No event follows [DONE]."""
    yield from _order(exchange, behind_done)


@rule("chat.stream.completes", Level.MUST, cites="OpenAI API reference, Errors", on=stream, given=event_stream)
def completes(exchange: Exchange) -> Iterator[Remark]:
    """A legal request whose answer began is answered to the end: no error takes the place of the rest."""
    for said in saying(exchange, Symbol.ERROR)[:1]:
        error = exchange.payloads[said.event].object.get("error")
        if NOBODYS_FAULT.search(_kind_of(error)):
            yield Inconclusive(f"the answer was refused in the stream: {excerpt(error)}")
        else:
            yield Finding(f"an error came in the stream: {excerpt(error)}", said.event)


def _kind_of(error: Json) -> str:
    """Type and code of an error object, by which programs tell errors apart."""
    return f"{error.get('type')} {error.get('code')}" if isinstance(error, dict) else ""


@rule("chat.stream.usage-asked", Level.MUST, cites=OPTIONS, on=stream & with_usage, given=ended)
def usage_asked(exchange: Exchange) -> Iterator[Remark]:
    """With include_usage one chunk with empty choices has the usage, behind all choices and before [DONE]."""
    if saying(exchange, Symbol.ERROR):
        yield Inconclusive("the stream told an error: see stream.completes")
        return
    events = [said.event for said in saying(exchange, Symbol.USAGE)]
    elsewhere = [event for event, chunk in chunks_of(exchange) if chunk.get("usage") and chunk.get("choices")]
    if not events and elsewhere:
        yield Finding("usage came in a chunk with choices, no chunk of its own", elsewhere[-1])
    elif not events:
        yield Finding("usage was asked for and none came", len(exchange.messages))
    else:
        yield from _order(exchange, misplaced_usage)
    for event, fault in schema_faults(exchange):
        if of_usage(fault) and fault.missing:
            yield Finding(f"{fault.pointer}: {fault.missing} is missing from {fault.got}", event)
            return


@rule("chat.stream.usage-unasked", Level.SHOULD, cites=OPTIONS, on=stream & ~with_usage, given=chunked)
def usage_unasked(exchange: Exchange) -> Iterator[Remark]:
    """Without include_usage no chunk has a usage: code that reads choices[0] breaks on the one that has none."""
    for event, chunk in chunks_of(exchange):
        if chunk.get("usage") is not None:
            yield Finding(f"usage was not asked for: {excerpt(chunk.get('usage'))}", event)
            return


def _usages(exchange: Exchange) -> list[tuple[int, dict[str, Json]]]:
    return [(event, usage) for event, chunk in chunks_of(exchange) if isinstance(usage := chunk.get("usage"), dict)]


counted = On("a usage", lambda exchange: bool(_usages(exchange)))


@rule("chat.stream.usage-split", Level.MAY, cites=OPTIONS, on=stream & with_usage, given=event_stream, occasion=counted)
def usage_split(exchange: Exchange) -> Iterator[Remark]:
    """A stream tells one usage; where it tells several, who leaves at the first misses what only the last one has."""
    told = _usages(exchange)
    for event, usage in told[1:]:
        if usage != told[0][1]:
            yield Finding(f"usage was {excerpt(told[0][1], 60)}, and is {excerpt(usage, 60)} here", event, "/usage")
            return


def _long_texts(exchange: Exchange) -> list[list[str]]:
    """The pieces of the texts that are long enough to come in several."""
    pieces = [choice.texts.get("content", []) for choice in reply_of(exchange).choices.values()]
    return [one for one in pieces if sum(map(len, one)) >= LONG]


lengthy = On(f"a text of {LONG} characters", lambda exchange: bool(_long_texts(exchange)))


@rule("chat.stream.piecewise", Level.MAY, cites=f"{REFERENCE}, delta", on=stream, given=event_stream, occasion=lengthy)
def piecewise(exchange: Exchange) -> Iterator[Remark]:
    """A long text comes in pieces as it is made; one that waits for its end runs into time-outs for the first byte."""
    for pieces in _long_texts(exchange):
        if len(pieces) <= FEW:
            yield Finding(f"{sum(map(len, pieces))} characters in {len(pieces)} deltas", place="/choices/*/delta")
            return
