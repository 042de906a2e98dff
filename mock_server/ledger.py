"""What a request changes for the next one: whose turn it is, what is left in the buckets, how many are under way.

All of it has a name that says what is counted, and none that says who counts it. So one process keeps a ledger of its
own, and several ask one (`workers/`): the methods take and give what JSON can say.
"""

import random
from dataclasses import dataclass
from typing import Protocol, TypeVar

from mock_server.bucket import Bucket, Rate

T = TypeVar("T")

MOST = 10_000  # names of turns that are kept, and buckets that are kept before full ones are looked for

Want = tuple[str, int, int, int, bool]
"""A bucket by its name, the amount and the period (microseconds) of its rate, how much is wanted, and whether
that is an estimate, to be settled. With a period of 0 it is no bucket but places: `amount` of them, one wanted."""

State = tuple[int, int, int]
"""What is left, and microseconds until what is wanted is there and until all is; of places neither is known: 0."""


class Ledger(Protocol):
    """What a mock asks of it. Moments are microseconds of the mock's own clock."""

    def turn(self, name: str, after: int, times: int | None, chance: float, seed: int) -> int | None:
        """The number of the turn that a request gets, from 0, or None: it is one of the first `after`, there were
        `times` already, or the die of this seed is against it."""

    def forget(self, part: str) -> None:
        """Counts from the start all turns, or buckets, whose name begins so."""

    def admit(self, lease: str, wants: list[Want], now: int) -> tuple[bool, list[State]]:
        """Takes all that is wanted, or nothing; and how each stands then."""

    def settle(self, lease: str, used: int | None, now: int) -> None:
        """A request is over: its places are free, and of its estimates so much was used, None for all of it."""


@dataclass(slots=True)
class _Taken:
    """What a lease holds of a bucket, `lost` as it then was; or a place."""

    name: str
    rate: Rate | None
    cost: int
    lost: int = 0


class Book:
    """The ledger itself, in one process."""

    def __init__(self) -> None:
        self._turns: dict[str, dict[str, list[int]]] = {}  # by the first word of their name, each bounded by itself
        self._buckets: dict[str, tuple[Rate, Bucket]] = {}
        self._places: dict[str, int] = {}
        self._leases: dict[str, list[_Taken]] = {}
        self._prune_at = MOST

    def turn(self, name: str, after: int, times: int | None, chance: float, seed: int) -> int | None:
        counts = self._turns.setdefault(name.partition(" ")[0], {})
        if len(counts) >= MOST:
            counts.clear()
        count = counts.setdefault(name, [0, 0])  # requests that came, and turns taken
        count[0] += 1
        if count[0] <= after or (times is not None and count[1] >= times):
            return None
        if chance < 1 and random.Random(f"{seed} {name} {count[0]}").random() >= chance:  # noqa: S311 - no secret
            return None
        count[1] += 1
        return count[1] - 1

    def forget(self, part: str) -> None:
        for counts in self._turns.values():
            _drop(counts, part)
        _drop(self._buckets, part)
        for lease, held in list(self._leases.items()):  # nothing is given back to a bucket that there was before
            self._leases[lease] = [one for one in held if one.rate is None or not one.name.startswith(part)]

    def admit(self, lease: str, wants: list[Want], now: int) -> tuple[bool, list[State]]:
        admitted = all(self._has(want, now) for want in wants)
        if admitted:
            taken = [self._taken(want, now) for want in wants]
            held = [one for one, want in zip(taken, wants, strict=True) if want[4] or one.rate is None]
            if held:
                self._leases.setdefault(lease, []).extend(held)
        return admitted, [self._state(want, now) for want in wants]

    def settle(self, lease: str, used: int | None, now: int) -> None:
        for taken in self._leases.pop(lease, ()):
            if taken.rate is None:
                self._free(taken.name)
            elif taken.name in self._buckets:  # else it was forgotten meanwhile
                bucket = self._bucket(taken.name, taken.rate, now)
                spent = taken.cost if used is None else used
                self._buckets[taken.name] = taken.rate, bucket.settle(taken.rate, taken.cost, spent, taken.lost)

    def abandon(self, owner: str) -> None:
        """Who held the leases whose names begin so is gone: what they had reserved is taken for used."""
        for lease in [name for name in self._leases if name.startswith(owner)]:
            self.settle(lease, None, 0)

    def _has(self, want: Want, now: int) -> bool:
        name, amount, period, cost, _ = want
        if not period:
            return self._places.get(name, 0) < amount
        return self._bucket(name, Rate(amount, period), now).wait(Rate(amount, period), cost) == 0

    def _taken(self, want: Want, now: int) -> _Taken:
        name, amount, period, cost, estimated = want
        if not period:
            self._places[name] = self._places.get(name, 0) + 1
            return _Taken(name, None, 1)
        rate = Rate(amount, period)
        bucket = self._bucket(name, rate, now)
        self._buckets[name] = rate, bucket.take(rate, cost, reserved=estimated)
        self._prune(now)
        return _Taken(name, rate, cost, bucket.lost)

    def _state(self, want: Want, now: int) -> State:
        name, amount, period, cost, _ = want
        if not period:
            return max(0, amount - self._places.get(name, 0)), 0, 0
        rate = Rate(amount, period)
        bucket = self._bucket(name, rate, now)
        return bucket.left(rate), bucket.wait(rate, cost), bucket.full_in(rate)

    def _bucket(self, name: str, rate: Rate, now: int) -> Bucket:
        kept = self._buckets.get(name)
        return (kept[1] if kept else Bucket(at=now)).then(rate, now)

    def _free(self, name: str) -> None:
        left = self._places.get(name, 0) - 1
        if left > 0:
            self._places[name] = left
        else:
            self._places.pop(name, None)

    def _prune(self, now: int) -> None:
        """A bucket that is full is as one that there never was; others are never forgotten for want of room."""
        if len(self._buckets) > self._prune_at:
            held = {taken.name for leases in self._leases.values() for taken in leases}
            kept = {
                name: (rate, bucket)
                for name, (rate, bucket) in self._buckets.items()
                if name in held or bucket.then(rate, now).spent
            }
            self._buckets = kept
            self._prune_at = max(MOST, 2 * len(kept))


def _drop(kept: dict[str, T], part: str) -> None:
    for name in [name for name in kept if name.startswith(part)]:
        del kept[name]
