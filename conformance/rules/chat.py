"""POST /v1/chat/completions: what an answer must be and do, streamed or whole."""

import re
from collections.abc import Iterator
from functools import lru_cache

import jsonschema_rs

from conformance.answers import (
    GATEWAY_TIMEOUTS,
    describe,
    excerpt,
    intact,
    json_answer,
    ok,
    replied,
    reply_of,
    schema_faults,
    whole_reply,
)
from conformance.asked import (
    chat,
    choices_of,
    fuzzed,
    json_object,
    json_schema,
    legal,
    limit_of,
    member,
    model_of,
    several,
    stops_of,
    streamed,
    video,
    with_limit,
    with_logprobs,
    with_stop,
    with_tools,
)
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules.chat_stream import deltas_in
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice, Reply

REFERENCE = "OpenAI API reference, Create chat completion"
REQUEST = "openapi#/components/schemas/ChatCompletionRequest"
REFUSED = {400, 422}  # for what is in the request
NOT_THE_RELAYS_FAULT = {501, 503, 529} | GATEWAY_TIMEOUTS
SNAPSHOT = re.compile(r"([-@:_](v?\d[\d.]*|latest|preview|exp|beta|free))*")  # what may stand behind a model's name
RUN = re.compile(r"(.)\1{3,}")
NO_FINISH = Inconclusive("the answer has no finish_reason: it may not be whole")
SLACK = 2  # tokens that a limit may be missed by: tokenizers disagree about the last one


@rule("chat.answered", Level.MUST, cites="RFC 9110 section 15.6", on=chat & legal)
def answered(exchange: Exchange) -> Iterator[Remark]:
    """A legal request is not answered as a fault of the server; not implemented or overloaded may be said."""
    status = exchange.status or 0
    if status >= 500 and status not in NOT_THE_RELAYS_FAULT:
        yield Finding(f"expected an answer or a refusal, {describe(exchange)}")
    elif status != 200:
        yield Inconclusive(describe(exchange))


@rule("chat.content-type", Level.MUST, cites=f"{REFERENCE}, stream", on=chat & ~streamed & legal, given=ok & intact)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """Without stream true the answer is one JSON object as application/json, and no event stream."""
    if exchange.media_type != "application/json":
        yield Finding(f"expected Content-Type application/json, got {exchange.header('content-type')!r}")
    if not isinstance(exchange.json.value, dict):
        fault = exchange.json.fault or "no object"
        yield Finding(
            f"expected one JSON object, got {excerpt(exchange.content[:200].decode('utf-8', 'replace'))} ({fault})"
        )


@rule(
    "chat.schema",
    Level.MUST,
    cites="openapi#/components/schemas/ChatCompletion",
    on=chat & ~streamed & legal,
    given=json_answer,
)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """A whole answer fits its schema: id, object, created in seconds, model, choices with finish_reason and message."""
    for _, fault in schema_faults(exchange):
        if not fault.pointer.startswith("/usage"):  # a chapter of its own
            yield Finding(f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}")


@rule("chat.model", Level.SHOULD, cites=f"{REFERENCE}, model", on=chat & legal, given=replied)
def model(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the model that was asked for, or a dated snapshot of it."""
    asked = model_of(exchange)
    chunks = exchange.payloads if exchange.is_stream else (exchange.json,)
    named: dict[str, int] = {}
    for event, chunk in enumerate(chunks):
        name = chunk.object.get("model")
        if isinstance(name, str) and name:
            named.setdefault(name, event)
    if not named:
        yield Inconclusive("the answer names no model: see the rules on its schema")
    for name, event in named.items():
        if not same_model(asked, name):
            yield Finding(f"asked for {asked!r}, the answer is by {name!r}", event if exchange.is_stream else None)


def same_model(asked: str, named: str) -> bool:
    """A snapshot adds its date or state; a router's prefix (`openai/gpt-4o`) may be left out, or added."""
    asked, named = asked.lower().removesuffix("-latest"), named.lower()
    for one in {asked, asked.rpartition("/")[2]}:
        _, found, added = f"/{named}".rpartition(f"/{one}")
        if found and SNAPSHOT.fullmatch(added):
            return True
    return False


def messages_in(exchange: Exchange) -> tuple[tuple[int | None, dict[str, Json]], ...]:
    """The messages of the choices of a whole answer, those that are objects; they have no event number."""
    choices = exchange.object.get("choices")
    found = [one.get("message") for one in choices if isinstance(one, dict)] if isinstance(choices, list) else []
    return tuple((None, one) for one in found if isinstance(one, dict))


says_something = On(
    "a prompt in words",
    lambda exchange: any(
        isinstance(one, dict) and one.get("role") == "user" and bool(one.get("content")) for one in _last(exchange)
    ),
)
SPOKEN = {"role", "content", "refusal", "annotations", "reasoning_content", "reasoning", "reasoning_details"}


def _last(exchange: Exchange) -> list[Json]:
    """The last message of the request, in a list of its own."""
    messages = member(exchange, "messages")
    return messages[-1:] if isinstance(messages, list) else []


@rule(
    "chat.not-empty",
    Level.MUST,
    cites=f"{REFERENCE}, message.content",
    on=chat & legal & says_something & ~with_stop & ~with_tools & ~video & ~fuzzed,
    given=whole_reply,
)
def not_empty(exchange: Exchange) -> Iterator[Remark]:
    """An answer that ended by itself says something: a text, a call or a refusal."""
    said = [part for _, part in (deltas_in if exchange.is_stream else messages_in)(exchange)]
    others = {name for part in said for name, value in part.items() if value} - SPOKEN
    for choice in reply_of(exchange).choices.values():
        if choice.content.strip() or choice.refusal:
            continue
        if not choice.finish:
            yield NO_FINISH
        elif choice.finish[0] != "stop":
            yield Inconclusive(f"choice {choice.index} ended with {choice.finish[0]!r} before any text", mood=True)
        elif others:
            yield Inconclusive(f"choice {choice.index} has no text, but {', '.join(sorted(others))}")
        else:
            yield Finding(f"choice {choice.index} says nothing, its finish_reason is stop", place="/choices/*/message")


@rule(
    "chat.refusal",
    Level.MUST,
    cites=f"{REFERENCE}, message.refusal",
    on=chat & legal,
    given=whole_reply,
    occasion=replied & On("a refusal", lambda exchange: any(c.refusal for c in reply_of(exchange).choices.values())),
)
def refusal(exchange: Exchange) -> Iterator[Remark]:
    """What is refused is told in refusal alone: content beside it is null or empty."""
    for choice in reply_of(exchange).choices.values():
        if choice.refusal and choice.content.strip():
            text = f"choice {choice.index} refuses, and has the content {excerpt(choice.content)!r}"
            yield Finding(text, place="/choices/*/message/content")


@rule(
    "chat.refusal-key",
    Level.MAY,
    cites=f"{REFERENCE}, message.refusal",
    on=chat & ~streamed & legal,
    given=json_answer,
)
def refusal_key(exchange: Exchange) -> Iterator[Remark]:
    """refusal stands in each message of a whole answer, null where nothing was refused; strict readers miss it."""
    found = messages_in(exchange)
    if not found:
        yield Inconclusive("the answer has no message: see chat.schema")
    if any("refusal" not in part for _, part in found):
        yield Finding("a message without the member refusal", place="/choices/*/message/refusal")


@rule("chat.n", Level.MUST, cites=f"{REQUEST}/properties/n", on=chat & legal & several, given=whole_reply)
def n(exchange: Exchange) -> Iterator[Remark]:
    """With n, the answer has the choices 0 to n-1, each once."""
    yield from dense(exchange, choices_of(exchange))


def dense(exchange: Exchange, wanted: int) -> Iterator[Remark]:
    """Whether each index from 0 to `wanted` - 1 is there once."""
    got = sorted(_indexes(exchange))
    if got != [*range(wanted)]:
        yield Finding(f"expected choices 0 to {wanted - 1}, got {excerpt(got)}")


def _indexes(exchange: Exchange) -> list[int]:
    """The index of each choice; a stream speaks of one as often as it likes."""
    match exchange.object.get("choices"):
        case list(choices):
            indexes = [choice.get("index") for choice in choices if isinstance(choice, dict)]
            return [index for index in indexes if isinstance(index, int)]
    return [*reply_of(exchange).choices]


@rule("chat.stop", Level.MUST, cites=f"{REQUEST}/properties/stop", on=chat & legal & with_stop, given=whole_reply)
def stop(exchange: Exchange) -> Iterator[Remark]:
    """The text of an answer holds no stop sequence and ends before it."""
    stops = stops_of(exchange)
    for choice in reply_of(exchange).choices.values():
        found = [text for text in stops if text in choice.content]
        if found:
            yield Finding(f"choice {choice.index} holds the stop sequence {found[0]!r}: {excerpt(choice.content)}")
        elif not choice.finish:
            yield NO_FINISH
        elif choice.finish[0] != "stop":
            yield Inconclusive("the model wrote no stop sequence before its limit", mood=True)


@rule(
    "chat.limit",
    Level.MUST,
    cites=f"{REQUEST}/properties/max_tokens",
    on=chat & legal & with_limit & ~video,
    given=whole_reply,
)
def limit(exchange: Exchange) -> Iterator[Remark]:
    """An answer has no more tokens than it was given, and says finish_reason length where that cut it."""
    reply, most = reply_of(exchange), limit_of(exchange) or 0
    counted, several = _visible_tokens(reply), max(len(reply.choices), choices_of(exchange))
    for choice in reply.choices.values():
        least = fewest_tokens(choice.content)
        if counted is not None and counted > several * (most + SLACK):
            times = f" for each of {several} choices" if several > 1 else ""
            yield Finding(f"the limit was {most} tokens{times}, usage counts {counted} ({excerpt(choice.content, 60)})")
            return
        elif least > most + SLACK:
            yield Finding(f"the limit was {most} tokens, the text has at least {least}: {excerpt(choice.content, 60)}")
        elif not choice.finish:
            yield NO_FINISH
        elif choice.finish[0] != "length":
            yield Inconclusive(f"the model ended by itself below {most} tokens", mood=True)


def _visible_tokens(reply: Reply) -> int | None:
    """Completion tokens less those of reasoning, which max_tokens does not bound everywhere."""
    match reply.usage:
        case {"completion_tokens": int(tokens), "completion_tokens_details": {"reasoning_tokens": int(reasoning)}}:
            return tokens - max(reasoning, 0)
        case {"completion_tokens": int(tokens)} if not any(choice.reasoning for choice in reply.choices.values()):
            return tokens
    return None


def fewest_tokens(text: str) -> int:
    """No tokenizer in use makes fewer tokens than one for every 16 characters of prose; blanks and lines drawn of one
    character aside."""
    return len(RUN.sub(r"\1", "".join(text.split()))) // 16


@rule(
    "chat.json-object",
    Level.MUST,
    cites=f"{REQUEST}/properties/response_format",
    on=chat & legal & json_object & ~with_tools,
    given=whole_reply,
)
def is_json_object(exchange: Exchange) -> Iterator[Remark]:
    """With response_format json_object the text is the JSON text of an object."""
    for choice in reply_of(exchange).choices.values():
        if reason := _undecided(exchange, choice):
            yield reason
        elif not isinstance(json_text.read(choice.content).value, dict):
            yield Finding(f"expected a JSON object, got {excerpt(choice.content)}")


@rule(
    "chat.json-schema",
    Level.MUST,
    cites=f"{REQUEST}/properties/response_format",
    on=chat & legal & json_schema & ~with_tools,
    given=whole_reply,
)
def fits_json_schema(exchange: Exchange) -> Iterator[Remark]:
    """With response_format json_schema the text is JSON; with strict the schema validates it."""
    validator = _validator(exchange)
    if validator is None:
        yield Inconclusive("the request's schema is none that can be compiled")
        return
    for choice in reply_of(exchange).choices.values():
        if reason := _undecided(exchange, choice):
            yield reason
            continue
        parsed = json_text.read(choice.content)
        if not parsed.readable:
            yield Finding(f"{parsed.fault}: {excerpt(choice.content)}")
            continue
        for remark in misfits(validator, parsed.value, choice.content):
            yield remark if _is_strict(exchange) else Inconclusive("strict was not asked for", mood=True)


def misfits(validator: jsonschema_rs.Draft202012Validator, value: Json, text: str) -> Iterator[Remark]:
    """What of a value does not fit. The validator takes no lone surrogate and no nesting beyond its own depth."""
    try:
        for error in validator.iter_errors(value):
            yield Finding(f"{error.message[:160]} in {excerpt(text)}")
    except ValueError as error:
        yield Inconclusive(f"the value cannot be validated: {error}")


def _undecided(exchange: Exchange, choice: Choice) -> Inconclusive | None:
    if not choice.finish:
        return NO_FINISH
    begun = choice.content.lstrip()[:1] in {"", "{", "["}
    if with_stop.holds(exchange) and begun and not json_text.read(choice.content).readable:
        return Inconclusive("a stop sequence may have cut the text", mood=True)
    if "length" in choice.finish:
        return Inconclusive("the text was cut by the token limit", mood=True)
    if choice.refusal or "content_filter" in choice.finish:
        return Inconclusive("the model refused", mood=True)
    return None


def _is_strict(exchange: Exchange) -> bool:
    match member(exchange, "response_format"):
        case {"json_schema": {"strict": True}}:
            return True
    return False


def _validator(exchange: Exchange) -> jsonschema_rs.Draft202012Validator | None:
    match member(exchange, "response_format"):
        case {"json_schema": {"schema": dict(inner)}}:
            return compiled(json_text.write(inner).decode())
    return None


@lru_cache(maxsize=256)
def compiled(text: str) -> jsonschema_rs.Draft202012Validator | None:
    """A validator of a schema that came from outside; None where it is no schema. Nothing is fetched."""
    try:
        return jsonschema_rs.Draft202012Validator(json_text.read(text).object, retriever=_no_fetching)
    except (jsonschema_rs.ValidationError, ValueError):
        return None


def _no_fetching(uri: str) -> Json:
    msg = f"no schema is fetched: {uri}"
    raise ValueError(msg)


@rule(
    "chat.logprobs",
    Level.MUST,
    cites=f"{REQUEST}/properties/logprobs",
    on=chat & legal & with_logprobs,
    given=whole_reply,
)
def logprobs(exchange: Exchange) -> Iterator[Remark]:
    """With logprobs, each token of the text comes with its logprob, bytes and as many alternatives as asked at most."""
    most = member(exchange, "top_logprobs")
    for choice in reply_of(exchange).choices.values():
        if not choice.logprobs:
            text = f"choice {choice.index} has no logprobs.content"
            yield Finding(text) if choice.content else Inconclusive(f"{text}, and no text", mood=True)
            continue
        if most and not any(isinstance(token, dict) and token.get("top_logprobs") for token in choice.logprobs):
            yield Finding(f"choice {choice.index}: {most} alternatives were asked for, and no token has any")
        for place, token in enumerate(choice.logprobs):
            if fault := _token_fault(token, most if isinstance(most, int) else 0):
                yield Finding(f"choice {choice.index}, token {place}: {fault}")
                break
        yield from _spelled(choice)


def _token_fault(token: Json, most: int) -> str | None:
    match token:
        case {"token": str(), "logprob": int() | float() as value, **rest}:
            if value > 1e-6:
                return f"a logprob of {value}"
            if "bytes" not in rest:
                return "no bytes"
            alternatives = rest.get("top_logprobs")
            if not isinstance(alternatives, list):
                return "no top_logprobs"
            return f"{len(alternatives)} alternatives, asked for {most}" if len(alternatives) > most else None
    return f"expected token and logprob, got {excerpt(token, 60)}"


def _spelled(choice: Choice) -> Iterator[Remark]:
    tokens = [token.get("token") for token in choice.logprobs if isinstance(token, dict)]
    spelled = "".join(token for token in tokens if isinstance(token, str))
    if len(spelled) < len(choice.content) // 2:
        yield Finding(f"the tokens spell {excerpt(spelled, 50)!r}, the text is {excerpt(choice.content, 50)!r}")


@rule("chat.legacy-call", Level.SHOULD, cites="OpenAI API reference, function_call (deprecated)", given=replied,
      on=chat & legal & ~On("functions", lambda exchange: "functions" in exchange.request.object))  # fmt: skip
def legacy_call(exchange: Exchange) -> Iterator[Remark]:
    """Where no functions were sent, function_call is absent or null: converters take an empty one for a call."""
    said = deltas_in(exchange) if exchange.is_stream else messages_in(exchange)
    for event, part in said:
        if part.get("function_call") is not None:
            yield Finding(f"function_call is {excerpt(part['function_call'])}", event, "/choices/*/function_call")
            return
