"""`relayproof report RUN.jsonl`: a stored run told again, without asking anybody."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.outputs import Outputs, show, writing

if TYPE_CHECKING:
    from conformance.run import Run


@click.command()
@click.argument("run", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@writing
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST in the JUnit file.")
def report(run: Path, *, strict: bool, **given: Any) -> None:  # noqa: ANN401 - click hands over what its options hold
    """Tell a stored RUN again, on the terminal and in the files that are named.

    Ends with 0 when all was written, whatever the run says, and with 2 for a file that cannot be read or written.
    """
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    read = _read(run)
    outputs = Outputs.of(given)
    try:
        outputs.check()
    except ConfigurationError as error:
        raise _Misused(str(error)) from error
    written = outputs.write(read, BOOK, strict=strict)
    show(read, BOOK, written, piped=outputs.piped)


def _read(path: Path) -> "Run":
    from conformance.run import RunError, read_run  # noqa: PLC0415

    try:
        return read_run(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RunError) as error:
        raise _Misused(f"{path} cannot be read as a run: {error}") from error


class _Misused(click.ClickException):
    exit_code = 2
