"""What is asked behind a call: made from the answer, and nothing where it leads nowhere."""

from typing import Any

import pytest

from conformance.asked import legal
from conformance.plan import plan
from conformance.probe import Planned, Role
from conformance.probes import PROBES, chat, same, tools
from conformance.rules import BOOK
from conformance.target import Target
from mock_server.faults import deaf
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    answer,
    arguments,
    call,
    chat_body,
    finish,
    got,
    head,
    message,
    request,
    role,
    stream,
    whole,
)

TOOLS: dict[str, Any] = {"tools": [tools.WEATHER], "tool_choice": "required"}


def called(*calls: Any, reason: str = "tool_calls") -> Exchange:
    return whole(answer(message(None, reason, tool_calls=list(calls))), **TOOLS)


STREAMED = stream(role(), head(), arguments('{"city":'), arguments('"Oslo"}'), finish("tool_calls"), DONE, **TOOLS)


def test_the_calls_go_back_as_they_came_with_null_content_and_results() -> None:
    first = called(call('{"city":"Oslo"}', id="a"), call("{}", id="b"))
    body = tools.second_turn([first], bare=False)
    assert isinstance(body, dict)
    assert "tool_choice" not in body
    assert body["messages"] == [
        *chat_body()["messages"],
        {"role": "assistant", "content": None, "tool_calls": [call('{"city":"Oslo"}', id="a"), call("{}", id="b")]},
        {"role": "tool", "tool_call_id": "a", "content": tools.RESULT},
        {"role": "tool", "tool_call_id": "b", "content": tools.RESULT},
    ]


def test_the_fragments_of_a_stream_are_joined_and_the_next_one_streams_too() -> None:
    body = tools.second_turn([STREAMED], bare=True)
    assert isinstance(body, dict)
    assert body["stream"] is True
    assert isinstance(body["messages"], list)
    assert body["messages"][1] == {"role": "assistant", "tool_calls": [call('{"city":"Oslo"}')]}


@pytest.mark.parametrize("bare", [True, False])
def test_it_is_a_legal_request(bare: bool) -> None:
    body = tools.second_turn([STREAMED], bare=bare)
    assert legal.holds(Exchange("e1", request(body)))


@pytest.mark.parametrize(
    "first",
    [
        got(400, to=request(chat_body(**TOOLS))),
        got(None, to=request(chat_body(**TOOLS))),
        whole(**TOOLS),
        whole(answer(message(index=1)), **TOOLS),
        called(call(id=None)),
        called(call(name=None)),
        stream(DONE, **TOOLS),
    ],
)
def test_what_called_nothing_leads_nowhere(first: Exchange) -> None:
    assert tools.second_turn([first], bare=False) is None


def test_the_second_turn_is_within_what_was_planned_for_it() -> None:
    probe = PROBES["tools.result"]
    planned = Planned(1, probe, "m")
    first = Exchange("e1", probe.request("m"))
    calls = [call('{"city":"Oslo"}', id=f"call_{at:024}") for at in range(2)]
    sent = got(200, answer(message(None, "tool_calls", tool_calls=calls)), to=first.request)
    for step in probe.then:
        assert planned.leads_on(step, probe.bound(step, "m", [sent]))


def test_the_fault_that_crosses_answers_knows_the_words_of_the_probe() -> None:
    assert deaf.CROSSED == same.WORDS


def test_the_fields_of_a_row_differ_from_its_control_in_nothing_else() -> None:
    for _, plain, more in chat.FIELDS:
        assert isinstance(plain, dict)
        assert isinstance(more, dict)
        assert plain.items() <= more.items()
        assert more.keys() > plain.keys()


def test_rules_on_several_steps_are_reached_by_their_probes() -> None:
    found = plan(Target("t", "http://127.0.0.1:1", models={Role.CHAT: "m", Role.TOOLS: "m"}), BOOK, PROBES)
    reached = {rule.id for one in found.probes for rule in one.reaches(BOOK)}
    assert {name for name in BOOK if BOOK[name].over and name.partition(".")[0] in {"chat", "tools"}} <= reached
