"""The command line, for tests: in this process by its own entry, or as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO, TextIOWrapper
from pathlib import Path
from unittest import mock

import relayproof
from conformance.run import Run, read_run

ROOT = Path(relayproof.__file__).parent
MEANT_FOR_US = ("RELAYPROOF_", "OPENAI_", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "NO_COLOR", "SSL_CERT")


@dataclass(frozen=True)
class Told:
    """What a command said and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return self.out + self.err

    @property
    def line(self) -> str:
        """The one line of an error."""
        lines = self.err.splitlines()
        assert len(lines) == 1, self.err
        return lines[0]


def run_of(path: Path) -> Run:
    """What stands on disk, as a run."""
    return read_run(path.read_text(encoding="utf-8"))


def environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment without what would be meant for the command, and with what is given."""
    kept = {name: value for name, value in os.environ.items() if not name.upper().startswith(MEANT_FOR_US)}
    return {**kept, **given}


def relayproof_(*words: object, **env: str) -> Told:
    """The command in this process, the whole way from its entry."""
    out, err = (TextIOWrapper(BytesIO(), "utf-8", write_through=True) for _ in range(2))
    code = 0
    with (
        mock.patch.dict(os.environ, environment(env), clear=True),
        mock.patch.object(sys, "argv", ["relayproof", *map(str, words)]),
        mock.patch.object(sys, "stdout", out),
        mock.patch.object(sys, "stderr", err),
    ):
        try:
            relayproof.main()
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    told = Told(code, *(stream.detach().getvalue().decode() for stream in (out, err)))
    assert "Traceback" not in told.text
    return told


@contextmanager
def started(*words: object, **env: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own, killed with the context if it still runs."""
    process = subprocess.Popen(
        [sys.executable, str(ROOT / "relayproof.py"), *map(str, words)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=environment(env),
        start_new_session=True,
    )
    with process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.kill()
