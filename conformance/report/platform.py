"""The rows of the platforms' own documentation, and what a run says of each: nothing is green that was not asked.

`conformance/data/platform.tsv` names for each row the probes that judge it (`*` ends a name that stands for several),
none where relayproof does not judge it yet.
"""

import csv
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib.resources import files

from conformance.probes import PROBES
from conformance.rule import Outcome
from conformance.run import Run


class Standing(StrEnum):
    """What a run says of one row."""

    JUDGED = "judged"  # asked, and at least one rule was decided; whether it holds is for the rules to say
    OPEN = "asked"  # asked, and nothing was decided
    NOT_ASKED = "not-asked"  # relayproof can judge it, and this run was confined to something else
    NOT_CLAIMED = "not-claimed"  # no model is named for it, or the target (see `check --discover`) has it not
    NOT_YET = "not-yet"  # relayproof does not judge it yet


@dataclass(frozen=True, slots=True)
class Entry:
    """One row: the platform, the group and the name that it has there, the operation, and the probes that judge it."""

    platform: str
    group: str
    name: str
    operation: str
    probes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Covered:
    """One row in one run. `passed` and `failed` count rules decided by its probes."""

    standing: Standing
    passed: int = 0
    failed: int = 0


@cache
def platform() -> tuple[Entry, ...]:
    """The rows, in the order of the platforms' documentation."""
    text = files("conformance").joinpath("data", "platform.tsv").read_text(encoding="utf-8")
    return tuple(
        Entry(row["platform"], row["group"], row["name"], row["operation"], probes_of(row["probes"]))
        for row in csv.DictReader(text.splitlines(), delimiter="\t", quoting=csv.QUOTE_NONE)
    )


def probes_of(words: str) -> tuple[str, ...]:
    """The probes that names stand for. Raises ValueError for one that stands for none."""
    found: list[str] = []
    for word in words.split():
        named = [name for name in PROBES if name == word or (word.endswith("*") and name.startswith(word[:-1]))]
        if not named:
            msg = f"{word!r} is no probe"
            raise ValueError(msg)
        found += named
    return tuple(found)


def covered(run: Run, entries: Sequence[Entry]) -> list[Covered]:
    """What the run says of each row."""
    rules: dict[str, dict[str, set[Outcome]]] = {}
    for verdict in run.verdicts:
        if verdict.probe is not None:
            rules.setdefault(verdict.probe, {}).setdefault(verdict.rule, set()).add(verdict.outcome)
    asked = {exchange.probe for exchange in run.exchanges} | set(rules)
    return [_covered(run, entry, rules, asked) for entry in entries]


def _covered(
    run: Run, entry: Entry, rules: Mapping[str, Mapping[str, set[Outcome]]], asked: set[str | None]
) -> Covered:
    absent = run.header.relay.get("absent")
    if not entry.probes:
        gone = isinstance(absent, list) and entry.operation in absent
        return Covered(Standing.NOT_CLAIMED if gone else Standing.NOT_YET)
    seen: dict[str, set[Outcome]] = {}
    for probe in entry.probes:
        for rule, outcomes in rules.get(probe, {}).items():
            seen.setdefault(rule, set()).update(outcomes)
    failed = sum(Outcome.FAIL in outcomes for outcomes in seen.values())
    passed = sum(Outcome.PASS in outcomes and Outcome.FAIL not in outcomes for outcomes in seen.values())
    if failed or passed:
        return Covered(Standing.JUDGED, passed, failed)
    if asked & set(entry.probes):
        return Covered(Standing.OPEN)
    return Covered(Standing.NOT_CLAIMED if _unclaimed(run, entry) else Standing.NOT_ASKED)


def _unclaimed(run: Run, entry: Entry) -> bool:
    """Whether no model is named for any probe of the row, or the run was not confined and still asked none of them; of
    recordings nobody says what was claimed."""
    models = run.header.relay.get("models")
    if not isinstance(models, dict) or not run.header.plan:
        return False
    named = set(models)
    roles = {role.value for name in entry.probes if (role := PROBES[name].role) is not None}
    return (bool(roles) and not roles & named) or not run.header.plan.get("only")
