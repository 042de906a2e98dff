"""`check` and `judge`: they translate the command line and print; nothing is decided here."""

import asyncio
import sys
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from conformance.interrupts import interruption
from conformance.outputs import Outputs, safe, stop, writing
from conformance.reach import harmless, known_of, reached, reaching
from conformance.watching import Drawing, Watching

if TYPE_CHECKING:
    from conformance.check import Options
    from conformance.fuzz.hunt import Hunt
    from conformance.plan import Bound, Plan
    from conformance.probe import Planned
    from conformance.run import Run
    from conformance.target import Target
    from conformance.transport import Link

LOCAL_RUNS = Path("reports") / "local"
FILE = click.Path(dir_okay=False, path_type=Path)


def _excuses(command: Callable[..., None]) -> Callable[..., None]:
    command = click.option(
        "--dialect",
        "dialects",
        multiple=True,
        metavar="NAME|FILE.toml",
        help="Excuse the habits of a family: new-api, litellm, llama-server.",
    )(command)
    return click.option("--baseline", type=FILE, metavar="FILE.toml", help="Excuse what it waives.")(command)


_extends = click.option(
    "--extend", "extensions", multiple=True, metavar="FILE.py|NAME", help="Rules and probes of your own, too."
)


@click.command()
@click.argument("base_url", required=False)
@click.option("--target", "target_name", metavar="NAME|FILE.toml", help="A known relay, or a file that describes one.")
@reaching
@click.option(
    "--only",
    multiple=True,
    metavar="RULE|SURFACE",
    help="Only rules (or probes) of this id or chapter; a stored failure by its name, fuzz.…, or all of them by fuzz.",
)
@click.option("--dry-run", is_flag=True, help="Print the plan and its upper bound, and send nothing.")
@click.option("--discover", is_flag=True, help="Find what is there, unbilled, and print a target file for it.")
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST, and a stale baseline as wrong use.")
@_extends
@_excuses
@click.option("--out", type=FILE, metavar="RUN.jsonl", help="The run. Default: a new file in reports/local.")
@writing
@click.option(
    "--concurrency", default=16, show_default=True, type=click.IntRange(1, 64), metavar="N", help="Requests at a time."
)
@click.option(
    "--repeats",
    default=5,
    show_default=True,
    type=click.IntRange(0, 100),
    metavar="N",
    help="Make a failing probe again, to see whether its outcome varies.",
)
@click.option("--seed", default=0, show_default=True, metavar="N", help="Seed of all that is random.")
@click.option("--fuzz", is_flag=True, help="Draw requests from the document too, and make smaller what fails.")
@click.option(
    "--fuzz-cases",
    type=click.IntRange(0, 100_000),
    metavar="N",
    help="With --fuzz, and only with it: so many random ones for each operation that has a body, 0.1 to 0.4 s each.",
)
@click.option("--fetch-media", is_flag=True, help="Fetch the first bytes of what answers link to, without the key.")
@click.option("--quiet", is_flag=True, help="No progress.")
def check(**given: Any) -> None:  # noqa: ANN401 - click hands over what its options hold
    """Judge a relay against the document.

    BASE_URL is with or without a final /v1; a path prefix is kept. Exit codes: 0 every MUST verified, 1 a MUST is
    broken, 2 wrong use, 3 not reached or key refused, 4 some MUSTs could not be verified, 5 our own fault.
    """
    from conformance.target import ConfigurationError  # noqa: PLC0415 - a command loads what it needs

    try:
        sys.exit(_check(given))
    except ConfigurationError as error:
        stop(str(error))


def _check(given: dict[str, Any]) -> int:
    from conformance import plan as planning  # noqa: PLC0415
    from conformance.check import Options, bound_of  # noqa: PLC0415
    from conformance.extend import load  # noqa: PLC0415
    from conformance.fuzz import prepare as hunting  # noqa: PLC0415
    from conformance.outputs import show  # noqa: PLC0415
    from conformance.stored import storing  # noqa: PLC0415

    known = known_of(given)
    target, link = reached(given)
    random = hunting.random_cases(given["fuzz_cases"], fuzz=given["fuzz"])
    if given["discover"]:
        if given["fuzz"]:
            stop("--discover judges nothing: --fuzz has no place beside it")
        return _discover(target, link, given)
    book = load(given["extensions"])
    only, again = hunting.apart(given["only"])
    the_plan = planning.plan(target, book.rules, book.probes, only, fetch_media=given["fetch_media"])
    the_plan = replace(the_plan, extended=book.record)
    for role in the_plan.idle_roles:
        click.echo(f"--model {role.value}: no rule of this version speaks of it", err=True)
    hunt, failures = None, LOCAL_RUNS / f"{safe(target.name)}.failures.jsonl"
    if again:
        the_plan, hunt = hunting.again(the_plan, target, given["only"], failures)
    elif given["fuzz"]:
        wanted = hunting.room_for(the_plan, target, random)
        with Drawing(quiet=given["quiet"], wanted=wanted) as drawing:
            the_plan, hunt = hunting.drawn(the_plan, target, given["seed"], wanted, failures, watch=drawing)
        for line in _drawn_lines(hunt, random, wanted):
            click.echo(line, err=True)
        if why := hunting.undrawn(the_plan, target):
            click.echo(f"--fuzz: nothing is drawn: {why}", err=True)
    if not the_plan.probes and not again:
        stop(f"nothing to ask: {next((told.reason for told in the_plan.skipped if told.reason), 'no probe is left')}")
    options = Options(
        concurrency=given["concurrency"],
        seed=given["seed"],
        repeats=given["repeats"],
        strict=given["strict"],
        total=given["timeout"],
        idle=given["idle_timeout"],
        command=" ".join(["relayproof", *map(harmless, sys.argv[1:])]),
        known=known,
        hunt=hunt,
    )
    if given["dry_run"]:
        click.echo(_plan_text(target, the_plan, bound_of(target, the_plan, options), hunt))
        return 0
    outputs = Outputs.of(given)
    outputs.check()
    out = given["out"] or _fresh(target.name)
    with storing(out, hunt, failures, known, book):
        run = run_to(out, target, link, the_plan, options, quiet=given["quiet"])
    written = outputs.write(run, book.rules, of=out, strict=given["strict"])
    written += hunting.store(run, hunt, failures) if hunt else []
    show(run, book.rules, [out, *written], piped=outputs.piped)
    return run.footer.exit if run.footer else 5


def _drawn_lines(hunt: "Hunt", asked_for: int, wanted: int) -> Iterator[str]:
    """How many random requests were drawn, where such were asked for, and why not all."""
    if wanted < asked_for:
        yield f"--fuzz-cases {asked_for:,}: the limit on requests leaves room for {wanted:,}"
    for operation, many in hunt.random.items():
        why = "" if many == wanted else f" of {wanted:,}: draws in a row brought nothing new within bounds"
        yield f"{operation}: {many:,} random requests drawn{why}"


def _discover(target: "Target", link: "Link", given: dict[str, Any]) -> int:
    """Prints a target file on standard output, and how each operation was found to be on standard error."""
    from conformance.discover import discover  # noqa: PLC0415
    from conformance.report.escape import visible  # noqa: PLC0415
    from conformance.report.platform import platform  # noqa: PLC0415
    from conformance.suggest import toml  # noqa: PLC0415
    from openapi import document  # noqa: PLC0415

    operations = [f"{one.method} {one.path}" for one in document.load().operations]
    operations += [entry.operation for entry in platform()]
    if given["dry_run"]:
        click.echo("\n".join(dict.fromkeys(operations)))
        return 0
    found = asyncio.run(discover(target, link, operations))
    if found.halt:
        stop(found.halt, 3)
    if not given["quiet"]:
        for one in found.found:
            click.echo(f"{one.presence.value:15} {one.operation:48} {visible(one.why, 100)}", err=True)
    click.echo(toml(target, found), nl=False)
    return 0


def run_to(
    out: Path, target: "Target", link: "Link", the_plan: "Plan", options: "Options", *, quiet: bool = False
) -> "Run":
    """Judges a relay, the run written to `out` as it happens. Ctrl-C and SIGTERM leave a valid prefix and say so."""
    from conformance.check import check as judge_relay  # noqa: PLC0415
    from conformance.outputs import prepare  # noqa: PLC0415
    from conformance.run import Writer  # noqa: PLC0415

    runs: list[Run] = []

    async def judging() -> None:  # returns nothing: asyncio spells out the result when it gives SIGINT back
        runs.append(await judge_relay(target, link, the_plan, options, out=Writer(file), watch=watch))

    prepare(out)
    with out.open("w", encoding="utf-8") as file, Watching(quiet=quiet) as watch:
        try:
            asyncio.run(judging())
        except KeyboardInterrupt:
            how, code = interruption()
            stop(f"{how}; what was captured is in {out}", code)
    return runs[0]


def _fresh(name: str) -> Path:
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    return LOCAL_RUNS / f"{stamp}-{safe(name)}.jsonl"


def _plan_text(target: "Target", the_plan: "Plan", bound: "Bound", hunt: "Hunt | None" = None) -> str:
    lines = [f"{target.name} at {target.base}"]
    for planned in the_plan.probes:
        rules = sum(1 for _ in planned.reaches(the_plan.rules))
        about = f"{planned.probe.id:32} {planned.model or '-':24} {rules:3} rules  at most {planned.tokens:,} tokens"
        lines.append(about)
    lines += [_group_line(operation, some) for operation, some in _by_operation(the_plan).items()]
    lines += _hunt_lines(target, the_plan, hunt) if hunt else []
    limits = (("requests", target.max_requests), ("tokens", target.max_tokens), (target.currency, target.max_cost))
    named = ", ".join(f"{most:,} {what}".rstrip() for what, most in limits if most is not None)
    limit = f"limits {named}" if named else "no limit"
    once = the_plan.once
    lines.append(
        f"{once.requests:,} requests, at most {once.tokens:,} tokens{_money(target, once)} ({limit}); nothing was sent"
    )
    if bound != once:
        more = f"{bound.requests:,} requests, {bound.tokens:,} tokens{_money(target, bound)}"
        lines.append(f"with what is sent again, and what makes failures smaller, never more than {more}")
    if target.unpriced:
        lines.append(f"no price is known of {', '.join(target.unpriced)}")
    return "\n".join(lines)


def _group_line(operation: str, some: "Sequence[Planned]") -> str:
    """The generated probes of one operation: those of several requests are conversations, links and comparisons."""
    sizes = [len(one.probe.steps) for one in some]
    several = f" ({sum(size > 1 for size in sizes):,} of several requests)" if max(sizes) > 1 else ""
    tokens = sum(one.tokens for one in some)
    about = f"{len(some):,} generated probes{several}, {sum(sizes):,} requests, at most {tokens:,} tokens"
    return f"{operation:32} {some[0].model:24} {about}"


def _hunt_lines(target: "Target", the_plan: "Plan", hunt: "Hunt") -> "Iterator[str]":
    """What of earlier failures comes first, and how much of all that was drawn the limits leave room for."""
    from conformance.fuzz.prepare import room_in  # noqa: PLC0415

    first = len({one.identity for one in hunt.stored} - hunt.unasked.keys())
    if hunt.stored:
        yield f"{first:,} of {len(hunt.stored):,} stored failures come first"
    for why, many in Counter(hunt.unasked.values()).items():
        yield f"{many:,} stored left open: {why}"
    fits, drawn = room_in(target, the_plan), len(the_plan.generated)
    if fits < drawn:
        yield f"the limits leave room for {fits:,} of {drawn:,} generated probes, if each costs the most that it can"


def _by_operation(the_plan: "Plan") -> "dict[str, list[Planned]]":
    grouped: dict[str, list[Planned]] = {}
    for planned in the_plan.generated:
        grouped.setdefault(planned.probe.id.rpartition(".")[0], []).append(planned)
    return grouped


def _money(target: "Target", bound: "Bound") -> str:
    return f", {bound.cost:f} {target.currency}" if target.currency else ""


@click.command()
@click.argument("file", metavar="FILE|DIR", type=click.Path(exists=True, path_type=Path))
@click.option("--out", type=FILE, metavar="RUN.jsonl", help="Write the run with its new verdicts.")
@click.option("--strict", is_flag=True, help="SHOULD counts as MUST, and a stale baseline as wrong use.")
@_extends
@_excuses
@writing
def judge(**given: Any) -> None:  # noqa: ANN401
    """Judge again, offline, what was captured: a run, a recording, or a folder of recordings.

    Exit codes: 0 no MUST is broken, 1 one is, 4 some could not be decided, 2 the file cannot be read, 5 our own fault.
    """
    from conformance.extend import load  # noqa: PLC0415
    from conformance.offline import changed, judge_recordings, rejudge  # noqa: PLC0415
    from conformance.outputs import prepare, show  # noqa: PLC0415
    from conformance.run import RunError, lines_of  # noqa: PLC0415
    from conformance.stored import text_at  # noqa: PLC0415
    from conformance.target import ConfigurationError  # noqa: PLC0415
    from openapi.wire.jsonl import RecordingError  # noqa: PLC0415

    path: Path = given["file"]
    try:
        outputs = Outputs.of(given)
        outputs.check()
        if given["out"]:
            prepare(given["out"])
        how: Any = {"strict": given["strict"], "known": known_of(given), "book": load(given["extensions"])}
        run = judge_recordings(_recordings(path), **how) if path.is_dir() else rejudge(text_at(path), path.stem, **how)
    except ConfigurationError as error:
        stop(str(error))
    except (RunError, RecordingError, OSError, UnicodeDecodeError) as error:
        stop(f"{path}: {error}")
    book = how["book"]
    for name in changed(run.header, book):
        click.echo(f"{name} is not what it was when the run was made", err=True)
    written = outputs.write(run, book.rules, of=given["out"] or path, strict=given["strict"])
    if given["out"]:
        given["out"].write_text("".join(f"{line}\n" for line in lines_of(run)), encoding="utf-8")
        written.append(given["out"])
    show(run, book.rules, written, piped=outputs.piped)
    sys.exit(run.footer.exit if run.footer else 5)


def _recordings(folder: Path) -> dict[str, str]:
    """The recordings of a folder, by the names that they have in it. Raises OSError, UnicodeDecodeError."""
    files = sorted(folder.rglob("*.jsonl"))
    if not files:
        stop(f"{folder}: no recording is in it")
    return {file.relative_to(folder).with_suffix("").as_posix(): file.read_text(encoding="utf-8") for file in files}
