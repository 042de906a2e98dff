"""Whom we judge: base URLs, models, files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from conformance.probe import Role
from conformance.target import (
    MAX_REQUESTS,
    MAX_TOKENS,
    ConfigurationError,
    Target,
    base_of,
    is_loopback,
    models_of,
    parse_target,
    read_target,
)


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("https://relay.example", "https://relay.example"),
        ("https://relay.example/", "https://relay.example"),
        ("https://relay.example/v1", "https://relay.example"),
        ("https://relay.example/v1/", "https://relay.example"),
        ("https://relay.example//v1//", "https://relay.example"),
        ("https://relay.example/api/v1", "https://relay.example/api"),
        ("https://relay.example/api/", "https://relay.example/api"),
        ("https://relay.example/v1/openai", "https://relay.example/v1/openai"),
        ("https://relay.example/apiv1", "https://relay.example/apiv1"),
        ("http://127.0.0.1:8787/v1", "http://127.0.0.1:8787"),
        ("http://[::1]:8787", "http://[::1]:8787"),
        ("HTTPS://Relay.Example/v1", "https://Relay.Example"),
    ],
)
def test_a_base_url_loses_its_v1_and_keeps_its_prefix(url: str, base: str) -> None:
    assert base_of(url) == base
    assert base_of(base) == base


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("", "is no base URL"),
        ("relay.example/v1", "is no base URL"),
        ("ftp://relay.example", "is no base URL"),
        ("https://", "is no base URL"),
        ("https://relay.example:0", "is no base URL"),
        ("https://relay.example:99999", "is no base URL"),
        ("https://relay.example:x", "is no base URL"),
        ("http://[::1", "is no base URL"),
        ("https://relay.example/v1?key=1", "query or a fragment"),
        ("https://relay.example/#x", "query or a fragment"),
        ("https://user:pass@relay.example", "no user and password"),
        ("https://@relay.example", "no user and password"),
        ("https://relay.example/v1/chat/completions", "is an endpoint: give the base URL"),
        ("https://relay.example/models/", "is an endpoint"),
    ],
)
def test_what_is_no_base_url_is_refused(url: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        base_of(url)


@given(st.text(max_size=40))
def test_no_text_raises_anything_else(url: str) -> None:
    for one in (url, f"https://{url}", f"https://relay.example/{url}"):
        try:
            base_of(one)
        except ConfigurationError:
            continue


@pytest.mark.parametrize(
    ("url", "local"),
    [
        ("http://127.0.0.1:1", True),
        ("http://127.8.9.1", True),
        ("http://[::1]", True),
        ("http://localhost:80", True),
        ("http://a.localhost", True),
        ("http://10.0.0.1", False),
        ("https://localhost.example", False),
        ("", False),
    ],
)
def test_what_is_loopback(url: str, local: bool) -> None:
    assert is_loopback(url) is local


def test_limits_hold_beyond_loopback_unless_said_otherwise() -> None:
    away = Target("t", "https://relay.example")
    assert (away.bounded().max_requests, away.bounded().max_tokens) == (MAX_REQUESTS, MAX_TOKENS)
    said = Target("t", "https://relay.example", max_requests=0, max_tokens=9).bounded()
    assert (said.max_requests, said.max_tokens) == (0, 9)
    here = Target("t", "http://127.0.0.1:1").bounded()
    assert (here.max_requests, here.max_tokens, here.is_local) == (None, None, True)


def test_models_have_roles_and_a_bare_name_is_chat() -> None:
    assert models_of(("gpt-4o", "video=sora-2", "tools=a=b")) == {
        Role.CHAT: "gpt-4o",
        Role.VIDEO: "sora-2",
        Role.TOOLS: "a=b",
    }
    assert models_of(()) == {}


@pytest.mark.parametrize(
    ("word", "says"),
    [("chta=m", "no role 'chta'"), ("chat=", "names no model"), ("", "names no model"), ("=m", "no role")],
)
def test_a_wrong_model_is_refused(word: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        models_of((word,))


FULL = """
name = "r"
base_url = "https://relay.example/api/v1"
key_env = "KEY"
unsupported = ["n"]
max_requests = 9
max_tokens = 99
notes = "x"
[models]
chat = "m"
"""


def test_a_target_is_read_from_toml() -> None:
    assert parse_target(FULL, "file") == Target(
        "r", "https://relay.example/api", "KEY", {Role.CHAT: "m"}, frozenset({"n"}), 9, 99, "x"
    )


def test_an_empty_target_has_the_name_of_its_file() -> None:
    assert parse_target("", "file") == Target("file", "")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("name = ", "is no TOML"),
        ("max_request = 5", "max_request = 5 is not understood"),
        ("headers = { x-api-key = 'k' }", "none that is a key"),
        ("headers = { Authorization = 'Bearer k' }", "none that is a key"),
        ("headers = { x-a = 5 }", "headers holds texts"),
        ("concurrency = 0", "concurrency is one or more"),
        ("absent = [5]", "absent holds 5"),
        ("max_requests = true", "max_requests = True"),
        ("max_requests = '5'", "max_requests = '5'"),
        ("max_tokens = -1", "a limit is not negative"),
        ("base_url = 'relay'", "is no base URL"),
        ("[models]\nchta = 'm'", "no role 'chta'"),
        ("models = 5", "models = 5"),
    ],
)
def test_a_target_that_is_wrong_is_refused(text: str, says: str) -> None:
    with pytest.raises(ConfigurationError, match=says):
        parse_target(text, "file")


@pytest.mark.parametrize("name", ["apistudio", "new-suxi"])
def test_the_built_in_targets_load(name: str) -> None:
    found = read_target(name)
    assert found.models[Role.CHAT]
    assert found.key_variable
    assert Role.VIDEO not in found.models  # naming one would consent to its cost


def test_a_target_is_read_by_its_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text("base_url = 'http://127.0.0.1:1'", encoding="utf-8")
    assert read_target(str(path)) == Target("mine", "http://127.0.0.1:1")


def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    latin = tmp_path / "latin.toml"
    latin.write_bytes(b"name = '\xe9'")
    for path in (latin, tmp_path / "none.toml", tmp_path):
        with pytest.raises(ConfigurationError, match="cannot be read"):
            read_target(str(path))


def test_an_unknown_name_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ConfigurationError, match="no target 'nobody'; there are apistudio, new-suxi"):
        read_target("nobody")
