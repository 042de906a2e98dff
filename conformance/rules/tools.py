"""Tool calls: fragments that join to calls, calls that fit what was declared, and the turn behind them."""

import re
from collections import Counter
from collections.abc import Iterator

from conformance.answers import describe, event_stream, excerpt, replied, reply_of, schema_faults, whole_reply
from conformance.asked import chat, forced, legal, member, no_tools_wanted, streamed, tool_choice, with_tools
from conformance.rule import Finding, Inconclusive, Level, On, Remark, findings, rule
from conformance.rules.chat import NO_FINISH, REFUSED, compiled, misfits
from conformance.rules.chat_stream import choices_in, of_tool_calls
from openapi import json_text
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice, ToolCall

CALL = "openapi#/components/schemas/ToolCall"
PIECE = "openapi#/components/schemas/ChatCompletionChunk, tool_calls"
_PIECE_ID = "/choices/*/delta/tool_calls/*/id"
CHOICE = "openapi#/components/schemas/ChatCompletionRequest/properties/tool_choice"

WORD = re.compile(r"\b[A-Z]{4,}\b")

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


def declared(exchange: Exchange) -> dict[str, dict[str, Json]]:
    """The declared functions by name."""
    functions = [tool.get("function") for tool in _tools(exchange) if isinstance(tool, dict)]
    return {str(one.get("name")): one for one in functions if isinstance(one, dict)}


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


def _later(exchange: Exchange) -> Iterator[tuple[int, int | None, dict[str, Json]]]:
    """The fragments behind the first of their call: event number, index of the call, fragment."""
    seen: set[tuple[int, int | None]] = set()
    for event, choice, fragment in _fragments(exchange):
        key = (choice, _place(fragment))
        if key in seen:
            yield event, key[1], fragment
        seen.add(key)


continued = On("a later fragment of a call", lambda exchange: next(_later(exchange), None) is not None)


@rule(
    "tools.id-continued", Level.MUST, cites=f"{PIECE}, id", on=asked & streamed, given=event_stream, occasion=continued
)
def id_continued(exchange: Exchange) -> Iterator[Remark]:
    """A later fragment of a call leaves its id out, and never has an empty one: clients take that for another call."""
    for event, place, fragment in _later(exchange):
        if fragment.get("id") == "":
            yield Finding(f"a later fragment of call {excerpt(place)} has an empty id", event, _PIECE_ID)
            return


@rule(
    "tools.null-continued", Level.MAY, cites=f"{PIECE}, id", on=asked & streamed, given=event_stream, occasion=continued
)
def null_continued(exchange: Exchange) -> Iterator[Remark]:
    """A later fragment leaves id, type and name out; as nulls they overwrite what clients have joined."""
    for event, place, fragment in _later(exchange):
        function = fragment.get("function")
        members = {**(function if isinstance(function, dict) else {}), **fragment}
        nulls = [name for name in ("id", "type", "name") if name in members and members[name] is None]
        if nulls:
            yield Finding(f"a later fragment of call {excerpt(place)} has null for {', '.join(nulls)}", event)
            return


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


def of_empty_call_id(fault: SchemaFault) -> bool:
    return fault.pointer.endswith("/id") and fault.keyword == "minLength"


@rule("tools.fragments", Level.MUST, cites=PIECE, on=asked & streamed, given=event_stream, occasion=fragmented)
def fragments(exchange: Exchange) -> Iterator[Remark]:
    """The fragments of a call have members of the right types: arguments is a text, never an object."""
    for event, fault in schema_faults(exchange):
        told_elsewhere = fault.pointer.endswith("/index") or fault.missing == "index" or of_empty_call_id(fault)
        if of_tool_calls(fault) and not told_elsewhere:
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
    """The arguments of a call fit the parameters that its function declares; the API answers for that with strict."""
    functions, fitted = declared(exchange), False
    for _, call in _calls(exchange):
        value, function = json_text.read(call.arguments).value, functions.get(call.name or "", {})
        parameters = function.get("parameters")
        if not isinstance(value, dict) or not isinstance(parameters, dict):
            continue
        validator = compiled(json_text.write(parameters).decode())
        if validator:
            fitted = True
            for remark in misfits(validator, value, f"{call.name}({call.arguments})"):
                yield remark if function.get("strict") is True else _unfit(remark)
    if not fitted:
        yield Inconclusive("no call has arguments and parameters that can be compared")


def _unfit(remark: Remark) -> Inconclusive:
    """What the model got wrong where nobody had promised otherwise."""
    text = remark.text if isinstance(remark, Finding) else remark.reason
    return Inconclusive(f"strict was not asked for: {text}", mood=True)


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


# --- several calls, and the turn behind them ------------------------------------------------------------------------

SERIAL = "openapi#/components/schemas/ChatCompletionRequest/properties/parallel_tool_calls"
HISTORY = "openapi#/components/schemas/ChatMessage, AssistantMessage"


@rule("tools.parallel", Level.SHOULD, cites=SERIAL, on=asked, given=whole_reply, over=("parallel", "serial"))
def parallel(freely: Exchange, serially: Exchange) -> Iterator[Remark]:
    """With parallel_tool_calls false an answer calls one function at most."""
    most = max(len(choice.tool_calls) for choice in reply_of(serially).choices.values())
    if most > 1:
        yield Finding(f"expected one call at most, got {most}", place="/choices/*/tool_calls", exchange=serially.id)
    elif all(len(choice.tool_calls) < 2 for choice in reply_of(freely).choices.values()):
        yield Inconclusive("the model calls no two functions anyway", mood=True)
    elif most == 0:
        yield Inconclusive("the model called nothing", mood=True)


@rule("tools.null-content", Level.MUST, cites=HISTORY, on=asked, over=("call", "result"))
def null_content(call: Exchange, result: Exchange) -> Iterator[Remark]:
    """A conversation goes on with the calls as they came, their content null, and the results; the answer uses them."""
    yield from _taken_up(call, result)


@rule("tools.no-content", Level.MUST, cites=HISTORY, on=asked, over=("call", "result-bare"))
def no_content(call: Exchange, result: Exchange) -> Iterator[Remark]:
    """A conversation goes on with calls as they came and no content at all beside them."""
    yield from _taken_up(call, result)


def _taken_up(call: Exchange, result: Exchange) -> Iterator[Remark]:
    """Whether the second turn of a conversation was answered by what the tool gave."""
    if not called.holds(call):
        yield Inconclusive(f"no call to take up: {describe(call)}", mood=call.status == 200)
    elif result.status in REFUSED:
        yield Finding(f"the second turn was refused, {describe(result)}", place="/messages", exchange=result.id)
    elif not whole_reply.holds(result):
        yield Inconclusive(f"the second turn has no answer that can be read: {describe(result)}")
    elif not any(_quotes(choice, result) for choice in reply_of(result).choices.values()):
        yield Inconclusive("the answer does not speak of what the tool gave", mood=True)


def _quotes(choice: Choice, exchange: Exchange) -> bool:
    """Whether the text has a word in capitals that stands in a result, and in nothing else that was sent."""
    new = _words(exchange, {"tool"}) - _words(exchange, {"system", "user", "assistant"})
    return bool(new & set(WORD.findall(choice.content.upper())))


def _words(exchange: Exchange, roles: set[str]) -> set[str]:
    messages = member(exchange, "messages")
    sent = [one for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    return {word for one in sent if one.get("role") in roles for word in WORD.findall(str(one.get("content")))}
