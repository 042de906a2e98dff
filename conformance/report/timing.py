"""When a stream said what: the first event that says something, the longest silence, and each arrival as a tick."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams import chat

TICKS = 120  # places along the line of arrivals

_SAYS = {chat.Symbol.DELTA, chat.Symbol.TOOL}


@dataclass(frozen=True, slots=True)
class Timing:
    """One streamed exchange, in seconds since the request was sent. None where it did not happen."""

    exchange: Exchange
    events: int
    first_byte: float | None
    ttft: float | None
    total: float
    longest_gap: float | None
    ticks: tuple[int, ...]


def timings(exchanges: tuple[Exchange, ...]) -> Iterator[Timing]:
    """The streamed exchanges, in the order of the run."""
    return (timing(exchange) for exchange in exchanges if exchange.is_stream and exchange.reads)


def timing(exchange: Exchange) -> Timing:
    arrivals = [exchange.arrival(message.end) for message in exchange.messages]
    gaps = [later - earlier for earlier, later in pairwise(arrivals)]
    first = exchange.first_byte if exchange.first_byte is not None else exchange.reads[0].at
    return Timing(
        exchange, len(arrivals), first, ttft(exchange), exchange.ended_at, max(gaps, default=None), _ticks(arrivals)
    )


def ttft(exchange: Exchange) -> float | None:
    """When the first event came that says something, reasoning included."""
    for number, (message, payload) in enumerate(zip(exchange.messages, exchange.payloads, strict=True)):
        said = {one.symbol for one in chat.classify(number, message, payload)}
        if said & _SAYS or _says(payload.value):
            return exchange.arrival(message.end)
    return None


def _says(payload: Json) -> bool:
    """The same of the streams that are not chat: completions, responses, messages."""
    match payload:
        case {"choices": [{"text": str(text)}, *_]}:
            return bool(text)
        case {"type": str(type_), "delta": delta}:
            return type_.endswith(("delta", ".delta")) and bool(delta)
    return False


def _ticks(arrivals: list[float]) -> tuple[int, ...]:
    last = max(arrivals, default=0.0)
    if not 0 < last < math.inf:
        return (0,) if arrivals else ()
    places = {round(TICKS * max(at, 0.0) / last) for at in arrivals if not math.isnan(at)}
    return tuple(sorted(places))
