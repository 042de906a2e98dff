"""A selftest that is interrupted, or killed, leaves nothing running."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.system.command import started

pytestmark = pytest.mark.skipif(not Path("/proc/self").exists(), reason="which processes there are is read from /proc")


def processes_of(session: int) -> list[int]:
    """The processes of a session that have not ended."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and os.getsid(int(entry.name)) == session:
                state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
                found += [int(entry.name)] if state != "Z" else []
        except OSError:  # it has ended meanwhile
            continue
    return found


def until(holds: Callable[[], bool], patience: float) -> None:
    end = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.mark.parametrize(
    ("number", "code", "says"),
    [
        (signal.SIGTERM, 143, "relayproof: terminated\n"),
        (signal.SIGINT, 130, "relayproof: interrupted\n"),
        (signal.SIGKILL, -9, ""),
    ],
)
@pytest.mark.parametrize("words", [("--fuzz", "chat", "--jobs", "1"), ("--honest",)], ids=" ".join)
def test_what_it_has_started_ends_with_it(
    words: tuple[str, ...], number: signal.Signals, code: int, says: str, tmp_path: Path
) -> None:
    with started("selftest", *words, "--keep", tmp_path) as process:
        until(lambda: len(processes_of(process.pid)) >= 4, 30)  # a mock, a worker, and what multiprocessing has beside
        time.sleep(1)  # some of them at work
        sent = time.monotonic()
        process.send_signal(number)
        assert process.wait(10) == code
        assert time.monotonic() - sent < 6
        until(lambda: not processes_of(process.pid), 10)
        assert process.stderr
        if says:
            assert process.stderr.read().endswith(says)
