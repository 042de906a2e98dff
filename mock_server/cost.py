"""What a request costs in tokens: as it looks before, and as its answer says."""

import zlib
from collections.abc import Iterator
from contextlib import suppress

from mock_server.answer import Answer
from mock_server.synthesis import LIMITS, tokens
from mock_server.synthesis.prompt import PER_MESSAGE, objects, whole_number
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse

READ = ("messages", "system", "prompt", "input", "instructions", "tools", "functions")  # what a model has to read
LARGEST = 16 << 20  # bytes of a body that is looked into


def estimated(body: dict[str, Json]) -> int:
    """The prompt by our own count, and the most that may be answered, where the request says that."""
    spoken = min((limit for name in LIMITS if (limit := whole_number(body.get(name))) is not None), default=0)
    choices = whole_number(body.get("n")) or 1
    read = sum(_counted(body.get(name)) for name in READ)
    return max(1, read + PER_MESSAGE * len(objects(body.get("messages"))) + max(0, spoken) * max(1, choices))


def told(answer: Answer) -> int | None:
    """The tokens that an answer says it cost, prompt and all; 0 for a refusal, None where it says nothing."""
    if answer.status >= 400:
        return 0
    fields = {name.lower(): value.lower() for name, value in answer.headers}
    body = answer.body
    if fields.get("content-encoding") == "gzip":
        with suppress(zlib.error):
            body = zlib.decompressobj(wbits=31).decompress(body, LARGEST)
    if fields.get("content-type", "").startswith("text/event-stream"):
        messages = [item.data for item in sse.decode(body) if isinstance(item, sse.Message)]
        found = [json_text.read(data).object for data in messages if '"usage"' in data]
    else:
        found = [json_text.read(body).object] if b'"usage"' in body else []
    usages = [usage for one in found for usage in _usages(one)]
    return _sum({name: count for usage in usages for name, count in usage.items()})


def _usages(value: dict[str, Json]) -> Iterator[dict[str, Json]]:
    """Where usage stands: in the answer or chunk itself, in Claude's message, in a response."""
    for place in (value, value.get("message"), value.get("response")):
        usage = place.get("usage") if isinstance(place, dict) else None
        if isinstance(usage, dict):
            yield usage


def _sum(usage: dict[str, Json]) -> int | None:
    """What was told last counts: Claude tells the prompt at the beginning and the answer at the end."""
    total = whole_number(usage.get("total_tokens"))
    if total is not None:
        return max(0, total)
    names = ("prompt_tokens", "completion_tokens", "input_tokens", "output_tokens")
    counts = [count for name in names if (count := whole_number(usage.get(name))) is not None]
    return max(0, sum(counts)) if counts else None


def _counted(value: Json) -> int:
    match value:
        case str():
            return 0 if value.startswith("data:") else tokens.count(value)
        case bool() | None | float():
            return 0
        case int():
            return 1  # of a prompt that is tokens already
        case list():
            return sum(map(_counted, value))
        case dict():
            return sum(_counted(member) for name, member in value.items() if name not in {"role", "type", "id"})
