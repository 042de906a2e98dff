"""Which faults a request gets, where they are not for every one: by chance, or so many times.

    chat-stream-done-missing          each time
    chat-stream-done-missing@0.1      of ten requests about one, as the seed has it
    chat-stream-done-missing*3        three times
    chat-stream-done-missing@0.5*3    three times, each by chance

The same words at the start (`--fault`), in a header (`X-Relay-Fault`), behind a model (`mock-chat+FAULT`), in a key
(`sk-fault-FAULT`) and in a rule of a script.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from mock_server.faults import FAULTS
from mock_server.ledger import Book, Ledger

NOTATION = re.compile(r"(?P<fault>[A-Za-z0-9-]+)(?:@(?P<chance>\d*\.?\d+))?(?:\*(?P<times>\d{1,9}))?", re.ASCII)
COUNTED = "wish "  # how names in the ledger begin


class WishError(ValueError):
    """Words that name no fault, or a chance that is none; the message says which."""


@dataclass(frozen=True, slots=True)
class Wish:
    """A fault that is wanted, with a chance from 0 to 1 at each request, and at most so many times."""

    fault: str
    chance: float = 1.0
    times: int | None = None

    @property
    def text(self) -> str:
        """As it is written."""
        chance = f"@{self.chance:g}" if self.chance != 1 else ""
        return self.fault + chance + (f"*{self.times}" if self.times is not None else "")

    @property
    def always(self) -> bool:
        return self.chance == 1.0 and self.times is None


def wish(text: str) -> Wish:
    """One wish from its words. Raises WishError."""
    found = NOTATION.fullmatch(text.strip())
    if not found:
        msg = f"{text[:60]!r} is no fault: ID, ID@CHANCE, ID*TIMES or ID@CHANCE*TIMES"
        raise WishError(msg)
    if found["fault"] not in FAULTS:
        near = get_close_matches(found["fault"], FAULTS, n=3, cutoff=0.4)
        hint = f"did you mean {', '.join(near)}?" if near else "`relayproof serve --list-faults` lists them"
        msg = f"no fault is named {found['fault'][:60]!r}; {hint}"
        raise WishError(msg)
    chance = float(found["chance"] or 1)
    if chance > 1:
        msg = f"{text[:60]!r}: a chance is from 0 to 1"
        raise WishError(msg)
    return Wish(found["fault"], chance, int(found["times"]) if found["times"] else None)


def wishes(text: str) -> tuple[Wish, ...]:
    """Several, with commas between. Raises WishError."""
    return tuple(wish(word) for word in text.split(",") if word.strip())


class Granting:
    """Which wishes are granted: each has a count and a die for each source that it comes from.

    Whether a request is granted its fault follows from the seed, the wish, and how many requests of its source came.
    """

    def __init__(self, seed: int = 0, ledger: Ledger | None = None) -> None:
        self.seed = seed
        self.ledger = ledger or Book()

    def granted(self, source: str, wanted: Sequence[Wish]) -> tuple[str, ...]:
        """The faults of one request, in their order."""
        return tuple(one.fault for one in wanted if one.always or self._is_granted(source, one))

    def reset(self) -> None:
        self.ledger.forget(COUNTED)

    def _is_granted(self, source: str, one: Wish) -> bool:
        name = f"{COUNTED}{source} {one.text}"
        return self.ledger.turn(name, 0, one.times, one.chance, self.seed) is not None
