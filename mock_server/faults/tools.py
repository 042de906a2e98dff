"""Calls of functions: what makes agents lose an argument, or call the wrong thing twice."""

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import (
    choices,
    deltas,
    finishes,
    tool_calls,
)
from mock_server.faults.edit import (
    Event,
    Events,
    Object,
    on_both,
    on_chunks,
    on_events,
    on_whole,
)
from mock_server.faults.fault import sends
from mock_server.faults.honest_members import tool_at_once
from openapi.json_text import Json

Key = tuple[Json, Json]  # the index of a choice and that of a call


def is_named(asked: Asked) -> bool:
    """Whether one function was named in tool_choice."""
    return isinstance(asked.object.get("tool_choice"), dict)


def _function(call: Object) -> Object:
    function = call.get("function")
    return function if isinstance(function, dict) else {}


def _is_head(call: Object) -> bool:
    return bool(call.get("id") or _function(call).get("name"))


@sends("tool-index-missing", "tools.index")
@on_chunks
def index_missing(_: Asked, chunk: Object, __: int) -> None:
    """Fragments have no index: SDKs cannot tell which call a piece of arguments belongs to."""
    for call in tool_calls(chunk):
        call.pop("index", None)


@sends("tool-index-all-zero", "tools.index")
@on_chunks
def index_zero(_: Asked, chunk: Object, __: int) -> None:
    """All calls have index 0: the arguments of several are joined to one, and none can be parsed."""
    for call in tool_calls(chunk):
        call["index"] = 0


@sends("responses-parallel-calls-to-index-0", "tools.index")
def calls_to_index_zero(asked: Asked, answer: Answer) -> Answer:
    """Calls come whole, and each has index 0, as of a conversion from Responses: two of them become one."""
    return index_zero(asked, tool_at_once(asked, answer))


@sends("tool-index-from-one", "tools.index")
@on_chunks
def index_from_one(_: Asked, chunk: Object, __: int) -> None:
    """Calls count from 1, as a conversion from Claude's content blocks does: a list by index has a hole at 0."""
    for call in tool_calls(chunk):
        index = call.get("index")
        call["index"] = index + 1 if isinstance(index, int) else 1


@sends("tool-id-missing", "tools.head")
@on_chunks
def id_missing(_: Asked, chunk: Object, __: int) -> None:
    """Calls come without an id: the result cannot be sent back."""
    for call in tool_calls(chunk):
        call.pop("id", None)


@sends("tool-id-empty-on-continuation", "tools.id-continued")
@on_chunks
def id_empty(_: Asked, chunk: Object, __: int) -> None:
    """Later fragments of a call have an empty id: clients start another call, or forget the id of this one."""
    for call in tool_calls(chunk):
        if not _is_head(call):
            call["id"] = ""


@sends("tool-id-null-on-continuation", "tools.null-continued")
@on_chunks
def id_null(_: Asked, chunk: Object, __: int) -> None:
    """Later fragments of a call have null for id and name: clients that spread objects lose both."""
    for call in tool_calls(chunk):
        if not _is_head(call):
            call["id"] = None
            _function(call)["name"] = None


@sends("tool-legacy-function-call-stub", "chat.legacy-call")
@on_chunks
def legacy_stub(_: Asked, chunk: Object, __: int) -> None:
    """The last chunk has an empty function_call, which nobody asked for: converters take it for a call."""
    if finishes(chunk):
        for said in deltas(chunk):
            said["function_call"] = {"name": "", "arguments": ""}


@sends("tool-type-missing", "tools.head")
@on_chunks
def type_missing(_: Asked, chunk: Object, __: int) -> None:
    """Calls come without `type`: typed clients refuse them."""
    for call in tool_calls(chunk):
        call.pop("type", None)


@sends("tool-name-after-arguments", "tools.head")
@on_events
def name_late(_: Asked, found: Events) -> Events:
    """The function's name comes with the last fragment: a client that starts by the head has no name to start."""
    names: dict[Key, Json] = {}
    places: dict[Key, int] = {}
    for at, event in enumerate(found):
        for key, call in _fragments(event.chunk):
            names.setdefault(key, _function(call).get("name"))
            places[key] = at
    return [_with_name_last(event, at, names, places) for at, event in enumerate(found)]


def _with_name_last(event: Event, at: int, names: dict[Key, Json], places: dict[Key, int]) -> Event:
    chunk = event.chunk
    for key, call in _fragments(chunk):
        function = _function(call)
        function.pop("name", None)
        if places[key] == at:
            function["name"] = names[key]
    return event if chunk == event.chunk else event.saying(chunk)


def _fragments(chunk: Object) -> list[tuple[Key, Object]]:
    """Each fragment with the numbers of its choice and of its call."""
    return [
        ((choice.get("index"), call.get("index")), call)
        for choice in choices(chunk)
        for call in tool_calls({"choices": [choice]})
    ]


@sends("tool-arguments-not-json", "tools.arguments")
@on_both
def arguments_cut(_: Asked, body: Object) -> None:
    """The closing brace of the arguments is lost: no client can parse them."""
    for call in tool_calls(body):
        function = _function(call)
        text = function.get("arguments")
        if isinstance(text, str) and "}" in text:
            function["arguments"] = text.replace("}", "")


@sends("tool-arguments-empty-for-no-arg", "tools.arguments")
@on_both
def arguments_empty(_: Asked, body: Object) -> None:
    """The arguments are an empty text where they should be `{}`: parsing them fails."""
    for call in tool_calls(body):
        if "arguments" in _function(call):
            _function(call)["arguments"] = ""


@sends("tool-arguments-object", "tools.arguments", "chat.schema")
@on_whole
def arguments_object(_: Asked, body: Object) -> None:
    """The arguments are an object and no JSON text: typed clients refuse the call."""
    for call in tool_calls(body):
        _function(call)["arguments"] = {"city": "Rome"}


@sends("tool-fragment-arguments-object", "tools.fragments")
@on_chunks
def fragment_object(_: Asked, chunk: Object, __: int) -> None:
    """The head of a call has arguments that are an empty object and no text: typed clients refuse the fragment."""
    for call in tool_calls(chunk):
        function = _function(call)
        if function.get("arguments") == "":
            function["arguments"] = {}


@sends("tool-calls-null-or-empty-array", "chat.stream.null-calls")
@on_chunks
def calls_empty(_: Asked, chunk: Object, __: int) -> None:
    """Deltas without calls have an empty list of calls: code that tests for the member takes text for a call."""
    for said in deltas(chunk):
        said.setdefault("tool_calls", [])


@sends("tool-arguments-unfit", "tools.arguments-schema")
@on_both
def arguments_unfit(_: Asked, body: Object) -> None:
    """The arguments do not fit the declared parameters: every required one is missing."""
    for call in tool_calls(body):
        function = _function(call)
        if "arguments" in function:
            function["arguments"] = "{}" if _is_head(call) else ""


@sends("tool-id-duplicated", "tools.id-unique")
@on_both
def id_duplicated(_: Asked, body: Object) -> None:
    """All calls have one id: results are taken for the wrong call."""
    for call in tool_calls(body):
        if call.get("id"):
            call["id"] = "call_0"


@sends("chat-stream-finish-stop-with-tool-calls", "tools.finish-reason")
@on_both
def finish_stop(_: Asked, body: Object) -> None:
    """finish_reason is not tool_calls where functions were called: agents show the text and end their loop."""
    for choice in choices(body):
        if choice.get("finish_reason") == "tool_calls":
            choice["finish_reason"] = "stop"


@sends("tool-call-leaks-as-text", "tools.called", "same.calls")
@on_whole
def leaks(_: Asked, body: Object) -> None:
    """The call comes as text with tags: the user reads markup, and nothing is called."""
    for choice in choices(body):
        for message in deltas({"choices": [choice]}):
            if message.pop("tool_calls", None):
                message["content"] = '<tool_call>{"name": "get_weather", "arguments": {}}</tool_call>'
                choice["finish_reason"] = "stop"


@sends("tool-name-unknown", "tools.known-name")
@on_both
def name_unknown(asked: Asked, body: Object) -> None:
    """The function's name is prefixed by the relay: the client has none of that name."""
    for call in tool_calls(body):
        function = _function(call)
        if function.get("name") and not is_named(asked):
            function["name"] = f"default_api.{function['name']}"
