"""A mock in a process of its own, for tests and for `relayproof demo`."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

READY = "relayproof mock on "  # the first line of `serve`, followed by the base URL
START = 30.0  # seconds that it may take
STOP = 5.0

_ROOT = str(Path(__file__).parent.parent)


@contextmanager
def running(*args: str) -> Iterator[str]:
    """The base URL, without `/v1`, of a mock that was started with these options of `serve` on a free port.

    It is ended with the context, and with this process, also where that is killed. Raises RuntimeError, with what it
    said, where it does not come up.
    """
    process = _start(args)
    rest = threading.Thread(target=_drain, args=(process,), daemon=True)
    with process:  # closes its pipe at last
        try:
            url = _ready(process)
            rest.start()
            yield url
        finally:
            _stop(process)
            if rest.is_alive():
                rest.join(STOP)


def _start(args: tuple[str, ...]) -> subprocess.Popen[str]:
    path = os.pathsep.join(filter(None, (_ROOT, os.environ.get("PYTHONPATH"))))
    return subprocess.Popen(  # noqa: S603 - ourselves
        [sys.executable, "-m", "mock_server", "--port", "0", "--until-eof", *args],
        stdin=subprocess.PIPE,  # nobody writes to it: it closes when this process is gone
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"},
    )


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    late = threading.Timer(START, process.kill)
    late.start()
    said: list[str] = []
    try:
        for line in process.stdout:
            if line.startswith(READY):
                return line.removeprefix(READY).strip().removesuffix("/v1")
            said.append(line)
    finally:
        late.cancel()
    text = "".join(said).strip() or "it said nothing"
    msg = f"the mock did not start (exit code {process.wait()}): {text}"
    raise RuntimeError(msg)


def _drain(process: subprocess.Popen[str]) -> None:
    """A pipe that nobody reads stops its writer. Warnings and tracebacks go on to our own stderr."""
    assert process.stdout
    for line in process.stdout:
        if not line.startswith("  "):
            sys.stderr.write(line)


def _stop(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(STOP)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
