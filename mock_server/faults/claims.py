"""What a relay is said to have and has not, or has and is not said to."""

from dataclasses import replace

from mock_server.answer import Answer, Asked
from mock_server.faults.edit import CHAT, Object, on_whole, with_body, with_header
from mock_server.faults.fault import sends
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Framing


def _several(asked: Asked) -> bool:
    n = asked.object.get("n")
    return asked.operation == CHAT and isinstance(n, int) and n > 1


@sends("claim-n-refused", "claims.kept")
def n_refused(asked: Asked, answer: Answer) -> Answer:
    """n is in the price list and refused: a client that was sold several choices gets an error."""
    if not _several(asked) or answer.status != 200:
        return answer
    error: Object = {
        "message": "n above 1 is not supported",
        "type": "invalid_request_error",
        "param": "n",
        "code": "unsupported_parameter",
    }
    refused = with_body(replace(answer, status=400, framing=Framing.CONTENT_LENGTH), json_text.write({"error": error}))
    return with_header(refused, "content-type", "application/json")


@sends("claim-n-unsaid", "claims.more")
@on_whole
def n_unsaid(asked: Asked, body: Object) -> None:
    """n is answered although nobody claims it, by copies of one choice: a client pays for choices that are none."""
    match body.get("choices"):
        case [dict(first), *_] as choices if _several(asked):
            copies: list[Json] = [{**first, "index": number} for number in range(len(choices))]
            body["choices"] = copies
