"""`relayproof history`: relays over their runs, read from the run files themselves."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from conformance.outputs import STDOUT, prepare, put, stop, tell

if TYPE_CHECKING:
    from conformance.run import Run

LOCAL = Path("reports") / "local"
FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.command()
@click.argument("paths", nargs=-1, type=click.Path(exists=True, path_type=Path))
@click.option("--relay", metavar="NAME", help="Only runs of this relay.")
@click.option("--last", type=click.IntRange(1), metavar="N", help="Only the last N runs of each.")
@click.option("--html", type=FILE, metavar="F", help="Write a page with a picture of each trend to F.")
@click.option("--json", type=FILE, metavar="F", help="Write it as JSON to F.")
def history(paths: Sequence[Path], relay: str | None, last: int | None, html: Path | None, json: Path | None) -> None:
    """Follow relays over their runs: PATHS are run files, or folders of them (reports/local where none is given).

    What is no run is left out, and told. Exit codes: 0 told, 2 no run is there, or a file cannot be written.
    """
    from conformance.target import ConfigurationError  # noqa: PLC0415 - a command loads what it needs

    try:
        _history(paths, relay, last, {"html": html, "json": json})
    except ConfigurationError as error:
        stop(str(error))


def _history(paths: Sequence[Path], relay: str | None, last: int | None, wanted: dict[str, Path | None]) -> None:
    from conformance.report import history as data  # noqa: PLC0415
    from conformance.report import history_html, history_terminal  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    outputs = {name: path for name, path in wanted.items() if path is not None}
    for path in outputs.values():
        if path != STDOUT:
            prepare(path)
    runs = [run for run in _runs(_files(paths)) if relay in {None, run.header.relay.get("name")}]
    if not runs:
        msg = "no run is there" + (f" of {relay}" if relay else "")
        raise ConfigurationError(msg)
    if last is not None:
        runs = _newest(runs, last)
    renderers = {"html": history_html.render, "json": data.render}
    for name, path in outputs.items():
        put(path, renderers[name](runs, BOOK))
    written = [f"wrote {path}\n" for path in outputs.values() if path != STDOUT]
    tell(lambda **screen: history_terminal.render(runs, BOOK, **screen), written, piped=STDOUT in outputs.values())


def _files(paths: Sequence[Path]) -> Iterator[Path]:
    for path in paths or [LOCAL]:
        yield from sorted([*path.rglob("*.jsonl"), *path.rglob("*.jsonl.gz")]) if path.is_dir() else [path]


def _runs(files: Iterator[Path]) -> "Iterator[Run]":
    from conformance.stored import stored_run  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    for file in dict.fromkeys(files):
        try:
            yield stored_run(file)
        except ConfigurationError as error:
            click.echo(f"left out: {error}", err=True)


def _newest(runs: "Sequence[Run]", last: int) -> "list[Run]":
    grouped: dict[tuple[str, str], list[Run]] = {}
    for run in sorted(runs, key=lambda one: one.header.started):
        grouped.setdefault(run.header.whose, []).append(run)
    return [run for group in grouped.values() for run in group[-last:]]
