"""Secrets out of evidence: none is left, however it is spelled and wherever a read ends; all else is left alone."""

import base64
import json
import re
from collections.abc import Callable
from itertools import pairwise
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.wire.redaction import MARK, SHORTEST, Redactor, coded, mark

KEY = "sk-0123456789abcdef"  # made up
ODD = 'p"ass\\wörd/&+ %4'


# A mark holds small letters, and a secret here none: so no secret is part of a mark, or made by one.
LETTERS = "AB1/"
SECRETS = st.lists(st.text(LETTERS, min_size=1, max_size=20), min_size=1, max_size=3)
FILLERS = st.text(LETTERS + "x\n", max_size=6)


@st.composite
def bodies(draw: st.DrawFn) -> tuple[list[str], str]:
    """Secrets, and a text in which they stand."""
    secrets = draw(SECRETS)
    parts = draw(st.lists(FILLERS | st.sampled_from(secrets), max_size=10))
    return secrets, "".join(parts)


@given(bodies(), st.data())
def test_no_secret_is_left_wherever_the_body_is_split(body: tuple[list[str], str], draw: st.DataObject) -> None:
    secrets, text = body
    data = text.encode()
    places = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=8)))
    pieces = [data[a:b] for a, b in pairwise([0, *places, len(data)])]
    redactor = Redactor(secrets)
    cleaned = redactor.pieces(pieces)
    joined = b"".join(cleaned)
    assert len(cleaned) == len(pieces)
    assert not any(secret.encode() in joined for secret in secrets if len(secret) >= SHORTEST)
    assert not redactor.found_in(joined)
    assert joined == redactor.data(data) == redactor.text(text).encode()
    if not redactor.found_in(data):
        assert cleaned == pieces


@given(st.lists(st.text("AB1", min_size=16, max_size=20), min_size=1, max_size=3), st.data())
def test_the_length_is_kept_for_secrets_that_have_room_for_a_mark(secrets: list[str], draw: st.DataObject) -> None:
    data = "".join(draw.draw(st.lists(FILLERS | st.sampled_from(secrets), max_size=8))).encode()
    assert len(Redactor(secrets).data(data)) == len(data)


@given(st.lists(st.text("xyz \n", max_size=5), min_size=1, max_size=6), st.data())
def test_nothing_but_the_secret_is_changed(fillers: list[str], draw: st.DataObject) -> None:
    data = KEY.join(fillers).encode()
    places = sorted(draw.draw(st.lists(st.integers(0, len(data)), max_size=6)))
    cleaned = Redactor([KEY]).pieces([data[a:b] for a, b in pairwise([0, *places, len(data)])])
    assert b"".join(cleaned) == mark(len(KEY)).join(fillers).encode()


@pytest.mark.parametrize("at", range(1, len(KEY)))
def test_a_secret_split_over_two_reads_leaves_its_mark_in_the_first(at: int) -> None:
    before, after = b"a " + KEY[:at].encode(), KEY[at:].encode() + b" z"
    assert Redactor([KEY]).pieces([before, after]) == [b"a " + mark(len(KEY)).encode(), b" z"]


def test_a_secret_may_be_split_over_many_reads_and_empty_ones() -> None:
    pieces = [b"", b"a", *[KEY[at : at + 1].encode() for at in range(len(KEY))], b"", b"z"]
    cleaned = Redactor([KEY]).pieces(pieces)
    assert cleaned == [b"", b"a", mark(len(KEY)).encode(), *[b""] * (len(KEY) - 1), b"", b"z"]


def test_each_occurrence_is_marked_in_its_own_piece() -> None:
    key = KEY.encode()
    found = Redactor([KEY]).pieces([key + key, b"", key])
    assert found == [mark(len(KEY)).encode() * 2, b"", mark(len(KEY)).encode()]


def test_no_pieces_are_no_pieces() -> None:
    assert Redactor([KEY]).pieces([]) == []
    assert Redactor([KEY]).pieces([b"", b""]) == [b"", b""]


@pytest.mark.parametrize(
    "spelled",
    [
        ODD,
        quote(ODD, safe=""),
        re.sub("%..", lambda found: found[0].lower(), quote(ODD, safe="")),
        json.dumps(ODD)[1:-1],
        json.dumps(ODD, ensure_ascii=False)[1:-1],
        json.dumps(ODD)[1:-1].replace("/", "\\/"),
        json.dumps(ODD, ensure_ascii=False)[1:-1].replace("/", "\\/"),
    ],
)  # fmt: skip
def test_a_secret_is_found_in_every_spelling(spelled: str) -> None:
    redactor = Redactor([ODD])
    assert redactor.text(f"<{spelled}>") == f"<{mark(len(spelled))}>"
    assert redactor.data(f"<{spelled}>".encode()) == f"<{mark(len(spelled.encode()))}>".encode()
    assert redactor.found_in(spelled.encode())


SPELLINGS = [lambda one: one, lambda one: f"%{ord(one):02X}", lambda one: f"%{ord(one):02x}",
             lambda one: f"\\u{ord(one):04X}", lambda one: f"\\u{ord(one):04x}"]  # fmt: skip


@given(st.lists(st.sampled_from(SPELLINGS), min_size=len(KEY), max_size=len(KEY)))
def test_a_secret_is_found_whichever_of_its_characters_are_encoded(how: list[Callable[[str], str]]) -> None:
    spelled = "".join(spell(one) for spell, one in zip(how, KEY, strict=True))
    assert Redactor([KEY]).text(f"<{spelled}>") == f"<{mark(len(spelled))}>"
    assert Redactor([KEY]).data(f"<{spelled}>".encode()) == f"<{mark(len(spelled))}>".encode()


@pytest.mark.parametrize("secrets", [[], [""], ["abcde"], ["abcde", ""]])
def test_without_a_secret_of_some_length_nothing_is_touched(secrets: list[str]) -> None:
    redactor = Redactor(secrets)
    assert redactor.text("abcde abcde") == "abcde abcde"
    assert redactor.data(b"\xff abcde") == b"\xff abcde"
    assert redactor.pieces([b"abc", b"", b"de"]) == [b"abc", b"", b"de"]
    assert not redactor.found_in(b"abcde")


def test_the_longer_of_two_secrets_is_taken_first() -> None:
    redactor = Redactor(["secret", "secret-and-more-of-it"])
    assert redactor.text("secret-and-more-of-it") == mark(21)
    assert redactor.text("secret-and") == mark(6) + "-and"


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be", "utf-16", "utf-32-le", "utf-32"])
def test_a_secret_in_wide_characters_is_found(codec: str) -> None:
    clean = Redactor(["sk-planted-0123"]).data("told: sk-planted-0123.".encode(codec))
    assert "planted" not in clean.decode("latin-1").replace("\0", "")


@pytest.mark.parametrize("told", [b"sk-planted-0123".hex(), b"sk-planted-0123".hex().upper()])
def test_a_secret_in_hexadecimal_digits_is_found(told: str) -> None:
    assert told not in Redactor(["sk-planted-0123"]).text(f"told: {told}.")


def test_base64_of_what_is_too_short_is_looked_for_nowhere() -> None:
    assert list(coded("abc")) == []
    for before in range(3):  # wherever it begins among what is coded
        told = base64.b64encode(b"x" * before + b"abcdef, and more").decode()
        assert any(word in told for word in coded("abcdef"))
    assert "YWJjZGVm" in set(coded("abcdef"))


def test_a_secret_is_text_and_no_pattern() -> None:
    assert Redactor(["a.c.e.g"]).text("abcdefg a.c.e.g") == "abcdefg " + mark(7)


@pytest.mark.parametrize(("length", "text"), [(6, MARK + "]"), (16, MARK + "]"), (19, MARK + "***]")])
def test_a_mark_is_as_long_as_its_secret_where_it_has_room(length: int, text: str) -> None:
    assert mark(length) == text
    assert len(text) == max(length, 16)
