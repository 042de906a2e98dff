"""Tokens as they are billed."""

from collections.abc import Iterator

from conformance.answers import chunks_of, event_stream, excerpt, json_answer, replied, reply_of, schema_faults
from conformance.asked import chat, legal, streamed, video
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange

USAGE = "openapi#/components/schemas/Usage"
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


def _told(exchange: Exchange) -> Iterator[tuple[int | None, Json]]:
    """What stands in the place of a usage and is not null, with its event number in a stream."""
    chunks = chunks_of(exchange) if exchange.is_stream else [(None, exchange.object)]
    return ((event, usage) for event, chunk in chunks if (usage := chunk.get("usage")) is not None)


def _usages(exchange: Exchange) -> Iterator[tuple[int | None, dict[str, Json]]]:
    """Every usage object of an answer, with its event number in a stream."""
    return ((event, usage) for event, usage in _told(exchange) if isinstance(usage, dict))


told = On("a usage", lambda exchange: next(_told(exchange), None) is not None)
counted = On("a usage", lambda exchange: next(_usages(exchange), None) is not None)


def of_details(fault: SchemaFault) -> bool:
    return fault.pointer.startswith("/usage/") and "_details" in fault.pointer


def _count(usage: dict[str, Json], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@rule("usage.present", Level.MUST, cites=USAGE, on=chat & ~streamed & legal & ~video, given=json_answer)
def present(exchange: Exchange) -> Iterator[Remark]:
    """A whole answer has a usage of three whole numbers, and they are not zero where text was sent and received."""
    usage = exchange.object.get("usage")
    if not isinstance(usage, dict):
        yield Finding(f"expected a usage object, got {excerpt(usage)}")
        return
    for name in COUNTS:
        value = _count(usage, name)
        if value is None or value < 0:
            yield Finding(f"expected a count in {name}, got {excerpt(usage.get(name))}")
    said = any(choice.content or choice.tool_calls for choice in reply_of(exchange).choices.values())
    if said and all(_count(usage, name) == 0 for name in COUNTS):
        yield Finding("text was delivered, and usage counts nothing")


@rule("usage.sum", Level.MUST, cites=USAGE, on=chat & legal, given=replied, occasion=counted)
def sums_up(exchange: Exchange) -> Iterator[Remark]:
    """total_tokens is prompt_tokens plus completion_tokens."""
    summed = False
    for event, usage in _usages(exchange):
        prompt, completion, total = (_count(usage, name) for name in COUNTS)
        if prompt is None or completion is None or total is None:
            continue  # usage.present tells of whole answers; a stream may count as it goes
        summed = True
        if prompt + completion != total:
            yield Finding(f"{prompt} prompt and {completion} completion tokens, but a total of {total}", event)
    if not summed:
        yield Inconclusive("no usage has all three counts")


@rule("usage.details", Level.SHOULD, cites=USAGE, on=chat & legal, given=replied, occasion=counted)
def details(exchange: Exchange) -> Iterator[Remark]:
    """A part of a count is a count, and no larger: cached of prompt tokens, reasoning of completion tokens."""
    for event, fault in schema_faults(exchange):
        if of_details(fault):
            yield Finding(f"{fault.pointer}: expected {fault.expected}, got {fault.got}", event)
    for event, usage in _usages(exchange):
        for name in ("prompt_tokens", "completion_tokens"):
            total, parts = _count(usage, name), usage.get(f"{name}_details")
            if not isinstance(parts, dict) or total is None:
                continue
            for part in parts:
                value = _count(parts, part)
                if value is not None and value > total and part.endswith("_tokens"):
                    yield Finding(f"{name}_details.{part} is {value} of {total}", event)


@rule("usage.stream-types", Level.MUST, cites=USAGE, on=chat & streamed & legal, given=event_stream, occasion=told)
def stream_types(exchange: Exchange) -> Iterator[Remark]:
    """The usage of a stream is an object, and its counts are whole numbers that are not negative."""
    for event, usage in _told(exchange):
        if not isinstance(usage, dict):
            yield Finding(f"expected a usage object or null, got {excerpt(usage)}", event)
            continue
        for name in COUNTS:
            if name in usage and (_count(usage, name) is None or (_count(usage, name) or 0) < 0):
                yield Finding(f"expected a count in {name}, got {excerpt(usage[name])}", event)
