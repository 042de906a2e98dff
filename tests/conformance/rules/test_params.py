"""The rules about parameters, each by its effect beside the same request without it."""

from typing import Any

from conformance.rule import Outcome
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    Case,
    answer,
    chat_body,
    choice,
    chunk,
    each,
    failed,
    fails,
    failure,
    finish,
    got,
    message,
    passes,
    request,
    role,
    rules_of,
    silent,
    stream,
    undecided,
    unseen,
    verdict,
    whole,
)
from tests.conformance.groups import agree, clash, open_, out_of

STRICT = WEATHER | {"function": WEATHER["function"] | {"strict": True}}  # type: ignore[operator]


def said(content: str, reason: Any = "stop", **asked: Any) -> Exchange:
    return whole(answer(message(content, reason)), **asked)


def refused(text: str = "no", code: Any = None, status: int = 400, **asked: Any) -> Exchange:
    error = {"error": {"message": text, "type": "invalid_request_error", "param": None, "code": code}}
    return got(status, error, to=request(chat_body(**asked)))


TWO = answer(message("a"), message("a", index=1))
N: dict[str, Any] = {"n": 2}
LONG: dict[str, Any] = {"max_tokens": 60}
SHORT: dict[str, Any] = {"max_tokens": 12}
NEW: dict[str, Any] = {"max_completion_tokens": 60}
STOP: dict[str, Any] = {"stop": ["8", "Z"]}

GROUPS = [
    agree("taken", "chat.fields", whole(), whole(user="x")),
    agree("taken with tools", "chat.fields", whole(tools=[WEATHER]), whole(tools=[STRICT])),
    clash("refused", "chat.fields", whole(), refused("extra", n=1, user="x"), step="fields", says="n, user"),
    clash("refused with 422", "chat.fields", whole(), refused(status=422, user="x"), step="fields"),
    clash("strict", "chat.fields", whole(tools=[WEATHER]), refused(tools=[STRICT]), step="fields", says="strict"),
    open_("by its code", "chat.fields", whole(), refused(code="unsupported_parameter", n=1), says="the model"),
    open_("by the model, in words", "chat.fields", whole(), refused("n is not supported with this model", n=1)),
    open_("overloaded", "chat.fields", whole(), refused(status=503, n=1), says="503"),
    open_("refused anyway", "chat.fields", refused(), refused(n=1), says="without it"),
    out_of("an illegal request", "chat.fields", whole(n=0), whole(n=1)),
    agree("both", "chat.limit-names", whole(**LONG), whole(**NEW)),
    clash("the older one", "chat.limit-names", refused("no max_tokens", **LONG), whole(**NEW), step="max-tokens"),
    clash("the newer one", "chat.limit-names", whole(**LONG), refused(**NEW), step="max-completion-tokens"),
    open_("neither", "chat.limit-names", refused(**LONG), refused(**NEW)),
    open_("one is overloaded", "chat.limit-names", refused(**LONG), refused(status=503, **NEW)),
    agree("shorter", "chat.limit-effect", said("1, 2, 3", "length", **LONG), said("1", "length", **SHORT)),
    clash("equal, cut", "chat.limit-effect", said("1, 2", "length", **LONG), said("1, 2", "length", **SHORT),
          step="short", says="4 characters with a limit of 12"),
    clash("equal, long", "chat.limit-effect", said("12 " * 200, **LONG), said("12 " * 200, **SHORT), step="short"),
    open_("a short answer", "chat.limit-effect", said("1", **LONG), said("1", **SHORT), mood=True),
    open_("no text", "chat.limit-effect", said("", "length", **LONG), said("", "length", **SHORT), mood=True),
    open_("two choices", "chat.limit-effect", whole(TWO, **N, **LONG), said("1", **SHORT)),
    agree("before it", "chat.stop-effect", said("6, 7, 8, 9"), said("6, 7, ", **STOP)),
    clash("past it", "chat.stop-effect", said("6, 7, 8, 9"), said("6, 7, 8", **STOP), step="stopped", says="past '8'"),
    clash("as if cut", "chat.stop-effect", said("6, 7, 8"), said("6, 7, ", "length", **STOP), step="stopped",
          says="'length'"),
    open_("it is never written", "chat.stop-effect", said("one"), said("one", **STOP), mood=True),
    open_("other words", "chat.stop-effect", said("6, 7, 8"), said("six", **STOP), mood=True),
    open_("no finish_reason", "chat.stop-effect", said("6, 7, 8"), said("6, 7, ", None, **STOP)),
    agree("one seed, one answer", "chat.seed", said("a"), said("a"), said("b")),
    clash("one seed, two answers", "chat.seed", said("a"), said("b"), said("b"), step="seeded-again"),
    open_("any seed, one answer", "chat.seed", said("a"), said("a"), said("a"), mood=True),
]  # fmt: skip


def token(text: str = "Hi", *, data: Any = (72, 105), top: Any = ()) -> dict[str, Any]:
    numbers = None if data is None else list(data)
    return {"token": text, "logprob": -0.1, "bytes": numbers, "top_logprobs": list(top)}


def scored(*tokens: Any, content: str = "Hi") -> Exchange:
    return whole(answer(message(content) | {"logprobs": {"content": list(tokens)}}), logprobs=True)


def other(value: Any) -> dict[str, Any]:
    return {"token": "x", "logprob": value, "bytes": None}


D = "chat.logprobs-details"
CASES: list[Case] = [
    *GROUPS,
    passes("taken", "chat.unknown-field", whole(nobody_knows=1)),
    fails("refused", "chat.unknown-field", refused("nobody_knows?", nobody_knows=1), says="nobody_knows?"),
    undecided("overloaded", "chat.unknown-field", refused(status=503, nobody_knows=1)),
    silent("all are known", "chat.unknown-field", whole(n=1, stream_options=None)),
    passes("its bytes", D, scored(token())),
    passes("a character in two tokens", D, scored(token("?", data=[0xC3]), token("?", data=[0xA9]), content="é")),
    passes("a token behind the text", D, scored(token(), token("</s>", data=[60]))),
    passes("a blank before the text", D, scored(token(data=b" Hi"))),
    passes("alternatives", D, scored(token(top=[other(-0.1), other(-0.1), other(-3)]))),
    fails("other bytes", D, scored(token(data=[1, 2])), says="the text is 'Hi'"),
    fails("numbers that are no bytes", D, scored(token(data=["H", 999]))),
    fails("risen", D, scored(token(top=[other(-3), other(-1)])), says="-1 stands behind"),
    fails("no alternative", D, scored(token(top=[5])), says="got 5"),
    undecided("no bytes", D, scored(token(data=None))),
    undecided("an error", D, stream(role(), chunk(choice({}, logprobs={"content": [token()]})), failure(),
              logprobs=True)),
    unseen("no tokens", D, scored()),
    unseen("no tokens in a stream", D, stream(role(), finish(), DONE, logprobs=True)),
    passes("in a stream", D, stream(
        role(), chunk(choice({"content": "Hi"}, logprobs={"content": [token()]})), finish(), DONE, logprobs=True)),
]  # fmt: skip
RULES = {row.rule for row in CASES}


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == RULES
    assert len(RULES) == 7


def test_no_token_is_no_fault_of_the_details() -> None:
    """A token that is no object is told by chat.logprobs alone."""
    assert "chat.logprobs" in failed(scored(5, token()))
    found = verdict(D, scored(5, token()))
    assert found
    assert found.outcome is Outcome.PASS
