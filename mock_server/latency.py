"""How long a model takes, where nothing was recorded: the time to the first token, and from one to the next.

    200 · normal(200,50) · lognormal(200,0.4) · uniform(100,300)      milliseconds

A pure function of the seed, the request and how many answers are under way: equal requests take equal times, in every
process. Recordings keep the times that they have.
"""

import math
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from mock_server.answer import Answer, Asked, Frame, Frames
from openapi import json_text
from openapi.wire.exchange import Framing

NOTATION = re.compile(
    r"(?P<constant>\d+(?:\.\d+)?)|(?P<kind>normal|lognormal|uniform)\(\s*(?P<one>\d+(?:\.\d+)?)\s*,\s*(?P<other>\d+(?:\.\d+)?)\s*\)",
    re.ASCII,
)
LONGEST = 3600.0  # seconds
COUNTS = ("completion_tokens", "output_tokens")


class LatencyError(ValueError):
    """Words that are no distribution; the message says what is."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """Of milliseconds: `constant(one)`, `normal(mean, deviation)`, `lognormal(median, sigma)`, `uniform(from, to)`."""

    kind: str
    one: float
    other: float = 0.0

    def seconds(self, die: random.Random) -> float:
        """One time, never negative."""
        match self.kind:
            case "normal":
                value = die.gauss(self.one, self.other)
            case "lognormal":
                value = self.one * math.exp(min(die.gauss(0, self.other), 50))
            case "uniform":
                value = die.uniform(self.one, self.other)
            case _:
                value = self.one
        return min(max(value, 0.0) / 1000, LONGEST)


def distribution(text: str) -> Distribution:
    """From its words. Raises LatencyError."""
    found = NOTATION.fullmatch(str(text).strip())
    if not found:
        msg = f"{str(text)[:60]!r} is no time: 200, normal(200,50), lognormal(200,0.4) or uniform(100,300), in ms"
        raise LatencyError(msg)
    if found["constant"]:
        return Distribution("constant", float(found["constant"]))
    return Distribution(found["kind"], float(found["one"]), float(found["other"]))


@dataclass(frozen=True, slots=True)
class Latency:
    """What a model takes: `ttft` to its first token, `itl` from one to the next, None for what is usual.

    With `slots` the model has room for so many answers at a time: with twice as many under way each takes twice as
    long.
    """

    ttft: Distribution | None = None
    itl: Distribution | None = None
    slots: int | None = None

    def __bool__(self) -> bool:
        return self.ttft is not None or self.itl is not None

    def over(self, usual: "Latency") -> "Latency":
        """This, and where it says nothing the usual."""
        return Latency(self.ttft or usual.ttft, self.itl or usual.itl, self.slots or usual.slots)


USUAL = Latency()
"""As the answer was made."""


def retimed(asked: Asked, answer: Answer, latency: Latency, under_way: int = 1) -> Answer:
    """An answer that was made up, at the pace of a model. Whole ones come when all their tokens are made."""
    if not latency or answer.recorded or answer.status != 200 or not answer.frames:
        return answer
    die = random.Random(f"{asked.seed} {asked.method} {asked.path} {asked.raw!r}")  # noqa: S311 - no secret
    slower = max(1.0, under_way / latency.slots) if latency.slots else 1.0
    if answer.framing is not Framing.CHUNKED:
        due = slower * sum(_steps(latency, max(_tokens(answer), 1), die, answer.frames[0].due))
        return replace(answer, frames=(replace(answer.frames[0], due=due), *answer.frames[1:]), ended_at=due)
    frames = Frames(_moved(answer.frames, latency, die, slower))
    return replace(answer, frames=frames, ended_at=max(frame.due for frame in frames))


def _moved(frames: tuple[Frame, ...], latency: Latency, die: random.Random, slower: float) -> Iterator[Frame]:
    usual = [frame.due for frame in frames]
    due = 0.0
    for at, (frame, step) in enumerate(zip(frames, _steps(latency, len(frames), die, usual[0]), strict=True)):
        kept = latency.itl is None and at > 0
        due += slower * (usual[at] - usual[at - 1] if kept else step)
        yield replace(frame, due=due)


def _steps(latency: Latency, count: int, die: random.Random, first: float) -> Iterator[float]:
    """The seconds before each of so many tokens."""
    yield latency.ttft.seconds(die) if latency.ttft else first
    for _ in range(count - 1):
        yield latency.itl.seconds(die) if latency.itl else 0.0


def _tokens(answer: Answer) -> int:
    """How many tokens a whole answer says that it has."""
    usage = json_text.read(answer.body).object.get("usage")
    counts = [usage.get(name) for name in COUNTS] if isinstance(usage, dict) else []
    return next((count for count in counts if isinstance(count, int)), 0)
