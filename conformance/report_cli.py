"""`relayproof report RUN.jsonl`: a stored run told again, without asking anybody."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from conformance.run import Run

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("run", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--html", type=FILE, metavar="F", help="Write a page to F.")
@click.option("--junit", type=FILE, metavar="F", help="Write JUnit XML to F.")
@click.option("--markdown", type=FILE, metavar="F", help="Write a job summary to F.")
@click.option("--json", type=FILE, metavar="F", help="Write verdicts as JSON to F.")
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST in the JUnit file.")
def report(
    run: Path, html: Path | None, junit: Path | None, markdown: Path | None, json: Path | None, *, strict: bool
) -> None:
    """Tell a stored RUN again, on the terminal and in the files that are named.

    Ends with 0 when all was written, whatever the run says, and with 2 for a file that cannot be read or written.
    """
    from conformance.outputs import Outputs, show  # noqa: PLC0415 - slow to load, and --help needs none
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    read = _read(run)
    outputs = Outputs(html, junit, markdown, json)
    try:
        outputs.check()
    except ConfigurationError as error:
        raise _Misused(str(error)) from error
    written = outputs.write(read, BOOK, strict=strict)
    show(read, BOOK, written)


def _read(path: Path) -> "Run":
    from conformance.run import RunError, read_run  # noqa: PLC0415

    try:
        return read_run(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, RunError) as error:
        raise _Misused(f"{path} cannot be read as a run: {error}") from error


class _Misused(click.ClickException):
    exit_code = 2
