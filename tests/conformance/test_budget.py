"""What a check may spend."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance import budget
from conformance.budget import Budget, usage_of
from openapi.wire.exchange import Exchange
from tests.conformance import claude
from tests.conformance.exchanges import DONE, answer, chunk, counted, finish, got, role, stream, usage, whole

SPENT = whole(answer(usage=usage(10, 5, 15)))
counts = st.integers(0, 50)


@given(
    st.lists(st.tuples(st.integers(0, 100), st.sampled_from(["spent", "refused", "silent"])), max_size=40),
    counts,
    counts,
)
def test_neither_limit_is_ever_exceeded(asked: list[tuple[int, str]], requests: int, tokens: int) -> None:
    spent = Budget(requests, tokens * 10)
    for reserved, became in asked:
        if spent.reserve(reserved):
            assert spent.requests <= requests
            assert 0 <= spent.tokens <= tokens * 10
            told = whole(answer(usage=usage(reserved // 2, reserved // 3, 0)))
            spent.settle(reserved, {"spent": told, "refused": got(400, b""), "silent": got(None)}[became])
        assert 0 <= spent.tokens <= tokens * 10


def test_a_request_that_does_not_fit_is_not_counted() -> None:
    spent = Budget(1, 100)
    assert not spent.reserve(101)
    assert spent.reserve(100)
    assert not spent.reserve(0)
    assert (spent.requests, spent.tokens) == (1, 100)


def test_a_flood_of_bytes_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "MAX_RECEIVED", 10)
    spent = Budget()
    spent.settle(0, got(200, b"x" * 10))
    assert spent.reserve(0)
    spent.settle(0, got(200, b"x"))
    assert spent.flooded
    assert not spent.reserve(0)


def test_no_limit_bounds_nothing() -> None:
    spent = Budget()
    assert all(spent.reserve(10**9) for _ in range(1000))


def test_a_limit_of_nothing_lets_nothing_through() -> None:
    assert not Budget(max_requests=0).reserve(0)
    assert Budget(max_tokens=0).reserve(0)
    assert not Budget(max_tokens=0).reserve(1)


def test_what_was_reserved_and_not_used_is_given_back() -> None:
    spent = Budget(max_tokens=100)
    spent.reserve(100)
    spent.settle(100, SPENT)
    assert spent.tokens == 15
    assert spent.spent() == {
        "requests": 1,
        "prompt_tokens": 10,
        "completion_tokens": 5,
        "tokens_at_most": 15,
    }


def test_a_refusal_costs_nothing() -> None:
    spent = Budget(max_tokens=100)
    spent.reserve(60)
    spent.settle(60, got(429, b"slow"))
    assert spent.tokens == 0


@pytest.mark.parametrize("exchange", [got(None), got(200, b"hi"), got(500, b"oops"), got(502), stream(role(), DONE)])
def test_where_nothing_was_reported_the_reservation_stands(exchange: Exchange) -> None:
    spent = Budget(max_tokens=100)
    spent.reserve(60)
    spent.settle(60, exchange)
    assert spent.tokens == 60


@pytest.mark.parametrize(
    ("exchange", "tokens"),
    [
        (SPENT, (10, 5)),
        (stream(role(), counted(prompt=4, completion=3), DONE), (4, 3)),
        (stream(chunk(usage=usage(1, 0, 1)), chunk(usage=usage(1, 2, 3)), finish(), DONE), (1, 2)),
        (stream(role(), DONE), None),
        (got(200, b"hi"), None),
        (claude.told(), (9, 2)),
        (claude.told(claude.message(usage=claude.USAGE | {"cache_read_input_tokens": 33})), (42, 2)),
        (claude.told(claude.message(usage=claude.USAGE | {"input_tokens": True})), None),
        (claude.good(), (9, 2)),
        (claude.spoken(claude.start(usage=None), claude.ending(), claude.STOP), None),
    ],
)
def test_the_last_report_counts(exchange: Exchange, tokens: tuple[int, int] | None) -> None:
    assert usage_of(exchange) == tokens


@pytest.mark.parametrize(
    "reported", [{}, None, "x", usage("1"), usage(-1), usage(1.5), usage(10**13), {"prompt_tokens": 1}], ids=str
)
def test_what_is_no_count_is_no_report(reported: Any) -> None:
    assert usage_of(whole(answer(usage=reported))) is None
