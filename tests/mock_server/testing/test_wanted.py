"""What a marker says is understood, or refused in a line."""

import math
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.script import read
from mock_server.testing.wanted import NAMES, Start, Wanted, WantedError, rule_of, wanted

HERE = Path(__file__).parent
WORDS = st.text(max_size=5)
VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), WORDS, st.lists(st.one_of(WORDS, st.integers()))
)


def test_nothing_said_is_a_mock_without_pauses() -> None:
    assert wanted({}, HERE) == Wanted()
    assert Start().words == ("--speed", "max", "--seed", "0")


def test_all_that_can_be_said() -> None:
    said: dict[str, Any] = {
        "recordings": ".",
        "speed": 10,
        "seed": 7,
        "api_key": "k",
        "strict": True,
        "fault": "one",
        "faults": ["two*2"],
        "script": "[]",
        "hosts": ("api.example",),
    }
    start = Start(HERE.resolve(), 10.0, 7, "k", strict=True)
    assert wanted(said, HERE) == Wanted(start, ("one", "two*2"), "[]", (), ("api.example",))
    assert start.words[-3:] == ("--api-key", "k", "--strict-match")


def test_a_script_is_a_text_or_a_file_beside_the_test(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("[{reply: Hello}]", encoding="utf-8")
    assert wanted({"script": Path("mine.yaml")}, tmp_path).script == "[{reply: Hello}]"
    with pytest.raises(WantedError, match=r"none\.yaml: No such file"):
        wanted({"script": Path("none.yaml")}, tmp_path)


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ({"falt": "x"}, "'falt' is unknown, did you mean fault?"),
        ({"speed": 0}, "speed: 0 is neither"),
        ({"speed": True}, "speed: True is neither"),
        ({"speed": math.nan}, "speed: nan is neither"),
        ({"seed": -1}, "seed: -1 is no whole number"),
        ({"recordings": "nowhere"}, "'nowhere' is no folder"),
        ({"api_key": 5}, "api_key: 5 is no text"),
        ({"faults": [1]}, "faults: "),
        ({"fault": object()}, "fault: <object"),
        ({"strict": 1}, "strict: 1 is neither"),
        ({"script": "[]", "recording": "x"}, "script and recording"),
    ],
)
def test_what_says_nothing_is_refused(said: dict[str, Any], told: str) -> None:
    with pytest.raises(WantedError) as raised:
        wanted(said, HERE)
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


@given(st.dictionaries(st.one_of(st.sampled_from(NAMES), WORDS), VALUES, max_size=4))
def test_any_words_are_understood_or_refused(said: dict[str, Any]) -> None:
    try:
        found = wanted(said, HERE)
    except WantedError:
        return
    assert found.start.speed > 0
    assert all(isinstance(word, str) for word in (*found.start.words, *found.faults, *found.recording, *found.hosts))


def test_recordings_answer_everything_in_turn() -> None:
    [rule] = read(rule_of(["a/one", "a/two"], ["a/one", "a/two"])).rules
    assert rule.recordings == ("a/one", "a/two")
    with pytest.raises(WantedError, match="there is no recording 'a/on'; near: a/one"):
        rule_of(["a/on"], ["a/one", "b/other"])
