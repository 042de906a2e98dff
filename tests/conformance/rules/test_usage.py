"""The rules about the tokens that are billed."""

from typing import Any

from conformance.rule import Outcome
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    Case,
    answer,
    call,
    chapter,
    chat_body,
    chunk,
    counted,
    each,
    fails,
    finish,
    got,
    message,
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
    whole,
)


def said(counts: Any, *choices: dict[str, Any]) -> Exchange:
    return whole(answer(*choices) | {"usage": counts})


def told(*counts: Any) -> Exchange:
    """A stream with one usage a chunk."""
    return stream(role(), text(), finish(), *(chunk(usage=one) for one in counts), DONE)


ZERO = usage(0, 0, 0)
PARTS = usage(prompt_tokens_details={"cached_tokens": 3}, completion_tokens_details={"reasoning_tokens": 0})
NO_USAGE = whole({name: value for name, value in answer().items() if name != "usage"})
SORA = got(200, answer() | {"usage": None}, to=request(chat_body(model="sora-2")))

CASES = [
    passes("three counts", "usage.present", whole()),
    passes("no text, no tokens", "usage.present", said(ZERO, message(""))),
    fails("none", "usage.present", NO_USAGE, says="expected a usage object, got null"),
    fails("a text", "usage.present", said(usage("3")), says="prompt_tokens"),
    fails("a truth", "usage.present", said(usage(prompt=True))),
    fails("a negative count", "usage.present", said(usage(3, -2, 1)), says="completion_tokens"),
    fails("text for nothing", "usage.present", said(ZERO), says="counts nothing"),
    fails("a call for nothing", "usage.present", said(ZERO, message(None, "tool_calls", tool_calls=[call()]))),
    undecided("an error", "usage.present", whole({"error": {"message": "x"}})),
    undecided("no JSON", "usage.present", got(200, b"hi")),
    silent("a video counts no tokens", "usage.present", SORA),
    passes("the sum", "usage.sum", whole()),
    fails("another number", "usage.sum", said(usage(total=6))),
    fails("in a stream, at its event", "usage.sum", told(usage(total=6)), at=3, says="a total of 6"),
    undecided("counts that are not all there", "usage.sum", told({"prompt_tokens": 0})),
    unseen("no usage", "usage.sum", told()),
    passes("a stream that counts as it goes", "usage.sum", told({"prompt_tokens": 0}, usage())),
    passes("parts within", "usage.details", said(PARTS)),
    passes("no parts", "usage.details", said(usage(prompt_tokens_details=None))),
    passes("members that nobody knows", "usage.details", said(usage(prompt_tokens_details={"cost": 99}, x_details=1))),
    passes("parts of no count", "usage.details", said({"prompt_tokens_details": {"cached_tokens": 9}})),
    fails("more than the whole", "usage.details", said(usage(completion_tokens_details={"reasoning_tokens": 9}))),
    fails("in a stream", "usage.details", told(usage(prompt_tokens_details={"cached_tokens": 9})), at=3),
    fails("a part in words", "usage.details", said(usage(prompt_tokens_details={"cached_tokens": "1"}))),
    fails("a negative part", "usage.details", told(usage(prompt_tokens_details={"cached_tokens": -1})), at=3),
    unseen("no usage", "usage.details", told()),
    passes("whole numbers", "usage.stream-types", told(usage())),
    passes("some of them", "usage.stream-types", told({"prompt_tokens": 0})),
    fails("a text", "usage.stream-types", told(usage("3")), at=3),
    fails("a fraction", "usage.stream-types", told(usage(3.5)), at=3),
    fails("a negative count", "usage.stream-types", told(usage(), usage(-1)), at=4),
    fails("a list", "usage.stream-types", told([]), at=3, says="usage object"),
    unseen("no usage", "usage.stream-types", told(None)),
    undecided("no stream", "usage.stream-types", whole(stream=True)),
    silent("not streamed", "usage.stream-types", whole()),
    passes("an error beside it", "usage.stream-types", stream(role(), counted(), {"error": "x"})),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("usage")
