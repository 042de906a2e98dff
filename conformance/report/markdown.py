"""A run as Markdown, for the summary of a CI job (GitHub flavour)."""

import re
from collections.abc import Iterable, Iterator

from conformance.report.escape import visible, visible_html
from conformance.report.smallest import smallest, told
from conformance.report.summary import UNVERIFIED, Laws, Result, Summary, summarise, tally
from conformance.report.texts import ENGLISH
from conformance.rule import Level, Outcome
from conformance.run import Run

MANY = 50  # rows of one table; a job summary may hold 1 MiB
TEXT = 300
NAME = 80
CODE = 4000

_MARKUP = re.compile(r"[\\`*_\[\]|~#!$&<>@]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "@": "&#64;"}


def render(run: Run, laws: Laws) -> str:
    """The Markdown text."""
    return "\n".join(_sections(summarise(run, laws))) + "\n"


def escaped(text: str, limit: int = TEXT) -> str:
    """Text that Markdown and HTML leave alone, in one line, that mentions nobody and ends no table cell."""
    return _MARKUP.sub(lambda found: _ENTITIES.get(found.group(), "\\" + found.group()), visible(text, limit))


def _sections(summary: Summary) -> Iterator[str]:
    code = "no exit code" if summary.exit is None else f"exit {summary.exit}"
    yield f"## {_mark(summary)} {escaped(summary.relay)}: {summary.word}"
    yield f"\n**{escaped(summary.line)}**\n\n{code}: {summary.meaning}."
    if summary.run.footer and summary.run.footer.note:
        yield f"\n{escaped(summary.run.footer.note)}"
    if summary.spent:
        yield f"\n{escaped(summary.spent)}"
    yield from _failures(ENGLISH["group.MUST"], summary.failures(Level.MUST))
    yield from _failures(ENGLISH["group.broken"], summary.of(Outcome.BROKEN))
    yield from _failures(ENGLISH["group.SHOULD"], summary.failures(Level.SHOULD))
    yield from _failures(ENGLISH["group.MAY"], summary.failures(Level.MAY))
    yield from _known(summary.known)
    yield from _notes(summary)
    yield from _generated(summary)
    yield from _chapters(summary)
    yield from _unverified(summary)
    yield from _provenance(summary)


def _mark(summary: Summary) -> str:
    return "✅" if summary.holds else "❌" if summary.exit == 1 else "⚠️"


def _failures(title: str, results: list[Result]) -> Iterator[str]:
    if results:
        yield f"\n### {title} ({len(results)})\n"
        yield from table(("rule", "law", "found", "probe", "exchange"), (_failure(one) for one in results[:MANY]))
        yield from _more(results)


def _failure(result: Result) -> tuple[str, ...]:
    verdict = result.deciding[0]
    first = next((found.exchange for found in verdict.findings), None)
    own = verdict.exchanges[:3] if first is None else (first,)
    ids = ", ".join(escaped(name, NAME) for name in own)
    probe = escaped(verdict.probe or "—", NAME)
    return escaped(result.rule, NAME), escaped(result.law), _found(result), probe, ids or "—"


def _found(result: Result) -> str:
    others = len(result.findings) - 1
    more = f" (+{others} more)" if others > 0 else ""
    return escaped(result.said) + more + (f" **{escaped(result.flaky)}**" if result.flaky else "")


def _known(results: list[Result]) -> Iterator[str]:
    if results:
        yield f"\n### {ENGLISH['group.known']} ({len(results)})\n"
        rows = (
            (
                escaped(one.rule, NAME),
                one.level.value,
                _found(one),
                escaped(one.deciding[0].probe or "—", NAME),
                "; ".join(map(escaped, one.excuses)),
            )
            for one in results[:MANY]
        )
        yield from table(("rule", "level", "found", "probe", "excused by"), rows)
        yield from _more(results)


def _notes(summary: Summary) -> Iterator[str]:
    if summary.notes:
        yield f"\n### {ENGLISH['notes']} ({len(summary.notes)})\n"
    for note in summary.notes[:MANY]:
        yield f"- {ENGLISH[f'note.{note.kind}']}: {escaped(note.waiver)} — {escaped(note.text)}"
    if len(summary.notes) > MANY:
        yield f"\n… and {len(summary.notes) - MANY} more waivers in the run file."


def _generated(summary: Summary) -> Iterator[str]:
    """What generated probes found, with what asks it again."""
    generated = summary.run.footer.generated if summary.run.footer else None
    if generated is None:
        return
    yield f"\n### {ENGLISH['generated']}\n"
    yield from (f"- {escaped(line)}" for line in told(generated))
    for one in smallest(summary.run):
        where = " · ".join(filter(None, (one.ids, one.noted)))
        yield f"\n**{escaped(one.rule, NAME)}**: {escaped(one.found.text)} ({escaped(where)})\n"
        for code in (*one.curl, *one.python):
            shown = str(visible_html(code, CODE, lines=True)).replace("@", "&#64;")
            yield f"<pre>{shown}</pre>".replace("\n\n", "\n&#32;\n")  # an empty line would end it


def _chapters(summary: Summary) -> Iterator[str]:
    if not summary.results:
        return
    yield "\n### Chapters\n"
    columns = (Outcome.PASS, Outcome.FAIL, Outcome.BROKEN, *UNVERIFIED)
    rows = [(escaped(name, NAME), results) for name, results in list(summary.chapters.items())[:MANY]]
    yield from table(
        ("chapter", "MUST", *(outcome.value for outcome in columns)),
        ((name, _must(results), *(_number(tally(results)[one]) for one in columns)) for name, results in rows),
    )


def _must(results: list[Result]) -> str:
    return tally(one for one in results if one.level is Level.MUST).fraction


def _number(count: int) -> str:
    return str(count) if count else "·"


def _unverified(summary: Summary) -> Iterator[str]:
    results = [one for outcome in UNVERIFIED for one in summary.of(outcome)]
    if not results:
        return
    yield f"\n<details><summary>Not verified ({len(results)})</summary>\n"
    yield from table(("rule", "level", "outcome", "why"), (_open(one) for one in results[:MANY]))
    yield from _more(results)
    yield "\n</details>"


def _open(result: Result) -> tuple[str, ...]:
    return escaped(result.rule, NAME), result.level.value, result.outcome.value, escaped(result.said) or "—"


def _provenance(summary: Summary) -> Iterator[str]:
    header, footer = summary.run.header, summary.run.footer
    spent = footer.spent if footer else {}
    told = {
        "relay": header.relay.get("base_url") or summary.relay,
        "document": header.document,
        "suite": header.suite,
        "seed": header.seed,
        "started": header.started,
        "finished": footer.finished if footer else "not",
        **spent,
        "command": header.command or "—",
    }
    yield (
        "\n<sub>"
        + " · ".join(f"{escaped(name, NAME)} {escaped(str(value))}" for name, value in told.items())
        + "</sub>"
    )


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table whose cells are Markdown already."""
    for row in (head, ("---",) * len(head), *rows):
        yield f"| {' | '.join(row)} |"


def _more(results: list[Result]) -> Iterator[str]:
    if len(results) > MANY:
        yield f"\n… and {len(results) - MANY} more rules in the run file."
