"""What was asked, as named predicates: `on=chat & streamed`. None of them looks at what came back.

So one rule judges a probe's exchange, a recording and a user's own traffic alike.
"""

import re

from conformance.rule import GENERATED, On, on
from openapi import document, schema
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange

UNKNOWN_MODEL = "no-such-model"  # part of every model name that we ask for because nobody has it
UNKNOWN_PATH = "no-such-path"
VIDEO_MODELS = re.compile(r"(^|[/_-])(sora|veo|kling|hailuo|vidu|wan2|seedance|jimeng)|video", re.IGNORECASE)


def _match(exchange: Exchange) -> document.Match | None:
    return document.load().match(exchange.request.method, exchange.request.path)


def operation_of(exchange: Exchange) -> str | None:
    """The id of the operation, from the exchange or from its method and path; None outside the document. HEAD is none,
    whatever a recording says: what the document says of an answer is about the body that it has not."""
    if exchange.request.method == "HEAD":
        return None
    if exchange.operation is not None:
        return exchange.operation
    match = exchange.view(_match)
    return match.operation.id if match else None


def _described(exchange: Exchange) -> document.Operation | None:
    name = operation_of(exchange)
    return next((one for one in document.load().operations if one.id == name), None)


def described(exchange: Exchange) -> document.Operation | None:
    """What the document says of the operation; None outside the document."""
    return exchange.view(_described)


def required(exchange: Exchange) -> frozenset[str]:
    """The members that the document requires of the request's body."""
    return exchange.view(_required)


def _required(exchange: Exchange) -> frozenset[str]:
    found = described(exchange)
    body = document.load().resolve(found.request) if found and found.request else None
    names = body.get("required") if isinstance(body, dict) else None
    return frozenset(name for name in names if isinstance(name, str)) if isinstance(names, list) else frozenset()


def operation(*ids: str) -> On:
    """A request for one of these operations."""
    return On(" or ".join(ids), lambda exchange: operation_of(exchange) in ids)


def member(exchange: Exchange, name: str) -> Json:
    """A member of the request's body, None where it is absent."""
    return exchange.request.object.get(name)


def tool_choice(exchange: Exchange) -> str | None:
    """`none`, `auto`, `required`, or `named` for a choice of one function; None without tools."""
    if not member(exchange, "tools"):
        return None
    match member(exchange, "tool_choice"):
        case {"type": "allowed_tools", "allowed_tools": {"mode": str(mode)}}:
            return mode
        case dict():
            return "named"
        case str(choice):
            return choice
    return "auto"


def model_of(exchange: Exchange) -> str:
    """The model that was asked for: of the body, else the last part of the path."""
    model = member(exchange, "model")
    if isinstance(model, str):
        return model
    match = exchange.view(_match)
    return match.params.get("model", "") if match else ""


def choices_of(exchange: Exchange) -> int:
    """How many choices were asked for."""
    n = member(exchange, "n")
    return n if isinstance(n, int) and not isinstance(n, bool) and n > 0 else 1


def stops_of(exchange: Exchange) -> tuple[str, ...]:
    """The stop sequences, empty ones left out."""
    stop = member(exchange, "stop")
    texts = [stop] if isinstance(stop, str) else stop if isinstance(stop, list) else []
    return tuple(text for text in texts if isinstance(text, str) and text)


def limit_of(exchange: Exchange) -> int | None:
    """The smaller of max_tokens and max_completion_tokens."""
    limits = [member(exchange, name) for name in ("max_tokens", "max_completion_tokens")]
    return min((limit for limit in limits if isinstance(limit, int) and not isinstance(limit, bool)), default=None)


def format_of(exchange: Exchange) -> str | None:
    """The type of response_format."""
    wanted = member(exchange, "response_format")
    kind = wanted.get("type") if isinstance(wanted, dict) else None
    return kind if isinstance(kind, str) else None


def _legal(exchange: Exchange) -> bool:
    """Whether the document allows the request as it stands, key included."""
    request = exchange.request
    match = exchange.view(_match)
    if match is None or request.auth in {Auth.NONE, Auth.WRONG} or UNKNOWN_MODEL in model_of(exchange):
        return False
    pointer = match.operation.request
    if pointer is None:
        return True
    kind = (request.header("content-type") or "").partition(";")[0].strip().lower()
    if kind != "application/json" or not request.json.readable:
        return False
    return schema.is_valid(document.load(), pointer, request.json)


def _sends_object(exchange: Exchange) -> bool:
    return isinstance(exchange.request.json.value, dict)


def _sends_json(exchange: Exchange) -> bool:
    kind = (exchange.request.header("content-type") or "application/json").partition(";")[0]
    return kind.strip().lower() == "application/json" and exchange.request.header("content-encoding") is None


def _mistyped(exchange: Exchange) -> bool:
    value = exchange.request.object
    messages, temperature = value.get("messages", []), value.get("temperature", 0)
    return not isinstance(messages, list) or isinstance(temperature, str | list | dict)


chat = operation("createChatCompletion")
completions = operation("createCompletion")
embeddings = operation("createEmbedding")
spoken = chat | completions  # answered in choices of text
models_list = operation("listModels")
model_retrieve = operation("retrieveModel")

prompted = On("a request to a model", lambda exchange: "model" in required(exchange))
streams = On("an operation that streams", lambda exchange: bool((o := described(exchange)) and o.stream))

legal = On("a legal request", lambda exchange: exchange.view(_legal))
keyed = On("the right key", lambda exchange: exchange.request.auth not in {Auth.NONE, Auth.WRONG})
no_key = On("no key", lambda exchange: exchange.request.auth is Auth.NONE)
wrong_key = On("a wrong key", lambda exchange: exchange.request.auth is Auth.WRONG)

streamed = On("stream true", lambda exchange: member(exchange, "stream") is True)
with_usage = On(
    "include_usage",
    lambda exchange: bool(isinstance(o := member(exchange, "stream_options"), dict) and o.get("include_usage") is True),
)
several = On("n > 1", lambda exchange: choices_of(exchange) > 1)
with_stop = On("stop", lambda exchange: bool(stops_of(exchange)))
with_limit = On("a token limit", lambda exchange: limit_of(exchange) is not None)
with_tools = On("tools", lambda exchange: tool_choice(exchange) is not None)
forced = On("a forced tool", lambda exchange: tool_choice(exchange) in {"required", "named"})
no_tools_wanted = On("tool_choice none", lambda exchange: tool_choice(exchange) == "none")
json_object = On("json_object", lambda exchange: format_of(exchange) == "json_object")
json_schema = On("json_schema", lambda exchange: format_of(exchange) == "json_schema")
with_logprobs = On("logprobs", lambda exchange: member(exchange, "logprobs") is True)
fuzzed = On("a generated probe", lambda exchange: (exchange.probe or "").startswith(GENERATED))


@on("a video model")
def video(exchange: Exchange) -> bool:
    """A probe says what its model was named for; without one the model's name has to tell."""
    if exchange.probe is not None and not fuzzed.holds(exchange):
        return exchange.probe.startswith("video.")
    return bool(VIDEO_MODELS.search(model_of(exchange)))


unknown_model = On("a model that nobody has", lambda exchange: UNKNOWN_MODEL in model_of(exchange))


@on("an unknown path under /v1")
def unknown_path(exchange: Exchange) -> bool:
    path = exchange.request.path
    return path.startswith("/v1/") and UNKNOWN_PATH in path and not document.load().methods(path)


@on("a body")
def _takes_body(exchange: Exchange) -> bool:
    match = exchange.view(_match)
    return bool(match and match.operation.request) and _sends_json(exchange)


empty_body = _takes_body & keyed & On("nothing in it", lambda exchange: not exchange.request.body)
bad_json = (
    _takes_body
    & keyed
    & On("that is no JSON", lambda exchange: bool(exchange.request.body) and not exchange.request.json.readable)
)


def _lacks(exchange: Exchange) -> frozenset[str]:
    """The required members that an object has not."""
    return required(exchange) - set(exchange.request.object) if _sends_object(exchange) else frozenset()


missing_model = keyed & On("an object without model", lambda exchange: "model" in _lacks(exchange))
missing_messages = keyed & On("an object without messages", lambda exchange: "messages" in _lacks(exchange))
missing_other = keyed & On(
    "an object without another required member", lambda exchange: bool(_lacks(exchange) - {"model", "messages"})
)
wrong_type = (
    On("messages", lambda exchange: "messages" in required(exchange))
    & keyed
    & On("a member of the wrong type", lambda e: _sends_object(e) and _mistyped(e))
)
faulty = no_key | wrong_key | empty_body | bad_json | missing_model | missing_messages | missing_other | unknown_model
