"""A logarithmic axis of seconds, and where on it a time stands."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

FLOOR = 1e-3  # seconds; what is shorter stands at the left end, pieces of one network read among it
CEILING = 1e5


@dataclass(frozen=True, slots=True)
class Axis:
    """From `low` to `high` seconds over `width` units, one decade at least."""

    low: float
    high: float
    width: float

    def x(self, seconds: float) -> float:
        """Where a time stands, within the axis."""
        share = math.log(min(max(seconds, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return round(self.width * share, 1)

    @property
    def ticks(self) -> tuple[tuple[float, str], ...]:
        """A place and its label for each decade, or for 1, 2 and 5 of each where there is room."""
        decades = round(math.log10(self.high / self.low))
        steps = (1, 2, 5) if decades <= 1 else (1, 3) if decades == 2 else (1,)
        first = round(math.log10(self.low))
        places = (step * 10.0**power for power in range(first, first + decades + 1) for step in steps)
        return tuple((self.x(at), label(at)) for at in places if at <= self.high * 1.001)


def axis(samples: Iterable[float], width: float) -> Axis:
    """The axis on which all samples stand, in whole decades."""
    finite = [min(max(one, FLOOR), CEILING) for one in samples if math.isfinite(one)]
    low = math.floor(math.log10(min(finite, default=0.01)) + 1e-9)
    high = math.ceil(math.log10(max(finite, default=1.0)) - 1e-9)
    return Axis(10.0**low, 10.0 ** max(high, low + 1), width)


def label(seconds: float) -> str:
    """`20 ms`, `3 s`."""
    return f"{seconds:g} s" if seconds >= 0.9995 else f"{seconds * 1000:g} ms"
