"""The times of relays beside each other: distributions on common axes, and quantiles where there are enough samples.

Relays are compared on what all of them answered. Gaps within one stream hang together, so that only the mean of each
stream has an interval; the distribution of the gaps themselves is drawn.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from conformance.report.charts.axis import axis
from conformance.report.charts.ecdf import WIDTH, curve, ecdf
from conformance.report.quantiles import Quantile, quantile
from conformance.report.timing import Times, shared, times
from openapi.wire.exchange import Exchange

SHARES = (0.5, 0.9, 0.99)
MEASURES = ("ttft", "gaps", "total")


@dataclass(frozen=True, slots=True)
class Measure:
    """One measure at one relay. `quantiles` are p50, p90 and p99, each None where there are too few samples."""

    name: str
    count: int
    quantiles: tuple[Quantile | None, ...]
    picture: Markup


@dataclass(frozen=True, slots=True)
class Lane:
    """One relay: its streams, those that failed, and what was measured of the others."""

    streams: int
    failed: int
    left_out: int  # whole streams that another relay has no equal of
    measures: tuple[Measure, ...]
    per_piece: Quantile | None


@dataclass(frozen=True, slots=True)
class Distributions:
    """All of them; `curves` are the paths that the pictures refer to, by id. Not `compared` are relays that were not
    asked the same."""

    compared: bool
    lanes: tuple[Lane, ...]
    curves: tuple[tuple[str, str], ...]

    @property
    def measured(self) -> bool:
        return any(lane.streams for lane in self.lanes)

    @property
    def failed(self) -> int:
        return sum(lane.failed for lane in self.lanes)


def distributions(runs: Sequence[Iterable[Exchange]]) -> Distributions:
    """What the streams of each run took."""
    every = [times(exchanges) for exchanges in runs]
    together = shared(every)
    common = every if together is None else together
    axes = {name: axis((one for told in common for one in _samples(told, name)), WIDTH) for name in MEASURES}
    curves = {
        f"{name}-{number}": curve(_samples(told, name), axes[name])
        for name in MEASURES
        for number, told in enumerate(common)
        if _samples(told, name)
    }
    lanes = []
    for number, (told, own) in enumerate(zip(every, common, strict=True)):
        measures = []
        for name in MEASURES:
            samples = _samples(own, name)
            told_at = tuple(quantile(samples, share) for share in SHARES)
            if name == "gaps":
                told_at = tuple(one and Quantile(one.value, None, None) for one in told_at)
            others = curves if together is not None else ()
            ids = [one for one in others if one.startswith(f"{name}-") and one != f"{name}-{number}"]
            drawn = ecdf(f"{name}-{number}", ids, axes[name], told_at[0], name) if samples else Markup()
            measures.append(Measure(name, len(samples), told_at, drawn))
        left_out = len(told.samples) - len(own.samples)
        lanes.append(Lane(len(own.samples), own.failed, left_out, tuple(measures), quantile(own.per_piece, 0.5)))
    return Distributions(together is not None, tuple(lanes), tuple(curves.items()))


def _samples(told: Times, name: str) -> tuple[float, ...]:
    return {"ttft": told.ttft, "gaps": told.gaps, "total": told.total}[name]
