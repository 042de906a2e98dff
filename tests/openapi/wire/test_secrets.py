"""What is secret in what goes over a wire."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openapi.json_text import Json
from openapi.wire import secrets
from openapi.wire.redaction import MARK, mark

KEY = "sk-planted-0123456789"


@pytest.mark.parametrize(
    "name",
    [
        "Authorization",
        "x-api-key",
        "Cookie",
        "set-cookie",
        "X-Auth-Token",
        "api-key",
        "x-goog-api-key",
        "x-portkey-api-key",
        "x-portkey-virtual-key",
        "X-Portkey-Config",
    ],
)
def test_headers_that_hold_secrets(name: str) -> None:
    assert secrets.is_secret_header(name)


@pytest.mark.parametrize(
    "name",
    [
        "WWW-Authenticate",
        "content-type",
        "x-ratelimit-remaining-tokens",
        "anthropic-ratelimit-tokens-limit",
        "x-litellm-key-spend",
        "Access-Control-Allow-Credentials",
        "x-portkey-provider",
        "x-portkey-cache-status",
    ],
)
def test_headers_that_do_not(name: str) -> None:
    assert not secrets.is_secret_header(name)


@pytest.mark.parametrize(
    ("headers", "found"),
    [
        ((("authorization", f"Bearer {KEY}"),), {f"Bearer {KEY}", KEY}),
        ((("x-api-key", KEY),), {KEY}),
        ((("authorization", f"Bearer {KEY}, Bearer {KEY}2"),), {KEY, f"{KEY}2"}),
        ((("cookie", "a=first-secret; b=x; c=second-secret"),), {"first-secret", "second-secret"}),
        ((("authorization", "Basic b25lOnR3by1zZWNyZXQ="),), {"b25lOnR3by1zZWNyZXQ=", "one:two-secret", "two-secret"}),
        ((("authorization", "Basic no base64!"),), {"base64!"}),
        ((("x-api-key", "short"), ("content-type", "application/json")), set()),
    ],
)
def test_what_headers_present(headers: tuple[tuple[str, str], ...], found: set[str]) -> None:
    presented = secrets.presented(headers)
    assert presented >= found
    assert bool(presented) == bool(found)


def test_what_a_query_presents() -> None:
    path = "/v1/x?key=query-secret&page=of-no-secret&access_token=another%2Dsecret"
    assert secrets.presented((), path) == {"query-secret", "another-secret"}


@pytest.mark.parametrize(
    ("body", "found"),
    [
        ({"api_key": KEY, "text": "no secret at all"}, {KEY}),
        ({"a": [{"password": "pass-0123"}, {"b": {"client_secret": "cs-01234"}}]}, {"pass-0123", "cs-01234"}),
        ({"tokens": ["one-token-01", "two-token-02"], "auth_tokens": ["three-token"]}, {"three-token"}),
        ({"max_tokens": "123456789", "token": 5, "monkey": "not-a-secret"}, set()),
        ({"told": '{"password": "in-a-text-01"}'}, {"in-a-text-01"}),
        ([None, 1, "text"], set()),
        (None, set()),
    ],
)
def test_what_a_body_presents(body: Json, found: set[str]) -> None:
    assert secrets.presented((), "", body) == found


def test_a_redactor_takes_all_of_them_out() -> None:
    taken = secrets.redactor((("x-api-key", KEY),), "/?key=query-secret", {"password": "pass-0123"}, ["more-secret"])
    text = taken.text(f"{KEY} query-secret pass-0123 more-secret")
    assert text.count(MARK) == 4


def test_of_a_secret_header_the_mark_alone_is_shown() -> None:
    taken = secrets.redactor((("x-api-key", KEY),))
    shown = secrets.shown_headers(
        (("X-Api-Key", KEY), ("x-echo", f"it was {KEY}"), ("x-other", "AIza" + "a" * 35)), taken
    )
    assert shown == (("X-Api-Key", mark(0)), ("x-echo", f"it was {mark(len(KEY))}"), ("x-other", mark(39)))


def test_what_looks_like_a_secret_is_told_by_kind_and_place() -> None:
    assert list(secrets.looks(f"it is {KEY}.")) == [secrets.Look("an API key", 6, 6 + len(KEY))]
    assert list(secrets.looks(f"Bearer {mark(40)} and sk-short")) == []


@given(st.text(max_size=80))
def test_what_is_hidden_looks_like_nothing(text: str) -> None:
    hidden = secrets.hidden(f"{text} {KEY} {text}")
    assert list(secrets.looks(hidden)) == []
    assert secrets.hidden(hidden) == hidden


@given(st.binary(max_size=60))
def test_bytes_of_any_encoding_keep_their_length(data: bytes) -> None:
    whole = data + b" " + KEY.encode() + b" " + data
    assert len(secrets.hidden_bytes(whole)) == len(whole)
