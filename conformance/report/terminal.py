"""A run in one screen: the verdict line, what failed and where to look, what was not verified and why."""

from collections import Counter
from collections.abc import Iterator, Mapping
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from conformance.report.escape import visible
from conformance.report.summary import UNVERIFIED, Laws, Result, Summary, summarise
from conformance.report.texts import ENGLISH
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Run

MANY_FAILURES = 8  # of MUST that are told in full; the screen has an end
MANY_LESSER = 6
MANY_REASONS = 3
TEXT = 240
NAME = 60

MARKS: Mapping[Outcome, tuple[str, str]] = {
    Outcome.BROKEN: ("!", "bold magenta"),
    Outcome.FAIL: ("✗", "bold red"),
    Outcome.PASS: ("✓", "green"),
    Outcome.UNTESTABLE: ("□", "yellow"),
    Outcome.INCONCLUSIVE: ("~", "yellow"),
    Outcome.NOT_SEEN: ("○", "dim"),
    Outcome.SKIPPED: ("-", "dim"),
}

Line = tuple[int, Text]  # indent, text


def render(run: Run, laws: Laws, *, width: int = 100, color: bool = False) -> str:
    """The summary as text. `color` adds ANSI; whether to (a terminal, no NO_COLOR) is the caller's to know."""
    out = StringIO()
    console = Console(
        file=out,
        width=max(width, 40),
        force_terminal=color,
        no_color=not color,
        color_system="standard" if color else None,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )
    for indent, text in _lines(summarise(run, laws)):
        console.print(Padding(text, (0, 0, 0, indent), expand=False))
    return "".join(line.rstrip() + "\n" for line in out.getvalue().split("\n")[:-1])


def wants_color(*, is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Colour on a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _lines(summary: Summary) -> Iterator[Line]:
    yield from _head(summary)
    yield from _told(summary.of(Outcome.BROKEN), ENGLISH["group.broken"], MANY_LESSER)
    yield from _told(summary.failures(Level.MUST), ENGLISH["group.MUST"], MANY_FAILURES)
    yield from _short(summary.failures(Level.SHOULD))
    yield from _known(summary.known)
    yield from _notes(summary)
    yield from _unverified(summary)
    yield from _may(summary)


def _head(summary: Summary) -> Iterator[Line]:
    tone = "bold green" if summary.holds else "bold red" if summary.exit == 1 else "bold yellow"
    yield 0, Text.assemble((visible(summary.relay, NAME), "bold"), "  ", (summary.line, tone))
    code = "no exit code" if summary.exit is None else f"exit {summary.exit}"
    yield 0, Text(f"{code}: {summary.meaning}")
    if summary.run.footer and summary.run.footer.note:
        yield 2, Text(visible(summary.run.footer.note, TEXT))


def _told(results: list[Result], title: str, many: int) -> Iterator[Line]:
    if results:
        yield 0, Text(f"\n{title} ({len(results)})", "bold")
    for result in results[:many]:
        mark, style = MARKS[result.outcome]
        yield (
            2,
            Text.assemble((f"{mark} ", style), (visible(result.rule, NAME), "bold"), f"  {visible(result.law, TEXT)}"),
        )
        yield 4, Text(visible(result.said, TEXT)).append(_others(result), "dim")
        yield 4, Text(_where(result), "dim")
    yield from _more(results, many)


def _short(results: list[Result]) -> Iterator[Line]:
    if results:
        yield 0, Text(f"\nSHOULD failed ({len(results)})", "bold")
    for result in results[:MANY_LESSER]:
        mark, style = MARKS[result.outcome]
        said = Text.assemble(
            (f"{mark} ", style), (visible(result.rule, NAME), "bold"), f"  {visible(result.said, 120)}"
        )
        yield 2, said.append(f"{_others(result)}  {_where(result)}", "dim")
    yield from _more(results, MANY_LESSER)


def _known(results: list[Result]) -> Iterator[Line]:
    """Failures that are excused: told, and never as anything else."""
    if results:
        yield 0, Text(f"\n{ENGLISH['group.known']} ({len(results)})", "bold")
    for result in results[:MANY_LESSER]:
        said = Text.assemble(("✗ ", "dim"), (visible(result.rule, NAME), "bold"), f"  {visible(result.said, 120)}")
        yield 2, said.append(f"{_others(result)}  {_where(result)}", "dim")
        for excuse in result.excuses[:MANY_REASONS]:
            yield 4, Text(visible(excuse, TEXT), "dim")
    yield from _more(results, MANY_LESSER)


def _notes(summary: Summary) -> Iterator[Line]:
    if summary.notes:
        yield 0, Text(f"\n{ENGLISH['notes']} ({len(summary.notes)})", "bold")
    for note in summary.notes[:MANY_LESSER]:
        style = "yellow" if note.stale else "dim"
        yield 2, Text.assemble((f"{ENGLISH[f'note.{note.kind}']}: ", style), (visible(note.waiver, TEXT), "bold"))
        yield 4, Text(visible(note.text, TEXT), "dim")
    yield from _more([note.waiver for note in summary.notes], MANY_LESSER, "waivers")


def _unverified(summary: Summary) -> Iterator[Line]:
    if any(summary.all[outcome] for outcome in UNVERIFIED):
        yield 0, Text("\nNot verified", "bold")
    for outcome in UNVERIFIED:
        results = summary.of(outcome)
        if not results:
            continue
        mark, style = MARKS[outcome]
        yield 2, Text.assemble((f"{mark} ", style), f"{len(results)} {outcome.value}: ", (_names(results), "bold"))
        reasons = Counter(next(iter(result.reasons), "no reason given") for result in results)
        for reason, count in reasons.most_common(MANY_REASONS):
            yield 6, Text(f"{count} × {visible(reason, 120)}", "dim")
        yield from _more(list(reasons), MANY_REASONS, "reasons", 6)


def _may(summary: Summary) -> Iterator[Line]:
    failed = summary.failures(Level.MAY)
    if failed:
        yield 0, Text.assemble(("\nMAY", "bold"), f" not so in {len(failed)}: {_names(failed)}")


def _names(results: list[Result]) -> str:
    names = ", ".join(visible(result.rule, NAME) for result in results[:MANY_LESSER])
    return names + (f" and {len(results) - MANY_LESSER} more" if len(results) > MANY_LESSER else "")


def _others(result: Result) -> str:
    more = len(result.findings) - 1
    return (f"  (+{more} more)" if more > 0 else "") + (f"  {result.flaky}" if result.flaky else "")


def _where(result: Result) -> str:
    """The probe, exchange and event of the first finding, else of the first verdict that decided."""
    verdict: Verdict = result.deciding[0]
    found: Finding | None = next(iter(verdict.findings), None)
    probe = f"probe {visible(verdict.probe, NAME)}" if verdict.probe is not None else "no probe of ours"
    own = (found.exchange,) if found and found.exchange is not None else verdict.exchanges[:3]
    ids = ", ".join(visible(name, NAME) for name in own)
    return " · ".join(filter(None, (probe, ids, f"at {found.at}" if found and found.at is not None else "")))


def _more(shown: list[Result] | list[str], many: int, what: str = "rules", indent: int = 2) -> Iterator[Line]:
    if len(shown) > many:
        yield indent, Text(f"… and {len(shown) - many} more {what}", "dim")
