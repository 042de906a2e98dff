"""What chunks and whole answers say: ids, times, names, choices, usage."""

from mock_server.answer import Asked
from mock_server.faults.chunks import (
    choices,
    deltas,
    empty_chunk,
    finishes,
    first_where,
    has_text,
    middle_text,
)
from mock_server.faults.edit import (
    Events,
    Object,
    is_video,
    on_both,
    on_chunks,
    on_events,
    on_whole,
)
from mock_server.faults.fault import sends
from openapi.json_text import Json

USAGE: Object = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
COUNTS = ("prompt_tokens", "completion_tokens", "total_tokens")


@sends("chat-stream-id-changes", "chat.stream.id")
@on_chunks
def id_changes(_: Asked, chunk: Object, at: int) -> None:
    """Each chunk has an id of its own: clients that join by id see as many answers as chunks."""
    chunk["id"] = f"{chunk.get('id')}-{at}"


@sends("chat-stream-id-empty", "chat.stream.id")
@on_chunks
def id_empty(_: Asked, chunk: Object, __: int) -> None:
    """The id is empty in all chunks: logs and accounts cannot be joined."""
    chunk["id"] = ""


@sends("chat-stream-created-changes", "chat.stream.created")
@on_chunks
def created_changes(_: Asked, chunk: Object, at: int) -> None:
    """created grows from chunk to chunk as the clock does: the chunks do not belong to one answer."""
    created = chunk.get("created")
    chunk["created"] = created + at if isinstance(created, int) else at


@sends("chat-stream-created-milliseconds", "chat.stream.created")
@on_chunks
def created_milliseconds(_: Asked, chunk: Object, __: int) -> None:
    """created is in milliseconds: dates in the year 50000, and an overflow where 32 bits are kept."""
    _milliseconds(chunk)


@sends("chat-created-milliseconds", "chat.schema")
@on_whole
def whole_created_milliseconds(_: Asked, body: Object) -> None:
    """The whole answer has created in milliseconds: dates in the year 50000."""
    _milliseconds(body)


def _milliseconds(body: Object) -> None:
    created = body.get("created")
    if isinstance(created, int) and created < 10**11:
        body["created"] = created * 1000


@sends("chat-stream-object-wrong", "chat.stream.schema")
@on_chunks
def object_wrong(_: Asked, chunk: Object, __: int) -> None:
    """Chunks say that they are a chat.completion: SDKs that choose the type by `object` read no delta."""
    chunk["object"] = "chat.completion"


@sends("chat-object-missing", "chat.schema")
@on_whole
def object_missing(_: Asked, body: Object) -> None:
    """`object` is missing: typed clients refuse the answer."""
    body.pop("object", None)


@sends("chat-id-missing", "chat.schema")
@on_whole
def id_missing(_: Asked, body: Object) -> None:
    """`id` is null: typed clients refuse the answer, and accounts lose it."""
    body["id"] = None


@sends("chat-message-role-missing", "chat.schema")
@on_whole
def message_role_missing(_: Asked, body: Object) -> None:
    """The message has no role: put back into the conversation as it came, it makes the next request invalid."""
    for message in deltas(body):
        message.pop("role", None)


@sends("chat-model-echo-upstream-name", "chat.model")
@on_both
def model_upstream(_: Asked, body: Object) -> None:
    """The vendor's own name of the model comes back: clients that check or price by name are misled."""
    body["model"] = "backend-01"


@sends("chat-model-echo-stream-differs", "chat.model")
@on_chunks
def model_in_stream(_: Asked, chunk: Object, __: int) -> None:
    """The stream names another model than the whole answer does: one request is filed under two names."""
    chunk["model"] = "backend-01"


@sends("chat-stream-choice-index-shifted", "chat.stream.index", "chat.n")
@on_chunks
def index_shifted(asked: Asked, chunk: Object, _: int) -> None:
    """Choices of text count from 1: a client that reads choice 0 shows nothing."""
    for choice in choices(chunk) if not is_video(asked) else ():
        index = choice.get("index")
        choice["index"] = index + 1 if isinstance(index, int) else 1


@sends("chat-stream-content-type-mixed", "chat.stream.delta")
@on_events
def content_array(_: Asked, found: Events) -> Events:
    """In one chunk delta.content is an array of parts: clients that append strings crash or print brackets."""
    at = middle_text(found)
    if at is None:
        return found
    mixed = empty_chunk(found[at].chunk, {"content": [{"type": "text", "text": ""}]})
    return [*found[: at + 1], found[at].saying(mixed), *found[at + 1 :]]


@sends("response-format-fenced", "chat.json-object", "chat.json-schema")
@on_whole
def fenced(asked: Asked, body: Object) -> None:
    """JSON comes within a Markdown fence: the client's parser stops at the first back-tick."""
    if not asked.object.get("response_format"):
        return
    for message in deltas(body):
        if isinstance(message.get("content"), str):
            message["content"] = f"```json\n{message['content']}\n```"


# --- usage ----------------------------------------------------------------------------------------------------------


@sends("chat-stream-usage-unrequested", "chat.stream.usage-unasked")
@on_events
def usage_unasked(asked: Asked, found: Events) -> Events:
    """A usage chunk comes that nobody asked for: what reads `choices[0]` of each chunk crashes."""
    first = first_where(found, lambda chunk: "choices" in chunk)
    if first is None or _asks_usage(asked) or not found[-1].is_done:
        return found
    return [*found[:-1], found[-1].saying({**found[first].chunk, "choices": [], "usage": USAGE}), found[-1]]


def _asks_usage(asked: Asked) -> bool:
    options = asked.object.get("stream_options")
    return isinstance(options, dict) and options.get("include_usage") is True


@sends("chat-stream-usage-missing-when-asked", "chat.stream.usage-asked")
@on_events
def usage_missing(_: Asked, found: Events) -> Events:
    """The usage chunk that was asked for never comes: nothing can be billed or budgeted."""
    return [event for event in found if not _is_usage(event.chunk)]


@sends("chat-stream-usage-in-finish-chunk", "chat.stream.usage-asked")
@on_events
def usage_merged(_: Asked, found: Events) -> Events:
    """The usage comes with finish_reason and not in a chunk of its own: what waits for that chunk gets none."""
    usage, at = first_where(found, _is_usage), first_where(found, finishes)
    if usage is None or at is None:
        return found
    merged = found[at].saying({**found[at].chunk, "usage": found[usage].chunk["usage"]})
    return [merged if number == at else event for number, event in enumerate(found) if number != usage]


def _is_usage(chunk: Object) -> bool:
    return chunk.get("choices") == [] and isinstance(chunk.get("usage"), dict)


def _usage(body: Object) -> Object:
    usage = body.get("usage")
    return usage if isinstance(usage, dict) else {}


def _count(value: Json) -> int:
    return value if isinstance(value, int) else 0


@sends("chat-stream-usage-phantom-tokens", "chat.limit")
@on_both
def usage_phantom(_: Asked, body: Object) -> None:
    """A hundred times the tokens that were sent are counted: beyond any limit, and billed."""
    usage = _usage(body)
    completion = 100 * _count(usage.get("completion_tokens"))
    if completion:
        usage.update(completion_tokens=completion, total_tokens=_count(usage.get("prompt_tokens")) + completion)


@sends("chat-usage-sum-mismatch", "usage.sum")
@on_both
def usage_sum(_: Asked, body: Object) -> None:
    """total_tokens is not the sum of the other two: accounts do not balance."""
    usage = _usage(body)
    if "total_tokens" in usage:
        usage["total_tokens"] = _count(usage["total_tokens"]) + 7


@sends("chat-stream-usage-text", "usage.stream-types")
@on_chunks
def usage_text(_: Asked, chunk: Object, __: int) -> None:
    """The counts of a stream are texts: sums in a client join them like words."""
    usage = _usage(chunk)
    usage.update({name: str(usage[name]) for name in COUNTS if isinstance(usage.get(name), int)})


@sends("logprobs-empty", "chat.logprobs")
@on_both
def logprobs_empty(_: Asked, body: Object) -> None:
    """logprobs is there and has no token: a client that weighs tokens divides by zero."""
    for choice in choices(body):
        told = choice.get("logprobs")
        if isinstance(told, dict):
            told["content"] = []


@sends("chat-usage-missing-or-zero", "usage.present")
@on_whole
def usage_zero(_: Asked, body: Object) -> None:
    """All counts are zero although text was delivered: budgets never fill."""
    if "usage" in body and has_text(body):
        body["usage"] = dict.fromkeys(COUNTS, 0)


@sends("chat-usage-missing", "usage.present")
@on_whole
def usage_absent(_: Asked, body: Object) -> None:
    """The whole answer has no usage: clients that read it crash, or bill nothing."""
    body.pop("usage", None)


@sends("chat-usage-details-exceed", "usage.details")
@on_both
def usage_details(_: Asked, body: Object) -> None:
    """More tokens of reasoning are told than the completion has at all: a client computes negative text."""
    usage = _usage(body)
    if "completion_tokens" in usage:
        usage["completion_tokens_details"] = {"reasoning_tokens": _count(usage["completion_tokens"]) + 50}
