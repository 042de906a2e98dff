"""`reports/peers.md`: the defects by which eight other suites were compared, and what this one says of each.

The marks of the others were taken by running them against one loopback relay that has a single defect at a time; those
of this suite come from the trials of its self-test.
"""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from textwrap import wrap

from conformance.rule import Level
from conformance.rules import BOOK
from proof.book import WIDTH
from proof.faulty import GOOD, Trial

TABLE = Path(__file__).parent / "data" / "peers.tsv"
MEANT = {"x": "found", "!x": "**found**, exit", ".": "–"}


@dataclass(frozen=True, slots=True)
class Defect:
    """One row: what is wrong, our fault that is wrong so, and the mark of each other suite."""

    text: str
    fault: str
    marks: tuple[str, ...]


def defects() -> tuple[tuple[str, ...], list[Defect]]:
    """The names of the other suites, and the rows."""
    with TABLE.open(encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
    return tuple(head[2:]), [Defect(row[0], row[1], tuple(row[2:])) for row in rows]


def markdown(trials: Sequence[Trial]) -> str:
    """The table, from trials of all its faults and of the good mock. Raises KeyError where one was not tried."""
    return "\n".join(_markdown({one.fault: one for one in trials if one.seed == 0})) + "\n"


def _markdown(trials: dict[str, Trial]) -> Iterator[str]:
    others, rows = defects()
    good = trials[GOOD]
    found = [row for row in rows if trials[row.fault].weighty]
    red = [row for row in rows if trials[row.fault].exit == 1]
    strict = [row for row in rows if trials[row.fault].strict == 1]
    yield "# Beside other suites"
    yield ""
    yield from wrap(
        "Made by `relayproof selftest --peers reports/peers.md`; do not edit. 34 plain defects of an OpenAI-compatible "
        "relay, one at a time. *found*: a finding that the good relay does not draw; *exit*: the exit code changed, "
        "so that a build turns red. The others were run in their own ways against one loopback relay, one run each, by "
        "one author: several of them look for fraud and not for protocol, and the exit codes of schemathesis and zing "
        "could not be compared. relayproof was run against its own mock with the fault of the same defect; what only "
        "`--strict` makes red is a SHOULD.",
        WIDTH,
    )
    yield ""
    yield from wrap(
        f"relayproof found **{len(found)} of {len(rows)}**, {len(red)} of them in the exit code, {len(strict)} with "
        f"`--strict`; on the good relay it found {len(good.weighty)} and ended with {good.exit}.",
        WIDTH,
    )
    yield ""
    yield f"| defect | relayproof | by | {' | '.join(others)} |"
    yield f"| --- | --- | --- |{' --- |' * len(others)}"
    for row in rows:
        trial = trials[row.fault]
        yield f"| {row.text} | {_mark(trial)} | {_by(trial)} | {' | '.join(MEANT[mark] for mark in row.marks)} |"
    counts = [str(sum(row.marks[at] != "." for row in rows)) for at in range(len(others))]
    exits = [str(sum(row.marks[at] == "!x" for row in rows)) for at in range(len(others))]
    yield f"| **found, of {len(rows)}** | **{len(found)}** | | {' | '.join(counts)} |"
    yield f"| **in the exit code** | **{len(red)}** | | {' | '.join(exits)} |"
    yield ""
    yield "| defect | fault of the mock | rules that it breaks |"
    yield "| --- | --- | --- |"
    for row in rows:
        rules = ", ".join(f"`{name}` ({BOOK[name].level.value})" for name in sorted(trials[row.fault].weighty))
        yield f"| {row.text} | `{row.fault}` | {rules} |"


def _mark(trial: Trial) -> str:
    if trial.exit == 1:
        return "**found**, exit"
    if trial.strict == 1:
        return "**found**, exit with `--strict`"
    return "found" if trial.weighty else "–"


def _by(trial: Trial) -> str:
    """The heaviest of the rules that found it."""
    order = list(Level)
    names = sorted(trial.weighty, key=lambda name: (order.index(BOOK[name].level), name))
    rest = f" and {len(names) - 2} more" if len(names) > 2 else ""
    return ", ".join(f"`{name}`" for name in names[:2]) + rest
