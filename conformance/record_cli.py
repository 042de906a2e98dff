"""`relayproof record`: an exchange of a run becomes a recording, without loss."""

import sys
from pathlib import Path

import click

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.option("--from", "run_file", required=True, type=FILE, metavar="RUN.jsonl", help="The run with the exchange.")
@click.option("--exchange", "names", required=True, multiple=True, metavar="ID", help="Its id: e17. May be repeated.")
@click.option("--to", "folder", required=True, type=FOLDER, metavar="DIR", help="Folder of the recording.")
def record(run_file: Path, names: tuple[str, ...], folder: Path) -> None:
    """Make a recording of an exchange of a run: a relay's odd answer becomes a regression test."""
    from conformance.run import RunError, read_run  # noqa: PLC0415 - a command loads what it needs
    from openapi.wire.jsonl import Recording, write_recording  # noqa: PLC0415

    try:
        run = read_run(run_file.read_text(encoding="utf-8"))
        for name in names:
            exchange = run.exchange(name)
            if exchange is None or exchange.status is None:
                missing = "has no answer" if exchange else "is not in it"
                raise click.UsageError(f"{run_file}: the exchange {name} {missing}")
            path = folder / f"{exchange.probe or 'exchange'}-{name}.jsonl"
            folder.mkdir(parents=True, exist_ok=True)
            of = f"{run.header.relay.get('name')} at {run.header.relay.get('base_url')}"
            path.write_text(write_recording(Recording("recorded", of, exchange)), encoding="utf-8")
            click.echo(f"wrote {path}")
    except (RunError, OSError, UnicodeDecodeError) as error:
        click.echo(f"relayproof: {run_file}: {error}", err=True)
        sys.exit(2)
