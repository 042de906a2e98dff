"""Tool calls: fragments that join to calls, calls that fit what was declared."""

from collections import Counter
from collections.abc import Iterator

from conformance.answers import event_stream, excerpt, replied, reply_of, schema_faults, whole_reply
from conformance.asked import chat, forced, legal, member, no_tools_wanted, streamed, tool_choice, with_tools
from conformance.rule import Finding, Inconclusive, Level, On, Remark, findings, rule
from conformance.rules.chat import NO_FINISH, compiled, misfits
from conformance.rules.chat_stream import choices_in, of_tool_calls
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice, ToolCall

CALL = "openapi#/components/schemas/ChatCompletionMessageToolCall"
PIECE = "openapi#/components/schemas/ChatCompletionChunk, tool_calls"
CHOICE = "openapi#/components/schemas/ChatCompletionRequest/properties/tool_choice"

functions_alone = On(
    "functions alone",
    lambda exchange: all(isinstance(tool, dict) and tool.get("type") == "function" for tool in _tools(exchange)),
)
asked = chat & legal & with_tools & functions_alone  # of custom tools no law here speaks
fragmented = On("a fragment of a call", lambda exchange: next(_pieces(exchange), None) is not None)
called = On("a tool call", lambda exchange: any(c.tool_calls for c in reply_of(exchange).choices.values()))


def _calls(exchange: Exchange) -> Iterator[tuple[Choice, ToolCall]]:
    for choice in reply_of(exchange).choices.values():
        for call in choice.tool_calls.values():
            yield choice, call


def _pieces(exchange: Exchange) -> Iterator[tuple[int, Json, Json]]:
    """What stands among the fragments of calls in a stream: event number, index of the choice, fragment."""
    for event, choice in choices_in(exchange):
        match choice:
            case {"delta": {"tool_calls": list(pieces)}}:
                yield from ((event, choice.get("index"), piece) for piece in pieces)


def _fragments(exchange: Exchange) -> Iterator[tuple[int, int, dict[str, Json]]]:
    """The fragments that have the form; the rules on the schema tell of the rest."""
    for event, index, piece in _pieces(exchange):
        if isinstance(index, int) and isinstance(piece, dict):
            yield event, index, piece


def _place(fragment: dict[str, Json]) -> int | None:
    """The index of the call that a fragment belongs to, None where it has none."""
    place = fragment.get("index")
    return place if isinstance(place, int) and not isinstance(place, bool) else None


def _tools(exchange: Exchange) -> list[Json]:
    tools = member(exchange, "tools")
    return tools if isinstance(tools, list) else []


def declared(exchange: Exchange) -> dict[str, Json]:
    """The declared functions: name → parameters."""
    functions = [tool.get("function") for tool in _tools(exchange) if isinstance(tool, dict)]
    return {str(one.get("name")): one.get("parameters") for one in functions if isinstance(one, dict)}


@rule("tools.head", Level.MUST, cites=CALL, on=asked, occasion=replied & called)
def head(exchange: Exchange) -> Iterator[Remark]:
    """A call begins with its id, type function and name; in a stream they stand in its first fragment."""
    if exchange.is_stream:
        yield from _stream_heads(exchange)
        return
    for choice, call in _calls(exchange):
        for name, value in (("id", call.id), ("type", call.type), ("function.name", call.name)):
            if not value or (name == "type" and value != "function"):
                yield Finding(f"choice {choice.index}, call {call.index}: expected {name}, got {excerpt(value)}")


def _stream_heads(exchange: Exchange) -> Iterator[Remark]:
    seen: set[tuple[int, int | None]] = set()
    for event, choice, fragment in _fragments(exchange):
        key = (choice, _place(fragment))
        function = fragment.get("function")
        name = function.get("name") if isinstance(function, dict) else None
        if key not in seen:
            seen.add(key)
            for label, good in (("id", fragment.get("id")), ("function.name", name)):
                if not isinstance(good, str) or not good:
                    yield Finding(f"the first fragment of call {excerpt(key[1])} has no {label}", event)
            if fragment.get("type") != "function":
                yield Finding(
                    f"the first fragment of call {excerpt(key[1])} has type {excerpt(fragment.get('type'))}", event
                )
        elif fragment.get("id") == "":
            yield Finding(f"a later fragment of call {excerpt(key[1])} has an empty id", event)


@rule("tools.index", Level.MUST, cites=PIECE, on=asked & streamed, given=event_stream, occasion=called)
def index(exchange: Exchange) -> Iterator[Remark]:
    """Each fragment has the index of its call: 0 to k-1 in the order in which calls begin, one call an index."""
    known: Counter[int] = Counter()  # calls of each choice
    ids: dict[tuple[int, int], str] = {}
    for event, choice, fragment in _fragments(exchange):
        place, name = _place(fragment), fragment.get("id")
        if place is None:
            yield Finding(f"expected an index, got {excerpt(fragment.get('index'))} in {excerpt(fragment)}", event)
            return
        if not 0 <= place <= known[choice]:
            yield Finding(f"call {known[choice]} of choice {choice} has index {place}", event)
            return
        known[choice] += place == known[choice]
        if isinstance(name, str) and name and ids.setdefault((choice, place), name) != name:
            yield Finding(f"index {place} is of call {ids[choice, place]!r} and of call {name!r}", event)
            return


@rule("tools.fragments", Level.MUST, cites=PIECE, on=asked & streamed, given=event_stream, occasion=fragmented)
def fragments(exchange: Exchange) -> Iterator[Remark]:
    """The fragments of a call have members of the right types: arguments is a text, never an object."""
    for event, fault in schema_faults(exchange):
        if of_tool_calls(fault) and not fault.pointer.endswith("/index") and fault.missing != "index":
            yield Finding(f"{fault.pointer}: expected {fault.expected}, got {fault.got}", event)


@rule("tools.arguments", Level.MUST, cites=f"{CALL}, arguments", on=asked, given=whole_reply, occasion=called)
def arguments(exchange: Exchange) -> Iterator[Remark]:
    """The arguments of a call, joined, are the JSON text of an object; no arguments are {}."""
    if exchange.is_stream and any(findings(index(exchange))):
        yield Inconclusive("the fragments cannot be told apart: see tools.index")
        return
    for choice, call in _calls(exchange):
        if isinstance(json_text.read(call.arguments).value, dict):
            continue
        if cut := set(choice.finish) & {"length", "content_filter"}:
            yield Inconclusive(f"the arguments were cut: {cut.pop()}", mood=True)
        elif not choice.finish:
            yield NO_FINISH
        else:
            yield Finding(f"call {call.name!r}: expected a JSON object, got {excerpt(call.arguments)!r}")


@rule("tools.arguments-schema", Level.SHOULD, cites=f"{CALL}, arguments", on=asked, given=whole_reply, occasion=called)
def arguments_schema(exchange: Exchange) -> Iterator[Remark]:
    """The arguments of a call fit the parameters that its function declares."""
    functions, fitted = declared(exchange), False
    for _, call in _calls(exchange):
        value, parameters = json_text.read(call.arguments).value, functions.get(call.name or "")
        if not isinstance(value, dict) or not isinstance(parameters, dict):
            continue
        validator = compiled(json_text.write(parameters).decode())
        if validator:
            fitted = True
            yield from misfits(validator, value, f"{call.name}({call.arguments})")
    if not fitted:
        yield Inconclusive("no call has arguments and parameters that can be compared")


@rule("tools.id-unique", Level.MUST, cites=f"{CALL}, id", on=asked, given=replied, occasion=called)
def id_unique(exchange: Exchange) -> Iterator[Remark]:
    """The ids of the calls of an answer differ: a result is matched by its id."""
    ids = Counter(call.id for _, call in _calls(exchange) if call.id)
    for name, times in ids.items():
        if times > 1:
            yield Finding(f"{times} calls have the id {name!r}")
    if not ids:
        yield Inconclusive("no call has an id: see tools.head")


@rule("tools.finish-reason", Level.MUST, cites="openapi#/components/schemas/ChatCompletion, finish_reason", on=asked,
      given=whole_reply, occasion=called)  # fmt: skip
def finish_reason(exchange: Exchange) -> Iterator[Remark]:
    """A choice with calls ends with tool_calls; a named tool_choice may end with stop."""
    allowed = {"tool_calls", "function_call", "length", "content_filter"}
    if tool_choice(exchange) == "named":
        allowed.add("stop")
    for choice in reply_of(exchange).choices.values():
        if choice.tool_calls and not choice.finish:
            yield NO_FINISH
        elif choice.tool_calls and not set(choice.finish) & allowed:
            yield Finding(f"choice {choice.index} has calls, its finish_reason is {choice.finish[0]!r}")


@rule("tools.called", Level.MUST, cites=CHOICE, on=asked & forced, given=whole_reply)
def is_called(exchange: Exchange) -> Iterator[Remark]:
    """With tool_choice required or a named function, the answer calls a function, and the named one."""
    match member(exchange, "tool_choice"):
        case {"function": {"name": str(wanted)}}:
            pass
        case _:
            wanted = ""
    for choice in reply_of(exchange).choices.values():
        names = [call.name for call in choice.tool_calls.values()]
        if wanted in names or (names and not wanted):
            continue
        if set(choice.finish) & {"length", "content_filter"} or choice.refusal:
            yield Inconclusive(f"the answer ended with {choice.finish} before any call", mood=True)
        elif not choice.finish:
            yield NO_FINISH
        else:
            yield Finding(
                f"expected a call{f' of {wanted!r}' if wanted else ''}, got {names or excerpt(choice.content)}"
            )


@rule("tools.none", Level.MUST, cites=CHOICE, on=asked & no_tools_wanted, given=whole_reply)
def none_called(exchange: Exchange) -> Iterator[Remark]:
    """With tool_choice none no function is called."""
    names = [call.name for _, call in _calls(exchange)]
    if names:
        yield Finding(f"expected no call, got {names}")


@rule("tools.known-name", Level.MUST, cites=CALL, on=asked, given=replied, occasion=called)
def known_name(exchange: Exchange) -> Iterator[Remark]:
    """Only declared functions are called."""
    functions = declared(exchange)
    for _, call in _calls(exchange):
        if call.name and call.name not in functions:
            yield Finding(f"{call.name!r} was not declared; {', '.join(functions)} were")
