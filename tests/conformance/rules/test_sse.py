"""The rules about server-sent events."""

import zlib

from conformance.rule import Outcome
from openapi.wire.exchange import Framing
from tests.conformance.exchanges import (
    DONE,
    EVENTS,
    Case,
    chapter,
    cut,
    each,
    fails,
    finish,
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
    whole,
)

GOOD = stream(role(), text(), finish(), DONE)
ELSEWHERE = request({"model": "m", "input": "hi", "stream": True}, path="/v1/responses")


def typed(kind: str | None) -> Case:
    return passes(f"{kind}", "sse.charset", got(200, GOOD.body, to=GOOD.request, kind=kind))


BROTLI = got(200, b"\x0b\x02\x80", to=GOOD.request, kind=EVENTS, headers=(("content-encoding", "br"),))
GZIP = got(
    200, zlib.compress(GOOD.body, wbits=31), to=GOOD.request, kind=EVENTS, headers=(("content-encoding", "gzip"),)
)

CASES = [
    passes("an event stream", "sse.content-type", GOOD),
    fails("JSON", "sse.content-type", whole(stream=True), says="application/json"),
    undecided("a refusal", "sse.content-type", got(400, {"error": {}}, to=GOOD.request)),
    silent("not streamed", "sse.content-type", whole()),
    *(
        typed(kind)
        for kind in (EVENTS, f"{EVENTS}; charset=utf-8", f'{EVENTS}; charset="UTF-8"; x=y', f"{EVENTS};utf8")
    ),
    fails("Latin-1", "sse.charset", got(200, b"", to=GOOD.request, kind=f"{EVENTS}; charset=latin-1")),
    unseen("no stream", "sse.charset", whole()),
    passes("UTF-8", "sse.utf8", stream(role(), text("中"), DONE)),
    passes("compressed", "sse.utf8", GZIP),
    fails("Latin-1 bytes", "sse.utf8", stream(role(), b'data: {"x":"\xe9"}\n\n', DONE), at=1, says="e9 22 7d 0a"),
    fails("half a character at the end", "sse.utf8", stream(role(), b"data: \xe4\xb8"), at=1),
    fails("a wrong byte before a cut", "sse.utf8", cut(stream(b"data: \xff\n\n")), at=0),
    undecided("cut inside a character", "sse.utf8", cut(stream(role(), b"data: \xe4\xb8"))),
    undecided("a coding that nobody knows", "sse.utf8", BROTLI),
    passes("objects and [DONE]", "sse.json", GOOD),
    passes("several data lines", "sse.json", stream(b'data: {"a":\ndata: 1}\n\n', to=ELSEWHERE)),
    passes("CRLF, no space, comments, a BOM", "sse.json", stream(b'\xef\xbb\xbf:hi\r\n\r\ndata:{"a":1}\r\n\r\n')),
    fails("cut JSON", "sse.json", stream(role(), '{"a":', DONE), at=1),
    fails("repeated names", "sse.json", stream('{"a":1,"a":2}'), at=0, says="two members"),
    fails("NaN", "sse.json", stream('{"a":NaN}'), at=0),
    fails("a text", "sse.json", stream(role(), '"hi"'), at=1, says="JSON object"),
    fails("outside chat too", "sse.json", stream("x", to=ELSEWHERE), at=0),
    unseen("no stream", "sse.json", whole()),
    passes("fields alone", "sse.framed", stream(b"event: x\nid: 1\nretry: 5\n: c\ndata: {}\n\n: PING\n\n", role())),
    passes("an unknown field", "sse.framed", stream(b"foo: bar\ndata: {}\n\n")),
    fails("bare JSON between events", "sse.framed", stream(role(), b'{"error":{}}\n\n', DONE), at=1),
    fails("bare JSON beside data", "sse.framed", stream(role(), b'data: {}\n{"error":{}}\n\n'), at=1),
    fails("a page", "sse.framed", stream(role(), b"<html>\n\n", DONE), at=1),
    fails("[DONE] without data", "sse.framed", stream(role(), b"[DONE]\n\n"), at=1),
    fails("bare JSON at the end", "sse.framed", cut(stream(role(), b'{"error":{}}')), at=1),
    fails("bare JSON behind an unfinished event", "sse.framed", cut(stream(role(), b'data: {}\n{"error":{}}')), at=1),
    passes("a cut event", "sse.framed", cut(stream(role(), b'data: {"a'))),
    unseen("no stream", "sse.framed", whole()),
    passes("a blank line", "sse.last-blank", GOOD),
    passes("more blank lines", "sse.last-blank", stream(role(), b"\n\n \n")),
    passes("no event at all", "sse.last-blank", stream()),
    fails("none", "sse.last-blank", stream(role(), b"data: [DONE]\n"), at=1),
    fails("a backslash and an n", "sse.last-blank", stream(role(), rb"data: [DONE]\n\n"), at=1),
    undecided("a cut body", "sse.last-blank", cut(stream(role(), b"data: [DO"))),
    undecided("our own end", "sse.last-blank", ours(stream(role(), b"data: [DO"))),
    unseen("no stream", "sse.last-blank", whole()),
    passes("chunked", "sse.no-length", GOOD),
    fails("a length", "sse.no-length", got(200, b"", to=GOOD.request, kind=EVENTS, framing=Framing.CONTENT_LENGTH)),
    undecided("no stream", "sse.no-length", whole(stream=True)),
    passes("none", "sse.event-names", GOOD),
    fails("an event field", "sse.event-names", stream(role(), b"event: message\ndata: {}\n\n"), at=1, says="'message'"),
    silent("outside chat", "sse.event-names", stream(b"event: x\ndata: {}\n\n", to=ELSEWHERE)),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("sse")


def test_where_reads_end_changes_no_verdict() -> None:
    body = GOOD.body
    pieces = [bytes([byte]) for byte in body]
    for case in (stream(body), stream(*pieces)):
        assert case.messages == GOOD.messages
