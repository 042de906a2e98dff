"""The mock in front of a live relay: what passes, what is recorded, and what is found in no file."""

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from typing import Any

import pytest

from mock_server.library import RECORDINGS
from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Exchange, Request
from openapi.wire.jsonl import read_recording
from tests.mock_server.wire import Ask, Wire, encode

ROOT = Path(__file__).parent.parent.parent
CHAT = "/v1/chat/completions"
HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
KEY = "sk-planted-0123456789abcdef"
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"


def recorded(folder: Path, count: int = 1) -> list[Exchange]:
    """The recordings in a folder, once there are so many: they are written behind the answer."""
    until = monotonic() + 10
    while len(found := sorted(folder.glob("*.jsonl"))) < count and monotonic() < until:
        sleep(0.02)
    assert len(found) == count, sorted(folder.iterdir()) if folder.exists() else folder
    return [read_recording(path.read_text(encoding="utf-8"), path.stem).exchange for path in found]


@contextmanager
def upstream(talk: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server that reads one request a connection and then talks."""
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        while True:
            try:
                connection, _ = server.accept()
            except OSError:
                return
            with connection:
                heard = b""
                while b"\r\n\r\n" not in heard:
                    heard += connection.recv(65536)
                talk(connection, heard)

    Thread(target=serve, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
    finally:
        server.close()


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def event(text: str) -> bytes:
    said = {"choices": [{"index": 0, "delta": {"content": text}}]}
    return b"data: " + json.dumps(said).encode() + b"\n\n"


NAMES = ["litellm/chat-stream", "llama-server/chat-zh-stream", "litellm/chat-n2", "authored/seq-8-truncated"]


@pytest.mark.parametrize("name", NAMES)
def test_an_answer_passes_byte_for_byte_and_is_recorded_as_it_came(name: str, tmp_path: Path) -> None:
    exchange = read_recording((RECORDINGS / f"{name}.jsonl").read_text(encoding="utf-8"), name).exchange
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "one.jsonl").write_bytes((RECORDINGS / f"{name}.jsonl").read_bytes())
    with (
        running("--recordings", str(tmp_path / "in"), "--speed", "20") as base,
        running("--record-from", f"{base}/v1", "--to", str(tmp_path / "out")) as proxy,
    ):
        seen = []
        for url in (base, proxy):
            with Wire(url) as wire:
                wire.send(encode(exchange.request))
                seen.append(wire.answer(exchange.request.method))
        direct, passed = seen
        assert (passed.status, passed.body, passed.chunks, passed.end) == (
            direct.status,
            direct.body,
            direct.chunks,
            direct.end,
        )
        unlike = {"date", "x-request-id", "connection"}
        assert [pair for pair in passed.head.headers if pair[0].lower() not in unlike] == [
            pair for pair in direct.head.headers if pair[0].lower() not in unlike
        ]
        (kept,) = recorded(tmp_path / "out")
    assert (kept.status, kept.body, kept.framing) == (exchange.status, exchange.body, direct.reader.framing)
    assert kept.end is (End.TRUNCATED if exchange.end is not End.COMPLETE else End.COMPLETE)
    assert kept.request.object == exchange.request.object
    assert kept.request.auth is Auth.VALID
    if exchange.chunks and exchange.end is End.COMPLETE:
        assert kept.chunks == exchange.chunks


def test_what_was_recorded_is_served_again_the_same(ask: Ask, mock: str, tmp_path: Path) -> None:
    body = {**HELLO, "stream": True}
    with running("--record-from", mock, "--to", str(tmp_path)) as proxy:
        first = ask(body=body, url=proxy)
        recorded(tmp_path)
    with running("--recordings", str(tmp_path), "--speed", "max") as again:
        second = ask(body=body, url=again)
    assert (second.body, second.chunks) == (first.body, first.chunks)


def test_a_stream_passes_as_it_comes_and_not_at_its_end(tmp_path: Path) -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD)
        for text in ("a", "b", "c"):
            connection.sendall(chunk(event(text)))
            sleep(0.3)
        connection.sendall(b"0\r\n\r\n")

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy, Wire(proxy) as wire:
        wire.send(encode(Request("POST", CHAT, body=b"{}")))
        seen = wire.answer()
        (kept,) = recorded(tmp_path)
    assert [data for _, data in seen.reads] == [event(text) for text in ("a", "b", "c")]
    assert seen.reads[2][0] - seen.reads[0][0] > 0.4
    assert kept.reads[2].at - kept.reads[0].at > 0.4


@pytest.mark.parametrize(
    ("said", "end", "told"),
    [
        (HEAD + b"zz\r\nabc", End.TRUNCATED, "framing: "),
        (HEAD + chunk(event("a")) + b"40\r\ndata: ", End.TRUNCATED, "ended before"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", End.TRUNCATED, "ended before"),
        (b"HTTP/1.1 200 OK\n\nbare", End.COMPLETE, None),
        (b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n", End.COMPLETE, None),
        (b"garbage\r\n\r\n", End.TRUNCATED, "framing: "),
    ],
)
def test_a_wrong_upstream_is_passed_on_and_recorded_as_it_is(
    said: bytes, end: End, told: str | None, tmp_path: Path
) -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(said)

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy:
        with socket.create_connection(("127.0.0.1", int(proxy.rpartition(":")[2])), 5) as client:
            client.sendall(encode(Request("POST", CHAT, body=b"{}")))
            came = b""
            while data := client.recv(65536):
                came += data
                if came.endswith(b"204 No Content\r\n\r\n"):
                    break
        (kept,) = recorded(tmp_path)
    assert came == said.removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
    assert kept.end is end
    assert (kept.error or "").startswith(told) if told == "framing: " else (told or "") in (kept.error or "")


MEGABYTES = int(os.environ.get("RELAYPROOF_LONG_STREAM", "8"))  # 200 takes a minute


def memory(process: int) -> int:
    """Bytes that a process holds of the machine's memory."""
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return 1024 * next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="nothing tells how much memory a process holds")
def test_a_long_stream_is_recorded_whole_and_kept_in_memory_only_in_part(tmp_path: Path) -> None:
    one = event("x" * 4000)
    piece = chunk(one) * 16
    count = (MEGABYTES << 20) // (len(one) * 16)

    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD)
        for _number in range(count):
            connection.sendall(piece)
        connection.sendall(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy:
        process, size = control(proxy, "health")["worker"], 0
        before = most = memory(process)
        with Wire(proxy) as wire:
            wire.send(encode(Request("POST", CHAT, body=b"{}")))
            while not (data := wire.socket.recv(1 << 20)).endswith(b"0\r\n\r\n"):
                if size // 1_000_000 < (size := size + len(data)) // 1_000_000:
                    most = max(most, memory(process))
        lines = written(tmp_path)
        most = max(most, memory(process)) - before
        entry = control(proxy, "journal/1")
    assert size + len(data) > count * len(piece)
    print(f"{MEGABYTES} MB passed, {most / (1 << 20):.1f} MB more are held")
    assert most < 16 << 20
    total = count * 16 * len(one) + len(b"data: [DONE]\n\n")
    assert entry["response"]["body"]["bytes"] == total
    assert len(entry["response"]["body"]["begins"]) == 64 << 10
    assert sum(len(line[1]) for line in lines[1:-1]) == total
    assert "chunks" not in lines[0]["response"] or lines[0]["response"]["chunks"] is None
    assert lines[-1]["end"] == "complete"
    with (tmp_path / "createChatCompletion-0001.jsonl").open(encoding="utf-8") as file:
        assert "x" * 4000 in file.readlines()[1]


def test_what_is_no_stream_and_too_long_is_recorded_as_it_begins(tmp_path: Path) -> None:
    body = b"x" * (65 << 20)

    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy, Wire(proxy) as wire:
        wire.send(encode(Request("POST", CHAT, body=b"{}")))
        seen = wire.answer()
        (kept,) = recorded(tmp_path)
    assert (seen.end, seen.body) == (End.COMPLETE, body)
    assert (kept.end, kept.error) == (End.CLIENT_ABORTED, "the answer was too long to be kept: this is how it began")
    assert 0 < len(kept.body) <= 1 << 20


def control(url: str, path: str) -> Any:
    asked = urllib.request.Request(f"{url}/__relay__/{path}", headers={"host": "localhost"})
    with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(asked, timeout=20) as answer:
        return json.load(answer)


def written(folder: Path) -> list[Any]:
    """The lines of the one recording, once it is whole."""
    until = monotonic() + 60
    while not (found := list(folder.glob("*.jsonl"))) and monotonic() < until:
        sleep(0.05)
    return [json.loads(line) for line in found[0].read_text(encoding="utf-8").splitlines()]


def test_a_reset_is_passed_on_as_one(tmp_path: Path) -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + chunk(event("a")))
        sleep(0.2)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy, Wire(proxy) as wire:
        wire.send(encode(Request("POST", CHAT, body=b"{}")))
        assert wire.answer(until_close=True).end is End.RESET
        (kept,) = recorded(tmp_path)
    assert (kept.end, kept.body) == (End.RESET, event("a"))


def test_nobody_there_is_a_502_in_the_envelope_and_no_recording(ask: Ask, tmp_path: Path) -> None:
    with running("--record-from", "http://127.0.0.1:9/v1", "--to", str(tmp_path)) as proxy:
        seen = ask(body=HELLO, url=proxy)
    assert (seen.status, seen.error()["code"]) == (502, "bad_gateway")
    assert list(tmp_path.iterdir()) == []


def test_a_client_that_leaves_ends_the_request_upstream_too(tmp_path: Path) -> None:
    gone: list[bool] = []

    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + chunk(event("a")))
        connection.settimeout(10)
        gone.append(connection.recv(1) == b"")

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy:
        with Wire(proxy) as wire:
            wire.send(encode(Request("POST", CHAT, body=b"{}")))
            assert wire.socket.recv(65536)
        (kept,) = recorded(tmp_path)
    assert (kept.end, kept.body) == (End.CLIENT_ABORTED, event("a"))
    assert gone == [True]


def test_a_fault_is_for_the_client_and_the_recording_has_what_came(ask: Ask, mock: str, tmp_path: Path) -> None:
    with running("--record-from", mock, "--to", str(tmp_path)) as proxy:
        fault = (("x-relay-fault", "chat-stream-done-missing"),)
        seen = ask(body={**HELLO, "stream": True}, headers=fault, url=proxy)
        suffixed = ask(body={**HELLO, "stream": True, "model": "mock-chat+chat-stream-done-missing"}, url=proxy)
        first, second = recorded(tmp_path, 2)
    assert b"[DONE]" not in seen.body + suffixed.body
    assert b"[DONE]" in first.body
    assert b"[DONE]" in second.body
    assert second.request.object["model"] == "mock-chat"


def test_a_script_answers_before_the_upstream_does(ask: Ask, mock: str, tmp_path: Path) -> None:
    (tmp_path / "s.yaml").write_text("[{when: {text: Hello}, reply: Mine.}]", encoding="utf-8")
    with running("--record-from", mock, "--to", str(tmp_path), "--script", str(tmp_path / "s.yaml")) as proxy:
        assert b"Mine." in ask(body=HELLO, url=proxy).body
        assert ask("GET", "/v1/models", url=proxy).status == 200
        (kept,) = recorded(tmp_path)
    assert kept.request.path == "/v1/models"


def test_the_key_goes_to_the_upstream_or_another_in_its_place(
    ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[bytes] = []

    def talk(connection: socket.socket, request: bytes) -> None:
        heard.append(request)
        connection.sendall(b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n")

    monkeypatch.setenv("THEIR_KEY", "sk-of-the-upstream-0123456789")
    with upstream(talk) as base:
        with running("--record-from", f"{base}/prefix/v1", "--to", str(tmp_path / "a")) as proxy:
            ask(body=HELLO, key=KEY, headers=(("x-relay-seed", "0"), ("x-mine", "1")), url=proxy)
            (kept,) = recorded(tmp_path / "a")
        arguments = ("--record-from", base, "--to", str(tmp_path / "b"), "--upstream-key-env", "THEIR_KEY")
        with running(*arguments) as proxy:
            ask(body=HELLO, key=KEY, url=proxy)
            recorded(tmp_path / "b")
    assert b"authorization: Bearer " + KEY.encode() in heard[0]
    assert heard[0].startswith(b"POST /prefix/v1/chat/completions HTTP/1.1\r\n")
    assert b"x-mine: 1" in heard[0]
    assert b"x-relay" not in heard[0]
    assert KEY.encode() not in heard[1]
    assert b"authorization: Bearer sk-of-the-upstream-0123456789" in heard[1]
    assert kept.request.auth is Auth.WRONG


def test_no_secret_reaches_a_file(ask: Ask, tmp_path: Path) -> None:
    """Planted in headers, cookies, query and body, and echoed plain, escaped, over reads and over events."""
    planted = {"query": "qu3ry-0123456789", "cookie": "c00kie-0123456789", "member": "m3mber-0123456789"}
    escaped = "".join(f"\\u{ord(one):04x}" for one in KEY)

    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD.replace(b"\r\n\r\n", b"\r\nSet-Cookie: s=th3irs-0123456789; Path=/\r\n\r\n"))
        connection.sendall(chunk(event(f"plain {KEY} {planted['query']}")))
        connection.sendall(chunk(event("HERE").replace(b"HERE", escaped.encode())))
        whole = event(f"split {planted['cookie']} {planted['member']}")
        for at in range(0, len(whole), 7):
            connection.sendall(chunk(whole[at : at + 7]))
            sleep(0.01)
        for letter in KEY:
            connection.sendall(chunk(event(letter)))
            sleep(0.005)
        connection.sendall(chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")

    with upstream(talk) as base, running("--record-from", base, "--to", str(tmp_path)) as proxy:
        ask(
            path=f"{CHAT}?api_key={planted['query']}",
            body={**HELLO, "metadata": {"password": planted["member"]}},
            headers=(("cookie", f"a={planted['cookie']}"),),
            key=KEY,
            url=proxy,
        )
        (kept,) = recorded(tmp_path)
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    for secret in (*planted.values(), KEY, escaped, KEY[8:], "th3irs"):
        assert secret not in text, secret
    said = [json.loads(message.data) for message in kept.messages if message.data != "[DONE]"]
    assert KEY not in "".join(one["choices"][0]["delta"]["content"] for one in said)
    assert "relayproof:key" in text


def test_a_process_that_is_killed_leaves_a_prefix_without_secrets(tmp_path: Path) -> None:
    def talk(connection: socket.socket, _: bytes) -> None:
        connection.sendall(HEAD + chunk(event("one ")))
        sleep(0.3)  # what comes with the beginning of a secret waits for its end
        connection.sendall(chunk(event(f"two {KEY} ")))
        for letter in KEY[:-1]:
            connection.sendall(chunk(event(letter)))
        sleep(30)

    arguments = [sys.executable, "-m", "mock_server", "--port", "0", "--to", str(tmp_path), "--record-from"]
    with upstream(talk) as base:
        process = subprocess.Popen([*arguments, base], cwd=ROOT, stdout=subprocess.PIPE, text=True)
        assert process.stdout
        url = process.stdout.readline().split()[-1].removesuffix("/v1")
        with Wire(url) as wire:
            wire.send(
                encode(
                    Request("POST", CHAT, (("content-type", "application/json"),), body=json.dumps(HELLO).encode()), KEY
                )
            )
            came = b""
            while event(KEY[-2]) not in came:
                came += wire.socket.recv(65536)
            os.kill(process.pid, signal.SIGKILL)
            process.wait()
            process.stdout.close()
        (part,) = tmp_path.iterdir()
        assert part.name.endswith(".part")
        assert KEY[:12] not in part.read_text(encoding="utf-8")
        with running("--record-from", base, "--to", str(tmp_path)):
            (kept,) = recorded(tmp_path)
    assert (kept.end, kept.request.object) == (End.TRUNCATED, HELLO)
    assert kept.body.startswith(event("one "))
    assert "cut short" in (kept.error or "")
    assert len(list(tmp_path.iterdir())) == 1


@pytest.mark.parametrize(
    "url",
    [
        "relay.example",
        "ftp://a/",
        "http://",
        "http://u:p@a/",
        "http://a/?x=1",
        "http://a:x/",
        "http://ä/",
        "http://a/b c",
    ],
)
def test_what_is_no_base_url_is_told_in_one_line(url: str, tmp_path: Path) -> None:
    arguments = [sys.executable, "-m", "mock_server", "--port", "0", "--to", str(tmp_path), "--record-from", url]
    told = subprocess.run(arguments, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert told.returncode == 2
    assert len(told.stderr.splitlines()) == 1
