"""A run in one screen: the verdict line, what failed and where to look, what was not verified and why."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from io import StringIO

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from conformance.report.escape import visible
from conformance.report.smallest import Smallest, smallest, told
from conformance.report.summary import UNVERIFIED, Laws, Result, Summary, summarise
from conformance.report.texts import ENGLISH
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Run

TEXT = 240
NAME = 60
BODY = 400  # characters of a generated request

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


@dataclass(frozen=True, slots=True)
class Room:
    """How much is told: MUSTs in full, other rules, reasons, and whether with where to look."""

    failures: int = 8
    lesser: int = 6
    reasons: int = 3
    full: bool = True


ROOMS = (
    Room(),
    Room(6, 4, 2),
    Room(4, 3, 1),
    Room(3, 2, 1),
    Room(2, 1, 1),
    Room(4, 1, 1, full=False),
    Room(2, 1, 0, full=False),
    Room(1, 1, 0, full=False),
    Room(0, 0, 0, full=False),
)


def render(run: Run, laws: Laws, *, width: int = 100, height: int | None = None, color: bool = False) -> str:
    """The summary as text. `color` adds ANSI; whether to (a terminal, no NO_COLOR) is the caller's to know. With a
    `height` in lines as much is told as a screen of that height holds, and what is left out is counted."""
    summary = summarise(run, laws)
    return fitting((_lines(summary, room) for room in ROOMS), width, height, color=color)


def fitting(tellings: Iterable[Iterable[Line]], width: int, height: int | None, *, color: bool) -> str:
    """The first telling that fits, else the last: each is shorter than the one before."""
    text = ""
    for lines in tellings:
        text = _text(lines, width, color=color)
        if height is None or text.count("\n") <= height:
            break
    return text


def _text(lines: Iterable[Line], width: int, *, color: bool) -> str:
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
    for indent, text in lines:
        console.print(Padding(text, (0, 0, 0, indent), expand=False))
    return "".join(line.rstrip() + "\n" for line in out.getvalue().split("\n")[:-1])


def wants_color(*, is_terminal: bool, environ: Mapping[str, str]) -> bool:
    """Colour on a terminal, unless NO_COLOR says otherwise (no-color.org)."""
    return is_terminal and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _lines(summary: Summary, room: Room) -> Iterator[Line]:
    yield from _head(summary)
    yield from _told(summary.of(Outcome.BROKEN), ENGLISH["group.broken"], room.lesser, room)
    yield from _told(summary.failures(Level.MUST), ENGLISH["group.MUST"], room.failures, room)
    yield from _short(summary.failures(Level.SHOULD), room)
    yield from _known(summary.known, room)
    yield from _notes(summary, room)
    yield from _generated(summary, room)
    yield from _unverified(summary, room)
    yield from _may(summary, room)


def _head(summary: Summary) -> Iterator[Line]:
    tone = "bold green" if summary.holds else "bold red" if summary.exit == 1 else "bold yellow"
    yield 0, Text.assemble((visible(summary.relay, NAME), "bold"), "  ", (summary.line, tone))
    code = "no exit code" if summary.exit is None else f"exit {summary.exit}"
    yield 0, Text(f"{code}: {summary.meaning}")
    if summary.run.footer and summary.run.footer.note:
        yield 2, Text(visible(summary.run.footer.note, TEXT))
    if summary.spent:
        yield 0, Text(summary.spent, "dim")


def _told(results: list[Result], title: str, many: int, room: Room) -> Iterator[Line]:
    if results:
        yield _title(f"{title} ({len(results)})", room)
    for result in results[:many]:
        mark, style = MARKS[result.outcome]
        if not room.full:
            yield 2, Text.assemble((f"{mark} ", style), (visible(result.rule, NAME), "bold"), f"  {_where(result)}")
            continue
        yield (
            2,
            Text.assemble((f"{mark} ", style), (visible(result.rule, NAME), "bold"), f"  {visible(result.law, TEXT)}"),
        )
        yield 4, Text(visible(result.said, TEXT)).append(_others(result), "dim")
        yield 4, Text(_where(result), "dim")
    yield from _more(results, many)


def _title(text: str, room: Room) -> Line:
    return 0, Text(f"\n{text}" if room.full else text, "bold")


def _short(results: list[Result], room: Room) -> Iterator[Line]:
    if results:
        yield _title(f"SHOULD failed ({len(results)})", room)
    for result in results[: room.lesser]:
        mark, style = MARKS[result.outcome]
        said = Text.assemble(
            (f"{mark} ", style), (visible(result.rule, NAME), "bold"), f"  {visible(result.said, 120)}"
        )
        yield 2, said.append(f"{_others(result)}  {_where(result)}", "dim")
    yield from _more(results, room.lesser)


def _known(results: list[Result], room: Room) -> Iterator[Line]:
    """Failures that are excused: told, and never as anything else."""
    if results:
        yield _title(f"{ENGLISH['group.known']} ({len(results)})", room)
    for result in results[: room.lesser]:
        said = Text.assemble(("✗ ", "dim"), (visible(result.rule, NAME), "bold"), f"  {visible(result.said, 120)}")
        yield 2, said.append(f"{_others(result)}  {_where(result)}", "dim")
        for excuse in result.excuses[: room.reasons]:
            yield 4, Text(visible(excuse, TEXT), "dim")
    yield from _more(results, room.lesser)


def _notes(summary: Summary, room: Room) -> Iterator[Line]:
    if summary.notes:
        yield _title(f"{ENGLISH['notes']} ({len(summary.notes)})", room)
    for note in summary.notes[: room.lesser]:
        style = "yellow" if note.stale else "dim"
        yield 2, Text.assemble((f"{ENGLISH[f'note.{note.kind}']}: ", style), (visible(note.waiver, TEXT), "bold"))
        yield 4, Text(visible(note.text, TEXT), "dim")
    yield from _more([note.waiver for note in summary.notes], room.lesser, "waivers")


def _generated(summary: Summary, room: Room) -> Iterator[Line]:
    """What generated probes found, each by the smallest request that shows it."""
    generated = summary.run.footer.generated if summary.run.footer else None
    if generated is None:
        return
    yield _title(ENGLISH["generated"], room)
    lines = list(told(generated))
    mended = [line for line in lines if line.startswith("mended: ")]
    yield from ((2, Text(visible(line, TEXT))) for line in lines if line not in mended)
    found = smallest(summary.run)
    for one in found[: room.lesser]:
        said = Text.assemble(("✗ ", "bold red"), (visible(one.rule, NAME), "bold"), f"  {visible(one.found.text, 120)}")
        noted = f" · {visible(one.noted, TEXT)}" if one.noted else ""
        yield 2, said
        yield 4, Text(f"{visible(one.found.probe, NAME)} · {visible(one.ids, TEXT)}{noted}", "dim")
        yield from ((4, Text(visible(asked, BODY))) for asked in one.asked)
    yield from _whole(found[: room.lesser])
    yield from _more([one.rule for one in found], room.lesser, "findings")
    yield from ((2, Text(visible(line, TEXT), "green")) for line in mended[: room.lesser])


def _whole(found: Iterable[Smallest]) -> Iterator[Line]:
    """How to see what was cut short, where something was."""
    cut = [each.id for one in found for each, asked in zip(one.exchanges, one.asked, strict=False) if len(asked) > BODY]
    if cut:
        yield 4, Text(f"cut short: `relayproof report RUN --exchange {visible(cut[0], NAME)}` tells it whole", "dim")


def _unverified(summary: Summary, room: Room) -> Iterator[Line]:
    if any(summary.all[outcome] for outcome in UNVERIFIED):
        yield _title("Not verified", room)
    for outcome in UNVERIFIED:
        results = summary.of(outcome)
        if not results:
            continue
        mark, style = MARKS[outcome]
        yield (
            2,
            Text.assemble((f"{mark} ", style), f"{len(results)} {outcome.value}: ", (_names(results, room), "bold")),
        )
        reasons = Counter(next(iter(result.reasons), "no reason given") for result in results)
        for reason, count in reasons.most_common(room.reasons):
            yield 6, Text(f"{count} × {visible(reason, 120)}", "dim")
        yield from _more(list(reasons), room.reasons or len(reasons), "reasons", 6)


def _may(summary: Summary, room: Room) -> Iterator[Line]:
    failed = summary.failures(Level.MAY)
    if failed:
        indent, title = _title("MAY", room)
        yield indent, title.append(f" not so in {len(failed)}: {_names(failed, room)}", "not bold")


def _names(results: list[Result], room: Room) -> str:
    many = max(room.lesser, 1)
    names = ", ".join(visible(result.rule, NAME) for result in results[:many])
    return names + (f" and {len(results) - many} more" if len(results) > many else "")


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
