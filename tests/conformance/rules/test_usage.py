"""The rules about the tokens that are billed."""

from typing import Any

import pytest

from conformance.rule import Outcome
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
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
    usage,
    verdict,
    whole,
)
from tests.conformance.rules.steps import outcome_over


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

LONG = "the quick brown fox jumps over the lazy dog " * 100  # 4400 bytes, 3500 characters that are no blank
UNTHOUGHT = {"completion_tokens_details": {"reasoning_tokens": 0}}


def asked(content: Any = "hi", counts: Any = None, *choices: dict[str, Any], **more: Any) -> Exchange:
    """A whole answer to this content, with these counts."""
    body = answer(*choices) | {"usage": usage() if counts is None else counts}
    return whole(body, messages=[{"role": "user", "content": content}], **more)


def listing(tokens: list[str], counts: Any) -> Exchange:
    listed = {"content": [{"token": token, "logprob": -1.0, "bytes": None} for token in tokens]}
    return asked("hi", counts, message("Hello you") | {"logprobs": listed}, logprobs=True)


def counts_of(completion: int, prompt: int = 3, **details: int) -> dict[str, Any]:
    parts = UNTHOUGHT if not details else {"completion_tokens_details": {"reasoning_tokens": 0} | details}
    return usage(prompt, completion, prompt + completion, **parts)


PICTURE: Any = [{"type": "image_url", "image_url": {"url": "https://x.example/a.png"}}]
SWAPPED = counts_of(900, prompt=2)

BILLED = [
    passes("a template", "usage.prompt", asked("hi", usage(700, 2, 702))),
    passes("a long text", "usage.prompt", asked(LONG, usage(5000, 2, 5002))),
    fails("a hidden prompt", "usage.prompt", asked("hi", usage(7653, 2, 7655)), says="7653 prompt tokens, "),
    fails("cached", "usage.prompt", asked("hi", usage(7653, 2, 7655, prompt_tokens_details={"cached_tokens": 7552})),
          says="(7552 of them cached)"),
    undecided("no count", "usage.prompt", asked("hi", {"total_tokens": 3})),
    unseen("no usage", "usage.prompt", told()),
    silent("a picture", "usage.prompt", asked(PICTURE, usage(7653, 2, 7655))),
    silent("a search", "usage.prompt", asked("hi", usage(7653, 2, 7655), web_search_options={"x": 1})),
    passes("parts of text", "usage.prompt", asked([{"type": "text", "text": "hi"}])),
    passes("in a stream", "usage.prompt", told(usage())),
    fails("in a stream", "usage.prompt", told(usage(3, 2, 5), usage(9000, 2, 9002))),
    passes("a template", "usage.prompt-overhead", asked("hi", usage(34, 2, 36))),
    passes("no count", "usage.prompt-overhead", asked("hi", {"total_tokens": 3})),
    fails("a vendor's prompt", "usage.prompt-overhead", asked("hi", usage(700, 2, 702)), says="texts of 2 bytes, 637"),
    fails("to parts", "usage.prompt-overhead", asked([{"type": "text", "text": "hi"}], usage(700, 2, 702))),
    silent("tools", "usage.prompt-overhead", asked("hi", usage(700, 2, 702), tools=[WEATHER])),
    passes("a token for each byte", "usage.completion", asked("hi", counts_of(66))),
    passes("thinking that is told", "usage.completion", asked("hi", counts_of(900, reasoning_tokens=890))),
    passes("sound", "usage.completion", asked("hi", counts_of(900, audio_tokens=890))),
    passes("a call", "usage.completion", asked("hi", counts_of(130), message(None, "tool_calls", tool_calls=[call()]))),
    passes("a call without a name", "usage.completion",
           asked("hi", counts_of(130), message(None, "tool_calls", tool_calls=[call(name=None)]))),
    fails("phantoms", "usage.completion", asked("hi", counts_of(859)), says="859 completion tokens, but what"),
    fails("beside thinking", "usage.completion", asked("hi", counts_of(900, reasoning_tokens=100)), says="less 100"),
    moody("thinking that may not be told", "usage.completion", asked("hi", usage(3, 859, 862)), says="does not tell"),
    moody("details in words", "usage.completion", asked("hi", usage(3, 859, 862, completion_tokens_details="x"))),
    moody("thinking that is shown", "usage.completion", asked("hi", counts_of(900), message(reasoning_content="hm")),
          says="stand for more"),
    moody("text held back", "usage.completion", asked("hi", counts_of(900), message(reason="content_filter"))),
    moody("a picture", "usage.completion", asked("hi", counts_of(900), message(images=[{"type": "x"}]))),
    undecided("no count", "usage.completion", asked("hi", {"prompt_tokens": 3})),
    unseen("no usage", "usage.completion", told()),
    passes("as logprobs lists", "usage.completion", listing(["Hello", " you"], counts_of(54))),
    fails("more than listed", "usage.completion", listing(["Hello", " you"], counts_of(55)), says="the 2 tokens"),
    passes("logprobs of a part", "usage.completion", listing(["Hello"], counts_of(60))),
    passes("as sent", "usage.swapped", asked(LONG, counts_of(2, prompt=900))),
    passes("few, and an answer to match", "usage.swapped", asked(LONG, counts_of(2, prompt=2))),
    fails("swapped", "usage.swapped", asked(LONG, SWAPPED), says="2 prompt tokens, but the texts sent"),
    moody("thinking that may not be told", "usage.swapped", asked(LONG, usage(2, 900, 902))),
    moody("as long a prompt as the answer", "usage.swapped", asked("hi", SWAPPED)),
    undecided("no count", "usage.swapped", asked(LONG, {"prompt_tokens": 3})),
    passes("none", "usage.cached-told", said(PARTS)),
    fails("no parts", "usage.cached-told", asked()),
]  # fmt: skip
COMPLETIONS = request({"model": "m", "prompt": ["hi", LONG]}, path="/v1/completions")


@each(BILLED)
def test_what_the_rule_says_of_what_was_sent_and_came(case: Case) -> None:
    case.check()


def test_the_prompts_of_text_completions_are_counted_too() -> None:
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m", "usage": usage(9000, 2, 9002),
            "choices": [{"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": None}]}  # fmt: skip
    found = verdict("usage.prompt-overhead", got(200, body, to=COMPLETIONS))
    assert found
    assert found.outcome is Outcome.FAIL


@pytest.mark.parametrize(("best_of", "judged"), [(1, True), (2, False)])
def test_candidates_that_nobody_sees_may_be_counted(best_of: int, judged: bool) -> None:
    asked_for = request({"model": "m", "prompt": LONG, "best_of": best_of}, path="/v1/completions")
    body = {"id": "c", "object": "text_completion", "created": 1, "model": "m",
            "choices": [{"index": 0, "text": "Hi", "finish_reason": "stop", "logprobs": None}]}  # fmt: skip
    for name in ("usage.completion", "usage.swapped"):
        found = verdict(name, got(200, body | {"usage": counts_of(900, prompt=2)}, to=asked_for))
        assert (found is not None and found.outcome is Outcome.FAIL) == judged


GROWN = {
    "by its length": (10, 900, Outcome.PASS),
    "not at all": (10, 10, Outcome.FAIL),
    "it shrinks": (900, 10, Outcome.FAIL),
    "by more than its bytes": (10, 5500, Outcome.FAIL),
    "nothing counted": (0, 0, Outcome.INCONCLUSIVE),
}


@pytest.mark.parametrize(("before", "after", "outcome"), GROWN.values(), ids=GROWN)
def test_a_longer_prompt_costs_more(before: int, after: int, outcome: Outcome) -> None:
    short, long = asked("hi", counts_of(2, prompt=before)), asked(LONG, counts_of(2, prompt=after))
    assert outcome_over("usage.prompt-grows", {"short-prompt": short, "long-prompt": long}) is outcome


FIRST: list[Any] = [{"role": "user", "content": "Name a river."}, {"role": "assistant", "content": "Wye."}]
TURNS: list[Any] = [*FIRST, {"role": "user", "content": "hi"}]
OTHER: list[Any] = [*FIRST, {"role": "user", "content": "ho"}]
LONGER = {
    "more": (9, 9, 21, TURNS, Outcome.PASS),
    "as much": (9, 9, 9, TURNS, Outcome.PASS),
    "less": (9, 9, 3, TURNS, Outcome.FAIL),
    "equal ones differ": (9, 12, 3, TURNS, Outcome.INCONCLUSIVE),
    "nothing counted": (0, 0, 0, TURNS, Outcome.INCONCLUSIVE),
    "it ends otherwise": (9, 9, 3, OTHER, Outcome.PASS),
}


@pytest.mark.parametrize(("short", "again", "long", "turns", "outcome"), LONGER.values(), ids=LONGER)
def test_more_turns_before_the_same_cost_no_less(
    short: int, again: int, long: int, turns: Any, outcome: Outcome
) -> None:
    def told(prompt: int, **more: Any) -> Exchange:
        return whole(answer(usage=usage(prompt, 2, prompt + 2)), **more)

    one = [{"role": "user", "content": "hi"}]
    steps = {
        "short-prompt": told(short, messages=one),
        "short-prompt-again": told(again, messages=one),
        "long-prompt": told(long, messages=turns),
    }
    assert outcome_over("usage.longer-prompt", steps) is outcome


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    rows = [*CASES, *BILLED]
    assert (
        rules_of(rows, Outcome.PASS)
        == rules_of(rows, Outcome.FAIL)
        == chapter("usage")
        - {
            "usage.prompt-grows",
            "usage.longer-prompt",
        }
    )
