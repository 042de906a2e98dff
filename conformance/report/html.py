"""A run as one HTML page: no network, a strict content security policy, everything from a relay escaped.

Whatever a template prints goes through `visible` and then through HTML's escaping, unless it already is Markup: a
template cannot forget it. Scripts and styles are allowed by their hashes alone, so markup that slips in is dead.
"""

import base64
import hashlib
import math
import re
from functools import cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from conformance.report.escape import visible, visible_html
from conformance.report.page import page
from conformance.report.summary import Laws, summarise
from conformance.report.texts import TEXTS
from conformance.run import Run

ANY_TEXT = 2000  # characters of a text for which the template sets no limit

_QUOTED = re.compile(r"`([^`]+)`")


def render(run: Run, laws: Laws, *, language: str = "en") -> str:
    """The page."""
    style, script = _asset("report.css"), _asset("report.js")
    return (
        _environment()
        .get_template("report.html.jinja")
        .render(
            page=page(summarise(run, laws)),
            t=TEXTS[language],
            language=language,
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
    environment.filters |= {"show": visible_html, "law": _law, "seconds": _seconds, "slug": slug}
    return environment


def _shown(value: object) -> object:
    return visible(value, ANY_TEXT) if isinstance(value, str) and not isinstance(value, Markup) else value


def _law(text: str) -> Markup:
    """A sentence of ours, its code in backticks."""
    return Markup(_QUOTED.sub(r"<code>\1</code>", str(visible_html(text, 600))))  # noqa: S704 - escaped before


def _seconds(value: float | None, digits: int = 3) -> str:
    if value is None:
        return "–"
    return f"{value:.{digits}f} s" if math.isfinite(value) and abs(value) < 1e9 else "∞"


def slug(id: str, number: int) -> str:  # noqa: A002
    """An anchor for a rule: its id where that can be one."""
    return id if re.fullmatch(r"[a-z0-9][a-z0-9.-]{0,79}", id) else f"rule-{number}"


def _asset(name: str) -> Markup:
    """A file of ours, verbatim."""
    return Markup(files("conformance.report").joinpath("templates", name).read_text(encoding="utf-8"))  # noqa: S704


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")
