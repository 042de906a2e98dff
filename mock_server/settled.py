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

What = tuple[str, bytes]  # target and body: most of what comes is told apart by these
How = tuple[str, Fields]  # method and fields, which are those of many


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
        self._decisions: dict[What, dict[How, Decision]] = {}
        self._count = 0
        self._seen: set[int] = set()  # hashes of what came once: most of it comes never again

    def find(self, relay: Relay, what: What, how: How, second: int) -> Decision | None:
        if relay is not self._relay:
            self._relay = relay
            self._forget()
            self._seen.clear()
        same = self._decisions.get(what)
        if same is None or (found := same.get(how)) is None or found.second not in {None, second}:
            return None
        if not isinstance(found.answer.frames, Frames):  # it came again: what it is as one is made once
            again = replace(found.answer, frames=Frames(found.answer.frames))
            found = same[how] = found._replace(answer=again)
        return found

    def came(self, what: What) -> bool:
        """Whether such a request came before; from now on one did. Only then is it worth to be remembered."""
        if len(what[1]) > LONGEST:
            return False
        known = hash(what)
        if known in self._seen:
            return True
        if len(self._seen) >= MOST_SEEN:
            self._seen.clear()
        self._seen.add(known)
        return False

    def keep(self, what: What, how: How, decision: Decision) -> None:
        if decision.second is None or _weight(decision.answer) <= HEAVIEST:
            if self._count >= MOST:
                self._forget()
            same = self._decisions.setdefault(what, {})
            self._count += how not in same
            same[how] = decision

    def _forget(self) -> None:
        self._decisions.clear()
        self._count = 0


def _weight(answer: Answer) -> int:
    return sum(len(frame.data) + FRAME for frame in answer.frames)
