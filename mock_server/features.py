"""What a chat request asks of its answer, and which recorded answers obey it.

A recording stands in for other requests only where it is a chat-format video: the prompt decides nothing there that a
client could check, and the progress, the pauses and the link are what it came for. Every other answer is made up.
Limits and stop sequences have no meaning for a video (the documented request sends max_tokens 1000 and is not cut).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from openapi.json_text import Json, in_order
from openapi.wire.exchange import End, Exchange

_SID = re.compile(r"\bs_[0-9a-f]{32}\b")  # a video of an earlier turn, which this one is to change
_VIDEO_LINK = b".mp4"


@dataclass(frozen=True, slots=True)
class Features:
    """What must be equal for one answer to obey two requests. `edits` is the id of the video to be changed, if any."""

    model: str
    streamed: bool
    choices: int
    usage: bool
    logprobs: bool
    tools: str
    format: str
    modalities: str
    edits: str | None


def features(body: dict[str, Json]) -> Features | None:
    """The features of a chat request, with what the absence of a member means; None for a body that is none."""
    model, messages, choices = body.get("model"), body.get("messages"), body.get("n") or 1
    if not isinstance(model, str) or not isinstance(messages, list) or not isinstance(choices, int):
        return None
    options = body.get("stream_options")
    return Features(
        model,
        streamed=body.get("stream") is True,
        choices=choices,
        usage=isinstance(options, dict) and options.get("include_usage") is True,
        logprobs=body.get("logprobs") is True,
        tools=in_order([body.get("tools") or [], body.get("functions") or []]),
        format=in_order(body.get("response_format") or {"type": "text"}),
        modalities=in_order(body.get("modalities") or ["text"]),
        edits=_edited(messages),
    )


def of_recording(exchange: Exchange) -> Features | None:
    """The features of a recording that may stand in for others: a whole stream, with success, that ends in a video."""
    whole = exchange.status == 200 and exchange.end is End.COMPLETE and exchange.is_stream
    return features(exchange.request.object) if whole and _VIDEO_LINK in exchange.body else None


def _edited(messages: list[Json]) -> str | None:
    """The last id in the conversation."""
    found = [sid for message in messages for text in _texts(message) for sid in _SID.findall(text)]
    return found[-1] if found else None


def _texts(message: Json) -> Iterator[str]:
    match message:
        case {"content": str(text)}:
            yield text
        case {"content": list(parts)}:
            for part in parts:
                match part:
                    case {"text": str(text)}:
                        yield text
