"""Failures in the envelope that all operations share: {"error": {message, type, param, code}}."""

from mock_server.answer import Answer, Frame
from mock_server.synthesis.seed import digest
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Headers

FIRST_BYTE = 0.02  # seconds


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


def error(
    status: int,
    message: str,
    *,
    type: str,  # noqa: A002 - the member's name
    param: str | None = None,
    code: str | None = None,
    headers: Headers = (),
) -> Answer:
    """A failure with all four members of the envelope."""
    return whole(status, {"error": {"message": message, "type": type, "param": param, "code": code}}, headers)


def unknown_model(name: str) -> Answer:
    """404, as OpenAI answers for a model that does not exist."""
    message = f"The model `{name}` does not exist or you do not have access to it."
    return error(404, message, type="invalid_request_error", param="model", code="model_not_found")
