"""Mistakes that a client makes, beyond those that every client tries first: each is told, and told as the client's.

A value that the document forbids may still be passed on to the model, which is told and no more. What weighs is that no
mistake is answered 5xx: SDKs send such a request again and again.
"""

import re
from collections.abc import Iterator

from conformance.answers import answered, complete, describe, error_answer, excerpt, message_of
from conformance.asked import (
    bad_json,
    empty_body,
    keyed,
    legal,
    limit_of,
    member,
    missing_messages,
    missing_model,
    missing_other,
    operation_of,
    prompted,
    required,
    unknown_model,
    wrong_type,
)
from conformance.rule import Finding, Inconclusive, Level, On, Remark, on, rule
from conformance.rules.errors import (
    CODES,
    error_in,
    mistyped_in,
    mistyped_member,
    other_scheme,
    plain,
    status_of_mistake,
    unauthorized,
)
from openapi import document, schema
from openapi.pointer import split
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange

FAILED = {500, 502}  # a fault of the server; 503 and 504 are the moment's
BEYOND = 10**8  # tokens, more than any model has room for
TOLD = re.compile(
    r"token|context|length|limit|large|long|maxim|exceed|range|between|less than|too (high|big|many)"
    r"|上下文|长度|超|最大|限制|范围|过长|过大",
    re.IGNORECASE,
)


def _sends_json(exchange: Exchange) -> bool:
    kind = (exchange.request.header("content-type") or "").partition(";")[0].strip().lower()
    return kind == "application/json"


def _refused_by_schema(exchange: Exchange) -> bool:
    """Whether the document forbids the body as a value, media type and key aside."""
    match = document.load().match(exchange.request.method, exchange.request.path)
    pointer = match.operation.request if match else None
    readable = exchange.request.json.readable
    return bool(pointer and readable and not schema.is_valid(document.load(), pointer, exchange.request.json.value))


@on("a body that is no object")
def _no_object(exchange: Exchange) -> bool:
    body = exchange.request.json
    return _sends_json(exchange) and body.readable and not isinstance(body.value, dict)


@on("a body that is JSON by its content and not by its Content-Type")
def _other_type(exchange: Exchange) -> bool:
    sent = exchange.request
    right = bool(sent.object) and not _refused_by_schema(exchange) and bool(sent.header("content-type"))
    return right and not _sends_json(exchange)


@on("a value that is forbidden")
def _forbidden(exchange: Exchange) -> bool:
    return bool(exchange.request.object) and _sends_json(exchange) and exchange.view(_refused_by_schema)


no_object = prompted & keyed & _no_object
other_type = prompted & keyed & ~unknown_model & _other_type
empty_messages = (
    prompted
    & keyed
    & On("messages", lambda exchange: "messages" in required(exchange))
    & On("none in it", lambda exchange: member(exchange, "messages") == [])
)
malformed = bad_json | empty_body | no_object | missing_model | missing_messages | missing_other | empty_messages
forbidden = prompted & keyed & _forbidden & ~unknown_model & ~malformed & ~wrong_type & ~mistyped_member
too_many = prompted & legal & On("a limit beyond any model", lambda exchange: (limit_of(exchange) or 0) >= BEYOND)
mistake = (malformed | wrong_type | mistyped_member | other_type | too_many | unknown_model) & plain


@on("model, messages, n or stream of a wrong type")
def _core_mistyped(exchange: Exchange) -> bool:
    messages = member(exchange, "messages")
    no_messages = messages is not None and "messages" in required(exchange)
    spoiled = not isinstance(messages, list) or not all(isinstance(one, dict) for one in messages)
    return (no_messages and spoiled) or any(mistyped_in(exchange, name) for name in ("model", "n", "stream"))


no_request = no_object | (prompted & keyed & ~legal & _core_mistyped)


@rule("errors.other-scheme", Level.MUST, cites="RFC 9110 sections 11.1 and 15.5.2", on=prompted & other_scheme)
def with_other_scheme(exchange: Exchange) -> Iterator[Remark]:
    """Credentials of another scheme, which name no key, are answered 401."""
    yield from unauthorized(exchange)


@rule("errors.not-object", Level.SHOULD, cites=f"{CODES}; openapi, types", on=no_object & plain)
def not_object(exchange: Exchange) -> Iterator[Remark]:
    """A body that is JSON and no object is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({422}))


@rule("errors.no-request", Level.MUST, cites=f"{CODES}; openapi, types", on=no_request & plain)
def answered_no_request(exchange: Exchange) -> Iterator[Remark]:
    """What is no object, or whose model, messages, n or stream is of a wrong type, is refused with a status of 4xx: who
    is answered all the same never learns that nobody read what he sent."""
    if error_in(exchange) and (exchange.status or 0) < 400:
        yield Inconclusive("an error came with status 200: see errors.not-200 and errors.stream-status")
    elif (exchange.status or 0) < 400:
        yield Finding(f"expected 4xx, {describe(exchange)}")
    elif (exchange.status or 0) >= 500:
        yield Inconclusive(f"{describe(exchange)}: see errors.mistake-class")


@rule("errors.wrong-content-type", Level.SHOULD, cites="RFC 9110 section 15.5.16", on=other_type & plain)
def content_type_wrong(exchange: Exchange) -> Iterator[Remark]:
    """A body with another Content-Type than application/json is answered 400 or 415, never as if nothing were wrong."""
    yield from status_of_mistake(exchange, {400, 415}, frozenset({422}))


@rule("errors.empty-messages", Level.MUST, cites=f"{CODES}; openapi, messages", on=empty_messages & ~missing_model)
def messages_empty(exchange: Exchange) -> Iterator[Remark]:
    """A request whose messages are an empty list is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({422}))


@rule("errors.forbidden-value", Level.MAY, cites=f"{CODES}; openapi, ranges", on=forbidden & plain, given=answered)
def value_forbidden(exchange: Exchange) -> Iterator[Remark]:
    """A value out of its range is refused; a relay that passes it on leaves it to the model what becomes of it."""
    if exchange.status == 200:
        yield Finding(f"accepted: {_first_fault(exchange)}")
    elif not 400 <= (exchange.status or 0) < 500 or exchange.status in {401, 402, 403, 429}:
        yield Inconclusive(describe(exchange))


def _first_fault(exchange: Exchange) -> str:
    return "; ".join(fault.message for fault in exchange.view(_faults)[:1])


def _faults(exchange: Exchange) -> tuple[SchemaFault, ...]:
    pointer = document.load().operation(operation_of(exchange) or "").request or ""
    return schema.faults(document.load(), pointer, exchange.request.json.value)


@rule("errors.forbidden-class", Level.SHOULD, cites="RFC 9110 section 15.6", on=forbidden & plain, given=answered)
def forbidden_class(exchange: Exchange) -> Iterator[Remark]:
    """A value out of its range is not told as a fault of the server: SDKs send again what was answered 5xx."""
    if exchange.status in FAILED:
        yield Finding(f"expected 4xx, {describe(exchange)}")
    elif (exchange.status or 0) >= 500:
        yield Inconclusive(describe(exchange))


@rule(
    "errors.param",
    Level.SHOULD,
    cites="OpenAI API reference, Error codes, param",
    on=(forbidden | wrong_type | mistyped_member) & plain,
    occasion=error_answer,
    given=complete,
)
def names_the_place(exchange: Exchange) -> Iterator[Remark]:
    """A refusal of a value names its member, as param or in words: else a client with forty of them searches."""
    names = {token.lower() for fault in exchange.view(_faults) for token in _names(fault)}
    if exchange.status not in {400, 422} or not exchange.object or not names:
        yield Inconclusive(describe(exchange))
    elif not any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", _told(exchange).lower()) for name in names):
        text = f"{exchange.status}: neither param nor message names {' or '.join(sorted(names))}: "
        yield Finding(text + excerpt(message_of(exchange)), place="/error/param")


def _names(fault: SchemaFault) -> Iterator[str]:
    """The members on the way to a fault."""
    yield from (token for token in split(fault.pointer) if not token.isdigit())
    yield from (fault.missing,) if fault.missing else ()


def _told(exchange: Exchange) -> str:
    match exchange.object.get("error"):
        case {"param": str(param)}:
            return f"{param} {message_of(exchange)}"
    return message_of(exchange)


@rule("errors.mistake-class", Level.MUST, cites="RFC 9110 section 15.6; OpenAI API reference, Error codes", on=mistake)
def mistake_class(exchange: Exchange) -> Iterator[Remark]:
    """A mistake of the client is never told as a fault of the server: SDKs send again what was answered 5xx."""
    if exchange.status in FAILED:
        yield Finding(f"expected 4xx, {describe(exchange)}")
    elif (exchange.status or 0) >= 500:
        yield Inconclusive(describe(exchange))


@rule(
    "errors.context-length",
    Level.MUST,
    cites=f"{CODES}, context_length_exceeded",
    on=too_many,
    occasion=error_answer,
    given=complete,
)
def context_length(exchange: Exchange) -> Iterator[Remark]:
    """Who asks for more tokens than there is room for is told so, by a code or in words: clients that are, shorten the
    conversation and go on."""
    status = exchange.status or 0
    if status >= 500 or status in {401, 402, 403, 404, 429}:
        yield Inconclusive(describe(exchange))
    elif not exchange.object:
        yield Inconclusive("the refusal is no JSON object: see errors.envelope")
    elif not _tells(exchange):
        yield Finding(f"{status}: neither code, param nor message tells of a limit: {excerpt(message_of(exchange))}")


def _tells(exchange: Exchange) -> bool:
    match exchange.object.get("error"):
        case {"code": str(code)} if TOLD.search(code):
            return True
        case {"param": str(param)} if TOLD.search(param):
            return True
    return bool(TOLD.search(message_of(exchange)))


@rule(
    "errors.not-the-key",
    Level.SHOULD,
    cites="RFC 9110 section 15.5.2",
    on=prompted & legal & ~too_many,
    given=answered,
    over=("known-model", "nobodys-model"),
)
def not_the_key(known: Exchange, nobodys: Exchange) -> Iterator[Remark]:
    """A key that was just taken is not refused with 401 because of the model: clients throw a good key away."""
    if known.status != 200:
        yield Inconclusive(f"with a known model {describe(known)}")
    elif nobodys.status == 401:
        text = f"200 for {member(known, 'model')!r}, and with the same key {describe(nobodys)}"
        yield Finding(text, exchange=nobodys.id)
