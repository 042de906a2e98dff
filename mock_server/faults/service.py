"""What a relay does around the model: keys, refusals, paths, the list of models."""

import re
from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.edit import (
    CHAT,
    Object,
    header,
    is_error,
    on_json,
    with_body,
    with_frames,
    with_header,
)
from mock_server.faults.fault import Answering, allows, hears, sends
from mock_server.policy import Policy
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse
from openapi.wire.exchange import Auth, Framing

PAGE = b"<!DOCTYPE html><html><head><title>502 Bad Gateway</title></head><body>cloudflare</body></html>\n"
KEY_HEADERS = ("authorization", "x-api-key", "api-key", "x-goog-api-key")

# --- what is let in -------------------------------------------------------------------------------------------------


@allows("auth-not-checked", "errors.other-scheme", "errors.no-key", "errors.wrong-key", "models.no-key")
def key_unchecked(policy: Policy) -> Policy:
    """No key is checked: anybody spends the owner's money."""
    return replace(policy, check_key=False)


@hears("auth-any-key", "errors.wrong-key")
def key_any(asked: Asked) -> Asked:
    """Any key is let in, as long as there is one: a revoked key goes on working."""
    return asked._replace(auth=Auth.VALID) if asked.auth is Auth.WRONG else asked


@hears("auth-key-optional", "errors.no-key", "errors.other-scheme")
def key_optional(asked: Asked) -> Asked:
    """A chat without any key is let in: anybody spends the owner's money."""
    return asked._replace(auth=Auth.VALID) if asked.operation == CHAT and asked.auth is Auth.NONE else asked


@allows("unknown-model-200", "errors.unknown-model", "models.unknown")
def model_unchecked(policy: Policy) -> Policy:
    """A model that does not exist is answered by another one: a typing error goes unseen and is billed."""
    return replace(policy, check_model=False)


@allows(
    "request-not-validated",
    "errors.no-request",
    "errors.not-object",
    "errors.empty-messages",
    "errors.forbidden-value",
    "errors.missing-model",
    "errors.missing-messages",
    "errors.missing-required",
    "errors.wrong-type",
    "embeddings.empty-input",
)
def unvalidated(policy: Policy) -> Policy:
    """A request is answered that lacks what is required: the client's mistake becomes the model's nonsense."""
    return replace(policy, validate=False)


@allows("unknown-path-200-html", "errors.unknown-path")
def path_unchecked(policy: Policy) -> Policy:
    """An unknown path gets the web page with 200: a wrong base URL looks like a broken answer."""
    return replace(policy, known_paths=False)


@hears("auth-other-scheme-taken", "errors.other-scheme")
def scheme_any(asked: Asked) -> Asked:
    """Credentials of any scheme are let in: whoever sends a Basic header of a proxy gets in by accident."""
    other = header(asked.headers, "authorization").lower().startswith("basic ")
    return asked._replace(auth=Auth.VALID) if other else asked


@allows("content-type-ignored", "errors.wrong-content-type")
def media_type_unchecked(policy: Policy) -> Policy:
    """A body is read whatever its Content-Type says: a form of a web page can spend the visitor's key."""
    return replace(policy, media_type=False)


# --- how it is refused ----------------------------------------------------------------------------------------------


def on_errors(change: Callable[[Asked, Answer], Answer]) -> Answering:
    """A change of refusals in JSON alone."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return change(asked, answer) if is_error(answer) else answer

    return bend


def _error(answer: Answer) -> Object:
    found = json_text.read(answer.body).object.get("error")
    return found if isinstance(found, dict) else {}


@sends(
    "error-200-with-error-body",
    "errors.not-200",
    "errors.no-key",
    "errors.wrong-key",
    "errors.bad-json",
    "errors.empty-body",
    "errors.missing-model",
    "errors.missing-messages",
    "errors.missing-required",
    "errors.wrong-type",
    "embeddings.empty-input",
    "errors.unknown-model-404",
    "errors.unknown-path",
    "errors.stream-status",
    "errors.other-scheme",
    "errors.not-object",
    "errors.wrong-content-type",
    "errors.empty-messages",
    "models.unknown",
    "models.no-key",
)
@on_errors
def error_200(_: Asked, answer: Answer) -> Answer:
    """Refusals come with status 200: clients take the error for an answer, and no retry or alarm sees it."""
    return replace(answer, status=200)


@sends("error-names-no-member", "errors.param")
@on_errors
def error_unnamed(_: Asked, answer: Answer) -> Answer:
    """A forbidden value is refused in three words: whoever sent forty members looks for the one at fault."""
    error = _error(answer)
    if error.get("code") != "invalid_value":
        return answer
    return on_json(answer, lambda body: body.update(error={**error, "param": None, "message": "Invalid request."}))


@sends("error-is-string", "errors.envelope")
@on_errors
def error_string(_: Asked, answer: Answer) -> Answer:
    """`error` is a text and no object: what reads error.message crashes while it handles a failure."""
    return on_json(answer, lambda body: body.update(error=_error(answer).get("message")))


@sends("error-members-missing", "errors.envelope-members")
@on_errors
def error_members(_: Asked, answer: Answer) -> Answer:
    """param and code are missing from the error: typed clients refuse it."""
    kept: dict[str, Json] = {name: value for name, value in _error(answer).items() if name not in {"param", "code"}}
    return on_json(answer, lambda body: body.update(error=kept))


@sends("error-code-is-number", "errors.envelope-members")
@on_errors
def error_code_number(_: Asked, answer: Answer) -> Answer:
    """error.code is a number: clients that switch by a word fall through, typed ones refuse it."""
    return on_json(answer, lambda body: body.update(error={**_error(answer), "code": answer.status}))


@sends(
    "error-4xx-as-5xx",
    "chat.answered",
    "errors.mistake-class",
    "errors.forbidden-class",
    "errors.not-object",
    "errors.empty-messages",
    "errors.bad-json",
    "errors.empty-body",
    "errors.missing-model",
    "errors.missing-messages",
    "errors.missing-required",
    "errors.wrong-type",
    "embeddings.empty-input",
)
@on_errors
def error_500(_: Asked, answer: Answer) -> Answer:
    """The client's mistakes are answered with 500: clients try again and again, and alarms blame the relay."""
    return replace(answer, status=500) if answer.status in {400, 422} else answer


@sends("error-missing-messages-500", "errors.missing-messages", "errors.empty-messages", "errors.mistake-class")
@on_errors
def messages_500(asked: Asked, answer: Answer) -> Answer:
    """A request without messages is answered with 500: clients try again what can never work."""
    lacking = asked.operation == CHAT and bool(asked.object.get("model")) and not asked.object.get("messages")
    return replace(answer, status=500) if lacking and answer.status == 400 else answer


@sends("error-html", "errors.content-type", "errors.envelope")
@on_errors
def error_html(_: Asked, answer: Answer) -> Answer:
    """Refusals are web pages: clients show markup, or crash while they parse it."""
    return with_header(with_body(answer, PAGE), "content-type", "text/html")


@sends("error-content-type-text", "errors.content-type")
@on_errors
def error_text(_: Asked, answer: Answer) -> Answer:
    """Refusals in JSON are declared as text/plain: SDKs hand over a string where they promise an error."""
    return with_header(answer, "content-type", "text/plain; charset=utf-8")


@sends("unknown-model-503", "errors.unknown-model-404")
@on_errors
def model_503(asked: Asked, answer: Answer) -> Answer:
    """A chat with an unknown model is 503: clients wait and try again what can never work."""
    unknown = asked.operation == CHAT and answer.status == 404
    return replace(answer, status=503) if unknown else answer


@sends("unknown-path-400", "errors.unknown-path")
@on_errors
def path_400(asked: Asked, answer: Answer) -> Answer:
    """An unknown path is 400 and not 404: clients that look for an endpoint think that they asked wrongly."""
    return replace(answer, status=400) if asked.operation is None and answer.status == 404 else answer


@sends(
    "sse-200-committed-before-upstream-known",
    "errors.wrong-type",
    "errors.stream-status",
    "errors.wrong-key",
    "errors.missing-messages",
    "errors.unknown-model-404",
)
@on_errors
def stream_committed(asked: Asked, answer: Answer) -> Answer:
    """A refusal known at once comes as an event in a stream with 200: no retry, no fallback, no alarm sees it."""
    if not asked.streamed:
        return answer
    event = sse.encode([sse.Message(answer.body.decode("utf-8", "replace").replace("\n", " "))])
    streamed = with_header(replace(answer, status=200, framing=Framing.CHUNKED), "content-type", "text/event-stream")
    due = answer.frames[-1].due
    return with_frames(streamed, [Frame(due, event), Frame(due, sse.encode([sse.Message("[DONE]")]))])


@sends("chat-legal-request-500", "chat.answered", "completions.answered")
def usage_500(asked: Asked, answer: Answer) -> Answer:
    """A legal parameter (stream_options) makes the relay fail: clients that send it cannot use the relay at all."""
    if not asked.object.get("stream_options") or answer.status != 200:
        return answer
    error: Object = {"message": "invalid memory address", "type": "server_error", "param": None, "code": None}
    failed = with_body(replace(answer, status=500, framing=Framing.CONTENT_LENGTH), json_text.write({"error": error}))
    return with_header(failed, "content-type", "application/json")


@sends("error-upstream-key-leak", "errors.no-key-leak")
@on_errors
def key_leak(asked: Asked, answer: Answer) -> Answer:
    """The message quotes the key that came: it ends in logs and in bug reports."""
    key = _key(asked)
    if not key:
        return answer
    told = {**_error(answer), "message": f"Incorrect API key provided: {key}"}
    return on_json(answer, lambda body: body.update(error=told))


@sends("key-echoed-in-header", "errors.no-key-leak")
def key_in_header(asked: Asked, answer: Answer) -> Answer:
    """A header of every answer repeats the key that came: each proxy on the way writes it down."""
    key = _key(asked)
    return replace(answer, headers=(*answer.headers, ("x-upstream-authorization", key))) if key else answer


def _key(asked: Asked) -> str:
    found = next((value for name in KEY_HEADERS if (value := header(asked.headers, name))), "")
    return re.sub(r"^bearer\s+", "", found.strip(), flags=re.IGNORECASE)


# --- what stands on a refusal beside its envelope -------------------------------------------------------------------


def on_unknown_model(change: Callable[[Asked, Answer], Answer]) -> Answering:
    """A change of the refusals of a chat with an unknown model alone: something that any probe of errors provokes."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return change(asked, answer) if asked.operation == CHAT and answer.status == 404 else answer

    return on_errors(bend)


def _with_message(answer: Answer, change: Callable[[str], str], **more: Json) -> Answer:
    """The refusal with another text."""
    told = _error(answer)
    text = told.get("message")
    return on_json(answer, lambda body: body.update(error={**told, "message": change(str(text)), **more}))


@sends("error-401-no-www-authenticate", "errors.www-authenticate")
@on_errors
def no_www_authenticate(_: Asked, answer: Answer) -> Answer:
    """A 401 names no scheme: clients that ask for one as HTTP says cannot come again."""
    return with_header(answer, "www-authenticate", None)


@sends("error-403-as-401", "errors.not-the-key")
@on_unknown_model
def model_401(_: Asked, answer: Answer) -> Answer:
    """A model that is not there is told as a wrong key: clients throw away a key that is right."""
    return replace(answer, status=401)


@sends("error-401-as-403", "errors.no-key", "errors.wrong-key", "errors.other-scheme", "models.no-key")
@on_errors
def key_403(_: Asked, answer: Answer) -> Answer:
    """A wrong key is told as want of permission: clients that would ask for a new key do not."""
    return replace(answer, status=403) if answer.status == 401 else answer


@sends("error-429-no-retry-after", "errors.retry-after")
@on_unknown_model
def later_unsaid(_: Asked, answer: Answer) -> Answer:
    """Too many requests, and nothing says when to come again: all clients come again at once."""
    return with_header(replace(answer, status=429), "x-ratelimit-remaining-requests", "0")


@sends("error-retry-after-in-words", "errors.retry-after-form")
@on_unknown_model
def later_in_words(_: Asked, answer: Answer) -> Answer:
    """Retry-After is neither a number nor a date: clients ignore it, or fail to read it."""
    limited = with_header(replace(answer, status=429), "x-ratelimit-remaining-requests", "0")
    return with_header(limited, "retry-after", "soon")


@sends("error-ratelimit-headers-dropped", "errors.rate-limit-headers")
@on_unknown_model
def limits_unsaid(_: Asked, answer: Answer) -> Answer:
    """A 429 tells no limit: clients that pace themselves cannot."""
    return with_header(replace(answer, status=429), "retry-after", "0")


@sends("request-id-constant", "errors.request-id-unique")
@on_errors
def request_id_constant(_: Asked, answer: Answer) -> Answer:
    """Every refusal has the same request id: the operator cannot find the one that is asked about."""
    return with_header(answer, "x-request-id", "req_0")


@sends("error-context-length-code-lost", "errors.context-length")
@on_errors
def context_generic(_: Asked, answer: Answer) -> Answer:
    """Too long a request is refused in general words: agents that would shorten the conversation are stuck."""
    if _error(answer).get("code") != "context_length_exceeded":
        return answer
    return _with_message(answer, lambda _: "All target providers failed.", code="upstream_client_error", param=None)


@sends("error-channel-key-leak", "errors.no-upstream-key")
@on_unknown_model
def channel_key(_: Asked, answer: Answer) -> Answer:
    """The message quotes the key of the relay's own account upstream: whoever reads it can spend its money."""
    return _with_message(answer, lambda text: f"{text} Incorrect API key provided: sk-proj-0123456789abcdefghijKLMN")


@sends("error-upstream-host-leak", "errors.no-inner-host")
@on_unknown_model
def inner_host(_: Asked, answer: Answer) -> Answer:
    """The message names the upstream inside the operator's network: an attacker learns where to knock."""
    return _with_message(answer, lambda _: 'Post "http://gateway:3000/v1/chat/completions": dial tcp 10.0.3.7:3000')


@sends("error-message-mutated", "errors.message-stable")
@on_errors
def message_glued(_: Asked, answer: Answer) -> Answer:
    """Each hop glues its request id to the message: what matches on the text does not."""
    return _with_message(answer, lambda text: f"{text} (request id: 20250101A) (request id: 20250101B)")


@sends("error-message-localised-without-code", "errors.code")
@on_errors
def message_localised(_: Asked, answer: Answer) -> Answer:
    """The message is in the operator's language and there is no code: a program cannot tell what went wrong."""
    return _with_message(answer, lambda _: "无效的请求", code=None)


@sends("error-message-localised", "errors.code", "errors.message-stable")
def error_localised(_: Asked, answer: Answer) -> Answer:
    """The message of an error is Chinese, its type the relay's own and its code null, as of a relay of the new-api
    family: code that matches the text is at a loss."""
    if not is_error(answer):
        return answer

    def translate(body: Object) -> None:
        error = body.get("error")
        if isinstance(error, dict):
            error.update(message="请求无效 (request id: 20261122)", type="new_api_error", code=None)

    return on_json(answer, translate)
