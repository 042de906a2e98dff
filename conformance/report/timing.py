"""When a stream said what: the first event that says something, the pieces behind it, the longest silence, the end.

A piece is an event that says something, reasoning and tool calls included: not a role, an empty delta or a keep-alive.
Streams that were asked for and failed are counted apart, since a time without an answer is no time of an answer.
"""

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from openapi.json_text import Json
from openapi.wire.exchange import End, Exchange
from openapi.wire.streams import chat

TICKS = 120  # places along the line of arrivals
MISTAKES = "errors."  # probes that ask for something wrong: what refuses them is no failed stream

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
    return next(_pieces(exchange), None)


def _pieces(exchange: Exchange) -> Iterator[float]:
    """When each event came that says something."""
    for number, (message, payload) in enumerate(zip(exchange.messages, exchange.payloads, strict=True)):
        if any(one.symbol in _SAYS for one in chat.classify(number, message, payload)) or _says(payload.value):
            yield exchange.arrival(message.end)


def _says(payload: Json) -> bool:
    """The same of the streams that are not chat: completions, responses, messages."""
    match payload:
        case {"choices": [*choices]}:
            return any(
                isinstance(choice, dict) and isinstance(text := choice.get("text"), str) and text != ""
                for choice in choices
            )
        case {"type": str(type_), "delta": str(delta)}:
            return type_.endswith(".delta") and delta != ""
        case {"type": "content_block_delta", "delta": dict(delta)}:
            return any(value != "" for name, value in delta.items() if name in {"text", "thinking", "partial_json"})
    return False


def _ticks(arrivals: list[float]) -> tuple[int, ...]:
    last = max(arrivals, default=0.0)
    if not 0 < last < math.inf:
        return (0,) if arrivals else ()
    places = {round(TICKS * max(at, 0.0) / last) for at in arrivals if not math.isnan(at)}
    return tuple(sorted(places))


# --- many of them, as samples -----------------------------------------------------------------------------------------

Key = tuple[str, str, int]  # probe (of a recording its name), step, repeat: what one relay was asked and another too


@dataclass(frozen=True, slots=True)
class Sample:
    """One stream that came whole and said something, in seconds. `gaps` lie between one piece and the next."""

    key: Key
    exchange: str
    ttft: float
    total: float
    gaps: tuple[float, ...]
    asked: bool = True  # by a probe of ours; else it is a recording, by its name

    @property
    def per_piece(self) -> float | None:
        """The mean time from a piece to the next, None where there is only one."""
        return sum(self.gaps) / len(self.gaps) if self.gaps else None


@dataclass(frozen=True, slots=True)
class Times:
    """The streams of a run. `failed` were asked for and broke off, timed out, or were answered with 429 or 5xx."""

    samples: tuple[Sample, ...]
    failed: int

    @property
    def ttft(self) -> tuple[float, ...]:
        return tuple(one.ttft for one in self.samples)

    @property
    def total(self) -> tuple[float, ...]:
        return tuple(one.total for one in self.samples)

    @property
    def gaps(self) -> tuple[float, ...]:
        return tuple(gap for one in self.samples for gap in one.gaps)

    @property
    def per_piece(self) -> tuple[float, ...]:
        return tuple(mean for one in self.samples if (mean := one.per_piece) is not None)


def times(exchanges: Iterable[Exchange]) -> Times:
    """What the streams of a run took."""
    asked = [one for one in exchanges if one.is_stream or one.request.object.get("stream") is True]
    samples = (sample(one) for one in asked)
    return Times(tuple(one for one in samples if one is not None), sum(map(_failed, asked)))


def sample(exchange: Exchange) -> Sample | None:
    """The times of one stream; None where it did not come whole, said nothing, or its times are no numbers."""
    if not exchange.is_stream or exchange.status != 200 or exchange.end is not End.COMPLETE:
        return None
    pieces = tuple(_pieces(exchange))
    if not pieces or not all(map(math.isfinite, (*pieces, exchange.ended_at))):
        return None
    gaps = tuple(later - earlier for earlier, later in pairwise(pieces))
    key = (exchange.probe or exchange.id, exchange.step or "", exchange.repeat)
    return Sample(key, exchange.id, pieces[0], exchange.ended_at, gaps, exchange.probe is not None)


def _failed(exchange: Exchange) -> bool:
    if exchange.end is End.CLIENT_ABORTED or (exchange.probe or "").startswith(MISTAKES):
        return False
    return (
        exchange.status is None or exchange.status == 429 or exchange.status >= 500 or exchange.end is not End.COMPLETE
    )


def shared(several: Iterable[Times]) -> list[Times] | None:
    """The same, confined to what all that have any sample were asked and answered: who was asked for more, or longer,
    is not slower for it. Beside what probes asked recordings are left out. Failures stay as they are. None where
    nothing was answered by all of them."""
    told = list(several)
    asked = any(one.asked for times in told for one in times.samples)
    samples = [tuple(one for one in times.samples if one.asked or not asked) for times in told]
    keys = [{one.key for one in some} for some in samples if some]
    common: set[Key] = set.intersection(*keys) if keys else set()
    if keys and not common:
        return None
    return [
        Times(tuple(one for one in some if one.key in common), times.failed)
        for some, times in zip(samples, told, strict=True)
    ]
