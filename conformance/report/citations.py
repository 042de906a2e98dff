"""Where a law stands, as links: into the document, of which the page holds what is cited, and to the standards."""

import json
import re
from collections.abc import Iterable

from markupsafe import Markup, escape

from conformance.report.escape import visible_html
from openapi.document import Document

EXCERPT = 900  # characters of one part of the document

_PLACE = re.compile(
    r"openapi#(?P<pointer>/[^\s,;]+)"
    r"|RFC (?P<rfc>\d{4,5}) sections? (?P<section>\d+(?:\.\d+)*)"
    r"|(?P<whatwg>WHATWG HTML section 9\.2\.\d)"
    r"|(?P<url>https://[^\s,;<>\"']+)"
)
WHATWG = "https://html.spec.whatwg.org/multipage/server-sent-events.html"


def anchor(pointer: str) -> str:
    """The id in the page of a part of the document."""
    return "d" + re.sub(r"[^A-Za-z0-9]+", "-", pointer)


def cited(text: str) -> Markup:
    """A citation with its links. Links to the standards are followed by whoever clicks them; the page loads none."""
    shown, end = Markup(), 0
    for found in _PLACE.finditer(text[:400]):
        shown += visible_html(text[end : found.start()]) + _link(found)
        end = found.end()
    return shown + visible_html(text[end:400])


def _link(found: re.Match[str]) -> Markup:
    if pointer := found["pointer"]:
        return Markup('<a href="#{}">{}</a>').format(anchor(pointer), found[0])
    href = found["url"] or WHATWG
    if found["rfc"]:
        href = f"https://www.rfc-editor.org/rfc/rfc{found['rfc']}#section-{found['section']}"
    return Markup('<a href="{}">{}</a>').format(href, found[0])


def excerpts(cites: Iterable[str], document: Document) -> list[tuple[str, str, Markup]]:
    """The parts of the document that are cited, each once, with their text; those that are not there are left out."""
    pointers = sorted({found["pointer"] for text in cites for found in _PLACE.finditer(text) if found["pointer"]})
    return [
        (pointer, anchor(pointer), text) for pointer in pointers if (text := _excerpt(pointer, document)) is not None
    ]


def _excerpt(pointer: str, document: Document) -> Markup | None:
    try:
        part = document.resolve(pointer)
    except KeyError:
        return None
    text = json.dumps(part, ensure_ascii=False, indent=1)
    text = re.sub(r"\{\s+(\"[^{}\[\]\n]*\n?\s*)\}", lambda one: "{" + " ".join(one[1].split()) + "}", text)
    more = Markup('<i class="cut"> … {:,}</i>').format(len(text)) if len(text) > EXCERPT else Markup()
    return escape(text[:EXCERPT]) + more
