"""Quantiles are samples, told only where there are enough, and their intervals cover what they promise."""

import random
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report.quantiles import quantile

samples = st.lists(st.floats(0, 1e6, allow_nan=False), max_size=120)
shares = st.sampled_from([0.1, 0.25, 0.5, 0.9, 0.99])


@pytest.mark.parametrize(("share", "enough"), [(0.5, 2), (0.9, 10), (0.95, 20), (0.99, 100), (0.1, 10)])
def test_a_quantile_is_told_where_a_sample_lies_beyond_it(share: float, enough: int) -> None:
    assert quantile([1.0] * (enough - 1), share) is None
    assert quantile([1.0] * enough, share) is not None


def test_a_median_of_five_has_no_interval_and_one_of_six_has_all_of_them() -> None:
    few, six = quantile([1, 2, 3, 4, 5], 0.5), quantile([1, 2, 3, 4, 5, 6], 0.5)  # 1 - 2 / 2**6 is 96.9 %
    assert few is not None
    assert (few.value, few.low, few.high) == (3, None, None)
    assert six is not None
    assert (six.value, six.low, six.high) == (3, 1, 6)


@given(samples, shares)
def test_any_quantile_is_a_sample_within_its_interval(values: list[float], share: float) -> None:
    told = quantile(values, share)
    if told is None:
        assert len(values) * min(share, 1 - share) < 1 or len(values) < 2
        return
    assert told.value in values
    assert sum(value <= told.value for value in values) >= len(values) * share - 1e-6
    if told.low is not None and told.high is not None:
        assert told.low <= told.value <= told.high


@given(samples, shares, st.randoms())
def test_the_order_of_samples_tells_nothing(values: list[float], share: float, chance: random.Random) -> None:
    mixed = [*values]
    chance.shuffle(mixed)
    assert quantile(values, share) == quantile(mixed, share)


@pytest.mark.parametrize(("count", "share"), [(12, 0.5), (40, 0.5), (120, 0.9), (1500, 0.5)])
def test_intervals_cover_the_true_quantile_at_least_as_often_as_said(count: int, share: float) -> None:
    chance = random.Random(7)
    hits = []
    for _ in range(400):
        told = quantile([chance.random() for _ in range(count)], share)
        assert told is not None
        assert told.low is not None
        assert told.high is not None
        hits.append(told.low <= share <= told.high)
    assert statistics.mean(hits) > 0.93
