"""The fixtures of the wheel, in this project and in a foreign one."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from anthropic import Anthropic
from openai import OpenAI

from mock_server.testing import MockRelay

ROOT = Path(__file__).parent.parent.parent
HELLO: Any = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
KEY = {"authorization": "Bearer any-key"}


def test_a_client_asks_and_the_journal_tells(mock_relay: MockRelay) -> None:
    with OpenAI(base_url=mock_relay.base_url, api_key="any-key", max_retries=0) as client:
        answer = client.chat.completions.create(**HELLO)
    assert answer.choices[0].message.content
    assert len(mock_relay.journal) == 1
    assert (mock_relay.journal.last["model"], mock_relay.journal.last["status"]) == ("mock-chat", 200)
    assert json.loads(mock_relay.journal.last["request"]["body"]) == HELLO


def test_each_test_begins_with_an_empty_journal_and_no_fault(mock_relay: MockRelay) -> None:
    assert list(mock_relay.journal) == []
    mock_relay.faults("error-html")
    with pytest.raises(ValueError, match="no fault is named"):
        mock_relay.faults("no-such-fault")


@pytest.mark.relay(fault="chat-stream-done-missing", script="[{when: {text: Hello}, reply: Good day.}]")
def test_a_marker_says_how_it_is(mock_relay: MockRelay) -> None:
    with OpenAI(base_url=mock_relay.base_url, api_key="any-key", max_retries=0) as client:
        chunks = list(client.chat.completions.create(**HELLO, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Good day."
    assert mock_relay.journal.wait(1, status=200)[0]["faults"] == ["chat-stream-done-missing"]
    assert "[DONE]" not in mock_relay.journal.last["response"]["body"]


def test_who_waits_in_vain_is_told_what_came(mock_relay: MockRelay) -> None:
    with pytest.raises(AssertionError, match=r"0 of 1 requests came within 0\.1 s"):
        mock_relay.journal.wait(timeout=0.1)
    with pytest.raises(AssertionError, match="asked nothing"):
        _ = mock_relay.journal.last


def test_claude_asks_it_too(mock_relay: MockRelay) -> None:
    asked: Any = {"model": "mock-claude", "max_tokens": 50, "messages": HELLO["messages"]}
    with Anthropic(base_url=mock_relay.url, api_key="any-key", max_retries=0) as client:
        assert client.messages.create(**asked).content


@pytest.mark.relay(script="[{when: {text: Hello}, reply: Good day.}]")
def test_httpx_is_answered_without_a_network(mock_relay_httpx: object) -> None:
    with httpx.Client(base_url="https://mock-relay/v1", headers=KEY) as client:
        answer = client.post("/chat/completions", json=HELLO)
        assert answer.json()["choices"][0]["message"]["content"] == "Good day."
        with client.stream("POST", "/chat/completions", json={**HELLO, "stream": True}) as stream:
            assert [line for line in stream.iter_lines() if line][-1] == "data: [DONE]"
        assert client.post("/chat/completions", json=HELLO, headers={"authorization": ""}).status_code == 401
    assert mock_relay_httpx is not None


async def _of(transport: httpx2.AsyncBaseTransport) -> tuple[int, str]:
    async with httpx2.AsyncClient(transport=transport, base_url="https://mock-relay/v1", headers=KEY) as client:
        answer = await client.post("/chat/completions", json={**HELLO, "stream": True})
        return answer.status_code, answer.text


@pytest.mark.relay(fault="chat-stream-done-missing")
def test_httpx2_is_answered_by_a_transport(mock_relay_httpx2: httpx2.AsyncBaseTransport) -> None:
    import asyncio  # noqa: PLC0415

    status, text = asyncio.run(_of(mock_relay_httpx2))
    assert (status, "[DONE]" in text) == (200, False)


FOREIGN = """
import json, urllib.request, pytest

def ask(relay, **more):
    body = json.dumps({"model": "mock-chat", "messages": [{"role": "user", "content": "Hi"}], **more}).encode()
    headers = {"authorization": "Bearer k", "content-type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{relay.base_url}/chat/completions", body, headers)) as answer:
        return answer.read()

@pytest.mark.relay(fault="chat-stream-done-missing")
@pytest.mark.parametrize("turn", range(3))
def test_a_stream_without_an_end(mock_relay, turn):
    assert b"[DONE]" not in ask(mock_relay, stream=True)
    assert len(mock_relay.journal) == 1

def test_a_stream_with_one(mock_relay):
    assert b"[DONE]" in ask(mock_relay, stream=True)

@pytest.mark.relay(speeed="max")
def test_a_word_that_is_unknown(mock_relay):
    pass
"""


@pytest.mark.parametrize("more", [(), ("-n", "2"), ("--import-mode=importlib",)], ids=" ".join)
def test_a_foreign_project_has_the_fixtures(more: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text(textwrap.dedent(FOREIGN), encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers\n", encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert "4 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "mock relay: 'speeed'" in done.stdout
