"""The clock by which limits and outages go: it starts with the mock, and can be moved."""

import time
from collections.abc import Callable


def monotonic() -> int:
    """Microseconds of the machine's clock, the same in all its processes."""
    return time.monotonic_ns() // 1000


class Hours:
    """Microseconds since the mock was started, or since it was set to 0, and as often as it was moved."""

    def __init__(self, machine: Callable[[], int] = monotonic, zero: int | None = None) -> None:
        self._machine = machine
        self.zero = machine() if zero is None else zero

    def now(self) -> int:
        return self._machine() - self.zero

    def put(self, moment: int, at: int | None = None) -> None:
        """It was this moment at `at` (microseconds of the machine's clock), else it is now."""
        self.zero = (self._machine() if at is None else at) - moment
