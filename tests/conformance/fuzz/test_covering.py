"""Combinations of parameters: each three values meet, and the same seed gives the same rows."""

from itertools import combinations, product

from hypothesis import given
from hypothesis import strategies as st

from conformance.fuzz.covering import covering

CHOICES = {"a": ["", "1", "2"], "b": ["", "x"], "c": ["", "p", "q"], "d": ["", "y"]}


def meetings(rows: list[dict[str, str]], strength: int) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(some) for row in rows for some in combinations(sorted(row.items()), strength)}


@given(st.integers(0, 10**6), st.integers(1, 3))
def test_any_few_values_meet_in_some_row(seed: int, strength: int) -> None:
    rows = covering(CHOICES, seed, 1000, strength)
    wanted = {
        tuple(zip(names, values, strict=True))
        for names in combinations(sorted(CHOICES), strength)
        for values in product(*(CHOICES[name] for name in names))
    }
    assert meetings(rows, strength) == wanted
    assert len(rows) < 36  # of all there are


@given(st.integers(0, 10**6), st.integers(0, 9))
def test_so_many_rows_and_no_more_the_same_for_the_same_seed(seed: int, count: int) -> None:
    rows = covering(CHOICES, seed, count)
    assert len(rows) == count
    assert rows == covering(CHOICES, seed, count)
    assert all(row.keys() == CHOICES.keys() for row in rows)


def test_fewer_parameters_than_should_meet() -> None:
    assert sorted(row["a"] for row in covering({"a": ["", "1"]}, 0, 10)) == ["", "1"]
