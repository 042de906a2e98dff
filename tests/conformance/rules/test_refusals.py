"""The rules about what stands on an error beside its envelope."""

from typing import Any

import pytest

from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Auth, Exchange, Headers
from openapi.wire.redaction import mark
from tests.conformance.exchanges import (
    Case,
    chat_body,
    cut,
    each,
    fails,
    failure,
    got,
    passes,
    request,
    rules_of,
    silent,
    undecided,
    unseen,
    whole,
)
from tests.conformance.rules.steps import outcome_over

E = "errors."
NO_KEY = request(chat_body(), auth=Auth.NONE)
KEY = "sk-proj-0123456789abcdefghijKLMN"


def said(text: str = "no", status: int = 400, headers: Headers = (), **members: Any) -> Exchange:
    error = failure(text)["error"] | members
    return got(status, {"error": error}, headers=headers)


def later(**headers: str) -> Exchange:
    return said(status=429, headers=tuple((name.replace("_", "-"), value) for name, value in headers.items()))


def refused(status: int, *headers: tuple[str, str]) -> Exchange:
    return got(status, failure("no"), to=NO_KEY, headers=headers)


CASES = [
    passes("a scheme", E + "www-authenticate", refused(401, ("WWW-Authenticate", "Bearer"))),
    fails("none", E + "www-authenticate", refused(401)),
    fails("an empty one", E + "www-authenticate", refused(401, ("WWW-Authenticate", " "))),
    unseen("no 401", E + "www-authenticate", refused(403)),
    silent("the right key", E + "www-authenticate", said(status=401)),
    passes("a number", E + "retry-after", later(retry_after="7")),
    fails("none", E + "retry-after", later()),
    fails("none on a 503", E + "retry-after", said(status=503), says="503"),
    unseen("another error", E + "retry-after", said()),
    passes("a number", E + "retry-after-form", later(retry_after="7")),
    passes("a date", E + "retry-after-form", later(retry_after="Wed, 21 Oct 2026 07:28:00 GMT")),
    fails("words", E + "retry-after-form", later(retry_after="soon"), says="'soon'"),
    fails("a fraction", E + "retry-after-form", later(retry_after="1.5")),
    unseen("none", E + "retry-after-form", later()),
    passes("OpenAI's", E + "rate-limit-headers", later(x_ratelimit_limit_requests="60")),
    passes("the draft's", E + "rate-limit-headers", later(RateLimit="limit=60")),
    fails("none", E + "rate-limit-headers", later(retry_after="7")),
    unseen("another error", E + "rate-limit-headers", said(status=503)),
    passes("none", E + "no-upstream-key", said("Incorrect API key provided: sk-…wxyz")),
    passes("the client's own, taken out", E + "no-upstream-key", said(f"Incorrect API key: {mark(40)}")),
    fails("in the body", E + "no-upstream-key", said(f"Incorrect API key: {KEY}"), says="sk-pro… (32 characters)"),
    fails("in a header", E + "no-upstream-key", said(headers=(("x-up", f"Bearer {KEY}"),)), says="in the x-up"),
    fails("Google's", E + "no-upstream-key", said("AIza" + "a" * 35)),
    unseen("no error", E + "no-upstream-key", whole()),
    passes("a public page", E + "no-inner-host", said("see https://platform.openai.com/docs, version 1.10.0.1.2")),
    *(
        fails(inner, E + "no-inner-host", said(f"Post {inner}: timed out"), says="message")
        for inner in ('"http://gateway:3000/v1"', "10.0.3.7:3000", "192.168.1.5", "172.20.0.3", "127.0.0.1:11434",
                      "169.254.169.254", "https://llm.prod.svc.cluster.local/v1", "dial tcp", "lookup gw on")
    ),
    fails("elsewhere", E + "no-inner-host", said(headers=(("location", "http://10.1.1.1/"),)), says="location"),
    passes("the text alone", E + "message-stable", said("no such model")),
    fails("an id", E + "message-stable", said("no (request id: A)"), says="1 request ids"),
    fails("one of each hop", E + "message-stable", said("no (request id: A) (request id: B)"), says="2 request ids"),
    passes("a code", E + "code", said("无效的请求", code="invalid_request")),
    passes("English", E + "code", said("no", code=None)),
    fails("neither", E + "code", said("无效的请求", code=None), says="无效的请求"),
    fails("an empty code", E + "code", said("无效的请求", code="")),
    undecided("no error object", E + "code", got(400, {"detail": "x"})),
    undecided("cut", E + "code", cut(said())),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def with_id(*ids: tuple[str, str]) -> Exchange:
    return said(status=404, headers=ids)


OVER = {
    "two ids": (with_id(("x-request-id", "a")), with_id(("x-request-id", "b")), Outcome.PASS),
    "one id": (with_id(("X-Request-Id", "a")), with_id(("x-request-id", "a")), Outcome.FAIL),
    "one of another name": (with_id(("request-id", "a")), with_id(("request-id", "a")), Outcome.FAIL),
    "none": (with_id(), with_id(("x-request-id", "a")), Outcome.NOT_SEEN),
    "none twice": (with_id(("x-request-id", "a")), with_id(), Outcome.NOT_SEEN),
}


@pytest.mark.parametrize(("one", "other", "outcome"), OVER.values(), ids=OVER)
def test_two_answers_have_two_request_ids(one: Exchange, other: Exchange, outcome: Outcome) -> None:
    assert outcome_over(E + "request-id-unique", {"one-refusal": one, "another-refusal": other}) is outcome


def test_each_rule_passes_and_fails_here() -> None:
    ours = {id for id, rule in BOOK.items() if rule.check.__module__ == "conformance.rules.refusals" and not rule.over}  # noqa: A001
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == ours
