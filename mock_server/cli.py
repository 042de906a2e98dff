"""`relayproof serve`: translates the command line, and nothing else. Imports the server only once it is asked for."""

import errno
import math
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

if TYPE_CHECKING:
    from mock_server.faults import Fault


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float:
    try:
        speed = math.inf if value.lower() == "max" else float(value)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise click.BadParameter(f"{value!r} is neither a factor above 0 nor max", ctx, param)
    return speed


def _known_faults(ctx: click.Context, param: click.Parameter, names: tuple[str, ...]) -> tuple[str, ...]:
    from mock_server.faults import FAULTS  # noqa: PLC0415 - lazily

    for name in names:
        if name not in FAULTS:
            raise click.BadParameter(f"{name!r} is not known; {_near(name, list(FAULTS))}", ctx, param)
    return names


def _near(name: str, known: list[str]) -> str:
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(name, known, n=5, cutoff=0.4)
    return f"did you mean {', '.join(near)}?" if near else "--list-faults lists them"


def _list_faults(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    from mock_server.faults import FAULTS  # noqa: PLC0415

    for fault in FAULTS.values():
        click.echo(f"{fault.id}\n    {fault.text}\n    breaks: {', '.join(fault.breaks) or 'no rule'}")
    ctx.exit()


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8787, show_default=True, type=click.IntRange(0, 65535), help="0 takes a free port.")
@click.option(
    "--recordings",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of recordings, read recursively instead of the built-in ones.",
)
@click.option(
    "--speed",
    metavar="N|max",
    callback=_speed,
    default="1",
    show_default=True,
    help="Divides all pauses; max leaves none.",
)
@click.option(
    "--replay",
    type=click.Choice(["exact", "events", "fast"]),
    default="exact",
    show_default=True,
    help="exact: the recorded chunks; events: one event a write; fast: what is due leaves in one write.",
)
@click.option(
    "--fault",
    "faults",
    multiple=True,
    callback=_known_faults,
    help="A way to be wrong; may be repeated. A request may ask for more: `X-Relay-Fault: ID, ID`.",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="Other words, pieces, pauses and order of members, all legal; 0 varies nothing. Or by `X-Relay-Seed: N`.",
)
@click.option("--api-key", help="The only key that is let in; without it any is.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1), help="Processes.")
@click.option("--verbose", is_flag=True, help="Log lateness and departures of clients.")
@click.option(
    "--list-faults",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_list_faults,
    help="Print the faults, what each breaks in clients and which rules, and the honest variants.",
)
def serve(  # noqa: PLR0917 - click calls it by name
    host: str,
    port: int,
    recordings: Path | None,
    speed: float,
    replay: str,
    faults: tuple[str, ...],
    seed: int,
    api_key: str | None,
    workers: int,
    verbose: bool,
) -> None:
    """Start the mock relay: replays recorded streams, makes up the rest, and is wrong on demand."""
    from mock_server import server  # noqa: PLC0415
    from mock_server.faults import FAULTS  # noqa: PLC0415
    from mock_server.library import LibraryError  # noqa: PLC0415
    from mock_server.replay import Mode  # noqa: PLC0415

    if verbose:
        _log_everything()
    options = server.Options(host, port, recordings, speed, Mode(replay), faults, api_key, workers, seed)
    try:
        library = server.library(options)
        bound = server.listen(host, port)
    except LibraryError as error:
        _give_up(str(error))
    except OSError as error:
        reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        _give_up(f"cannot listen on {host}:{port}: {reason}")
    _greet(server.url_of(bound), len(library.recordings), api_key, [FAULTS[name] for name in faults])
    try:
        server.serve(options, bound, library)
    except KeyboardInterrupt:
        sys.exit(130)


def _greet(url: str, recordings: int, api_key: str | None, faults: "list[Fault]") -> None:
    """What a newcomer needs. The first line is what `process.running` waits for."""
    key = "YOUR-KEY" if api_key else "any-key"
    body = '{"model":"mock-chat","stream":true,"messages":[{"role":"user","content":"Hello"}]}'
    click.echo(f"relayproof mock on {url}/v1")
    click.echo(f"  key         {'the one of --api-key' if api_key else 'any (none is 401)'}")
    click.echo(f"  recordings  {recordings}")
    for fault in faults:
        click.echo(f"  fault       {fault.id}: {fault.text}")
    click.echo(f"  try         curl -N {url}/v1/chat/completions -H 'Authorization: Bearer {key}' \\")
    click.echo("                -H 'Content-Type: application/json' \\")
    click.echo(f"                -d '{body}'")
    sys.stdout.flush()


def _log_everything() -> None:
    import logging  # noqa: PLC0415

    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("mock_server").setLevel(logging.DEBUG)


def _give_up(text: str) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(2)
