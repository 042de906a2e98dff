"""The code that a reader pastes sends what was sent, as the official SDK sends it, and holds no key."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.report.sdk import code
from mock_server.process import running
from mock_server.testing import MockRelay
from mock_server.testing.relay import over_http
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Request
from tests.conformance.report.made import HOSTILE

CHAT: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Say 'hi'\n\"now\""}]}
CLAUDE: dict[str, Json] = {"model": "mock-claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
MODEL: dict[str, Json] = {"model": "mock-instruct", "prompt": "Once"}


@pytest.fixture(scope="module")
def mock() -> Iterator[MockRelay]:
    with running("--speed", "max") as url:
        yield MockRelay(url, over_http(url))


def asked(body: Json, path: str = "/v1/chat/completions", auth: Auth = Auth.VALID) -> Request:
    return Request("POST", path, (), auth, json.dumps(body).encode())


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/chat/completions", CHAT),
        ("/v1/chat/completions", {**CHAT, "stream": True, "n": 2, "unknown": {"a": [True, None, 1.5]}, "class": 1}),
        ("/v1/completions", {**MODEL, "max_tokens": 3, "echo": False}),
        ("/v1/embeddings", {"model": "text-embedding-3-small", "input": ["a", "b"], "dimensions": 8}),
        ("/v1/messages", {**CLAUDE, "stream": True, "system": "Short."}),
    ],
)
def test_the_sdk_sends_the_same_body(mock: MockRelay, path: str, body: dict[str, Json], tmp_path: Path) -> None:
    text = code(asked(body, path), mock.base_url)
    assert text is not None
    sent = json.loads(_sent(text, mock, tmp_path))
    if path == "/v1/embeddings":
        sent.pop("encoding_format")  # the SDK's own habit
    assert sent == body


def _sent(text: str, mock: MockRelay, folder: Path) -> str:
    """The body that the mock was sent by the code."""
    script = folder / "pasted.py"
    script.write_text(text, encoding="utf-8")
    environment = {**os.environ, "RELAYPROOF_API_KEY": "sk-any", "NO_PROXY": "127.0.0.1"}
    mock.journal.clear()
    done = subprocess.run(
        [sys.executable, str(script)], env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    (entry,) = mock.journal.entries()
    assert done.returncode == 0, (done.stderr, entry)
    whole = mock.ask("GET", f"journal/{entry['number']}")
    return str(whole["request"]["body"])


def test_the_list_of_models_is_asked_for() -> None:
    text = code(Request("GET", "/v1/models", (), Auth.VALID), "https://relay.example/v1")
    assert text is not None
    assert "client.models.list()" in text
    assert "base_url='https://relay.example/v1'" in text


@pytest.mark.parametrize(
    "request_",
    [
        asked(CHAT, auth=Auth.NONE),
        asked({**CHAT, "messages": "none"}),
        asked({"model": "m"}),
        asked({**CHAT, "stream": "true"}),
        asked(CHAT, "/v1/elsewhere"),
        replace(asked(CHAT), body=b"{broken"),
        replace(asked(CHAT), body=b'{"model":"m","messages":[],"temperature":1e999}'),
        replace(asked(CHAT), method="PUT"),
        asked({**CHAT, "user": "x" * 5000}),
    ],
)
def test_what_an_sdk_does_not_send_has_no_code(request_: Request) -> None:
    assert code(request_, "https://relay.example") is None


def test_a_wrong_key_stays_wrong_and_the_right_one_is_nowhere() -> None:
    text = code(asked(CHAT, auth=Auth.WRONG), "https://relay.example")
    assert text is not None
    assert 'api_key="a-wrong-key"' in text


@pytest.mark.parametrize("text", HOSTILE[:-1], ids=[repr(text[:12]) for text in HOSTILE[:-1]])
def test_a_hostile_request_is_a_literal_of_python(text: str) -> None:
    body = json.dumps({**CHAT, "user": text, text: text}).encode("utf-8", "surrogatepass")
    pasted = code(replace(asked(CHAT), body=body), text)
    if pasted is not None:
        compile(pasted, "pasted", "exec")
