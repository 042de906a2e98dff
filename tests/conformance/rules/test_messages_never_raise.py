"""Whatever a relay sends in Claude's protocol and whatever was asked, no check raises."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.conformance.claude import (
    PATH,
    STOP,
    WEATHER,
    ask,
    begin,
    block,
    body,
    call,
    delta,
    end,
    ending,
    failure,
    message,
    named,
    spoken,
    start,
    used,
)
from tests.conformance.exchanges import DONE, got, request
from tests.conformance.rules.test_no_check_raises import broken, mutants, values

ASKED: tuple[dict[str, Any], ...] = (
    {},
    {"tools": [WEATHER], "tool_choice": {"type": "any"}, "stop_sequences": ["a"]},
    {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "get_weather"}},
    {"tools": [WEATHER, {"type": "web_search_20250305", "name": "x"}], "tool_choice": {"type": "none"}},
    {"tools": [{"name": "get_weather", "input_schema": {"type": "object", "properties": 5}}]},
    {"thinking": {"type": "enabled", "budget_tokens": 1024}},
)
PIECES = (
    start(),
    *block(),
    *call('{"city":"Rome"}', index=1),
    begin({"type": "thinking", "thinking": ""}),
    delta("signature_delta", signature="x"),
    end(),
    ending(),
    ending("tool_use"),
    STOP,
    failure(),
)
ANSWERS = (message(), message(used(), reason="tool_use"), message({"type": "thinking", "thinking": "x"}), failure())
UNHURRIED = settings(max_examples=200, suppress_health_check=[HealthCheck.too_slow])

events = st.one_of(mutants(PIECES), st.sampled_from(PIECES), values, st.just(DONE), st.binary(max_size=30))


@UNHURRIED
@given(st.sampled_from(ASKED), st.lists(events.map(named), max_size=8))
def test_no_check_raises_on_a_stream(asked: dict[str, Any], sent: list[Any]) -> None:
    assert broken(spoken(start(), *sent, STOP, to=ask(stream=True, **asked))) == []


@UNHURRIED
@given(st.sampled_from(ASKED), mutants(ANSWERS), st.sampled_from([200, 200, 400, 529]))
def test_no_check_raises_on_a_whole_answer(asked: dict[str, Any], sent: Any, status: int) -> None:
    assert broken(got(status, sent, to=ask(**asked))) == []


@UNHURRIED
@given(mutants([body(**more) for more in ASKED]), st.sampled_from([PATH, f"{PATH}/count_tokens"]), mutants(ANSWERS))
def test_no_check_raises_whatever_was_asked(asked: Any, path: str, sent: Any) -> None:
    assert broken(got(200, sent, to=request(asked, path=path))) == []


@pytest.mark.parametrize("depth", [200, 900, 990])
@pytest.mark.parametrize("place", ["content", "usage", "message", "delta", "error", "input_tokens"])
def test_no_depth_of_nesting_raises(depth: int, place: str) -> None:
    data = '{"type":"message_start","index":0,"' + place + '":' + "[" * depth + "]" * depth + "}"
    assert broken(spoken(start(), data, to=ask(stream=True))) == []
    assert broken(got(200, data.encode(), to=ask())) == []
    assert broken(got(200, data.encode(), to=ask(f"{PATH}/count_tokens"))) == []
