"""The rules about server-sent events in time."""

from dataclasses import replace

from conformance.rule import Outcome
from openapi.wire.exchange import End, Exchange, Read, Request
from tests.conformance.exchanges import (
    DONE,
    Case,
    Event,
    chat_body,
    choice,
    chunk,
    counted,
    cut,
    each,
    fails,
    finish,
    head,
    ours,
    passes,
    request,
    role,
    rules_of,
    silent,
    sse_bytes,
    stream,
    text,
    undecided,
    unseen,
    whole,
)
from tests.conformance.groups import agree, clash, open_, out_of, unheard

IN_TIME = {"sse.incremental", "sse.gzip-flushed", "sse.silence", "sse.close"}
INCREMENTAL, FLUSHED, SILENCE, CLOSE = "sse.incremental", "sse.gzip-flushed", "sse.silence", "sse.close"
GZIP = request(chat_body(stream=True), headers=(("Accept-Encoding", "gzip"),))
EVENTS: list[Event] = [role(), *(text(f"{at} ") for at in range(30)), finish(), DONE]


def timed(events: list[Event], first: float, last: float, to: Request | None = None) -> Exchange:
    """A stream whose events come evenly from the first moment to the last."""
    step = (last - first) / (len(events) - 1)
    reads = tuple(Read(round(first + step * at, 4), sse_bytes(event)) for at, event in enumerate(events))
    return replace(stream(to=to or request(chat_body(stream=True))), reads=reads, ended_at=last)


def coded(exchange: Exchange) -> Exchange:
    """As a stream that names a coding which changes nothing."""
    return replace(exchange, request=GZIP, headers=(*exchange.headers, ("content-encoding", "identity")))


SHORT = timed([role(), text("1"), finish("length"), DONE], 0.2, 0.25)
STEADY = timed(EVENTS, 0.2, 2.0)
HELD = timed(EVENTS, 2.0, 2.02)
WIDE = timed(EVENTS, 9.6, 10.0)
QUICK = timed(EVENTS, 0.2, 0.24)
SOON = timed(EVENTS, 0.2, 0.5)
HALF = timed(EVENTS, 1.7, 2.0)
FEW = timed([role(), text(), finish(), DONE], 2.0, 2.01)
CALLS = timed([role(), *(head(f"c{at}", index=at) for at in range(30)), finish("tool_calls"), DONE], 0.2, 2.0)
REASONED = counted(completion_tokens_details={"reasoning_tokens": 90})
THOUGHT = timed([*EVENTS[:-1], REASONED, DONE], 2.0, 2.02)
SHOWN: list[Event] = [chunk(choice({"reasoning_content": f"{at} "})) for at in range(30)]
OPENLY = timed([role(), *SHOWN, text("4"), finish(), REASONED, DONE], 2.0, 2.02)
BURSTS = replace(STEADY, reads=tuple(replace(read, at=0.2 if read.at < 1 else 2.0) for read in STEADY.reads))


def paced(*long: Exchange) -> tuple[Exchange, ...]:
    """The exchanges of a probe with these two long answers."""
    first, second = long if len(long) == 2 else (*long, *long)
    return SHORT, half_of(first), first, SHORT, half_of(second), second


def half_of(long: Exchange) -> Exchange:
    """An answer of half as many pieces, that took half as long to make."""
    end = SHORT.ended_at + (long.ended_at - SHORT.ended_at) / 2
    return timed([*EVENTS[:16], finish("length"), DONE], end - 0.01, end)


def left_open(seconds: float, end: End = End.COMPLETE) -> Exchange:
    return replace(STEADY, ended_at=STEADY.ended_at + seconds, end=end)


def reads_at(*times: float, end: End = End.COMPLETE) -> Exchange:
    events: list[Event] = [role(), text(), finish(), DONE]
    reads = tuple(Read(at, sse_bytes(event)) for at, event in zip(times, events, strict=False))
    return replace(stream(), reads=reads, ended_at=times[-1] if times else 0.0, end=end)


CASES: list[Case] = [
    agree("step by step", INCREMENTAL, *paced(STEADY)),
    agree("in two bursts", INCREMENTAL, *paced(BURSTS)),
    agree("calls of tools", INCREMENTAL, *paced(CALLS)),
    agree("soon and step by step", INCREMENTAL, *paced(SOON)),
    agree("once too quick to tell", INCREMENTAL, *paced(QUICK, STEADY)),
    agree("short answers without an event", INCREMENTAL, *(stream(), STEADY, STEADY, stream(), STEADY, STEADY)),
    clash("held back", INCREMENTAL, *paced(HELD), step="long", says="all 30 pieces came within 0.018 s, 2.00 s after"),
    clash("held back for long", INCREMENTAL, *paced(WIDE), step="long"),
    clash("thought openly", INCREMENTAL, *paced(OPENLY), step="long", says="all 31 pieces"),
    open_("held back once", INCREMENTAL, *paced(HELD, STEADY), says="the other did not", mood=True),
    unheard(
        "a wait of one length",
        INCREMENTAL,
        *(SHORT, timed([*EVENTS[:16], finish("length"), DONE], 2.0, 2.01), HELD) * 2,
    ),
    unheard("half an answer in no time", INCREMENTAL, *(SHORT, QUICK, HELD) * 2),
    unheard("half an answer of nothing", INCREMENTAL, *(SHORT, stream(), HELD) * 2),
    unheard("two paces", INCREMENTAL, *paced(HELD, WIDE)),
    open_("held back in part", INCREMENTAL, *paced(HALF), says="of 1.73 s", mood=True),
    open_("thought unseen", INCREMENTAL, *paced(THOUGHT), says="unseen", mood=True),
    open_("cut", INCREMENTAL, *paced(cut(STEADY))),
    unheard("too quick to tell", INCREMENTAL, *paced(QUICK)),
    unheard("too few", INCREMENTAL, *paced(FEW)),
    out_of("gzip is taken", INCREMENTAL, *(replace(one, request=GZIP) for one in paced(HELD))),
    agree("flushed", FLUSHED, *map(coded, paced(STEADY))),
    clash("not flushed", FLUSHED, *map(coded, paced(HELD)), step="long"),
    unheard("not compressed", FLUSHED, *(replace(one, request=GZIP) for one in paced(HELD))),
    passes("soon", SILENCE, reads_at(1, 20, 45, 46)),
    fails("before the first byte", SILENCE, reads_at(31, 32, 33, 34), at=0, says="31.0 s"),
    fails("in between", SILENCE, reads_at(1, 2, 40, 41), at=2, says="38.0 s"),
    passes("nothing at all", SILENCE, reads_at()),
    undecided("our own end", SILENCE, ours(reads_at(1, 2))),
    undecided("no stream", SILENCE, whole(stream=True)),
    silent("not streamed", SILENCE, whole()),
    passes("at once", CLOSE, STEADY),
    passes("a little later", CLOSE, left_open(4.0)),
    fails("too late", CLOSE, left_open(6.0), at=33, says="6.0 s behind"),
    fails("never", CLOSE, left_open(60.0, End.TIMEOUT), at=33),
    undecided("we left before", CLOSE, left_open(2.0, End.TIMEOUT)),
    undecided("we left at once", CLOSE, left_open(0.0, End.CLIENT_ABORTED)),
    unseen("no [DONE]", CLOSE, stream(role(), finish())),
    silent("not streamed", CLOSE, whole()),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == IN_TIME
