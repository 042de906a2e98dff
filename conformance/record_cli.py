"""`relayproof record`: answers of a live relay, or exchanges of a run, become recordings."""

import asyncio
from pathlib import Path
from typing import Any

import click

from conformance.outputs import stop
from conformance.reach import link_of, reaching, target_of
from conformance.watching import Watching

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command()
@click.argument("base_url", required=False)
@click.option("--target", "target_name", metavar="NAME|FILE.toml", help="A known relay, or a file that describes one.")
@reaching
@click.option("--only", multiple=True, metavar="OPERATION|PROBE", help="Only these probes, or those of an operation.")
@click.option("--dry-run", is_flag=True, help="Print what would be asked, and at most spent, and send nothing.")
@click.option("--from", "run_file", type=FILE, metavar="RUN.jsonl", help="Instead: exchanges of this run.")
@click.option("--exchange", "names", multiple=True, metavar="ID", help="With --from: its id, e17. May be repeated.")
@click.option("--to", "folder", required=True, type=FOLDER, metavar="DIR", help="Folder of the recordings.")
def record(**given: Any) -> None:  # noqa: ANN401 - click hands over what its options hold
    """Make recordings: of what a live relay answers to the probes, or of exchanges of a run.

    BASE_URL, models, key and limits are as with `check`. A relay's odd answer becomes a regression test. Exit codes:
    0 written, 2 wrong use, 3 not reached.
    """
    if given["run_file"]:
        if given["base_url"] or given["target_name"] or not given["names"]:
            stop("--from RUN.jsonl goes with --exchange ID, and with no relay")
        _of_run(given["run_file"], given["names"], given["folder"])
    elif given["names"]:
        stop("--exchange ID goes with --from RUN.jsonl")
    else:
        _of_relay(given)


def _of_relay(given: dict[str, Any]) -> None:
    from conformance import plan as planning  # noqa: PLC0415 - a command loads what it needs
    from conformance import record as recording  # noqa: PLC0415
    from conformance.check import Options  # noqa: PLC0415
    from conformance.probes import PROBES  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    try:
        target = target_of(given)
        link = link_of(given, target)
        plan = recording.chosen(planning.plan(target, BOOK, PROBES), given["only"])
        if not plan.probes:
            stop("nothing to ask: no probe is left; name a --model, or another --only")
        if given["dry_run"]:
            click.echo("\n".join(one.probe.id for one in plan.probes))
            click.echo(f"{plan.requests} requests, at most {plan.tokens} tokens; nothing was sent")
            return
        options = Options(total=given["timeout"], idle=given["idle_timeout"])
        with Watching(quiet=False) as watch:
            run = asyncio.run(recording.ask(target, link, plan, options, watch))
        paths = list(recording.write(run, given["folder"], f"{target.name} at {target.base}"))
    except (ConfigurationError, OSError) as error:
        stop(str(error))
    if not paths:
        stop((run.footer.note if run.footer else None) or "the relay answered nothing", 3)
    click.echo(f"wrote {len(paths)} recordings to {given['folder']}")


def _of_run(run_file: Path, names: tuple[str, ...], folder: Path) -> None:
    from conformance.run import RunError, read_run  # noqa: PLC0415
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
        stop(f"{run_file}: {error}")
