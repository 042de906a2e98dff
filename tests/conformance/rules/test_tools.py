"""The rules about tool calls, streamed and whole."""

from typing import Any

from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    Case,
    Event,
    answer,
    arguments,
    call,
    chapter,
    chat_body,
    choice,
    chunk,
    cut,
    each,
    fails,
    failure,
    finish,
    got,
    head,
    message,
    moody,
    passes,
    request,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    whole,
)
from tests.conformance.groups import Group, agree, clash, open_

NAMED = {"type": "function", "function": {"name": "get_weather"}}
CITY = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
TYPED = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}
STRICT = {"type": "function", "function": {"name": "get_weather", "parameters": CITY, "strict": True}}
BARE = {"type": "function", "function": {"name": "get_weather"}}
WRONG = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "no such type"}}}
CUSTOM = {"type": "custom", "custom": {"name": "shell"}}
ANY_OF = {"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}
ONE_OF = {"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}


def called(*events: Event, reason: Any = "tool_calls", tools: Any = (WEATHER,), **asked: Any) -> Exchange:
    """A stream with these fragments, whole at both ends."""
    return stream(role(), *events, finish(reason), DONE, tools=list(tools), **asked)


def said(
    *calls: Any, content: str | None = None, reason: Any = "tool_calls", tools: Any = (WEATHER,), **asked: Any
) -> Exchange:
    """A whole answer with these calls."""
    more: dict[str, Any] = {"tool_calls": list(calls)} if calls else {}
    body = answer(message(content, reason, **more))
    return whole(body, tools=list(tools), **asked)


GOOD = called(head(), arguments('{"city":'), arguments('"Rome"}'))
WHOLE = said(call('{"city":"Rome"}'))
SILENT = called(text(), reason="stop")
TWO = (head("a"), arguments(), head("b", index=1), arguments(index=1))
AT_ONCE = head(function={"name": "get_weather", "arguments": "{}"})
UNFINISHED = stream(role(), head(), arguments("{"), DONE, tools=[WEATHER])

DEEP = '{"city":' + "[" * 500 + "]" * 500 + "}"  # that the validator does not take
STUB: dict[str, Any] = {"function_call": {"name": "", "arguments": ""}}
SERIAL: dict[str, Any] = {"parallel_tool_calls": False}
BOTH = said(call("{}"), call("{}", id="b"))
RESULT = [
    {"role": "user", "content": "The weather? Name its STATION."},
    {"role": "assistant", "content": None, "tool_calls": [call()]},
    {"role": "tool", "tool_call_id": "call_1", "content": '{"station":"KESTREL"}'},
]


def turn(content: str | None, status: int = 200, **more: Any) -> Exchange:
    """The answer to a conversation with a call and its result."""
    body = answer(message(content, **more)) if status == 200 else failure("content: none is not allowed")
    return got(status, body, to=request(chat_body(messages=RESULT, tools=[WEATHER])))


def turns(rule: str) -> list[Group]:
    return [
        agree("it uses the result", rule, WHOLE, turn("By Kestrel.")),
        agree("behind streamed calls", rule, GOOD, turn("By Kestrel.")),
        clash("refused", rule, WHOLE, turn("", 400), step=BOOK[rule].over[1], says="none is not allowed"),
        clash("refused with 422", rule, WHOLE, turn("", 422), step=BOOK[rule].over[1]),
        open_("overloaded", rule, WHOLE, turn("", 503), says="no answer that can be read"),
        open_("other words", rule, WHOLE, turn("It rains."), says="does not speak", mood=True),
        open_("the words of the question", rule, WHOLE, turn("The station is closed."), mood=True),
        open_("it calls again", rule, WHOLE, turn(None, tool_calls=[call()]), mood=True),
        open_("it called nothing", rule, said(content="x", reason="stop"), turn("x"), says="no call", mood=True),
        open_("the call was refused", rule, got(400, to=request(WHOLE.request.object)), turn("x"), says="400"),
        open_("messages that are none", rule, WHOLE, whole(answer(message("KESTREL")), messages=5), mood=True),
    ]


P = "tools.parallel"
TURNS: list[Case] = [
    agree("two, then one", P, BOTH, said(call(), **SERIAL)),
    clash("two all the same", P, BOTH, said(call(), call(id="b"), **SERIAL), step="serial", says="got 2"),
    clash("two where one was made freely", P, WHOLE, said(call(), call(id="b"), **SERIAL), step="serial"),
    open_("one anyway", P, WHOLE, said(call(), **SERIAL), says="anyway", mood=True),
    open_("two, then none", P, BOTH, said(content="x", reason="stop", **SERIAL), says="called nothing", mood=True),
    *turns("tools.null-content"),
    *turns("tools.no-content"),
]

CASES = [
    passes("the first fragment", "tools.head", GOOD),
    passes("a whole call in one delta", "tools.head", called(AT_ONCE)),
    passes("nulls in later fragments", "tools.head", called(head(), arguments(id=None, type=None))),
    passes("the head repeated", "tools.head", called(head(), head())),
    passes("a whole answer", "tools.head", WHOLE),
    fails("no id", "tools.head", called(head(None)), at=1, says="no id"),
    fails("no name", "tools.head", called(head(name=None)), at=1, says="no function.name"),
    fails("no function", "tools.head", called(head(function=None)), at=1, says="no function.name"),
    fails("the name in a later fragment", "tools.head", called(head(name=None), head()), at=1),
    fails("no type", "tools.head", called(head(type=None)), at=1, says="type null"),
    passes("an empty id later on is told elsewhere", "tools.head", called(head(), arguments(id=""))),
    fails("a whole call without id", "tools.head", said(call(id=None)), says="expected id"),
    fails("a whole call of another type", "tools.head", said(call() | {"type": "tool"}), says="expected type"),
    fails("an index that is an object", "tools.head", called(head(None, index={})), at=1, says="call null"),
    unseen("no call", "tools.head", SILENT),
    silent("no tools", "tools.head", stream(role(), head(), DONE)),
    silent("custom tools", "tools.head", called(head(), tools=[WEATHER, CUSTOM])),
    passes("no id", "tools.id-continued", GOOD),
    passes("its id again", "tools.id-continued", called(head(), head())),
    passes("null", "tools.id-continued", called(head(), arguments(id=None))),
    passes("of another call", "tools.id-continued", called(*TWO)),
    fails("an empty one", "tools.id-continued", called(head(), arguments(id="")), at=2, says="call 0 has an empty id"),
    unseen("a whole call in one delta", "tools.id-continued", called(AT_ONCE)),
    unseen("the first fragment has one", "tools.id-continued", called(head(""))),
    passes("left out", "tools.null-continued", GOOD),
    passes("a function that is none", "tools.null-continued", called(head(), arguments(function=5))),
    fails("an id", "tools.null-continued", called(head(), arguments(id=None)), at=2, says="null for id"),
    fails("a name", "tools.null-continued", called(head(), arguments(function={"name": None}, type=None)), at=2,
          says="type, name"),
    unseen("in the first fragment", "tools.null-continued", called(head(None))),
    passes("one call", "tools.index", GOOD),
    passes("two calls", "tools.index", called(*TWO)),
    passes("two choices", "tools.index", called(*TWO, chunk(choice({"tool_calls": [{"index": 0}]}, index=1)), n=2)),
    fails("none", "tools.index", called(head(index=None)), at=1, says="expected an index, got null"),
    fails("a truth", "tools.index", called(head(index=True)), at=1),
    fails("an object", "tools.index", called(head(index={})), at=1),
    fails("from one", "tools.index", called(head(index=1)), at=1, says="call 0 of choice 0 has index 1"),
    fails("below zero", "tools.index", called(head(index=-1)), at=1),
    fails("all zero", "tools.index", called(head("a"), arguments(), head("b")), at=3, says="'a' and of call 'b'"),
    passes("no fragment is told elsewhere", "tools.index", called(chunk(choice({"tool_calls": ["x"]})), head())),
    unseen("no call", "tools.index", SILENT),
    undecided("no stream", "tools.index", said(call(), stream=True)),
    passes("texts", "tools.fragments", GOOD),
    passes("an index is told elsewhere", "tools.fragments", called(head(index=-1))),
    passes("an empty id too", "tools.fragments", called(head(), arguments(id=""))),
    passes("a missing index too", "tools.fragments", called(chunk(choice({"tool_calls": [{"id": "a"}]})))),
    fails("arguments as an object", "tools.fragments", called(head(), arguments({})), at=2, says="arguments"),
    fails("a text for a fragment", "tools.fragments", called(chunk(choice({"tool_calls": ["x"]}))), at=1),
    unseen("calls that are no list", "tools.fragments", called(chunk(choice({"tool_calls": 5})))),
    unseen("an empty list", "tools.fragments", called(chunk(choice({"tool_calls": []})))),
    passes("JSON of an object", "tools.arguments", GOOD),
    passes("whole", "tools.arguments", WHOLE),
    passes("two calls", "tools.arguments", called(*TWO)),
    fails("empty", "tools.arguments", called(head()), says="expected a JSON object"),
    fails("a list", "tools.arguments", said(call("[]"))),
    fails("cut JSON", "tools.arguments", said(call('{"city"'))),
    moody("cut by the limit", "tools.arguments", said(call('{"city"'), reason="length")),
    undecided("cut by nobody knows what", "tools.arguments", UNFINISHED),
    undecided("fragments that cannot be told apart", "tools.arguments", called(head("a"), arguments(), head("b"))),
    undecided("we left", "tools.arguments", cut(GOOD)),
    unseen("no call", "tools.arguments", SILENT),
    passes("they fit", "tools.arguments-schema", said(call('{"city":"Rome"}'), tools=[TYPED])),
    passes("strictly", "tools.arguments-schema", said(call('{"city":"Rome"}'), tools=[STRICT])),
    fails("they do not, strictly", "tools.arguments-schema", said(call("{}"), tools=[STRICT]), says="city"),
    moody("they do not, loosely", "tools.arguments-schema", said(call("{}"), tools=[TYPED]), says="strict was not"),
    moody("they cannot be judged, loosely", "tools.arguments-schema", said(
        call(DEEP), tools=[TYPED]), says="strict was not"),
    undecided("they cannot be judged", "tools.arguments-schema", said(
        call(DEEP), tools=[STRICT]), says="cannot be validated"),
    undecided("no parameters", "tools.arguments-schema", said(call("{}"), tools=[BARE])),
    undecided("parameters that are no schema", "tools.arguments-schema", said(call("{}"), tools=[WRONG])),
    undecided("no JSON", "tools.arguments-schema", said(call("{"), tools=[TYPED])),
    undecided("an unknown function", "tools.arguments-schema", said(call("{}", "f"), tools=[TYPED])),
    passes("two ids", "tools.id-unique", called(*TWO)),
    fails("one id twice", "tools.id-unique", said(call(), call()), says="2 calls have the id 'call_1'"),
    undecided("no id", "tools.id-unique", said(call(id=None))),
    passes("tool_calls", "tools.finish-reason", GOOD),
    passes("the limit", "tools.finish-reason", said(call(), reason="length")),
    passes("stop behind a named function", "tools.finish-reason", said(call(), reason="stop", tool_choice=NAMED)),
    fails("stop", "tools.finish-reason", said(call(), reason="stop"), says="'stop'"),
    fails("stop behind required", "tools.finish-reason", said(call(), reason="stop", tool_choice="required")),
    undecided("none", "tools.finish-reason", said(call(), reason=None)),
    passes("no call in the other choice", "tools.finish-reason", whole(
        answer(message(None, "tool_calls", tool_calls=[call()]), message("x", "stop", 1)), tools=[WEATHER], n=2)),
    passes("required", "tools.called", said(call(name="other"), tool_choice="required")),
    passes("named", "tools.called", said(call(), tool_choice=NAMED)),
    passes("allowed tools, required", "tools.called", said(call(), tool_choice=ONE_OF)),
    fails("a text", "tools.called", said(content="It rains", reason="stop", tool_choice="required"), says="It rains"),
    fails("another function", "tools.called", said(call(name="other"), tool_choice=NAMED), says="'get_weather'"),
    moody("the limit", "tools.called", said(content="It", reason="length", tool_choice="required")),
    moody("a refusal", "tools.called", whole(
        answer(message(None, "stop", refusal="No.")), tools=[WEATHER], tool_choice="required")),
    undecided("no finish_reason", "tools.called", stream(role(), DONE, tools=[WEATHER], tool_choice="required")),
    undecided("an error", "tools.called", stream(role(), failure(), DONE, tools=[WEATHER], tool_choice="required")),
    undecided("no choice", "tools.called", whole(answer() | {"choices": []}, tools=[WEATHER], tool_choice="required")),
    silent("auto", "tools.called", said(content="x", tool_choice="auto")),
    silent("allowed tools, auto", "tools.called", said(content="x", tool_choice=ANY_OF)),
    silent("no choice made", "tools.called", said(content="x")),
    passes("none", "tools.none", said(content="x", reason="stop", tool_choice="none")),
    fails("one", "tools.none", said(call(), tool_choice="none"), says="get_weather"),
    passes("a declared function", "tools.known-name", WHOLE),
    fails("a name with a prefix", "tools.known-name", said(call(name="api.get_weather")), says="was not declared"),
    unseen("no call", "tools.known-name", SILENT),
    passes("absent", "chat.legacy-call", GOOD),
    passes("null", "chat.legacy-call", whole(answer(message("x", function_call=None)))),
    fails("a stub in a stream", "chat.legacy-call", stream(role(), chunk(choice(STUB, "stop")), DONE), at=1),
    fails("a stub", "chat.legacy-call", whole(answer(message("x", **STUB)))),
    passes("no message", "chat.legacy-call", whole(answer({"index": 0}))),
    passes("no choice", "chat.legacy-call", whole(answer() | {"choices": None})),
    silent("functions were sent", "chat.legacy-call", whole(answer(message(None, "function_call", **STUB)),
                                                             functions=[{"name": "f"}])),
    *TURNS,
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("tools") | {"chat.legacy-call"}
