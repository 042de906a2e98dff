"""The rules about HTTP around the answers."""

from typing import Any

from conformance.rule import Outcome
from openapi.wire.exchange import Auth, Exchange, Headers
from tests.conformance.exchanges import (
    CHAT,
    JSON,
    answer,
    chapter,
    chat_body,
    each,
    fails,
    got,
    passes,
    request,
    rules_of,
    silent,
    stream,
    undecided,
    unseen,
    whole,
)
from tests.conformance.groups import agree, clash, open_, unheard

H = "http."
ORIGIN = "https://app.example"
ALLOW_ORIGIN, ALLOW_HEADERS = "Access-Control-Allow-Origin", "Access-Control-Allow-Headers"
STAR = ((ALLOW_ORIGIN, "*"),)
GOOD_CORS: Headers = (*STAR, ("access-control-allow-methods", "GET, POST"), (ALLOW_HEADERS, "Authorization, X-A"))
SDK_HEADERS = "authorization,x-stainless-os"
NO_MODEL = {"error": {"message": "the model `x` does not exist", "type": "t", "param": None, "code": "c"}}


def asking(method: str, path: str = CHAT, status: int | None = 200, headers: Headers = (), **more: Any) -> Exchange:
    """An answer to a request without a body."""
    sent = request(method=method, path=path, kind=None, headers=more.pop("asks", ()), auth=more.pop("auth", Auth.VALID))
    return got(status, b"", to=sent, headers=headers, **more)


def preflight(status: int = 204, headers: Headers = GOOD_CORS, names: str = "authorization", **more: Any) -> Exchange:
    wanted = more.pop("method", "POST")
    asks = (
        ("origin", ORIGIN),
        ("access-control-request-method", wanted),
        ("access-control-request-headers", names),
    )
    return asking("OPTIONS", status=status, headers=headers, asks=asks, auth=Auth.NONE, kind=None)


def sdk(status: int = 204, headers: Headers = (*STAR, (ALLOW_HEADERS, SDK_HEADERS))) -> Exchange:
    return preflight(status, headers, SDK_HEADERS)


def paged(headers: Headers, status: int = 200) -> Exchange:
    """An answer to a page of another origin."""
    return asking("GET", "/v1/models", status, headers, asks=(("Origin", ORIGIN),))


def liberty(status: int = 404, body: Any = None, **more: Any) -> Exchange:
    """An answer to a request for a model that nobody has."""
    return got(status, NO_MODEL if body is None else body, **more)


def moved(status: int, path: str, kind: str | None = None) -> Exchange:
    return got(status, b"", to=request(chat_body(), path=path), kind=kind, headers=(("Location", "/x"),))


USUAL, REFUSED, BUSY = liberty(), liberty(401), liberty(429)
UNREAD = liberty(404, {"error": {"message": "Cannot POST /x"}})
LARGE = request(b"x" * 2000)
TAKES_JSON = request(chat_body(stream=True), headers=(("Accept", "application/json"),))
STREAM = stream(to=TAKES_JSON)
LIBERTIES = ("media-type-parameter", "media-type-case", "body-whitespace", "body-gzip", "expect", "too-large")

CASES = [
    passes("200", H + "head", asking("HEAD", "/v1/models")),
    fails("405", H + "head", asking("HEAD", "/v1/models", 405), says="405"),
    undecided("the key is refused", H + "head", asking("HEAD", "/v1/models", 401)),
    silent("where there is no GET", H + "head", asking("HEAD")),
    silent("GET", H + "head", asking("GET", "/v1/models")),
    passes("405", H + "method", asking("PUT", status=405)),
    fails("404", H + "method", asking("PUT", status=404), says="PUT"),
    undecided("it is served", H + "method", asking("GET")),
    undecided("try later", H + "method", asking("PUT", status=503)),
    silent("the right one", H + "method", whole()),
    silent("an unknown path", H + "method", asking("PUT", "/v1/x", 404)),
    passes("Allow", H + "allow", asking("PUT", status=405, headers=(("Allow", "POST, OPTIONS"),))),
    fails("none", H + "allow", asking("PUT", status=405), says="without Allow"),
    fails("the refused one", H + "allow", asking("PUT", status=405, headers=(("Allow", "put"),)), says="PUT"),
    unseen("404", H + "allow", asking("PUT", status=404)),
    passes("204", H + "preflight", preflight()),
    passes("200", H + "preflight", preflight(200, ())),
    fails("401", H + "preflight", preflight(401), says="401"),
    undecided("429", H + "preflight", preflight(429)),
    silent("of an SDK", H + "preflight", sdk()),
    silent("OPTIONS alone", H + "preflight", asking("OPTIONS")),
    passes("all of it", H + "preflight-allows", preflight()),
    passes("stars", H + "preflight-allows", preflight(headers=(*STAR, (ALLOW_HEADERS, "*")))),
    passes("its own origin", H + "preflight-allows", preflight(headers=((ALLOW_ORIGIN, ORIGIN), (ALLOW_HEADERS, "*")))),
    passes(
        "any method",
        H + "preflight-allows",
        preflight(headers=(*GOOD_CORS, ("access-control-allow-methods", "*")), method="GET"),
    ),
    fails("no origin", H + "preflight-allows", preflight(headers=()), says="got None"),
    fails("another", H + "preflight-allows", preflight(headers=((ALLOW_ORIGIN, "https://b.example"),)), says="b.ex"),
    fails("twice", H + "preflight-allows", preflight(headers=(*STAR, *GOOD_CORS)), says="2 times"),
    fails("a method", H + "preflight-allows", preflight(method="DELETE"), says="DELETE"),
    fails("a header", H + "preflight-allows", preflight(names="authorization,x-b"), says="x-b"),
    undecided("refused", H + "preflight-allows", preflight(405)),
    agree("the SDK's", H + "preflight-sdk", preflight(), sdk()),
    clash("a fixed list", H + "preflight-sdk", preflight(), sdk(headers=GOOD_CORS), step="sdk", says="x-stainless-os"),
    clash("refused", H + "preflight-sdk", preflight(), sdk(403), step="sdk", says="403"),
    clash("not opened", H + "preflight-sdk", preflight(), sdk(headers=()), step="sdk", says="got None"),
    open_("429", H + "preflight-sdk", preflight(), sdk(429)),
    unheard("closed to all", H + "preflight-sdk", preflight(401), sdk(401)),
    unheard("no key either", H + "preflight-sdk", preflight(headers=STAR), sdk(headers=STAR)),
    passes("by name", H + "preflight-star", preflight()),
    passes("both", H + "preflight-star", preflight(headers=(*STAR, (ALLOW_HEADERS, "*, authorization")))),
    fails("a star", H + "preflight-star", preflight(headers=(*STAR, (ALLOW_HEADERS, "*"))), says=": *"),
    fails(
        "with credentials",
        H + "preflight-star",
        preflight(headers=(*STAR, (ALLOW_HEADERS, "*"), ("Access-Control-Allow-Credentials", "true"))),
        says="true",
    ),
    unseen("refused", H + "preflight-star", preflight(401)),
    passes("a star", H + "cors-answer", paged(STAR)),
    passes("the origin", H + "cors-answer", paged(((ALLOW_ORIGIN, ORIGIN),), 401)),
    fails("none", H + "cors-answer", paged((), 401), says="401: expected"),
    fails("an empty one", H + "cors-answer", paged(((ALLOW_ORIGIN, ""),)), says="got ''"),
    fails("two", H + "cors-answer", paged((*STAR, *STAR)), says="2 times"),
    silent("no page", H + "cors-answer", whole()),
    passes("204", H + "options", asking("OPTIONS", status=204)),
    passes("404", H + "options", asking("OPTIONS", status=404)),
    fails("500", H + "options", asking("OPTIONS", status=500), says="500"),
    undecided("down", H + "options", asking("OPTIONS", status=503)),
    silent("a preflight", H + "options", preflight()),
    passes("served", H + "trailing-slash", got(200, answer(), to=request(chat_body(), path=f"{CHAT}/"))),
    passes("308", H + "trailing-slash", moved(308, f"{CHAT}/?a=b")),
    fails("301", H + "trailing-slash", moved(301, f"{CHAT}/"), says="301 to '/x'"),
    silent("another method", H + "trailing-slash", asking("PUT", f"{CHAT}/", 301)),
    silent("none", H + "trailing-slash", whole()),
    passes("JSON", H + "double-slash", moved(404, f"/{CHAT}", JSON)),
    fails("302", H + "double-slash", moved(302, f"/{CHAT}")),
    fails("a page", H + "double-slash", moved(200, f"/{CHAT}", "text/html"), says="text/html"),
    silent("none", H + "double-slash", whole()),
    agree("let in", H + "scheme-case", USUAL, REFUSED, liberty()),
    clash("refused", H + "scheme-case", USUAL, REFUSED, REFUSED, step="bearer-lower", says="plainly 404, so"),
    open_("no key is checked", H + "scheme-case", USUAL, liberty(), REFUSED),
    agree("let in", H + "key-name-case", USUAL, REFUSED, liberty()),
    clash("refused", H + "key-name-case", USUAL, REFUSED, REFUSED, step="key-name-case"),
    agree("let in", H + "key-twice", USUAL, liberty()),
    agree("refused", H + "key-twice", USUAL, REFUSED),
    agree("busy", H + "key-twice", USUAL, liberty(503)),
    clash("breaks", H + "key-twice", USUAL, liberty(500), step="key-twice", says="500"),
    *(agree("the same", H + name, USUAL, liberty()) for name in LIBERTIES),
    clash("refused", H + "media-type-parameter", USUAL, liberty(415), step="charset", says="415"),
    clash("refused", H + "media-type-case", USUAL, liberty(400), step="type-case"),
    clash("refused", H + "body-whitespace", USUAL, liberty(400), step="spaces"),
    clash("refused", H + "body-gzip", USUAL, liberty(415), step="gzip"),
    clash("refused", H + "expect", USUAL, liberty(417), step="expect"),
    clash("another mistake", H + "too-large", USUAL, UNREAD, step="large", says="Cannot POST"),
    agree("413", H + "too-large", USUAL, liberty(413)),
    open_("busy", H + "expect", USUAL, BUSY),
    open_("not read", H + "expect", UNREAD, UNREAD, says="as far as its model"),
    open_("refused plainly", H + "expect", got(401, {"error": {"message": "no"}}), REFUSED),
    agree("any model is answered", H + "expect", whole(), whole()),
    agree("taken", H + "body-limit", USUAL, liberty()),
    clash("413", H + "body-limit", USUAL, liberty(413, to=LARGE), step="large", says="2,000 bytes"),
    passes("a stream", H + "accept", STREAM),
    fails("406", H + "accept", got(406, {}, to=TAKES_JSON), says="406"),
    undecided("refused", H + "accept", got(401, {}, to=TAKES_JSON)),
    silent("anything accepted", H + "accept", stream()),
]


@each(CASES)
def test_what_the_rule_says(case: Any) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("http")
