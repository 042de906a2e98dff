"""Tokens as they are billed: the counts agree with each other, with what was sent and with what came.

Which tokenizer a relay's model has, nobody outside knows. So counts are held against bounds that every tokenizer in use
keeps, and a finding shows the sum that it follows from:

    at most    a token for each byte of a text (byte-level BPE, byte fallback), and a fifth more for what normalisation
               expands; beside it, what frames a message
    at least   a token for 16 characters of prose (`fewest_tokens`)
    exactly    as many tokens as logprobs lists, where they spell the whole text

Tokens of thinking need not be shown: where an answer may have some that it does not tell of, nothing is decided.
"""

from collections.abc import Iterator
from math import ceil

from conformance.answers import (
    chunks_of,
    event_stream,
    excerpt,
    json_answer,
    replied,
    reply_of,
    schema_faults,
    whole_reply,
)
from conformance.asked import chat, legal, member, spoken, streamed, video, with_tools
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules.chat import fewest_tokens
from conformance.rules.completions import picking
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice

USAGE = "openapi#/components/schemas/Usage"
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")
EXPANDED = 1.2  # tokens for a byte at most: 1, and room for what normalisation makes longer
FRAME = 64  # tokens that a choice or a call may cost beside its text: marks, names, the syntax of a call
VENDOR = 1000  # tokens that a template and a vendor's own system prompt may add; the longest known ones are below 700
TEMPLATE = 60  # tokens that a template alone adds
SLACK = 50  # tokens
HIDDEN = ("reasoning_tokens", "audio_tokens", "rejected_prediction_tokens")  # counted and not in the text


def _told(exchange: Exchange) -> tuple[tuple[int | None, Json], ...]:
    """What stands in the place of a usage and is not null, with its event number in a stream."""
    return exchange.view(_of_usage)


def _of_usage(exchange: Exchange) -> tuple[tuple[int | None, Json], ...]:
    chunks = chunks_of(exchange) if exchange.is_stream else [(None, exchange.object)]
    return tuple((event, usage) for event, chunk in chunks if (usage := chunk.get("usage")) is not None)


def _usages(exchange: Exchange) -> Iterator[tuple[int | None, dict[str, Json]]]:
    """Every usage object of an answer, with its event number in a stream."""
    return ((event, usage) for event, usage in _told(exchange) if isinstance(usage, dict))


told = On("a usage", lambda exchange: bool(_told(exchange)))
counted = On("a usage", lambda exchange: next(_usages(exchange), None) is not None)


def of_details(fault: SchemaFault) -> bool:
    return fault.pointer.startswith("/usage/") and "_details" in fault.pointer


def _count(usage: dict[str, Json], name: str) -> int | None:
    value = usage.get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) else None


@rule("usage.present", Level.MUST, cites=USAGE, on=spoken & ~streamed & legal & ~video, given=json_answer)
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


@rule("usage.sum", Level.MUST, cites=USAGE, on=spoken & legal, given=replied, occasion=counted)
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


@rule("usage.details", Level.SHOULD, cites=USAGE, on=spoken & legal, given=replied, occasion=counted)
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


@rule("usage.stream-types", Level.MUST, cites=USAGE, on=spoken & streamed & legal, given=event_stream, occasion=told)
def stream_types(exchange: Exchange) -> Iterator[Remark]:
    """The usage of a stream is an object, and its counts are whole numbers that are not negative."""
    for event, usage in _told(exchange):
        if not isinstance(usage, dict):
            yield Finding(f"expected a usage object or null, got {excerpt(usage)}", event)
            continue
        for name in COUNTS:
            if name in usage and (_count(usage, name) is None or (_count(usage, name) or 0) < 0):
                yield Finding(f"expected a count in {name}, got {excerpt(usage[name])}", event)


# --- against what was sent and what came ----------------------------------------------------------------------------


def most_tokens(size: int) -> int:
    """The most tokens that a text of so many bytes is for any tokenizer in use."""
    return ceil(size * EXPANDED)


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def _last(exchange: Exchange) -> dict[str, Json]:
    """The usage that counts: the last one of a stream."""
    return next((usage for _, usage in reversed(list(_usages(exchange)))), {})


def _prompt_texts(exchange: Exchange) -> Iterator[str]:
    """The texts that were sent, tools aside."""
    prompt, messages = member(exchange, "prompt"), member(exchange, "messages")
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    for content in (prompt, *contents):
        for part in content if isinstance(content, list) else [content]:
            found = part.get("text") if isinstance(part, dict) else part
            if isinstance(found, str):
                yield found


def _of_text(exchange: Exchange) -> bool:
    """Whether nothing but text was sent: the bytes of a picture say nothing about its tokens, nor those of a search."""
    messages = member(exchange, "messages")
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    parts = [part for content in contents if isinstance(content, list) for part in content]
    kinds = {part.get("type") for part in parts if isinstance(part, dict)}
    return kinds <= {"text", "refusal"} and not member(exchange, "web_search_options")


billed = spoken & legal & ~video
of_text = On("text alone", _of_text)


@rule("usage.prompt", Level.MUST, cites=f"{USAGE}, prompt_tokens", on=billed & of_text, given=replied, occasion=counted)
def prompt(exchange: Exchange) -> Iterator[Remark]:
    """prompt_tokens are those of the request: at most one for each byte of it, a fifth more, and 1000 for a template
    and a vendor's own system prompt."""
    usage, size = _last(exchange), len(exchange.request.body or b"")
    tokens, most = _count(usage, "prompt_tokens"), most_tokens(size) + VENDOR
    if tokens is None:
        yield Inconclusive("usage has no prompt_tokens")
    elif tokens > most:
        sum_ = f"the request has {size} bytes, so {most_tokens(size)} tokens at most, and {VENDOR} for a template"
        yield Finding(f"{tokens} prompt tokens{_cached(usage)}, {tokens - most} too many: {sum_}", place="/usage")


def _cached(usage: dict[str, Json]) -> str:
    match usage.get("prompt_tokens_details"):
        case {"cached_tokens": int(cached)} if cached > 0:
            return f" ({cached} of them cached)"
    return ""


@rule(
    "usage.prompt-overhead",
    Level.MAY,
    cites=f"{USAGE}, prompt_tokens",
    on=billed & of_text & ~with_tools,
    given=replied,
    occasion=counted,
)
def prompt_overhead(exchange: Exchange) -> Iterator[Remark]:
    """A prompt costs its own text and a template of at most 60 tokens; what is beyond, somebody added and is billed."""
    size = sum(map(_size, _prompt_texts(exchange)))
    tokens, most = _count(_last(exchange), "prompt_tokens"), most_tokens(size) + TEMPLATE
    if tokens is not None and tokens > most:
        yield Finding(f"{tokens} prompt tokens for texts of {size} bytes, {tokens - most} beyond a template")


@rule(
    "usage.completion",
    Level.MUST,
    cites=f"{USAGE}, completion_tokens",
    on=billed & ~picking,
    given=whole_reply,
    occasion=counted,
)
def completion(exchange: Exchange) -> Iterator[Remark]:
    """completion_tokens are those of what was delivered: at most one for each byte and a fifth more, or twice what
    logprobs lists; those of thinking, as usage tells them, aside. Of best_of, candidates count that nobody sees."""
    tokens = _count(_last(exchange), "completion_tokens")
    most, why = _most_delivered(exchange)
    if tokens is None:
        yield Inconclusive("usage has no completion_tokens")
    elif tokens - _hidden(exchange) > most:
        less = f" less {_hidden(exchange)} that are not text" if _hidden(exchange) else ""
        text = f"{tokens} completion tokens{less}, but {why}"
        unseen = _may_be_unseen(exchange)
        yield Inconclusive(f"{text}; {unseen}", mood=True) if unseen else Finding(text, place="/usage")


def _most_delivered(exchange: Exchange) -> tuple[int, str]:
    """The most tokens of what came, and the sum of it in words."""
    choices = list(reply_of(exchange).choices.values())
    listed = [tokens_listed(choice) for choice in choices]
    if all(listed):
        exact = sum(listed)
        return 2 * exact + SLACK, f"logprobs lists the {exact} tokens of the whole text"
    calls = [call for choice in choices for call in choice.tool_calls.values()]
    size = sum(_size(choice.content + choice.reasoning + choice.refusal) for choice in choices)
    size += sum(_size((call.name or "") + call.arguments) for call in calls)
    frames = FRAME * (len(choices) + len(calls))
    most = most_tokens(size) + frames
    return most, f"what came has {size} bytes, so {most_tokens(size)} tokens at most, and {frames} for what frames it"


def tokens_listed(choice: Choice) -> int:
    """How many tokens logprobs lists, where they spell the text; else 0."""
    tokens = [one.get("token") for one in choice.logprobs if isinstance(one, dict)]
    spelt = "".join(token for token in tokens if isinstance(token, str))
    return len(tokens) if spelt == choice.content and not (choice.tool_calls or choice.reasoning) else 0


def _hidden(exchange: Exchange) -> int:
    """Tokens that usage counts and that are no text: thinking, sound, a prediction that was thrown away."""
    details = _last(exchange).get("completion_tokens_details")
    found = [_count(details, name) or 0 for name in HIDDEN] if isinstance(details, dict) else []
    return sum(max(one, 0) for one in found)


def _may_be_unseen(exchange: Exchange) -> str:
    """Why an honest answer may count more than its text; empty where it cannot."""
    reply, details = reply_of(exchange), _last(exchange).get("completion_tokens_details")
    told = isinstance(details, dict) and _count(details, "reasoning_tokens") is not None
    if any(choice.reasoning for choice in reply.choices.values()):
        return "the thinking that is shown may stand for more"
    if any("content_filter" in choice.finish for choice in reply.choices.values()):
        return "text was held back"
    if any(name in exchange.content for name in (b'"images"', b'"audio":{')):
        return "the answer is not text alone"
    return "" if told else "thinking may be counted that is not shown: usage does not tell reasoning_tokens"


@rule("usage.swapped", Level.SHOULD, cites=USAGE, on=billed & of_text & ~picking, given=whole_reply, occasion=counted)
def swapped(exchange: Exchange) -> Iterator[Remark]:
    """prompt_tokens count what was sent and completion_tokens what came, and not the other way round."""
    usage, texts = _last(exchange), "".join(_prompt_texts(exchange))
    sent, came = _count(usage, "prompt_tokens"), _count(usage, "completion_tokens")
    least, (most, why) = fewest_tokens(texts), _most_delivered(exchange)
    if sent is None or came is None:
        yield Inconclusive("usage has not both counts")
    elif least <= most:
        yield Inconclusive("the prompt is not so much longer than the answer that it would show", mood=True)
    elif sent < least and came - _hidden(exchange) > most:
        text = f"{sent} prompt tokens, but the texts sent are at least {least}; {came} completion tokens, but {why}"
        unseen = _may_be_unseen(exchange)
        yield Inconclusive(f"{text}; {unseen}", mood=True) if unseen else Finding(text, place="/usage")


@rule(
    "usage.prompt-grows",
    Level.SHOULD,
    cites=f"{USAGE}, prompt_tokens",
    on=billed & of_text,
    given=replied,
    occasion=counted,
    over=("short-prompt", "long-prompt"),
)
def prompt_grows(short: Exchange, long: Exchange) -> Iterator[Remark]:
    """A longer prompt costs as much more as its text is longer: at least a token for 16 characters, at most one for
    each byte and a fifth more."""
    before, after = (_count(_last(one), "prompt_tokens") for one in (short, long))
    texts = ["".join(_prompt_texts(one)) for one in (short, long)]
    least = fewest_tokens(texts[1]) - most_tokens(_size(texts[0]))
    most = most_tokens(_size(texts[1])) + TEMPLATE
    if not before or not after:
        yield Inconclusive("usage has no prompt_tokens, or counts none: see usage.present")
    elif not least <= after - before <= most:
        text = f"{before} prompt tokens for {_size(texts[0])} bytes, {after} for {_size(texts[1])}"
        yield Finding(f"{text}: expected {least} to {most} more", place="/usage", exchange=long.id)


@rule(
    "usage.longer-prompt",
    Level.SHOULD,
    cites=f"{USAGE}, prompt_tokens",
    on=billed & chat,
    given=replied,
    occasion=counted,
    over=("short-prompt", "short-prompt-again", "long-prompt"),
)
def longer_prompt(short: Exchange, again: Exchange, long: Exchange) -> Iterator[Remark]:
    """A conversation with more turns before the same ones never costs less."""
    before, after, most = (_count(_last(one), "prompt_tokens") for one in (short, again, long))
    turns, more = (_messages(one) for one in (short, long))
    if not before or not after or not most:
        yield Inconclusive("usage has no prompt_tokens, or counts none: see usage.present")
    elif before != after:
        yield Inconclusive(f"equal prompts cost {before} tokens and {after}", mood=True)
    elif more[-len(turns) :] == turns and most < before:
        text = f"{before} prompt tokens for {len(turns)} messages, {most} for {len(more)} that end with the same"
        yield Finding(text, place="/usage/prompt_tokens", exchange=long.id)


def _messages(exchange: Exchange) -> list[Json]:
    messages = member(exchange, "messages")
    return messages if isinstance(messages, list) else []


@rule(
    "usage.cached-told",
    Level.MAY,
    cites="OpenAI, Prompt caching: cached_tokens is always there",
    on=billed & chat,
    given=replied,
    occasion=counted,
)
def cached_told(exchange: Exchange) -> Iterator[Remark]:
    """usage tells how many prompt tokens came from a cache, 0 where none did; clients that read it break without."""
    match _last(exchange).get("prompt_tokens_details"):
        case {"cached_tokens": int()}:
            return
    yield Finding("no prompt_tokens_details.cached_tokens", place="/usage/prompt_tokens_details")
