"""Exchanges of text completions and of embeddings out of a few words, beside those of chat."""

import base64
import struct
from typing import Any

from openapi.wire.exchange import Exchange, Request
from tests.conformance import exchanges
from tests.conformance.exchanges import DONE, Event, got, request, usage

TEXTS = "/v1/completions"
VECTORS = "/v1/embeddings"
EMBEDDER = "text-embedding-3-small"


# --- completions ----------------------------------------------------------------------------------------------------


def text_body(**more: Any) -> dict[str, Any]:
    return {"model": "m", "prompt": "One, two,"} | more


def asked(**more: Any) -> Request:
    return request(text_body(**more), path=TEXTS)


def piece(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"id": "c1", "object": "text_completion", "created": 1700000000, "model": "m"}
    return head | {"choices": list(choices)} | more


def said(text: Any = " three", finish: Any = None, index: Any = 0, **more: Any) -> dict[str, Any]:
    """A choice of a piece or of a whole answer."""
    return {"index": index, "text": text, "finish_reason": finish} | more


def more_text(text: Any = " three", index: int = 0) -> dict[str, Any]:
    return piece(said(text, index=index))


def end(reason: Any = "stop", index: int = 0) -> dict[str, Any]:
    return piece(said("", reason, index))


def totals(**more: Any) -> dict[str, Any]:
    """The usage, in a piece of its own."""
    return piece(usage=usage(**more))


def stream(*events: Event, **members: Any) -> Exchange:
    return exchanges.stream(*events, to=asked(stream=True, **members))


def answer(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    return piece(*(choices or (said(finish="stop"),)), usage=usage()) | more


def whole(body: Any = None, **members: Any) -> Exchange:
    return got(200, answer() if body is None else body, to=asked(**members))


GOOD = stream(more_text(), end(), DONE)


# --- embeddings -----------------------------------------------------------------------------------------------------


def vectors_asked(text: Any = "red", **more: Any) -> Request:
    return request({"model": EMBEDDER, "input": text} | more, path=VECTORS)


def packed(*numbers: float) -> str:
    return base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()


def entry(vector: Any = (0.6, -0.8), index: Any = 0, **more: Any) -> dict[str, Any]:
    numbers = list(vector) if isinstance(vector, tuple) else vector
    return {"object": "embedding", "index": index, "embedding": numbers} | more


def listed(*entries: Any, **more: Any) -> dict[str, Any]:
    counts = {"prompt_tokens": 3, "total_tokens": 3}
    return {"object": "list", "data": list(entries) or [entry()], "model": EMBEDDER, "usage": counts} | more


def vectors(body: Any = None, text: Any = "red", **members: Any) -> Exchange:
    """A 200 with these vectors to a request for this text."""
    return got(200, listed() if body is None else body, to=vectors_asked(text, **members))


def raw(text: str, **members: Any) -> Exchange:
    """A 200 with this text for its body."""
    return got(200, text.encode(), to=vectors_asked(**members))
