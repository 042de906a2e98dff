"""Whether one relay is faster than another, with a test and its size.

What two relays were both asked by probes, and answered whole, is a pair: the same probe, step and repeat. Where both
were asked in step the hour decides nothing; of runs at other times that is said beside it. The test is Wilcoxon's
signed-rank test on the logarithms of the ratios, exact for as many pairs as here come, ties included; the size is the
Hodges-Lehmann estimate of the ratio with its interval of 95 %. A difference is told as one only where the test,
corrected for how many were made (Holm), is below ALPHA, the interval leaves out every ratio that nobody feels (1/FELT
to FELT), and the times themselves lie further apart than our own clock's noise.

    Wilcoxon, Individual comparisons by ranking methods, 1945 · Hodges and Lehmann, 1963 · Holm, 1979
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from math import exp, log, sqrt
from statistics import NormalDist, median

from conformance.report.comparison import Comparison
from conformance.report.timing import Sample, times
from conformance.run import Run

ALPHA = 0.01
FEWEST = 8  # pairs: of fewer nothing is said
MOST = 200  # pairs that are counted exactly; of more the normal approximation is as good
FELT = 1.2  # a ratio that is worth a word
NOISE = 0.005  # seconds that a busy client may add

MEASURES: dict[str, Callable[[Sample], float | None]] = {
    "ttft": lambda sample: sample.ttft,
    "per_piece": lambda sample: sample.per_piece,
    "total": lambda sample: sample.total,
}


@dataclass(frozen=True, slots=True)
class Speed:
    """One measure at two relays, by their numbers. `ratio` is the time at `slow` over that at `fast`, `p` is corrected;
    `fast_median` and `slow_median` are seconds, over the pairs; `together` says that the two runs overlap in time."""

    measure: str
    fast: int
    slow: int
    pairs: int
    fast_median: float
    slow_median: float
    ratio: float
    low: float
    high: float
    p: float
    together: bool = True

    @property
    def differs(self) -> bool:
        """Whether the one is told to be faster."""
        apart = self.slow_median - self.fast_median
        return self.pairs >= FEWEST and self.p < ALPHA and self.low > FELT and apart > NOISE


def speeds(comparison: Comparison) -> list[Speed]:
    """Each measure at each two relays that share enough, the greatest difference first."""
    runs = [relay.run for relay in comparison.relays]
    samples = [{one.key: one for one in times(run.exchanges).samples if one.asked} for run in runs]
    told = [
        replace(speed, together=_overlap(runs[one], runs[other]))
        for one, other in combinations(range(len(samples)), 2)
        for measure, read in MEASURES.items()
        if (speed := _speed(measure, (one, other), list(_pairs(samples[one], samples[other], read))))
    ]
    return sorted(_corrected(told), key=lambda speed: (not speed.differs, -speed.ratio))


def _overlap(one: Run, other: Run) -> bool:
    """Whether two runs were under way at the same time, by what they say of it."""
    ends = [run.footer.finished if run.footer else "" for run in (one, other)]
    return one.header.started <= ends[1] and other.header.started <= ends[0]


def _pairs(
    one: dict[tuple[str, str, int], Sample],
    other: dict[tuple[str, str, int], Sample],
    read: Callable[[Sample], float | None],
) -> Iterator[tuple[float, float]]:
    for key in one.keys() & other.keys():
        left, right = read(one[key]), read(other[key])
        if left and right and left > 0 and right > 0:
            yield left, right


def _speed(measure: str, relays: tuple[int, int], pairs: Sequence[tuple[float, float]]) -> Speed | None:
    if len(pairs) < FEWEST:
        return None
    logs = sorted(log(right / left) for left, right in pairs)
    low, middle, high = interval(logs)
    left, right = (median(values) for values in zip(*pairs, strict=True))
    if middle < 0:  # the other one is faster
        relays, left, right, low, middle, high = relays[::-1], right, left, -high, -middle, -low
    return Speed(measure, *relays, len(pairs), left, right, exp(middle), exp(low), exp(high), signed_rank(logs))


def _corrected(told: Sequence[Speed]) -> list[Speed]:
    """Holm's correction: each p times how many are not smaller, never less than the one before."""
    ordered = sorted(told, key=lambda speed: speed.p)
    corrected: list[Speed] = []
    least = 0.0
    for number, speed in enumerate(ordered):
        least = max(least, min(1.0, speed.p * (len(ordered) - number)))
        corrected.append(replace(speed, p=least))
    return corrected


def signed_rank(differences: Sequence[float]) -> float:
    """The two-sided p of Wilcoxon's signed-rank test: how likely ranks as lopsided are where signs are a coin's. Zeros
    are left out, ties share their mean rank."""
    values = sorted((value for value in differences if value), key=abs)
    if not values:
        return 1.0
    ranks = _doubled_ranks([abs(value) for value in values])
    positive = sum(rank for value, rank in zip(values, ranks, strict=True) if value > 0)
    extreme = min(positive, sum(ranks) - positive)
    if len(values) > MOST:
        mean, deviation = sum(ranks) / 2, sqrt(sum(rank * rank for rank in ranks)) / 2
        return min(1.0, 2 * NormalDist(mean, deviation).cdf(extreme + 1))
    ways = [1]  # of each sum of the ranks with a positive sign; whole numbers, so nothing is rounded
    for rank in ranks:
        grown = ways + [0] * rank
        for total, count in enumerate(ways):
            grown[total + rank] += count
        ways = grown
    return float(min(1.0, 2 * sum(ways[: extreme + 1]) / 2 ** len(values)))


def _doubled_ranks(ordered: Sequence[float]) -> list[int]:
    """Twice the rank of each, so that the mean rank of ties is a whole number."""
    ranks: list[int] = []
    while len(ranks) < len(ordered):
        first = len(ranks)
        last = first
        while last + 1 < len(ordered) and ordered[last + 1] == ordered[first]:
            last += 1
        ranks += [first + last + 2] * (last - first + 1)
    return ranks


def interval(values: Sequence[float]) -> tuple[float, float, float]:
    """The Hodges-Lehmann estimate between the ends of its interval: the median of the means of all pairs, and those as
    far from the ends as the test would let them be."""
    means = sorted((one + other) / 2 for number, one in enumerate(values) for other in values[number:])
    count = len(values)
    middle, deviation = count * (count + 1) / 4, sqrt(count * (count + 1) * (2 * count + 1) / 24)
    outside = max(int(middle - NormalDist().inv_cdf(0.975) * deviation), 0)
    return means[outside], median(means), means[-1 - outside]
