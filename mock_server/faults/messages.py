"""Claude's protocol: the mistakes that relays make in it, and variants that only look like one."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import wraps

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import first_where, objects
from mock_server.faults.deaf import asking
from mock_server.faults.edit import CHAT, Event, Events, Object, header, is_error, on_events, on_json, on_whole
from mock_server.faults.fault import Answering, hears, honest, sends
from openapi.json_text import Json
from openapi.wire import sse

MESSAGE, COUNT = "createMessage", "countMessageTokens"
S = "messages.stream."

# --- changes of a part, made changes of an answer -------------------------------------------------------------------


def _of_messages(bend: Answering) -> Answering:
    """A change of chat answers, made one of messages: both are events, or one JSON object."""

    @wraps(bend)
    def bent(asked: Asked, answer: Answer) -> Answer:
        return bend(asked._replace(operation=CHAT), answer) if asked.operation == MESSAGE else answer

    return bent


def on_stream(change: Callable[[Asked, Events], Events]) -> Answering:
    """A change of the events of a stream of messages."""
    return _of_messages(on_events(change))


def on_answer(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of a whole message."""
    return _of_messages(on_whole(change))


def on_each(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of what each event of a stream says."""

    @wraps(change)
    def each(asked: Asked, found: Events) -> Events:
        return [_changed(event, lambda said: change(asked, said)) for event in found]

    return on_stream(each)


def _changed(event: Event, change: Callable[[Object], None]) -> Event:
    said = event.chunk
    change(said)
    return event if said == event.chunk else event.saying(said)


def on_blocks(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of each block of a whole message, and of each block as it starts in a stream."""
    return _on_parts(change, _started, lambda body: objects(body.get("content")))


def on_ends(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of what has the stop_reason: a whole message, or the delta of message_delta."""
    return _on_parts(change, _ending, lambda body: [body])


def _on_parts(
    change: Callable[[Asked, Object], None],
    of_event: Callable[[Object], list[Object]],
    of_whole: Callable[[Object], list[Object]],
) -> Answering:
    def each(parts: Callable[[Object], list[Object]]) -> Callable[[Asked, Object], None]:
        def every(asked: Asked, said: Object) -> None:
            for part in parts(said):
                change(asked, part)

        return every

    streamed, whole = on_each(each(of_event)), on_answer(each(of_whole))

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return whole(asked, streamed(asked, answer))

    return bend


def _started(said: Object) -> list[Object]:
    return objects([said.get("content_block")]) if said.get("type") == "content_block_start" else []


def _ending(said: Object) -> list[Object]:
    return objects([said.get("delta")]) if said.get("type") == "message_delta" else []


def _deltas(said: Object) -> list[Object]:
    return objects([said.get("delta")]) if said.get("type") == "content_block_delta" else []


def _is(event: Event, *kinds: str) -> bool:
    return event.chunk.get("type") in kinds


def _event(like: Event, said: Object, name: str | None = None) -> Event:
    """An event of its own, due with another."""
    made = like.saying(said)
    return replace(made, item=sse.Message(made.data, event=name or str(said.get("type"))))


def _without(found: Events, *kinds: str) -> Events:
    return [event for event in found if not _is(event, *kinds)]


def _before(found: Events, kind: str) -> int | None:
    """The number of the first event of a type."""
    return first_where(found, lambda said: said.get("type") == kind)


def _put(found: Events, at: int | None, *said: Object) -> Events:
    """The stream with more events before one."""
    if at is None:
        return found
    return [*found[:at], *(_event(found[at], one) for one in said), *found[at:]]


# --- what is heard --------------------------------------------------------------------------------------------------


def _dropped(body: Object, *names: str) -> Object:
    return {name: value for name, value in body.items() if name not in names}


@hears("claude-stream-true-json-returned", "sse.content-type")
@asking(MESSAGE)
def stream_ignored(body: Object) -> Object:
    """stream true is lost: one JSON object comes late, and an SDK iterates over nothing."""
    return _dropped(body, "stream")


@hears("claude-stream-false-sse-returned", "messages.content-type")
@asking(MESSAGE)
def stream_forced(body: Object) -> Object:
    """Events come where one JSON object was asked for: the client's JSON parser stops at `event:`."""
    return {**body, "stream": True}


@hears("claude-max-tokens-ignored", "messages.max-tokens")
@asking(MESSAGE)
def limit_ignored(body: Object) -> Object:
    """No limit holds: the answer is as long as it likes, and is paid for."""
    return {**body, "max_tokens": 100_000} if "max_tokens" in body else body


@hears("claude-stop-sequences-ignored", "messages.stop-sequences")
@asking(MESSAGE)
def stops_ignored(body: Object) -> Object:
    """Stop sequences are lost on the way to a vendor who calls them `stop`: the text runs on past them."""
    return _dropped(body, "stop_sequences")


def _choice(body: Object) -> Json:
    choice = body.get("tool_choice")
    return choice.get("type") if isinstance(choice, dict) else None


@hears("claude-tool-choice-forced-ignored", "messages.tool-forced")
@asking(MESSAGE)
def forced_ignored(body: Object) -> Object:
    """A tool that must be called is not: the client waits for a call and gets chatter."""
    return {**body, "tool_choice": {"type": "none"}} if _choice(body) in {"any", "tool"} else body


@hears("claude-tool-choice-none-ignored", "messages.tool-none")
@asking(MESSAGE)
def none_ignored(body: Object) -> Object:
    """tool_choice none is taken for any: a tool is called that the client said must not be."""
    return {**body, "tool_choice": {"type": "any"}} if _choice(body) == "none" else body


@hears("claude-count-tokens-wrong", "messages.count-tokens-agrees")
@asking(COUNT)
def count_wrong(body: Object) -> Object:
    """The count leaves out the instruction and the tools: an agent runs over its window."""
    return _dropped(body, "system", "tools")


# --- what is refused, and how ---------------------------------------------------------------------------------------


def _refused(asked: Asked, status: int, message: str) -> Answer:
    return synthesis.error(status, message, type="invalid_request_error", operation=asked.operation)


@sends("claude-legal-request-500", "messages.answered")
def system_500(asked: Asked, answer: Answer) -> Answer:
    """An instruction in `system` makes the relay fail: every agent sends one."""
    legal = asked.operation == MESSAGE and answer.status == 200 and asked.object.get("system")
    return _refused(asked, 500, "invalid memory address") if legal else answer


@sends("claude-count-tokens-missing", "messages.count-tokens", "claims.kept")
def count_missing(asked: Asked, answer: Answer) -> Answer:
    """Counting tokens is 404: agents ask again and again, and show no window."""
    return _refused(asked, 404, "Invalid URL") if asked.operation == COUNT else answer


@sends("claude-api-key-header-refused", "messages.keys")
def api_key_refused(asked: Asked, answer: Answer) -> Answer:
    """The key is not looked for in x-api-key: Claude's own clients cannot log in."""
    return _keyless(asked, answer, "x-api-key")


@sends("claude-bearer-refused", "messages.keys")
def bearer_refused(asked: Asked, answer: Answer) -> Answer:
    """The key is not taken as a bearer: clients that log in by a token cannot."""
    return _keyless(asked, answer, "authorization")


def _keyless(asked: Asked, answer: Answer, name: str) -> Answer:
    has_key = asked.operation in {MESSAGE, COUNT} and header(asked.headers, name) and answer.status < 400
    return _refused(asked, 401, "no key was sent") if has_key else answer


@sends("claude-error-openai-shape", "messages.error-envelope")
def error_openai(asked: Asked, answer: Answer) -> Answer:
    """Refusals come in OpenAI's envelope: SDKs of Claude find no error in them, and no type to act on."""
    if asked.operation not in {MESSAGE, COUNT} or not is_error(answer):
        return answer
    return on_json(answer, _untyped)


def _untyped(body: Object) -> None:
    body.pop("type", None)


# --- order ----------------------------------------------------------------------------------------------------------


@sends("claude-message-start-missing", S + "start")
@on_stream
def start_missing(_: Asked, found: Events) -> Events:
    """message_start never comes: an SDK has no message to add the blocks to."""
    return _without(found, "message_start")


@sends("claude-message-start-twice", S + "start")
@on_stream
def start_twice(_: Asked, found: Events) -> Events:
    """message_start comes twice, from the vendor and from the relay: what was counted is counted again."""
    return [copy for event in found for copy in ([event, event] if _is(event, "message_start") else [event])]


@sends("claude-block-start-missing", S + "blocks")
@on_stream
def block_start_missing(_: Asked, found: Events) -> Events:
    """Deltas come without content_block_start: an SDK adds to a block that is not there, and crashes."""
    return _without(found, "content_block_start")


@sends("claude-block-stop-missing", S + "blocks")
@on_stream
def block_stop_missing(_: Asked, found: Events) -> Events:
    """No block is ended: what waits for the end of a call never calls the tool."""
    return _without(found, "content_block_stop")


@sends("claude-blocks-interleaved", S + "blocks", S + "index")
@on_stream
def interleaved(_: Asked, found: Events) -> Events:
    """A block is left open when the next one begins: two blocks grow at once."""
    out: Events = []
    late: Event | None = None  # the end of the block before
    for event in found:
        begins = _is(event, "content_block_start")
        if late is not None and not begins:
            out.append(late)
        if _is(event, "content_block_stop"):
            late = event
            continue
        out.append(event)
        if late is not None and begins:
            out.append(replace(late, due=event.due))
        late = None
    return out


@sends("claude-message-delta-missing", S + "message-delta", "messages.stop-reason")
@on_stream
def message_delta_missing(_: Asked, found: Events) -> Events:
    """message_delta never comes: nobody knows why the answer ended, or what it cost."""
    return _without(found, "message_delta")


@sends("claude-message-delta-early", S + "message-delta")
@on_stream
def message_delta_early(_: Asked, found: Events) -> Events:
    """message_delta comes before the blocks: a client that ends there loses all of them."""
    deltas, first = [event for event in found if _is(event, "message_delta")], _before(found, "content_block_start")
    if first is None:
        return found
    return [*found[:first], *(replace(event, due=found[first].due) for event in deltas),
            *_without(found[first:], "message_delta")]  # fmt: skip


@sends("claude-message-stop-missing", S + "ends")
@on_stream
def stop_missing(_: Asked, found: Events) -> Events:
    """The vendor dies and the relay closes properly: no block is ended, and no message_stop comes."""
    kept = [event for event in found if not _is(event, "message_delta", "message_stop")]
    return kept[:-1] if kept and _is(kept[-1], "content_block_stop") else kept


@sends("claude-data-after-stop", S + "nothing-after")
@on_stream
def data_after_stop(_: Asked, found: Events) -> Events:
    """The cost comes in another message_delta behind message_stop: a client has left, or counts twice."""
    deltas = [event for event in found if _is(event, "message_delta")]
    return [*found, *(replace(event, due=found[-1].due) for event in deltas)]


@sends("claude-done-sentinel", S + "no-done")
@on_stream
def done_added(_: Asked, found: Events) -> Events:
    """OpenAI's `[DONE]` is added: SDKs that parse each event as JSON crash at the end."""
    return [*found, replace(found[-1], item=sse.Message("[DONE]"))] if found else found


@sends("claude-error-midstream", S + "completes")
@on_stream
def error_midstream(_: Asked, found: Events) -> Events:
    """A legal request fails before the end, with an error event where the rest should stand."""
    return _failed(found, {"type": "error", "error": {"type": "api_error", "message": "upstream went away"}})


@sends("claude-error-event-openai-shape", S + "completes", S + "schema")
@on_stream
def error_event_openai(_: Asked, found: Events) -> Events:
    """The error in a stream has OpenAI's shape: an SDK of Claude takes it for an event that it does not know."""
    return _failed(found, {"error": {"message": "upstream went away", "type": "server_error", "code": None}})


def _failed(found: Events, error: Object) -> Events:
    at = _before(found, "content_block_stop")
    return found if at is None else [*found[:at], _event(found[at], error, "error")]


# --- values ---------------------------------------------------------------------------------------------------------


@sends("claude-type-missing", "messages.schema")
@on_answer
def type_missing(_: Asked, body: Object) -> None:
    """A whole message has no type: typed clients refuse it."""
    _untyped(body)


@sends("claude-content-string", "messages.schema")
@on_answer
def content_string(_: Asked, body: Object) -> None:
    """The content is a text and no list of blocks: what iterates over it gets letters."""
    body["content"] = "".join(str(block.get("text", "")) for block in objects(body.get("content")))


@sends("claude-model-echo-upstream-name", "messages.model")
def model_upstream(asked: Asked, answer: Answer) -> Answer:
    """The vendor's own name of another model comes back: clients that price by name are misled."""
    return _renamed_in_stream(asked, _renamed(asked, answer))


@on_answer
def _renamed(_: Asked, body: Object) -> None:
    body["model"] = "backend-01"


@on_each
def _renamed_in_stream(_: Asked, said: Object) -> None:
    for message in objects([said.get("message")]):
        message["model"] = "backend-01"


@sends("claude-stop-reason-openai", "messages.stop-reason")
@on_ends
def reason_openai(_: Asked, body: Object) -> None:
    """OpenAI's word comes through as stop_reason: typed clients refuse it, agents end their loop or never do."""
    if body.get("stop_reason") == "end_turn":
        body["stop_reason"] = "stop"


@sends("claude-stop-reason-null", "messages.stop-reason")
@on_ends
def reason_null(_: Asked, body: Object) -> None:
    """stop_reason is null to the end: a client cannot tell a finished answer from a cut one."""
    body["stop_reason"] = None


@sends("claude-stop-reason-wrong", "messages.tool-stop")
@on_ends
def reason_wrong(_: Asked, body: Object) -> None:
    """stop_reason is end_turn although tools are called: no agent runs them."""
    if body.get("stop_reason") == "tool_use":
        body["stop_reason"] = "end_turn"


@sends("claude-stop-sequence-unnamed", "messages.stop-sequences")
@on_ends
def sequence_unnamed(_: Asked, body: Object) -> None:
    """stop_sequence is null where one ended the answer: a client that has several cannot tell which."""
    body["stop_sequence"] = None


@sends("claude-usage-missing", "messages.usage")
@on_each
def usage_missing(_: Asked, said: Object) -> None:
    """No event has a usage: clients read input_tokens of nothing, and crash."""
    said.pop("usage", None)
    for message in objects([said.get("message")]):
        message.pop("usage", None)


@sends("claude-usage-zero", "messages.usage")
@on_answer
def usage_zero(_: Asked, body: Object) -> None:
    """All counts are zero although an answer was delivered: budgets never fill."""
    body["usage"] = {"input_tokens": 0, "output_tokens": 0}


@sends("claude-message-start-zero-input", S + "input-tokens")
@on_each
def zero_input(_: Asked, said: Object) -> None:
    """message_start says that nothing was read: the bar that shows the window stays empty, nothing is compacted."""
    for message in objects([said.get("message")]):
        for usage in objects([message.get("usage")]):
            usage["input_tokens"] = 0


@sends("claude-output-tokens-not-cumulative", S + "output-tokens")
@on_stream
def not_cumulative(_: Asked, found: Events) -> Events:
    """A second message_delta counts from zero again: the cost of the answer is lost."""
    at = _before(found, "message_delta")
    if at is None:
        return found
    again: Object = {**found[at].chunk, "usage": {"output_tokens": 0}}
    return _put(found, at + 1, again)


@sends("claude-event-name-missing", S + "event-name")
@on_stream
def names_missing(_: Asked, found: Events) -> Events:
    """Events have no name: a parser that chooses by the name sees nothing."""
    return [replace(event, item=sse.Message(event.data)) for event in found]


@sends("claude-delta-text-null", S + "schema")
@on_stream
def text_null(_: Asked, found: Events) -> Events:
    """A delta has null for its text: what appends it crashes, or shows `null`."""
    at = first_where(found, lambda said: any(delta.get("type") == "text_delta" for delta in _deltas(said)))
    empty: Object = {"type": "text_delta", "text": None}
    return found if at is None else _put(found, at, {**found[at].chunk, "delta": empty})


@sends("claude-index-from-one", S + "index")
@on_each
def index_from_one(_: Asked, said: Object) -> None:
    """Blocks count from 1: a client that keeps them in a list has a hole at 0."""
    index = said.get("index")
    if isinstance(index, int):
        said["index"] = index + 1


@sends("claude-thinking-as-text-delta", S + "delta-kind")
@on_each
def thinking_as_text(_: Asked, said: Object) -> None:
    """Thinking comes as text_delta in a block of thinking: it is shown as the answer, or dropped."""
    for delta in _deltas(said):
        if delta.get("type") == "thinking_delta":
            said["delta"] = {"type": "text_delta", "text": delta.get("thinking")}


@sends("claude-signature-missing", "messages.thinking-signature")
def signature_missing(asked: Asked, answer: Answer) -> Answer:
    """Thinking is not signed: sent back with the result of a tool it is refused."""
    return _unsigned_stream(asked, _unsigned(asked, answer))


@on_stream
def _unsigned_stream(_: Asked, found: Events) -> Events:
    return [
        event for event in found if not any(delta.get("type") == "signature_delta" for delta in _deltas(event.chunk))
    ]


@on_answer
def _unsigned(_: Asked, body: Object) -> None:
    for block in objects(body.get("content")):
        block.pop("signature", None)


# --- tools ----------------------------------------------------------------------------------------------------------


@sends("claude-tool-id-missing", "messages.tool-id")
@on_blocks
def id_missing(_: Asked, block: Object) -> None:
    """Calls come without an id: the result cannot be sent back."""
    block.pop("id", None)


@sends("claude-tool-id-duplicated", "messages.tool-id")
@on_blocks
def id_duplicated(_: Asked, block: Object) -> None:
    """All calls have one id: results are taken for the wrong call."""
    if block.get("type") == "tool_use":
        block["id"] = "toolu_0"


@sends("claude-tool-name-unknown", "messages.tool-name")
@on_blocks
def name_unknown(asked: Asked, block: Object) -> None:
    """The tool's name is prefixed by the relay: the client has none of that name."""
    if block.get("type") == "tool_use" and _choice(asked.object) != "tool":
        block["name"] = f"default_api.{block.get('name')}"


@sends("claude-tool-input-text", "messages.tool-input")
@on_answer
def input_text(_: Asked, body: Object) -> None:
    """The input of a call is JSON text and no object: typed clients refuse the call."""
    for block in objects(body.get("content")):
        if "input" in block:
            block["input"] = '{"city":"Rome"}'


@sends("claude-partial-json-cut", "messages.tool-input")
@on_each
def json_cut(_: Asked, said: Object) -> None:
    """The closing brace of the input is lost: no client can parse it."""
    for delta in _deltas(said):
        piece = delta.get("partial_json")
        if isinstance(piece, str):
            delta["partial_json"] = piece.replace("}", "")


@sends("claude-tool-input-unfit", "messages.tool-input-schema")
def input_unfit(asked: Asked, answer: Answer) -> Answer:
    """The input does not fit the declared schema: every required member is missing."""
    return _unfit_stream(asked, _unfit(asked, answer))


@on_each
def _unfit_stream(_: Asked, said: Object) -> None:
    for delta in _deltas(said):
        if "partial_json" in delta:
            delta["partial_json"] = ""


@on_answer
def _unfit(_: Asked, body: Object) -> None:
    for block in objects(body.get("content")):
        if "input" in block:
            block["input"] = {}


# --- legal, and known to break clients ------------------------------------------------------------------------------


@honest("honest-claude-no-ping")
@on_stream
def no_ping(_: Asked, found: Events) -> Events:
    """No ping comes: none has to."""
    return _without(found, "ping")


@honest("honest-claude-pings")
@on_stream
def pings(_: Asked, found: Events) -> Events:
    """A ping stands between all events, blocks and their deltas too."""
    ping: Object = {"type": "ping"}
    return [one for event in found for one in (event, _event(event, ping))]


@honest("honest-claude-comments")
@on_stream
def comments(_: Asked, found: Events) -> Events:
    """Comments (`: PING`) keep the connection, as new-api sends them in every protocol."""
    return [one for event in found for one in (Event(event.due, sse.Comment(" PING")), event)]


@honest("honest-claude-unknown-events")
@on_stream
def unknown_events(_: Asked, found: Events) -> Events:
    """Events of types that nobody knows yet stand between the others: a client is to ignore them."""
    return [one for event in found for one in (_event(event, {"type": "relay_note", "index": 7}), event)]


@honest("honest-claude-empty-text-block")
@on_stream
def empty_block(_: Asked, found: Events) -> Events:
    """The first block is an empty text without a delta."""
    at = _before(found, "content_block_start")
    later = [_changed(event, _shifted) for event in found]
    start: Object = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    return _put(later, at, start, {"type": "content_block_stop", "index": 0})


def _shifted(said: Object) -> None:
    index = said.get("index")
    if isinstance(index, int):
        said["index"] = index + 1


@honest("honest-claude-zero-output-at-start")
@on_each
def zero_output(_: Asked, said: Object) -> None:
    """message_start counts no token of the answer yet: message_delta has them all."""
    for message in objects([said.get("message")]):
        for usage in objects([message.get("usage")]):
            usage["output_tokens"] = 0


@honest("honest-claude-usage-in-delta")
@on_stream
def usage_in_delta(_: Asked, found: Events) -> Events:
    """message_delta repeats the tokens that were read, as new-api adds them; more counts and members stand beside."""
    read = next(_usages(found), {})
    return [_changed(event, lambda said: _counted(said, read)) for event in found]


def _usages(found: Events) -> Iterator[Object]:
    for event in found:
        for message in objects([event.chunk.get("message")]):
            yield from objects([message.get("usage")])


def _counted(said: Object, read: Object) -> None:
    usage = said.get("usage")
    if isinstance(usage, dict):
        said["usage"] = {**read, **usage, "server_tool_use": None}


@honest("honest-claude-deltas-twice")
@on_stream
def deltas_twice(_: Asked, found: Events) -> Events:
    """Two message_deltas come: counts are cumulative, so the second has the first in it."""
    at = _before(found, "message_delta")
    if at is None:
        return found
    told = found[at].chunk.get("usage")
    most = told.get("output_tokens") if isinstance(told, dict) else 0
    first: Json = min(1, most) if isinstance(most, int) else 0  # none behind which the second would stand
    return _put(found, at, {"type": "message_delta", "delta": {}, "usage": {"output_tokens": first}})
