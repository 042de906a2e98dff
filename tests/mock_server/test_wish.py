"""Which faults a request gets: always, by chance, or so many times."""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.faults import FAULTS
from mock_server.wish import Granting, Wish, WishError, wish, wishes

FAULT = "chat-stream-done-missing"


@given(
    st.sampled_from(sorted(FAULTS)),
    st.integers(0, 1000).map(lambda thousandths: thousandths / 1000),
    st.none() | st.integers(0, 99),
)
def test_a_wish_is_read_as_it_is_written(fault: str, chance: float, times: int | None) -> None:
    one = Wish(fault, chance, times)
    assert wish(one.text) == one


@pytest.mark.parametrize("text", ["", "no-such", f"{FAULT}@", f"{FAULT}@1.1", f"{FAULT}*x", f"{FAULT}*2@0.5", "ü"])
def test_other_words_are_refused(text: str) -> None:
    with pytest.raises(WishError):
        wish(text)


def test_a_near_miss_is_told() -> None:
    with pytest.raises(WishError, match=FAULT):
        wish("chat-stream-done-mising")


@given(st.text(max_size=20))
def test_no_text_makes_another_exception(text: str) -> None:
    with suppress(WishError):
        wishes(text)


def test_several_stand_between_commas() -> None:
    assert [one.text for one in wishes(f" {FAULT}@0.5, honest-slow ,")] == [f"{FAULT}@0.5", "honest-slow"]


def granted(times: int, wanted: Wish, seed: int = 0) -> list[bool]:
    grants = Granting(seed)
    return [bool(grants.granted("start", [wanted])) for _ in range(times)]


def test_so_many_times_and_no_more() -> None:
    assert granted(5, wish(f"{FAULT}*2")) == [True, True, False, False, False]


def test_by_chance_some_and_with_one_seed_the_same() -> None:
    found = granted(400, wish(f"{FAULT}@0.25"), 7)
    assert 60 < sum(found) < 140
    assert granted(400, wish(f"{FAULT}@0.25"), 7) == found
    assert granted(400, wish(f"{FAULT}@0.25"), 8) != found


def test_by_chance_and_so_many_times() -> None:
    found = granted(400, wish(f"{FAULT}@0.5*3"))
    assert sum(found) == 3
    assert not all(found[:3])


def test_each_source_is_counted_by_itself_until_it_is_reset() -> None:
    grants, once = Granting(), [wish(f"{FAULT}*1")]
    assert [grants.granted(source, once) for source in ("a", "a", "b")] == [(FAULT,), (), (FAULT,)]
    grants.reset()
    assert grants.granted("a", once) == (FAULT,)
