"""Quantiles of samples, told only where there are enough to tell them, with intervals that assume no distribution.

A quantile q of n samples is a sample (nearest rank). It is told where one sample in the mean lies beyond it: p50 from
2, p90 from 10, p99 from 100. The interval is made of order statistics too (binomial; David and Nagaraja, Order
Statistics, section 7.1): it covers the true quantile with at least 95 % where the samples are independent, and is None
where no two samples are far enough apart in rank.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

CONFIDENCE = 0.95
EXACT = 1000  # samples up to which the binomial sum is made; the normal approximation is as good beyond


@dataclass(frozen=True, slots=True)
class Quantile:
    """A quantile, and the interval that it lies in, where it has one."""

    value: float
    low: float | None
    high: float | None


def quantile(samples: Sequence[float], share: float) -> Quantile | None:
    """The quantile of a share in (0, 1); None where there are too few samples to tell it."""
    count = len(samples)
    if count < 2 or round(count * min(share, 1 - share), 9) < 1:
        return None
    ordered = sorted(samples)
    ranks = _ranks(count, share)
    low, high = (ordered[ranks[0] - 1], ordered[ranks[1] - 1]) if ranks else (None, None)
    return Quantile(ordered[math.ceil(round(count * share, 9)) - 1], low, high)


def _ranks(count: int, share: float) -> tuple[int, int] | None:
    """The ranks (from 1) whose samples enclose the quantile with `CONFIDENCE`, half of the rest on either side."""
    tail = (1 - CONFIDENCE) / 2
    if count > EXACT:
        spread = 1.96 * math.sqrt(count * share * (1 - share))
        low, high = math.floor(count * share - spread), math.ceil(count * share + spread) + 1
    else:
        below = _binomial(count, share)
        low = max((rank for rank in range(1, count + 1) if below[rank - 1] <= tail), default=0)
        high = min((rank for rank in range(1, count + 1) if 1 - below[rank - 1] <= tail), default=count + 1)
    return (low, high) if low >= 1 and high <= count else None


def _binomial(count: int, share: float) -> list[float]:
    """P(X ≤ k) for k in 0…count, X the number of samples below the quantile."""
    total, sums = 0.0, []
    for k in range(count + 1):
        log = math.lgamma(count + 1) - math.lgamma(k + 1) - math.lgamma(count - k + 1)
        total += math.exp(log + k * math.log(share) + (count - k) * math.log1p(-share))
        sums.append(min(total, 1.0))
    return sums
