"""The rules about HTTP itself."""

import zlib

from conformance.rule import Outcome
from openapi.wire.exchange import End, Exchange, Framing, Request
from openapi.wire.http1 import FRAMING_FAULT
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
    undecided,
    unseen,
    whole,
)

T = "transport."
GOOD = whole()
UNREADABLE = got(None, kind=None, end=End.TRUNCATED, error=f"{FRAMING_FAULT}b'SSH-2.0' is no status line")
BAD_CHUNK = got(200, b"abc", end=End.TRUNCATED, error=f"{FRAMING_FAULT}b'x' is no chunk size")
GZIP = zlib.compress(b"{}" * 99, wbits=31)
WANTS_BROTLI = request(chat_body(), headers=(("Accept-Encoding", "gzip, br"),))


def coded(coding: str, body: bytes = GZIP, to: Request | None = None) -> Exchange:
    return got(200, body, to=to, headers=(("Content-Encoding", coding),))


CASES = [
    passes("an answer", T + "answered", GOOD),
    passes("any answer", T + "answered", got(500, b"")),
    fails("closed before a status line", T + "answered", got(None, kind=None, end=End.TRUNCATED), says="closed"),
    fails("reset before a status line", T + "answered", got(None, kind=None, end=End.RESET), says="reset"),
    undecided("our time-out", T + "answered", got(None, kind=None, end=End.TIMEOUT, error="no byte"), says="no byte"),
    undecided("no connection", T + "answered", got(None, kind=None), says="no answer came"),
    undecided("something that is no HTTP", T + "answered", UNREADABLE),
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
    passes("one of the names", T + "request-id", got(200, answer(), headers=(("X-Oneapi-Request-Id", "1"),))),
    fails("none of them", T + "request-id", GOOD),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("transport")
