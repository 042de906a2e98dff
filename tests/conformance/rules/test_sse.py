"""The rules about server-sent events."""

import zlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

from conformance.rule import Outcome
from openapi.wire.exchange import Exchange, Framing
from tests.conformance.exchanges import (
    DONE,
    EVENTS,
    Case,
    answer,
    chapter,
    chat_body,
    cut,
    each,
    fails,
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
    whole,
)
from tests.conformance.rules.test_sse_time import IN_TIME

GOOD = stream(role(), text(), finish(), DONE)
ELSEWHERE = request({"model": "m", "input": "hi", "stream": True}, path="/v1/responses")


def typed(kind: str | None) -> Case:
    return passes(f"{kind}", "sse.charset", got(200, GOOD.body, to=GOOD.request, kind=kind))


BROTLI = got(200, b"\x0b\x02\x80", to=GOOD.request, kind=EVENTS, headers=(("content-encoding", "br"),))
GZIP = got(
    200, zlib.compress(GOOD.body, wbits=31), to=GOOD.request, kind=EVENTS, headers=(("content-encoding", "gzip"),)
)

WORD = "龙猫🐉naïve"
ECHO = f"Repeat this word exactly and write nothing else: {WORD}"
ASKED = {"messages": [{"role": "user", "content": ECHO}]}


def echoed(said: str, **asked: Any) -> Exchange:
    """A stream that says this when it was asked for a word."""
    return stream(role(), text(said), finish(), DONE, **(asked or ASKED))


def headed(*headers: tuple[str, str]) -> Exchange:
    return got(200, GOOD.body, to=GOOD.request, kind=EVENTS, headers=headers)


def cut_at(*borders: int) -> Exchange:
    """Two events of six bytes, in chunks of HTTP that end there."""
    sizes = tuple(after - before for before, after in pairwise((0, *borders, borders[-1])))
    return replace(stream(b"data:\n", b"data:\n"), chunks=sizes, framing=Framing.CHUNKED)


def wire(body: bytes) -> Exchange:
    return stream(body, DONE)


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
    passes("as it is", "sse.mojibake", echoed(f'"{WORD}".')),
    passes("whole", "sse.mojibake", whole(answer(message(WORD)), **ASKED)),
    fails("Latin-1", "sse.mojibake", echoed(WORD.encode().decode("latin-1")), says="was encoded twice"),
    fails("Windows", "sse.mojibake", echoed("é¾™çŒ«"), says="'é¾™'"),
    fails("the half of it", "sse.mojibake", echoed("龙猫🐉naÃ¯ve"), says="'Ã¯'"),
    moody("another word", "sse.mojibake", echoed("Hello!"), says="'Hello!'"),
    undecided("refused", "sse.mojibake", got(400, {"error": {}}, to=request(chat_body(**ASKED)))),
    silent("another prompt", "sse.mojibake", echoed("x", messages=[{"role": "user", "content": "hi"}])),
    silent(
        "an ASCII word",
        "sse.mojibake",
        echoed("x", messages=[{"role": "user", "content": "Repeat this word exactly: abc"}]),
    ),
    silent(
        "half a character",
        "sse.mojibake",
        echoed("x", messages=[{"role": "user", "content": "Repeat this word exactly: a\ud83d"}]),
    ),
    silent("parts", "sse.mojibake", echoed("x", messages=[{"role": "user", "content": [{"type": "text"}]}])),
    silent("no messages", "sse.mojibake", stream(to=request({"model": "m", "stream": True}))),
    *(
        passes(value, "sse.cache-control", headed(("Cache-Control", value)))
        for value in ("no-cache", "private, no-store", "No-Cache, no-transform")
    ),
    fails("none", "sse.cache-control", GOOD, says="got None"),
    fails("an hour", "sse.cache-control", headed(("cache-control", "max-age=3600")), says="max-age"),
    undecided("no stream", "sse.cache-control", whole(stream=True)),
    passes("no", "sse.accel-buffering", headed(("X-Accel-Buffering", " No"))),
    fails("none", "sse.accel-buffering", GOOD, says="got None"),
    passes("none", "sse.bom", GOOD),
    fails("one", "sse.bom", wire(b"\xef\xbb\xbfdata: {}\n\n"), at=0),
    passes("LF", "sse.line-ends", GOOD),
    passes("CRLF", "sse.line-ends", stream(b"data: {}\r\n\r\n")),
    fails("CR", "sse.line-ends", stream(b"data: {}\r\r"), says="bare CR"),
    fails("both", "sse.line-ends", stream(b"data: {}\n\r\n"), says="some in CRLF"),
    passes("each event", "sse.whole-events", cut_at(6, 12)),
    passes("several at once", "sse.whole-events", cut_at(12)),
    passes("a size that lies", "sse.whole-events", cut_at(6, 60)),
    fails("within a line", "sse.whole-events", cut_at(6, 9, 12), at=0, says="dat"),
    unseen("another framing", "sse.whole-events", GOOD),
    unseen("compressed", "sse.whole-events", replace(cut_at(9), headers=(*GOOD.headers, ("content-encoding", "br")))),
    passes("one line", "sse.multi-line", GOOD),
    fails("two", "sse.multi-line", stream(role(), b"data: {\ndata: }\n\n"), at=1),
    passes("comments alone", "sse.id-and-comment", wire(b": ping\n\ndata: {}\n\n")),
    passes("ids alone", "sse.id-and-comment", wire(b"id: 1\ndata: {}\n\n")),
    passes("a comment in a block", "sse.id-and-comment", wire(b"id: 1\ndata: {}\n\n: ping\ndata: {}\n\n")),
    fails("both", "sse.id-and-comment", wire(b"id: 1\ndata: {}\n\n: ping\n\n"), says="and 1 comments"),
    silent("outside chat", "sse.event-names", stream(b"event: x\ndata: {}\n\n", to=ELSEWHERE)),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("sse") - IN_TIME


def test_where_reads_end_changes_no_verdict() -> None:
    body = GOOD.body
    pieces = [bytes([byte]) for byte in body]
    for case in (stream(body), stream(*pieces)):
        assert case.messages == GOOD.messages
