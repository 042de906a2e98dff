"""The bucket as a function of clock and events: what it lets in, and what it says of the moment when it would."""

from dataclasses import dataclass

from hypothesis import example, given
from hypothesis import strategies as st

from mock_server.bucket import Bucket, Rate
from mock_server.ledger import Book, Want

RATES = st.builds(Rate, st.integers(1, 50), st.integers(1, 2_000_000))
STEPS = st.lists(st.tuples(st.integers(0, 500_000), st.integers(1, 50)), max_size=40)  # microseconds later, how many


@dataclass
class Used:
    """What was let in: when, and of it how much was used."""

    at: int
    items: int


def never_more(rate: Rate, used: list[Used]) -> bool:
    """Between any two moments no more than fits in the bucket and comes in between."""
    return all(
        sum(one.items for one in used if first.at <= one.at <= last.at) * rate.period
        <= rate.amount * rate.period + rate.amount * (last.at - first.at)
        for first in used
        for last in used
        if first.at <= last.at
    )


@given(RATES, STEPS)
def test_it_never_lets_in_more_than_it_holds_and_than_comes_meanwhile(rate: Rate, steps: list[tuple[int, int]]) -> None:
    bucket, now, used = Bucket(), 0, list[Used]()
    for later, items in steps:
        now += later
        bucket = bucket.then(rate, now)
        cost = min(items, rate.amount)
        if bucket.wait(rate, cost) == 0:
            bucket = bucket.take(rate, cost)
            used.append(Used(now, cost))
    assert never_more(rate, used)


@given(RATES, STEPS, st.integers(1, 50))
def test_the_wait_is_true_to_the_microsecond(rate: Rate, steps: list[tuple[int, int]], wanted: int) -> None:
    bucket, now, wanted = Bucket(), 0, min(wanted, rate.amount)
    for later, items in steps:
        now += later
        bucket = bucket.then(rate, now)
        if bucket.wait(rate, min(items, rate.amount)) == 0:
            bucket = bucket.take(rate, min(items, rate.amount))
        wait = bucket.wait(rate, wanted)
        assert bucket.then(rate, now + wait).wait(rate, wanted) == 0
        assert wait == 0 or bucket.then(rate, now + wait - 1).wait(rate, wanted) == 1
        assert (bucket.left(rate) >= wanted) == (wait == 0)
        assert bucket.then(rate, now + bucket.full_in(rate)).left(rate) == rate.amount


RESERVED = st.lists(
    st.tuples(st.integers(0, 6), st.integers(1, 6), st.integers(0, 6), st.integers(0, 12)), max_size=25
)  # thirds of a period later, how many are reserved, how many used, and how many thirds that takes


@given(st.integers(1, 6), RESERVED)
@example(6, [(0, 6, 0, 4), (3, 6, 6, 9), (1, 6, 6, 9)])  # what came back by itself is not given back once more
@example(1, [(0, 1, 1, 2), (3, 1, 0, 4), (3, 1, 1, 0), (1, 1, 1, 0)])  # what was settled late was used early
def test_what_is_given_back_is_never_let_in_twice(amount: int, steps: list[tuple[int, int, int, int]]) -> None:
    rate, third = Rate(amount, 3000), 1000
    book, now, used, open_ = Book(), 0, list[Used](), list[tuple[int, str, int]]()

    def settle(until: int) -> None:
        for at, lease, spent in sorted(one for one in open_ if one[0] <= until):
            book.settle(lease, spent, at)
            open_.remove((at, lease, spent))

    for number, (later, reserved, spent, takes) in enumerate(steps):
        now += later * third
        settle(now)
        cost = min(reserved, rate.amount)
        admitted, _ = book.admit(str(number), [("tokens", rate.amount, rate.period, cost, True)], now)
        if admitted:
            used.append(Used(now, min(spent, cost)))
            open_.append((now + takes * third, str(number), min(spent, cost)))
    assert never_more(rate, used)


def test_what_was_reserved_and_not_used_is_given_back() -> None:
    rate, book = Rate(10, 10_000_000), Book()
    wants: list[Want] = [("tokens", rate.amount, rate.period, 10, True)]
    assert book.admit("a", wants, 0) == (True, [(0, 10_000_000, 10_000_000)])
    book.settle("a", 3, 0)
    assert book.admit("b", wants, 0) == (False, [(7, 3_000_000, 3_000_000)])


def test_what_was_used_takes_first_what_came_meanwhile() -> None:
    rate, book = Rate(10, 10_000_000), Book()
    book.admit("a", [("tokens", rate.amount, rate.period, 10, True)], 0)
    book.settle("a", 7, 3_000_000)  # 7 are gone and 3 came back, as if 7 had been taken at first
    assert book.admit("b", [("tokens", rate.amount, rate.period, 7, True)], 3_000_000)[0] is False
    assert book.admit("b", [("tokens", rate.amount, rate.period, 6, True)], 3_000_000)[0] is True


def test_what_was_used_beyond_the_reservation_is_owed() -> None:
    book = Book()
    book.admit("a", [("tokens", 10, 10_000_000, 2, True)], 0)
    book.settle("a", 25, 0)
    assert book.admit("b", [("tokens", 10, 10_000_000, 1, True)], 0)[1] == [(0, 16_000_000, 25_000_000)]


def test_all_that_is_wanted_is_taken_or_nothing() -> None:
    book = Book()
    one: Want = ("requests", 1, 1_000_000, 1, False)
    other: Want = ("other", 5, 1_000_000, 1, False)
    assert book.admit("a", [one], 0)[0]
    assert book.admit("b", [other, one], 0) == (False, [(5, 0, 0), (0, 1_000_000, 1_000_000)])


def test_places_are_free_again_when_a_request_is_over_or_who_held_them_is_gone() -> None:
    book = Book()
    place: Want = ("places", 2, 0, 1, False)
    assert [book.admit(lease, [place], 0)[0] for lease in ("1 a", "1 b", "2 c")] == [True, True, False]
    book.settle("1 a", None, 0)
    assert book.admit("2 c", [place], 0) == (True, [(0, 0, 0)])
    book.abandon("1 ")
    assert book.admit("2 d", [place], 0)[0]


def test_nothing_is_given_back_to_a_bucket_that_was_forgotten() -> None:
    book = Book()
    tokens: Want = ("bucket tokens", 10, 10_000_000, 10, True)
    book.admit("a", [tokens], 60_000_000)
    book.forget("bucket ")
    book.admit("b", [tokens], 0)
    book.settle("a", 0, 0)
    assert not book.admit("c", [tokens], 0)[0]


def test_many_turns_of_one_kind_let_no_other_be_forgotten() -> None:
    book = Book()
    assert book.turn("rule once", 0, 1, 1.0, 0) == 0
    for number in range(10_050):
        book.turn(f"turn {number}", 0, None, 1.0, 0)
    assert book.turn("rule once", 0, 1, 1.0, 0) is None
    book.forget("rule ")
    assert book.turn("rule once", 0, 1, 1.0, 0) == 0


def test_buckets_are_forgotten_by_name_and_only_full_ones_for_want_of_room() -> None:
    book = Book()
    spent: Want = ("bucket spent", 1, 10**9, 1, False)
    book.admit("a", [spent], 0)
    for number in range(20_050):
        book.admit("a", [(f"bucket {number}", 1, 10, 1, False)], number * 100)
    assert len(book._buckets) < 10_100
    assert not book.admit("a", [spent], 20_050 * 100)[0]
    book.forget("bucket ")
    assert book.admit("a", [spent], 20_050 * 100)[0]
