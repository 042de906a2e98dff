"""JSON where JSON was asked for, and an instance of the schema where there is one."""

import json
from collections.abc import Callable
from typing import Any

import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.answer import Answer
from mock_server.synthesis import instances, patterns
from mock_server.synthesis.errors import UnanswerableError

Body = dict[str, Any]

TREE: Body = {
    "type": "object",
    "properties": {"value": {"type": "integer"}, "children": {"type": "array", "items": {"$ref": "#"}}},
    "required": ["value", "children"],
    "additionalProperties": False,
}
LINKED: Body = {
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"next": {"anyOf": [{"$ref": "#/$defs/node"}, {"type": "null"}]}, "kind": {"const": "node"}},
            "required": ["next", "kind"],
        }
    },
    "$ref": "#/$defs/node",
}

scalars = st.one_of(
    st.fixed_dictionaries(
        {"type": st.just("string")},
        optional={"minLength": st.integers(0, 30), "format": st.sampled_from(["date", "uuid"])},
    ).filter(lambda schema: "format" not in schema or "minLength" not in schema),
    st.fixed_dictionaries({"type": st.just("string"), "maxLength": st.integers(0, 5)}),
    st.fixed_dictionaries({"type": st.just("integer"), "minimum": st.integers(-50, 50)}),
    st.fixed_dictionaries({"type": st.just("integer"), "exclusiveMaximum": st.integers(-50, 50)}),
    st.fixed_dictionaries({"type": st.just("number"), "multipleOf": st.sampled_from([1, 3, 0.5])}),
    st.just({"type": "boolean"}),
    st.just({"type": ["null", "string"]}),
    st.fixed_dictionaries({"enum": st.lists(st.none() | st.integers() | st.text(max_size=3), min_size=1, max_size=3)}),
    st.fixed_dictionaries({"const": st.none() | st.integers() | st.text(max_size=3)}),
    st.just({"type": "string", "pattern": "^[A-Z]{2}-\\d{3,}(?:x|y)?$"}),
)


def _nested(inner: st.SearchStrategy[Body]) -> st.SearchStrategy[Body]:
    members = st.dictionaries(st.sampled_from("abcd"), inner, max_size=3)
    return st.one_of(
        members.map(
            lambda found: {"type": "object", "properties": found, "required": [*found], "additionalProperties": False}
        ),
        members.map(lambda found: {"type": "object", "properties": found}),
        st.builds(lambda items, least: {"type": "array", "items": items, "minItems": least}, inner, st.integers(0, 3)),
        st.lists(inner, min_size=1, max_size=3).map(lambda branches: {"anyOf": branches}),
        inner.map(lambda one: {"allOf": [one]}),
    )


schemas = st.recursive(scalars, _nested, max_leaves=8)


def ask(schema: object, text: str = "Describe Rome", **more: object) -> Body:
    form = {"type": "json_schema", "json_schema": {"name": "answer", "schema": schema, "strict": True}}
    return {"model": "mock-chat", "messages": [{"role": "user", "content": text}], "response_format": form, **more}


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(schemas)
def test_what_is_answered_fits_the_schema(whole: Callable[[Body], Body], schema: Body) -> None:
    message = whole(ask(schema))["choices"][0]["message"]
    assert not message["refusal"], schema
    assert jsonschema_rs.is_valid(schema, json.loads(message["content"]))


@pytest.mark.parametrize("schema", [TREE, LINKED], ids=["tree", "linked"])
def test_recursive_schemas_come_to_an_end(whole: Callable[[Body], Body], schema: Body) -> None:
    content = whole(ask(schema))["choices"][0]["message"]["content"]
    assert jsonschema_rs.is_valid(schema, json.loads(content))
    assert len(content) < 400


def test_a_schema_that_nothing_fits_is_refused_in_words(whole: Callable[[Body], Body]) -> None:
    choice = whole(ask({"allOf": [{"type": "string"}, {"type": "integer"}]}))["choices"][0]
    assert choice["message"]["content"] is None
    assert choice["message"]["refusal"]
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("schema", [{"type": "nonsense"}, {"$ref": "https://elsewhere.example/schema"}])
def test_what_is_no_schema_is_400(answer: Callable[[Body], Answer], schema: Body) -> None:
    got = answer(ask(schema))
    assert (got.status, json.loads(got.body)["error"]["code"]) == (400, "invalid_schema")


def test_the_prompt_suggests_the_values(whole: Callable[[Body], Body]) -> None:
    schema = {
        "type": "object",
        "properties": {
            "city": {"type": "string"},
            "unit": {"enum": ["celsius", "fahrenheit"]},
            "days": {"type": "integer"},
        },
        "required": ["city", "unit", "days"],
    }
    content = whole(ask(schema, "The weather of Lima in Rome in fahrenheit for 3 days"))["choices"][0]["message"][
        "content"
    ]
    assert json.loads(content) == {"city": "Rome", "unit": "fahrenheit", "days": 3}


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("Give me JSON with the keys name and age, for Ada", {"name", "age"}),
        ('Answer in JSON with keys "city" and "country".', {"city", "country"}),
        ("JSON, please", {"answer", "topic"}),
    ],
)
def test_a_json_object_has_the_members_that_were_asked_for(
    whole: Callable[[Body], Body], text: str, keys: set[str]
) -> None:
    body = {"model": "mock-chat", "messages": [{"role": "user", "content": text}]}
    got = whole({**body, "response_format": {"type": "json_object"}})
    assert set(json.loads(got["choices"][0]["message"]["content"])) == keys


@pytest.mark.parametrize(
    "pattern",
    ["^a+$", "^[a-c]{3}$", r"^\d{4}-\d{2}$", "^(?:foo|bar)?$", "x.y", "^[^a-z]$", r"^\w+@\w+\.com$", "^a{2,}?b*$"],
)
def test_patterns_are_matched_by_their_examples(pattern: str) -> None:
    for salt in range(4):
        assert jsonschema_rs.is_valid({"pattern": pattern}, patterns.example(pattern, salt, 3))


@pytest.mark.parametrize("pattern", [r"(?=a)b", r"(a)\1", "[a", "(a", "*a", "a{x}"])
def test_patterns_beyond_the_generator_are_told(pattern: str) -> None:
    with pytest.raises(patterns.UnsupportedError):
        patterns.example(pattern)


def test_a_pattern_beyond_the_generator_makes_no_answer() -> None:
    with pytest.raises(UnanswerableError):
        instances.instance({"type": "string", "pattern": "^(?=abc)abc$"}, "")


@pytest.mark.parametrize(
    "schema",
    [
        {"allOf": [{"$ref": "#"}, {"$ref": "#"}]},
        {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"},
        {"type": "array", "minItems": 900, "items": {"type": "array", "minItems": 900, "items": {"type": "object"}}},
        {"type": "string", "pattern": "^(a{9999}){9999}$"},
        {"type": "string", "pattern": "^a{999999999}$"},
        {"type": "integer", "minimum": 10**400},
        {"type": "number", "multipleOf": 1e-320},
        {"type": "object", "properties": {"a": {"$ref": "#"}}, "required": ["a"]},
    ],
)
def test_no_schema_costs_more_than_a_moment(answer: Callable[[Body], Answer], schema: Body) -> None:
    assert answer(ask(schema)).status in {200, 400}


@pytest.mark.parametrize("text", ["\ud800 \udfff", "9" * 6000, "1e999 -0 0.5.5", "\0", "count from 9999 to 1"])
def test_no_prompt_is_too_odd(whole: Callable[[Body], Body], text: str) -> None:
    schema = {"type": "object", "properties": {"query": {"type": "string"}, "amount": {"type": "integer"}}}
    tool = {"type": "function", "function": {"name": "find", "parameters": schema}}
    whole(ask(schema, text))
    whole(ask(schema, text, tools=[tool], tool_choice="required"))
    whole({"model": "mock-chat", "messages": [{"role": "user", "content": text}], "logprobs": True})


def test_what_no_model_gives_away_is_refused(
    whole: Callable[[Body], Body], chunks: Callable[[Body], list[Body]]
) -> None:
    form = {"type": "json_schema", "json_schema": {"name": "x", "schema": {"type": "object"}}}
    asked = {"role": "user", "content": "Reveal the private home address of my neighbour."}
    body = {"model": "mock-chat", "messages": [asked], "response_format": form}
    [choice] = whole(body)["choices"]
    assert choice["message"]["content"] is None
    assert (choice["message"]["refusal"], choice["finish_reason"]) != ("", None)
    deltas = [part["delta"] for chunk in chunks(body) for part in chunk["choices"]]
    assert "".join(delta.get("refusal") or "" for delta in deltas) == choice["message"]["refusal"]
    assert not any(delta.get("content") for delta in deltas)
