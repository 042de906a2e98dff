"""The rules about mistakes of the client beyond the first ones, and the class of what answers them."""

from typing import Any

import pytest

from conformance.asked import UNKNOWN_MODEL
from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.rules.mistakes import BEYOND
from openapi.wire.exchange import Auth, Exchange, Request
from tests.conformance.exchanges import (
    Case,
    answer,
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
ERROR = failure("no")
BASIC = request(chat_body(), auth=Auth.NONE, headers=(("authorization", "Basic cmVsYXlwcm9vZjp4"),))
NO_KEY = request(chat_body(), auth=Auth.NONE)
NO_BEARER = request(chat_body(), auth=Auth.NONE, headers=(("authorization", "Bearer "),))
ARRAY = request([chat_body()])
TEXT = request(chat_body(), kind="text/plain")
EMPTY = request(chat_body(messages=[]))
ODD = request(chat_body(n=0))
WIZARD = request(chat_body(messages=[{"role": "wizard", "content": "hi"}]))
MUCH = request(chat_body(max_tokens=BEYOND))
NOBODYS = request(chat_body(model=UNKNOWN_MODEL))
MISTYPED = request(chat_body(stream="perhaps"))


def said(status: int, to: Request, body: Any = ERROR) -> Exchange:
    return got(status, body, to=to)


def refused(**members: Any) -> Exchange:
    return said(400, MUCH, {"error": {"message": "no", "type": "x", "param": None, "code": None} | members})


def named(*, to: Request = ODD, status: int = 400, **members: Any) -> Exchange:
    return said(status, to, {"error": {"message": "no", "type": "x", "param": None, "code": None} | members})


NO_REQUESTS = {
    "a list": ARRAY, "a word": MISTYPED, "a number for a model": request(chat_body(model=5)),
    "a word for messages": request(chat_body(messages="hi")), "words in messages": request(chat_body(messages=["hi"])),
    "an object for n": request(chat_body(n={"n": 1})),
}  # fmt: skip
LENIENT = {"digits": chat_body(n="2"), "a whole fraction": chat_body(n=2.0), "true in words": chat_body(stream="true"),
           "null": chat_body(n=None, stream=None), "nothing amiss": chat_body()}  # fmt: skip
MISTAKES = {"a list": ARRAY, "text": TEXT, "no messages": EMPTY, "much": MUCH, "a word": MISTYPED,
            "no JSON": request(b"{"), "nobody's model": NOBODYS}  # fmt: skip

CASES = [
    passes("401", E + "other-scheme", said(401, BASIC)),
    fails("an answer", E + "other-scheme", got(200, answer(), to=BASIC)),
    silent("no header at all", E + "other-scheme", said(401, NO_KEY)),
    silent("a bearer without a key", E + "other-scheme", said(401, NO_BEARER)),
    silent("another scheme is not no key", E + "no-key", said(401, BASIC)),
    *(passes(f"{status}", E + "not-object", said(status, ARRAY)) for status in (400, 422)),
    fails("answered", E + "not-object", got(200, answer(), to=ARRAY)),
    undecided("try later", E + "not-object", said(503, ARRAY)),
    silent("an object", E + "not-object", whole()),
    silent("no JSON", E + "not-object", said(400, request(b"["))),
    *(passes(f"{status}", E + "wrong-content-type", said(status, TEXT)) for status in (400, 415, 422)),
    fails("read all the same", E + "wrong-content-type", got(200, answer(), to=TEXT)),
    fails("a fault of the server", E + "wrong-content-type", said(500, TEXT)),
    silent("no Content-Type", E + "wrong-content-type", said(415, request(chat_body(), kind=None))),
    silent("nothing in it", E + "wrong-content-type", said(400, request({}, kind="text/plain"))),
    silent("a wrong body as well", E + "wrong-content-type", said(400, request({"model": 5}, kind="text/plain"))),
    passes("400", E + "empty-messages", said(400, EMPTY)),
    fails("answered", E + "empty-messages", got(200, answer(), to=EMPTY)),
    silent("some", E + "empty-messages", whole()),
    silent("no model either", E + "empty-messages", said(400, request({"messages": []}))),
    passes("400", E + "forbidden-value", said(400, ODD)),
    fails("passed on", E + "forbidden-value", got(200, answer(), to=ODD), says="accepted: "),
    fails("a role that is none", E + "forbidden-value", got(200, answer(), to=WIZARD)),
    undecided("a fault of the server", E + "forbidden-value", said(500, ODD)),
    undecided("not with this key", E + "forbidden-value", said(401, ODD)),
    silent("a wrong type", E + "forbidden-value", said(400, MISTYPED)),
    silent("a value within its range", E + "forbidden-value", whole(n=1)),
    *(passes(f"{name} 400", E + "mistake-class", said(400, to)) for name, to in MISTAKES.items()),
    *(fails(f"{name} 500", E + "mistake-class", said(500, to), says="expected 4xx") for name, to in MISTAKES.items()),
    passes("answered", E + "mistake-class", got(200, answer(), to=EMPTY)),
    silent("a forbidden value", E + "mistake-class", said(500, ODD)),
    passes("400", E + "forbidden-class", said(400, ODD)),
    passes("passed on", E + "forbidden-class", got(200, answer(), to=ODD)),
    fails("500", E + "forbidden-class", said(500, ODD), says="expected 4xx"),
    undecided("503", E + "forbidden-class", said(503, ODD)),
    undecided("no answer", E + "forbidden-class", got(None, to=ODD)),
    silent("a wrong type", E + "forbidden-class", said(500, MISTYPED)),
    *(passes(f"{name} 400", E + "no-request", said(400, to)) for name, to in NO_REQUESTS.items()),
    *(passes(f"{status}", E + "no-request", said(status, ARRAY)) for status in (401, 415, 422, 429)),
    *(fails(name, E + "no-request", got(200, answer(), to=to)) for name, to in NO_REQUESTS.items()),
    undecided("500", E + "no-request", said(500, ARRAY), says="errors.mistake-class"),
    undecided("an error with 200", E + "no-request", said(200, ARRAY), says="errors.not-200"),
    *(silent(name, E + "no-request", got(200, answer(), to=request(body))) for name, body in LENIENT.items()),
    silent("a forbidden value is no wrong type", E + "no-request", got(200, answer(), to=ODD)),
    passes("by its param", E + "param", named(param="n")),
    passes("in words", E + "param", named(message="N must be at least 1")),
    passes("by the member within", E + "param", named(to=WIZARD, message="unknown role 'wizard'")),
    passes("of a wrong type", E + "param", named(to=MISTYPED, param="stream")),
    fails("in general words", E + "param", named(), says="names n: no"),
    fails("another one", E + "param", named(param="model", message="bad")),
    undecided("not with this key", E + "param", named(status=403)),
    undecided("a page", E + "param", got(400, b"<html>", to=ODD)),
    undecided("cut", E + "param", cut(named())),
    unseen("passed on", E + "param", got(200, answer(), to=ODD)),
    silent("a legal request", E + "param", named(to=request(chat_body()))),
    undecided("no channel for the model", E + "mistake-class", said(503, NOBODYS)),
    silent("a legal request", E + "mistake-class", said(500, request(chat_body()))),
    silent("a wrong key", E + "mistake-class", said(500, request(b"{", auth=Auth.WRONG))),
    passes("by its code", E + "context-length", refused(code="context_length_exceeded")),
    passes("by its param", E + "context-length", refused(param="max_tokens")),
    passes("in words", E + "context-length", refused(message="at most 4096 completion tokens")),
    passes("in Chinese", E + "context-length", refused(message="请求超过上下文")),
    fails("in general words", E + "context-length", refused(message="All target providers failed."), says="All target"),
    undecided("a fault of the server", E + "context-length", said(500, MUCH)),
    undecided("not with this key", E + "context-length", said(403, MUCH)),
    undecided("a page", E + "context-length", got(400, b"<html>", to=MUCH), says="no JSON object"),
    undecided("cut", E + "context-length", cut(refused())),
    unseen("it is answered, the limit lowered to what fits", E + "context-length", got(200, answer(), to=MUCH)),
    silent("a limit that may fit", E + "context-length", whole(max_tokens=100)),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


OVER = {
    "the model is not known": (whole(), said(404, NOBODYS), Outcome.PASS),
    "the key is blamed": (whole(), said(401, NOBODYS), Outcome.FAIL),
    "the key is not taken at all": (said(401, request(chat_body())), said(401, NOBODYS), Outcome.INCONCLUSIVE),
}


@pytest.mark.parametrize(("known", "nobodys", "outcome"), OVER.values(), ids=OVER)
def test_a_good_key_is_not_blamed_for_the_model(known: Exchange, nobodys: Exchange, outcome: Outcome) -> None:
    found = outcome_over(E + "not-the-key", {"known-model": known, "nobodys-model": nobodys})
    assert found is outcome


def test_each_rule_passes_and_fails_here() -> None:
    ours = {id for id, rule in BOOK.items() if rule.check.__module__ == "conformance.rules.mistakes" and not rule.over}  # noqa: A001
    assert rules_of(CASES, Outcome.PASS) & ours == rules_of(CASES, Outcome.FAIL) == ours
