"""Failures in the envelope of their protocol: {"error": {message, type, param, code}} where it has none of its own."""

from collections.abc import Callable
from dataclasses import dataclass

from mock_server.answer import Answer, Frame
from mock_server.synthesis.seed import digest
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Headers

FIRST_BYTE = 0.02  # seconds
LIMITS = ("max_completion_tokens", "max_tokens", "max_output_tokens")  # of the tokens of an answer


class UnanswerableError(ValueError):
    """A request that is well formed and cannot be obeyed, as a schema that nothing fits."""

    def __init__(self, message: str, param: str | None = None, code: str | None = None) -> None:
        super().__init__(message)
        self.param = param
        self.code = code


def whole(status: int, body: Json, headers: Headers = (), *, due: float = FIRST_BYTE, request: str = "") -> Answer:
    """A JSON answer in one piece. `request` is what its x-request-id is made of."""
    data = json_text.write(body)
    fields = (("content-type", "application/json"), ("x-request-id", f"req_{digest(request or data)[:24]}"), *headers)
    return Answer(status, fields, (Frame(due, data),), ended_at=due)


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, before it is put into an envelope."""

    status: int
    message: str
    type: str
    param: str | None = None
    code: str | None = None


Envelope = Callable[[Failure], Json]
ENVELOPES: dict[str, Envelope] = {}


def envelope(*operations: str) -> Callable[[Envelope], Envelope]:
    """Register a function as the envelope of these operations."""

    def register(put: Envelope) -> Envelope:
        ENVELOPES.update(dict.fromkeys(operations, put))
        return put

    return register


def openai(failure: Failure) -> Json:
    """All four members, null where they do not apply."""
    told: dict[str, Json] = {"message": failure.message, "type": failure.type}
    return {"error": told | {"param": failure.param, "code": failure.code}}


def error(
    status: int,
    message: str,
    *,
    type: str,  # noqa: A002 - the member's name
    param: str | None = None,
    code: str | None = None,
    headers: Headers = (),
    operation: str | None = None,
) -> Answer:
    """A failure of an operation in the envelope of its protocol."""
    put = ENVELOPES.get(operation or "", openai)
    return whole(status, put(Failure(status, message, type, param, code)), headers)


USUAL = {
    400: ("invalid_request_error", None, "The request was refused."),
    401: ("invalid_request_error", "invalid_api_key", "Incorrect API key: send it as `Authorization: Bearer KEY`."),
    402: ("insufficient_quota", "insufficient_quota", "You exceeded your current quota."),
    403: ("permission_error", None, "The key has no access to this."),
    404: ("invalid_request_error", "not_found", "There is nothing here."),
    429: ("rate_limit_error", "rate_limit_exceeded", "Rate limit reached: try again later."),
    500: ("server_error", None, "The server had an error while processing your request."),
    502: ("server_error", "bad_gateway", "The upstream could not be reached."),
    503: ("server_error", "overloaded", "The engine is overloaded: try again later."),
    504: ("server_error", "timeout", "The upstream did not answer in time."),
    529: ("overloaded_error", "overloaded", "Overloaded."),
}


def failure_of(status: int) -> Failure:
    """What vendors usually say with a status."""
    nearest = status if status in USUAL else 400 if status < 500 else 500
    kind, code, message = USUAL[nearest]
    return Failure(status, message, kind, None, code)


def unknown_model(name: str, operation: str | None = None) -> Answer:
    """404, as vendors answer for a model that does not exist."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return error(404, message, type="invalid_request_error", param="model", code="model_not_found", operation=operation)


def no_room(wanted: int, context: int, operation: str | None = None) -> Answer:
    """400, as vendors answer who asks for more tokens than the model has room for."""
    message = f"This model's maximum context length is {context} tokens, and {wanted} were asked for."
    code = "context_length_exceeded"
    return error(400, message, type="invalid_request_error", param="max_tokens", code=code, operation=operation)
