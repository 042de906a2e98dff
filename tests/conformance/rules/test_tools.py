"""The rules about tool calls, streamed and whole."""

from typing import Any

from conformance.rule import Outcome
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
    choice,
    chunk,
    cut,
    each,
    fails,
    failure,
    finish,
    head,
    message,
    moody,
    passes,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    whole,
)

NAMED = {"type": "function", "function": {"name": "get_weather"}}
CITY = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}
TYPED = {"type": "function", "function": {"name": "get_weather", "parameters": CITY}}
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
    fails("an empty id later on", "tools.head", called(head(), arguments(id="")), at=2, says="empty id"),
    fails("a whole call without id", "tools.head", said(call(id=None)), says="expected id"),
    fails("a whole call of another type", "tools.head", said(call() | {"type": "tool"}), says="expected type"),
    fails("an index that is an object", "tools.head", called(head(None, index={})), at=1, says="call null"),
    unseen("no call", "tools.head", SILENT),
    silent("no tools", "tools.head", stream(role(), head(), DONE)),
    silent("custom tools", "tools.head", called(head(), tools=[WEATHER, CUSTOM])),
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
    fails("they do not", "tools.arguments-schema", said(call("{}"), tools=[TYPED]), says="city"),
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
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("tools")
