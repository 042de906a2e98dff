"""Runs as they stand on disk, for commands that tell of them; one that is gzipped (`.jsonl.gz`) is read as it is."""

import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import click

from conformance.extend import Extension
from conformance.fuzz.hunt import Hunt
from conformance.fuzz.prepare import store_logged
from conformance.known import Known
from conformance.offline import rejudge
from conformance.run import Run, RunError, read_run
from conformance.target import ConfigurationError

MOST = 1 << 29  # bytes of a run: more than any check writes


def stored_run(path: Path) -> Run:
    """The run of a file. Raises ConfigurationError where there is none."""
    try:
        return read_run(text_at(path))
    except (OSError, UnicodeDecodeError, RunError) as error:
        msg = f"{path} cannot be read as a run: {error}"
        raise ConfigurationError(msg) from None


@contextmanager
def storing(out: Path, hunt: Hunt | None, failures: Path, known: Known, book: Extension) -> Iterator[None]:
    """Stores what failed of the probes that were drawn also where the run that goes to `out` does not end: whoever
    stops it has seen them fail, or would have."""
    try:
        yield
    except BaseException:
        with suppress(RunError, OSError, UnicodeDecodeError, ConfigurationError):
            if hunt and (run := rejudge(text_at(out), out.stem, known=known, book=book)).footer:
                for path in store_logged(run, hunt, failures):
                    click.echo(f"wrote {path}", err=True)
        raise


def text_at(path: Path) -> str:
    """The text of a run or a recording. Raises OSError and UnicodeDecodeError."""
    if path.suffix != ".gz":
        return path.read_text(encoding="utf-8")
    try:
        with gzip.open(path) as file:
            data = file.read(MOST + 1)
    except (EOFError, zlib.error) as error:
        raise OSError(f"it is no gzip: {error}") from None
    if len(data) > MOST:
        raise OSError(f"unpacked it has more than {MOST:,} bytes")
    return data.decode("utf-8")
