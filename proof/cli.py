"""`rules` and `selftest`: they translate the command line and print."""

import json
import sys
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import click

from conformance.outputs import stop
from conformance.probe import Role

if TYPE_CHECKING:
    from proof.faulty import Trial

FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.argument("id", required=False)
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="The whole book as a page: docs/rules.md.")
@click.option("--proof", "as_proof", is_flag=True, help="What kills each rule, as JSON: conformance/data/proof.json.")
def rules(id: str | None, *, as_json: bool, as_markdown: bool, as_proof: bool) -> None:  # noqa: A002
    """Print the rule book, or one rule or chapter of it: laws, levels, sources, what kills them, what reaches them."""
    from proof import book  # noqa: PLC0415 - a command loads what it needs

    if as_markdown:
        click.echo(book.markdown(), nl=False)
        return
    if as_proof:
        click.echo(json.dumps(book.proof(), ensure_ascii=False, indent=1))
        return
    chosen, left_out = book.chosen(id)
    if not chosen and not left_out:
        _no_such("rule", id or "", [entry.rule.id for entry in book.entries()])
    if not as_json:
        for line in book.lines(chosen, left_out):
            click.echo(line)
        return
    counted = book.coverage(chosen, left_out)
    record = {
        "rules": [entry.record() for entry in chosen],
        "not_tested": [{"id": row.id, "law": row.law, "cites": row.cites, "why": row.why} for row in left_out],
        "coverage": {"tested": counted.tested, "not_tested": counted.not_tested, "rate": round(counted.rate, 4)},
    }
    click.echo(json.dumps(record, ensure_ascii=False, indent=2))


@click.command()
@click.option("--fault", "faults", multiple=True, metavar="ID", help="Only this fault or honest variant.")
@click.option("--rule", "named", multiple=True, metavar="ID", help="Only faults that break this rule or chapter.")
@click.option("--honest", is_flag=True, help="Only the mock as it is and the honest variants.")
@click.option(
    "--seeds",
    default=1,
    show_default=True,
    type=click.IntRange(1),
    metavar="N",
    help="Honest variants over N seeds: other words, pieces, pauses, order of members.",
)
@click.option(
    "--fuzz",
    "roles",
    multiple=True,
    type=click.Choice([role.value for role in Role]),
    metavar="ROLE",
    help="Honest ones alone, and by generated probes for this model: chat, tools, messages, …; may be repeated.",
)
@click.option("--jobs", default=2, show_default=True, type=click.IntRange(1, 64), metavar="N", help="Processes.")
@click.option("--keep", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", help="Keep the runs there.")
@click.option("--markdown", type=FILE, metavar="F", help="Write the kill matrix to F: reports/kill-matrix.md.")
@click.option("--peers", type=FILE, metavar="F", help="Write the comparison with other suites to F: reports/peers.md.")
def selftest(  # noqa: PLR0917 - click calls it by name
    faults: tuple[str, ...],
    named: tuple[str, ...],
    seeds: int,
    roles: tuple[str, ...],
    jobs: int,
    keep: Path | None,
    markdown: Path | None,
    peers: Path | None,
    *,
    honest: bool,
) -> None:
    """Prove the suite: every fault breaks exactly the rules that it names, honest variants none.

    Each is played by the mock over a socket and judged by the real check. Exit codes: 0 all of it holds, 1 it does
    not, 2 wrong use.
    """
    from proof import faulty, matrix  # noqa: PLC0415

    fuzz = tuple(map(Role, roles))
    _check_honest(faults, named, fuzz, honest=honest, pages=bool(markdown or peers))
    wanted = _wanted(faults, named, honest=honest or bool(fuzz))
    pairs = [(name, seed) for name in wanted for seed in (range(seeds) if matrix.is_honest(name) else (0,))]
    if keep:
        keep.mkdir(parents=True, exist_ok=True)
    trials: list[Trial] = []
    with closing(faulty.try_all(pairs, jobs=jobs, keep=keep, fuzz=fuzz)) as trying:
        for trial in trying:
            trials.append(trial)
            click.echo(f"{len(trials)}/{len(pairs)} {matrix.line(trial)}", err=trial.holds)
    whole = not (faults or named or honest or fuzz)
    click.echo("\n".join(matrix.summary(trials, whole=whole)))
    if markdown:
        markdown.write_text(matrix.markdown(trials), encoding="utf-8")
    if peers:
        from proof import peers as others  # noqa: PLC0415

        peers.write_text(others.markdown(trials), encoding="utf-8")
    sys.exit(0 if matrix.proven(trials, whole=whole) else 1)


def _check_honest(
    faults: tuple[str, ...], named: tuple[str, ...], fuzz: "tuple[Role, ...]", *, honest: bool, pages: bool
) -> None:
    """Stops where honest ones alone are wanted, and something else too; or generated probes that there are none of."""
    from conformance.fuzz.plain import DRAWN_ROLES, reached_by  # noqa: PLC0415
    from mock_server.faults import FAULTS  # noqa: PLC0415

    wanted = "--fuzz" if fuzz else "--honest" if honest else None
    wrong = next((name for name in faults if name in FAULTS and not FAULTS[name].honest), None)
    if wanted and (named or wrong):
        stop(f"{wanted} plays honest variants alone: {f'--fault {wrong} is none' if wrong else '--rule names faults'}")
    if fuzz and pages:
        stop("--fuzz plays honest variants alone: --markdown and --peers tell what kills a rule")
    idle = [role for role in fuzz if role not in reached_by(fuzz)]
    if idle:
        stop(f"nothing is drawn for {', '.join(idle)} (roles with generated probes: {DRAWN_ROLES})")


def _wanted(faults: tuple[str, ...], named: tuple[str, ...], *, honest: bool) -> list[str]:
    """The faults to try, GOOD first where nothing else was asked for."""
    from conformance.rules import BOOK  # noqa: PLC0415
    from mock_server.faults import FAULTS  # noqa: PLC0415
    from proof.faulty import GOOD  # noqa: PLC0415

    for name in faults:
        if name not in FAULTS:
            _no_such("fault", name, list(FAULTS))
    for word in named:
        if not any(_in(word, rule) for rule in BOOK):
            _no_such("rule", word, list(BOOK))
    if faults or named:
        killers = [one.id for one in FAULTS.values() if any(_in(word, rule) for word in named for rule in one.breaks)]
        return list(dict.fromkeys([*faults, *killers]))
    return [GOOD, *(one.id for one in FAULTS.values() if one.honest or not honest)]


def _in(word: str, rule: str) -> bool:
    return rule == word or rule.startswith(f"{word}.")


def _no_such(kind: str, name: str, known: list[str]) -> NoReturn:
    from difflib import get_close_matches  # noqa: PLC0415

    near = get_close_matches(name, known, n=3, cutoff=0.4)
    stop(f"no {kind} {name!r}" + (f"; did you mean {', '.join(near)}?" if near else ""))
