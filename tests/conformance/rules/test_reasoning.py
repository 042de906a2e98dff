"""The rules about the thinking that relays show."""

from typing import Any

from conformance.rule import Outcome
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    Case,
    answer,
    chapter,
    choice,
    chunk,
    each,
    fails,
    failure,
    finish,
    message,
    passes,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    usage,
    whole,
)


def thinking(piece: Any = "Hm", name: str = "reasoning_content", index: Any = 0, **more: Any) -> dict[str, Any]:
    return chunk(choice({name: piece} | more, index=index))


def details(event: dict[str, Any]) -> dict[str, Any]:
    """The event with details of the thinking in its delta."""
    event["choices"][0]["delta"]["reasoning_details"] = [{"type": "reasoning.text", "text": "Hm"}]
    return event


def streamed(*events: dict[str, Any], **asked: Any) -> Exchange:
    return stream(role(), *events, finish(), DONE, **asked)


def counting(tokens: Any, **members: Any) -> Exchange:
    counts = usage(completion_tokens_details={"reasoning_tokens": tokens})
    return whole(answer(message("Hi", **members), usage=counts))


CASES = [
    passes("before the text", "reasoning.order", streamed(thinking(), thinking(), text())),
    passes("each choice has its own", "reasoning.order", streamed(thinking(), text(), thinking(index=1), n=2)),
    passes("a signature behind it", "reasoning.order", streamed(thinking(), text(), thinking("\n"))),
    passes("a blank before it", "reasoning.order", streamed(text("\n"), thinking(), text())),
    passes("an index that is no number", "reasoning.order", streamed(thinking(), text(), thinking(index={}))),
    fails("behind the text", "reasoning.order", streamed(thinking(), text(), thinking()), at=3),
    fails("under the other name", "reasoning.order", streamed(text(), thinking(name="reasoning")), at=2),
    unseen("no thinking", "reasoning.order", streamed(text())),
    silent("interleaved with calls", "reasoning.order", streamed(text(), thinking(), tools=[WEATHER])),
    silent("whole", "reasoning.order", whole()),
    passes("one of the two", "reasoning.apart", streamed(thinking(), text())),
    passes("empty beside it", "reasoning.apart", streamed(thinking(content=""), text())),
    passes("null beside it", "reasoning.apart", streamed(thinking(content=None), text())),
    passes("a delta that is none", "reasoning.apart", streamed(thinking(), chunk(choice("x")))),
    fails("both", "reasoning.apart", streamed(thinking(content="Hi")), at=1),
    passes("in one member", "reasoning.once", streamed(thinking(), text())),
    passes("details that spell nothing", "reasoning.once", streamed(thinking(reasoning_details=[{"text": ""}, 5]))),
    passes("details alone beside a thought", "reasoning.once", streamed(thinking(), details(thinking("")))),
    fails("in both", "reasoning.once", streamed(text(), details(thinking())), at=2),
    unseen("no thinking", "reasoning.once", streamed(text())),
    silent("whole", "reasoning.once", whole()),
    passes("a text", "reasoning.think-tags", whole()),
    passes("far behind", "reasoning.think-tags", whole(answer(message("x" * 300 + "<think>")))),
    fails("a tag", "reasoning.think-tags", whole(answer(message("<think>\nHm</think>Hi")))),
    fails("over several events", "reasoning.think-tags", streamed(text("<thi"), text("nk>"))),
    unseen("no text", "reasoning.think-tags", whole(answer(message(None)))),
    undecided("an error", "reasoning.think-tags", stream(role(), text(), failure())),
    passes("shown", "reasoning.shown", counting(5, reasoning_content="Hm")),
    passes("shown between tags", "reasoning.shown", whole(
        answer(message("<think>Hm</think>"), usage=usage(completion_tokens_details={"reasoning_tokens": 3})))),
    fails("counted alone", "reasoning.shown", counting(5), says="5 tokens of thinking"),
    unseen("none", "reasoning.shown", counting(0)),
    unseen("no count", "reasoning.shown", counting("5")),
    unseen("no usage", "reasoning.shown", streamed(text())),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("reasoning")
