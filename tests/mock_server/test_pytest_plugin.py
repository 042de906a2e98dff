"""The fixtures of the wheel, in this project and in foreign ones."""

import asyncio
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import httpx2
import pytest
from anthropic import Anthropic
from openai import AsyncOpenAI, OpenAI
from starlette.types import ASGIApp

from mock_server.testing import MockRelay
from mock_server.testing.httpx2_client import Transport

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent.parent
HELLO: Any = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
STREAM: Any = {**HELLO, "stream": True}
VIDEO: Any = {**STREAM, "model": "sora-2"}
KEY = {"authorization": "Bearer any-key"}
URL = "https://mock-relay/v1"
REPLY = "[{when: {text: Hello}, reply: Good day.}]"
RECORDING = "llama-server/chat-basic"


def test_a_client_asks_and_the_journal_tells(mock_relay: MockRelay) -> None:
    with OpenAI(base_url=mock_relay.base_url, api_key="any-key", max_retries=0) as client:
        answer = client.chat.completions.create(**HELLO)
    assert answer.choices[0].message.content
    assert len(mock_relay.journal) == 1
    assert (mock_relay.journal.last["model"], mock_relay.journal.last["status"]) == ("mock-chat", 200)
    assert json.loads(mock_relay.journal.last["request"]["body"]) == HELLO
    mock_relay.journal.clear()
    assert mock_relay.journal.entries() == []


def test_each_test_begins_with_an_empty_journal_and_no_fault(mock_relay: MockRelay) -> None:
    assert list(mock_relay.journal) == []
    mock_relay.faults("error-html")
    with pytest.raises(ValueError, match="no fault is named"):
        mock_relay.faults("no-such-fault")


@pytest.mark.relay(fault="chat-stream-done-missing", script=REPLY)
def test_a_marker_says_how_it_is(mock_relay: MockRelay) -> None:
    with OpenAI(base_url=mock_relay.base_url, api_key="any-key", max_retries=0) as client:
        chunks = list(client.chat.completions.create(**STREAM))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Good day."
    assert mock_relay.journal.wait(1, status=200)[0]["faults"] == ["chat-stream-done-missing"]
    assert "[DONE]" not in mock_relay.journal.last["response"]["body"]


def test_who_waits_in_vain_is_told_what_came(mock_relay: MockRelay) -> None:
    with pytest.raises(AssertionError, match=r"0 of 1 requests came within 0\.1 s"):
        mock_relay.journal.wait(timeout=0.1)
    with pytest.raises(AssertionError, match="asked nothing"):
        _ = mock_relay.journal.last
    with pytest.raises(ValueError, match="'colour' is unknown"):
        mock_relay.journal.entries(colour="red")


def test_claude_asks_it_too(mock_relay: MockRelay) -> None:
    asked: Any = {"model": "mock-claude", "max_tokens": 50, "messages": HELLO["messages"]}
    with Anthropic(base_url=mock_relay.url, api_key="any-key", max_retries=0) as client:
        assert client.messages.create(**asked).content


@pytest.mark.relay(recording=RECORDING)
def test_a_recording_answers_for_any_model(mock_relay: MockRelay, mock_relay_local: MockRelay) -> None:
    with httpx2.Client(base_url=mock_relay.base_url, headers=KEY) as client:
        assert client.post("/chat/completions", json=HELLO | {"model": "gpt-of-yours"}).status_code == 200
    assert mock_relay.journal.last["by"] == RECORDING
    assert len(mock_relay_local.journal) == 0, "the two are two"
    mock_relay.reset()
    assert len(mock_relay.journal) == 0


# --- httpx ----------------------------------------------------------------------------------------------------------


@pytest.mark.relay(script=REPLY, hosts=["relay.example"])
@pytest.mark.parametrize("host", ["mock-relay", "api.openai.com", "relay.example"])
def test_httpx_is_answered_without_a_network(host: str, mock_relay_httpx: MockRelay) -> None:
    with httpx.Client(base_url=f"https://{host}/v1", headers=KEY) as client:
        answer = client.post("/chat/completions", json=HELLO)
        assert answer.json()["choices"][0]["message"]["content"] == "Good day."
        with client.stream("POST", "/chat/completions", json=STREAM) as stream:
            pieces = list(stream.iter_raw())
        assert pieces[-1].endswith(b"data: [DONE]\n\n")
        assert len(pieces) > 3, "chunk by chunk"
        assert client.post("/chat/completions", json=HELLO, headers={"authorization": ""}).status_code == 401
    assert [entry["status"] for entry in mock_relay_httpx.journal] == [200, 200, 401]


def test_httpx_reaches_nobody_else(mock_relay_httpx: MockRelay) -> None:
    with pytest.raises(AssertionError, match="not mocked"):
        httpx.get("https://elsewhere.example/")

    async def ask() -> None:
        async with httpx.AsyncClient() as client:
            await client.get("https://elsewhere.example/")

    with pytest.raises(AssertionError, match="not mocked"):
        asyncio.run(ask())
    assert len(mock_relay_httpx.journal) == 0


@pytest.mark.relay(speed=1)
def test_an_httpx_client_that_leaves_is_seen(mock_relay_httpx: MockRelay) -> None:
    with (
        httpx.Client(base_url=URL, headers=KEY) as client,
        client.stream("POST", "/chat/completions", json=VIDEO) as one,
    ):
        assert next(one.iter_raw())
    [left] = mock_relay_httpx.journal.wait()
    assert left["left"]


@pytest.mark.relay(speed=1)
def test_an_async_httpx_client_times_out_and_asks_again(mock_relay_httpx: MockRelay) -> None:
    async def ask() -> None:
        async with httpx.AsyncClient(base_url=URL, headers=KEY, timeout=httpx.Timeout(20, read=0.2)) as client:
            with pytest.raises(httpx.ReadTimeout):
                await client.post("/chat/completions", json=VIDEO)
            assert (await client.post("/chat/completions", json=HELLO, timeout=20)).status_code == 200

    asyncio.run(ask())
    assert [entry["left"] for entry in mock_relay_httpx.journal.wait(2)] == [True, False]


@pytest.mark.relay(fault="tx-reset")
def test_httpx_raises_what_it_raises_over_a_socket(mock_relay_httpx: MockRelay, mock_relay: MockRelay) -> None:
    raised: list[type[Exception]] = []
    with httpx.Client(headers=KEY) as client:
        with pytest.raises(httpx.TransportError) as in_memory:
            client.post(f"{mock_relay_httpx.base_url}/chat/completions", json=STREAM)
        raised.append(in_memory.type)
    with httpx2.Client(headers=KEY) as other, pytest.raises(httpx2.TransportError) as over_socket:
        other.post(f"{mock_relay.base_url}/chat/completions", json=STREAM)
    assert raised[0].__name__ == over_socket.type.__name__


# --- httpx2 and ASGI ------------------------------------------------------------------------------------------------


@pytest.mark.relay(script=REPLY)
def test_the_official_sdk_is_answered_by_a_transport(mock_relay_httpx2: Transport, mock_relay_local: MockRelay) -> None:
    http = httpx2.Client(transport=mock_relay_httpx2)
    with OpenAI(base_url=URL, api_key="any-key", http_client=http) as client:
        chunks = list(client.chat.completions.create(**STREAM))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "Good day."
    assert mock_relay_local.journal.last["stream"]


def test_its_async_sister_too_and_many_at_once(mock_relay_httpx2: Transport, mock_relay_local: MockRelay) -> None:
    async def ask() -> list[Any]:
        http = httpx2.AsyncClient(transport=mock_relay_httpx2)
        async with AsyncOpenAI(base_url=URL, api_key="any-key", http_client=http) as client:
            return await asyncio.gather(*(client.chat.completions.create(**HELLO) for _ in range(60)))

    assert len(asyncio.run(ask())) == len(mock_relay_local.journal) == 60


@pytest.mark.relay(speed=1)
def test_an_async_client_that_is_cancelled_is_seen(mock_relay_httpx2: Transport, mock_relay_local: MockRelay) -> None:
    async def ask() -> None:
        async with httpx2.AsyncClient(transport=mock_relay_httpx2, base_url=URL, headers=KEY) as client:
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(client.post("/chat/completions", json=VIDEO), 0.3)

    asyncio.run(ask())
    [left] = mock_relay_local.journal.wait()
    assert left["left"]


@pytest.mark.relay(script=REPLY)
def test_the_application_is_asked_as_any_other(mock_relay_asgi: ASGIApp, mock_relay_local: MockRelay) -> None:
    async def ask() -> str:
        transport = httpx2.ASGITransport(mock_relay_asgi)
        async with httpx2.AsyncClient(transport=transport, base_url=URL, headers=KEY) as client:
            return (await client.post("/chat/completions", json=HELLO)).text

    assert "Good day." in asyncio.run(ask())
    assert mock_relay_local.journal.wait()[0]["by"] == "script"


# --- foreign projects -----------------------------------------------------------------------------------------------

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
    (tmp_path / "test_mine.py").write_text(FOREIGN, encoding="utf-8")
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --strict-markers -W error\n", encoding="utf-8")
    words = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *more]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=100, check=False)
    assert "4 passed, 1 error" in done.stdout, done.stdout + done.stderr
    assert "mock relay: 'speeed'" in done.stdout


WRONG = {
    "fault='no-such-fault'": "mock relay: no fault is named 'no-such-fault'",
    "'error-html'": "mock relay: @pytest.mark.relay takes words by name, as fault='error-html'",
    "script='[{reply: 1}]'": "mock relay: script: rule 1: reply: expected a text",
    "recording='llama-server/chat-basik'": "mock relay: there is no recording 'llama-server/chat-basik'; near: ",
    "recordings='nowhere'": "mock relay: recordings: 'nowhere' is no folder beside the test",
    "recordings='.'": "mock relay: ",
}


@pytest.mark.parametrize("fixture", ["mock_relay", "mock_relay_local"])
def test_what_is_asked_in_vain_is_told_in_a_line(fixture: str, pytester: pytest.Pytester) -> None:
    tests = [f"@pytest.mark.relay({said})\ndef test_{n}({fixture}): pass" for n, said in enumerate(WRONG)]
    pytester.makepyfile("import pytest\n" + "\n".join(tests))
    pytester.path.joinpath("broken.jsonl").write_text("no recording", encoding="utf-8")
    result = pytester.runpytest_subprocess("-q", "--tb=short")
    result.assert_outcomes(errors=len(WRONG))
    text = result.stdout.str()
    assert [told for told in WRONG.values() if told not in text] == []
    assert "Traceback" not in text
    assert "mock_server/" not in text, "where in our code it was is no news to a user"


def test_the_nearest_marker_has_the_word(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("""
        import pytest

        pytestmark = pytest.mark.relay(fault="error-html", seed=7)

        def test_of_the_module(_relay_wanted):
            assert (_relay_wanted.faults, _relay_wanted.start.seed) == (("error-html",), 7)

        @pytest.mark.relay(fault="tx-reset")
        def test_of_its_own(_relay_wanted):
            assert (_relay_wanted.faults, _relay_wanted.start.seed) == (("tx-reset",), 7)
    """)
    pytester.runpytest_inprocess("-q").assert_outcomes(passed=2)


@pytest.mark.parametrize("package", ["respx", "httpx"])
def test_what_is_not_installed_is_named(package: str, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(f"""
        import importlib.util
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == {package!r} else find(name, *rest)
    """)
    pytester.makepyfile("def test_it(mock_relay_httpx): pass")
    result = pytester.runpytest_subprocess("-q")
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines([f"*the fixture mock_relay_httpx needs {package}: pip install {package}*"])


def test_a_marker_is_explained(pytester: pytest.Pytester) -> None:
    pytester.runpytest_subprocess("--markers").stdout.fnmatch_lines(["@pytest.mark.relay(fault=ID,*"])


def test_a_project_that_does_not_use_it_pays_nothing() -> None:
    code = "import sys, pytest; had = set(sys.modules); import mock_server.pytest_plugin; print(set(sys.modules) - had)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(re.findall(r"'([\w.]+)'", done.stdout))
    assert "mock_server.pytest_plugin" in loaded
    assert {name.partition(".")[0] for name in loaded} <= {"mock_server"}


def test_the_example_of_the_readme_runs(pytester: pytest.Pytester) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## In a test\n")[2].partition("\n## ")[0]
    [example] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    pytester.makepyfile(example)
    pytester.runpytest_subprocess("-q", "--strict-markers").assert_outcomes(passed=example.count("def test_"))
