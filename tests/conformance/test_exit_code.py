"""The exit codes, never mixed."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.exit_code import MEANING, Exit, exit_of, exit_of_all
from conformance.rule import Level, Outcome, Verdict

LETTERS = {
    "p": (Outcome.PASS, False),
    "f": (Outcome.FAIL, False),
    "i": (Outcome.INCONCLUSIVE, False),
    "m": (Outcome.INCONCLUSIVE, True),
    "u": (Outcome.UNTESTABLE, False),
    "n": (Outcome.NOT_SEEN, False),
    "s": (Outcome.SKIPPED, False),
    "b": (Outcome.BROKEN, False),
}


def verdicts(must: str = "", should: str = "", may: str = "") -> list[Verdict]:
    """Verdicts by letter, words are rules: `pf p` are two rules, the first with two verdicts."""
    found: list[Verdict] = []
    for level, words in ((Level.MUST, must), (Level.SHOULD, should), (Level.MAY, may)):
        for number, word in enumerate(words.split()):
            for letter in word:
                outcome, mood = LETTERS[letter]
                found.append(Verdict(f"{level}.{number}", level, outcome, None, (), mood=mood))
    return found


@pytest.mark.parametrize(
    ("must", "should", "code"),
    [
        ("", "", Exit.UNVERIFIED),
        ("", "p", Exit.VERIFIED),
        ("p", "f", Exit.VERIFIED),
        ("p m n s", "", Exit.VERIFIED),
        ("pi pu", "", Exit.VERIFIED),
        ("f p", "", Exit.VIOLATED),
        ("pf", "", Exit.VIOLATED),
        ("f u", "", Exit.VIOLATED),
        ("p i", "", Exit.UNVERIFIED),
        ("p u", "", Exit.UNVERIFIED),
        ("mi", "", Exit.UNVERIFIED),
        ("p", "u", Exit.VERIFIED),
        ("f", "b", Exit.OUR_FAULT),
    ],
)
def test_the_code_follows_the_musts(must: str, should: str, code: Exit) -> None:
    assert exit_of(verdicts(must, should)) is code


@pytest.mark.parametrize(
    ("must", "should", "code"),
    [
        ("p", "f", Exit.VIOLATED),
        ("p", "i", Exit.UNVERIFIED),
        ("m", "", Exit.UNVERIFIED),
        ("p n s", "p", Exit.VERIFIED),
        ("f", "b", Exit.OUR_FAULT),
    ],
)
def test_strict_counts_should_as_must_and_moods_as_open(must: str, should: str, code: Exit) -> None:
    assert exit_of(verdicts(must, should), strict=True) is code


def test_a_may_never_counts_but_where_it_broke() -> None:
    assert exit_of(verdicts("p", may="f i u"), strict=True) is Exit.VERIFIED
    assert exit_of(verdicts("p", may="b")) is Exit.OUR_FAULT


def test_a_probe_that_was_cut_leaves_the_run_unverified() -> None:
    assert exit_of(verdicts("p"), cut=True) is Exit.UNVERIFIED
    assert exit_of(verdicts("f"), cut=True) is Exit.VIOLATED


@given(st.text("pfimunsb", max_size=20), st.text("pfimunsb", max_size=20), st.booleans())
def test_the_order_of_verdicts_changes_no_code(must: str, should: str, strict: bool) -> None:
    found = verdicts(must, should)
    assert exit_of(found, strict=strict) is exit_of(reversed(found), strict=strict)


@given(st.text("pimuns ", max_size=20))
def test_without_a_failure_nothing_is_violated(must: str) -> None:
    assert exit_of(verdicts(must)) in {Exit.VERIFIED, Exit.UNVERIFIED}


def test_each_code_has_a_meaning() -> None:
    assert set(MEANING) == set(Exit)
    assert [int(code) for code in Exit] == [*range(6)]


@pytest.mark.parametrize(
    ("codes", "together"),
    [
        ([0, 0], Exit.VERIFIED),
        ([0, 1], Exit.VIOLATED),
        ([1, 3], Exit.VIOLATED),
        ([1, 5], Exit.OUR_FAULT),
        ([3, 3], Exit.UNREACHABLE),
        ([0, 3], Exit.UNVERIFIED),
        ([0, 4], Exit.UNVERIFIED),
        ([0, None], Exit.UNVERIFIED),
        ([3, 4], Exit.UNVERIFIED),
        ([0, 2], Exit.MISUSED),
        ([], Exit.UNVERIFIED),
    ],
)
def test_the_exit_code_of_several_is_the_gravest(codes: list[int | None], together: Exit) -> None:
    assert exit_of_all(codes) is together
    assert exit_of_all(codes[::-1]) is together
