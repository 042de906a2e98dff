"""The rule book with its proof: each law with its level and source, what kills it, and which probes reach it."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap

from conformance.probe import Planned, Role
from conformance.probes import PROBES
from conformance.rule import Level, Rule
from conformance.rules import BOOK
from conformance.rules.not_tested import NOT_TESTED, NotTested
from mock_server.faults import FAULTS
from openapi.json_text import Json

WIDTH = 118  # of a line of text
TITLES = {
    "transport": "Transport: HTTP beneath the answers",
    "http": "HTTP: methods, headers, CORS, bodies",
    "sse": "Server-sent events",
    "chat": "Chat",
    "tools": "Tool calls",
    "reasoning": "Reasoning",
    "same": "The same answer, whole and streamed",
    "usage": "Usage",
    "errors": "Errors",
    "models": "Models",
    "claims": "Claims",
    "completions": "Text completions",
    "embeddings": "Embeddings",
    "messages": "Claude's messages",
    "video": "Video by chat",
}


@dataclass(frozen=True)
class Entry:
    """One rule of the book. `killers` are ids of faults, `probes` of probes, each in their own order."""

    rule: Rule
    killers: tuple[str, ...]
    probes: tuple[str, ...]

    def record(self) -> dict[str, Json]:
        rule = self.rule
        return {
            "id": rule.id,
            "level": rule.level.value,
            "law": rule.law,
            "cites": rule.cites,
            "on": rule.on.name,
            "over": list(rule.over),
            "killed_by": list(self.killers),
            "probes": list(self.probes),
        }


def entries(rules: Mapping[str, Rule] = BOOK) -> list[Entry]:
    """The book, chapters together, each in the order in which its rules were declared."""
    reached = _reached(rules)
    order = {name: at for at, name in enumerate(TITLES)}
    made = [Entry(rule, _killers(name), tuple(reached.get(name, ()))) for name, rule in rules.items()]
    return sorted(made, key=lambda entry: (order.get(entry.rule.chapter, len(order)), entry.rule.chapter))


def _killers(name: str) -> tuple[str, ...]:
    return tuple(fault.id for fault in FAULTS.values() if name in fault.breaks)


def _reached(rules: Mapping[str, Rule]) -> dict[str, list[str]]:
    """The probes that reach each rule, bound to models that nobody has; those on claims as if nothing were claimed."""
    reached: dict[str, list[str]] = {}
    for probe in PROBES.values():
        model = "sora-2" if probe.role is Role.VIDEO else "m"
        names: set[str] = set()
        for claims in ({}, dict.fromkeys(probe.needs, True), dict.fromkeys(probe.needs, False)):
            names |= {rule.id for rule in Planned(0, probe, model, claims).reaches(rules)}
        for name in names:
            reached.setdefault(name, []).append(probe.id)
    return reached


@dataclass(frozen=True, slots=True)
class Coverage:
    """How much of what is known to matter is judged."""

    tested: int
    not_tested: int
    killed: int

    @property
    def rate(self) -> float:
        return self.tested / (self.tested + self.not_tested)

    @property
    def text(self) -> str:
        """`261 laws are judged, 261 of them killed by a fault, 33 are not tested: 88.8 %`."""
        told = f"{self.tested} laws are judged, {self.killed} of them killed by a fault"
        told += f", {self.not_tested} are not tested"
        return f"{told}: {self.rate:.1%} covered".replace("%", " %")


def coverage(book: Sequence[Entry], left_out: Sequence[NotTested] = NOT_TESTED) -> Coverage:
    return Coverage(len(book), len(left_out), sum(bool(entry.killers) for entry in book))


def chosen(word: str | None) -> tuple[list[Entry], list[NotTested]]:
    """The entries and rows of a rule, of a chapter, or of all."""

    def named(name: str) -> bool:
        return word is None or name == word or name.startswith(f"{word}.")

    return [one for one in entries() if named(one.rule.id)], [row for row in NOT_TESTED if named(row.id)]


def proof(rules: Mapping[str, Rule] = BOOK) -> dict[str, Json]:
    """What proves the suite, as the reports show it: `conformance/data/proof.json`. The suite itself knows no fault."""
    book = entries(rules)
    counted = coverage(book)
    named = {name: FAULTS[name].text for name in sorted({name for entry in book for name in entry.killers})}
    return {
        "judged": counted.tested,
        "killed": counted.killed,
        "not_judged": counted.not_tested,
        "rules": {entry.rule.id: list(entry.killers) for entry in book},
        "faults": dict(named),
    }


# --- as text --------------------------------------------------------------------------------------------------------


def lines(book: Sequence[Entry], left_out: Sequence[NotTested]) -> Iterator[str]:
    """For a terminal: a rule in five lines, chapter by chapter; last the coverage."""
    for _, group in groupby(book, key=lambda entry: entry.rule.chapter):
        for entry in group:
            rule = entry.rule
            yield f"{rule.id}  {rule.level.value}"
            yield f"    {rule.law}"
            yield f"    {rule.cites}"
            yield f"    on: {rule.on.name}" + (f"; over {', '.join(rule.over)}" if rule.over else "")
            yield f"    killed by: {', '.join(entry.killers) or 'NOTHING'}"
            yield f"    probes: {_some(entry.probes)}"
    for row in left_out:
        yield f"{row.id}  not tested"
        yield f"    {row.law}"
        yield f"    {row.cites}"
        yield f"    {row.why}"
    yield coverage(book, left_out).text


def _some(names: Sequence[str], most: int = 6) -> str:
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return (", ".join(names[:most]) or "none") + rest


def markdown() -> str:
    """`docs/rules.md`."""
    return "\n".join(_markdown()) + "\n"


def _markdown() -> Iterator[str]:
    book = entries()
    counted = coverage(book)
    yield "# The rules"
    yield ""
    yield from wrap(
        "Made by `make docs` from the code; do not edit. A law is the docstring of its check, its level its weight: "
        "**MUST** breaks clients and decides the exit code, **SHOULD** warns, **MAY** is told and no more. Each rule "
        "is proven able to fail: the faults under *killed by* (`relayproof serve --fault ID`) make it fail. "
        "The ids are chosen for ever.",
        WIDTH,
    )
    yield ""
    levels = ", ".join(f"{sum(entry.rule.level is level for entry in book)} {level}" for level in Level)
    yield f"**{counted.text}** ({levels})."
    yield ""
    chapters = [(name, list(group)) for name, group in groupby(book, key=lambda entry: entry.rule.chapter)]
    yield "| chapter | MUST | SHOULD | MAY | not tested |"
    yield "| --- | ---: | ---: | ---: | ---: |"
    for name, group in chapters:
        counts = (str(sum(entry.rule.level is level for entry in group)) for level in Level)
        rows = sum(row.chapter == name for row in NOT_TESTED)
        yield f"| [{TITLES.get(name, name)}](#{name}) | {' | '.join(counts)} | {rows} |"
    for name, group in chapters:
        yield ""
        yield f'<a id="{name}"></a>'
        yield f"## {TITLES.get(name, name)}"
        yield ""
        yield "| rule | level | law | killed by | probes |"
        yield "| --- | --- | --- | --- | --- |"
        for entry in group:
            yield _row(entry)
    yield ""
    yield '<a id="not-tested"></a>'
    yield "## Not tested"
    yield ""
    yield "What one client cannot judge from outside, and why."
    yield ""
    yield "| row | law | why not |"
    yield "| --- | --- | --- |"
    for row in NOT_TESTED:
        yield f"| `{row.id}` | {_cell(row.law)}<br>{_cited(row.cites)} | {_cell(row.why)} |"


def _row(entry: Entry) -> str:
    rule = entry.rule
    killers = "<br>".join(f"`{name}`" for name in entry.killers) or "nothing"
    probes = "<br>".join(f"`{name}`" for name in entry.probes[:3]) + (
        f"<br>and {len(entry.probes) - 3} more" if len(entry.probes) > 3 else ""
    )
    law = f"{_cell(rule.law)}<br>{_cited(rule.cites)}"
    return f"| `{rule.id}` | {rule.level.value} | {law} | {killers} | {probes} |"


def _cited(text: str) -> str:
    """A citation, as a link where it is one."""
    if text.startswith("openapi#"):
        return f"<sub>[{text}](../openapi/openapi.yaml)</sub>"
    first, _, rest = text.partition(" ")
    if first.startswith("https://"):
        short = first.removeprefix("https://")
        return f"<sub>[{short}]({first}){' ' + _cell(rest) if rest else ''}</sub>"
    return f"<sub>{_cell(text)}</sub>"


def _cell(text: str) -> str:
    """Text in a table: no bar ends the cell, no tag opens."""
    return text.replace("|", "\\|").replace("<", "&lt;")
