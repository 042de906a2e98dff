"""What is taken back into a conversation of chat completions."""

from conformance.answers import reply_of, whole_reply
from conformance.probe import LIMITS
from conformance.probes.tools import CLOCK, WEATHER, sent_back
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice


def answer(exchange: Exchange, back: str) -> list[Json] | None:
    """The message of the assistant, as it came or with its text alone; None where it calls tools, or none came."""
    choice = _choice(exchange)
    if choice is None or choice.tool_calls:
        return None
    text = choice.content
    match back:
        case "text":
            return [{"role": "assistant", "content": text}]
        case "parts":
            return [{"role": "assistant", "content": [{"type": "text", "text": text}]}]
    return [_message(exchange, choice)]


def results(exchange: Exchange, back: str, content: Json) -> list[Json] | None:
    """The message with the calls, and a result for each; None where no call came that could be answered."""
    choice = _choice(exchange)
    calls = [one for one in choice.tool_calls.values() if one.id and one.name] if choice else []
    if choice is None or not calls or len(calls) < len(choice.tool_calls):
        return None
    said = _message(exchange, choice)
    if back != "came":
        said = {"role": "assistant", "tool_calls": [sent_back(one) for one in calls]}
        said |= {"content": None} if back == "null" else {}
    return [said, *({"role": "tool", "tool_call_id": one.id, "content": content} for one in calls)]


def calling(body: dict[str, Json]) -> dict[str, Json]:
    return {**body, "tools": body.get("tools") or [WEATHER, CLOCK], "tool_choice": "required"}


def instructed(body: dict[str, Json], content: Json) -> dict[str, Json]:
    """With this as what the developer wants, in the place of what was said before."""
    messages = body.get("messages")
    rest = [one for one in messages if not _instructs(one)] if isinstance(messages, list) else []
    return {**body, "messages": [{"role": "system", "content": content}, *rest]}


def limited(body: dict[str, Json], limit: Json) -> dict[str, Json]:
    named = [name for name in LIMITS if name in body] or ["max_tokens"]
    return {**body, **dict.fromkeys(named, limit)}


def _choice(exchange: Exchange) -> Choice | None:
    return reply_of(exchange).choices.get(0) if whole_reply.holds(exchange) else None


def _message(exchange: Exchange, choice: Choice) -> dict[str, Json]:
    """A whole message with all that it has, as SDKs put it into the list, less calls that are null; of a stream what
    its pieces join to."""
    if not exchange.is_stream:
        choices = exchange.object.get("choices")
        for one in choices if isinstance(choices, list) else []:
            match one:
                case {"index": 0, "message": dict(message)}:
                    return {key: one for key, one in message.items() if key != "tool_calls" or one is not None}
    said: dict[str, Json] = {"role": "assistant", "content": choice.content}
    if choice.tool_calls:
        said |= {
            "content": choice.content or None,
            "tool_calls": [sent_back(one) for one in choice.tool_calls.values()],
        }
    return said | ({"refusal": choice.refusal} if choice.refusal else {})


def _instructs(message: Json) -> bool:
    return isinstance(message, dict) and message.get("role") in {"system", "developer"}
