"""Requests that came before, byte for byte, and what was decided of them: a relay without a fault decides it again.

What is made up tells the second in which it was made, and is decided anew in the next. Bounded in number and in bytes.
"""

from dataclasses import replace
from typing import NamedTuple

from mock_server.answer import FRAME, Answer, Asked, Frames
from mock_server.asking import Fields
from mock_server.relay import Relay
from mock_server.script import Play

MOST = 256
MOST_SEEN = 512
LONGEST = 16 << 10  # bytes of a body
HEAVIEST = 256 << 10  # bytes of an answer that was made up; a recorded one is there anyway

Key = tuple[str, str, Fields, bytes]  # method, target, fields, body


class Decision(NamedTuple):
    """A request with its answer, less what each answer has for itself. `second` is when it was made up; `play` what a
    script said to it."""

    asked: Asked
    answer: Answer
    second: int | None
    play: Play | None = None


class Settled:
    """What is known of requests by their bytes, for one relay at a time: with another all of it is forgotten."""

    def __init__(self) -> None:
        self._relay: Relay | None = None
        self._decisions: dict[Key, Decision] = {}
        self._seen: set[int] = set()  # hashes of what came once: most of it comes never again

    def find(self, relay: Relay, key: Key, second: int) -> Decision | None:
        if relay is not self._relay:
            self._relay = relay
            self._decisions.clear()
            self._seen.clear()
        found = self._decisions.get(key)
        if not found or (found.second is not None and found.second != second):
            return None
        if not isinstance(found.answer.frames, Frames):  # it came again: what it is as one is made once
            again = replace(found.answer, frames=Frames(found.answer.frames))
            found = self._decisions[key] = found._replace(answer=again)
        return found

    def came(self, key: Key) -> bool:
        """Whether such a request came before; from now on one did. Only then is it worth to be remembered."""
        _, target, _, body = key
        if len(body) > LONGEST:
            return False
        known = hash((target, body))  # those of the same head come together
        if known in self._seen:
            return True
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(known)
        return False

    def keep(self, key: Key, decision: Decision) -> None:
        if decision.second is None or _weight(decision.answer) <= HEAVIEST:
            if len(self._decisions) >= MOST:
                self._decisions.clear()
            self._decisions[key] = decision


def _weight(answer: Answer) -> int:
    return sum(len(frame.data) + FRAME for frame in answer.frames)
