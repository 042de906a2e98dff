"""The order of a stream: who speaks first, how a choice ends, what closes it."""

from mock_server.answer import Asked
from mock_server.faults.chunks import (
    choices,
    deltas,
    finishes,
    first_where,
    has_text,
    is_plain,
    middle_text,
    text_chunk,
)
from mock_server.faults.edit import (
    Events,
    Object,
    is_video,
    on_chunks,
    on_events,
)
from mock_server.faults.fault import sends
from openapi.json_text import Json

ERROR: Object = {"error": {"message": "upstream went away", "type": "server_error", "param": None, "code": None}}


@sends("chat-stream-done-missing", "chat.stream.done")
@on_events
def done_missing(_: Asked, found: Events) -> Events:
    """The stream ends cleanly but `[DONE]` never comes: clients that wait for it hang, or report a cut answer."""
    return [event for event in found if not event.is_done]


@sends("chat-stream-done-duplicated", "chat.stream.done-once")
@on_events
def done_duplicated(_: Asked, found: Events) -> Events:
    """`[DONE]` comes twice, from the vendor and from the relay: what reads on after the first parses it as JSON."""
    return [copy for event in found for copy in ([event, event] if event.is_done else [event])]


@sends("chat-stream-data-after-done", "chat.stream.nothing-after-done")
@on_events
def data_after_done(_: Asked, found: Events) -> Events:
    """A chunk with the cost comes behind `[DONE]`: clients that left at the mark never see it, others trip over it."""
    first = first_where(found, lambda chunk: "choices" in chunk)
    if first is None or not found[-1].is_done:
        return found
    cost = {name: value for name, value in found[first].chunk.items() if name != "usage"}
    return [*found, found[-1].saying({**cost, "choices": [], "cost": "0.000021"})]


@sends("chat-stream-truncated-clean-eof", "chat.stream.finish-once", "chat.stream.done", "chat.stream.usage-asked")
@on_events
def truncated_clean(_: Asked, found: Events) -> Events:
    """The vendor dies before the end and the relay closes properly: a cut answer looks like a whole one."""
    return found[: first_where(found, finishes)]


@sends("chat-stream-finish-never-sent", "chat.stream.finish-once", "chat.stream.usage-asked")
@on_chunks
def finish_never(_: Asked, chunk: Object, __: int) -> None:
    """finish_reason is null to the end, then `[DONE]`: a client cannot tell a finished answer from a cut one."""
    for choice in choices(chunk):
        choice["finish_reason"] = None


@sends("chat-stream-finish-duplicated", "chat.stream.finish-once")
@on_events
def finish_duplicated(_: Asked, found: Events) -> Events:
    """The chunk with finish_reason comes twice: an agent runs its tools twice."""
    out: Events = []
    for event in found:
        out.append(event)
        if finishes(event.chunk):
            out.append(event.saying(_emptied(event.chunk)))
    return out


def _emptied(chunk: Object) -> Object:
    for choice in choices(chunk):
        choice["delta"] = {}
        choice.pop("logprobs", None)
    return chunk


@sends("chat-stream-content-after-finish", "chat.stream.finish-last", "chat.stream.usage-asked")
@on_events
def content_after_finish(_: Asked, found: Events) -> Events:
    """A choice goes on speaking behind its finish_reason: what closed its buffer there loses the rest."""
    at = first_where(found, finishes)
    if at is None:
        return found
    return [*found[: at + 1], found[at].saying(text_chunk(found[at].chunk, " ")), *found[at + 1 :]]


@sends("chat-stream-finish-empty-string", "chat.stream.finish-reason")
@on_chunks
def finish_empty(_: Asked, chunk: Object, __: int) -> None:
    """finish_reason is an empty string before the end: clients that test for null stop at the first chunk."""
    for choice in choices(chunk):
        if choice.get("finish_reason") is None:
            choice["finish_reason"] = ""


@sends("chat-stream-finish-unknown", "chat.stream.finish-reason")
@on_chunks
def finish_unknown(_: Asked, chunk: Object, __: int) -> None:
    """The vendor's own word comes through as finish_reason: typed clients refuse the chunk."""
    for choice in choices(chunk):
        if choice.get("finish_reason") == "stop":
            choice["finish_reason"] = "end_turn"


@sends("chat-stream-finish-key-omitted", "chat.stream.finish-key")
@on_chunks
def finish_key(_: Asked, chunk: Object, __: int) -> None:
    """finish_reason is left out until it is known: strict readers miss the key."""
    for choice in choices(chunk):
        if choice.get("finish_reason") is None:
            choice.pop("finish_reason", None)


@sends("chat-stream-role-missing", "chat.stream.role-first")
@on_chunks
def role_missing(_: Asked, chunk: Object, __: int) -> None:
    """The role never comes: messages are filed under nobody, and some SDKs refuse the first delta."""
    for said in deltas(chunk):
        said.pop("role", None)


@sends("chat-stream-role-null", "chat.stream.role-null")
@on_chunks
def role_null(_: Asked, chunk: Object, __: int) -> None:
    """Deltas that do not say the role have it as null: readers that know four roles refuse them."""
    for said in deltas(chunk):
        said.setdefault("role", None)


@sends("chat-stream-delta-lost", "same.text")
@on_events
def delta_lost(asked: Asked, found: Events) -> Events:
    """A piece in the middle of the text never comes: the stream reads well, and says something else."""
    at = middle_text(found)
    whole_else = is_plain(asked) and sum(has_text(event.chunk) for event in found) > 2
    return found if at is None or not whole_else else [*found[:at], *found[at + 1 :]]


@sends("chat-stream-finish-differs", "same.finish-reason")
@on_chunks
def finish_differs(asked: Asked, chunk: Object, _: int) -> None:
    """Streams end with length where the whole answer ends with stop: clients ask for a rest that is not there."""
    for choice in choices(chunk) if is_plain(asked) else ():
        if choice.get("finish_reason") == "stop":
            choice["finish_reason"] = "length"


@sends("sse-fake-stream", "chat.stream.piecewise")
@on_events
def fake_stream(asked: Asked, found: Events) -> Events:
    """The whole text comes in one delta when it is complete: the stream is one in name alone."""
    last = {index: at for at, event in enumerate(found) for index in _texts(event.chunk)}
    joined: dict[Json, str] = {}
    tokens: dict[Json, list[Json]] = {}
    out: Events = []
    for at, event in enumerate(found if not is_video(asked) else ()):
        chunk, waits = event.chunk, False
        for choice in choices(chunk):
            index, text = choice.get("index"), _texts(chunk).get(choice.get("index"))
            if text is None:
                continue
            joined[index] = joined.get(index, "") + text
            tokens.setdefault(index, []).extend(_tokens(choice))
            waits = last[index] > at
            _say(choice, joined[index], tokens[index])
        out += [] if waits else [event if chunk == event.chunk else event.saying(chunk)]
    return out or found


def _texts(chunk: Object) -> dict[Json, str]:
    """The text of each choice that says some, and neither role nor anything else."""
    return {
        choice.get("index"): text
        for choice in choices(chunk)
        for said in deltas({"choices": [choice]})
        if set(said) == {"content"} and isinstance(text := said["content"], str) and text
    }


def _tokens(choice: Object) -> list[Json]:
    told = choice.get("logprobs")
    found = told.get("content") if isinstance(told, dict) else None
    return found if isinstance(found, list) else []


def _say(choice: Object, text: str, tokens: list[Json]) -> None:
    choice["delta"] = {"content": text}
    told = choice.get("logprobs")
    if isinstance(told, dict):
        told["content"] = [*tokens]


@sends("sse-error-midstream-then-done", "chat.stream.completes")
@on_events
def error_midstream(_: Asked, found: Events) -> Events:
    """A legal request fails before the end: an error event stands where the rest should, then `[DONE]`."""
    at = first_where(found, finishes)
    return found if at is None else [*found[:at], found[at].saying(ERROR), found[at].saying("[DONE]")]


@sends("sse-error-event-no-terminal", "chat.stream.completes")
@on_events
def error_last(_: Asked, found: Events) -> Events:
    """A legal request fails before the end with an error event, and the body ends there."""
    at = first_where(found, finishes)
    return found if at is None else [*found[:at], found[at].saying(ERROR)]


@sends("chat-stream-azure-prefilter-chunk", "chat.stream.prefilter")
@on_events
def prefilter(_: Asked, found: Events) -> Events:
    """A chunk without choices comes first, with the results of a filter of the prompt, as Azure sends it: code that
    reads choices[0] stops at once."""
    first = first_where(found, lambda chunk: "choices" in chunk)
    if first is None:
        return found
    chunk = {name: value for name, value in found[first].chunk.items() if name != "usage"}
    filtered: Json = [{"prompt_index": 0, "content_filter_results": {}}]
    return [found[first].saying({**chunk, "choices": [], "prompt_filter_results": filtered}), *found]
