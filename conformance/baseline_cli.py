"""`relayproof baseline RUN.jsonl`: what a run failed, written down as a baseline."""

from datetime import UTC, date, datetime
from pathlib import Path

import click

from conformance.outputs import stop

HEAD = "# What this relay is known to break: relayproof check … --baseline {name}\n\n"


def _end(_: click.Context, __: click.Parameter, value: str) -> date | None:
    if value == "never":
        return None
    try:
        end = date.fromisoformat(value)
    except ValueError:
        msg = f"{value!r} is no date like 2027-03-31, nor never"
        raise click.BadParameter(msg) from None
    if end < datetime.now(UTC).date():
        msg = f"{value} is over: such a waiver excuses nothing"
        raise click.BadParameter(msg)
    return end


@click.command()
@click.argument("run", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--to", "target", required=True, type=click.Path(dir_okay=False, path_type=Path), metavar="FILE.toml")
@click.option("--reason", required=True, metavar="TEXT", help="Why these failures are accepted.")
@click.option("--owner", metavar="NAME", help="Who mends them.")
@click.option("--expires", required=True, callback=_end, metavar="DATE|never", help="The last day on which they are.")
def baseline(run: Path, target: Path, reason: str, owner: str | None, expires: date | None) -> None:
    """Write the failures of a stored RUN that weigh, MUST and SHOULD, to a baseline.

    A file that is there is added to: its text stays as it is, comments too, and what it names is left out.
    """
    from conformance.baseline import failures, parse_baseline, written  # noqa: PLC0415
    from conformance.stored import stored_run  # noqa: PLC0415
    from conformance.target import ConfigurationError, text_of  # noqa: PLC0415

    try:
        judged = stored_run(run)
        before = text_of(target, f"the baseline {target}") if target.exists() else ""
        waivers = parse_baseline(before, str(target))
        failed = failures(judged.verdicts, waivers)
        more = written(failed, reason, owner, expires)
        after = f"{before.rstrip()}\n\n{more}" if before.strip() else HEAD.format(name=target.name) + more
        parse_baseline(after, str(target))
        if failed or not before:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(after, encoding="utf-8")
    except (ConfigurationError, OSError) as error:
        stop(str(error))
    places = sum(map(len, failed.values()))
    click.echo(f"{target}: {places} failures of {len(failed)} rules added, {len(waivers)} were there")
