"""The rules about chat streams: values, then order, case by case."""

from typing import Any

from conformance.answers import MAX_CHOICES
from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import End
from tests.conformance.exchanges import (
    DONE,
    Case,
    choice,
    chunk,
    counted,
    cut,
    each,
    fails,
    failure,
    finish,
    got,
    head,
    ours,
    passes,
    request,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    usage,
    verdict,
    verdicts,
    whole,
)

S = "chat.stream."
GOOD = stream(role(), text(), finish(), DONE)
USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}
COUNTED = stream(role(), text(), finish(), counted(), DONE, **USAGE)
EMPTY = stream()
PREFILTER = chunk(prompt_filter_results=[], id="", model="", object="", created=0)

VALUES = [
    passes("chunks", S + "schema", GOOD),
    fails("a member of the wrong type", S + "schema", stream(role(), {**text(), "id": 5}, finish(), DONE), at=1),
    fails("another object", S + "schema", stream({**role(), "object": "chat.completion"}, finish(), DONE), at=0),
    fails("an object that is no chunk", S + "schema", stream(role(), {}, finish(), DONE), at=1),
    fails(
        "an index written as a fraction",
        S + "schema",
        stream(role(), text(), chunk(choice({}, index=0.0)), finish(), DONE),
        at=2,
        says="expected a chunk",
    ),
    fails("a usage hidden in a prefilter", S + "schema", stream({**PREFILTER, "usage": usage()}, role(), DONE), at=0),
    fails("a whole stream without an event", S + "schema", EMPTY, at=0),
    undecided("we left before the first event", S + "schema", ours(EMPTY)),
    undecided("no stream", S + "schema", whole(stream=True)),
    passes("Azure's prefilter", S + "schema", stream(PREFILTER, role(), finish(), DONE)),
    passes("unknown members", S + "schema", stream({**role(), "x": {"y": [1]}}, finish(), DONE)),
    silent("nothing streamed", S + "schema", whole()),
    passes("null, then a reason", S + "finish-reason", GOOD),
    fails("upper case", S + "finish-reason", stream(role(), finish("STOP"), DONE), at=1),
    fails("an empty text", S + "finish-reason", stream(chunk(choice({"role": "assistant"}, "")), finish(), DONE), at=0),
    undecided("no chunk", S + "finish-reason", EMPTY),
    passes("the member is there", S + "finish-key", GOOD),
    fails("the member is left out", S + "finish-key", stream(role(), chunk({"index": 0, "delta": {}}), DONE), at=1),
    passes("no calls", S + "null-calls", GOOD),
    fails("null", S + "null-calls", stream(role(), chunk(choice({"tool_calls": None})), finish(), DONE), at=1),
    fails(
        "null in a second choice",
        S + "null-calls",
        stream(chunk(choice({"role": "assistant"}), choice({"tool_calls": None}, index=1)), DONE, n=2),
        at=0,
    ),
    fails("an empty list", S + "null-calls", stream(chunk(choice({"tool_calls": []})), finish(), DONE), at=0),
    passes("choices that are no list", S + "delta", stream(chunk() | {"choices": 5}, DONE)),
    passes("a choice first", S + "prefilter", GOOD),
    fails("filter results first", S + "prefilter", stream(PREFILTER, role(), finish(), DONE), at=0),
    undecided("no event", S + "prefilter", stream()),
    passes("a delta alone", S + "message", GOOD),
    passes("a message of nothing", S + "message", stream(role(), chunk(choice({"content": "Hi"}, message=None)), DONE)),
    fails(
        "both", S + "message", stream(role(), chunk(choice({"content": "Hi"}, message={"content": "Hi"})), DONE), at=1
    ),
    passes("it is left out", S + "role-null", GOOD),
    passes("a role that is no text", S + "role-null", stream(role(), chunk(choice({"role": 5})), finish(), DONE)),
    fails("null", S + "role-null", stream(role(), chunk(choice({"role": None})), finish(), DONE), at=1),
    passes("texts and nulls", S + "delta", stream(role(), chunk(choice({"content": None})), finish(), DONE)),
    passes("null calls are told elsewhere", S + "delta", stream(chunk(choice({"tool_calls": None})), DONE)),
    fails("content as a list", S + "delta", stream(role(), chunk(choice({"content": []})), DONE), at=1),
    fails("no delta", S + "delta", stream(role(), chunk({"index": 0, "finish_reason": None}), DONE), at=1),
    fails("a delta that is a text", S + "delta", stream(role(), chunk(choice("x")), DONE), at=1),
    fails(
        "a fragment of the wrong type where no tools were sent",
        S + "delta",
        stream(role(), chunk(choice({"tool_calls": ["x"]})), finish(), DONE),
        at=1,
    ),
    passes("one id", S + "id", GOOD),
    fails("an id that changes", S + "id", stream(role(), {**text(), "id": "c2"}, DONE), at=1),
    fails("an empty id", S + "id", stream(role(), {**text(), "id": ""}, DONE), at=1),
    passes("the prefilter has an empty id", S + "id", stream(PREFILTER, role(), finish(), DONE)),
    passes("an error event has none", S + "id", stream(role(), failure(), DONE)),
    undecided("no chunk", S + "id", stream(failure(), DONE)),
    passes("one time", S + "created", GOOD),
    fails("a time that changes", S + "created", stream(role(), {**text(), "created": 1700000001}, DONE), at=1),
    fails("a list", S + "created", stream({**role(), "created": [1]}, text(), finish(), DONE), at=0),
    fails("milliseconds", S + "created", stream({**role(), "created": 1700000000000}, DONE), at=0),
    passes("0 to n-1", S + "index", stream(role(), role(1), finish(), finish("stop", 1), DONE, n=2)),
    fails("an index beyond n", S + "index", stream(role(), text(index=1), finish(), DONE), at=1),
    fails("a negative index", S + "index", stream(role(), text(index=-1), finish(), DONE), at=1),
]

ORDER = [
    passes("the role first", S + "role-first", GOOD),
    passes("the role in every delta", S + "role-first", stream(role(), role(), text(), role(), finish(), role(), DONE)),
    passes("an empty delta before it", S + "role-first", stream(chunk(choice({})), role(), finish(), DONE)),
    passes(
        "role and text in one delta", S + "role-first", stream(chunk(choice({"role": "assistant", "content": "x"})))
    ),
    fails("text without a role", S + "role-first", stream(text(), finish(), DONE), at=0),
    fails("the second choice has none", S + "role-first", stream(role(), text(), text(index=1), DONE, n=2), at=2),
    fails(
        "a role that is not the assistant's",
        S + "role-first",
        stream(role(), chunk(choice({"role": "user"})), DONE),
        at=1,
        says="user",
    ),
    undecided("no chunk", S + "role-first", stream(failure(), DONE)),
    passes("once", S + "finish-once", GOOD),
    passes("with the last text", S + "finish-once", stream(role(), chunk(choice({"content": "x"}, "stop")), DONE)),
    passes("each of two choices", S + "finish-once", stream(role(), role(1), finish("stop", 1), finish(), DONE, n=2)),
    fails("twice", S + "finish-once", stream(role(), finish(), finish(), DONE), at=2),
    fails("never, and [DONE]", S + "finish-once", stream(role(), text(), DONE), at=3),
    fails("never, and a clean end", S + "finish-once", stream(role(), text()), at=2),
    fails("one of two choices", S + "finish-once", stream(role(), role(1), finish(), DONE, n=2), at=4, says="choice 1"),
    undecided("an error instead", S + "finish-once", stream(role(), failure(), DONE)),
    undecided("we left", S + "finish-once", ours(stream(role(), text()))),
    undecided("the connection broke", S + "finish-once", cut(stream(role(), text()))),
    undecided("an event that cannot be read", S + "finish-once", stream(role(), "{", DONE)),
    undecided("bytes that are no text", S + "finish-once", stream(role(), b'data: {"x":"\xff"}\n\n', DONE)),
    passes("a mark of replacement in the text", S + "finish-once", stream(role(), text("\ufffd"), finish(), DONE)),
    passes("nothing behind it", S + "finish-last", GOOD),
    passes("an empty delta behind it", S + "finish-last", stream(role(), finish(), chunk(choice({})), DONE)),
    passes("the other choice goes on", S + "finish-last", stream(role(), role(1), finish(), text(index=1), DONE, n=2)),
    fails("text behind it", S + "finish-last", stream(role(), finish(), text(), DONE), at=2),
    fails("a call behind it", S + "finish-last", stream(role(), finish(), head(), DONE), at=2),
    fails("a delta behind the usage", S + "finish-last", stream(role(), finish(), counted(), role(), DONE), at=3),
    passes("at the end", S + "done", GOOD),
    fails("never", S + "done", stream(role(), finish()), at=2, says="behind"),
    fails("not a single event", S + "done", EMPTY, at=0, says="nothing"),
    undecided("never, behind an error", S + "done", stream(role(), failure())),
    passes("behind an error", S + "done", stream(role(), failure(), DONE)),
    undecided("we left", S + "done", ours(stream(role(), text()))),
    undecided("the body was cut", S + "done", cut(stream(role(), text()), End.RESET)),
    passes("once", S + "done-once", GOOD),
    fails("twice", S + "done-once", stream(role(), finish(), DONE, DONE), at=3),
    undecided("never", S + "done-once", stream(role(), finish())),
    passes("nothing", S + "nothing-after-done", GOOD),
    passes("a comment", S + "nothing-after-done", stream(role(), finish(), DONE, b": bye\n\n")),
    fails("a chunk", S + "nothing-after-done", stream(role(), finish(), DONE, chunk()), at=3),
    undecided("no [DONE]", S + "nothing-after-done", stream(role(), finish())),
    passes("to the end", S + "completes", GOOD),
    fails("an error in mid-stream", S + "completes", stream(role(), failure("gone"), DONE), at=1, says="gone"),
    undecided(
        "a limit in mid-stream",
        S + "completes",
        stream(role(), {"error": {"message": "slow down", "type": "rate_limit_error", "code": None}}, DONE),
        says="refused in the stream",
    ),
    fails("an error that is a text", S + "completes", stream(role(), {"error": "gone"}, DONE), at=1, says="gone"),
    passes("a null error beside the rest", S + "completes", stream({**role(), "error": None}, finish(), DONE)),
    passes("one chunk of its own", S + "usage-asked", COUNTED),
    passes(
        "null in the others", S + "usage-asked", stream({**role(), "usage": None}, finish(), counted(), DONE, **USAGE)
    ),
    fails("none", S + "usage-asked", stream(role(), finish(), DONE, **USAGE), at=3, says="none came"),
    fails(
        "in the finish chunk alone",
        S + "usage-asked",
        stream(role(), {**finish(), "usage": usage()}, DONE, **USAGE),
        at=1,
        says="chunk with choices",
    ),
    fails("twice", S + "usage-asked", stream(role(), finish(), counted(), counted(), DONE, **USAGE), at=3),
    fails("before the choice is over", S + "usage-asked", stream(role(), counted(), finish(), DONE, **USAGE), at=1),
    fails(
        "without all counts",
        S + "usage-asked",
        stream(role(), finish(), chunk(usage={"prompt_tokens": 0}), DONE, **USAGE),
        at=2,
        says="is missing",
    ),
    passes(
        "another fault is told elsewhere",
        S + "usage-asked",
        stream(role() | {"id": 5}, finish(), counted(), DONE, **USAGE),
    ),
    undecided("an error instead", S + "usage-asked", stream(role(), failure(), DONE, **USAGE)),
    undecided("we left", S + "usage-asked", ours(stream(role(), **USAGE))),
    silent("not asked for", S + "usage-asked", GOOD),
    passes("one", S + "usage-split", COUNTED),
    passes(
        "the same twice", S + "usage-split", stream(role(), finish() | {"usage": usage()}, counted(), DONE, **USAGE)
    ),
    fails("two", S + "usage-split", stream(role(), finish() | {"usage": usage(1)}, counted(), DONE, **USAGE), at=2),
    unseen("none", S + "usage-split", stream(role(), finish(), DONE, **USAGE)),
    silent("not asked for", S + "usage-split", GOOD),
    passes("in pieces", S + "piecewise", stream(role(), *[text("x" * 90)] * 3, finish(), DONE)),
    fails("at once", S + "piecewise", stream(role(), text("x" * 300), finish(), DONE), says="300 characters in 1"),
    fails("in two", S + "piecewise", stream(role(), text("x" * 100), text("x" * 100), finish(), DONE), says="in 2"),
    unseen("a short text", S + "piecewise", GOOD),
    passes("none", S + "usage-unasked", GOOD),
    passes("null", S + "usage-unasked", stream({**role(), "usage": None}, finish(), DONE)),
    fails("a usage chunk", S + "usage-unasked", stream(role(), finish(), counted(), DONE), at=2),
    silent("asked for", S + "usage-unasked", COUNTED),
]
CASES: list[Case] = [*VALUES, *ORDER]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    rules = {name for name in BOOK if name.startswith(S)}
    assert rules_of(CASES, Outcome.PASS) == rules
    assert rules_of(CASES, Outcome.FAIL) == rules


def test_no_answer_decides_nothing() -> None:
    asked = request(GOOD.request.object)
    found = verdicts(got(None, to=asked, error="timed out"))
    told = {name: one.outcome for name, one in found.items() if name.startswith(S)}
    assert set(told.values()) == {Outcome.INCONCLUSIVE}


def test_more_choices_than_can_be_asked_for_are_walked_no_further() -> None:
    flood = stream(chunk(*(choice({"content": "x"}, index=at) for at in range(MAX_CHOICES * 3))), DONE)
    found = verdict(S + "finish-once", flood)
    assert found
    assert found.findings[-1].text == f"and {MAX_CHOICES - 20} more of the same rule"
