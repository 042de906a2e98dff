"""JSON by RFC 8259: what a strict reader takes, what it refuses and why, and that it never raises."""

import json
import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi import json_text, json_value
from openapi.json_text import Json, JsonText

TEXTS = st.text(st.characters(), max_size=8)  # lone surrogates too
VALUES: st.SearchStrategy[Json] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_what_json_writes_is_read_without_fault(value: Json) -> None:
    assert json_text.read(json.dumps(value)) == JsonText(json.loads(json.dumps(value)))


@given(VALUES)
def test_what_is_written_is_utf8_compact_and_read_back(value: Json) -> None:
    data = json_text.write(value)
    data.decode("utf-8")
    assert json_text.read(data) == JsonText(json.loads(json.dumps(value)))
    assert json.loads(data) == json.loads(json.dumps(value))


@given(st.text(st.characters(), max_size=30) | st.binary(max_size=30))
def test_no_text_makes_it_raise(text: str | bytes) -> None:
    parsed = json_text.read(text)
    assert parsed.readable or (parsed.fault and parsed.value is None)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("", "not JSON: Expecting value at character 0"),
        ("[1,]", "not JSON: "),
        ('{"a":1,}', "not JSON: "),
        ("{'a':1}", "not JSON: "),
        ("1 2", "not JSON: Extra data at character 2"),
        ("01", "not JSON: Extra data at character 1"),
        ("+1", "not JSON: "),
        ("[DONE]", "not JSON: "),
        ('"a\nb"', "not JSON: Invalid control character"),
        ("\ufeff{}", "not JSON: "),
        ("NaN", "not JSON: NaN is no JSON number"),
        ("[-Infinity]", "not JSON: -Infinity is no JSON number"),
        ("1e999", "not JSON: 1e999 is beyond what a double holds"),
        ("-1" + "0" * 400 + ".0", "not JSON: -1000"),
        ("1" * 5000, "not JSON: "),
        ("[1, -" + "1" * 1001 + "]", "not JSON: a number of 1001 digits"),
        (b'{"a":"\xff"}', "not UTF-8 at byte 6"),
        (b"\xef\xbb\xbf{}", "not JSON: "),
        ("{}".encode("utf-16"), "not UTF-8 at byte 0"),
        ("[" * 100_000, "not JSON: nested too deeply"),
        ('{"a":' * 100_000, "not JSON: nested too deeply"),
    ],
)
def test_what_is_no_json_has_a_fault_and_no_value(text: str | bytes, fault: str) -> None:
    parsed = json_text.read(text)
    assert (parsed.value, parsed.readable) == (None, False)
    assert str(parsed.fault).startswith(fault)
    assert len(str(parsed.fault)) < 200


@pytest.mark.parametrize(
    ("text", "value", "name"),
    [
        ('{"a":1,"a":2}', {"a": 2}, "a"),
        ('{"x":[{"b":1,"c":0,"b":1}]}', {"x": [{"b": 1, "c": 0}]}, "b"),
        ('{"a":1,"\\u0061":2}', {"a": 2}, "a"),
        ('{"":1,"":2}', {"": 2}, ""),
    ],
)
def test_repeated_names_are_readable_and_a_fault(text: str, value: Json, name: str) -> None:
    assert json_text.read(text) == JsonText(value, f"two members named {name!r}")


def test_the_same_name_in_two_objects_is_no_fault() -> None:
    assert json_text.read('[{"a":1},{"a":{"a":2}}]').fault is None


def test_the_name_in_a_fault_is_cut_short() -> None:
    name = "x" * 1000
    assert json_text.read(f'{{"{name}":1,"{name}":2}}').fault == f"two members named {'x' * 40!r}"


@pytest.mark.parametrize(("text", "value"), [('{"a":1}', {"a": 1}), ("[1]", {}), ("null", {}), ("oops", {})])
def test_the_object_of_what_is_none_is_empty(text: str, value: Json) -> None:
    assert json_text.read(text).object == value


def test_writing_keeps_the_order_and_leaves_characters_as_they_are() -> None:
    assert json_text.write({"b": "你", "a": [1, 1.5, None, True]}) == '{"b":"你","a":[1,1.5,null,true]}'.encode()


@given(st.recursive(VALUES, lambda inner: st.dictionaries(TEXTS, inner, min_size=2, max_size=4), max_leaves=4))
def test_equal_objects_have_one_text_whatever_the_order_of_their_members(value: Json) -> None:
    assert json_text.in_order(_backwards(value)) == json_text.in_order(value)
    assert json.loads(json_text.in_order(value)) == value


def _backwards(value: Json) -> Json:
    match value:
        case dict():
            return {name: _backwards(value[name]) for name in reversed(value)}
        case list():
            return [_backwards(item) for item in value]
    return value


def test_a_lone_surrogate_is_written_as_its_escape() -> None:
    assert json_text.write(["é\ud800"]) == rb'["\u00e9\ud800"]'
    assert json_text.read(rb'["\u00e9\ud800"]').value == ["é\ud800"]


@pytest.mark.parametrize("value", [float("nan"), float("inf"), ["é", -float("inf")]])
def test_what_json_cannot_say_is_not_written(value: Json) -> None:
    with pytest.raises(ValueError, match="JSON compliant"):
        json_text.write(value)


def test_what_is_nested_too_deeply_is_not_written() -> None:
    value: Json = []
    for _ in range(100_000):
        value = [value]
    with pytest.raises(ValueError, match="nested too deeply"):
        json_text.write(value)


@pytest.mark.parametrize(
    "text",
    [
        "1",
        ' \t\r\n{"a":[1,"\\u4f60","你"]}\n',
        '{"a":1,"a":2}',
        "[" * 200 + "]" * 200,
        "[" + " " * 500 + "]",
        '"' + "x" * 500 + '"',
    ],
)
def test_a_text_that_shows_its_value_to_be_plain(text: str) -> None:
    assert json_text.read(text).plain
    assert json_text.read(text.encode()).plain


@pytest.mark.parametrize(
    "text",
    [
        '"\\ud83d"',
        '"\\uD83D"',
        '{"\\udc00":1}',
        '"\ud83d"',
        '"é\udc00"',
        '"\\u00e9\\ud83d\\ude00"',  # a pair, which is not looked for
        "[" * 201 + "]" * 201,
        '{"a":' * 201 + "1" + "}" * 201,
        "[" + ",".join(["[]"] * 500) + "]",  # shallow, which is not looked for
        "oops",
    ],
)
def test_a_text_that_leaves_open_whether_its_value_is_plain(text: str) -> None:
    assert not json_text.read(text).plain


def test_a_value_without_its_text_is_not_known_to_be_plain() -> None:
    assert not JsonText(1).plain
    assert JsonText(1) == JsonText(1, source="1")  # it is knowledge, no part of what the text says
    assert not replace(json_text.read("1"), value=[]).plain  # and does not pass on to another value
    with pytest.raises(TypeError):
        JsonText(1, plain=True)  # type: ignore[call-arg]


@given(st.text(st.characters(), max_size=8).map(json.dumps) | VALUES.map(json.dumps) | st.text(max_size=20))
def test_what_is_shown_to_be_plain_is_so_under_the_eye(text: str) -> None:
    parsed = json_text.read(text)
    if parsed.plain:
        assert json_value.survey(parsed.value) == json_value.Survey(None, surrogates=False)


@pytest.mark.parametrize("text", ["\u00a01", "1\x0b", "\u20281", "1\ufeff", "{}\n x"])
def test_blanks_are_those_of_json_alone(text: str) -> None:
    assert not json_text.read(text).readable


def test_many_names_with_one_repeated_take_linear_time() -> None:
    text = "{" + ",".join(f'"{number}":0' for number in range(100_000)) + ',"7":0}'
    start = time.process_time()
    assert json_text.read(text).fault == "two members named '7'"
    assert time.process_time() - start < 3  # counting each name anew would take a minute


def test_digits_in_a_text_are_no_number_and_a_long_number_is_read_as_it_is() -> None:
    digits = "9" * 3000
    assert json_text.read(f'{{"a": "{digits}"}}').value == {"a": digits}
    assert json_text.read(f'{{"a": "{digits}", "a": 1}}').fault == "two members named 'a'"
    assert json_text.read("9" * 1000).value == int("9" * 1000)
