"""A run as a badge: an SVG picture, and the JSON that shields.io draws one from.

The message is the count of MUSTs, never a blended score: `MUST 118/120`, with how many are open where some are. Green
only where green is honest (`Summary.holds`).
"""

import json

from markupsafe import escape

from conformance.report.escape import visible
from conformance.report.summary import UNVERIFIED, Laws, Summary, summarise
from conformance.rule import Level
from conformance.run import Run

LABEL = 30
HEIGHT, PAD, FONT = 20, 6, 11  # pixels
WIDE, USUAL, SLIM = 11.0, 6.6, 3.9  # pixels of a character of 11 px Verdana: CJK, most, thin
_THIN = frozenset("ijlft.,:;!|'()[] r1I/")
_COLORS = {"good": ("#2e7d32", "brightgreen"), "bad": ("#c62828", "red"), "open": ("#6d6d6d", "lightgrey")}


def message(summary: Summary) -> str:
    """`MUST 118/120 · 2 open`."""
    must = summary.level(Level.MUST)
    opened = sum(must[outcome] for outcome in UNVERIFIED[:2])
    if summary.exit not in {0, 1, 4} or not must.decided:
        return summary.word
    return f"MUST {must.fraction}" + (f" · {opened} open" if opened else "")


def tone(summary: Summary) -> str:
    """good, bad or open."""
    return "good" if summary.holds else "bad" if summary.exit == 1 else "open"


def endpoint(run: Run, laws: Laws) -> str:
    """The JSON of a shields.io endpoint badge."""
    summary = summarise(run, laws)
    color = _COLORS[tone(summary)][1]
    told = {"schemaVersion": 1, "label": _label(summary), "message": message(summary), "color": color}
    return json.dumps(told, indent=2) + "\n"


def render(run: Run, laws: Laws) -> str:
    """The SVG text. Its title says the whole line, for who cannot see it."""
    summary = summarise(run, laws)
    label, said = _label(summary), message(summary)
    left, right = _width(label) + 2 * PAD, _width(said) + 2 * PAD
    whole = left + right
    title = escape(f"{label}: {summary.line}")
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{whole}" height="{HEIGHT}" role="img" aria-label="{title}">'
        f"<title>{title}</title>"
        f'<clipPath id="r"><rect width="{whole}" height="{HEIGHT}" rx="3"/></clipPath>'
        f'<g clip-path="url(#r)"><rect width="{left}" height="{HEIGHT}" fill="#3c3c3c"/>'
        f'<rect x="{left}" width="{right}" height="{HEIGHT}" fill="{_COLORS[tone(summary)][0]}"/></g>'
        f'<g fill="#fff" font-family="Verdana,DejaVu Sans,sans-serif" font-size="{FONT}">'
        f'<text x="{PAD}" y="14" textLength="{left - 2 * PAD}">{escape(label)}</text>'
        f'<text x="{left + PAD}" y="14" textLength="{right - 2 * PAD}">{escape(said)}</text></g></svg>\n'
    )


def _label(summary: Summary) -> str:
    return visible(summary.relay, LABEL)


def _width(text: str) -> int:
    return round(sum(WIDE if ord(c) > 0x2E7F else SLIM if c in _THIN else USUAL for c in text)) or 1
