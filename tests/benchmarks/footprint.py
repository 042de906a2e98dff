"""What the mock weighs, and how soon it answers: `python -m tests.benchmarks.footprint [STREAMS]` (1000).

From the start of the command to the first answer; the memory of an idle one; and what each stream adds that is open,
once its first bytes are there: one that replays a recording, and one whose text is made up, each another.
"""

import json
import os
import resource
import socket
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mock_server.process import running
from tests.benchmarks.lateness import BODY, HEAD, recording
from tests.benchmarks.many_streams import control, memory
from tests.benchmarks.serve_speed import asked

STARTS = 5
AT_ONCE = 50  # connections, between which the mock comes to accept them


def ready() -> float:
    """Seconds until a new process has answered."""
    start = time.perf_counter()
    with running() as base:
        control(base, "health")
        return time.perf_counter() - start


def opened(port: int, body: bytes) -> socket.socket:
    client = socket.create_connection(("127.0.0.1", port))
    client.sendall(HEAD + b"content-length: %d\r\n\r\n" % len(body) + body)
    return client


def weighed(folder: str, streams: int, body: Callable[[int], bytes]) -> tuple[float, float]:
    """Megabytes of an idle mock, and kilobytes that each of so many open streams adds."""
    with running("--recordings", folder, "--ttft", "0", "--itl", "1000") as base:
        pid, port = json.loads(control(base, "health"))["worker"], int(base.rpartition(":")[2])
        time.sleep(0.5)
        idle, clients = memory(pid), []
        for number in range(streams):
            clients.append(opened(port, body(number)))
            if number % AT_ONCE == AT_ONCE - 1:
                time.sleep(0.03)
        assert all(client.recv(100).startswith(b"HTTP/1.1 200") for client in clients)
        time.sleep(0.5)
        return idle / 1024, (memory(pid) - idle) / streams


def made_up(number: int) -> bytes:
    return json.dumps(asked("mock-chat", stream=True, text=f"Say this {number}: " + "word " * 60)).encode()


def main(streams: int) -> None:
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed is compiled once, not at each start
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, streams * 2 + 500), hard))
    print(f"ready in {median(ready() for _ in range(STARTS)):.2f} s")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "stream.jsonl").write_text(recording(1.0), encoding="utf-8")
        for name, body in (("recorded", lambda _: BODY), ("made up", made_up)):
            idle, each = weighed(folder, streams, body)
            print(f"{name}: {idle:.0f} MB idle, {each:.1f} KB for each of {streams} open streams")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 1000)
