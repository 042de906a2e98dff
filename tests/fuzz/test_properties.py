"""Each property of the readers, on drawn bytes and on what a guided search begins with: a slice of `make fuzz`."""

from itertools import islice

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.properties import PROPERTIES
from tests.fuzz.seeds import SEEDS, seeds


@pytest.mark.parametrize("name", PROPERTIES)
@settings(max_examples=40, database=None, derandomize=True)
@given(st.binary(max_size=300))
def test_any_bytes(name: str, data: bytes) -> None:
    PROPERTIES[name](data)


@pytest.mark.parametrize("name", PROPERTIES)
def test_what_the_search_begins_with(name: str) -> None:
    found = seeds(name)
    assert found
    for seed in islice(found, 12):
        PROPERTIES[name](seed)


def test_each_has_seeds() -> None:
    assert set(SEEDS) == set(PROPERTIES)
