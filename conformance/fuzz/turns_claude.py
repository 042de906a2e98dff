"""What is taken back into a conversation of Claude's messages."""

from conformance.probes.messages import ANY, CLOCK, WEATHER
from conformance.rules.messages_answers import reply_of, whole_message
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.messages import Block

SAID = {"text", "thinking", "redacted_thinking", "tool_use"}  # other blocks are of tools of the vendor's own side


def answer(exchange: Exchange, back: str) -> list[Json] | None:
    """The turn of the assistant, as it came or with its text alone; None where it calls tools, or says nothing."""
    blocks = _blocks(exchange)
    if not blocks or any(one["type"] == "tool_use" for one in blocks):
        return None
    text = "".join(str(one["text"]) for one in blocks if one["type"] == "text")
    match back:
        case "text" if text:
            return [{"role": "assistant", "content": text}]
        case "parts" if text:
            return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
        case "came":
            return [{"role": "assistant", "content": [*blocks]}]
    return None


def results(exchange: Exchange, back: str, content: Json) -> list[Json] | None:
    """The turn with the calls, and one of the user with a result for each; `back` that is not as it came leaves out
    what is said before them, but for thinking, which has to come with them."""
    blocks = _blocks(exchange)
    calls = [one for one in blocks if one["type"] == "tool_use"]
    if not calls:
        return None
    kept: list[Json] = [one for one in blocks if back == "came" or one["type"] != "text"]
    given: list[Json] = [{"type": "tool_result", "tool_use_id": one.get("id"), "content": content} for one in calls]
    return [{"role": "assistant", "content": kept}, {"role": "user", "content": given}]


def calling(body: dict[str, Json]) -> dict[str, Json]:
    return {**body, "tools": body.get("tools") or [WEATHER, CLOCK], "tool_choice": ANY}


def instructed(body: dict[str, Json], content: Json) -> dict[str, Json]:
    return {**body, "system": content}


def limited(body: dict[str, Json], limit: Json) -> dict[str, Json]:
    return {**body, "max_tokens": limit}


def _blocks(exchange: Exchange) -> list[dict[str, Json]]:
    """The blocks of an answer, thinking too, without texts that are empty, which nobody takes back; none where one of
    them cannot be sent."""
    if not whole_message.holds(exchange):
        return []
    if exchange.is_stream:
        found = [_block(one) for _, one in sorted(reply_of(exchange).blocks.items())]
    else:
        content = exchange.object.get("content")
        found = [one for one in content if isinstance(one, dict)] if isinstance(content, list) else []
    if not all(one.get("type") in SAID for one in found):
        return []
    return [one for one in found if one["type"] != "text" or one.get("text")]


def _block(block: Block) -> dict[str, Json]:
    """A block of a stream as it would stand in a whole answer; empty for one whose whole is not told in pieces."""
    match block.type:
        case "text":
            return {"type": "text", "text": block.text}
        case "thinking":
            return {"type": "thinking", "thinking": block.text, "signature": block.signature}
        case "tool_use":
            value = json_text.read(block.json).value if block.json else block.input
            return {"type": "tool_use", "id": block.id, "name": block.name, "input": value}
    return {}
