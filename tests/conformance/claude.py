"""Exchanges in Claude's protocol out of a few words, as `exchanges.py` makes those of chat.

spoken(start(), *block("Hi"), ending(), STOP)        a 200 with these events, asked with stream true
told(message(said("Hi")))                            a 200 with this JSON, asked without
"""

import json
from typing import Any

from openapi.wire import sse
from openapi.wire.exchange import Exchange, Request
from tests.conformance.exchanges import got, request, stream

PATH = "/v1/messages"
CITY = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
WEATHER: dict[str, Any] = {"name": "get_weather", "input_schema": CITY}
USAGE = {"input_tokens": 9, "output_tokens": 2}
Said = dict[str, Any] | str | bytes


def body(**more: Any) -> dict[str, Any]:
    """A legal request, with more members."""
    return {"model": "m", "max_tokens": 20, "messages": [{"role": "user", "content": "hi"}]} | more


def ask(path: str = PATH, **more: Any) -> Request:
    return request(body(**more), path=path)


# --- events ---------------------------------------------------------------------------------------------------------


def start(**more: Any) -> dict[str, Any]:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "content": [], "model": "m"}
    return {
        "type": "message_start",
        "message": head | {"stop_reason": None, "usage": USAGE | {"output_tokens": 1}} | more,
    }


def begin(block: Any = None, index: Any = 0) -> dict[str, Any]:
    """The start of a block: of text, where nothing else is said."""
    return {"type": "content_block_start", "index": index, "content_block": block or {"type": "text", "text": ""}}


def delta(kind: str = "text_delta", index: Any = 0, **more: Any) -> dict[str, Any]:
    members = more or {"text": "Hi"}
    return {"type": "content_block_delta", "index": index, "delta": {"type": kind} | members}


def end(index: Any = 0) -> dict[str, Any]:
    return {"type": "content_block_stop", "index": index}


def block(*texts: str, index: int = 0) -> list[Said]:
    return [begin(index=index), *(delta(index=index, text=text) for text in texts or ("Hi",)), end(index)]


def call(*pieces: str, index: int = 0, **head: Any) -> list[Said]:
    """A call, its input in these pieces."""
    told = {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {}} | head
    return [begin(told, index), *(delta("input_json_delta", index, partial_json=one) for one in pieces), end(index)]


def ending(reason: Any = "end_turn", tokens: Any = 2, **more: Any) -> dict[str, Any]:
    return {"type": "message_delta", "delta": {"stop_reason": reason} | more, "usage": {"output_tokens": tokens}}


STOP: dict[str, Any] = {"type": "message_stop"}
PING: dict[str, Any] = {"type": "ping"}


def failure(kind: str = "api_error") -> dict[str, Any]:
    return {"type": "error", "error": {"type": kind, "message": "upstream went away"}}


def named(event: Said) -> Any:
    """An event as it goes out: one that has a type is named by it."""
    if isinstance(event, dict) and isinstance(event.get("type"), str):
        name = event["type"].encode("utf-8", "replace").decode()  # a lone surrogate has no bytes
        return sse.encode([sse.Message(json.dumps(event), event=name)])
    return event


def spoken(*events: Said, to: Request | None = None, **asked: Any) -> Exchange:
    """A 200 event stream, a read for each event."""
    return stream(*(named(event) for event in events), to=to or ask(stream=True, **asked))


def good(*blocks: Said, reason: str = "end_turn", **asked: Any) -> Exchange:
    """A stream that is right at both ends."""
    return spoken(start(), *(blocks or block()), ending(reason), STOP, **asked)


# --- whole ----------------------------------------------------------------------------------------------------------


def said(text: str = "Hi") -> dict[str, Any]:
    return {"type": "text", "text": text}


def used(value: Any = None, **head: Any) -> dict[str, Any]:
    """A call of a whole answer."""
    told = {"city": "Rome"} if value is None else value
    return {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": told} | head


def message(*content: dict[str, Any], reason: Any = "end_turn", **more: Any) -> dict[str, Any]:
    head = {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "usage": USAGE}
    return head | {"content": list(content) or [said()], "stop_reason": reason, "stop_sequence": None} | more


def told(answer: Any = None, **asked: Any) -> Exchange:
    """A 200 with a JSON object, asked without stream."""
    return got(200, message() if answer is None else answer, to=ask(**asked))
