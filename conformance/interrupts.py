"""How a command is interrupted: SIGTERM, which a job of a CI gets when it is cancelled, ends it as Ctrl-C does."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

NAMES = {signal.SIGINT: "interrupted", signal.SIGTERM: "terminated"}
_seen = [signal.SIGINT]  # the last of them; an event loop hands on a KeyboardInterrupt that says nothing of it


@contextmanager
def interruptible() -> Iterator[None]:
    """While it lasts SIGTERM raises KeyboardInterrupt, wherever Ctrl-C would. For the main thread."""
    _seen[:] = [signal.SIGINT]
    before = signal.signal(signal.SIGTERM, _terminated)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def interruption() -> tuple[str, int]:
    """What to call the interruption that was caught, and its exit code: 130 for Ctrl-C, 143 for SIGTERM."""
    return NAMES[_seen[0]], 128 + _seen[0]


def _terminated(number: int, frame: FrameType | None) -> None:
    """As Ctrl-C, by the handler of an event loop where one runs; where Ctrl-C is ignored SIGTERM is not."""
    _seen[:] = [signal.Signals(number)]
    handler = signal.getsignal(signal.SIGINT)
    (handler if callable(handler) else signal.default_int_handler)(number, frame)
