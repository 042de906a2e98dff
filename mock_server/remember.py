"""What is known of a body by its bytes: who sends the same again is not read again. Bounded in number and in bytes."""

from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")
MOST, LONGEST = 512, 16 << 10  # bodies, and the bytes of one


def remembered(derive: Callable[[bytes], T]) -> Callable[[bytes], T]:
    """A pure function of a body, made once for each. What it gives is shared, and not to be changed; never None."""
    known: dict[bytes, T] = {}

    def find(raw: bytes) -> T:
        found = known.get(raw)
        if found is None:
            found = derive(raw)
            if len(raw) <= LONGEST:
                if len(known) >= MOST:
                    known.clear()
                known[raw] = found
        return found

    return find
