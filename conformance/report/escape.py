"""Text from a relay, made safe to look at.

What a terminal obeys, a browser hides or XML forbids is shown as an escape: control characters (so ANSI too),
direction marks that reorder what stands beside them, characters of no width, lone surrogates and noncharacters.
ZWJ and ZWNJ stay: emoji and Persian need them, and they move nothing.
"""

import re

from markupsafe import Markup, escape

_PLANES = "".join(f"{chr(plane * 0x10000 + 0xFFFE)}{chr(plane * 0x10000 + 0xFFFF)}" for plane in range(17))
_HIDDEN = (
    "\x00-\x1f\x7f-\x9f\xad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b\u200e\u200f\u2028-\u202e"
    "\u2060-\u206f\u3164\ud800-\udfff\ufdd0-\ufdef\ufeff\uffa0\ufff0-\ufffb\U000e0000-\U000e0fff" + _PLANES
)
HIDDEN = re.compile(f"[{_HIDDEN}]")
_HIDDEN_IN_LINES = re.compile(f"(?!\n)[{_HIDDEN}]")
_SHORT = {"\n": r"\n", "\r": r"\r", "\t": r"\t"}

MANY = 1 << 20  # characters of one text that are shown where nobody says how many


def visible(text: str, limit: int = MANY, *, lines: bool = False) -> str:
    """The text with nothing hidden in it, cut to `limit` characters of its own. `lines` keeps LF as it is."""
    shown = _pattern(lines).sub(lambda found: _escaped(found.group()), text[:limit])
    return shown + _rest(text, limit)


def visible_html(text: str, limit: int = MANY, *, lines: bool = False) -> Markup:
    """The same for HTML, each escape in `<i class="x">`, so that `\\x1b` spelt by a relay looks unlike one of ours."""
    pieces: list[Markup] = []
    at, cut = 0, text[:limit]
    for found in _pattern(lines).finditer(cut):
        pieces += [escape(cut[at : found.start()]), Markup('<i class="x">{}</i>').format(_escaped(found.group()))]
        at = found.end()
    rest = _rest(text, limit)
    more = Markup('<i class="cut">{}</i>').format(rest) if rest else Markup()
    return Markup().join([*pieces, escape(cut[at:]), more])


def _pattern(lines: bool) -> re.Pattern[str]:
    return _HIDDEN_IN_LINES if lines else HIDDEN


def _escaped(character: str) -> str:
    code = ord(character)
    if character in _SHORT:
        return _SHORT[character]
    if code <= 0xFF:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}"


def _rest(text: str, limit: int) -> str:
    left = len(text) - limit
    return f"… (+{left:,} characters)" if left > 0 else ""
