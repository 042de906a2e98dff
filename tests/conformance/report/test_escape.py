"""Nothing that a terminal obeys, a browser hides or XML forbids survives."""

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.report.escape import HIDDEN, visible, visible_html


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain 中文 🎉 👩‍👩‍👧", "plain 中文 🎉 👩‍👩‍👧"),
        ("\x1b[31m", r"\x1b[31m"),
        ("a\r\n\tb", r"a\r\n\tb"),
        ("\u202eabc", r"\u202eabc"),
        ("\ud800", r"\ud800"),
        ("\U000e0041\U0001fffe", r"\U000e0041\U0001fffe"),
        ("\x00\x9b\xad", r"\x00\x9b\xad"),
    ],
)
def test_hidden_characters_are_spelt(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_ends_stay_where_lines_are_wanted() -> None:
    assert visible("a\r\nb", lines=True) == "a\\r\nb"


def test_a_cut_says_how_much_is_left_out() -> None:
    assert visible("abcdef", 4) == "abcd… (+2 characters)"


def test_our_escape_looks_unlike_one_that_the_relay_spelt() -> None:
    assert visible_html("\\x1b") == "\\x1b"
    assert visible_html("\x1b<b>") == '<i class="x">\\x1b</i>&lt;b&gt;'


def test_megabytes_cost_no_more_than_their_limit() -> None:
    started = time.monotonic()
    assert len(visible_html("\x1b" * 50_000_000, 100)) < 4000
    assert time.monotonic() - started < 1


@given(st.text(st.characters(exclude_categories=())))
def test_nothing_hidden_is_left(text: str) -> None:
    shown = visible(text)
    assert not HIDDEN.search(shown)
    assert not HIDDEN.search(visible_html(text))
    assert not any(unicodedata.category(character) in {"Cc", "Cs", "Zl", "Zp"} for character in shown)
    assert not any(unicodedata.bidirectional(character) in {"RLO", "LRO", "RLE", "LRI", "PDF"} for character in shown)
