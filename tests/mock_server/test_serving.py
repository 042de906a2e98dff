"""How it is served: over TLS, under other names of models, with files that change, and how much time an end gives."""

import json
import re
import shutil
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from time import monotonic, perf_counter, sleep

import httpx2
import pytest
import trustme

from mock_server import greeting, tls
from mock_server.library import RECORDINGS
from mock_server.options import Options
from mock_server.process import running
from mock_server.upstream import parse
from openapi.wire.exchange import End
from tests.mock_server.test_server import CHAT, VIDEO, serve, started
from tests.mock_server.wire import Ask, Wire

ROOT = Path(tls.__file__).parent.parent
RECORDING = "authored/seq-3-percent-with-usage"
PICKED = {"x-relay-recording": RECORDING}
KEY = {"authorization": "Bearer k"}


def until(holds: Callable[[], bool], patience: float = 20.0) -> None:
    """Waits for what another process does in its own time."""
    end = monotonic() + patience
    while not holds():
        assert monotonic() < end
        sleep(0.05)


# --- TLS -------------------------------------------------------------------------------------------------------------


def test_a_certificate_is_made_for_the_run_and_gone_after_it() -> None:
    with started("--tls", "--speed", "max") as (process, url):
        assert url.startswith("https://127.0.0.1:")
        assert process.stdout
        lines = [process.stdout.readline() for _ in range(5)]
        found = re.search(r"trust +(\S+\.pem)", "".join(lines))
        assert found
        authority = Path(found[1])
        assert not (authority.parent / "certificate.pem").stat().st_mode & 0o077
        with httpx2.Client(verify=ssl.create_default_context(cafile=str(authority))) as client:
            over_tls = client.post(f"{url}/v1/chat/completions", json={}, headers=PICKED).content
        process.send_signal(signal.SIGTERM)
        process.wait(10)
    assert not authority.parent.exists()
    with running("--speed", "max") as other:
        assert httpx2.post(f"{other}/v1/chat/completions", json={}, headers=PICKED).content == over_tls


def test_a_certificate_of_ones_own_and_a_reset_under_it(tmp_path: Path) -> None:
    authority = trustme.CA()
    leaf = authority.issue_cert("relay.test", "127.0.0.1")
    leaf.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    leaf.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    authority.cert_pem.write_to_path(str(tmp_path / "authority.pem"))
    trusting = ssl.create_default_context(cafile=str(tmp_path / "authority.pem"))
    options = ("--tls", str(tmp_path / "cert.pem"), "--tls-key", str(tmp_path / "key.pem"), "--speed", "max")
    with running(*options) as url, httpx2.Client(verify=trusting, headers=KEY) as client:
        assert client.post(f"{url}/v1/chat/completions", json=CHAT).status_code == 200
        with pytest.raises(httpx2.TransportError):
            client.post(f"{url}/v1/chat/completions", json=VIDEO, headers={"x-relay-fault": "tx-reset"})
        assert client.get(f"{url}/v1/models").status_code == 200


@pytest.mark.parametrize("words", [("--tls", str(Path(__file__))), ("--tls", "/nowhere.pem"), ("--tls-key", __file__)])
def test_what_is_no_certificate_is_told_in_a_line(words: tuple[str, ...]) -> None:
    done = serve("--port", "0", *words)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)


@pytest.mark.parametrize("option", ["--to", "--upstream-key-env"])
def test_what_is_of_a_relay_in_front_needs_one(option: str) -> None:
    done = serve("--port", "0", option, "mine")
    assert (done.returncode, done.stderr) == (2, f"Error: {option} needs --record-from\n")


def test_recordings_in_front_of_a_relay_are_said_to_be_for_scripts(tmp_path: Path) -> None:
    options = Options(upstream=parse("http://127.0.0.1:9"), record_to=tmp_path, recordings=tmp_path)
    told = "\n".join(greeting.lines("http://m", options, 3, 0))
    assert "3, for the rules of a script alone" in told
    assert "script alone" not in "\n".join(greeting.lines("http://m", replace(options, recordings=None), 3, 0))


def test_a_key_of_another_certificate_is_refused(tmp_path: Path) -> None:
    one, other = tls.made(tmp_path, []), tmp_path / "other"
    other.mkdir()
    with pytest.raises(tls.TlsError, match="no certificate and key"):
        tls.given(one.certificate, tls.made(other, []).certificate)


# --- other names of models -------------------------------------------------------------------------------------------


def test_who_asks_for_an_alias_is_answered_as_by_its_model(ask: Ask) -> None:
    with running("--speed", "max", "--alias", "gpt-4o=mock-chat", "--alias", "my-video=sora-2") as url:
        listed = {model["id"] for model in json.loads(ask("GET", "/v1/models", url=url).body)["data"]}
        assert {"gpt-4o", "my-video", "mock-chat"} <= listed
        said = json.loads(ask(body={**CHAT, "model": "gpt-4o"}, url=url).body)
        assert said["choices"] == json.loads(ask(body=CHAT, url=url).body)["choices"]
        assert ask(body={**VIDEO, "model": "my-video+tx-reset"}, url=url).end is End.RESET
        assert ask(body={**CHAT, "model": "gpt-4"}, url=url).status == 404


def test_an_alias_of_no_model_is_wrong_use() -> None:
    done = serve("--port", "0", "--alias", "gpt-4o=mok-reasoner")
    assert (done.returncode, "did you mean mock-reasoner?" in done.stderr) == (2, True)
    assert serve("--alias", "gpt-4o").returncode == 2


# --- files that change -----------------------------------------------------------------------------------------------


def test_recordings_and_the_script_are_read_again_when_they_change(tmp_path: Path, ask: Ask) -> None:
    folder, script = tmp_path / "recordings", tmp_path / "script.yaml"
    folder.mkdir()
    shutil.copy(RECORDINGS / f"{RECORDING}.jsonl", folder / "one.jsonl")
    script.write_text("[{when: {model: mock-chat}, reply: before}]")

    def names() -> list[str]:
        return [one["name"] for one in httpx2.get(f"{url}/__relay__/recordings").json()]

    def reply() -> str:
        return str(json.loads(ask(body=CHAT, url=url).body)["choices"][0]["message"]["content"])

    with running("--recordings", str(folder), "--script", str(script), "--watch", "--speed", "max") as url:
        count = len(names())
        assert reply() == "before"
        shutil.copy(RECORDINGS / f"{RECORDING}.jsonl", folder / "two.jsonl")
        until(lambda: len(names()) == count + 1)
        script.write_text("[{when: {model: mock-chat}, reply: after}]")
        until(lambda: reply() == "after")
        (folder / "bad.jsonl").write_text("no recording\n")
        script.write_text("[{when: {model: mock-chat}, reply: at last}]")
        until(lambda: reply() == "at last")
        assert len(names()) == count + 1  # what cannot be read changes nothing


# --- an end ----------------------------------------------------------------------------------------------------------


def test_answers_under_way_get_the_time_that_is_granted(tmp_path: Path) -> None:
    head = b"GET / HTTP/1.1\r\nhost: m\r\nx-relay-recording: authored/seq-3-percent-with-usage\r\n\r\n"
    with started("--speed", "40", "--grace", "30") as (process, url), Wire(url) as wire:
        wire.send(head)
        assert wire.socket.recv(10)
        before = perf_counter()
        process.send_signal(signal.SIGTERM)
        came = b""
        while piece := wire.socket.recv(65536):
            came += piece
        assert came.endswith(b"0\r\n\r\n")
        assert process.wait(10) == 128 + signal.SIGTERM
        assert perf_counter() - before > 1  # 93 s at 40 times the speed


@pytest.mark.parametrize("workers", ["1", "2"])
def test_it_ends_with_whoever_started_it_also_where_that_is_killed(workers: str) -> None:
    code = f"""
from mock_server.process import running
with running("--speed", "max", "--workers", "{workers}") as url:
    print(url, flush=True)
    input()
"""
    with subprocess.Popen(
        [sys.executable, "-c", code], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as parent:
        assert parent.stdout
        url = parent.stdout.readline().strip()
        assert httpx2.get(f"{url}/v1/models", headers=KEY).status_code == 200
        parent.kill()
    until(lambda: not _is_served(url), 10)


def _is_served(url: str) -> bool:
    try:
        httpx2.get(f"{url}/v1/models", headers=KEY)
    except httpx2.TransportError:
        return False
    return True
