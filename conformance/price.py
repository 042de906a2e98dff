"""What tokens and requests cost, as a target's price table says: exact, in the table's own currency."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

MILLION = Decimal(1_000_000)
ANY_MODEL = "*"
FREE = Decimal(0)
MEMBERS = ("input", "output", "request")


class PriceError(ValueError):
    """A price that is none; the message is one line."""


@dataclass(frozen=True, slots=True)
class Price:
    """For a million tokens read, for a million written, and for each request."""

    input: Decimal = FREE
    output: Decimal = FREE
    request: Decimal = FREE

    def of(self, prompt: int, completion: int) -> Decimal:
        """What one request costs that reads and writes so many tokens."""
        return self.request + (self.input * prompt + self.output * completion) / MILLION


Prices = Mapping[str, Price]
"""By the name of a model; `*` is for any other."""


def price_for(prices: Prices, model: str) -> Price | None:
    """None where no price is known. What is for no model of the target's may be answered by any: by the dearest."""
    if model:
        return prices.get(model) or prices.get(ANY_MODEL)
    return Price(*(max((getattr(one, name) for one in prices.values()), default=FREE) for name in MEMBERS))


def read_prices(table: Mapping[str, Any]) -> dict[str, Price]:
    """Prices from a table of tables. Raises PriceError."""
    return {model: _price(model, row) for model, row in table.items()}


def _price(model: str, row: object) -> Price:
    if not isinstance(row, dict) or not row or set(row) - set(MEMBERS):
        msg = f"the price of {model!r} is a table of {', '.join(MEMBERS)}"
        raise PriceError(msg)
    return Price(**{name: amount(value, f"{name} of {model!r}") for name, value in row.items()})


def amount(value: object, what: str) -> Decimal:
    """An amount of money as it was written, 0.1 being a tenth. Raises PriceError."""
    try:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            raise InvalidOperation
        found = Decimal(str(value))
    except InvalidOperation:
        found = Decimal("nan")
    if not found.is_finite() or found < 0 or found > MILLION:
        msg = f"{what} is no amount of money: {str(value)[:40]!r}"
        raise PriceError(msg)
    return found
