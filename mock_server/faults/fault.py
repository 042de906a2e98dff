"""The record of a fault, and the decorators that register one.

A fault bends what a relay hears (`asked`), what it enforces (`policy`) or what it sends (`answer`). Its docstring is
the sentence that people read; its id is that of the defect list wherever one fits.
"""

import inspect
from collections.abc import Callable
from dataclasses import dataclass

from mock_server.answer import Answer, Asked
from mock_server.policy import Policy

Hearing = Callable[[Asked], Asked]
Allowing = Callable[[Policy], Policy]
Answering = Callable[[Asked, Answer], Answer]


@dataclass(frozen=True)
class Fault:
    """One way to be wrong. `breaks` are the ids of the rules that it breaks; an honest one breaks none.

    `asked` is given the request as it was sent and gives what the relay hears. `answer` is given that same request,
    unbent, with the answer, and gives the answer back unchanged where the fault does not apply. A `rare` one hangs on
    a request that nobody would think of, so that only generated probes show it.
    """

    id: str
    text: str
    breaks: tuple[str, ...]
    asked: Hearing | None = None
    policy: Allowing | None = None
    answer: Answering | None = None
    honest: bool = False
    rare: bool = False  # where no probe that was written comes: drawn ones do


FAULTS: dict[str, Fault] = {}


def hears(identifier: str, *breaks: str) -> Callable[[Hearing], Hearing]:
    """Register a fault of what is heard."""

    def register(bend: Hearing) -> Hearing:
        _add(Fault(identifier, _text(bend), breaks, asked=bend))
        return bend

    return register


def allows(identifier: str, *breaks: str) -> Callable[[Allowing], Allowing]:
    """Register a fault of what is enforced."""

    def register(bend: Allowing) -> Allowing:
        _add(Fault(identifier, _text(bend), breaks, policy=bend))
        return bend

    return register


def sends(identifier: str, *breaks: str) -> Callable[[Answering], Answering]:
    """Register a fault of what is sent."""

    def register(bend: Answering) -> Answering:
        _add(Fault(identifier, _text(bend), breaks, answer=bend))
        return bend

    return register


def sends_rarely(identifier: str, *breaks: str) -> Callable[[Answering], Answering]:
    """Register a rare fault of what is sent."""

    def register(bend: Answering) -> Answering:
        _add(Fault(identifier, _text(bend), breaks, answer=bend, rare=True))
        return bend

    return register


def hears_rarely(identifier: str, *breaks: str) -> Callable[[Hearing], Hearing]:
    """Register a rare fault of what is heard."""

    def register(bend: Hearing) -> Hearing:
        _add(Fault(identifier, _text(bend), breaks, asked=bend, rare=True))
        return bend

    return register


def honest(identifier: str) -> Callable[[Answering], Answering]:
    """Register a variant of what is sent that breaks nothing."""

    def register(bend: Answering) -> Answering:
        _add(Fault(identifier, _text(bend), (), answer=bend, honest=True))
        return bend

    return register


def honest_ear(identifier: str) -> Callable[[Hearing], Hearing]:
    """Register a variant of what is heard that breaks nothing: what a model makes of a request is its own affair."""

    def register(bend: Hearing) -> Hearing:
        _add(Fault(identifier, _text(bend), (), asked=bend, honest=True))
        return bend

    return register


def _add(fault: Fault) -> None:
    if fault.id in FAULTS:
        msg = f"two faults named {fault.id}"
        raise ValueError(msg)
    FAULTS[fault.id] = fault


def _text(bend: Callable[..., object]) -> str:
    """The docstring in one line."""
    return " ".join((inspect.getdoc(bend) or "").split())
