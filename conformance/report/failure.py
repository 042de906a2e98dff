"""What became of rules in plain text, for a test's report: the law, the findings, and what came over the wire."""

from collections.abc import Iterable, Iterator, Sequence

from conformance.answers import describe
from conformance.report.curl import command
from conformance.report.escape import visible
from conformance.report.evidence import Fold, Row, evidence
from conformance.report.junit import story
from conformance.report.summary import Result
from conformance.rule import Verdict
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

MANY = 3  # exchanges that are shown
MANY_RULES = 6
TEXT = 300  # characters of a line
CURL = 4000  # characters


def headline(result: Result) -> str:
    """One line: `MUST fail: expected …`, with what excuses it."""
    aside = "".join(f" [{text}]" for text in (result.flaky, *(result.excuses if result.excused else ())) if text)
    return visible(f"{result.level.value} {result.outcome.value}: {result.said or result.law}{aside}", TEXT)


def failure(results: Sequence[Result], exchanges: Iterable[Exchange], base_url: Json) -> str:
    """Rules, then the exchanges that decided them, each once, with the command that asks again. Where a probe was made
    several times to the same end, the first time is shown."""
    behind = {name for result in results for verdict in result.deciding for name in verdict.exchanges}
    flaky = any(result.flaky for result in results)
    shown = [one for one in exchanges if one.id in behind and (flaky or one.repeat == 1)]
    verdicts = [verdict for result in results for verdict in result.verdicts]
    parts = [f"{result.rule}\n{story(result)}" for result in results[:MANY_RULES]]
    parts += [f"and {len(results) - MANY_RULES} more rules"] if len(results) > MANY_RULES else []
    parts += ["\n".join(_exchange(*one, verdicts, base_url)) for one in enumerate(shown[:MANY])]
    parts += [f"and {len(shown) - MANY} more exchanges"] if len(shown) > MANY else []
    return "\n\n".join(parts)


def _exchange(number: int, exchange: Exchange, verdicts: Sequence[Verdict], base_url: Json) -> Iterator[str]:
    seen = evidence(exchange, number, "", verdicts, base_url)
    step = f" ({exchange.step})" if exchange.step else ""
    asked = f"{exchange.request.method} {exchange.request.path}"
    yield visible(f"{exchange.id}{step}: {asked}, {describe(exchange)}", TEXT)
    yield visible(command(exchange.request, base_url), CURL, lines=True)
    yield from (visible(f"  {name}: {value}", TEXT) for name, value in seen.headers)
    yield from map(_row, seen.rows)
    if seen.body:
        yield f"  {seen.body.striptags()}"


def _row(row: Row | Fold) -> str:
    if isinstance(row, Fold):
        return f"      …             {row.items} more, {row.bytes} bytes"
    number = "" if row.number is None else str(row.number)
    found = f"  ◀ {', '.join(row.rules)}" if row.rules else ""
    return f"  {number:>5} {row.at:9.3f} s  {row.text.striptags()}{found}"
