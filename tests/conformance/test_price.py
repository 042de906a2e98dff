"""What tokens and requests cost: exact, by model, and refused where it is no amount."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.price import Price, PriceError, amount, price_for, read_prices
from conformance.probe import Role
from conformance.target import ConfigurationError, Target, parse_target

TEXT = (
    'base_url = "https://relay.example"\nmax_cost = 0.1\n[models]\nchat = "a"\ntools = "b"\n[prices.a]\ninput = 0.15\n'
)


@given(st.integers(0, 10**7), st.integers(0, 10**7))
def test_a_price_is_exact(prompt: int, completion: int) -> None:
    price = Price(Decimal("0.15"), Decimal("0.6"), Decimal("0.001"))
    assert price.of(prompt, completion) * 100_000_000 == 100_000 + 15 * prompt + 60 * completion


def test_any_other_model_has_the_price_of_a_star_and_no_model_the_dearest() -> None:
    prices = read_prices({"a": {"input": 1, "output": 9}, "*": {"input": 3}})
    assert price_for(prices, "a") == Price(Decimal(1), Decimal(9))
    assert price_for(prices, "b") == Price(Decimal(3))
    assert price_for(prices, "") == Price(Decimal(3), Decimal(9))
    assert price_for(read_prices({"a": {"input": 1}}), "b") is None
    assert price_for({}, "") == Price()


@pytest.mark.parametrize("value", [-1, "x", True, None, float("nan"), float("inf"), 10**7, [1], {}])
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(PriceError, match="is no amount of money"):
        amount(value, "it")


@pytest.mark.parametrize("row", [5, {}, {"inputs": 1}, {"input": "much"}])
def test_what_is_no_price_is_refused(row: Any) -> None:
    with pytest.raises(PriceError):
        read_prices({"a": row})


def test_a_target_has_prices_a_limit_and_a_currency() -> None:
    target = parse_target(TEXT, "t")
    assert (target.max_cost, target.currency) == (Decimal("0.1"), "USD")
    assert target.prices == {"a": Price(Decimal("0.15"))}
    assert target.unpriced == ["b"]
    assert Target("t", "http://x", models={Role.CHAT: "a"}).bounded()  # without a limit nothing is refused
    with pytest.raises(ConfigurationError, match="has none of b"):
        target.bounded()
    assert parse_target(TEXT + "[prices.b]\noutput = 2\n", "t").bounded()


@pytest.mark.parametrize(
    "text", ["[prices]\na = 1\n", "max_cost = -1\n", 'max_cost = "1"\n', "[prices.a]\ninput = -2\n"]
)
def test_what_is_wrong_in_a_target_is_told(text: str) -> None:
    with pytest.raises(ConfigurationError):
        parse_target('base_url = "https://relay.example"\n' + text, "t")
