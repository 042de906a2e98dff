"""Honest variants of what is said: shapes that the protocol allows and members that stand beside the named ones.

They break no rule; each is sent by some vendor or relay, and has broken a client.
"""

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import (
    choices,
    deltas,
    finishes,
    first_where,
    middle_text,
    tool_calls,
)
from mock_server.faults.edit import (
    Event,
    Events,
    Object,
    is_error,
    on_both,
    on_chunks,
    on_events,
    on_json,
)
from mock_server.faults.fault import honest
from openapi.json_text import Json


@honest("honest-role-repeated")
@on_chunks
def role_repeated(_: Asked, chunk: Object, __: int) -> None:
    """The role is said in every delta that says anything."""
    for said in deltas(chunk):
        if said:
            said["role"] = "assistant"


@honest("honest-empty-delta")
@on_events
def empty_delta(_: Asked, found: Events) -> Events:
    """An empty delta with a null finish_reason stands in mid-answer."""
    at = middle_text(found)
    if at is None:
        return found
    chunk = found[at].chunk
    for choice in choices(chunk):
        choice["delta"] = {}
        choice.pop("logprobs", None)
    return [*found[: at + 1], found[at].saying(chunk), *found[at + 1 :]]


@honest("honest-finish-with-text")
@on_events
def finish_with_text(_: Asked, found: Events) -> Events:
    """finish_reason stands in the last chunk that says something, and not in one of its own."""
    at = first_where(found, finishes)
    if at is None or at == 0 or sum(finishes(event.chunk) for event in found) != 1:
        return found
    last, end = found[at - 1].chunk, found[at].chunk
    said, ended = choices(last), choices(end)
    speaks = any(any(delta.values()) for delta in deltas(end))
    if speaks or len(said) != 1 or said[0].get("index") != ended[0].get("index"):
        return found
    said[0]["finish_reason"] = ended[0]["finish_reason"]
    return [*found[: at - 1], found[at - 1].saying(last), *found[at + 1 :]]


@honest("honest-tool-call-in-one-delta")
@on_events
def tool_at_once(_: Asked, found: Events) -> Events:
    """A call comes whole, in one delta."""
    out: Events = []
    heads: dict[tuple[Json, Json], int] = {}
    for event in found:
        calls = tool_calls(event.chunk)
        key = (choices(event.chunk)[0].get("index"), calls[0].get("index")) if len(calls) == 1 else None
        if key is None or not _is_fragment(event.chunk):
            out.append(event)
        elif key in heads:
            out[heads[key]] = _joined(out[heads[key]], calls[0])
        else:
            heads[key] = len(out)
            out.append(event)
    return out


def _is_fragment(chunk: Object) -> bool:
    """Whether the chunk does nothing but carry a piece of a call."""
    return not finishes(chunk) and all(set(said) <= {"tool_calls", "role", "content"} for said in deltas(chunk))


def _joined(head: Event, piece: Object) -> Event:
    chunk = head.chunk
    function, more = tool_calls(chunk)[0].get("function"), piece.get("function")
    if isinstance(function, dict) and isinstance(more, dict):
        function["arguments"] = f"{function.get('arguments') or ''}{more.get('arguments') or ''}"
    return head.saying(chunk)


@honest("honest-model-snapshot")
@on_both
def snapshot(_: Asked, body: Object) -> None:
    """`model` is the dated name of the one that was asked for."""
    body["model"] = f"{body.get('model')}-2024-11-20"


@honest("honest-unknown-members")
@on_both
def unknown_members(_: Asked, body: Object) -> None:
    """Members that nobody knows stand everywhere."""
    body["provider"] = {"name": "x", "region": None}
    for choice in choices(body):
        choice["native_finish_reason"] = None
    for said in deltas(body):
        said["wm"] = []
    usage = body.get("usage")
    if isinstance(usage, dict):
        usage.update(input_tokens=0, cost=0.1)


@honest("honest-known-members")
@on_both
def known_members(_: Asked, body: Object) -> None:
    """service_tier, system_fingerprint and obfuscation are there."""
    body.update(service_tier="default", system_fingerprint="fp_44709d6fcb", obfuscation="aZ09")


@honest("honest-null-members")
@on_chunks
def null_members(_: Asked, chunk: Object, __: int) -> None:
    """What does not apply is there and null: usage, logprobs, refusal."""
    chunk.setdefault("usage", None)
    for choice in choices(chunk):
        choice.setdefault("logprobs", None)
    for said in deltas(chunk):
        said.setdefault("refusal", None)


@honest("honest-reasoning-renamed")
@on_both
def reasoning_renamed(_: Asked, body: Object) -> None:
    """The thinking stands under `reasoning`, the other name that relays give it."""
    for said in deltas(body):
        if "reasoning_content" in said:
            said["reasoning"] = said.pop("reasoning_content")


@honest("honest-stop-with-named-tool")
@on_both
def stop_named(asked: Asked, body: Object) -> None:
    """finish_reason is stop behind a call that tool_choice named, as OpenAI has it."""
    for choice in choices(body) if isinstance(asked.object.get("tool_choice"), dict) else ():
        if choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"] = "stop"


@honest("honest-error-metadata")
def error_metadata(_: Asked, answer: Answer) -> Answer:
    """Errors have members beside the four, and stand beside others."""
    if not is_error(answer):
        return answer

    def add(body: Object) -> None:
        body["request_id"] = "20261122"
        error = body.get("error")
        if isinstance(error, dict):
            error.update(metadata={"provider": "x"})

    return on_json(answer, add)
