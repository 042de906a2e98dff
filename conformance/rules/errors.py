"""Errors: the status tells the class, the envelope tells the rest, and neither tells a secret."""

from collections.abc import Iterator

from conformance.answers import answered, complete, decoded, describe, error_answer, excerpt, intact, message_of, ok
from conformance.asked import (
    bad_json,
    empty_body,
    faulty,
    keyed,
    legal,
    member,
    missing_messages,
    missing_model,
    missing_other,
    no_key,
    prompted,
    streamed,
    unknown_model,
    unknown_path,
    wrong_key,
    wrong_type,
)
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, On, Remark, rule
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange
from openapi.wire.redaction import MARK

SCHEMA = "/components/schemas/ErrorResponse"
ENVELOPE = f"openapi#{SCHEMA}"
CODES = "OpenAI API reference, Error codes"
REFUSED = {401, 402, 403}  # the key, not the request
TRY_LATER = {429, 503, 529}
NOT_SERVED = {404, 405, 501}
ours = On(
    "a path under /v1",
    lambda exchange: exchange.request.path.startswith("/v1/") and exchange.request.method not in {"HEAD", "OPTIONS"},
)
own_envelope = On("a protocol with an envelope of its own", lambda exchange: error_schema(exchange) != SCHEMA)
plain = ~no_key & ~wrong_key
TYPES: dict[str, type | tuple[type, ...]] = {"model": str, "stream": bool, "n": int, "max_tokens": int}
READ_AS = {"true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "1", "0"}  # by lenient readers of a boolean


def _is_bearer(exchange: Exchange) -> bool:
    return (exchange.request.header("authorization") or "bearer ").lower().startswith("bearer")


def _mistyped_member(exchange: Exchange) -> bool:
    """Whether a member has a type that no reader takes for the right one."""
    return any(mistyped_in(exchange, name) for name in TYPES)


def mistyped_in(exchange: Exchange, name: str) -> bool:
    """Whether this member has such a type: a number in words may be read as one, and 2.0 is the integer 2."""
    value = member(exchange, name)
    lenient = isinstance(value, str) and (value.lower() in READ_AS or value.strip("+-").isdigit())
    lenient = lenient or (isinstance(value, float) and value.is_integer())
    return value is not None and not isinstance(value, TYPES[name]) and not lenient


other_scheme = On("another scheme", lambda exchange: exchange.request.auth is Auth.NONE and not _is_bearer(exchange))
mistyped_member = prompted & keyed & ~legal & On("another member of the wrong type", _mistyped_member)


def error_schema(exchange: Exchange) -> str:
    """The pointer to what the document says of a failure on this path; outside the document that of OpenAI."""
    return exchange.view(_error_schema)


def _error_schema(exchange: Exchange) -> str:
    book, path = document.load(), exchange.request.path
    found = next((match for method in book.methods(path) if (match := book.match(method, path))), None)
    media = found.operation.media_for(500, "application/json") if found else None
    return media.pointer if media else SCHEMA


def status_of_mistake(
    exchange: Exchange, expected: set[int], tolerated: frozenset[int] = frozenset()
) -> Iterator[Remark]:
    """The status that a mistake of the client must have. "Not with this key", "try later" and "not served here" have
    decided nothing."""
    status = exchange.status or 0
    undecided = TRY_LATER | (NOT_SERVED if 400 in expected else set()) | (set() if 401 in expected else REFUSED)
    if status in undecided - expected - tolerated:
        yield Inconclusive(describe(exchange))
    elif status not in expected | tolerated:
        yield Finding(f"expected {' or '.join(map(str, sorted(expected)))}, {describe(exchange)}")


@rule("errors.no-key", Level.MUST, cites="RFC 9110 section 15.5.2", on=prompted & no_key & ~other_scheme)
def without_key(exchange: Exchange) -> Iterator[Remark]:
    """A request without a key is answered 401."""
    yield from unauthorized(exchange)


@rule("errors.wrong-key", Level.MUST, cites="RFC 9110 section 15.5.2", on=prompted & wrong_key)
def with_wrong_key(exchange: Exchange) -> Iterator[Remark]:
    """A request with a wrong key is answered 401."""
    yield from unauthorized(exchange)


def unauthorized(exchange: Exchange) -> Iterator[Remark]:
    """Who looks at the model before the key has not answered yet; with a model that exists he must."""
    if unknown_model.holds(exchange) and exchange.status in {400, 403, 404, 503}:
        yield Inconclusive(f"the model may have been looked at before the key: {describe(exchange)}")
    else:
        yield from status_of_mistake(exchange, {401})


@rule("errors.bad-json", Level.MUST, cites=f"{CODES}; RFC 9110 section 15.5.1", on=bad_json)
def malformed(exchange: Exchange) -> Iterator[Remark]:
    """A body that is no JSON is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({422}))


@rule("errors.empty-body", Level.MUST, cites=f"{CODES}; RFC 9110 section 15.5.1", on=empty_body)
def nothing_sent(exchange: Exchange) -> Iterator[Remark]:
    """A request without its body is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({411, 415, 422}))


@rule("errors.missing-model", Level.MUST, cites=f"{CODES}; openapi, model", on=missing_model)
def model_missing(exchange: Exchange) -> Iterator[Remark]:
    """A request that names no model is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({404, 422}))


@rule("errors.missing-messages", Level.MUST, cites=f"{CODES}; openapi, messages", on=missing_messages & ~missing_model)
def messages_missing(exchange: Exchange) -> Iterator[Remark]:
    """A request without messages is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({422}))


@rule("errors.missing-required", Level.MUST, cites=f"{CODES}; openapi, required", on=missing_other & ~missing_model)
def required_missing(exchange: Exchange) -> Iterator[Remark]:
    """A request without another member that its protocol requires is answered 400."""
    yield from status_of_mistake(exchange, {400}, frozenset({422}))


@rule("errors.wrong-type", Level.SHOULD, cites=f"{CODES}; openapi, types", on=(wrong_type | mistyped_member) & plain)
def mistyped(exchange: Exchange) -> Iterator[Remark]:
    """A request with a member of the wrong type (model, messages, stream, temperature, …) is answered 400 or 422."""
    yield from status_of_mistake(exchange, {400, 422})


@rule("errors.unknown-model", Level.MUST, cites=f"{CODES}, model_not_found", on=prompted & unknown_model & plain)
def model_unknown(exchange: Exchange) -> Iterator[Remark]:
    """A model that does not exist is not answered by another one."""
    if exchange.status is not None and exchange.status < 300:
        if error_in(exchange):
            yield Inconclusive("an error came with status 200: see errors.not-200 and errors.stream-status")
        elif not complete.holds(exchange):
            yield Inconclusive(f"what would have come is not known: {describe(exchange)}")
        else:
            yield Finding(f"expected an error, {describe(exchange)}")
    elif exchange.status in {401, 402, 429, 529} or not (_client_error(exchange) or _of_the_model(exchange)):
        yield Inconclusive(describe(exchange))


def _of_the_model(exchange: Exchange) -> bool:
    """Whether an error says that it is the model that is not there: a relay that is down says 503 to all."""
    error = exchange.object.get("error")
    model = exchange.request.object.get("model")
    named = isinstance(model, str) and bool(model) and model in message_of(exchange)
    return bool(error_in(exchange)) and (named or (isinstance(error, dict) and error.get("code") == "model_not_found"))


def _client_error(exchange: Exchange) -> bool:
    return exchange.status is not None and 400 <= exchange.status < 500


@rule("errors.unknown-model-404", Level.SHOULD, cites=f"{CODES}, model_not_found", on=prompted & unknown_model & plain)
def model_unknown_status(exchange: Exchange) -> Iterator[Remark]:
    """A model that does not exist is answered 404."""
    if exchange.status == 200 and not error_in(exchange):
        yield Inconclusive("it was answered: see errors.unknown-model")
    elif exchange.status in {413, 415, 417} or (exchange.status == 400 and _unusual(exchange)):
        # the request, not the model: see the chapter http
        yield Inconclusive(describe(exchange))
    elif exchange.status == 503 and _of_the_model(exchange):  # the habit of new-api: no channel has the model
        yield Finding(f"expected 404, {describe(exchange)}")
    else:
        yield from status_of_mistake(exchange, {404})


def _unusual(exchange: Exchange) -> bool:
    """Whether the headers alone may be refused: the key twice, or a content type that is written otherwise."""
    names = [name.lower() for name, _ in exchange.request.headers]
    kind = exchange.request.header("content-type")
    return names.count("authorization") > 1 or kind not in {None, "application/json"}


@rule("errors.unknown-path", Level.MUST, cites="RFC 9110 section 15.5.5", on=unknown_path & plain)
def path_unknown(exchange: Exchange) -> Iterator[Remark]:
    """A path under /v1 that does not exist is answered 404."""
    yield from status_of_mistake(exchange, {404})


@rule(
    "errors.stream-status",
    Level.MUST,
    cites=f"{CODES}",
    on=prompted & streamed & (faulty | mistyped_member | wrong_type),
    given=answered,
)
def stream_status(exchange: Exchange) -> Iterator[Remark]:
    """A mistake that is known before the first byte is an error status also where a stream was asked for."""
    if exchange.status == 200 and error_in(exchange):
        yield Finding(f"expected an error status, got 200 and then {excerpt(error_in(exchange))}")
    elif not error_answer.holds(exchange) or exchange.status in {429, 529}:
        yield Inconclusive(f"the mistake was not told: {describe(exchange)}")


def error_in(exchange: Exchange) -> Json:
    """The error that an answer carries, in its body or in an event."""
    if exchange.is_stream:
        return next((payload.object["error"] for payload in exchange.payloads if payload.object.get("error")), None)
    return exchange.object.get("error")


@rule("errors.not-200", Level.MUST, cites=ENVELOPE, on=ours, occasion=ok, given=decoded)
def not_200(exchange: Exchange) -> Iterator[Remark]:
    """An answer with status 200 is no error object; a job that failed may tell so beside its id and status."""
    body = exchange.object
    if body.get("error") and not (body.get("id") and body.get("status")):
        yield Finding(f"status 200 with an error: {excerpt(body['error'])}")
    elif not (exchange.is_stream or complete.holds(exchange)):
        yield Inconclusive(describe(exchange))


@rule("errors.content-type", Level.MUST, cites=ENVELOPE, on=ours, occasion=error_answer)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """The body of an error is application/json, not a page."""
    if exchange.media_type != "application/json":
        text = excerpt(exchange.content[:200].decode("utf-8", "replace"), 60)
        yield Finding(f"{exchange.status}: expected application/json, got {exchange.header('content-type')!r}: {text}")


@rule("errors.envelope", Level.MUST, cites=ENVELOPE, on=ours, occasion=error_answer, given=intact)
def envelope(exchange: Exchange) -> Iterator[Remark]:
    """An error is {"error": {…}} with a message and a type that are texts."""
    match exchange.json.value:
        case {"error": {"message": str(), "type": str()}}:
            return
    text = excerpt(exchange.content[:300].decode("utf-8", "replace"))
    yield Finding(f"{exchange.status}: expected error.message and error.type as texts, got {text or 'an empty body'}")


@rule(
    "errors.envelope-members", Level.MUST, cites=ENVELOPE, on=ours & ~own_envelope, occasion=error_answer, given=intact
)
def envelope_members(exchange: Exchange) -> Iterator[Remark]:
    """An error has param and code, each a text or null."""
    match exchange.json.value:
        case {"error": dict(error)}:
            for name in ("param", "code"):
                if name not in error or not isinstance(error[name], str | None):
                    seen = excerpt(error[name]) if name in error else "no such member"
                    yield Finding(f"{exchange.status}: expected error.{name} as a text or null, got {seen}")
        case _:
            yield Inconclusive("there is no error object: see errors.envelope")


@rule("errors.no-key-leak", Level.MUST, cites="OWASP API8:2023", on=ANYTHING, given=answered)
def no_key_leak(exchange: Exchange) -> Iterator[Remark]:
    """No answer repeats the key that came with the request."""
    place = exchange.content.find(MARK.encode())
    if place >= 0:
        around = exchange.content[max(place - 40, 0) : place + 40].decode("utf-8", "replace")
        yield Finding(f"the key stands in the body: {excerpt(around)}", place)
    for name, value in exchange.headers:
        if MARK in value:
            yield Finding(f"the key stands in the header {name}")
