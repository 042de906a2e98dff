"""`relayproof report RUN.jsonl…`: stored runs told again, without asking anybody."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.outputs import STDOUT, Outputs, put, show, stop, tell, writing

if TYPE_CHECKING:
    from conformance.run import Run

RUNS = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command()
@click.argument("files", metavar="RUN...", nargs=-1, required=True, type=RUNS)
@writing
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST in the JUnit file.")
@click.option("--exchange", metavar="ID", help="Print one exchange with all its bytes, and nothing else.")
def report(files: Sequence[Path], *, strict: bool, exchange: str | None, **given: Any) -> None:  # noqa: ANN401 - click
    """Tell a stored RUN again, on the terminal and in the files that are named. Several are told side by side, for
    which there is --html (and `relayproof compare` for the rest).

    Ends with 0 when all was written, whatever the runs say, and with 2 for a file that cannot be read or written.
    """
    from conformance.rules import BOOK  # noqa: PLC0415 - slow to load, and --help needs none
    from conformance.stored import stored_run  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    try:
        runs = [stored_run(file) for file in files]
        if exchange is not None:
            _print(runs[0], files, exchange)
            return
        outputs = Outputs.of(given)
        outputs.check()
        if len(runs) > 1:
            _side_by_side(runs, files, outputs)
            return
        written = outputs.write(runs[0], BOOK, of=files[0], strict=strict)
        show(runs[0], BOOK, written, piped=outputs.piped)
    except ConfigurationError as error:
        stop(str(error))


def _print(run: "Run", files: Sequence[Path], exchange: str) -> None:
    from conformance.report import wire_text  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    found = run.exchange(exchange)
    if found is None or len(files) > 1:
        msg = f"{files[0]} has no exchange {exchange!r}" if found is None else "--exchange is of one run"
        raise ConfigurationError(msg)
    put(STDOUT, wire_text.render(found, run.header.relay.get("base_url")))


def _side_by_side(runs: "Sequence[Run]", files: Sequence[Path], outputs: Outputs) -> None:
    from conformance.report import html, matrix_terminal  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    others = [f"--{name}" for name in outputs.named if name != "html"]
    if others:
        msg = f"{', '.join(others)} tells of one run; for several there are --html, and relayproof compare"
        raise ConfigurationError(msg)
    if outputs.html:
        put(outputs.html, html.render(runs, BOOK, language=outputs.lang, names=[file.name for file in files]))
    written = [f"wrote {outputs.html}\n"] if outputs.html and outputs.html != STDOUT else []
    tell(lambda **screen: matrix_terminal.render(runs, BOOK, **screen), written, piped=outputs.piped)
