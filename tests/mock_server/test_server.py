"""The process: its start and stop, what is no HTTP, how connections end, and what its command line says."""

import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter, sleep

import pytest

from mock_server.library import RECORDINGS
from mock_server.process import READY, running
from mock_server.server import listen, url_of
from openapi.wire.exchange import End
from tests.mock_server.wire import Ask, Wire

VIDEO = {"model": "sora-2", "stream": True, "messages": [{"role": "user", "content": "a cat"}]}
CHAT = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}


def serve(*args: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "mock_server", *args]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


@contextmanager
def started(*args: str) -> Iterator[tuple["subprocess.Popen[str]", str]]:
    command = [sys.executable, "-u", "-m", "mock_server", "--port", "0", *args]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        try:
            yield process, process.stdout.readline().removeprefix(READY).strip().removesuffix("/v1")
        finally:
            process.kill()


# --- what is no HTTP -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "garbage",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GARBAGE\r\n\r\n",
        b"GET /v1/models HTTP/1.1\r\nno colon here\r\n\r\n",
        b"GET /v1/models\xff HTTP/1.1\r\n\r\n",
        b"POST / HTTP/1.1\r\ncontent-length: many\r\n\r\n",
        b"POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nxyz\r\n",
    ],
)
def test_malformed_http_is_400_in_the_envelope_and_the_server_lives(mock: str, ask: Ask, garbage: bytes) -> None:
    with Wire(mock) as wire:
        wire.send(garbage)
        seen = wire.answer(until_close=True)
    assert (seen.status, seen.end) == (400, End.COMPLETE)
    assert seen.error()["code"] == "invalid_http"
    assert seen.header("x-request-id")
    assert ask("GET", "/v1/models").status == 200


def test_a_connection_serves_many_requests(wire: Wire) -> None:
    request = b"GET /v1/models HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n\r\n"
    wire.send(request)
    assert wire.answer("GET").status == 200
    wire.send(request.replace(b"models", b"nope"))
    assert wire.answer("GET").status == 404
    wire.send(request)
    assert wire.answer("GET").status == 200


def test_requests_that_are_sent_together_are_answered_in_order(wire: Wire) -> None:
    request = b"GET /v1/models HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n\r\n"
    wire.send(request + request.replace(b"models", b"nope").replace(b"host", b"connection: close\r\nhost"))
    first = wire.answer("GET", until_close=True)
    assert first.status == 200
    assert first.reader.rest.startswith(b"HTTP/1.1 404 ")


def test_http_1_0_gets_no_chunks_and_a_close(wire: Wire) -> None:
    body = b'{"model":"mock-chat","stream":true,"messages":[{"role":"user","content":"Hi"}]}'
    head = b"POST /v1/chat/completions HTTP/1.0\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\n"
    wire.send(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    seen = wire.answer(until_close=True)
    assert seen.header("transfer-encoding") is None
    assert seen.body.endswith(b"data: [DONE]\n\n")
    assert seen.end is End.COMPLETE


def test_an_upgrade_that_is_not_served_is_answered_all_the_same(wire: Wire) -> None:
    wire.send(
        b"GET /v1/models HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n"
        b"connection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: eA==\r\n\r\n"
    )
    assert wire.answer("GET").status == 200


# --- how answers end -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("fault", "end", "fault_text"),
    [
        ("tx-chunked-body-cut", End.TRUNCATED, None),
        ("tx-reset", End.RESET, None),
        ("tx-chunk-size-unreadable", End.TRUNCATED, "is no chunk size"),
    ],
)
def test_broken_ends_are_on_the_wire(fault: str, end: End, fault_text: str | None) -> None:
    with running("--speed", "max", "--fault", fault) as url, Wire(url) as wire:
        body = b'{"model":"sora-2","stream":true,"messages":[{"role":"user","content":"a cat"}]}'
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n"
        wire.send(head + b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        seen = wire.answer(until_close=True)
        assert (seen.status, seen.end) == (200, end)
        assert (fault_text or "") in (seen.reader.fault or "")
        assert sum(seen.chunks) > 1000


def test_a_recording_takes_its_time_and_leaves_chunk_by_chunk(ask: Ask) -> None:
    """93 s at 20 times the speed: 4.65 s. Nothing comes early; how late it may come is left to the machine."""
    with running("--speed", "20") as url:
        seen = ask(body={}, headers=(("X-Relay-Recording", "authored/seq-3-percent-with-usage"),), url=url)
    arrivals = [at for at, _ in seen.reads]
    assert 4.6 < arrivals[-1] < 15
    assert len(seen.reads) >= 8
    for arrival, due in zip(arrivals, (1.0, 3.0, 15.0, 29.5, 46.5), strict=False):
        assert due / 20 - 0.02 < arrival < due / 20 + 5


def test_a_client_that_leaves_frees_its_stream() -> None:
    with started("--verbose") as (process, url):
        with Wire(url) as wire:
            body = b"{}"
            head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nx-relay-recording: authored/seq-6-keep-alive\r\n"
            wire.send(head + b"content-length: %d\r\n\r\n" % len(body) + body)
            wire.socket.recv(10)
        assert process.stderr
        logged = []
        for line in process.stderr:
            logged.append(line)
            if "the client left" in line:
                break
        assert "the client left" in logged[-1]


# --- start and stop --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_it_stops_at_once_and_without_a_traceback_even_while_streaming(sign: signal.Signals) -> None:
    with started() as (process, url), Wire(url) as wire:
        wire.send(b"GET / HTTP/1.1\r\nhost: m\r\nx-relay-recording: authored/seq-6-keep-alive\r\n\r\n")
        assert wire.socket.recv(10)
        before = perf_counter()
        process.send_signal(sign)
        assert process.wait(10) in {130, 128 + signal.SIGTERM}
        assert perf_counter() - before < 4
        assert process.stderr
        assert process.stderr.read() == ""


def test_a_port_in_use_is_told_in_a_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        done = serve("--port", str(taken.getsockname()[1]))
    assert done.returncode == 2
    assert re.fullmatch(r"Error: cannot listen on 127\.0\.0\.1:\d+: the port is in use\n", done.stderr)


def test_a_bad_recording_is_told_in_a_line(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_text("{}\n{}\n")
    done = serve("--recordings", str(tmp_path))
    assert done.returncode == 2
    assert re.fullmatch(r"Error: .*bad\.jsonl: line 1: .*\n", done.stderr)


def test_an_unknown_fault_is_told_with_what_is_near() -> None:
    done = serve("--fault", "tx-rest")
    assert done.returncode == 2
    assert "did you mean tx-reset" in done.stderr


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "nan"])
def test_a_speed_that_is_none_is_wrong_use(speed: str) -> None:
    assert serve("--speed", speed).returncode == 2


def test_faults_are_listed_with_what_they_break() -> None:
    done = serve("--list-faults")
    assert done.returncode == 0
    assert "tx-reset\n" in done.stdout
    assert "breaks: transport.body-complete" in done.stdout


def test_a_newcomer_is_told_what_to_do() -> None:
    with started("--fault", "tx-reset") as (process, _):
        assert process.stdout
        said = [process.stdout.readline() for _ in range(6)]
    text = "".join(said)
    assert "any (none is 401)" in text
    assert f"{len(list(RECORDINGS.rglob('*.jsonl')))}" in text
    assert "fault       tx-reset" in text
    assert "curl -N http://127.0.0.1:" in text


def test_workers_share_the_port(ask: Ask) -> None:
    with running("--workers", "2", "--speed", "max") as url:
        before = perf_counter()
        statuses = {ask("GET", "/v1/models", url=url).status for _ in range(20)}
        assert statuses == {200}
        assert perf_counter() - before < 20


def test_a_mock_that_cannot_start_says_why() -> None:
    with pytest.raises(RuntimeError, match=r"(?s)exit code 2.*no-such-fault"), running("--fault", "no-such-fault"):
        pass


@pytest.mark.parametrize(("host", "shown"), [("127.0.0.1", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::1", "[::1]")])
def test_the_url_reaches_the_socket(host: str, shown: str) -> None:
    try:
        bound = listen(host, 0)
    except OSError:
        pytest.skip("no IPv6 here")
    with bound:
        assert url_of(bound) == f"http://{shown}:{bound.getsockname()[1]}"


def test_answers_come_at_once_also_with_workers(ask: Ask) -> None:
    """Without TCP_NODELAY each takes 40 ms."""
    with running("--workers", "2", "--speed", "max") as url, Wire(url) as wire:
        request = b"GET /v1/models HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n\r\n"
        took = []
        for _ in range(21):
            before = perf_counter()
            wire.send(request)
            wire.answer("GET")
            took.append(perf_counter() - before)
    assert sorted(took)[5] < 0.03


def test_many_streams_at_once_all_arrive(mock: str, ask: Ask) -> None:
    seen = []

    def one() -> None:
        seen.append(ask(body=VIDEO))

    threads = [threading.Thread(target=one) for _ in range(30)]
    for thread in threads:
        thread.start()
        sleep(0.001)
    for thread in threads:
        thread.join()
    assert len({answer.body for answer in seen}) == 1
    assert len(seen) == 30
