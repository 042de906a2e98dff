"""Texts in a template, each with its key beside it, so that the page can change its language without being made anew.

{{ t('left-out', n=5) }}           →  <span data-t="left-out" data-n="5">+5 left out here</span>
{{ a('aria-label', 'theme') }}     →  aria-label="Switch …" data-a="aria-label:theme"
"""

import json
from dataclasses import dataclass

from markupsafe import Markup

from conformance.report.escape import visible
from conformance.report.texts import TEXTS

WORD = 100  # characters of what stands in a text for a number; it may be the name of a relay


@dataclass(frozen=True, slots=True)
class Words:
    """The texts of one language."""

    language: str

    def has(self, key: str) -> bool:
        return key in TEXTS[self.language]

    def plain(self, key: str, n: object = "", of: object = "") -> str:
        """The text with its numbers."""
        return TEXTS[self.language][key].replace("{n}", visible(str(n), WORD)).replace("{of}", visible(str(of), WORD))

    def t(self, key: str, n: object = None, of: object = None) -> Markup:
        """The text as an element."""
        given = {name: visible(str(value), WORD) for name, value in (("n", n), ("of", of)) if value is not None}
        more = Markup().join(Markup(' data-{}="{}"').format(name, value) for name, value in given.items())
        shown = self.plain(key, "" if n is None else n, "" if of is None else of)
        return Markup('<span data-t="{}"{}>{}</span>').format(key, more, shown)

    def a(self, attribute: str, key: str) -> Markup:
        """The text as an attribute."""
        return Markup('{0}="{1}" data-a="{0}:{2}"').format(attribute, self.plain(key), key)


def table() -> str:
    """All texts as a JavaScript value that cannot end a script."""
    return json.dumps(TEXTS, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")
