"""Failures on disk, one a line, so that the next check asks them first: no key and no answer is in them."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.run import Found, Generated, found_in
from conformance.target import ConfigurationError
from openapi import json_text
from openapi.wire.jsonl import dump

MOST = 200  # failures; the latest are kept
MAX_FILE = 8 << 20  # bytes


def read_failures(path: Path) -> tuple[Found, ...]:
    """The failures of earlier checks of one target; none where there is no file. Raises ConfigurationError."""
    if not path.exists():
        return ()
    try:
        if path.stat().st_size > MAX_FILE:
            msg = f"the failures in {path} are more than {MAX_FILE:,} bytes: remove the file"
            raise ConfigurationError(msg)
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        msg = f"the failures in {path} cannot be read ({error.strerror or error}): remove the file, or mend it"
        raise ConfigurationError(msg) from None
    return tuple(_read(path, number, line) for number, line in enumerate(lines, 1) if line.strip())[-MOST:]


def _read(path: Path, number: int, line: bytes) -> Found:
    """One line of the file. Raises ConfigurationError."""
    parsed = json_text.read(line)
    fault = parsed.fault if not parsed.readable else None if isinstance(parsed.value, dict) else "it is no object"
    if fault is None:
        try:
            return found_in(parsed.object)
        except (KeyError, TypeError, ValueError) as error:
            fault = f"it has no {error}" if isinstance(error, KeyError) else str(error)
    msg = f"the failures in {path} cannot be read (line {number}: {fault}): remove the file, or mend it"
    raise ConfigurationError(msg)


def failures_after(stored: Sequence[Found], generated: Generated) -> list[Found]:
    """What is left to be asked first: what was found now, and what was stored and is not mended."""
    now = {one.identity: one for one in generated.found}
    kept = [one for one in stored if one.identity not in now and one.identity not in generated.mended]
    return [*kept, *now.values()][-MOST:]


def write_failures(path: Path, failures: Iterable[Found]) -> None:
    """Writes the file anew. Raises ConfigurationError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(f"{dump(one.record())}\n" for one in failures), encoding="utf-8")
    except OSError as error:
        msg = f"the failures cannot be written: {error}"
        raise ConfigurationError(msg) from None
