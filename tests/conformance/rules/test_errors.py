"""The rules about errors: statuses, the envelope, secrets."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.asked import UNKNOWN_MODEL, UNKNOWN_PATH
from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Auth, End, Exchange, Request
from openapi.wire.redaction import mark
from tests.conformance.exchanges import (
    DONE,
    Case,
    answer,
    chat_body,
    cut,
    each,
    fails,
    failure,
    got,
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
    verdict,
    whole,
)

E = "errors."
ERROR = failure("no")
NO_KEY = request(chat_body(), auth=Auth.NONE)
WRONG_KEY = request(chat_body(), auth=Auth.WRONG)
NOBODYS = request(chat_body(model=UNKNOWN_MODEL))
NOBODYS_WITHOUT_KEY = request(chat_body(model=UNKNOWN_MODEL), auth=Auth.NONE)
TWICE = replace(NOBODYS, headers=(*NOBODYS.headers, ("authorization", "x"), ("Authorization", "x")))
CAPITALS = replace(NOBODYS, headers=(("content-type", "Application/JSON"),))
NOBODYS_STREAM = request(chat_body(model=UNKNOWN_MODEL, stream=True))
NO_MESSAGES = request({"model": "m"})
NO_MODEL = request({"messages": []})
WRONG_TYPE = request(chat_body(messages="hi"))
NO_PATH = request({}, path=f"/v1/{UNKNOWN_PATH}")
JOB = {"id": "resp_1", "status": "failed", "error": {"code": "x", "message": "y"}}


def no_model(message: str = "Service unavailable", code: str | None = None) -> dict[str, Any]:
    return {"error": {"message": message, "type": "new_api_error", "param": None, "code": code}}


def said(status: int, to: Request, body: Any = ERROR) -> Exchange:
    return got(status, body, to=to)


MISTAKES = {
    E + "bad-json": (request(b"{"), {400, 422}),
    E + "empty-body": (request(), {400, 411, 415, 422}),
    E + "missing-model": (NO_MODEL, {400, 404, 422}),
    E + "missing-messages": (NO_MESSAGES, {400, 422}),
    E + "missing-required": (request({"model": "m", "messages": []}, path="/v1/messages"), {400, 422}),
    E + "wrong-type": (WRONG_TYPE, {400, 422}),
    E + "unknown-model-404": (NOBODYS, {404}),
    E + "unknown-path": (NO_PATH, {404}),
    E + "no-key": (NO_KEY, {401}),
    E + "wrong-key": (WRONG_KEY, {401}),
}

CASES = [
    *(passes(f"{status}", rule, said(status, to)) for rule, (to, right) in MISTAKES.items() for status in right),
    *(undecided("try later", rule, said(429, to)) for rule, (to, _) in MISTAKES.items()),
    *(fails("a 500", rule, said(500, to), says="the answer was 500: no") for rule, (to, _) in MISTAKES.items()),
    *(
        undecided(f"{status} with the right key", rule, said(status, to))
        for rule, (to, _) in MISTAKES.items()
        if "-key" not in rule
        for status in (401, 402, 403)
    ),
    undecided("no chat here", E + "bad-json", said(405, request(b"{"))),
    fails("answered", E + "no-key", got(200, answer(), to=NO_KEY)),
    fails("forbidden", E + "wrong-key", said(403, WRONG_KEY)),
    undecided("the model came before the key", E + "no-key", said(404, NOBODYS_WITHOUT_KEY)),
    fails("a model before the key that is there", E + "no-key", said(404, NO_KEY)),
    silent("with the key", E + "no-key", whole()),
    silent("a body that is no JSON by its own word", E + "bad-json", said(400, request(b"{", kind="text/plain"))),
    silent("no model either", E + "missing-messages", said(400, request({}))),
    passes("no model and no messages", E + "missing-model", said(400, request({}))),
    silent("a right type", E + "wrong-type", whole()),
    *(
        fails(f"{name} {value!r}", E + "wrong-type", got(200, answer(), to=request(chat_body(**{name: value}))))
        for name, value in {"model": 5, "stream": "perhaps", "n": [1], "max_tokens": "many"}.items()
    ),
    *(
        silent(f"{name} {value!r}, which may be read", E + "wrong-type", whole(**{name: value}))
        for name, value in {"stream": "yes", "n": "2", "max_tokens": "-1"}.items()
    ),
    passes("400", E + "stream-status", said(400, request(chat_body(stream=True, temperature="hot")))),
    fails("a temperature in words", E + "wrong-type", got(200, answer(), to=request(chat_body(temperature="hot")))),
    passes("404", E + "unknown-model", said(404, NOBODYS)),
    passes("another 4xx", E + "unknown-model", said(400, NOBODYS, b"")),
    passes("a 503 by its code", E + "unknown-model", said(503, NOBODYS, no_model(code="model_not_found"))),
    passes("a 503 that names it", E + "unknown-model", said(503, NOBODYS, no_model(f"no channel for {UNKNOWN_MODEL}"))),
    undecided("a 503 that says nothing of the model", E + "unknown-model", said(503, NOBODYS)),
    undecided("a 503 whose error is a text", E + "unknown-model", said(503, NOBODYS, {"error": "overloaded"})),
    fails("an answer", E + "unknown-model", got(200, answer(), to=NOBODYS)),
    undecided("a 200 with an error", E + "unknown-model", said(200, NOBODYS)),
    *(
        undecided(f"{end.value}", E + "unknown-model", got(200, answer(), to=NOBODYS, end=end))
        for end in (End.TIMEOUT, End.CLIENT_ABORTED, End.TRUNCATED, End.RESET)
    ),
    undecided("a 503 of nobody", E + "unknown-model", said(503, NOBODYS, b"<html>")),
    undecided("a redirect", E + "unknown-model", said(302, NOBODYS, b"")),
    undecided("not with this key", E + "unknown-model", said(401, NOBODYS)),
    silent("without a key", E + "unknown-model", said(401, NOBODYS_WITHOUT_KEY)),
    fails("new-api's 503", E + "unknown-model-404", said(503, NOBODYS, no_model(f"no channel for {UNKNOWN_MODEL}"))),
    undecided("a relay that is down", E + "unknown-model-404", said(503, NOBODYS)),
    undecided("the body was refused", E + "unknown-model-404", said(415, NOBODYS)),
    undecided("the key came twice", E + "unknown-model-404", said(400, TWICE)),
    undecided("a content type in capitals", E + "unknown-model-404", said(400, CAPITALS)),
    fails("a plain 400", E + "unknown-model-404", said(400, NOBODYS)),
    undecided("it was answered", E + "unknown-model-404", got(200, answer(), to=NOBODYS)),
    fails("a 200 with an error", E + "unknown-model-404", said(200, NOBODYS)),
    silent("a path that is in the document", E + "unknown-path", whole()),
    passes("an error status", E + "stream-status", said(404, NOBODYS_STREAM)),
    fails("200 and an error event", E + "stream-status", stream(ERROR, DONE, to=NOBODYS_STREAM)),
    fails("200 and an error object", E + "stream-status", said(200, NOBODYS_STREAM)),
    undecided("200 and an answer", E + "stream-status", stream(role(), text(), DONE, to=NOBODYS_STREAM)),
    undecided("try later", E + "stream-status", said(429, NOBODYS_STREAM)),
    silent("a legal request", E + "stream-status", stream(role(), ERROR)),
    passes("an answer", E + "not-200", whole()),
    passes("a stream", E + "not-200", cut(stream(role()))),
    passes("a null error", E + "not-200", whole(answer(error=None))),
    passes("a job that failed", E + "not-200", got(200, JOB, to=request({}, path="/v1/responses"))),
    fails("an error", E + "not-200", whole(ERROR)),
    fails("an error beside an answer", E + "not-200", whole(answer(error={"message": "x"}))),
    undecided("a cut body", E + "not-200", ours(got(200, b'{"err'))),
    unseen("another status", E + "not-200", said(400, NO_MODEL)),
    silent("outside /v1", E + "not-200", said(200, request({}, path="/api/status"))),
    passes("JSON", E + "content-type", said(400, NO_MODEL)),
    passes("JSON with a charset", E + "content-type", got(400, ERROR, kind="application/json; charset=utf-8")),
    fails("a page", E + "content-type", got(502, b"<html>cloudflare", kind="text/html"), says="<html>cloudflare"),
    fails("nothing", E + "content-type", got(429, b"", kind=None), says="got None"),
    unseen("no error", E + "content-type", whole()),
    silent("HEAD", E + "content-type", got(405, b"", to=request(method="HEAD", path="/v1/models"))),
    passes("the four members", E + "envelope", said(400, NO_MODEL)),
    passes("Claude's", E + "envelope", said(400, request({}, path="/v1/messages"), {"type": "error"} | ERROR)),
    fails("a text", E + "envelope", said(400, NO_MODEL, {"error": "no"})),
    fails("a number as type", E + "envelope", said(400, NO_MODEL, {"error": {"message": "x", "type": 5}})),
    fails("FastAPI's", E + "envelope", said(404, NO_PATH, {"detail": "Not Found"}), says="Not Found"),
    fails("nothing", E + "envelope", said(429, NO_MODEL, b""), says="an empty body"),
    undecided("we left in the middle", E + "envelope", ours(said(400, NO_MODEL, b'{"error":'))),
    undecided("the relay left in the middle", E + "envelope", cut(said(400, NO_MODEL, b'{"error":'), End.RESET)),
    passes("a text and null", E + "envelope-members", said(400, NO_MODEL, {"error": {"param": "x", "code": None}})),
    fails("a number", E + "envelope-members", said(400, NO_MODEL, {"error": {"param": "x", "code": 400}}), says="400"),
    fails("none", E + "envelope-members", said(400, NO_MODEL, {"error": {}}), says="no such member"),
    undecided("no error object", E + "envelope-members", said(400, NO_MODEL, {"detail": "x"})),
    silent("the model is missing too", E + "missing-required", said(400, request({}, path="/v1/messages"))),
    silent("nothing is missing but messages", E + "missing-required", said(400, NO_MESSAGES)),
    silent("Claude has none", E + "envelope-members", said(400, request({}, path="/v1/messages"))),
    passes("no key", E + "no-key-leak", whole()),
    fails("in the body", E + "no-key-leak", said(401, WRONG_KEY, b"key: " + mark(20).encode()), at=5),
    fails("in a header", E + "no-key-leak", got(200, headers=(("x-up", f"Bearer {mark(9)}"),)), says="header x-up"),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    here = {id for id, rule in BOOK.items() if rule.check.__module__ == "conformance.rules.errors"}  # noqa: A001
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == here


@pytest.mark.parametrize("path", ["/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/videos"])
def test_errors_are_judged_on_every_path_under_v1(path: str) -> None:
    found = verdict(E + "envelope", said(500, request({}, path=path), b"x"))
    assert found
    assert found.outcome is Outcome.FAIL
