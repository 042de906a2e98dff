"""What the schemas take and refuse, and how a fault is told."""

import copy
import json
import math
from functools import cache
from typing import Any

import jsonschema  # type: ignore[import-untyped,unused-ignore]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from openapi import json_text
from openapi.document import Document, Json, load
from openapi.json_text import JsonText
from openapi.schema import SchemaFault, faults, is_valid, surely_valid

REQUEST = "/components/schemas/ChatCompletionRequest"
ANSWER = "/components/schemas/ChatCompletion"
CHUNK = "/components/schemas/ChatCompletionChunk"
ERROR = "/components/schemas/ErrorResponse"
EVENT = "/components/schemas/ChatCompletionEvent"
MODEL = "/components/schemas/Model"
MODELS = "/components/schemas/ModelList"

Object = dict[str, Json]
ABSENT = object()

TOOL: Object = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
CALL: Object = {"id": "call_1", "type": "function", "function": {"name": "get_weather", "arguments": "{}"}}
USAGE: Object = {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21}
LOGPROBS: Object = {"content": [{"token": "a", "logprob": -0.5, "bytes": [97], "top_logprobs": []}]}

GOOD: dict[str, Object] = {
    REQUEST: {
        "model": "gpt-4o-mini",
        "messages": [
            {"role": "system", "content": "Be brief."},
            {
                "role": "user",
                "content": [{"type": "text", "text": "hi"}, {"type": "image_url", "image_url": {"url": "x:"}}],
            },
            {"role": "assistant", "content": None, "tool_calls": [CALL]},
            {"role": "tool", "tool_call_id": "call_1", "content": "18"},
        ],
        "tools": [TOOL],
    },
    ANSWER: {
        "id": "chatcmpl-123",
        "object": "chat.completion",
        "created": 1677652288,
        "model": "gpt-4o-mini",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": None, "tool_calls": [CALL]},
                "finish_reason": "tool_calls",
                "logprobs": LOGPROBS,
            }
        ],
        "usage": USAGE,
    },
    CHUNK: {
        "id": "chatcmpl-123",
        "object": "chat.completion.chunk",
        "created": 1677652288,
        "model": "gpt-4o-mini",
        "choices": [
            {"index": 0, "delta": {"role": "assistant", "tool_calls": [{"index": 0, **CALL}]}, "finish_reason": None}
        ],
        "usage": USAGE,
    },
    ERROR: {"error": {"message": "no", "type": "invalid_request_error", "param": None, "code": None}},
    MODEL: {"id": "gpt-4o-mini", "object": "model", "created": 1721172741, "owned_by": "system"},
    MODELS: {
        "object": "list",
        "data": [{"id": "gpt-4o-mini", "object": "model", "created": 1721172741, "owned_by": "system"}],
    },
}

# The 200 sample of both seeds, as it stands there: the stock text, and no model.
SEED_SAMPLE: Object = {
    "id": "chatcmpl-123",
    "object": "chat.completion",
    "created": 1677652288,
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "\n\nHello there, how may I assist you today?"},
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 9, "completion_tokens": 12, "total_tokens": 21},
}


@pytest.fixture
def document() -> Document:
    return load()


def changed(schema: str, pointer: str, value: object) -> Json:
    """The good value with one place set to another value, or taken out."""
    whole = copy.deepcopy(GOOD[schema])
    *way, last = pointer.split("/")[1:]
    place: Any = whole
    for token in way:
        place = place[int(token) if isinstance(place, list) else token]
    if value is ABSENT:
        del place[last]
    else:
        place[int(last) if isinstance(place, list) else last] = value
    return whole


def request(**members: Json) -> Object:
    return {"model": "m", "messages": [{"role": "user", "content": "hi"}], **members}


def told(document: Document, schema: str, value: Json) -> list[tuple[str, str, str | None]]:
    return [(fault.pointer, fault.keyword, fault.param) for fault in faults(document, schema, value)]


# What is right


@pytest.mark.parametrize("schema", GOOD)
def test_the_good_values_are_good(document: Document, schema: str) -> None:
    assert faults(document, schema, GOOD[schema]) == ()
    assert is_valid(document, schema, GOOD[schema])


@pytest.mark.parametrize(
    ("schema", "pointer", "value"),
    [
        (REQUEST, "/anything", {"goes": ["here"]}),
        (REQUEST, "/messages/0/anything", 1),
        (REQUEST, "/messages/2/content", ABSENT),
        (REQUEST, "/messages/2/content", ""),
        (REQUEST, "/messages/2/reasoning_content", "thought"),
        (REQUEST, "/messages/3/content", [{"type": "text", "text": "18"}]),
        (REQUEST, "/messages/0/role", "developer"),
        (REQUEST, "/messages/1", {"role": "function", "name": "f", "content": None}),
        (REQUEST, "/messages/1/content/0", {"type": "input_audio", "input_audio": {"data": "AA==", "format": "wav"}}),
        (REQUEST, "/messages/1/content/0", {"type": "file", "file": {"file_id": "file-1"}}),
        (REQUEST, "/messages/1/content/0", {"type": "video_url", "video_url": {"url": "https://x.example/a.mp4"}}),
        (REQUEST, "/messages/1/content/1/image_url", {"url": "data:image/png;base64,AA==", "detail": "original"}),
        (REQUEST, "/tools", ABSENT),
        (REQUEST, "/tools/0/function/parameters", ABSENT),
        (ANSWER, "/choices/0/logprobs", None),
        (ANSWER, "/choices/0/logprobs", ABSENT),
        (ANSWER, "/choices/0/message/refusal", None),
        (ANSWER, "/choices/0/message/reasoning_content", "thought"),
        (ANSWER, "/choices/0/message/tool_calls", None),
        (ANSWER, "/choices/0/message/content", ""),
        (ANSWER, "/usage", ABSENT),
        (ANSWER, "/usage/prompt_tokens_details", None),
        (ANSWER, "/usage/completion_tokens_details", {"reasoning_tokens": 3}),
        (ANSWER, "/system_fingerprint", None),
        (ANSWER, "/timings", {"prompt_ms": 1.5}),
        (CHUNK, "/choices", []),
        (CHUNK, "/choices/0/delta", {}),
        (CHUNK, "/choices/0/finish_reason", ABSENT),
        (CHUNK, "/choices/0/finish_reason", "stop"),
        (CHUNK, "/choices/0/delta/content", None),
        (CHUNK, "/choices/0/delta/role", None),
        (CHUNK, "/choices/0/delta/role", ABSENT),
        (CHUNK, "/choices/0/delta/tool_calls/0", {"index": 1, "function": {"arguments": "{"}}),
        (CHUNK, "/choices/0/delta/tool_calls/0", {"index": 0, "id": None, "type": None, "function": {"name": None}}),
        (CHUNK, "/choices/0/logprobs", None),
        (CHUNK, "/usage", None),
        (CHUNK, "/usage", ABSENT),
        (CHUNK, "/obfuscation", "r4N7"),
        (ERROR, "/error/metadata", {"x": 1}),
        (MODELS, "/success", True),
        (MODELS, "/data", []),
        (MODELS, "/data/0/supported_endpoint_types", ["openai"]),
    ],
)
def test_what_is_allowed(document: Document, schema: str, pointer: str, value: object) -> None:
    assert faults(document, schema, changed(schema, pointer, value)) == ()


@pytest.mark.parametrize("effort", ["none", "minimal", "low", "medium", "high", "xhigh", "max", None])
def test_reasoning_effort_is_the_full_list(document: Document, effort: str | None) -> None:
    assert is_valid(document, REQUEST, request(reasoning_effort=effort))


@pytest.mark.parametrize("choice", ["none", "auto", "required", {"type": "function", "function": {"name": "f"}}])
def test_every_form_of_tool_choice(document: Document, choice: Json) -> None:
    assert is_valid(document, REQUEST, request(tools=[TOOL], tool_choice=choice))


@pytest.mark.parametrize(
    "members",
    [
        {"temperature": 0.7, "top_p": 0.5},
        {"temperature": None, "top_p": None, "n": None, "stream": None, "stop": None, "seed": None, "max_tokens": None},
        {"logit_bias": {"50256": -100, "11": 1}},
        {"logit_bias": None},
        {"seed": -1},
        {"stop": "\n"},
        {"stop": ["a", "b", "c", "d"]},
        {"n": 128},
        {"max_tokens": 1000, "max_completion_tokens": 1},
        {"logprobs": True, "top_logprobs": 20},
        {"stream": True, "stream_options": {"include_usage": True, "include_obfuscation": False}},
        {"response_format": {"type": "text"}},
        {"response_format": {"type": "json_schema", "json_schema": {"name": "p", "schema": {"type": "object"}}}},
        {"thinking": {"type": "enabled", "budget_tokens": 1024}},
        {"thinking": {"type": "auto"}},
        {"modalities": ["text", "audio"], "audio": {"voice": "alloy", "format": "mp3"}},
        {"prediction": {"type": "content", "content": "text"}},
        {"metadata": {"a": "b"}, "store": False, "user": "u", "service_tier": "flex"},
        {"functions": [{"name": "f"}], "function_call": "auto"},
        {"function_call": {"name": "f"}},
        {"translation_options": {"source_lang": "auto", "target_lang": "English"}},
    ],
)
def test_parameters_that_a_relay_takes(document: Document, members: Object) -> None:
    assert faults(document, REQUEST, request(**members)) == ()


# What the seeds' hidden schema and the family's OpenAPI file get wrong is not copied


def test_the_seeds_sample_of_an_answer_is_refused_for_its_missing_model(document: Document) -> None:
    (fault,) = faults(document, ANSWER, SEED_SAMPLE)
    assert (fault.pointer, fault.keyword, fault.param) == ("", "required", "model")
    assert faults(document, ANSWER, {**SEED_SAMPLE, "model": "gpt-4o-mini"}) == ()


def test_only_model_and_messages_are_required(document: Document) -> None:
    assert is_valid(document, REQUEST, request())
    assert told(document, REQUEST, {}) == [("", "required", "messages"), ("", "required", "model")]


def test_numbers_are_numbers_and_the_bias_is_a_map(document: Document) -> None:
    assert is_valid(document, REQUEST, request(temperature=0.7, top_p=0.1, logit_bias={"1": -1}))
    assert told(document, REQUEST, request(logit_bias=[1])) == [("/logit_bias", "type", "logit_bias")]


def test_seed_is_spelt_seed(document: Document) -> None:
    schema = document.resolve(f"{REQUEST}/properties")
    assert isinstance(schema, dict)
    assert "seed" in schema
    assert "seen" not in schema
    assert told(document, REQUEST, request(seed="7")) == [("/seed", "type", "seed")]


def test_function_call_is_a_finish_reason(document: Document) -> None:
    assert is_valid(document, ANSWER, changed(ANSWER, "/choices/0/finish_reason", "function_call"))


# What is wrong, and where


@pytest.mark.parametrize(
    ("schema", "pointer", "value", "keyword"),
    [
        (ANSWER, "/id", 7, "type"),
        (ANSWER, "/id", "", "minLength"),
        (ANSWER, "/object", "chat.completion.chunk", "const"),
        (ANSWER, "/created", "1677652288", "type"),
        (ANSWER, "/created", 1677652288.5, "type"),
        (ANSWER, "/created", 1677652288000, "exclusiveMaximum"),
        (ANSWER, "/created", 0, "exclusiveMinimum"),
        (ANSWER, "/model", None, "type"),
        (ANSWER, "/choices", [], "minItems"),
        (ANSWER, "/choices", None, "type"),
        (ANSWER, "/choices/0/index", -1, "minimum"),
        (ANSWER, "/choices/0/index", "0", "type"),
        (ANSWER, "/choices/0/message", None, "type"),
        (ANSWER, "/choices/0/message/role", "user", "const"),
        (ANSWER, "/choices/0/message/content", ["a"], "type"),
        (ANSWER, "/choices/0/message/reasoning_content", {}, "type"),
        (ANSWER, "/choices/0/message/tool_calls", {}, "type"),
        (ANSWER, "/choices/0/message/tool_calls/0/id", "", "minLength"),
        (ANSWER, "/choices/0/message/tool_calls/0/type", "tool", "enum"),
        (ANSWER, "/choices/0/message/tool_calls/0/function/arguments", {"city": "Paris"}, "type"),
        (ANSWER, "/choices/0/finish_reason", None, "enum"),
        (ANSWER, "/choices/0/finish_reason", "", "enum"),
        (ANSWER, "/choices/0/finish_reason", "STOP", "enum"),
        (ANSWER, "/choices/0/logprobs/content/0/logprob", "-0.5", "type"),
        (ANSWER, "/choices/0/logprobs/content/0/bytes/0", 256, "maximum"),
        (ANSWER, "/usage", None, "type"),
        (ANSWER, "/usage/total_tokens", -1, "minimum"),
        (ANSWER, "/usage/total_tokens", None, "type"),
        (ANSWER, "/usage/prompt_tokens", 9.5, "type"),
        (CHUNK, "/object", "chat.completion", "const"),
        (CHUNK, "/created", "now", "type"),
        (CHUNK, "/choices", None, "type"),
        (CHUNK, "/choices/0/delta", None, "type"),
        (CHUNK, "/choices/0/delta/content", 1, "type"),
        (CHUNK, "/choices/0/delta/role", "bot", "enum"),
        (CHUNK, "/choices/0/delta/refusal", False, "type"),
        (CHUNK, "/choices/0/delta/tool_calls", None, "type"),
        (CHUNK, "/choices/0/delta/tool_calls/0/index", "0", "type"),
        (CHUNK, "/choices/0/delta/tool_calls/0/index", -1, "minimum"),
        (CHUNK, "/choices/0/delta/tool_calls/0/id", "", "minLength"),
        (CHUNK, "/choices/0/delta/tool_calls/0/type", "tool", "enum"),
        (CHUNK, "/choices/0/delta/tool_calls/0/function/arguments", {}, "type"),
        (CHUNK, "/choices/0/finish_reason", "", "enum"),
        (CHUNK, "/choices/0/finish_reason", "STOP", "enum"),
        (CHUNK, "/usage", "none", "type"),
        (CHUNK, "/usage/total_tokens", -1, "minimum"),
        (ERROR, "/error", "no", "type"),
        (ERROR, "/error/message", None, "type"),
        (ERROR, "/error/code", 400, "type"),
        (ERROR, "/error/param", 0, "type"),
        (MODEL, "/object", "list", "const"),
        (MODEL, "/created", "2024", "type"),
        (MODEL, "/id", "", "minLength"),
        (MODELS, "/object", "models", "const"),
        (MODELS, "/data", None, "type"),
        (MODELS, "/data/0/owned_by", None, "type"),
        (REQUEST, "/model", 1, "type"),
        (REQUEST, "/messages", "hello", "type"),
        (REQUEST, "/messages", [], "minItems"),
        (REQUEST, "/messages/0", "hello", "type"),
        (REQUEST, "/messages/0/role", "wizard", "enum"),
        (REQUEST, "/messages/0/content", None, "type"),
        (REQUEST, "/messages/1/content", 5, "type"),
        (REQUEST, "/messages/1/content", [], "minItems"),
        (REQUEST, "/messages/1/content/0/type", "picture", "enum"),
        (REQUEST, "/messages/1/content/0/text", 5, "type"),
        (REQUEST, "/messages/1/content/1/image_url", "https://x.example/a.png", "type"),
        (REQUEST, "/messages/1/content/1/image_url/detail", "full", "enum"),
        (REQUEST, "/messages/2/tool_calls", None, "type"),
        (REQUEST, "/messages/2/tool_calls/0/function/arguments", {}, "type"),
        (REQUEST, "/tools/0/type", "webhook", "enum"),
        (REQUEST, "/tools/0/function/name", "no spaces", "pattern"),
        (REQUEST, "/tools/0/function/parameters", "{}", "type"),
    ],
)
def test_a_wrong_value_is_faulted_where_it_stands(
    document: Document, schema: str, pointer: str, value: Json, keyword: str
) -> None:
    wrong = changed(schema, pointer, value)
    assert [(pointer, keyword)] == [(fault.pointer, fault.keyword) for fault in faults(document, schema, wrong)]
    assert not is_valid(document, schema, wrong)


@pytest.mark.parametrize(
    ("schema", "pointer", "param"),
    [
        (ANSWER, "/id", "id"),
        (ANSWER, "/object", "object"),
        (ANSWER, "/created", "created"),
        (ANSWER, "/choices", "choices"),
        (ANSWER, "/choices/0/index", "choices[0].index"),
        (ANSWER, "/choices/0/message", "choices[0].message"),
        (ANSWER, "/choices/0/finish_reason", "choices[0].finish_reason"),
        (ANSWER, "/choices/0/message/role", "choices[0].message.role"),
        (ANSWER, "/choices/0/message/content", "choices[0].message.content"),
        (ANSWER, "/choices/0/message/tool_calls/0/id", "choices[0].message.tool_calls[0].id"),
        (ANSWER, "/usage/total_tokens", "usage.total_tokens"),
        (CHUNK, "/id", "id"),
        (CHUNK, "/model", "model"),
        (CHUNK, "/choices/0/index", "choices[0].index"),
        (CHUNK, "/choices/0/delta", "choices[0].delta"),
        (CHUNK, "/choices/0/delta/tool_calls/0/index", "choices[0].delta.tool_calls[0].index"),
        (CHUNK, "/usage/prompt_tokens", "usage.prompt_tokens"),
        (ERROR, "/error", "error"),
        (ERROR, "/error/message", "error.message"),
        (ERROR, "/error/type", "error.type"),
        (ERROR, "/error/param", "error.param"),
        (ERROR, "/error/code", "error.code"),
        (MODEL, "/owned_by", "owned_by"),
        (MODELS, "/data", "data"),
        (REQUEST, "/messages/0/role", "messages[0].role"),
        (REQUEST, "/messages/0/content", "messages[0].content"),
        (REQUEST, "/messages/1/content/0/text", "messages[1].content[0].text"),
        (REQUEST, "/messages/1/content/1/image_url", "messages[1].content[1].image_url"),
        (REQUEST, "/messages/1/content/1/image_url/url", "messages[1].content[1].image_url.url"),
        (REQUEST, "/messages/3/tool_call_id", "messages[3].tool_call_id"),
        (REQUEST, "/tools/0/function", "tools[0].function"),
    ],
)
def test_a_missing_member_is_faulted_at_its_object_and_named(
    document: Document, schema: str, pointer: str, param: str
) -> None:
    wrong = changed(schema, pointer, ABSENT)
    assert told(document, schema, wrong) == [(pointer.rpartition("/")[0], "required", param)]


@pytest.mark.parametrize(
    ("members", "pointer", "keyword"),
    [
        ({"temperature": 2.5}, "/temperature", "maximum"),
        ({"temperature": "hot"}, "/temperature", "type"),
        ({"top_p": -0.1}, "/top_p", "minimum"),
        ({"presence_penalty": 3}, "/presence_penalty", "maximum"),
        ({"n": 0}, "/n", "minimum"),
        ({"n": 129}, "/n", "maximum"),
        ({"n": 1.5}, "/n", "type"),
        ({"stop": ["a", "b", "c", "d", "e"]}, "/stop", "maxItems"),
        ({"stop": []}, "/stop", "minItems"),
        ({"stop": [1]}, "/stop/0", "type"),
        ({"max_tokens": 0}, "/max_tokens", "minimum"),
        ({"max_completion_tokens": "9"}, "/max_completion_tokens", "type"),
        ({"top_logprobs": 21}, "/top_logprobs", "maximum"),
        ({"logit_bias": {"5": 101}}, "/logit_bias/5", "maximum"),
        ({"stream": "true"}, "/stream", "type"),
        ({"stream_options": {"include_usage": 1}}, "/stream_options/include_usage", "type"),
        ({"reasoning_effort": "huge"}, "/reasoning_effort", "enum"),
        ({"tool_choice": "any"}, "/tool_choice", "enum"),
        ({"tool_choice": None}, "/tool_choice", "type"),
        ({"tool_choice": {"type": "function", "function": {}}}, "/tool_choice/function", "required"),
        ({"response_format": {"type": "xml"}}, "/response_format/type", "enum"),
        ({"response_format": {"type": "json_schema"}}, "/response_format", "required"),
        ({"thinking": {"type": "maybe"}}, "/thinking/type", "enum"),
        ({"metadata": {"a": 1}}, "/metadata/a", "type"),
        ({"function_call": "required"}, "/function_call", "enum"),
        ({"parallel_tool_calls": None}, "/parallel_tool_calls", "type"),
    ],
)
def test_a_wrong_parameter_is_faulted(document: Document, members: Object, pointer: str, keyword: str) -> None:
    assert [(pointer, keyword)] == [told[:2] for told in told(document, REQUEST, request(**members))]


def test_one_event_of_a_stream(document: Document) -> None:
    assert is_valid(document, EVENT, {"data": "[DONE]"})
    assert is_valid(document, EVENT, {"data": json.dumps(GOOD[CHUNK])})
    assert told(document, EVENT, {}) == [("", "required", "data")]
    assert told(document, EVENT, {"data": 1}) != []


# How a fault is told


def test_a_fault_says_what_was_expected_and_what_came(document: Document) -> None:
    (fault,) = faults(document, CHUNK, changed(CHUNK, "/choices/0/delta/content", 1))
    assert fault == SchemaFault(
        pointer="/choices/0/delta/content",
        keyword="type",
        expected="string or null",
        got="1",
        message="choices[0].delta.content: expected string or null, got 1",
    )
    (fault,) = faults(document, REQUEST, request(tool_choice="any"))
    assert fault.message == 'tool_choice: expected "none", "auto" or "required", got "any"'
    (fault,) = faults(document, REQUEST, {"model": "m"})
    assert fault.message == 'the value: the member "messages" is missing'
    assert fault.param == "messages"


@pytest.mark.parametrize("value", [None, 5, "text", [], [{}]])
def test_a_value_that_is_no_object_is_one_fault_without_a_parameter(document: Document, value: Json) -> None:
    assert told(document, REQUEST, value) == [("", "type", None)]


def test_faults_stand_in_the_order_of_their_places_items_by_number(document: Document) -> None:
    messages: list[Json] = [{"role": "user"}] * 12
    found = faults(document, REQUEST, {"messages": messages}, limit=50)
    assert [fault.pointer for fault in found] == ["", *(f"/messages/{index}" for index in range(12))]


def test_the_limit_cuts_the_list(document: Document) -> None:
    value = request(messages=[{"role": "user"}] * 500)
    assert len(faults(document, REQUEST, value)) == 20
    assert len(faults(document, REQUEST, value, limit=3)) == 3


def test_a_long_value_is_cut_and_a_huge_one_costs_little(document: Document) -> None:
    (fault,) = faults(document, REQUEST, request(messages="x" * 10_000_000))
    assert fault.got == '"' + "x" * 78 + "…"
    (fault,) = faults(document, REQUEST, request(messages={"深": ["x" * 1000] * 1000}))
    assert len(fault.got) == 80
    assert len(fault.message) < 200


def test_the_branch_that_fits_is_opened(document: Document) -> None:
    wrong = changed(CHUNK, "/usage/total_tokens", "21")
    assert told(document, CHUNK, wrong) == [("/usage/total_tokens", "type", "usage.total_tokens")]
    (fault,) = faults(document, CHUNK, changed(CHUNK, "/usage", []))
    assert (fault.keyword, fault.expected) == ("type", "object or null")


@pytest.mark.parametrize(
    ("value", "pointer", "keyword", "expected"),
    [
        ({"type": "a", "x": "no"}, "/x", "type", "integer"),
        ({"type": "b"}, "", "required", 'the member "y"'),
        ({"type": "b", "y": {"z": 1}}, "/y/z", "type", "string"),
        ({"type": "c"}, "/type", "enum", '"a" or "b"'),
        ("word", "", "enum", '"one" or "two"'),
        (5, "", "type", "object, string or null"),
    ],
)
def test_a_union_without_a_discriminator_is_still_told_deeply(
    tmp_path_document: Document, value: Json, pointer: str, keyword: str, expected: str
) -> None:
    found = faults(tmp_path_document, "/components/schemas/U", value)
    assert (found[0].pointer, found[0].keyword, found[0].expected) == (pointer, keyword, expected)
    assert "not valid under any" not in found[0].message


@pytest.fixture
def tmp_path_document(document: Document) -> Document:
    """A document with a union of objects, words and null, one of them a union again."""

    def kind(name: str, **properties: Json) -> Object:
        return {
            "type": "object",
            "required": ["type", *properties],
            "properties": {"type": {"const": name}, **properties},
        }

    inner: Object = {"anyOf": [{"type": "object", "properties": {"z": {"type": "string"}}}, {"type": "array"}]}
    words: Object = {"type": "string", "enum": ["one", "two"]}
    union: Object = {"oneOf": [kind("a", x={"type": "integer"}), kind("b", y=inner), words, {"type": "null"}]}
    return Document({"components": {"schemas": {"U": union}}}, "sha256:union", (), ())


def test_a_value_that_fits_two_alternatives_of_one_of(document: Document) -> None:
    two: Object = {"oneOf": [{"type": "integer"}, {"type": "number"}]}
    own = Document({"components": {"schemas": {"U": two}}}, "sha256:two", (), ())
    (fault,) = faults(own, "/components/schemas/U", 1)
    assert (fault.keyword, fault.expected) == ("oneOf", "a value that fits one alternative alone")


def test_a_pointer_into_the_paths_names_a_schema_too(document: Document) -> None:
    pointer = "/paths/~1v1~1models~1{model}/parameters/0/schema"
    assert is_valid(document, pointer, "gpt-4o")
    assert told(document, pointer, "") == [("", "minLength", None)]


def test_an_unknown_pointer_is_an_error(document: Document) -> None:
    with pytest.raises(KeyError):
        faults(document, "/components/schemas/Nothing", {})
    with pytest.raises(KeyError):
        is_valid(document, "/components/schemas/Nothing", {})


# What is no JSON


@pytest.mark.parametrize("value", [b"x", {1, 2}, object(), (1, 2), {1: 2}, {"a": [{"b": b"x"}]}, {None: 1}])
def test_a_value_that_is_no_json_is_a_type_error(document: Document, value: object) -> None:
    for members in ({"anything": value}, {"model": value}):
        with pytest.raises(TypeError, match="not a JSON value"):
            faults(document, REQUEST, {**request(), **members})  # type: ignore[dict-item]
        with pytest.raises(TypeError, match="not a JSON value"):
            is_valid(document, REQUEST, {**request(), **members})  # type: ignore[dict-item]


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_cannot_write_is_a_fault(document: Document, number: float) -> None:
    assert told(document, REQUEST, request(temperature=number)) == [("/temperature", "type", "temperature")]
    assert told(document, REQUEST, request(unknown=[number])) == [("/unknown/0", "type", "unknown[0]")]
    assert not is_valid(document, REQUEST, request(unknown=number))


def test_a_number_of_any_size_is_a_number(document: Document) -> None:
    assert told(document, REQUEST, request(n=10**400)) == [("/n", "maximum", "n")]
    assert is_valid(document, REQUEST, request(unknown=10**400))


def test_a_lone_surrogate_is_a_character(document: Document) -> None:
    assert faults(document, CHUNK, changed(CHUNK, "/choices/0/delta/content", "\ud83d")) == ()
    assert is_valid(document, CHUNK, {**GOOD[CHUNK], "\ude00": 1})
    (fault,) = faults(document, REQUEST, request(messages="\ud83d"))
    assert fault.got == '"\\ud83d"'
    fault.message.encode()


TEXTS = [
    json.dumps(GOOD[CHUNK]),
    json.dumps(changed(CHUNK, "/created", "now")),
    json.dumps(changed(CHUNK, "/id", "\ud83d")),
    json.dumps(changed(CHUNK, "/created", "\ud83d")),
    json.dumps({**GOOD[CHUNK], "more": json.loads("[" * 300 + "]" * 300)}),
    "oops",
]


@pytest.mark.parametrize("text", TEXTS)
def test_a_text_is_judged_as_its_value(document: Document, text: str) -> None:
    parsed = json_text.read(text)
    assert faults(document, CHUNK, parsed) == faults(document, CHUNK, parsed.value)
    assert is_valid(document, CHUNK, parsed) == is_valid(document, CHUNK, parsed.value)


def test_what_is_surely_valid(document: Document) -> None:
    good, bad, half, *_ = map(json_text.read, TEXTS)
    assert surely_valid(document, CHUNK, [])
    assert surely_valid(document, CHUNK, [good, good])
    assert not surely_valid(document, CHUNK, [good, bad])
    assert not surely_valid(document, CHUNK, [good, half])  # valid, but its text does not show it
    assert not surely_valid(document, CHUNK, [JsonText(good.value)])
    with pytest.raises(KeyError):
        surely_valid(document, "/components/schemas/Nothing", [])


@pytest.mark.parametrize("kind", ["array", "object"])
@pytest.mark.parametrize("where", ["unknown", "messages", "metadata"])
def test_ten_thousand_levels_are_a_fault_and_no_crash(document: Document, kind: str, where: str) -> None:
    deep: Json = None
    for _ in range(10_000):
        deep = [deep] if kind == "array" else {"a": deep}
    assert told(document, REQUEST, request(**{where: deep})) == [(f"/{where}", "nesting", where)]
    assert not is_valid(document, REQUEST, request(**{where: deep}))


def test_a_hundred_and_ninety_levels_are_judged(document: Document) -> None:
    deep: Json = None
    for _ in range(190):
        deep = [deep]
    assert is_valid(document, REQUEST, request(unknown=deep))
    assert told(document, REQUEST, request(metadata=deep)) == [("/metadata", "type", "metadata")]


# Against another validator


@cache
def other(schema: str) -> jsonschema.Draft202012Validator:
    bundle = load().bundle
    return jsonschema.Draft202012Validator({"$ref": f"#{schema}", "components": bundle["components"]})


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 300)
    | st.floats(-3, 3)
    | st.sampled_from(["", "a", "user", "text", "stop", "function", "call_1", "json_schema", "chat.completion"])
)
values = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["type", "role", "content", "text", "function", "index", "name"]), inner, max_size=3
        )
    ),
    max_leaves=5,
)


def places(value: Json, pointer: str = "") -> list[str]:
    found = [pointer] if pointer else []
    members = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return found + [place for key, child in members for place in places(child, f"{pointer}/{key}")]


@settings(max_examples=400)
@given(st.sampled_from(list(GOOD)), st.data())
def test_the_verdict_is_that_of_another_validator(schema: str, data: st.DataObject) -> None:
    """One place of a good value is replaced: jsonschema, in Python, must agree on whether that is a fault."""
    pointer = data.draw(st.sampled_from(places(GOOD[schema])))
    value = changed(schema, pointer, data.draw(values))
    found = faults(load(), schema, value)
    assert bool(found) == (not other(schema).is_valid(value)) == (not is_valid(load(), schema, value))
    assert len({(fault.pointer, fault.keyword, fault.expected) for fault in found}) == len(found)
    assert all(len(fault.got) <= 80 and fault.expected for fault in found)
    assert found == faults(load(), schema, value)
