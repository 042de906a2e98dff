"""`relayproof compare`: relays side by side, asked together or joined from stored runs. It translates and prints."""

import asyncio
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from conformance.interrupts import interruption
from conformance.outputs import STDOUT, lang, prepare, put, safe, stop, tell
from conformance.reach import MONEY, SECONDS, link_of
from conformance.watching import Watching

if TYPE_CHECKING:
    from conformance.run import Run
    from conformance.several import Judged, Member
    from conformance.target import Target

LOCAL = Path("reports") / "local"
FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--only", multiple=True, metavar="RULE|SURFACE", help="Only rules (or probes) of this id or chapter.")
@click.option("--dry-run", is_flag=True, help="Print what each would be asked, and send nothing.")
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST.")
@click.option("--max-requests", type=click.IntRange(0), metavar="N", help="Never send more requests to one relay.")
@click.option("--max-tokens", type=click.IntRange(0), metavar="N", help="Never cause more tokens at one relay.")
@click.option("--max-cost", type=MONEY, metavar="N", help="Never cause more cost at one relay, by its prices.")
@click.option("--timeout", type=SECONDS, metavar="S", help="Seconds for an answer (120; video 1800).")
@click.option("--idle-timeout", type=SECONDS, metavar="S", help="Seconds of silence (60; video 300).")
@click.option("--proxy", metavar="URL", help="A proxy; HTTP_PROXY and its like count otherwise.")
@click.option("--ca-file", type=click.Path(exists=True, dir_okay=False), metavar="F", help="Certificates to trust.")
@click.option(
    "--concurrency",
    default=8,
    show_default=True,
    type=click.IntRange(1, 64),
    metavar="N",
    help="Requests at a time at each relay that names no number of its own.",
)
@click.option("--repeats", default=5, show_default=True, type=click.IntRange(0, 100), metavar="N", help="As in check.")
@click.option("--seed", default=0, show_default=True, metavar="N", help="Seed of all that is random, for all relays.")
@click.option("--fuzz", is_flag=True, help="Draw requests from the document too, the same ones for all relays.")
@click.option("--out", "folder", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="For the runs.")
@click.option("--html", type=FILE, metavar="F", help="Write a page to F.")
@lang
@click.option("--markdown", type=FILE, metavar="F", help="Write a comment to F: what changed, or how they differ.")
@click.option("--json", type=FILE, metavar="F", help="Write the differences as JSON to F.")
@click.option("--quiet", is_flag=True, help="No progress.")
def compare(files: Sequence[Path], **given: Any) -> None:  # noqa: ANN401 - click hands over what its options hold
    """Relays side by side. FILES are targets (TOML, also several in one as [[target]] tables), which are asked at the
    same time in step, or stored runs (JSONL), which are joined.

    Exit codes: 0 no relay breaks a MUST and each was verified, 1 one breaks one, 2 wrong use, 3 none was reached, 4 one
    was not reached or left MUSTs open, 5 our own fault. Of several runs of one relay the last decides.
    """
    from conformance.target import ConfigurationError  # noqa: PLC0415 - a command loads what it needs

    try:
        sys.exit(_compare(files, given))
    except ConfigurationError as error:
        stop(str(error))


def _compare(files: Sequence[Path], given: dict[str, Any]) -> int:
    from conformance.exit_code import exit_of_all  # noqa: PLC0415
    from conformance.stored import stored_run  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    wanted = {name: given[name] for name in ("html", "markdown", "json") if given[name] is not None}
    if list(wanted.values()).count(STDOUT) > 1:
        msg = "only one format can go to standard output"
        raise ConfigurationError(msg)
    for path in wanted.values():
        if path != STDOUT:
            prepare(path)
    members = _members([file for file in files if file.suffix == ".toml"], given)
    stored_files = [file for file in files if file.suffix != ".toml"]
    stored = [stored_run(file) for file in stored_files]
    if given["dry_run"]:
        click.echo("\n".join(map(_plan_line, members)))
        return 0
    if len(members) + len(stored) < 2:
        msg = "one relay alone: a comparison needs two runs or targets"
        raise ConfigurationError(msg)
    judged = _judged(members, quiet=given["quiet"]) if members else []
    runs = [*(one.run for one in judged), *stored]
    names = [one.name for one in (*(member.out for member in members), *stored_files)]
    written = _write(runs, wanted, names, given["lang"])
    _show(runs, [*(member.out for member in members), *written], piped=STDOUT in wanted.values())
    for one in judged:
        if one.fault:
            click.echo(f"relayproof: {one.run.header.relay.get('name')}: {_fault(one.fault)}", err=True)
    faulty = [5 for one in judged if one.fault]
    return int(exit_of_all([*faulty, *(run.footer.exit if run.footer else None for run in _last(runs))]))


def _members(files: Sequence[Path], given: dict[str, Any]) -> "list[Member]":
    from conformance.target import read_targets  # noqa: PLC0415

    targets = [_bounded(target, given) for file in files for target in read_targets(file)]
    _check_apart(targets)
    folder = given["folder"] or LOCAL / f"{datetime.now(UTC).strftime('%Y%m%dT%H%M%SZ')}-compare"
    members = [
        _member(target, folder / f"{number}-{safe(target.name)}.jsonl", given)
        for number, target in enumerate(targets, 1)
    ]
    for member in () if given["dry_run"] else members:
        prepare(member.out)
    return members


def _member(target: "Target", out: Path, given: dict[str, Any]) -> "Member":
    from conformance import plan as planning  # noqa: PLC0415
    from conformance.check import Options  # noqa: PLC0415
    from conformance.fuzz import prepare as hunting  # noqa: PLC0415
    from conformance.probes import PROBES  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.several import Member  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415

    link = link_of({**given, "api_key_env": None, "headers": ()}, target)
    target = target.without_key() if link.key is None else target
    plan = planning.plan(target, BOOK, PROBES, given["only"])
    if not plan.probes:
        msg = f"{target.name}: nothing to ask"
        raise ConfigurationError(msg)
    hunt = None
    if given["fuzz"]:  # no failure of an earlier run comes first: all relays are asked the same
        plan, hunt = hunting.drawn(plan, target, given["seed"], 0, Path(os.devnull))
        if why := hunting.undrawn(plan, target):
            click.echo(f"{target.name}: --fuzz: nothing is drawn: {why}", err=True)
    options = Options(
        concurrency=target.concurrency or given["concurrency"],
        seed=given["seed"],
        strict=given["strict"],
        total=given["timeout"],
        idle=given["idle_timeout"],
        repeats=given["repeats"],
        command=f"relayproof compare --seed {given['seed']}" + (" --fuzz" if given["fuzz"] else ""),
        hunt=hunt,
    )
    return Member(target, link, plan, options, out)


def _bounded(target: "Target", given: dict[str, Any]) -> "Target":
    from conformance.target import ConfigurationError  # noqa: PLC0415

    if not target.base:
        msg = f"the target {target.name} names no host: base_url is missing"
        raise ConfigurationError(msg)
    limits = {name: given[name] for name in ("max_requests", "max_tokens", "max_cost") if given[name] is not None}
    return replace(target, **limits).bounded()


def _check_apart(targets: "Sequence[Target]") -> None:
    """A key goes to one host: no two hosts share a variable, and beyond loopback each target names one."""
    from conformance.target import KEY_VARIABLE, ConfigurationError  # noqa: PLC0415

    hosts: dict[str, str] = {}
    for target in targets:
        if target.key_variable is None and not target.is_local and len(targets) > 1:
            msg = f"the target {target.name} names no key_env: among several relays each has a variable of its own"
            raise ConfigurationError(msg)
        variable = target.key_variable or KEY_VARIABLE
        host = "this machine" if target.is_local else urlsplit(target.base).netloc
        if hosts.setdefault(variable, host) != host:
            msg = f"{variable} is the key of {hosts[variable]}: {target.name} needs another"
            raise ConfigurationError(msg)


def _judged(members: "Sequence[Member]", *, quiet: bool) -> "list[Judged]":
    from conformance.several import check_all  # noqa: PLC0415

    judged: list[Judged] = []

    async def judging() -> None:  # as in check
        judged.extend(await check_all(members, lambda number, seen: watch(seen, members[number].target.name)))

    with Watching(quiet=quiet) as watch:
        try:
            asyncio.run(judging())
        except KeyboardInterrupt:
            how, code = interruption()
            stop(f"{how}; what was captured is in {members[0].out.parent}", code)
    return judged


def _plan_line(member: "Member") -> str:
    limits = (member.target.max_requests, member.target.max_tokens)
    held = "no limit" if limits == (None, None) else f"limits {limits[0]} requests, {limits[1]} tokens"
    asked = f"{member.plan.requests} requests, at most {member.plan.tokens} tokens ({held})"
    return f"{member.target.name} at {member.target.base}: {asked}; nothing was sent"


def _fault(error: Exception) -> str:
    return f"our own fault: {type(error).__name__}: {' '.join(str(error).split())[:300]}"


def _last(runs: "Sequence[Run]") -> "list[Run]":
    """The last run of each relay, by when it began; of equal ones the one that was named last."""
    return list({run.header.whose: run for run in sorted(runs, key=lambda one: one.header.started)}.values())


def _write(runs: "Sequence[Run]", wanted: dict[str, Path], names: Sequence[str], language: str) -> list[Path]:
    from conformance.report import html, matrix_json, matrix_markdown  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415

    renderers = {
        "html": lambda runs, laws: html.render(runs, laws, language=language, names=names),
        "markdown": matrix_markdown.render,
        "json": matrix_json.render,
    }
    for name, path in wanted.items():
        put(path, renderers[name](runs, BOOK))
    return [path for path in wanted.values() if path != STDOUT]


def _show(runs: "Sequence[Run]", paths: Sequence[Path], *, piped: bool) -> None:
    from conformance.report import matrix_terminal  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415

    written = [f"wrote {path}\n" for path in paths]
    tell(lambda **screen: matrix_terminal.render(runs, BOOK, **screen), written, piped=piped)
