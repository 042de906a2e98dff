"""The rules about HTTP itself."""

import zlib
from dataclasses import replace

from conformance.rule import Outcome
from openapi.wire.exchange import End, Exchange, Framing, Headers, Oddity, Request
from openapi.wire.http1 import BARE_LF, FOLDED, FRAMING_FAULT, NO_SPACE, SURPLUS
from tests.conformance.exchanges import (
    Case,
    answer,
    chapter,
    chat_body,
    cut,
    each,
    fails,
    got,
    ours,
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

T = "transport."
GOOD = whole()
UNREADABLE = got(None, kind=None, end=End.TRUNCATED, error=f"{FRAMING_FAULT}b'SSH-2.0' is no status line")
BAD_CHUNK = got(200, b"abc", end=End.TRUNCATED, error=f"{FRAMING_FAULT}b'x' is no chunk size")
GZIP = zlib.compress(b"{}" * 99, wbits=31)
WANTS_BROTLI = request(chat_body(), headers=(("Accept-Encoding", "gzip, br"),))


def coded(coding: str, body: bytes = GZIP, to: Request | None = None) -> Exchange:
    return got(200, body, to=to, headers=(("Content-Encoding", coding),))


def headed(*headers: tuple[str, str], status: int = 200, to: Request | None = None) -> Exchange:
    """An answer with these headers beside its type."""
    return got(status, b"{}", headers=headers, to=to)


def odd(kind: str, exchange: Exchange = GOOD) -> Exchange:
    return replace(exchange, oddities=(Oddity(kind, "more"),))


def following(status: int | None = 200, *, reused: bool | None = True, end: End = End.COMPLETE) -> Exchange:
    return got(status, b"{}", kind=None, reused=reused, end=end)


HEAD = got(200, b"", to=request(method="HEAD", path="/v1/models", kind=None))
NO_CONTENT = got(204, b"", kind=None)
DATE: Headers = (("Date", "Sun, 22 Nov 2026 12:48:34 GMT"),)
CLOSED = got(None, kind=None, end=End.RESET)

CASES = [
    passes("an answer", T + "answered", GOOD),
    passes("any answer", T + "answered", got(500, b"")),
    fails("closed before a status line", T + "answered", got(None, kind=None, end=End.TRUNCATED), says="closed"),
    fails("reset before a status line", T + "answered", got(None, kind=None, end=End.RESET), says="reset"),
    undecided("our time-out", T + "answered", got(None, kind=None, end=End.TIMEOUT, error="no byte"), says="no byte"),
    undecided("no connection", T + "answered", got(None, kind=None), says="no answer came"),
    undecided("something that is no HTTP", T + "answered", UNREADABLE),
    undecided("on a used connection", T + "answered", replace(CLOSED, reused=True), says="transport.reuse"),
    undecided(
        "a large body", T + "answered", replace(CLOSED, request=request(b"x" * 1_100_000)), says="a large body was sent"
    ),
    passes("readable", T + "framing", GOOD),
    fails("no status line", T + "framing", UNREADABLE, at=0, says="SSH"),
    fails("no chunk size", T + "framing", BAD_CHUNK, at=3),
    undecided("no answer", T + "framing", got(None, kind=None, end=End.RESET)),
    passes("whole", T + "body-complete", GOOD),
    fails("cut", T + "body-complete", cut(got(200, b"abc")), at=3, says="closed after 3 body bytes (framing: unknown)"),
    fails("reset", T + "body-complete", got(200, b"a", end=End.RESET, framing=Framing.CHUNKED), at=1, says="chunked"),
    undecided("we left", T + "body-complete", ours(got(200, b"abc"))),
    undecided("the framing is broken", T + "body-complete", BAD_CHUNK),
    undecided("no answer", T + "body-complete", got(None, kind=None)),
    passes("gzip", T + "content-encoding", coded("gzip")),
    passes("identity", T + "content-encoding", coded("identity")),
    fails("no gzip", T + "content-encoding", coded("gzip", b"{}")),
    fails("half a gzip", T + "content-encoding", coded("gzip", GZIP[:9]), says="ends early"),
    fails("one that nobody asked for", T + "content-encoding", coded("br")),
    undecided("one that the client asked for", T + "content-encoding", coded("br", to=WANTS_BROTLI)),
    undecided("cut within gzip", T + "content-encoding", cut(coded("gzip", GZIP[:9]))),
    unseen("none", T + "content-encoding", GOOD),
    passes("none", T + "redirect", GOOD),
    fails("one", T + "redirect", got(307, headers=(("Location", "/x"),)), says="307 to '/x'"),
    silent("of a path with a slash behind it", T + "redirect", got(301, to=request({}, path="/v1/chat/completions/"))),
    passes("as it should be", T + "head-syntax", odd(SURPLUS)),
    *(fails(kind, T + "head-syntax", odd(kind), says="more") for kind in (BARE_LF, FOLDED, NO_SPACE)),
    passes("each once", T + "singletons", headed(*DATE, ("Set-Cookie", "a"), ("Set-Cookie", "b"))),
    fails("two types", T + "singletons", headed(("content-type", "application/json")), says="content-type stands 2"),
    passes("a length", T + "length-and-coding", headed(("Content-Length", "2"))),
    fails("both", T + "length-and-coding", headed(("Content-Length", "2"), ("Transfer-Encoding", "chunked"))),
    passes("a date", T + "date", headed(*DATE)),
    fails("none", T + "date", GOOD),
    passes("ASCII", T + "header-text", GOOD),
    fails("Chinese", T + "header-text", headed(("X-Note", "余额")), says="X-Note: '余额'"),
    passes("HEAD", T + "no-body", HEAD),
    passes("204", T + "no-body", NO_CONTENT),
    fails("a body behind HEAD", T + "no-body", odd(SURPLUS, HEAD), says="more"),
    fails("a body behind 204", T + "no-body", odd(SURPLUS, NO_CONTENT)),
    passes("bare line ends", T + "no-body", odd(BARE_LF, HEAD)),
    unseen("POST", T + "no-body", odd(SURPLUS)),
    passes("nothing", T + "surplus", odd(BARE_LF)),
    fails("something", T + "surplus", odd(SURPLUS), at=len(GOOD.body), says="more came"),
    unseen("HEAD", T + "surplus", odd(SURPLUS, HEAD)),
    passes("nothing announced", T + "no-content", NO_CONTENT),
    passes("no bytes announced", T + "no-content", headed(("content-length", "0"), status=204)),
    fails("two bytes", T + "no-content", headed(("Content-Length", "2"), status=204), says="content-length: 2"),
    fails("chunks", T + "no-content", headed(("transfer-encoding", "chunked"), status=204)),
    unseen("200", T + "no-content", GOOD),
    passes("chunked", T + "close-delimited", replace(GOOD, framing=Framing.CHUNKED)),
    fails("by the end", T + "close-delimited", replace(GOOD, framing=Framing.CLOSE)),
    passes("asked for", T + "coding-unasked", coded("gzip", to=WANTS_BROTLI)),
    passes("nothing said", T + "coding-unasked", coded("gzip")),
    fails("of a probe", T + "coding-unasked", replace(coded("gzip"), probe="chat.whole"), says="asked for 'identity'"),
    fails("another", T + "coding-unasked", coded("deflate", to=WANTS_BROTLI), says="got Content-Encoding 'deflate'"),
    unseen("none", T + "coding-unasked", GOOD),
    passes("JSON at once", T + "leading-whitespace", GOOD),
    passes("a text", T + "leading-whitespace", got(200, b"  hi", kind="text/plain")),
    fails("blanks", T + "leading-whitespace", got(200, b" \n{}"), at=0, says="2 bytes"),
    unseen("a refusal", T + "leading-whitespace", got(400, b" {}")),
    silent("a stream", T + "leading-whitespace", stream()),
    agree("used again", T + "reuse", GOOD, following()),
    agree("refused on it", T + "reuse", GOOD, following(401)),
    clash("ended unsaid", T + "reuse", GOOD, following(reused=False), step="kept", says="did not say"),
    clash("dead", T + "reuse", GOOD, following(None, end=End.RESET), step="next", says="got no answer"),
    unheard("ended by close", T + "reuse", headed(("Connection", "Close")), following(reused=False)),
    unheard("HTTP/1.0", T + "reuse", replace(GOOD, http="1.0"), following(reused=False)),
    unheard("framed by its end", T + "reuse", replace(GOOD, framing=Framing.CLOSE), following(reused=False)),
    open_("cut before", T + "reuse", cut(GOOD), following(reused=False)),
    open_("no answer before", T + "reuse", CLOSED, following(reused=False)),
    open_("nobody knows", T + "reuse", GOOD, following(reused=None)),
    passes("502", T + "gateway-timeout", got(502, b"")),
    fails("524", T + "gateway-timeout", got(524, b"", first_byte=101.0), says="after 101 s"),
    fails("504", T + "gateway-timeout", got(504, b"", ended_at=60.0), says="after 60 s"),
    passes("one of the names", T + "request-id", got(200, answer(), headers=(("X-Oneapi-Request-Id", "1"),))),
    fails("none of them", T + "request-id", GOOD),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("transport")
