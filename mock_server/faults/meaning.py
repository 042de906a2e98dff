"""What chunks and whole answers say: ids, times, names, choices, usage."""

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import (
    choices,
    deltas,
    empty_chunk,
    finishes,
    first_where,
    has_text,
    is_plain,
    middle_text,
    objects,
)
from mock_server.faults.edit import (
    Event,
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

USAGE: Object = {"prompt_tokens": 9, "completion_tokens": 2, "total_tokens": 11}
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


@sends("chat-choices-null", "chat.schema")
@on_whole
def choices_null(_: Asked, body: Object) -> None:
    """choices is null: an error in the guise of an answer, on which every SDK crashes."""
    body["choices"] = None


@sends("chat-choices-empty", "chat.schema")
@on_whole
def choices_empty(_: Asked, body: Object) -> None:
    """choices is empty: what reads choices[0] crashes."""
    body["choices"] = []


@sends("chat-empty-answer-200", "chat.not-empty")
@on_both
def answer_empty(asked: Asked, body: Object) -> None:
    """The answer has no text, no call and no refusal, and ends with stop: an agent takes a blank turn."""
    if not is_plain(asked):
        return
    for said in deltas(body):
        if "content" in said:
            said["content"] = ""
    if usage := _usage(body):
        usage.update(completion_tokens=0, total_tokens=usage.get("prompt_tokens"))
        usage["completion_tokens_details"] = {"reasoning_tokens": 0}


@sends("chat-refusal-key-missing", "chat.refusal-key")
@on_whole
def refusal_key_missing(_: Asked, body: Object) -> None:
    """The message has no member refusal: strict decoders, made from the reference, refuse it."""
    for said in deltas(body):
        if not said.get("refusal"):
            said.pop("refusal", None)


@sends("chat-refusal-beside-content", "chat.refusal")
@on_both
def refusal_twice(_: Asked, body: Object) -> None:
    """A refusal comes as content too: a parser of structured output reads an excuse where it expects JSON."""
    for said in deltas(body):
        if said.get("refusal"):
            said["content"] = said["refusal"]


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


@sends("chat-stream-usage-split-in-two", "chat.stream.usage-split")
@on_events
def usage_split(_: Asked, found: Events) -> Events:
    """The chunk with finish_reason has a usage without details, the usage chunk the whole: who leaves early counts no
    cached token."""
    usage, at = first_where(found, _is_usage), first_where(found, finishes)
    if usage is None or at is None:
        return found
    plain = {name: _usage(found[usage].chunk).get(name) for name in COUNTS}
    early = found[at].saying({**found[at].chunk, "usage": plain})
    return [*found[:at], early, *found[at + 1 :]]


@sends("chat-stream-usage-prompt-differs", "same.usage")
@on_chunks
def usage_prompt(_: Asked, chunk: Object, __: int) -> None:
    """Streams count more tokens of the prompt than whole answers to the same do: one of the two is billed wrongly."""
    usage = _usage(chunk)
    if usage:
        usage.update({name: _count(usage.get(name)) + 7 for name in ("prompt_tokens", "total_tokens")})


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


@sends("chat-stream-usage-phantom-tokens", "chat.limit", "usage.completion")
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


@sends("logprobs-bytes-wrong", "chat.logprobs-details")
@on_both
def logprobs_bytes(_: Asked, body: Object) -> None:
    """The bytes of tokens are code points of their text, shifted by one: who joins them reads gibberish."""
    for choice in choices(body):
        told = choice.get("logprobs")
        for token in objects(told.get("content")) if isinstance(told, dict) else ():
            token["bytes"] = [(ord(sign) + 1) % 256 for sign in str(token.get("token"))]


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


# --- thinking -------------------------------------------------------------------------------------------------------


@sends("reasoning-dropped", "same.reasoning", "reasoning.shown")
@on_chunks
def reasoning_dropped(_: Asked, chunk: Object, __: int) -> None:
    """Streams lose the thinking that whole answers have: the client looks at nothing for as long as it takes."""
    for said in deltas(chunk):
        said.pop("reasoning_content", None)


@sends("reasoning-think-tags-in-content", "reasoning.think-tags")
def think_tags(asked: Asked, answer: Answer) -> Answer:
    """The thinking stands in the text between tags: users read it, and parsers of the text fail."""
    return _tagged_whole(asked, _tagged(asked, answer))


@on_whole
def _tagged_whole(_: Asked, body: Object) -> None:
    for said in deltas(body):
        if said.get("reasoning_content"):
            said["content"] = f"<think>\n{said.pop('reasoning_content')}\n</think>\n{said.get('content')}"


@on_events
def _tagged(_: Asked, found: Events) -> Events:
    first, last = (_thinking(found, order) for order in (1, -1))
    out: Events = []
    for event in found:
        chunk = event.chunk
        for said in deltas(chunk):
            if said.get("reasoning_content"):
                opening = "<think>\n" if event is first else ""
                closing = "\n</think>\n" if event is last else ""
                said["content"] = f"{opening}{said.pop('reasoning_content')}{closing}"
        out.append(event if chunk == event.chunk else event.saying(chunk))
    return out


def _thinking(found: Events, order: int) -> Event | None:
    """The first event that thinks, or the last one where `order` is -1."""
    return next((event for event in found[::order] if _thinks(event.chunk)), None)


def _thinks(chunk: Object) -> bool:
    return any(said.get("reasoning_content") for said in deltas(chunk))


@sends("reasoning-behind-content", "reasoning.order")
@on_events
def reasoning_late(_: Asked, found: Events) -> Events:
    """The last piece of the thinking comes behind the first word of the text: readers have closed it by then."""
    late = next((at for at in reversed(range(len(found))) if _thinks(found[at].chunk)), None)
    if late is None or not has_text(found[late + 1].chunk):
        return found
    before, behind = found[late], found[late + 1]
    return [*found[:late], before.saying(behind.chunk), behind.saying(before.chunk), *found[late + 2 :]]


@sends("reasoning-beside-content", "reasoning.apart")
@on_events
def reasoning_beside(_: Asked, found: Events) -> Events:
    """The last piece of the thinking stands in the delta of the first word: who reads one of them loses the other."""
    late = next((at for at in reversed(range(len(found))) if _thinks(found[at].chunk)), None)
    if late is None or not has_text(found[late + 1].chunk):
        return found
    chunk, thinking = found[late + 1].chunk, next(deltas(found[late].chunk)).get("reasoning_content")
    for said in deltas(chunk):
        said["reasoning_content"] = thinking
    return [*found[:late], found[late + 1].saying(chunk), *found[late + 2 :]]


@sends("chat-stream-message-next-to-delta", "chat.stream.message")
@on_chunks
def message_beside(_: Asked, chunk: Object, __: int) -> None:
    """Each choice has a message equal to its delta: who prefers message prints the text twice."""
    for choice in choices(chunk):
        choice["message"] = choice.get("delta")


@sends("reasoning-sent-twice", "reasoning.once")
@on_chunks
def reasoning_twice(_: Asked, chunk: Object, __: int) -> None:
    """The thinking stands in a member of details as well: who joins both has it twice."""
    for said in deltas(chunk):
        if said.get("reasoning_content"):
            said["reasoning_details"] = [{"type": "reasoning.text", "text": said["reasoning_content"]}]
