"""What was asked, as predicates that look at nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from conformance import asked
from conformance.asked import UNKNOWN_MODEL, UNKNOWN_PATH
from conformance.rule import On
from openapi.wire.exchange import Auth, Exchange, Request
from tests.conformance.exchanges import WEATHER, chat_body, got, request

NAMED = {"type": "function", "function": {"name": "get_weather"}}


def sent(body: Any = None, **how: Any) -> Exchange:
    return got(to=request(body, **how))


def of(**members: Any) -> Exchange:
    return sent(chat_body(**members))


@pytest.mark.parametrize(
    ("choice", "kind"),
    [
        (None, "auto"),
        ("auto", "auto"),
        ("none", "none"),
        ("required", "required"),
        (NAMED, "named"),
        ({"type": "custom", "custom": {"name": "x"}}, "named"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": []}}, "auto"),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "required", "tools": []}}, "required"),
        (5, "auto"),
    ],
)
def test_the_choice_of_a_tool(choice: Any, kind: str) -> None:
    assert asked.tool_choice(of(tools=[WEATHER], tool_choice=choice)) == kind
    assert asked.tool_choice(of(tool_choice=choice)) is None


@pytest.mark.parametrize(
    ("members", "limit"),
    [
        ({}, None),
        ({"max_tokens": 5}, 5),
        ({"max_tokens": 5, "max_completion_tokens": 3}, 3),
        ({"max_tokens": None, "max_completion_tokens": 3}, 3),
        ({"max_tokens": True}, None),
        ({"max_tokens": "5"}, None),
    ],
)
def test_the_smaller_limit_counts(members: dict[str, Any], limit: int | None) -> None:
    assert asked.limit_of(of(**members)) == limit


@pytest.mark.parametrize(("n", "choices"), [(1, 1), (3, 3), (None, 1), (True, 1), (0, 1), (-1, 1), ("3", 1)])
def test_how_many_choices(n: Any, choices: int) -> None:
    assert asked.choices_of(of(n=n)) == choices


@pytest.mark.parametrize(
    ("stop", "stops"), [("a", ("a",)), (["a", "", 5, "b"], ("a", "b")), ("", ()), (None, ()), (5, ())]
)
def test_stop_sequences(stop: Any, stops: tuple[str, ...]) -> None:
    assert asked.stops_of(of(stop=stop)) == stops


@pytest.mark.parametrize(
    ("form", "kind"),
    [({"type": "json_object"}, "json_object"), ({"type": 5}, None), ("x", None), (None, None), ({}, None)],
)
def test_the_format(form: Any, kind: str | None) -> None:
    assert asked.format_of(of(response_format=form)) == kind


def test_the_model_is_of_the_body_or_of_the_path() -> None:
    assert asked.model_of(of(model="x")) == "x"
    assert asked.model_of(sent({}, path="/v1/models/org%2Fname", method="GET")) == "org/name"
    assert asked.model_of(sent({}, path="/v1/models/org%252Fname", method="GET")) == "org%2Fname"
    assert asked.model_of(of(model=5)) == ""
    assert asked.model_of(sent({}, path="/elsewhere")) == ""


def test_the_operation_is_of_the_exchange_or_of_the_path() -> None:
    assert asked.operation_of(of()) == "createChatCompletion"
    assert asked.operation_of(replace(of(), operation="createSpeech")) == "createSpeech"
    assert asked.operation_of(sent(path="/v1/nothing")) is None


LEGAL = request(chat_body())


@pytest.mark.parametrize(
    ("to", "legal"),
    [
        (LEGAL, True),
        (replace(LEGAL, auth=None), True),
        (replace(LEGAL, auth=Auth.WRONG), False),
        (replace(LEGAL, auth=Auth.NONE), False),
        (replace(LEGAL, path="/v1/nothing"), False),
        (replace(LEGAL, headers=()), False),
        (request(chat_body(), kind="application/json; charset=utf-8"), True),
        (request(chat_body(), kind="text/plain"), False),
        (request(chat_body(temperature="hot")), False),
        (request(chat_body(unknown_member=1)), True),
        (request(chat_body(model=UNKNOWN_MODEL)), False),
        (request(b"{"), False),
        (request(method="GET", path="/v1/models", kind=None), True),
        (request(method="GET", path=f"/v1/models/{UNKNOWN_MODEL}", kind=None), False),
    ],
)
def test_what_the_document_allows(to: Request, legal: bool) -> None:
    assert asked.legal.holds(got(to=to)) is legal


USAGE = {"stream": True, "stream_options": {"include_usage": True}}
HOLDS: list[tuple[On, Exchange, Exchange]] = [
    (asked.chat, of(), sent(method="GET", path="/v1/models")),
    (asked.completions, sent(path="/v1/completions"), of()),
    (asked.embeddings, sent(path="/v1/embeddings"), sent(path="/v1/completions")),
    (asked.spoken, sent(path="/v1/completions"), sent(path="/v1/embeddings")),
    (asked.models_list, sent(method="GET", path="/v1/models"), of()),
    (asked.model_retrieve, sent(method="GET", path="/v1/models/m"), of()),
    (asked.prompted, sent(path="/v1/messages"), sent(method="GET", path="/v1/models")),
    (asked.prompted, sent(path="/v1/messages/count_tokens"), sent(path="/v1/nothing")),
    (asked.streams, sent(path="/v1/messages"), sent(path="/v1/embeddings")),
    (asked.keyed, of(), sent(chat_body(), auth=Auth.NONE)),
    (asked.no_key, sent(auth=Auth.NONE), sent(auth=None)),
    (asked.wrong_key, sent(auth=Auth.WRONG), sent(auth=None)),
    (asked.streamed, of(stream=True), of(stream="true")),
    (asked.with_usage, of(**USAGE), of(stream_options={"include_usage": False})),
    (asked.with_usage, of(**USAGE), of(stream_options=[])),
    (asked.several, of(n=2), of(n=1)),
    (asked.with_stop, of(stop="a"), of(stop=[])),
    (asked.with_limit, of(max_tokens=1), of()),
    (asked.with_tools, of(tools=[WEATHER]), of(tools=[])),
    (asked.forced, of(tools=[WEATHER], tool_choice=NAMED), of(tools=[WEATHER])),
    (asked.no_tools_wanted, of(tools=[WEATHER], tool_choice="none"), of(tool_choice="none")),
    (asked.json_object, of(response_format={"type": "json_object"}), of()),
    (asked.json_schema, of(response_format={"type": "json_schema"}), of()),
    (asked.with_logprobs, of(logprobs=True), of(logprobs=1)),
    (asked.video, of(model="sora-2"), of(model="gpt-4o")),
    (asked.video, of(model="my-video-model"), of(model="glove-3")),
    (asked.video, replace(of(model="mochi-1"), probe="video.create"), of(model="mochi-1")),
    (asked.fuzzed, replace(of(), probe="fuzz.listModels.1f"), replace(of(), probe="chat.whole")),
    (asked.unknown_model, of(model=f"x-{UNKNOWN_MODEL}"), of()),
    (asked.unknown_path, sent(path=f"/v1/{UNKNOWN_PATH}"), sent(path="/v1/embeddings")),
    (asked.unknown_path, sent(path=f"/v1/{UNKNOWN_PATH}"), sent(path=f"/v1/models/{UNKNOWN_PATH}", method="GET")),
    (asked.empty_body, sent(), sent({})),
    (asked.empty_body, sent(kind=None), sent(path="/v1/models", method="GET")),
    (asked.bad_json, sent(b"{"), sent(b"{", kind="text/plain")),
    (asked.bad_json, sent(b"{"), sent(b'{"a":1,"a":2}')),
    (asked.missing_model, sent({"messages": []}), sent([])),
    (asked.missing_messages, sent({"model": "m"}), of()),
    (asked.missing_messages, sent({"model": "m"}, path="/v1/messages"), sent({"model": "m"}, path="/v1/embeddings")),
    (asked.missing_other, sent(chat_body(), path="/v1/messages"), sent({"model": "m"})),
    (asked.missing_other, sent({"model": "m"}, path="/v1/embeddings"), sent([], path="/v1/embeddings")),
    (asked.wrong_type, of(messages="hi"), of(messages=[])),
    (asked.wrong_type, of(temperature=[]), of(temperature=None)),
    (asked.faulty, sent(b"{"), of()),
]


def test_an_operation_that_nobody_knows_requires_nothing() -> None:
    unknown = Exchange("e1", Request("POST", "/v1/messages"), operation="noSuchOperation")
    assert asked.described(unknown) is None
    assert asked.required(unknown) == frozenset()


@pytest.mark.parametrize(("predicate", "yes", "no"), HOLDS, ids=[row[0].name for row in HOLDS])
def test_a_predicate_holds_and_does_not(predicate: On, yes: Exchange, no: Exchange) -> None:
    assert predicate.holds(yes) is True
    assert predicate.holds(no) is False
    assert predicate.name


@pytest.mark.parametrize(("predicate", "yes", "no"), HOLDS, ids=[row[0].name for row in HOLDS])
def test_what_came_back_makes_no_difference(predicate: On, yes: Exchange, no: Exchange) -> None:
    for exchange in (yes, no):
        bare = Exchange("e1", exchange.request, operation=exchange.operation, probe=exchange.probe)
        assert predicate.holds(bare) is predicate.holds(exchange)
