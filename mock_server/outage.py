"""Times in which a relay is down, on a clock that can be moved (`hours.py`), for all that is asked or for one rule.

    10s/60s                          the first 10 seconds of every minute
    5s/1m,from=30s,as=502            as a gateway tells it, for the first time after 30 seconds
    for=2m,from=10s,as=reset         once

Nothing refuses a connection as such: whoever moves the clock has to get through.
"""

from collections.abc import Callable
from dataclasses import dataclass

from mock_server import duration, synthesis
from mock_server.answer import Answer, Asked, Frame
from mock_server.checks import fresh
from mock_server.duration import SECOND, DurationError
from mock_server.faults.service import PAGE
from openapi.wire.exchange import End

WORDS = ("for", "every", "from", "as")


class OutageError(ValueError):
    """Words that say no outage; the message says which, in a line."""


@dataclass(frozen=True, slots=True)
class Kind:
    """How a relay is down, what that breaks in clients, and which rules; `answer` is given what is left of it."""

    name: str
    text: str
    breaks: tuple[str, ...]
    answer: Callable[[Asked, int], Answer]


@dataclass(frozen=True, slots=True)
class Outage:
    """From `start` on for `length`, and again `every` so often, all in microseconds; `every` 0 is once."""

    text: str
    length: int
    every: int = 0
    start: int = 0
    kind: str = "503"

    def left(self, now: int) -> int:
        """Microseconds until it is over, 0 where there is none."""
        since = now - self.start
        if self.every and since >= 0:
            since %= self.every
        return self.length - since if 0 <= since < self.length else 0

    def answer(self, asked: Asked, now: int) -> Answer | None:
        """What is answered meanwhile; None where it is not."""
        left = self.left(now)
        return KINDS[self.kind].answer(asked, left) if left else None


def outage(text: str) -> Outage:
    """One outage from its words. Raises OutageError."""
    said: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, is_named, value = word.partition("=")
        span, slash, every = word.partition("/")
        pairs = {name: value} if is_named else {"for": span, **({"every": every} if slash else {})}
        for one in pairs:
            if one not in WORDS or one in said:
                raise OutageError(f"{word[:60]!r} says no outage: expected one like 10s/60s,from=30s,as=503")
        said |= pairs
    kind = said.pop("as", "503")
    if kind not in KINDS:
        raise OutageError(f"as: expected {', '.join(KINDS)}, got {kind[:40]!r}")
    try:
        spans = {name: duration.parse(value) for name, value in said.items()}
    except DurationError as error:
        raise OutageError(str(error)) from error
    length, often = spans.get("for", 0), spans.get("every", 0)
    if length == 0 or ("every" in spans and often <= length):
        raise OutageError(f"{text[:60]!r}: how long it lasts is above 0 and below how often it comes")
    return Outage(text, length, often, spans.get("from", 0), kind)


def _overloaded(asked: Asked, left: int) -> Answer:
    """Every request is 503 in the envelope, with a Retry-After that is true: who does not wait for it tries in vain."""
    usual = synthesis.failure_of(503)
    wait = (("retry-after", str(-(-left // SECOND))),)
    told = synthesis.error(
        503, usual.message, type=usual.type, code=usual.code, headers=wait, operation=asked.operation
    )
    return fresh(told)


def _page(_: Asked, left: int) -> Answer:
    """Every request is 502 with a web page, as a gateway before a dead relay has it: clients that parse it crash."""
    return Answer(502, (("content-type", "text/html; charset=utf-8"),), (Frame(0.0, PAGE),))


def _reset(_: Asked, left: int) -> Answer:
    """Every connection is reset before a status line: a client cannot know whether the request was carried out."""
    return Answer(502, (), wire=_nothing, end=End.RESET)


def _closed(_: Asked, left: int) -> Answer:
    """Every connection is closed without an answer: a client cannot tell that from one that was idle too long."""
    return Answer(502, (), wire=_nothing, end=End.TRUNCATED)


def _nothing(_: bytes) -> bytes:
    return b""


def _kind(name: str, answer: Callable[[Asked, int], Answer], *breaks: str) -> Kind:
    return Kind(name, " ".join((answer.__doc__ or "").split()), breaks, answer)


KINDS = {
    one.name: one
    for one in (
        _kind("503", _overloaded),
        _kind("502", _page, "errors.content-type", "errors.envelope", "chat.answered", "messages.answered"),
        _kind("reset", _reset, "transport.answered"),
        _kind("close", _closed, "transport.answered"),
    )
}
