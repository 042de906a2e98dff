"""What the HTML page shows, and how much of it: the caps that keep 300 rules at 5 relays under 1 MB.

Columns are relays, fewest MUST failures first; everything about a relay is told in that order. Every exchange is
rendered once, at the end of the page, and shown again inside the rules that rest on it. Those behind failures come
first; where the allowance is spent, an exchange is a line that says where the whole of it is.
"""

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import groupby

from markupsafe import Markup

from conformance.report import exhibits
from conformance.report.charts.bar import bar
from conformance.report.citations import excerpts
from conformance.report.columns import Column, column
from conformance.report.comparison import Change, Comparison, Row
from conformance.report.distributions import Distributions, distributions
from conformance.report.drawers import Drawer, at, group_of
from conformance.report.evidence import Evidence
from conformance.report.matrix import earnest, one_relay, unmatched
from conformance.report.platform import Entry, platform
from conformance.report.proof import Proof
from conformance.report.speed import Speed, speeds
from conformance.report.summary import Tally
from conformance.report.texts import ENGLISH
from conformance.rule import Level
from openapi import document

ROOM = 810_000  # characters of HTML for rules and exchanges; the rest of a page takes what is left of a million
COLUMN = 17_000  # characters that each relay takes of that for its tables
ALLOWANCE, LEAST = 260_000, 45_000  # for exchanges that are shown whole, at most and at least
FULL, MORE = 5, 35_000  # a page of so many relays stays under a million; for each one more it may have so many more
MANY_RULES = 600
MANY_TIMINGS = (40, 8)  # streams told one by one: of one relay, of each of several
MANY_CHANGES = 60

CHAPTERS = [key.removeprefix("chapter.") for key in ENGLISH if key.startswith("chapter.")]
GROUPS = ("broken", *Level, "known", "open", "pass", "unclaimed")


@dataclass(frozen=True, slots=True)
class Chapter:
    """One chapter: for each column its bar, its tally of MUSTs, how many failures count and how many do not (MAY, and
    what is excused); and how many rules differ."""

    name: str
    rules: int
    cells: tuple[tuple[Markup, Tally, int, int], ...]
    differing: int


@dataclass(frozen=True)
class Page:
    """All that the template asks for."""

    comparison: Comparison
    columns: tuple[Column, ...]
    chapters: tuple[Chapter, ...]
    groups: tuple[tuple[str, tuple[Drawer, ...]], ...]
    rules: int
    rules_left: int
    outcomes: Mapping[str, int]
    unasked: tuple[str, ...]
    exchanges: tuple[tuple[Column, Evidence], ...]
    lines: frozenset[str]
    whole: frozenset[str]
    exchanges_all: int
    times: Distributions
    faster: tuple[tuple[Speed, Column, Column], ...]
    differing: frozenset[str]
    changes: tuple[tuple[Change, Row], ...]
    changes_left: int
    changed: tuple[Column, Column] | None
    entries: tuple[Entry, ...]
    excerpts: tuple[tuple[str, str, Markup], ...]
    proof: Proof
    anchors: Mapping[str, str]

    @property
    def several(self) -> bool:
        return len(self.columns) > 1

    @property
    def exchanges_left(self) -> int:
        return self.exchanges_all - len(self.exchanges)

    @property
    def many_timings(self) -> int:
        return MANY_TIMINGS[self.several]

    @property
    def one_relay(self) -> bool:
        """Whether all are runs of one relay."""
        return one_relay([one.relay.run for one in self.columns])

    @property
    def layout(self) -> str:
        """How outcomes stand in the list: side by side for up to 5 relays, else in a line below the rule."""
        count = len(self.columns)
        return "0" if count < 2 else str(count) if count <= 5 else "many"

    @property
    def tone(self) -> str:
        return self.columns[0].tone if not self.several else ""

    @property
    def platforms(self) -> Iterator[tuple[str, list[tuple[int, Entry]]]]:
        """The platforms' rows, each with its number."""
        for name, rows in groupby(enumerate(self.entries), key=lambda one: one[1].platform):
            yield name, list(rows)

    def anchor(self, rule: str) -> str:
        """Where a rule stands in the page; the list of rules where it is not shown."""
        return self.anchors.get(rule, "rules")


def page(comparison: Comparison, proof: Proof, files: Sequence[str] = ()) -> Page:
    """The page of a comparison. `files` are the names of the runs on disk, in the order of the comparison."""
    columns = tuple(column(number, one, comparison, files) for number, one in enumerate(comparison.ranked))
    every = [(one, exhibit) for one in columns for exhibit in exhibits.of(one)]
    answering = [number for number, relay in enumerate(comparison.relays) if relay.summary.all.decided]
    differing = frozenset(row.rule for row in (*earnest(comparison), *unmatched(comparison)))
    grouped = {row.rule: group_of(row, answering) for row in comparison.rows}
    ordered = sorted(comparison.rows, key=lambda row: (GROUPS.index(grouped[row.rule]), row.urgency))
    drawers = list(_drawers(ordered[:MANY_RULES], grouped, comparison, _by_relay(every), proof))
    listed = exhibits.listed(every, drawers)
    left = ROOM - COLUMN * len(columns) - sum(one.weight for one in drawers) - exhibits.LINE * len(listed)
    least = LEAST + MORE * max(len(columns) - FULL, 0)
    pair = _pair(comparison, columns)
    changes = comparison.changes() if pair else ()
    return Page(
        comparison=comparison,
        columns=columns,
        chapters=tuple(_chapters(comparison, differing)),
        groups=tuple((name, tuple(group)) for name, group in groupby(drawers, lambda one: one.group)),
        rules=len(ordered),
        rules_left=max(len(ordered) - MANY_RULES, 0),
        outcomes=Counter(word for row in ordered for word in set(row.words)),
        unasked=_unasked(comparison),
        exchanges=tuple(sorted(listed, key=lambda one: (one[0].number, one[1].number))),
        lines=frozenset(exhibit.anchor for _, exhibit in listed),
        whole=exhibits.affordable(listed, min(max(left, least), ALLOWANCE)),
        exchanges_all=len(every),
        times=distributions([one.relay.run.exchanges for one in columns]),
        faster=tuple(_faster(comparison, columns)),
        differing=differing,
        changes=changes[:MANY_CHANGES],
        changes_left=max(len(changes) - MANY_CHANGES, 0),
        changed=pair,
        entries=platform(),
        excerpts=tuple(excerpts([row.cites for row in ordered], document.load())),
        proof=proof,
        anchors={one.row.rule: one.anchor for one in drawers},
    )


def _pair(comparison: Comparison, columns: Sequence[Column]) -> tuple[Column, Column] | None:
    """The two runs whose difference is told, as they were given: the first and the last where there are two, or where
    all are of one relay."""
    relays = comparison.relays
    if len(relays) < 2 or (len(relays) > 2 and not one_relay([relay.run for relay in relays])):
        return None
    by_relay = {id(one.relay): one for one in columns}
    return by_relay[id(relays[0])], by_relay[id(relays[-1])]


def _faster(comparison: Comparison, columns: Sequence[Column]) -> Iterator[tuple[Speed, Column, Column]]:
    """The differences of speed that a test tells, each with the faster and the slower relay."""
    by_relay = {id(one.relay): one for one in columns}
    for one in speeds(comparison):
        if one.differs:
            yield one, by_relay[id(comparison.relays[one.fast])], by_relay[id(comparison.relays[one.slow])]


def _unasked(comparison: Comparison) -> tuple[str, ...]:
    """The rules of the book that no run asked."""
    unasked = [relay.summary.unasked for relay in comparison.relays]
    common = set.intersection(*map(set, unasked)) if unasked else set()
    return tuple(rule for rule in unasked[0] if rule in common) if unasked else ()


# --- rules ------------------------------------------------------------------------------------------------------------


def _chapters(comparison: Comparison, differing: AbstractSet[str]) -> Iterator[Chapter]:
    for name, rows in sorted(comparison.chapters.items(), key=lambda one: _place(one[0])):
        cells = []
        for number in comparison.ranked:
            failed = [one for row in rows if row.cells[number].failed and (one := row.cells[number].result)]
            grave = sum(one.level is not Level.MAY and not one.excused for one in failed)
            drawn = bar((row.cells[number], row.level) for row in rows)
            cells.append((drawn, comparison.tally(name, number, Level.MUST), grave, len(failed) - grave))
        yield Chapter(name, len(rows), tuple(cells), sum(row.rule in differing for row in rows))


def _by_relay(every: Sequence[tuple[Column, Evidence]]) -> dict[int, dict[str, Evidence]]:
    """The exchanges, by column and id."""
    shown: dict[int, dict[str, Evidence]] = {}
    for one, exhibit in every:
        shown.setdefault(one.number, {})[exhibit.exchange.id] = exhibit
    return shown


def _place(chapter: str) -> int:
    """Chapters stand in the order of their names in the table of texts, from the wire up; others behind them."""
    return CHAPTERS.index(chapter) if chapter in CHAPTERS else len(CHAPTERS)


def _drawers(
    rows: Sequence[Row],
    grouped: Mapping[str, str],
    comparison: Comparison,
    shown: Mapping[int, Mapping[str, Evidence]],
    proof: Proof,
) -> Iterator[Drawer]:
    several = len(comparison.relays) > 1
    for number, row in enumerate(rows):
        cells = tuple(
            at(place, row.cells[which], shown.get(place, {}), several=several)
            for place, which in enumerate(comparison.ranked)
        )
        yield Drawer(row, slug(row.rule, number), grouped[row.rule], cells, proof.of(row.rule))


def slug(id: str, number: int) -> str:  # noqa: A002
    """An anchor for a rule: its id where that can be one."""
    return id if re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,79}", id) and "." in id else f"rule-{number}"
