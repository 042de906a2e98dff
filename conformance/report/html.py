"""Runs as one HTML page: no network, a strict content security policy, everything from a relay escaped.

Whatever a template prints goes through `visible` and then through HTML's escaping, unless it already is Markup: a
template cannot forget it. Scripts and styles are allowed by their hashes alone, so markup that slips in is dead.
"""

import base64
import hashlib
import math
import re
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformance.report.citations import cited
from conformance.report.columns import shell_word
from conformance.report.comparison import compare
from conformance.report.escape import visible, visible_html
from conformance.report.page import page
from conformance.report.proof import proof
from conformance.report.summary import Laws
from conformance.report.words import Words, table
from conformance.run import Run

ANY_TEXT = 2000  # characters of a text for which the template sets no limit
STYLES = ("base.css", "rules.css", "sections.css", "media.css")

_QUOTED = re.compile(r"`([^`]+)`")


def render(runs: Run | Sequence[Run], laws: Laws, *, language: str = "en", names: Sequence[str] = ()) -> str:
    """The page of a run, or of several side by side. `names` are what the files of the runs are called.

    The bytes of the page are a function of its arguments alone: no clock, no chance.
    """
    several = [runs] if isinstance(runs, Run) else list(runs)
    style = Markup().join(_asset(name) for name in STYLES)
    script = Markup('"use strict";\nconst TEXTS = {};\n').format(Markup(table())) + _asset("report.js")  # noqa: S704
    words = Words(language)
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            page=page(compare(several, laws), proof(), names),
            language=language,
            t=words.t,
            a=words.a,
            has=words.has,
            plain=words.plain,
            style=style,
            script=script,
            policy=(
                f"default-src 'none'; style-src '{_hash(style)}'; script-src '{_hash(script)}'; "
                "base-uri 'none'; form-action 'none'"
            ),
        )
    )


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("conformance.report"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_shown,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "show": visible_html,
        "visible": visible,
        "law": _law,
        "cited": cited,
        "word": shell_word,
        "seconds": seconds,
        "brief": brief,
        "number": number,
    }
    return environment


def _shown(value: object) -> object:
    return visible(value, ANY_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _law(text: str) -> Markup:
    """A sentence of ours, its code in backticks."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(visible_html(text, 600))))  # noqa: S704 - escaped before


def seconds(value: float | None, digits: int = 3) -> str:
    """`0.412 s`, an en dash for what did not happen."""
    if value is None:
        return "–"
    return f"{value:.{digits}f} s" if math.isfinite(value) and abs(value) < 1e9 else "∞"


def brief(value: float) -> str:
    """`412 ms`, `4.1 ms`, `1.23 s`: three digits at most."""
    if not math.isfinite(value) or value >= 1e6:
        return "∞"
    return f"{value:.3g} s" if value >= 0.9995 else f"{value * 1000:.3g} ms" if value >= 1e-4 else "< 0.1 ms"


def number(value: object) -> str:
    """A count with commas, an en dash for none."""
    return "–" if value is None else f"{value:,}" if isinstance(value, int) else visible(str(value), 60)


def _asset(name: str) -> Markup:
    """A file of ours, verbatim."""
    return Markup(files("conformance.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
