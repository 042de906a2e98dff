"""Hostile clients against a mock in a process of its own that is watched: what it opens, says and weighs."""

import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from statistics import linear_regression
from time import monotonic, sleep

from hypothesis import HealthCheck, Phase, given, seed, settings

from mock_server.process import READY
from tests.fuzz.conversations import Conversation, conversations, play
from tests.fuzz.watched import TOLD
from tests.mock_server.capture import connect

WATCHED = Path(__file__).parent / "watched.py"
HEALTH = b"GET /__relay__/health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"
LATE = 60.0  # seconds
PAGE = 4096  # bytes


@dataclass
class Watched:
    """A mock under watch: its URL, its process, and what it said on stderr so far."""

    url: str
    process: "subprocess.Popen[bytes]"
    errors: Path
    weights: list[tuple[float, float]] = field(default_factory=list)  # seconds, megabytes

    @property
    def said(self) -> str:
        return self.errors.read_text(encoding="utf-8", errors="replace")

    @property
    def opened(self) -> list[str]:
        """What requests made it open, beside what it may."""
        return [line for line in self.said.splitlines() if line.startswith(TOLD)]

    @property
    def megabytes(self) -> float:
        """Its resident memory now."""
        pages = Path(f"/proc/{self.process.pid}/statm").read_text(encoding="ascii").split()[1]
        return int(pages) * PAGE / 1e6

    @property
    def descriptors(self) -> int:
        return len(list(Path(f"/proc/{self.process.pid}/fd").iterdir()))

    def weigh(self) -> None:
        self.weights.append((monotonic(), self.megabytes))

    def healthy(self) -> bool:
        """Whether it answers; a machine that is busy may make it late."""
        with connect(self.url, LATE) as client:
            client.sendall(HEALTH)
            came = b""
            while data := client.recv(65536):
                came += data
        return came.startswith(b"HTTP/1.1 200 ") and b'"status":"ok"' in came


@contextmanager
def watched(*arguments: str, allowed: tuple[str, ...] = ()) -> Iterator[Watched]:
    """A mock with these arguments of `serve`, which tells of each file that it opens outside of what is allowed."""
    with tempfile.TemporaryDirectory() as folder:
        errors = Path(folder) / "stderr"
        words = [sys.executable, "-u", str(WATCHED), *allowed, "--", "--port", "0", *arguments]
        with errors.open("wb") as sink, subprocess.Popen(words, stdout=subprocess.PIPE, stderr=sink) as process:
            assert process.stdout
            url = process.stdout.readline().decode().removeprefix(READY).strip().removesuffix("/v1")
            drain = threading.Thread(target=process.stdout.read, daemon=True)
            drain.start()
            served = Watched(url, process, errors)
            try:
                assert served.healthy(), served.said
                process.send_signal(signal.SIGUSR1)
                yield served
            finally:
                process.kill()
                drain.join()


def storm(served: Watched, examples: int, number: int = 0, at: Callable[[Conversation], int] | None = None) -> None:
    """So many drawn connections, as this seed has them. Raises what a client may not see."""

    @seed(number)
    @settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=list(HealthCheck),
    )
    @given(conversations())
    def each(conversation: Conversation) -> None:
        (at or (lambda one: play(served.url, one)))(conversation)

    each()
    assert served.healthy()


def crowd(served: Watched, count: int, seconds: float) -> tuple[int, float]:
    """So many connections at once that say nothing, or half a request; how many stood, and the memory with them in MB.

    Others are answered meanwhile.
    """
    parts = [b"", b"GET / HTTP/1.1\r\nhost: a\r\n", b"POST /v1/chat/completions HTTP/1.1\r\ncontent-length: 9\r\n\r\n{"]
    clients: list[socket.socket] = []
    try:
        for number in range(count):
            client = connect(served.url)
            client.sendall(parts[number % len(parts)])
            clients.append(client)
        until = monotonic() + seconds
        while monotonic() < until:
            assert served.healthy()
            sleep(0.2)
        return len(clients), served.megabytes
    finally:
        for client in clients:
            with suppress(OSError):
                client.close()
        until = monotonic() + 10
        while served.descriptors > count / 10 and monotonic() < until:  # it hears of each that is gone
            sleep(0.05)


def slope(weights: list[tuple[float, float]]) -> float:
    """Megabytes an hour, once it had warmed up: by the latter two thirds."""
    late = weights[len(weights) // 3 :]
    return linear_regression([at for at, _ in late], [weight for _, weight in late]).slope * 3600


def seeds(first: int = 0) -> Iterator[int]:
    """Seeds of rounds, each its own."""
    drawn = random.Random(first)
    while True:
        yield drawn.randrange(1 << 32)
