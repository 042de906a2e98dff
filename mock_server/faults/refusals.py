"""What a relay refuses although the reference has it."""

from collections.abc import Callable
from dataclasses import replace

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import objects
from mock_server.faults.edit import CHAT, with_body, with_header
from mock_server.faults.fault import Answering, sends
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Framing


def refusing(told: Callable[[Asked], tuple[str, str, str] | None]) -> Answering:
    """A refusal with 400 of chat requests that would be answered: message, param and code, None where none is told."""

    def bend(asked: Asked, answer: Answer) -> Answer:
        refusal = told(asked) if asked.operation == CHAT and answer.status == 200 else None
        if refusal is None:
            return answer
        message, param, code = refusal
        error: Json = {"message": message, "type": "invalid_request_error", "param": param, "code": code}
        body = json_text.write({"error": error})
        refused = with_body(replace(answer, status=400, framing=Framing.CONTENT_LENGTH, recorded=""), body)
        return with_header(refused, "content-type", "application/json")

    bend.__doc__ = told.__doc__
    return bend


@sends("param-unknown-field-400", "chat.fields")
@refusing
def stream_options(asked: Asked) -> tuple[str, str, str] | None:
    """stream_options is refused as an extra input: clients that count tokens cannot use the relay at all."""
    if "stream_options" not in asked.object:
        return None
    return "Extra inputs are not permitted: stream_options", "stream_options", "extra_forbidden"


@sends("param-strange-field-400", "chat.unknown-field")
@refusing
def strange(asked: Asked) -> tuple[str, str, str] | None:
    """A field that nobody knows is refused, as OpenAI does: what one vendor adds cannot be sent to all."""
    if "relayproof_unknown" not in asked.object:
        return None
    return "Unrecognized request argument supplied: relayproof_unknown", "relayproof_unknown", "unknown_parameter"


@sends("param-max-tokens-naming", "chat.limit-names")
@refusing
def max_tokens(asked: Asked) -> tuple[str, str, str] | None:
    """max_tokens goes unchanged to a model that takes max_completion_tokens alone: older clients cannot use it."""
    if "max_tokens" not in asked.object or "reason" not in str(asked.object.get("model")):
        return None
    text = "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens' instead."
    return text, "max_tokens", "unsupported_parameter"


@sends("request-null-content-rejected", "tools.null-content", "tools.no-content")
@refusing
def null_content(asked: Asked) -> tuple[str, str, str] | None:
    """A message without a text is refused, although it has calls: no agent comes to its second turn."""
    for at, message in enumerate(objects(asked.object.get("messages"))):
        if message.get("content") is None:
            return f"messages.{at}.content: Input should be a valid string", f"messages.{at}.content", "string_type"
    return None
