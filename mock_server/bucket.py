"""A token bucket, in whole numbers, as a pure function of events and their moments: what it says is exactly true.

An item is `period` units, and a microsecond brings `amount` of them back, so that nothing is ever rounded:

    spent ────take────►  rises by cost × period          never above amount × period where `wait` said 0
          ──passing───►  falls by amount a microsecond   never below 0
          ──settle────►  falls by what was reserved and not used, less what time has brought back of it already

A reservation that turns out smaller is given back. What of it was refilled meanwhile must not be given twice, or a
burst would get in that no bucket of that size lets in. That can only have happened while the bucket would have been
full, had nothing been used but what is settled: `floor` is what it would then lack, `lost` the units that ran over.
What is used counts from when it was reserved: what ran over since then is what it would have taken first.
"""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Rate:
    """`amount` items at once, and as many again in each `period` (microseconds), evenly."""

    amount: int
    period: int


@dataclass(frozen=True, slots=True)
class Bucket:
    """What was spent of it at a moment (microseconds), in units. A new one is full."""

    spent: int = 0
    at: int = 0
    floor: int = 0
    lost: int = 0

    def then(self, rate: Rate, now: int) -> "Bucket":
        """The bucket at a later moment; an earlier one changes nothing."""
        gain = max(0, now - self.at) * rate.amount
        return Bucket(
            max(0, self.spent - gain),
            max(now, self.at),
            max(0, self.floor - gain),
            self.lost + max(0, gain - self.floor),
        )

    def wait(self, rate: Rate, cost: int) -> int:
        """Microseconds until so many items are there, 0 where they are. Who asks for more than `rate.amount` waits for
        ever, and is not to ask."""
        return max(0, -(-(self.spent + (cost - rate.amount) * rate.period) // rate.amount))

    def left(self, rate: Rate) -> int:
        """Whole items that are there."""
        return max(0, (rate.amount * rate.period - self.spent) // rate.period)

    def full_in(self, rate: Rate) -> int:
        """Microseconds until it is full."""
        return -(-self.spent // rate.amount)

    def take(self, rate: Rate, cost: int, *, reserved: bool = False) -> "Bucket":
        """With so many items gone; those that are `reserved` only count as used once they are settled."""
        units = cost * rate.period
        return replace(self, spent=self.spent + units, floor=self.floor + (0 if reserved else units))

    def settle(self, rate: Rate, reserved: int, used: int, lost: int) -> "Bucket":
        """A reservation was used so far; `lost` is what the bucket's was when it was made. What was used beyond it is
        owed: the bucket may lack more than it holds."""
        over, units = (used - reserved) * rate.period, used * rate.period
        refilled = self.lost - lost
        change = over if over >= 0 else min(0, over + max(0, refilled - units))
        return replace(self, spent=max(0, self.spent + change), floor=self.floor + max(0, units - refilled))
