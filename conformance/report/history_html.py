"""Histories as one small page: no script, no network, a picture of each trend, a table of the runs.

Every text from a run goes through `visible_html`; the one style is allowed by its hash alone.
"""

import base64
import hashlib
from collections.abc import Iterable, Iterator, Sequence

from markupsafe import Markup

from conformance.report.escape import visible_html
from conformance.report.history import History, Point, histories
from conformance.report.summary import Laws
from conformance.rule import Level
from conformance.run import Run

WIDE, HIGH, EDGE = 560, 90, 8  # pixels of a picture
MANY = 400  # runs of one relay
TEXT = 200

STYLE = """
:root{color-scheme:light dark;--ink:#1b1b1b;--soft:#5b5b5b;--line:#d8d8d8;--bad:#b3261e;--good:#1e6b34;--plot:#0b57d0}
@media(prefers-color-scheme:dark){:root{--ink:#ececec;--soft:#a8a8a8;--line:#3a3a3a;--bad:#ff8a80;--good:#81c995;
--plot:#8ab4f8}body{background:#161616}}
body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.15rem;margin:2.2rem 0 .2rem;overflow-wrap:anywhere}p,figcaption{color:var(--soft)}
.plots{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;flex:1 1 18rem}svg{width:100%;height:auto}
polyline{fill:none;stroke:var(--plot);stroke-width:2}circle{fill:var(--plot)}.axis{stroke:var(--line)}
.scroll{overflow-x:auto}table{border-collapse:collapse;width:100%;font-size:.9rem}
th,td{text-align:left;padding:.3rem .6rem;border-bottom:1px solid var(--line);vertical-align:top}
.bad{color:var(--bad)}.good{color:var(--good)}.x{font-style:normal;opacity:.7}
"""


def render(runs: Iterable[Run], laws: Laws) -> str:
    """The page."""
    body = Markup("\n").join(_relay(history) for history in histories(runs, laws))
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode("ascii")
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return str(
        Markup(
            '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
            '<meta http-equiv="Content-Security-Policy" content="{}">'
            '<meta name="viewport" content="width=device-width, initial-scale=1">'
            "<title>relayproof: history</title><style>{}</style></head>\n"
            "<body><h1>Relays over their runs</h1>\n{}\n</body></html>\n"
        ).format(policy, Markup(STYLE), body)  # noqa: S704 - ours
    )


def _relay(history: History) -> Markup:
    points = history.points[-MANY:]
    failed = [float(point.failed(Level.MUST)) for point in points]
    timed = [(number, point.ttft) for number, point in enumerate(points) if point.ttft is not None]
    plots = [] if len(points) < 2 else [_plot("MUST failed", [*enumerate(failed)], "{:.0f}", len(points))]
    plots += [_plot("time to first token, median, seconds", timed, "{:.3f}", len(points))] if len(timed) > 1 else []
    laws = f" They were judged by {history.laws} versions of the law." if history.laws > 1 else ""
    head = Markup("<tr>{}</tr>").format(Markup().join(map(Markup("<th scope=col>{}</th>").format, COLUMNS)))
    return Markup(
        "<section><h2>{}</h2><p>{} · {} run{}.{}</p><div class=plots>{}</div>"
        '<div class=scroll tabindex=0 role=region aria-label="runs"><table><thead>{}</thead><tbody>{}</tbody></table>'
        "</div></section>"
    ).format(
        visible_html(history.name, TEXT),
        visible_html(history.base_url, TEXT),
        len(history.points),
        "" if len(history.points) == 1 else "s",
        laws,
        Markup().join(plots),
        head,
        Markup("\n").join(_rows(history)),
    )


COLUMNS = ("started", "exit", "MUST", "SHOULD", "not verified", "TTFT", "what changed")


def _rows(history: History) -> Iterator[Markup]:
    """The newest first."""
    for at in range(len(history.points) - 1, max(len(history.points) - MANY, 0) - 1, -1):
        yield _row(history.points[at], history.steps[at - 1] if at else ())


def _row(point: Point, step: Sequence[tuple[object, str, Level]]) -> Markup:
    summary = point.summary
    tone = "good" if summary.holds else "bad" if summary.exit == 1 else ""
    code = "none" if summary.exit is None else str(summary.exit)
    changed = Markup("<br>").join(
        Markup("{} {} ({})").format(str(what).replace("-", " "), visible_html(rule, TEXT), level.value)
        for what, rule, level in step[:40]
    )
    more = Markup("<br>and {} more").format(len(step) - 40) if len(step) > 40 else Markup()
    cells = (
        visible_html(point.started, TEXT),
        Markup("<span class='{}'>{}: {}</span>").format(tone, code, summary.word),
        summary.level(Level.MUST).fraction,
        summary.level(Level.SHOULD).fraction,
        str(point.open),
        "–" if point.ttft is None else f"{point.ttft:.3f} s of {point.streams}",
        changed + more,
    )
    return Markup("<tr>{}</tr>").format(Markup().join(map(Markup("<td>{}</td>").format, cells)))


def _plot(title: str, values: Sequence[tuple[int, float]], form: str, count: int) -> Markup:
    """A line through the values, from zero to the greatest, each with its number for who asks."""
    most = max((value for _, value in values), default=0.0) or 1.0
    across = (WIDE - 2 * EDGE) / max(count - 1, 1)
    spots = [(EDGE + at * across, HIGH - EDGE - (HIGH - 2 * EDGE) * value / most, value) for at, value in values]
    line = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in spots)
    dots = (
        Markup('<circle cx="{:.1f}" cy="{:.1f}" r="3"><title>{}</title></circle>').format(x, y, form.format(value))
        for x, y, value in spots
    )
    said = f"{title}: " + " → ".join(form.format(value) for value in dict.fromkeys([values[0][1], values[-1][1]]))
    return Markup(
        '<figure><svg viewBox="0 0 {} {}" role="img" aria-label="{}"><line class=axis x1="0" y1="{}" x2="{}" y2="{}"/>'
        '<polyline points="{}"/>{}</svg><figcaption>{}</figcaption></figure>'
    ).format(WIDE, HIGH, said, HIGH - EDGE, WIDE, HIGH - EDGE, line, Markup().join(dots), said)
