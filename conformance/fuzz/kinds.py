"""How requests are made of a case's data: one, or several that are judged together as those of hand-written probes are.

one       the body as it is
forms     whole and streamed, each twice                        rules of the chapter same
limit     the body, and the same with a lower limit             chat.limit-effect
stop      the body without its stop sequences, and with them    chat.stop-effect
order     the body twice, and with its members the other way    same.member-order
unknown   the body twice, and with a member that nobody knows   same.unknown-field
longer    a conversation twice, and one with more in front      usage.longer-prompt
turns     a call of a tool, and the turn with its result        tools.null-content
edit      a video, and a change of it                           rules of the chapter video

Sequences as long as their `moves` are:

talk      a conversation, each request of the answers before it (`moves`)
links     an answer, and what the document links behind it (`linked`)
"""

from collections.abc import Callable, Mapping
from functools import partial

from conformance.fuzz import linked, moves
from conformance.probe import Follow, Step
from conformance.probes.tools import second_turn
from conformance.probes.video_chat import edit
from openapi.json_text import Json

Requests = tuple[tuple[str, Json | bytes | Follow], ...]
"""The name of each step, and its body."""
Data = Mapping[str, Json]
STRANGER = "relayproof_unknown"
BEFORE: tuple[Json, ...] = (
    {"role": "user", "content": "Name a river, a hill and a town, each in a word of its own, and a colour for each."},
    {"role": "assistant", "content": "The Wye is grey, Pen y Fan is green, Hay is brown."},
)


def _object(data: Data) -> dict[str, Json]:
    body = data["body"]
    return dict(body) if isinstance(body, dict) else {}


def _one(data: Data) -> Requests:
    return (("", data["body"]),)


def _forms(data: Data) -> Requests:
    body = {name: value for name, value in _object(data).items() if name not in {"stream", "stream_options"}}
    stream: Json = {**body, "stream": True, "stream_options": {"include_usage": True}}
    return ("whole", body), ("whole-again", body), ("stream", stream), ("stream-again", stream)


def _limit(data: Data) -> Requests:
    body = _object(data)
    less: dict[str, Json] = {
        name: data.get("less", 1) for name in ("max_tokens", "max_completion_tokens") if name in body
    }
    return ("long", body), ("short", {**body, **less})


def _stop(data: Data) -> Requests:
    body = _object(data)
    return ("free", {name: value for name, value in body.items() if name != "stop"}), ("stopped", body)


def _order(data: Data) -> Requests:
    body = _object(data)
    return ("plain", body), ("plain-again", body), ("reordered", dict(reversed(body.items())))


def _unknown(data: Data) -> Requests:
    body = _object(data)
    return ("plain", body), ("plain-again", body), ("unknown-field", {**body, STRANGER: data.get("stranger")})


def _longer(data: Data) -> Requests:
    body = _object(data)
    messages = body.get("messages")
    longer: Json = {**body, "messages": [*BEFORE, *(messages if isinstance(messages, list) else [])]}
    return ("short-prompt", body), ("short-prompt-again", body), ("long-prompt", longer)


def _turns(data: Data) -> Requests:
    return ("call", data["body"]), ("result", partial(second_turn, bare=data.get("bare") is True))


def _edit(data: Data) -> Requests:
    return ("create", data["body"]), ("edit", edit)


def _talk(operation: str, data: Data) -> tuple[Step, ...]:
    told = enumerate(moves.follows(operation, data["body"], data.get("moves")), 2)
    return Step("turn-1", data["body"]), *(Step(f"turn-{at}", body, room=room) for at, (body, room) in told)


KINDS: Mapping[str, Callable[[Data], Requests]] = {
    "one": _one,
    "forms": _forms,
    "limit": _limit,
    "stop": _stop,
    "order": _order,
    "unknown": _unknown,
    "longer": _longer,
    "turns": _turns,
    "edit": _edit,
}
SEQUENCES: Mapping[str, Callable[[str, Data], tuple[Step, ...]]] = {"talk": _talk, "links": linked.steps}


def steps_of(kind: str, operation: str, data: Data) -> tuple[Step, ...]:
    """The requests of a case. Raises KeyError for a kind that there is not."""
    if kind in SEQUENCES:
        return SEQUENCES[kind](operation, data)
    return tuple(Step(*one) for one in KINDS[kind](data))
