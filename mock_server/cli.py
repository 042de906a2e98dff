"""`relayproof serve`: translates the command line, and nothing else. Imports the server only once it is asked for."""

import errno
import math
import os
import signal
import socket
import sys
import threading
from contextlib import ExitStack, suppress
from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NoReturn

import click

if TYPE_CHECKING:
    from mock_server.options import Options
    from mock_server.tls import Tls
    from mock_server.upstream import Upstream
    from mock_server.wish import Wish

MADE = "made"  # a certificate, for this run
RECORDED = "recordings"
FOLDER = click.Path(file_okay=False, path_type=Path)
FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _speed(ctx: click.Context, param: click.Parameter, value: str) -> float:
    try:
        speed = math.inf if value.lower() == "max" else float(value)
    except ValueError:
        speed = math.nan
    if not speed > 0:
        raise click.BadParameter(f"{value!r} is neither a factor above 0 nor max", ctx, param)
    return speed


class _Read(click.ParamType):  # type: ignore[type-arg] # generic in later versions of click alone
    """Words that a module reads, which is loaded once there are some."""

    name = "text"

    def __init__(self, module: str, function: str, error: str) -> None:
        self._module, self._function, self._error = module, function, error

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:  # noqa: ANN401
        module = import_module(self._module)
        wrong: type[Exception] = getattr(module, self._error)
        try:
            return getattr(module, self._function)(value)
        except wrong as error:
            self.fail(str(error), param, ctx)


FAULT = _Read("mock_server.wish", "wish", "WishError")
TIME = _Read("mock_server.latency", "distribution", "LatencyError")
LIMIT = _Read("mock_server.limits", "limit", "LimitError")
OUTAGE = _Read("mock_server.outage", "outage", "OutageError")


def _aliases(ctx: click.Context, param: click.Parameter, words: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = [word.partition("=") for word in words]
    for name, equals, model in pairs:
        if not (name and equals and model):
            raise click.BadParameter(f"{name + equals + model!r} is not NAME=MODEL", ctx, param)
    return tuple((name, model) for name, _, model in pairs)


def _list_faults(ctx: click.Context, _: click.Parameter, asked: bool) -> None:
    if not asked or ctx.resilient_parsing:
        return
    from mock_server.faults import FAULTS  # noqa: PLC0415
    from mock_server.faults.beyond import beyond  # noqa: PLC0415
    from mock_server.outage import KINDS  # noqa: PLC0415

    for fault in FAULTS.values():
        click.echo(f"{fault.id}\n    {fault.text}\n    breaks: {', '.join(fault.breaks) or 'no rule'}")
        if why := beyond(fault):
            click.echo(f"    not as a proxy: {why}")
    for kind in KINDS.values():
        click.echo(f"--outage …,as={kind.name}\n    {kind.text}\n    breaks: {', '.join(kind.breaks) or 'no rule'}")
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
    metavar="ID[@P][*N]",
    type=FAULT,
    help="A way to be wrong, by chance P, at most N times; may be repeated. A request may ask for more by header "
    "(`X-Relay-Fault: ID, ID`), behind its model (`mock-chat+ID`) or in its key (`sk-fault-ID`).",
)
@click.option(
    "--seed",
    default=0,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="Other words, pieces, pauses and order of members, all legal; 0 varies nothing. Or by `X-Relay-Seed: N`.",
)
@click.option("--script", type=FILE, metavar="FILE", help="Rules in YAML: which request gets which answer.")
@click.option(
    "--validate",
    type=click.Choice(["reject", "warn", "off"]),
    default="reject",
    show_default=True,
    help="What the document forbids: 400, answered with X-Relay-Violations, or answered. Or by `X-Relay-Validate`.",
)
@click.option("--strict-match", is_flag=True, help="404 for what was neither recorded nor scripted, with what is near.")
@click.option(
    "--max-gap", type=click.FloatRange(0), metavar="S", help="No pause is longer than S seconds, whatever was recorded."
)
@click.option(
    "--ttft",
    type=TIME,
    metavar="MS",
    help="To the first token of an answer that is made up: 200, normal(200,50), lognormal(200,0.4), uniform(100,300).",
)
@click.option("--itl", type=TIME, metavar="MS", help="From one token to the next, likewise.")
@click.option(
    "--slots",
    type=click.IntRange(1),
    metavar="N",
    help="With more than N answers under way both take longer.",
)
@click.option(
    "--limit",
    "limits",
    multiple=True,
    metavar="WORDS",
    type=LIMIT,
    help="What is let in: rpm=60,tpm=90000,concurrent=4 for each key; tokens=500/10s, per=model; may be repeated.",
)
@click.option(
    "--outage",
    "outages",
    multiple=True,
    metavar="FOR[/EVERY]",
    type=OUTAGE,
    help="When it is down: 10s/60s, and then from=30s, as=503, 502, reset or close; may be repeated.",
)
@click.option(
    "--record-from",
    metavar="URL",
    help="Stand in front of this live relay: pass on, byte for byte, and record. --fault bends what clients get.",
)
@click.option("--to", type=FOLDER, metavar="DIR", show_default=RECORDED, help="Where --record-from keeps recordings.")
@click.option("--upstream-key-env", metavar="VAR", help="The variable with the key to use there, for the client's.")
@click.option("--api-key", help="The only key that is let in; without it any is.")
@click.option(
    "--alias",
    "aliases",
    multiple=True,
    metavar="NAME=MODEL",
    callback=_aliases,
    help="Answer for the model NAME as MODEL; may be repeated.",
)
@click.option("--watch", is_flag=True, help="Read recordings and the script again when they change.")
@click.option(
    "--tls",
    is_flag=False,
    flag_value=MADE,
    metavar="[FILE]",
    help="HTTPS, with the certificate of this file (PEM), or with one made for this run.",
)
@click.option("--tls-key", type=FILE, metavar="FILE", help="The key of that certificate, where it is not in its file.")
@click.option(
    "--grace",
    default=1.0,
    show_default=True,
    type=click.FloatRange(0),
    metavar="S",
    help="Seconds that answers under way get when it is told to stop.",
)
@click.option("--until-eof", is_flag=True, help="End once standard input does: whoever started it is gone.")
@click.option(
    "--journal",
    default=1000,
    show_default=True,
    type=click.IntRange(0),
    metavar="N",
    help="Remember the last N requests for /__relay__/journal.",
)
@click.option("--no-control", is_flag=True, help="Nothing under /__relay__/ (else for this machine alone).")
@click.option(
    "--control-token-env", metavar="VAR", help="The variable with a token that lets into /__relay__/ from anywhere."
)
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
def serve(**given: Any) -> None:  # noqa: ANN401 - click calls it by name
    """Start the mock relay: replays recorded streams, makes up the rest, and is wrong on demand."""
    from mock_server import greeting, server  # noqa: PLC0415
    from mock_server.library import LibraryError  # noqa: PLC0415
    from mock_server.script import ScriptError  # noqa: PLC0415

    if given["verbose"]:
        _log_everything()
    if given["workers"] > 1 and not hasattr(socket, "AF_UNIX"):
        _give_up("--workers needs sockets of the file system, which there are not here")
    with ExitStack() as stack:
        options = _options(given, stack)
        try:
            library = server.library(options)
            script = server.scripted(options, library)
            server.check_aliases(options, library, script)
            bound = server.listen(options.host, options.port)
        except (LibraryError, ScriptError, server.AliasError) as error:
            _give_up(str(error))
        except OSError as error:
            reason = "the port is in use" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
            _give_up(f"cannot listen on {options.host}:{options.port}: {reason}")
        url = server.url_of(bound, "https" if options.tls else "http")
        recorder = server.recorder(options)
        recovered = recorder.recover() if recorder else ()
        for line in greeting.lines(url, options, len(library.recordings), len(script.rules), recovered):
            click.echo(line)
        sys.stdout.flush()
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, _exit)  # uvicorn ends by raising it again: files of this run go first
        if given["until_eof"]:
            threading.Thread(target=_until_eof, name="until-eof", daemon=True).start()
        try:
            server.serve(options, bound, library)
        except OSError as error:
            _give_up(f"the workers have nowhere to meet: {error.strerror or error}")


def _exit(number: int, _: object) -> NoReturn:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_IGN)  # on a terminal both may come: once is enough
    sys.exit(128 + number)


def _until_eof() -> None:
    """A pipe that a parent holds closes with it, however it ends: then this process is told to stop."""
    with suppress(OSError):
        while os.read(0, 4096):
            pass
    os.kill(os.getpid(), signal.SIGTERM)


def _options(given: dict[str, Any], stack: ExitStack) -> "Options":
    """What was given, translated. Files that are needed while it serves are removed with the stack."""
    from mock_server.latency import Latency  # noqa: PLC0415
    from mock_server.options import Conduct, Options  # noqa: PLC0415
    from mock_server.replay import Mode, Pace  # noqa: PLC0415
    from mock_server.validation import Mode as Validation  # noqa: PLC0415

    upstream = _upstream(given["record_from"], given["upstream_key_env"])
    if given["to"] and not upstream:
        _give_up("--to needs --record-from")
    gap = math.inf if given["max_gap"] is None else given["max_gap"]
    if upstream and given["faults"]:
        _refuse_unplayable(given["faults"])
    conduct = Conduct(
        wanted=given["faults"],
        api_key=given["api_key"],
        seed=given["seed"],
        latency=Latency(given["ttft"], given["itl"], given["slots"]),
        strict=given["strict_match"],
        mode=Validation(given["validate"]),
        aliases=given["aliases"],
        limits=given["limits"],
        outages=given["outages"],
    )
    return Options(
        host=given["host"],
        port=given["port"],
        conduct=conduct,
        pace=Pace(given["speed"], Mode(given["replay"]), gap),
        recordings=given["recordings"],
        script=given["script"],
        workers=given["workers"],
        control=not given["no_control"],
        token=_token(given["control_token_env"]),
        journal=given["journal"],
        upstream=upstream,
        record_to=given["to"] or Path(RECORDED) if upstream else None,
        tls=_tls(given, stack),
        grace=given["grace"],
        watch=given["watch"],
    )


def _tls(given: dict[str, Any], stack: ExitStack) -> "Tls | None":
    if given["tls_key"] and given["tls"] in {None, MADE}:
        _give_up("--tls-key needs --tls FILE")
    if given["tls"] is None:
        return None
    from mock_server import tls  # noqa: PLC0415

    if given["tls"] == MADE:
        folder = stack.enter_context(TemporaryDirectory(prefix="relayproof-tls-"))
        return tls.made(Path(folder), [given["host"]])
    try:
        return tls.given(Path(given["tls"]), given["tls_key"])
    except tls.TlsError as error:
        _give_up(str(error))


def _upstream(url: str | None, variable: str | None) -> "Upstream | None":
    if url is None:
        if variable:
            _give_up("--upstream-key-env needs --record-from")
        return None
    from mock_server.upstream import AddressError, parse  # noqa: PLC0415

    key = os.environ.get(variable) if variable else None
    if variable and not key:
        _give_up(f"the variable {variable} holds no key")
    try:
        return parse(url, key)
    except AddressError as error:
        _give_up(str(error))


def _refuse_unplayable(faults: "tuple[Wish, ...]") -> None:
    from mock_server.faults.beyond import beyond_all  # noqa: PLC0415

    if told := beyond_all(tuple(one.fault for one in faults)):
        _give_up(told)


def _token(variable: str | None) -> str | None:
    """The token that a variable holds. One that is not there would let in nobody, or everybody: neither is meant."""
    if variable is None:
        return None
    token = os.environ.get(variable, "")
    if len(token) < 8:
        _give_up(f"the variable {variable} holds no token of 8 characters or more")
    return token


def _log_everything() -> None:
    import logging  # noqa: PLC0415

    logging.basicConfig(format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("mock_server").setLevel(logging.DEBUG)


def _give_up(text: str) -> NoReturn:
    click.echo(f"Error: {text}", err=True)
    sys.exit(2)
