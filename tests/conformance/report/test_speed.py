"""A relay is said to be faster only where a test says so, and by how much; equal relays are told as equal."""

import random
from dataclasses import replace
from itertools import product
from math import exp, isclose

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.report import speed
from conformance.report.comparison import compare
from conformance.run import Run
from openapi.wire.exchange import Exchange, Read
from tests.conformance.report.made import BOOK, HEADER, ended, recorded


def relay(name: str, scale: float, *, count: int = 30, seed: int = 1, noise: float = 0.05) -> Run:
    """A run of streams that take that many seconds to their first token and again to their end."""
    draw = random.Random(seed)
    exchanges = tuple(stream(number, scale * exp(draw.gauss(0, noise))) for number in range(count))
    return ended(Run(replace(HEADER, relay={"name": name}), exchanges, ()))


def stream(number: int, seconds: float) -> Exchange:
    chunk = b'data: {"object":"chat.completion.chunk","choices":[{"index":0,"delta":{"content":"x"}}]}\n\n'
    one = recorded("litellm/chat-stream", f"e{number}", f"probe-{number}")
    reads = tuple(Read(seconds * (1 + at / 10), chunk) for at in range(5))
    return replace(one, reads=reads, ended_at=seconds * 2, first_byte=seconds)


def told(*runs: Run) -> list[speed.Speed]:
    return speed.speeds(compare(runs, BOOK))


def test_one_that_is_half_as_fast_is_told_with_its_size() -> None:
    found = told(relay("a", 0.4, seed=1), relay("b", 0.2, seed=2))
    assert {one.measure for one in found if one.differs} == {"ttft", "per_piece", "total"}
    for one in found:
        assert (one.fast, one.slow, one.pairs) == (1, 0, 30)
        assert one.low < 2 < one.high
        assert isclose(one.ratio, 2, rel_tol=0.1)
        assert one.p < 0.001


@pytest.mark.parametrize("seed", range(20))
def test_two_that_are_equal_do_not_differ(seed: int) -> None:
    assert [one for one in told(relay("a", 0.2, seed=seed), relay("b", 0.2, seed=seed + 100)) if one.differs] == []


def test_what_nobody_feels_or_our_clock_cannot_tell_is_no_difference() -> None:
    assert not any(one.differs for one in told(relay("a", 0.2), relay("b", 0.21, seed=2)))
    assert not any(one.differs for one in told(relay("a", 0.001), relay("b", 0.003, seed=2)) if one.measure == "ttft")


def test_of_few_pairs_nothing_is_said() -> None:
    assert told(relay("a", 0.1, count=7), relay("b", 0.9, count=7)) == []
    assert told(relay("a", 0.1, count=30), ended(Run(HEADER, (), ()))) == []


def test_many_relays_make_each_test_harder() -> None:
    two = told(relay("a", 0.2, seed=1), relay("b", 0.3, seed=2))
    four = told(relay("a", 0.2, seed=1), relay("b", 0.3, seed=2), relay("c", 0.2, seed=3), relay("d", 0.2, seed=4))
    one, same = (next(x for x in found if (x.fast, x.slow, x.measure) == (0, 1, "ttft")) for found in (two, four))
    assert same.p > one.p


# --- the test itself --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "p"),
    [  # of scipy.stats.wilcoxon, mode exact
        ([1.5, 2.5, 3.5, 4.5, 5.5], 0.0625),
        ([6, 8, 14, 16, 23, 24, 28, 29, 41, -48, 49, 56, 60, -67, 75], 0.041259765625),
        ([-1, 2, -3, 4], 0.875),
        ([0.0, 0.0], 1.0),
    ],
)
def test_known_values_of_the_signed_rank_test(values: list[float], p: float) -> None:
    assert isclose(speed.signed_rank(values), p)


@settings(max_examples=60)
@given(st.lists(st.integers(-6, 6), min_size=1, max_size=9))
def test_the_signed_rank_test_counts_as_one_does_by_hand(values: list[int]) -> None:
    kept = [value for value in values if value]
    sizes = [abs(value) for value in kept]
    ranks = [(sum(o < size for o in sizes) + sum(o <= size for o in sizes) + 1) / 2 for size in sizes]
    whole = sum(ranks)
    seen = sum(rank for value, rank in zip(kept, ranks, strict=True) if value > 0)
    extreme = min(seen, whole - seen)
    sums = [
        sum(rank for rank, sign in zip(ranks, signs, strict=True) if sign)
        for signs in product([0, 1], repeat=len(kept))
    ]
    by_hand = min(1.0, 2 * sum(total <= extreme for total in sums) / len(sums)) if kept else 1.0
    assert isclose(speed.signed_rank([float(value) for value in values]), by_hand)


def test_the_approximation_for_many_agrees_with_the_count() -> None:
    draw = random.Random(3)
    values = [draw.gauss(0.12, 1) for _ in range(speed.MOST)]
    exact = speed.signed_rank(values)
    assert isclose(speed.signed_rank([*values, *values[:1]]), exact, rel_tol=0.2)


@settings(max_examples=60)
@given(st.lists(st.floats(-5, 5), min_size=speed.FEWEST, max_size=40))
def test_the_estimate_lies_in_its_interval_and_turns_with_its_sign(values: list[float]) -> None:
    low, middle, high = speed.interval(sorted(values))
    assert min(values) <= low <= middle <= high <= max(values)
    turned = speed.interval(sorted(-value for value in values))
    assert all(isclose(one, -other, abs_tol=1e-9) for one, other in zip((low, middle, high), turned[::-1], strict=True))


def test_false_alarms_are_as_rare_as_they_are_said_to_be() -> None:
    draw = random.Random(7)
    below = sum(speed.signed_rank([draw.gauss(0, 1) for _ in range(20)]) < 0.05 for _ in range(1000))
    assert 25 <= below <= 75


def test_runs_at_other_times_are_told_as_such_and_recordings_not_at_all() -> None:
    one, other = relay("a", 0.4, seed=1), relay("b", 0.2, seed=2)
    assert all(found.together for found in told(one, other))
    later = replace(other, header=replace(other.header, started="2099-01-01T00:00:00Z"))
    assert not any(found.together for found in told(one, later))
    recordings = [
        replace(run, exchanges=tuple(replace(e, probe=None, id=f"r{n}") for n, e in enumerate(run.exchanges)))
        for run in (one, other)
    ]
    assert told(*recordings) == []
