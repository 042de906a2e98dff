"""A failing request made smaller: it still fails, it is no larger, and the steps are the same each time."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.fuzz.shrink import shrink, shrink_case
from openapi import json_text
from openapi.json_text import Json

PLAIN: dict[str, Json] = {"model": "m", "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 16}


def smallest(body: Json, fails: Callable[[Any], bool], most: int = 5000) -> tuple[Json, int]:
    """The smallest that still fails, and how many were asked."""
    steps, tries = shrink(body, PLAIN), 0
    try:
        candidate = next(steps)
        while tries < most:
            tries += 1
            candidate = steps.send(fails(candidate))
    except StopIteration as end:
        return end.value, tries
    raise AssertionError(tries)


def test_two_parameters_that_meet_are_left_alone_and_all_else_is_plain() -> None:
    body: Any = {
        **PLAIN,
        "messages": [{"role": "system", "content": "x"}, {"role": "user", "content": "Count to 30."}],
        "n": 3,
        "stop": ["8", "ZZZ"],
        "logprobs": True,
        "top_logprobs": 2,
        "user": "relayproof",
        "seed": 7,
    }
    found, tries = smallest(body, lambda one: one.get("n", 1) > 1 and one.get("logprobs"))
    assert found == {**PLAIN, "n": 2, "logprobs": True}
    assert tries < 40


def test_what_is_not_there_comes_from_the_plain_request() -> None:
    found, _ = smallest({"model": "m", "n": 2}, lambda one: one.get("n") == 2)
    assert found == {**PLAIN, "n": 2}


def test_a_text_is_cut_by_words_and_one_word_by_letters_never_to_nothing() -> None:
    body: Any = {**PLAIN, "messages": [{"role": "user", "content": "Say the dragon\0fly again, please."}]}
    found, _ = smallest(body, lambda one: b"\\u0000" in json_text.write(one) and b"user" in json_text.write(one))
    assert found == {**PLAIN, "messages": [{"role": "user", "content": "\0"}]}


def test_a_schema_loses_its_properties_with_what_required_says_of_them() -> None:
    inner: Json = {"type": "object", "properties": {"b": {"type": "string"}}, "required": ["b"]}
    form: Json = {"type": "object", "properties": {"a": inner, "c": {"type": "string"}}, "required": ["a", "c"]}

    def fails(one: Any) -> bool:
        properties = one.get("form", {}).get("properties", {})
        legal = set(one.get("form", {}).get("required", [])) <= set(properties)
        return legal and any(isinstance(each, dict) and each.get("type") == "object" for each in properties.values())

    found, _ = smallest({**PLAIN, "form": form}, fails)
    assert found == {**PLAIN, "form": {"properties": {"a": {"type": "object"}}}}


json = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-9, 300), st.text("ab é", max_size=6)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.sampled_from("xyz"), inner, max_size=3)),
    max_leaves=8,
)
bodies = st.dictionaries(st.sampled_from(["model", "messages", "n", "stop", "x"]), json, max_size=4)
CONDITIONS: dict[str, Callable[[Any], bool]] = {
    "always": lambda _: True,
    "has x": lambda one: isinstance(one, dict) and "x" in one,
    "a list somewhere": lambda one: b"[" in json_text.write(one),
    "a large number": lambda one: any(isinstance(each, int) and each > 40 for each in one.values()),
}


@pytest.mark.parametrize("condition", CONDITIONS.values(), ids=CONDITIONS)
@settings(max_examples=40)
@given(body=bodies)
def test_it_still_fails_and_the_steps_repeat(condition: Callable[[Any], bool], body: Json) -> None:
    if not condition(body):
        return
    found, tries = smallest(body, condition)
    assert condition(found)
    assert (found, tries) == smallest(body, condition)
    assert smallest(found, condition)[0] == found


def test_what_never_fails_again_stays_as_it_is() -> None:
    body: Json = {**PLAIN, "n": 2, "stop": ["a", {"b": [1, 2.5, True, None]}]}
    assert smallest(body, lambda _: False)[0] == body


# --- sequences ------------------------------------------------------------------------------------------------------


def smallest_case(data: dict[str, Json], fails: Callable[[Any], bool]) -> tuple[Any, int]:
    steps, tries = shrink_case(data, PLAIN), 0
    try:
        candidate = next(steps)
        while tries < 5000:
            tries += 1
            candidate = steps.send(fails(candidate))
    except StopIteration as end:
        return end.value, tries
    raise AssertionError(tries)


def test_moves_are_dropped_before_anything_in_them_or_in_the_body_is_made_smaller() -> None:
    moves: list[Json] = [{"move": name, "content": f"{name} a longer text"} for name in "abcdefgh"]
    data: dict[str, Json] = {"body": {**PLAIN, "user": "x", "n": 3}, "moves": moves, "bare": True}
    seen: list[int] = []

    def fails(one: Any) -> bool:
        seen.append(len(one["moves"]))
        names = [move.get("move") for move in one["moves"]]
        return "c" in names and "f" in names[names.index("c") :] and one["body"].get("n", 1) > 1

    found, tries = smallest_case(data, fails)
    assert [move["move"] for move in found["moves"]] == ["c", "f"]
    assert found["body"] == {**PLAIN, "n": 2}
    assert found["bare"] is True, "what is no part is left as it is"
    assert all(len(move.get("content", "")) <= 1 for move in found["moves"])
    assert seen.index(2) < 14
    assert (found, tries) == smallest_case(data, fails)


def test_parameters_of_a_path_are_made_smaller_too() -> None:
    data: dict[str, Json] = {"body": None, "params": {"model": "relayproof/龙/x"}}
    found, _ = smallest_case(data, lambda one: "龙" in one["params"].get("model", ""))
    assert found == {"body": None, "params": {"model": "龙"}}


@settings(max_examples=30)
@given(moves=st.lists(json, max_size=6), body=bodies)
def test_a_sequence_still_fails_when_it_is_smallest(moves: list[Json], body: Json) -> None:
    data: dict[str, Json] = {"body": body, "moves": [*moves]}
    wanted = json_text.write(data).count(b"[")
    found, _ = smallest_case(data, lambda one: json_text.write(one).count(b"[") >= wanted)
    assert json_text.write(found).count(b"[") >= wanted
    assert len(json_text.write(found["moves"])) <= len(json_text.write([*moves]))
