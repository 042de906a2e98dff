"""What the HTML page shows, and how much of it: the caps that keep a page of 300 rules under 1 MB.

Every exchange is rendered once, at the end of the page, and shown again inside the rules that rest on it. Those behind
failures come first; where the allowance is spent, an exchange is a line that says where the whole of it is.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby

from conformance.report.evidence import Evidence, evidence
from conformance.report.summary import UNVERIFIED, Result, Summary, Tally, excuses_of, tally
from conformance.report.timing import Timing, timings
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Note

ALLOWANCE = 330_000  # characters of HTML for the exchanges
MANY_EXCHANGES = 300  # lines about exchanges
MANY_RULES = 600
MANY_TIMINGS = 40
MANY_FINDINGS = 5  # of one rule
MANY_REASONS = 4
MANY_NOTES = 40  # on the baseline
SLOTS = 3  # exchanges inside one rule that did not pass
SLOTS_PASSED = 2

BAR = (Outcome.FAIL, Outcome.BROKEN, *UNVERIFIED, Outcome.PASS)


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a stacked bar, in percent. Failures are told apart by `level`."""

    outcome: Outcome
    level: Level | None
    start: float
    width: float


@dataclass(frozen=True, slots=True)
class Chapter:
    name: str
    must: Tally
    all: Tally
    bar: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Shown:
    """One rule as the page has it: its anchor's number and what of it is shown."""

    result: Result
    number: int
    slots: tuple[Evidence, ...]
    asked: Mapping[str, int]

    @property
    def findings(self) -> tuple[tuple[str, str | None, tuple[str, ...], int | None, str, tuple[str, ...]], ...]:
        told = self.result.findings[:MANY_FINDINGS]
        return tuple(
            (found.text, verdict.probe, _ids(verdict, found), found.at, found.place, excuses_of(verdict))
            for verdict, found in told
        )

    @property
    def findings_left(self) -> int:
        return max(len(self.result.findings) - MANY_FINDINGS, 0)

    @property
    def reasons(self) -> tuple[str, ...]:
        return self.result.reasons[:MANY_REASONS]

    @property
    def exchanges_left(self) -> int:
        return max(len(self.result.exchanges) - len(self.slots), 0)


def _ids(verdict: Verdict, found: Finding) -> tuple[str, ...]:
    return verdict.exchanges if found.exchange is None else (found.exchange,)


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template asks for."""

    summary: Summary
    tone: str
    models: tuple[str, ...]
    levels: tuple[tuple[Level, Tally], ...]
    known: tuple[tuple[str, int], ...]
    notes: tuple[Note, ...]
    chapters: tuple[Chapter, ...]
    groups: tuple[tuple[str, tuple[Shown, ...]], ...]
    rules_left: int
    exchanges: tuple[Evidence, ...]
    whole: frozenset[int]
    exchanges_left: int
    timings: tuple[Timing, ...]
    timings_left: int


def page(summary: Summary) -> Page:
    exchanges = _exchanges(summary)
    whole = _affordable(exchanges, summary)
    listed = [one for one in exchanges if one.number in whole or one.number < MANY_EXCHANGES]
    by_id = {one.exchange.id: one for one in listed}
    rules = sorted(summary.results, key=lambda one: one.urgency)
    shown = [_shown(result, number, by_id) for number, result in enumerate(rules[:MANY_RULES])]
    times = tuple(timings(summary.run.exchanges))
    return Page(
        summary=summary,
        tone="pass" if summary.holds else "fail" if summary.exit == 1 else "open",
        models=_models(summary),
        levels=tuple((level, summary.level(level)) for level in Level),
        known=tuple(_known(summary)),
        notes=summary.notes[:MANY_NOTES],
        chapters=tuple(_chapter(name, results) for name, results in summary.chapters.items()),
        groups=tuple((name, tuple(group)) for name, group in groupby(shown, _group)),
        rules_left=max(len(rules) - MANY_RULES, 0),
        exchanges=tuple(listed),
        whole=frozenset(whole),
        exchanges_left=len(exchanges) - len(listed),
        timings=times[:MANY_TIMINGS],
        timings_left=max(len(times) - MANY_TIMINGS, 0),
    )


def _known(summary: Summary) -> Iterator[tuple[str, int]]:
    """What of the failures is known, or comes and goes: by name, where there is any."""
    excused = Counter(one.excuse for one in summary.known)
    counted = {"waived": excused["waived"], "dialect": excused["dialect"], "flaky": summary.flaky}
    return ((name, count) for name, count in counted.items() if count)


def _models(summary: Summary) -> tuple[str, ...]:
    models = summary.run.header.relay.get("models")
    named = models.values() if isinstance(models, dict) else ()
    return tuple(dict.fromkeys(str(name) for name in named))[:4]


def _exchanges(summary: Summary) -> list[Evidence]:
    resting: dict[str, list[Verdict]] = {}
    for verdict in summary.run.verdicts:
        for name in verdict.exchanges:
            resting.setdefault(name, []).append(verdict)
    base_url = summary.run.header.relay.get("base_url")
    return [
        evidence(exchange, number, resting.get(exchange.id, ()), base_url)
        for number, exchange in enumerate(summary.run.exchanges)
    ]


def _affordable(exchanges: list[Evidence], summary: Summary) -> set[int]:
    """The numbers of those that are shown whole: what failures rest on first, then what is open, then the rest."""
    concern: dict[str, int] = {}
    for verdict in summary.run.verdicts:
        urgency = BAR.index(verdict.outcome)
        for name in verdict.exchanges:
            concern[name] = min(concern.get(name, urgency), urgency)
    spent, whole = 0, set()
    for one in sorted(exchanges, key=lambda one: (concern.get(one.exchange.id, len(BAR)), one.number)):
        if spent + one.weight <= ALLOWANCE:
            spent += one.weight
            whole.add(one.number)
    return whole


def _shown(result: Result, number: int, by_id: Mapping[str, Evidence]) -> Shown:
    many = SLOTS_PASSED if result.outcome is Outcome.PASS else SLOTS
    slots = tuple(by_id[name] for name in result.exchanges if name in by_id)[:many]
    asked: dict[str, int] = {}
    for verdict in result.verdicts:
        asked[verdict.outcome.value] = asked.get(verdict.outcome.value, 0) + 1
    return Shown(result, number, slots, asked)


def _group(shown: Shown) -> str:
    """The key of a group's name, less its `group.`."""
    match shown.result.outcome:
        case Outcome.FAIL:
            return "known" if shown.result.excused else shown.result.level.value
        case Outcome.BROKEN | Outcome.PASS as outcome:
            return outcome.value
    return "open"


def _chapter(name: str, results: list[Result]) -> Chapter:
    return Chapter(name, tally(one for one in results if one.level is Level.MUST), tally(results), tuple(_bar(results)))


def _bar(results: list[Result]) -> Iterator[Part]:
    """What was verified first, what is open next, failures last, the gravest at the end."""
    counted = Counter((one.outcome, one.level if one.outcome is Outcome.FAIL else None) for one in results)
    levels: tuple[Level | None, ...] = (None, *reversed(Level))
    start = 0.0
    for outcome, level in ((outcome, level) for outcome in reversed(BAR) for level in levels):
        width = 100 * counted[outcome, level] / len(results)
        if width:
            yield Part(outcome, level, round(start, 2), round(width, 2))
            start += width
