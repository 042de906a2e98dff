"""An exchange as the page shows it: what was asked, what came and when, folded and capped, the findings marked in it.

Nothing here interprets: events stand as their bytes stood, with their numbers as findings use them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import pairwise

from markupsafe import Markup

from conformance.report import sdk
from conformance.report.broken_order import Break, breaks
from conformance.report.curl import command
from conformance.report.escape import visible_html
from conformance.rule import Verdict
from openapi.json_text import Json
from openapi.wire.exchange import Exchange, Headers
from openapi.wire.sse import Comment, Item, Message, Silent, Truncated

FIRST, LAST, AROUND = 8, 5, 1  # events that are shown: from the start, to the end, on each side of a finding
MAX_HITS = 12  # findings of one exchange that open the fold
MAX_RULES = 8  # rules that one place names
EVENT = 360  # characters of one event
BODY = 1600  # bytes of a body that is no stream
WINDOW = 160  # bytes on each side of a finding behind those
REQUEST = 3000  # characters of a request's body
HEADERS = 24
HEADER = 200
SILENCE = 5.0  # seconds; a gap that the eye should find

KINDS = {Message: "event", Comment: "comment", Silent: "blank", Truncated: "cut off"}
_INSIDE = {bytes([value]) for value in range(0x80, 0xC0)}

Hits = dict[int, list[str]]  # place of a finding → the rules that found it


@dataclass(frozen=True, slots=True)
class Row:
    """One item of a stream, or its end; `number` is None for what is no event. `offset` is that of its first byte;
    `left` is where the stream left its grammar here."""

    number: int | None
    kind: str
    offset: int
    at: float
    gap: float
    text: Markup
    rules: tuple[str, ...]
    left: tuple[Break, ...] = ()

    @property
    def silent(self) -> bool:
        return self.gap >= SILENCE


@dataclass(frozen=True, slots=True)
class Fold:
    """Items left out between two rows."""

    items: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """One exchange for the page; `anchor` is its id there, `weight` estimates the characters of HTML that it takes.
    `sdk` is empty where an SDK does not send such a request."""

    exchange: Exchange
    number: int  # in its run
    anchor: str
    request_body: Markup
    curl: Markup
    sdk: Markup
    headers: Headers
    rows: tuple[Row | Fold, ...]
    body: Markup
    rules: tuple[str, ...]

    @property
    def weight(self) -> int:
        texts = (
            self.request_body,
            self.curl,
            self.sdk,
            self.body,
            *(row.text for row in self.rows if isinstance(row, Row)),
        )
        heads = sum(len(name) + min(len(value), HEADER) for name, value in self.headers[:HEADERS])
        rules = sum(2 * len(rule) + 30 for row in self.rows if isinstance(row, Row) for rule in row.rules)
        left = sum(250 for row in self.rows if isinstance(row, Row) and row.left)
        return 1100 + sum(map(len, texts)) + 190 * len(self.rows) + heads + rules + left


def evidence(exchange: Exchange, number: int, anchor: str, verdicts: Iterable[Verdict], base_url: Json) -> Evidence:
    """What the page shows of an exchange, `verdicts` being those that rest on it."""
    hits = _hits(exchange.id, verdicts)
    streamed = bool(exchange.messages)
    return Evidence(
        exchange,
        number,
        anchor,
        _breakable(visible_html(_text(exchange.request.body or b""), REQUEST, lines=True)),
        visible_html(command(exchange.request, base_url), REQUEST + 3000, lines=True),
        visible_html(sdk.code(exchange.request, base_url) or "", REQUEST + 3000, lines=True),
        exchange.headers[:HEADERS],
        tuple(_rows(exchange, hits)) if streamed else (),
        Markup() if streamed else _body(exchange.content, hits),
        tuple(dict.fromkeys(rule for rules in hits.values() for rule in rules)),
    )


def _hits(id: str, verdicts: Iterable[Verdict]) -> Hits:  # noqa: A002
    """The findings that are in this exchange: they say so where their verdict rests on several."""
    hits: Hits = {}
    for verdict in verdicts:
        for found in verdict.findings:
            here = found.exchange == id if found.exchange is not None else len(verdict.exchanges) == 1
            if here and found.at is not None:
                hits.setdefault(found.at, []).append(verdict.rule)
    return hits


def _rows(exchange: Exchange, hits: Hits) -> Iterator[Row | Fold]:
    numbers = _numbers(exchange.items)
    broken: dict[int, tuple[Break, ...]] = {}
    for one in breaks(exchange) if hits else ():
        broken[one.event] = (*broken.get(one.event, ()), one)
    kept = _kept(numbers, hits)
    before, at = -1, 0.0
    for index in kept:
        item = exchange.items[index]
        if index > before + 1:
            left = exchange.items[before + 1 : index]
            yield Fold(len(left), left[-1].end - left[0].start)
            at = exchange.arrival(left[-1].end)
        came = exchange.arrival(item.end)
        row = _row(exchange.content, item, numbers[index], (came, came - at), hits)
        yield replace(row, left=broken.get(row.number, ())) if row.number is not None and row.rules else row
        before, at = index, came
    behind = _distinct(rule for place in sorted(hits) if place >= len(exchange.messages) for rule in hits[place])
    said, size = Markup("{}").format(exchange.end.value), len(exchange.content)
    at_end = broken.get(len(exchange.messages), ()) if behind else ()
    yield Row(None, "end", size, exchange.ended_at, exchange.ended_at - at, said, behind, at_end)


def _row(content: bytes, item: Item, number: int | None, times: tuple[float, float], hits: Hits) -> Row:
    size = item.end - item.start
    text = _text(content[item.start : item.start + min(size, 4 * EVENT)]).strip("\r\n")
    shown = _breakable(visible_html(text[:EVENT], lines=True))
    if len(text) > EVENT or size > 4 * EVENT:
        shown += Markup('<i class="cut"> … {:,} bytes in all</i>').format(size)
    rules = _distinct(hits.get(number, ())) if number is not None else ()
    return Row(number, KINDS[type(item)], item.start, times[0], times[1], shown, rules)


def _distinct(rules: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(rules))[:MAX_RULES]


def _numbers(items: tuple[Item, ...]) -> list[int | None]:
    numbers: list[int | None] = []
    count = 0
    for item in items:
        numbers.append(count if isinstance(item, Message) else None)
        count += isinstance(item, Message)
    return numbers


def _kept(numbers: list[int | None], hits: Hits) -> list[int]:
    size = len(numbers)
    kept = {*range(min(FIRST, size)), *range(max(size - LAST, 0), size)}
    places = [index for index, number in enumerate(numbers) if number is not None and number in hits][:MAX_HITS]
    for index in places:
        kept.update(range(max(index - AROUND, 0), min(index + AROUND + 1, size)))
    lonely = {index for index in range(size) if index - 1 in kept and index + 1 in kept}  # a fold of one folds nothing
    return sorted(kept | lonely)


def _body(content: bytes, hits: Hits) -> Markup:
    """The start of a body and the neighbourhood of each finding, a mark at each finding's first byte."""
    marks = sorted(at for at in hits if 0 <= at < len(content))[:MAX_HITS]
    shown = Markup()
    end = 0
    for window in _windows(len(content), marks):
        start, stop = (_whole(content, place) for place in window)
        shown += _cut(start - end)
        shown += _marked(content, start, stop, [at for at in marks if start <= _whole(content, at) < stop])
        end = stop
    return shown + _cut(len(content) - end)


def _windows(size: int, marks: list[int]) -> list[tuple[int, int]]:
    windows = [(0, min(BODY, size))]
    for at in marks:
        start, stop = max(at - WINDOW, 0), min(at + WINDOW, size)
        if start <= windows[-1][1]:
            windows[-1] = (windows[-1][0], max(stop, windows[-1][1]))
        else:
            windows.append((start, stop))
    return windows


def _whole(content: bytes, at: int) -> int:
    """The next place that is not inside a character of UTF-8."""
    return next((place for place in range(at, at + 4) if content[place : place + 1] not in _INSIDE), at)


def _marked(content: bytes, start: int, stop: int, marks: list[int]) -> Markup:
    shown = Markup()
    places = [start, *(_whole(content, at) for at in marks), stop]
    for number, (at, end) in enumerate(pairwise(places)):
        if number:
            shown += Markup('<mark title="byte {}">▸</mark>').format(marks[number - 1])
        shown += visible_html(_text(content[at:end]), lines=True)
    return shown


def _cut(left: int) -> Markup:
    return Markup('<i class="cut"> … {:,} bytes … </i>').format(left) if left > 0 else Markup()


def _breakable(shown: Markup) -> Markup:
    """The same text, with leave to break lines between the members of JSON; `<wbr>` is not copied."""
    return Markup(str(shown).replace(",&#34;", ",<wbr>&#34;"))  # noqa: S704 - escaped before


def _text(data: bytes) -> str:
    """Bytes as text; what is no UTF-8 stands as `\\xff`."""
    return data.decode("utf-8", "backslashreplace")
