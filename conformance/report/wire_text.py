"""One exchange as text, every byte of it: what was asked, each network read with its time and offset, how it ended.

Nothing is left out and nothing is obeyed: what a terminal would act on is an escape, as bytes are that are no UTF-8.
"""

from collections.abc import Iterator

from conformance.report.curl import command
from conformance.report.escape import visible
from openapi.json_text import Json
from openapi.wire.exchange import Exchange, Headers


def render(exchange: Exchange, base_url: Json) -> str:
    """The text, with a line end."""
    return "\n".join(_lines(exchange, base_url)) + "\n"


def _lines(exchange: Exchange, base_url: Json) -> Iterator[str]:
    request = exchange.request
    probe = f" · {visible(exchange.probe)}" if exchange.probe else ""
    yield f"{visible(exchange.id)}{probe} · {visible(exchange.sent) or 'no time'}"
    yield ""
    yield f"> {visible(request.method)} {visible(request.path)}"
    yield from _headers(">", request.headers)
    yield from (f"> {line}" for line in _body(request.body or b""))
    yield ""
    if exchange.status is None:
        yield f"no answer came: {visible(exchange.error or '')}"
    else:
        yield f"< HTTP/{visible(exchange.http)} {exchange.status}"
        yield from _headers("<", exchange.headers)
    offset, before = 0, 0.0
    for read in exchange.reads:
        yield f"  {read.at:10.6f} s  +{read.at - before:.6f} s  byte {offset}, {len(read.data)} bytes"
        yield from (f"< {line}" for line in _body(read.data))
        offset, before = offset + len(read.data), read.at
    error = f": {visible(exchange.error)}" if exchange.error and exchange.status is not None else ""
    yield f"  {exchange.ended_at:10.6f} s  {exchange.end.value}, {offset} bytes in all{error}"
    yield ""
    yield command(request, base_url)


def _headers(side: str, headers: Headers) -> Iterator[str]:
    yield from (f"{side} {visible(name)}: {visible(value)}" for name, value in headers)


def _body(data: bytes) -> list[str]:
    """Its lines; a line feed ends one, and the one that was sent stands at its end as an escape."""
    text = data.decode("utf-8", "backslashreplace")
    return [visible(line, len(line)) for line in text.splitlines(keepends=True)] if text else []
