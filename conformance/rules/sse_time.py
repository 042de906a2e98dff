"""Server-sent events in time: a stream is worth nothing where its events come together at its end.

How a relay is caught that holds a stream back: time of arrival against time of generation. A long answer, one of half
its length and one of a token or two are asked for, twice, with nothing else under way. What the long one takes longer
than the short one is the time of its generation where half of it takes half as long; if that is long enough to be told
from a network's moods, the pieces of the long answer must be spread over it. Bursts, slow models, queues and large
blocks are all legal; all pieces in one burst at the end, both times, is not.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from conformance.answers import coded, complete, describe, ended, event_stream, reply_of, saying
from conformance.asked import chat, spoken, streamed, streams, video
from conformance.rule import Finding, Inconclusive, Level, NotSeen, On, Remark, rule
from openapi.wire.exchange import End, Exchange
from openapi.wire.streams.chat import SENTINEL, Symbol

PACED = ("short", "half", "long", "short-again", "half-again", "long-again")  # the steps of a probe
MANY = 20  # pieces below which a model says too little to tell
SPENT = 0.4  # seconds that the generation of a long answer takes at least, where times are to tell anything
BURST = 0.05  # seconds, and a share of the whole, within which all pieces are one burst
BURST_SHARE = 0.05
SPREAD_SHARE = 0.25  # of the time of generation, over which pieces are spread that were not held back
SILENCE = 30.0  # seconds
CLOSES = 5.0  # seconds
PACE_SLACK = 1.7  # factor within which two paces are one
WAITED = "the time does not grow with the answer, so that it may be spent on waiting"
BUFFERING = "NGINX, proxy_buffering; OpenAI API reference, Streaming"

takes_gzip = On("gzip taken", lambda exchange: "gzip" in (exchange.request.header("accept-encoding") or "").lower())
done_seen = On("[DONE]", lambda exchange: any(message.data == SENTINEL for message in exchange.messages))


@rule("sse.incremental", Level.MUST, cites=BUFFERING, on=chat & streamed & ~takes_gzip, given=ended, over=PACED)
def incremental(*paced: Exchange) -> Iterator[Remark]:
    """A stream comes as it is made: its events are not held back until the answer is whole."""
    yield from _held_back(*paced)


@rule(
    "sse.gzip-flushed",
    Level.SHOULD,
    cites=f"{BUFFERING}; RFC 9110 section 8.4",
    on=chat & streamed & takes_gzip,
    occasion=coded,
    given=ended,
    over=PACED,
)
def gzip_flushed(*paced: Exchange) -> Iterator[Remark]:
    """A stream that is compressed is flushed with every event, so that it comes as it is made."""
    yield from _held_back(*paced)


@dataclass(frozen=True, slots=True)
class Held:
    """A long answer whose pieces came together, at its end: the words of it, and the seconds that each piece took."""

    finding: Finding
    pace: float


def _held_back(*paced: Exchange) -> Iterator[Remark]:
    """A finding for each of two long answers, where both came at their end; else what the better of them shows."""
    seen = [_arrival(*paced[:3]), _arrival(*paced[3:])]
    held = [one for one in seen if isinstance(one, Held)]
    if len(held) < len(seen):
        if held:
            yield Inconclusive("one of two long answers came at once at its end, the other did not", mood=True)
        elif None not in seen:
            yield from (one for one in seen if one and not isinstance(one, Held))
    elif not _alike(held[0].pace, held[1].pace):
        yield NotSeen(f"{WAITED}: {held[0].pace:.3f} s and {held[1].pace:.3f} s a piece")
    else:
        yield from (one.finding for one in held)


def _arrival(short: Exchange, half: Exchange, long: Exchange) -> Remark | Held | None:
    """How a long answer came, None for piece by piece."""
    times = _pieces(long)
    if len(times) < MANY:
        return NotSeen(f"the long answer came in {len(times)} pieces: too few to tell")
    if _thought(long):
        return Inconclusive("the model thought unseen for part of the time", mood=True)
    total, burst = times[-1], times[-1] - times[0]
    spent = total - _end(short)
    if burst > max(BURST, BURST_SHARE * total):
        text = f"the pieces came within {burst:.2f} s, of {spent:.2f} s in which they may have been made"
        return Inconclusive(text, mood=True) if burst < SPREAD_SHARE * spent else None
    if spent < SPENT:
        return NotSeen(f"the long answer took {max(spent, 0.0):.2f} s longer than the short one: too quick to tell")
    pace, pace_of_half = spent / len(times), (_end(half) - _end(short)) / max(len(_pieces(half)), 1)
    if not _alike(pace, pace_of_half):
        return NotSeen(f"{WAITED}: {pace:.3f} s a piece, and {pace_of_half:.3f} s in an answer of half the length")
    text = f"all {len(times)} pieces came within {burst:.3f} s, {times[0]:.2f} s after the request"
    text += f"; half an answer was whole after {_end(half):.2f} s, a short one after {_end(short):.2f} s"
    return Held(Finding(text, place="time", exchange=long.id), pace)


def _alike(one: float, other: float) -> bool:
    """Whether two paces are those of one generation: twice as many pieces then take about twice as long."""
    return min(one, other) > 0 and max(one, other) <= PACE_SLACK * min(one, other)


def _pieces(exchange: Exchange) -> list[float]:
    """When each event came that says a piece of the answer, in seconds."""
    events = {said.event for symbol in (Symbol.DELTA, Symbol.TOOL) for said in saying(exchange, symbol)}
    return [exchange.arrival(exchange.messages[event].end) for event in sorted(events)]


def _end(exchange: Exchange) -> float:
    """When the last event came; without any, when the answer was over."""
    return exchange.arrival(exchange.messages[-1].end) if exchange.messages else exchange.ended_at


def _thought(exchange: Exchange) -> bool:
    """Whether tokens were spent on reasoning that is not shown."""
    reply = reply_of(exchange)
    details = (reply.usage or {}).get("completion_tokens_details")
    hidden = details.get("reasoning_tokens") if isinstance(details, dict) else None
    return bool(hidden) and not any(choice.reasoning for choice in reply.choices.values())


@rule(
    "sse.silence",
    Level.MAY,
    cites="WHATWG HTML section 9.2.7; Cloudflare error 524",
    on=streams & streamed & ~video,
    given=event_stream,
)
def silence(exchange: Exchange) -> Iterator[Remark]:
    """A stream is never silent for 30 s: a comment keeps proxies from cutting it while a model thinks."""
    times = [0.0, *(read.at for read in exchange.reads if read.data)]
    longest, before = max(((after - before, before) for before, after in pairwise(times)), default=(0.0, 0.0))
    if longest > SILENCE:
        events = sum(exchange.arrival(message.end) <= before for message in exchange.messages)
        yield Finding(f"nothing came for {longest:.1f} s", events)
    elif not complete.holds(exchange):
        yield Inconclusive(describe(exchange))


@rule(
    "sse.close",
    Level.SHOULD,
    cites="OpenAI API reference, Streaming",
    on=spoken & streamed,
    occasion=event_stream & done_seen,
)
def closes(exchange: Exchange) -> Iterator[Remark]:
    """Behind [DONE] the answer ends: a client that reads to the end is not kept waiting."""
    done = next(message for message in reversed(exchange.messages) if message.data == SENTINEL)
    late = exchange.ended_at - exchange.arrival(done.end)
    if late > CLOSES:
        yield Finding(f"the answer was still open {late:.1f} s behind [DONE]", len(exchange.messages))
    elif exchange.end in {End.TIMEOUT, End.CLIENT_ABORTED}:
        yield Inconclusive(describe(exchange))
