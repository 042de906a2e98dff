"""Speeds, each beside a baseline of the same run: `python tests/benchmarks/bench.py`. Prints; asserts nothing.

start-up    a command as a process, beside an empty Python process
serve       from the start of the process to the first whole answer, beside the same
sse         decoding 50 MB, as many events and as one, beside bytes.splitlines on the same bytes

The judge has a benchmark of its own: judge_speed.py.
"""

import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from mock_server.process import running
from openapi.wire.sse import decode

ROOT = Path(__file__).parent.parent.parent
MB = 1 << 20


def median(work: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def process(*args: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *args], cwd=ROOT, check=True, capture_output=True)


def first_answer() -> float:
    """Seconds from the start of the process to the first whole answer."""
    start = time.perf_counter()
    with running("--speed", "max") as base:
        request = urllib.request.Request(f"{base}/v1/models", headers={"authorization": "Bearer k"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
        return time.perf_counter() - start


def tell(name: str, value: float, baseline: float, unit: str = "ms", factor: float = 1000) -> None:
    ratio = f"{value / baseline:6.1f} × the baseline ({baseline * factor:.2f} {unit})"
    print(f"{name:32} {value * factor:9.2f} {unit}   {ratio}")


def main() -> None:
    empty = median(process("-c", "pass"))
    tell("relayproof --help", median(process("relayproof.py", "--help")), empty)
    tell("relayproof serve, first answer", statistics.median(first_answer() for _ in range(5)), empty)
    events = b"data: " + b"x" * 238 + b"\n\n"
    many, one = events * (50 * MB // len(events)), b"data: " + b"x" * (50 * MB) + b"\n\n"
    tell("sse, 50 MB of events", median(lambda: decode(many), 3), median(lambda: many.splitlines(keepends=True), 3))
    tell("sse, one event of 50 MB", median(lambda: decode(one), 3), median(lambda: one.splitlines(keepends=True), 3))


if __name__ == "__main__":
    main()
