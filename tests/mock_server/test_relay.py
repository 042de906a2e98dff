"""The order of things, what each switch of the policy lets pass, and how faults compose; without a socket."""

import json
from collections.abc import Iterable
from dataclasses import replace
from itertools import product
from random import Random
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.answer import Answer, Asked
from mock_server.asking import Fields, kind_of_key, nested_deeper
from mock_server.faults import Fault
from mock_server.library import Library
from mock_server.options import Conduct
from mock_server.policy import Policy
from mock_server.relay import Relay
from mock_server.validation import Mode
from openapi import document
from openapi.wire.exchange import Auth, Exchange, Framing, Headers, Read, Request
from openapi.wire.jsonl import Recording

DOCUMENT = document.load()
T = TypeVar("T")
CHAT = "/v1/chat/completions"
HEADERS: Headers = (("content-type", "application/json"), ("authorization", "Bearer k"))
BODY = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}


def relay(*recordings: Recording, policy: Policy | None = None, faults: tuple[Fault, ...] = ()) -> Relay:
    return Relay(DOCUMENT, Library(recordings, DOCUMENT), Conduct(policy or Policy(), faults))


def ask(
    made: Relay, body: object = None, *, method: str = "POST", path: str = CHAT, headers: Headers = HEADERS
) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(BODY if body is None else body).encode()
    return made.answer(made.asked(method, path, headers, b"" if method in {"GET", "OPTIONS"} else raw))


# --- switches --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("switch", "asked", "right", "lax"),
    [
        ("check_key", {"headers": HEADERS[:1]}, 401, 200),
        ("check_model", {"body": {**BODY, "model": "gpt-9"}}, 404, 200),
        ("check_model", {"method": "GET", "path": "/v1/models/gpt-9"}, 404, 200),
        ("validate", {"body": {**BODY, "temperature": 9}}, 400, 200),
        ("known_paths", {"path": "/v1/nope"}, 404, 200),
        ("methods", {"method": "GET"}, 405, 404),
        ("media_type", {"headers": (("content-type", "text/plain"), HEADERS[1])}, 415, 200),
        ("preflight", {"method": "OPTIONS"}, 204, 405),
        ("head", {"method": "HEAD", "path": "/v1/models"}, 200, 405),
    ],
)
def test_each_switch_lets_one_thing_pass(switch: str, asked: dict[str, object], right: int, lax: int) -> None:
    assert ask(relay(), **asked).status == right  # type: ignore[arg-type]
    assert ask(relay(policy=replace(Policy(), **{switch: False})), **asked).status == lax  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_more_tokens_than_there_is_room_for_are_refused(name: str) -> None:
    made = relay(policy=Policy(context=100))
    assert ask(made, {**BODY, name: 100}).status == 200
    refused = ask(made, {**BODY, name: 101})
    assert refused.status == 400
    assert json.loads(refused.body)["error"]["code"] == "context_length_exceeded"


def test_limits_are_those_of_the_policy() -> None:
    made = relay(policy=Policy(max_depth=3, max_body=10))
    assert ask(made, {"a": [[[1]]]}).status == 413
    assert made.too_large(made.asked("POST", CHAT, HEADERS, b"")).status == 413


# --- what a head decides is found again -----------------------------------------------------------------------------

RELAYS = [
    relay(),
    relay(policy=Policy(check_key=False, validate=False)),
    relay(policy=Policy(preflight=False, head=False, media_type=False)),
    Relay(DOCUMENT, Library([], DOCUMENT), Conduct(api_key="k", mode=Mode.WARN)),
]
HEADS: list[Headers] = [
    HEADERS,
    HEADERS[:1],
    HEADERS[1:],
    (*HEADERS, ("x-relay-validate", "warn")),
    (*HEADERS, ("x-relay-validate", "off"), ("content-encoding", "br")),
    (HEADERS[0], ("authorization", "Bearer other")),
]
BODIES = [b"", b"{", json.dumps(BODY).encode(), json.dumps({**BODY, "temperature": 9, "model": 1}).encode()]


def _two(values: Iterable[T]) -> st.SearchStrategy[list[T]]:
    return st.lists(st.sampled_from(list(values)), min_size=1, max_size=2, unique=True)


@given(
    st.sampled_from(HEADS),
    st.tuples(
        _two(RELAYS),
        _two(["POST", "GET", "HEAD", "OPTIONS"]),
        _two(Auth),  # as a fault may hear it
        _two([CHAT, "/v1/models", "/v1/models/gpt-9", "/v1/messages", "/v1/nope"]),
        _two(BODIES),
    ),
    st.randoms(use_true_random=False),
)
def test_fields_that_many_requests_have_in_common_decide_nothing_of_another(
    headers: Headers, choices: tuple[list[Any], ...], random: Random
) -> None:
    requests, common = list(product(*choices)), Fields(headers)
    random.shuffle(requests)
    for made, method, auth, path, raw in requests:
        asked = made.asked(method, path, headers, raw)._replace(auth=auth)
        found, expected = made.answer(asked._replace(headers=common)), made.answer(asked)
        assert (found.status, found.names) == (expected.status, expected.names)
        assert found.status < 400 or found.body == expected.body


# --- order -----------------------------------------------------------------------------------------------------------


def test_the_path_is_told_before_the_key_and_the_key_before_the_body() -> None:
    nobody = HEADERS[:1]
    assert ask(relay(), b"{", path="/v1/nope", headers=nobody).status == 404
    assert ask(relay(), b"{", headers=nobody).status == 401
    assert ask(relay(), b"{").status == 400


CLAUDE = "/v1/messages"


@pytest.mark.parametrize(
    ("asked", "status", "kind"),
    [
        ({"path": CLAUDE, "headers": HEADERS[:1]}, 401, "authentication_error"),
        ({"path": CLAUDE, "body": BODY}, 400, "invalid_request_error"),
        ({"path": CLAUDE, "body": b"{"}, 400, "invalid_request_error"),
        ({"path": CLAUDE, "body": {**BODY, "max_tokens": 5, "model": "gpt-9"}}, 404, "not_found_error"),
        ({"path": CLAUDE, "method": "GET"}, 405, "invalid_request_error"),
        ({"path": f"{CLAUDE}/count_tokens", "headers": HEADERS[:1]}, 401, "authentication_error"),
    ],
)
def test_a_refusal_has_the_envelope_of_its_path(asked: dict[str, object], status: int, kind: str) -> None:
    answer = ask(relay(), **asked)  # type: ignore[arg-type]
    told = json.loads(answer.body)
    assert answer.status == status
    assert (told["type"], told["error"]["type"], set(told["error"])) == ("error", kind, {"type", "message"})


def test_a_body_that_is_too_large_is_refused_in_the_envelope_of_its_path() -> None:
    made = relay()
    bodies = [made.too_large(made.asked("POST", path, HEADERS, b"")).body for path in (CLAUDE, CHAT)]
    assert [json.loads(body)["error"]["type"] for body in bodies] == ["request_too_large", "invalid_request_error"]


def test_a_preflight_needs_no_key() -> None:
    headers = (("origin", "http://a.example"), ("access-control-request-method", "POST"))
    answer = ask(relay(), method="OPTIONS", headers=headers)
    assert (answer.status, answer.framing) == (204, Framing.NONE)


# --- faults ----------------------------------------------------------------------------------------------------------


def says(text: str) -> Fault:
    def answer(asked: Asked, made: Answer) -> Answer:
        return replace(made, headers=(*made.headers, ("x-said", f"{text} n={asked.object.get('n')}")))

    return Fault(text, text, (), answer=answer)


def deaf(name: str) -> Fault:
    def hears(asked: Asked) -> Asked:
        return asked._replace(body={key: value for key, value in asked.object.items() if key != name})

    return Fault(f"deaf-{name}", "", (), asked=hears)


def test_faults_speak_in_their_order_and_see_the_request_as_it_was_sent() -> None:
    answer = ask(relay(faults=(deaf("n"), says("first"), says("second"))), {**BODY, "n": 2})
    assert [value for name, value in answer.headers if name == "x-said"] == ["first n=2", "second n=2"]
    assert len(json.loads(answer.body)["choices"]) == 1


def test_deaf_faults_add_up() -> None:
    made = relay(faults=(deaf("n"), deaf("temperature")))
    assert ask(made, {**BODY, "n": 99, "temperature": "hot"}).status == 200


def test_policies_of_faults_add_up() -> None:
    lax = tuple(
        Fault(name, "", (), policy=lambda policy, name=name: replace(policy, **{name: False}))  # type: ignore[misc]
        for name in ("check_key", "check_model")
    )
    assert ask(relay(faults=lax), {**BODY, "model": "x"}, headers=HEADERS[:1]).status == 200


def test_a_fault_reaches_what_was_recorded_and_what_a_deaf_relay_matches() -> None:
    request = Request("POST", CHAT, HEADERS[:1], body=json.dumps(BODY).encode())
    recorded = Recording("authored", "", Exchange("a", request, 200, reads=(Read(0.0, b"recorded"),)))
    answer = ask(relay(recorded, faults=(deaf("n"), says("first"))), {**BODY, "n": 2})
    assert answer.body == b"recorded"
    assert ("x-said", "first n=2") in answer.headers


# --- requests --------------------------------------------------------------------------------------------------------


@given(st.integers(0, 60), st.integers(1, 50), st.text(alphabet='[]{}"\\a', max_size=20))
def test_nesting_is_counted_outside_of_strings(depth: int, limit: int, text: str) -> None:
    value: object = text
    for level in range(depth):
        value = [value] if level % 2 else {text: value}
    assert nested_deeper(json.dumps(value).encode(), limit) is (depth > limit)


@pytest.mark.parametrize(
    ("headers", "kind"),
    [
        ((), Auth.NONE),
        ((("authorization", "Bearer k"),), Auth.VALID),
        ((("authorization", "Bearer other"),), Auth.WRONG),
        ((("authorization", "Bearer k, bearer  k"),), Auth.VALID),
        ((("authorization", "Bearer k"), ("authorization", "Bearer other")), Auth.WRONG),
        ((("x-api-key", "k"),), Auth.VALID),
        ((("authorization", "Digest k"),), Auth.NONE),
    ],
)
def test_the_kind_of_the_key(headers: Headers, kind: Auth) -> None:
    assert kind_of_key(headers, "k") is kind
    assert kind_of_key(headers, None) is (Auth.NONE if kind is Auth.NONE else Auth.VALID)
