"""The rules about chat answers, streamed or whole."""

from typing import Any

import pytest

from conformance.rule import Outcome
from conformance.rules.chat import compiled
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    EVENTS,
    WEATHER,
    Case,
    answer,
    call,
    choice,
    chunk,
    cut,
    each,
    fails,
    failure,
    finish,
    got,
    message,
    moody,
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
    whole,
)

OBJECT = {"response_format": {"type": "json_object"}}
CITY = {"type": "object", "required": ["city"], "properties": {"city": {"type": "string"}}}


def wanted(schema: Any = CITY, *, strict: Any = True) -> dict[str, Any]:
    form = {"name": "city", "strict": strict} | ({} if schema is None else {"schema": schema})
    return {"response_format": {"type": "json_schema", "json_schema": form}}


def said(content: str, reason: Any = "stop", counts: Any = None, *, more: Any = None, **asked: Any) -> Exchange:
    """A whole answer with this text."""
    body = answer(message(content, reason, **(more or {})))
    return whole(body | ({"usage": counts} if counts else {}), **asked)


def of_model(named: Any, asked: str = "m") -> Exchange:
    return whole(answer(model=named), model=asked)


def token(text: Any = "Hi", value: Any = -0.1, top: Any = (), **more: Any) -> dict[str, Any]:
    return {"token": text, "logprob": value, "bytes": None, "top_logprobs": list(top)} | more


def scored(*tokens: Any, content: str = "Hi", top: int | None = None) -> Exchange:
    body = answer(message(content) | {"logprobs": {"content": list(tokens)}})
    return whole(body, logprobs=True, **({} if top is None else {"top_logprobs": top}))


REASONED = usage(9, 50, 59, completion_tokens_details={"reasoning_tokens": 45})
REFUSED: dict[str, Any] = {"refusal": "No."}
NO_CHOICE = answer() | {"choices": []}

CASES = [
    passes("a 200", "chat.answered", whole()),
    fails("a 500", "chat.answered", got(500, {"error": {"message": "oops"}}), says="oops"),
    fails("a page of a proxy", "chat.answered", got(502, b"<html>", kind="text/html")),
    *(undecided(f"{status}", "chat.answered", got(status, b"")) for status in (301, 400, 401, 404, 429, 501, 503, 529)),
    undecided("our time-out", "chat.answered", got(None, kind=None, error="no answer within 120 s"), says="120 s"),
    silent("an illegal request", "chat.answered", whole(temperature="hot")),
    silent("no JSON by its own word", "chat.answered", got(500, to=request(b"{}", kind="text/plain"))),
    passes("JSON", "chat.content-type", whole()),
    passes("blanks before it", "chat.content-type", got(200, b"  \n{}")),
    fails("another type", "chat.content-type", got(200, answer(), kind="text/plain"), says="'text/plain'"),
    fails("none", "chat.content-type", got(200, answer(), kind=None), says="None"),
    fails("events", "chat.content-type", got(200, b"data: {}\n\n", kind=EVENTS)),
    fails("a list", "chat.content-type", got(200, []), says="no object"),
    fails("no JSON", "chat.content-type", got(200, b"hi"), says="not JSON"),
    undecided("we left", "chat.content-type", ours(got(200, b"{"))),
    undecided("an unknown coding", "chat.content-type", got(200, b"{", headers=(("content-encoding", "br"),))),
    passes("an answer", "chat.schema", whole()),
    passes("a call", "chat.schema", whole(answer(message(None, "tool_calls", tool_calls=[call()])))),
    passes("unknown members", "chat.schema", whole(answer(provider="x"))),
    passes("a wrong usage is told elsewhere", "chat.schema", whole(answer() | {"usage": {}})),
    fails("no id", "chat.schema", whole(answer() | {"id": None}), says="/id"),
    fails("milliseconds", "chat.schema", whole(answer(created=1700000000000)), says="/created"),
    fails("no choice", "chat.schema", whole(NO_CHOICE), says="/choices"),
    fails("null choices", "chat.schema", whole(answer() | {"choices": None, "error": {"message": "x"}})),
    fails("no finish_reason", "chat.schema", whole(answer(message("x", None)))),
    fails("under another media type", "chat.schema", got(200, {"id": "x"}, kind="text/plain")),
    undecided("an error", "chat.schema", whole(failure("no such thing")), says="no such thing"),
    undecided("events", "chat.schema", got(200, b"", kind=EVENTS)),
    passes("the same", "chat.model", whole()),
    *(
        passes(f"{named} for {asked}", "chat.model", of_model(named, asked))
        for named, asked in (
            ("gpt-4o-2024-11-20", "gpt-4o"),
            ("GPT-4o", "gpt-4o"),
            ("gpt-4o", "openai/gpt-4o"),
            ("openai/gpt-4o-2024-11-20", "gpt-4o"),
            ("claude-3-5-sonnet-20241022", "claude-3-5-sonnet-latest"),
            ("claude-3-5-sonnet@20241022", "claude-3-5-sonnet"),
            ("gemini-2.5-pro-preview-05-06", "gemini-2.5-pro"),
            ("deepseek/deepseek-r1:free", "deepseek-r1"),
        )
    ),
    *(
        fails(f"{named} for {asked}", "chat.model", of_model(named, asked), says=named)
        for named, asked in (("gpt-4o-mini", "gpt-4o"), ("gpt-4o", "gpt-4"), ("gpt-4.1", "gpt-4"), ("sora", "sora-2"))
    ),
    fails("another in mid-stream", "chat.model", stream(role(), {**text(), "model": "n"}, DONE), at=1),
    passes("the prefilter names none", "chat.model", stream(chunk(model="", prompt_filter_results=[]), role(), DONE)),
    undecided("none", "chat.model", of_model(5)),
    undecided("an error", "chat.model", whole(failure())),
    passes("a text", "chat.not-empty", whole()),
    passes("a refusal", "chat.not-empty", said("", more=REFUSED)),
    passes("a text of several events", "chat.not-empty", stream(role(), text(" "), text("x"), finish(), DONE)),
    fails("nothing", "chat.not-empty", said(""), says="choice 0 says nothing"),
    fails("blanks", "chat.not-empty", said(" \n")),
    fails("thinking alone", "chat.not-empty", said("", more={"reasoning_content": "Hm"})),
    fails("an empty stream", "chat.not-empty", stream(role(), finish(), DONE)),
    fails("one of two choices", "chat.not-empty", whole(answer(message(), message("", index=1)), n=2), says="choice 1"),
    moody("the limit", "chat.not-empty", said("", "length")),
    moody("a filter", "chat.not-empty", said("", "content_filter")),
    undecided("no finish_reason", "chat.not-empty", said("", None)),
    undecided("a picture", "chat.not-empty", said("", more={"images": [{}]}), says="images"),
    undecided("sound", "chat.not-empty", stream(role(), chunk(choice({"audio": {"id": "a"}})), finish(), DONE)),
    undecided("an error", "chat.not-empty", stream(role(), failure())),
    silent("a stop sequence may stand first", "chat.not-empty", said("", stop="a")),
    silent("behind a result", "chat.not-empty", said("", tools=[WEATHER])),
    silent("no prompt", "chat.not-empty", said("", messages=[{"role": "user", "content": ""}])),
    silent("the model spoke last", "chat.not-empty", said("", messages=[{"role": "assistant", "content": "x"}])),
    silent("a video", "chat.not-empty", said("", model="sora-2")),
    passes("alone", "chat.refusal", said("", more=REFUSED)),
    passes("null beside it", "chat.refusal", whole(answer(message(None, **REFUSED)))),
    passes("in a stream", "chat.refusal", stream(role(), chunk(choice(REFUSED)), finish(), DONE)),
    fails("beside a text", "chat.refusal", said("Sorry.", more=REFUSED), says="Sorry."),
    fails("beside a text in a stream", "chat.refusal", stream(role(), chunk(choice(REFUSED)), text(), finish(), DONE)),
    unseen("none", "chat.refusal", whole()),
    unseen("no choice", "chat.refusal", whole(NO_CHOICE)),
    undecided("and an error", "chat.refusal", stream(role(), chunk(choice(REFUSED)), failure())),
    passes("null", "chat.refusal-key", said("x", more={"refusal": None})),
    fails("left out", "chat.refusal-key", whole(), says="without the member"),
    undecided("no message", "chat.refusal-key", whole(NO_CHOICE)),
    passes("two", "chat.n", whole(answer(message(), message(index=1)), n=2)),
    passes("two in any order", "chat.n", stream(role(1), role(), finish(index=1), finish(), DONE, n=2)),
    fails("one", "chat.n", whole(n=2), says="expected choices 0 to 1, got [0]"),
    fails("one of them twice", "chat.n", whole(answer(message(), message(index=1), message(index=1)), n=2)),
    fails("one stream", "chat.n", stream(role(), finish(), DONE, n=3)),
    undecided("an error", "chat.n", stream(role(), failure(), DONE, n=2)),
    undecided("we left", "chat.n", ours(stream(role(), n=2))),
    undecided("a refusal", "chat.n", got(400, failure(), to=request(whole(n=2).request.object))),
    silent("n 1", "chat.n", whole(n=1)),
    passes("before it", "chat.stop", said("1,2,", stop="3")),
    fails("it stands there", "chat.stop", said("1,2,3", stop=["x", "3"]), says="'3'"),
    fails("over several events", "chat.stop", stream(role(), text("a"), text("b"), finish(), DONE, stop="ab")),
    moody("the limit came first", "chat.stop", said("1,2,", "length", stop="3")),
    undecided("no finish_reason", "chat.stop", said("1,2,", None, stop="3")),
    silent("an empty one", "chat.stop", said("1", stop="")),
    silent("null", "chat.stop", said("1", stop=None)),
    passes("at the limit", "chat.limit", said("1,2", "length", usage(3, 5, 8), max_tokens=5)),
    passes("tokenizers differ", "chat.limit", said("1,2", "length", usage(3, 7, 10), max_tokens=5)),
    passes("the newer name", "chat.limit", said("1,2", "length", usage(3, 5, 8), max_completion_tokens=5)),
    passes("thinking is not counted", "chat.limit", said("1", "length", REASONED, max_tokens=5)),
    passes("two choices", "chat.limit", whole(
        answer(message("1", "length"), message("1", "length", 1)) | {"usage": usage(3, 10, 13)}, n=2, max_tokens=5)),
    passes("a drawn line", "chat.limit", said("-" * 999, "length", usage(3, 5, 8), max_tokens=5)),
    passes("no usage", "chat.limit", stream(role(), text("a"), finish("length"), DONE, max_tokens=5)),
    fails("beyond, by usage", "chat.limit", said("1", "length", usage(3, 50, 53), max_tokens=5), says="counts 50"),
    fails("beyond, by the text", "chat.limit", said("ab" * 99, "length", usage(3, 5, 8), max_tokens=5), says="least"),
    passes("thinking that nobody counted apart", "chat.limit", said(
        "1", "length", usage(3, 50, 53), more={"reasoning_content": "…"}, max_tokens=5)),
    moody("the model ended", "chat.limit", said("1", "stop", usage(3, 1, 4), max_tokens=5)),
    undecided("no finish_reason", "chat.limit", said("1", None, usage(3, 1, 4), max_tokens=5)),
    silent("a video", "chat.limit", said("1", "stop", max_tokens=5, model="sora-2")),
    passes("an object", "chat.json-object", said('{"a":1}', **OBJECT)),
    fails("a list", "chat.json-object", said("[]", **OBJECT)),
    fails("a fence", "chat.json-object", said("```json\n{}\n```", **OBJECT), says="```json"),
    moody("cut by the limit", "chat.json-object", said('{"a', "length", **OBJECT)),
    moody("cut by a stop", "chat.json-object", said('{"a', stop=["b"], **OBJECT), says="stop sequence"),
    moody("nothing before a stop", "chat.json-object", said("", stop=["{"], **OBJECT)),
    fails("prose beside a stop", "chat.json-object", said("Paris", stop=["b"], **OBJECT)),
    passes("whole beside a stop", "chat.json-object", said('{"a":1}', stop=["b"], **OBJECT)),
    moody("refused", "chat.json-object", said("", more=REFUSED, **OBJECT)),
    moody("filtered", "chat.json-object", said("", "content_filter", **OBJECT)),
    undecided("no finish_reason", "chat.json-object", said('{"a', None, **OBJECT)),
    undecided("no choice", "chat.json-object", whole(NO_CHOICE, **OBJECT)),
    silent("with tools", "chat.json-object", said("x", tools=[WEATHER], **OBJECT)),
    silent("as text", "chat.json-object", said("x", response_format={"type": "text"})),
    passes("it fits", "chat.json-schema", said('{"city":"Rome"}', **wanted())),
    fails("it does not", "chat.json-schema", said("{}", **wanted()), says="city"),
    fails("no JSON", "chat.json-schema", said("Rome", **wanted()), says="not JSON"),
    fails("no JSON, not strict", "chat.json-schema", said("Rome", **wanted(strict=False))),
    moody("it does not, not strict", "chat.json-schema", said("{}", **wanted(strict=None))),
    moody("cut by the limit", "chat.json-schema", said('{"a', "length", **wanted())),
    undecided("no schema", "chat.json-schema", said("{}", **wanted(None))),
    undecided("one that is none", "chat.json-schema", said("{}", **wanted({"type": "no such type"}))),
    undecided("one that stands elsewhere", "chat.json-schema", said("{}", **wanted({"$ref": "https://x.example/s"}))),
    undecided("a lone surrogate", "chat.json-schema", said('"\\ud800"', **wanted())),
    undecided("nested beyond measure", "chat.json-schema", said("[" * 500 + "]" * 500, **wanted())),
    passes("a token", "chat.logprobs", scored(token())),
    passes("alternatives", "chat.logprobs", scored(token(top=[token(), token()]), top=2)),
    passes("pieces of characters", "chat.logprobs", scored(token("\ufffd"), token("H"), token("i"))),
    fails("none", "chat.logprobs", whole(logprobs=True), says="no logprobs.content"),
    fails("an empty list", "chat.logprobs", scored()),
    fails("no alternatives", "chat.logprobs", scored(token(), top=2), says="2 alternatives were asked for"),
    fails("too many", "chat.logprobs", scored(token(top=[1, 2, 3]), top=2), says="3 alternatives, asked for 2"),
    fails("a probability", "chat.logprobs", scored(token(value=0.9)), says="a logprob of 0.9"),
    fails("no bytes", "chat.logprobs", scored({"token": "Hi", "logprob": -1, "top_logprobs": []}), says="no bytes"),
    fails("null alternatives", "chat.logprobs", scored(token() | {"top_logprobs": None}), says="no top_logprobs"),
    fails("no token", "chat.logprobs", scored(5), says="expected token and logprob, got 5"),
    fails("a text that they do not spell", "chat.logprobs", scored(token(), content="Good morning"), says="spell"),
    moody("no text", "chat.logprobs", scored(content="")),
    passes("in a stream", "chat.logprobs", stream(
        role(), chunk(choice({"content": "Hi"}, logprobs={"content": [token()]})), finish(), DONE, logprobs=True)),
    silent("not asked for", "chat.logprobs", whole(logprobs=False)),
    undecided("cut", "chat.logprobs", cut(stream(role(), logprobs=True))),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    rules = {row.rule for row in CASES}
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == rules
    assert len(rules) == 13


@pytest.mark.parametrize("schema", ["{}", '{"$ref": "#"}', '{"type": "object", "pattern": "^(a+)+$"}'])
def test_a_schema_from_outside_is_compiled(schema: str) -> None:
    assert compiled(schema)


@pytest.mark.parametrize(
    "schema", ['{"$ref": "http://x.example/y"}', '{"pattern": "("}', '{"type": 5}', '{"$id": "::"}']
)
def test_what_is_no_schema_is_none(schema: str) -> None:
    assert compiled(schema) is None


def test_what_the_validator_cannot_take_says_so() -> None:
    found = verdict("chat.json-schema", said('"\\ud800"', **wanted()))
    assert found
    assert "cannot be validated" in (found.reason or "")
