"""Runs as they stand on disk, for commands that tell of them."""

from pathlib import Path

from conformance.run import Run, RunError, read_run
from conformance.target import ConfigurationError


def stored_run(path: Path) -> Run:
    """The run of a file. Raises ConfigurationError where there is none."""
    try:
        return read_run(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RunError) as error:
        msg = f"{path} cannot be read as a run: {error}"
        raise ConfigurationError(msg) from None
