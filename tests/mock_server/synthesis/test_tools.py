"""Calls: when, which, how many, and with arguments that fit."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from mock_server.answer import Answer

Body = dict[str, Any]

CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
WEATHER = {"name": "get_weather", "description": "Get the weather of a city", "parameters": CITY}
ADD = {
    "name": "add",
    "description": "Add two numbers",
    "parameters": {
        "type": "object",
        "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}},
        "required": ["a", "b"],
    },
}
CLOCK = {"name": "get_time", "description": "The current time"}


def ask(text: str, *functions: Body, **more: object) -> Body:
    tools = [{"type": "function", "function": function} for function in functions]
    return {"model": "mock-chat", "messages": [{"role": "user", "content": text}], "tools": tools, **more}


def called(got: Body) -> list[tuple[str, Body]]:
    calls = got["choices"][0]["message"].get("tool_calls", [])
    return [(call["function"]["name"], json.loads(call["function"]["arguments"])) for call in calls]


def test_a_prompt_about_the_tool_calls_it(whole: Callable[[Body], Body]) -> None:
    got = whole(ask("What is the weather in Oslo?", WEATHER, ADD))
    assert called(got) == [("get_weather", {"city": "Oslo"})]
    assert got["choices"][0]["finish_reason"] == "tool_calls"
    assert got["choices"][0]["message"]["content"] is None


def test_a_prompt_about_something_else_does_not(whole: Callable[[Body], Body]) -> None:
    assert called(whole(ask("Tell me a joke", WEATHER, ADD))) == []


def test_required_calls_whatever_the_prompt(whole: Callable[[Body], Body]) -> None:
    assert called(whole(ask("Tell me a joke", CLOCK, WEATHER, tool_choice="required"))) == [("get_time", {})]


def test_a_named_function_is_the_one_that_is_called(whole: Callable[[Body], Body]) -> None:
    choice = {"type": "function", "function": {"name": "get_time"}}
    assert called(whole(ask("The weather in Rome?", WEATHER, CLOCK, tool_choice=choice))) == [("get_time", {})]


def test_none_is_obeyed(whole: Callable[[Body], Body]) -> None:
    assert called(whole(ask("The weather in Rome?", WEATHER, tool_choice="none"))) == []


def test_allowed_tools_narrow_the_choice(whole: Callable[[Body], Body]) -> None:
    allowed = {"mode": "required", "tools": [{"type": "function", "function": {"name": "get_time"}}]}
    choice = {"type": "allowed_tools", "allowed_tools": allowed}
    assert called(whole(ask("The weather in Rome?", WEATHER, CLOCK, tool_choice=choice))) == [("get_time", {})]


def test_a_function_that_was_not_declared_is_refused(answer: Callable[[Body], Answer]) -> None:
    choice = {"type": "function", "function": {"name": "launch"}}
    got = answer(ask("hi", WEATHER, tool_choice=choice))
    assert (got.status, json.loads(got.body)["error"]["param"]) == (400, "tool_choice")


def test_two_things_are_two_calls_with_different_ids(whole: Callable[[Body], Body]) -> None:
    got = whole(ask("The weather in Paris and London?", WEATHER))
    assert called(got) == [("get_weather", {"city": "Paris"}), ("get_weather", {"city": "London"})]
    assert len({call["id"] for call in got["choices"][0]["message"]["tool_calls"]}) == 2


def test_two_tools_are_two_calls(whole: Callable[[Body], Body]) -> None:
    got = whole(ask("The weather in Paris, and the current time?", WEATHER, CLOCK))
    assert called(got) == [("get_weather", {"city": "Paris"}), ("get_time", {})]


def test_without_parallel_calls_one_is_made(whole: Callable[[Body], Body]) -> None:
    assert len(called(whole(ask("The weather in Paris and London?", WEATHER, parallel_tool_calls=False)))) == 1


def test_numbers_are_taken_from_the_prompt(whole: Callable[[Body], Body]) -> None:
    [(name, arguments)] = called(whole(ask("Please add the numbers 17 and 25", ADD)))
    assert name == "add"
    assert set(arguments.values()) <= {17, 25}


def test_chinese_prompts_call_too(whole: Callable[[Body], Body]) -> None:
    weather = {**WEATHER, "description": "查询城市天气"}
    assert called(whole(ask("北京和上海的天气怎么样？", weather))) == [
        ("get_weather", {"city": "北京"}),
        ("get_weather", {"city": "上海"}),
    ]


def test_behind_a_result_comes_text_that_quotes_it(whole: Callable[[Body], Body]) -> None:
    body = ask("The weather in Rome?", WEATHER)
    body["messages"] += [
        {"role": "assistant", "content": None, "tool_calls": []},
        {"role": "tool", "tool_call_id": "x", "content": "22 degrees"},
    ]
    got = whole(body)
    assert called(got) == []
    assert "22 degrees" in got["choices"][0]["message"]["content"]


def test_a_call_that_does_not_fit_the_limit_is_not_sent_by_half(whole: Callable[[Body], Body]) -> None:
    got = whole(ask("The weather in Rome?", WEATHER, max_tokens=3))
    assert called(got) == []
    assert got["choices"][0]["finish_reason"] == "length"


@pytest.mark.parametrize("parameters", [{"type": "nonsense"}, {"type": "object", "not": {}}])
def test_parameters_that_nothing_fits_are_refused(answer: Callable[[Body], Answer], parameters: Body) -> None:
    got = answer(ask("hi", {"name": "odd", "parameters": parameters}, tool_choice="required"))
    assert (got.status, json.loads(got.body)["error"]["code"]) == (400, "invalid_function_parameters")


def test_a_streamed_call_has_its_head_first(chunks: Callable[[Body], list[Body]]) -> None:
    said = [chunk["choices"][0] for chunk in chunks(ask("The weather in Rome?", WEATHER)) if chunk["choices"]]
    head, *rest = [part["delta"]["tool_calls"][0] for part in said if "tool_calls" in part["delta"]]
    assert head["function"] == {"name": "get_weather", "arguments": ""}
    assert head["type"] == "function"
    assert head["id"]
    assert all(set(piece) == {"index", "function"} for piece in rest)
    assert json.loads("".join(piece["function"]["arguments"] for piece in rest)) == {"city": "Rome"}
