"""The rules about text completions, streamed or whole, case by case."""

from typing import Any

from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Auth
from tests.conformance.exchanges import (
    DONE,
    Case,
    each,
    fails,
    failure,
    got,
    moody,
    passes,
    request,
    rules_of,
    silent,
    undecided,
    verdicts,
)
from tests.conformance.exchanges import whole as chat_whole
from tests.conformance.text_exchanges import (
    GOOD,
    TEXTS,
    answer,
    asked,
    end,
    more_text,
    piece,
    said,
    stream,
    text_body,
    totals,
    whole,
)

C = "completions."
LONG = "word " * 60
WRONG_KEY = got(200, answer(), to=request(text_body(), path=TEXTS, auth=Auth.WRONG))


def lists(*tokens: str, top: int = 2, **more: Any) -> dict[str, Any]:
    """logprobs in their older form."""
    each_one = [{token: -0.5} | {f"{token}{rank}": -1.0 for rank in range(1, top)} for token in tokens]
    return {"tokens": list(tokens), "token_logprobs": [-0.5] * len(tokens), "top_logprobs": each_one} | more


def with_tokens(told: Any, text: str = " three,", **members: Any) -> Any:
    return whole(answer(said(text, "stop", logprobs=told)), **({"logprobs": 2} | members))


TOLD = lists(" three", ",")

CASES = [
    passes("an answer", C + "answered", whole()),
    fails("502", C + "answered", got(502, b"oops", to=asked(stream=True))),
    undecided("a refusal", C + "answered", got(400, failure(), to=asked())),
    silent("a wrong key", C + "answered", WRONG_KEY),
    silent("chat", C + "answered", chat_whole()),
    passes("JSON", C + "content-type", whole()),
    fails("a stream", C + "content-type", got(200, b"data: {}\n\n", to=asked(), kind="text/event-stream")),
    undecided("an error", C + "content-type", got(400, failure(), to=asked())),
    silent("streamed", C + "content-type", GOOD),
    passes("the whole object", C + "schema", whole()),
    passes("without logprobs, or null", C + "schema", whole(answer(said(finish="stop", logprobs=None)))),
    fails("an object of chat", C + "schema", whole(answer(object="chat.completion"))),
    fails("no text", C + "schema", whole(answer({"index": 0, "finish_reason": "stop"}))),
    fails("a null finish_reason", C + "schema", whole(answer(said()))),
    fails("a finish_reason of chat", C + "schema", whole(answer(said(finish="tool_calls")))),
    passes("usage is told elsewhere", C + "schema", whole(answer(usage={"prompt_tokens": "3"}))),
    undecided("no object", C + "schema", got(200, b"[]", to=asked())),
    passes("the model", C + "model", whole()),
    fails("another model", C + "model", whole(answer(model="backend-01"))),
    fails("another model in a stream", C + "model", stream(more_text() | {"model": "x"}, end(), DONE), at=0),
    passes("two of two", C + "n", whole(answer(said(finish="stop"), said(finish="stop", index=1)), n=2)),
    fails("one of two", C + "n", whole(n=2)),
    fails("one of two in a stream", C + "n", stream(more_text(), end(), DONE, n=2)),
    silent("one asked for", C + "n", whole()),
    silent("prompts have a rule of their own", C + "n", whole(n=2, prompt=["a", "b"])),
    passes(
        "two prompts, two choices each",
        C + "prompts",
        whole(answer(*(said(finish="stop", index=at) for at in range(4))), prompt=["a", "b"], n=2),
    ),
    passes("token ids of one prompt", C + "answered", whole(prompt=[1, 2])),
    fails("the first alone", C + "prompts", whole(prompt=["a", "b"])),
    fails("the first of two lists of token ids", C + "prompts", whole(prompt=[[1], [2]])),
    silent("one list of token ids", C + "prompts", whole(prompt=[1, 2])),
    silent("one prompt in a list", C + "prompts", whole(prompt=["a"])),
    passes("before the stop sequence", C + "stop", whole(stop="four")),
    fails("the stop sequence", C + "stop", whole(stop="three")),
    fails(
        "the stop sequence over two pieces", C + "stop", stream(more_text(" th"), more_text(), end(), DONE, stop="th t")
    ),
    moody("the limit came first", C + "stop", whole(answer(said(finish="length")), stop="x")),
    silent("the prompt is echoed, and may hold it", C + "stop", whole(stop="One", echo=True)),
    passes("cut by the limit", C + "limit", whole(answer(said(finish="length")), max_tokens=2)),
    fails("too long", C + "limit", whole(answer(said(LONG, "length")), max_tokens=5)),
    fails(
        "counted beyond it",
        C + "limit",
        whole(answer(said("a", "length"), usage={"completion_tokens": 9}), max_tokens=2),
    ),
    moody("ended by itself", C + "limit", whole(max_tokens=50)),
    silent("the prompt is echoed", C + "limit", whole(max_tokens=1, echo=True)),
    silent("the best of several are counted", C + "limit", whole(max_tokens=1, best_of=2)),
    passes("the prompt in front", C + "echo", whole(answer(said("One, two, three", "stop")), echo=True)),
    passes("with a blank of the tokenizer", C + "echo", whole(answer(said(" One, two, three", "stop")), echo=True)),
    passes(
        "each its own prompt",
        C + "echo",
        whole(answer(said("a b", "stop"), said("c d", "stop", 1)), prompt=["a", "c"], echo=True),
    ),
    fails("no prompt", C + "echo", whole(echo=True)),
    fails("no prompt in a stream", C + "echo", stream(more_text(), end(), DONE, echo=True)),
    passes(
        "an index out of range is told elsewhere", C + "echo", whole(answer(said(finish="stop", index=7)), echo=True)
    ),
    silent("token ids cannot be compared", C + "echo", whole(prompt=[1, 2], echo=True)),
    silent("not asked for", C + "echo", whole()),
    passes("four lists", C + "logprobs", with_tokens(TOLD)),
    passes("one alternative more, for the token itself", C + "logprobs", with_tokens(lists(" three", ",", top=3))),
    passes("no alternatives were asked for", C + "logprobs", with_tokens(TOLD | {"top_logprobs": None}, logprobs=0)),
    passes(
        "a stream",
        C + "logprobs",
        stream(piece(said(" three,", logprobs=TOLD)), end(), DONE, logprobs=2),
    ),
    passes(
        "the first token of an echoed prompt",
        C + "logprobs",
        with_tokens(TOLD | {"token_logprobs": [None, -0.5]}, echo=True),
    ),
    fails("null", C + "logprobs", with_tokens(None), says="no logprobs.tokens"),
    fails("in the shape of chat", C + "logprobs", with_tokens({"content": [{"token": "a"}]}), says="shape of chat"),
    moody("no text", C + "logprobs", whole(answer(said("", "stop")), logprobs=2)),
    fails("a list too short", C + "logprobs", with_tokens(TOLD | {"token_logprobs": [-0.5]}), says="2 tokens, but 1"),
    fails("a null in mid-text", C + "logprobs", with_tokens(TOLD | {"token_logprobs": [None, -0.5]})),
    fails("a probability above 1", C + "logprobs", with_tokens(TOLD | {"token_logprobs": [-0.5, 0.5]}), says="token 1"),
    fails("no alternatives", C + "logprobs", with_tokens(TOLD | {"top_logprobs": []}), says="were asked for"),
    fails("too many", C + "logprobs", with_tokens(lists(" three", ",", top=4)), says="4 alternatives"),
    fails("another text", C + "logprobs", with_tokens(lists("x")), says="spell"),
    silent("not asked for", C + "logprobs", whole()),
    silent("of chat's type", C + "logprobs", got(200, answer(), to=asked(logprobs=True))),
]
STREAM = [
    passes("pieces", C + "stream.schema", GOOD),
    fails("an object of chat", C + "stream.schema", stream(more_text() | {"object": "x"}, end(), DONE), at=0),
    fails("no piece at all", C + "stream.schema", stream({"hello": 1}, DONE), at=0),
    fails("a choice without index", C + "stream.schema", stream(piece({"text": "a"}), end(), DONE), at=0),
    passes("text is told elsewhere", C + "stream.schema", stream(more_text(None), end(), DONE)),
    undecided("no stream", C + "stream.schema", whole(stream=True)),
    silent("not streamed", C + "stream.schema", whole()),
    passes("text in each", C + "stream.text", GOOD),
    fails("null", C + "stream.text", stream(more_text(None), end(), DONE), at=0),
    fails("none", C + "stream.text", stream(more_text(), piece({"index": 0, "finish_reason": "stop"}), DONE), at=1),
    passes("the member may be left out", C + "stream.finish-reason", stream(piece({"index": 0, "text": "a"}), end())),
    fails("a word of the vendor", C + "stream.finish-reason", stream(more_text(), end("eos"), DONE), at=1),
    passes("one id", C + "stream.id", GOOD),
    fails("two", C + "stream.id", stream(more_text(), end() | {"id": "c2"}, DONE), at=1),
    passes("one time", C + "stream.created", GOOD),
    fails("milliseconds", C + "stream.created", stream(more_text() | {"created": 1700000000000}, DONE), at=0),
    passes("two choices", C + "stream.index", stream(more_text(index=1), end(), end(index=1), DONE, n=2)),
    passes("two prompts", C + "stream.index", stream(more_text(index=1), end(), end(index=1), DONE, prompt=["a", "b"])),
    fails("beyond them", C + "stream.index", stream(more_text(index=1), end(index=1), DONE), at=0),
    passes("once", C + "stream.finish-once", GOOD),
    passes("beside the last text", C + "stream.finish-once", stream(piece(said(" three", "stop")), DONE)),
    fails("twice", C + "stream.finish-once", stream(more_text(), end(), end(), DONE), at=2),
    fails("never", C + "stream.finish-once", stream(more_text(), DONE), at=2),
    passes("an empty text behind it", C + "stream.finish-last", stream(more_text(), end(), more_text(""), DONE)),
    fails("text behind it", C + "stream.finish-last", stream(end(), more_text(), DONE), at=1),
    passes("at the end", C + "stream.done", GOOD),
    fails("never", C + "stream.done", stream(more_text(), end()), at=2),
    passes("once", C + "stream.done-once", GOOD),
    fails("twice", C + "stream.done-once", stream(end(), DONE, DONE), at=2),
    passes("nothing", C + "stream.nothing-after-done", GOOD),
    fails("a piece", C + "stream.nothing-after-done", stream(end(), DONE, more_text()), at=2),
    passes("to the end", C + "stream.completes", GOOD),
    fails("an error", C + "stream.completes", stream(more_text(), failure("gone"), DONE), at=1, says="gone"),
    passes(
        "a piece of its own",
        C + "stream.usage-asked",
        stream(more_text(), end(), totals(), DONE, stream_options={"include_usage": True}),
    ),
    fails(
        "beside a choice",
        C + "stream.usage-asked",
        stream(more_text(), end() | {"usage": totals()["usage"]}, DONE, stream_options={"include_usage": True}),
        at=1,
    ),
    passes("none", C + "stream.usage-unasked", GOOD),
    fails("some", C + "stream.usage-unasked", stream(more_text(), end(), totals(), DONE), at=2),
]
SHARED = [
    passes("no text, no tokens", "usage.present", whole(answer(said("", "stop"), usage={**totals()["usage"]}))),
    fails("text for nothing", "usage.present", whole(answer(usage=dict.fromkeys(totals()["usage"], 0)))),
    fails("another total", "usage.sum", whole(answer(usage=totals(total=9)["usage"]))),
    fails("whole JSON for a stream", "sse.content-type", whole(stream=True)),
]


@each([*CASES, *STREAM, *SHARED])
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    rules = {name for name in BOOK if name.startswith(C)}
    assert rules_of([*CASES, *STREAM], Outcome.PASS) == rules
    assert rules_of([*CASES, *STREAM], Outcome.FAIL) == rules


def test_rules_of_chat_do_not_speak_of_texts() -> None:
    assert not [name for name in verdicts(GOOD) if name.startswith("chat.")]
