"""A proxy whose upstream is hostile or broken: the client is told, the proxy lives and keeps no more than it may."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from time import monotonic, sleep

import pytest

from mock_server import recorder
from mock_server.passing import MOST
from openapi.wire.exchange import End, Exchange, Request
from openapi.wire.jsonl import read_recording
from tests.fuzz.storm import Watched, watched
from tests.mock_server.capture import captured
from tests.system.hostile import JSON, SSE, Connection, Relay, bomb, chunk, error, floods, head, sends, serving

CHUNKED = "Transfer-Encoding: chunked"
EVENT = b"data: {}\n\n"
SMALL = Request("POST", "/v1/chat/completions", (("content-type", "application/json"),), body=b'{"model":"m"}')
LARGE = Request("POST", "/v1/chat/completions", (("content-type", "application/json"),), body=b"x" * 4_000_000)
MB = 1 << 20


def refuses_early(connection: Connection) -> None:
    """Answers what it has not read, and closes: a reset goes out behind the answer."""
    connection.sock.recv(1000)
    connection.send(error(413, "too large"))


def resets(first: bytes) -> Relay:
    """Sends this and breaks the connection."""

    def relay(connection: Connection) -> None:
        connection.send(first)
        connection.wait(0.1)
        connection.reset()

    return relay


def kept_of(folder: Path) -> Exchange | None:
    """What was recorded, where it was."""
    files = list(folder.iterdir())
    assert len(files) <= 1
    assert not [path for path in files if path.suffix != ".jsonl"]
    return read_recording(files[0].read_text(encoding="utf-8"), "").exchange if files else None


def through(relay: Relay, request: Request, folder: Path, look: Callable[[Watched], None] = lambda _: None) -> Exchange:
    """What a client gets through a proxy, which answers others afterwards and has opened nothing else."""
    with serving(relay, unread=request is LARGE) as server:
        words = ("--record-from", server.url, "--to", str(folder), "--journal", "5")
        with watched(*words, allowed=(str(folder),)) as proxy:
            came = captured(proxy.url, request, patience=10)
            assert proxy.healthy()
            until = monotonic() + 10
            while list(folder.glob("*.part")) and monotonic() < until:  # it is written behind the answer
                sleep(0.01)
            assert proxy.opened == []
            assert "Traceback" not in proxy.said
            look(proxy)
    return came


@pytest.mark.parametrize(
    ("first", "status", "end"),
    [
        (b"", None, End.RESET),
        (b"HTTP/1.1 200 OK\r\nContent-", None, End.RESET),
        (head(200, SSE, CHUNKED), 200, End.RESET),
        (head(200, SSE, CHUNKED) + chunk(EVENT), 200, End.RESET),
        (head(200, SSE, CHUNKED) + chunk(EVENT)[:-4], 200, End.RESET),
        (head(200, SSE, CHUNKED) + chunk(EVENT) + b"0\r\n", 200, End.RESET),
        (head(200, SSE, CHUNKED) + chunk(EVENT) + b"0\r\n\r\n", 200, End.COMPLETE),
    ],
)
def test_a_reset_at_each_stage_is_passed_on_and_recorded(
    first: bytes, status: int | None, end: End, tmp_path: Path
) -> None:
    came = through(resets(first), SMALL, tmp_path)
    assert (came.status, came.end) == (status, end)
    kept = kept_of(tmp_path)
    assert kept
    assert (kept.status, kept.end, kept.body) == (status, end, came.body)


def test_an_answer_that_comes_before_the_request_is_whole_is_not_lost(tmp_path: Path) -> None:
    came = through(refuses_early, LARGE, tmp_path)
    assert (came.status, came.end) == (413, End.COMPLETE)


@pytest.mark.parametrize(
    ("relay", "told"),
    [
        (floods(b"", b"HTTP/1.1 103 Hints\r\nLink: " + b"x" * 900 + b"\r\n\r\n", 3 * MB), "no head came within"),
        (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 3 * MB), "no head came within"),
    ],
)
def test_interim_answers_for_ever_are_502_and_no_recording(relay: Relay, told: str, tmp_path: Path) -> None:
    came = through(relay, SMALL, tmp_path)
    assert came.status == 502
    assert told in came.content.decode()
    assert kept_of(tmp_path) is None


def test_a_head_without_end_is_passed_on_as_far_as_it_can_be_read(tmp_path: Path) -> None:
    came = through(floods(b"HTTP/1.1 200 OK\r\n", b"A: " + b"b" * 4096 + b"\r\n", 4 * MB), SMALL, tmp_path)
    assert came.status is None
    kept = kept_of(tmp_path)
    assert kept
    assert "no end of the head" in (kept.error or "")


def test_trailers_for_ever_pass_and_weigh_nothing(tmp_path: Path) -> None:
    first = head(200, JSON, CHUNKED) + chunk(b"{}") + b"0\r\n"
    came = through(floods(first, b"a: " + b"b" * 1000 + b"\r\n", 30 * MB), SMALL, tmp_path, light)
    assert (came.status, came.body, came.end) == (200, b"{}", End.TRUNCATED)


def test_a_stream_without_end_passes_and_is_recorded_line_by_line(tmp_path: Path) -> None:
    first, piece = head(200, SSE, CHUNKED), chunk(b"data: " + b"x" * 60_000 + b"\n\n")
    came = through(floods(first, piece, 12 * MB), SMALL, tmp_path, light)
    assert len(came.body) > 11 * MB
    kept = kept_of(tmp_path)
    assert kept
    assert kept.body == came.body


def test_what_a_fault_cannot_hold_is_502(tmp_path: Path) -> None:
    first, piece = head(200, SSE, CHUNKED), chunk(b"data: " + b"x" * 60_000 + b"\n\n")
    asked = Request(SMALL.method, SMALL.path, (*SMALL.headers, ("x-relay-fault", "sse-bom")), body=SMALL.body)
    came = through(floods(first, piece, MOST + 20 * MB), asked, tmp_path)
    assert came.status == 502
    assert "larger than" in came.content.decode()


def light(proxy: Watched) -> None:
    """Within what is kept of an answer, and what a process weighs."""
    assert proxy.megabytes < 100 + 1.5 * MOST / 1e6


def test_a_bomb_is_recorded_as_it_came(tmp_path: Path) -> None:
    said = bomb(100 * MB)
    came = through(sends(said), SMALL, tmp_path, light)
    assert came.body == said.partition(b"\r\n\r\n")[2]


# --- a process that is killed ---------------------------------------------------------------------------------------

SECRET = "sk-planted-0123456789abcdef"
WRITES = """
import os, sys
from pathlib import Path
from mock_server.recorder import Recorder, Tape
from openapi.wire.exchange import End, Exchange, Framing, Read, Request
from openapi.wire.redaction import Redactor

folder, last, recovers, secret = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "recovers", sys.argv[4]
steps = 0

def step():
    global steps
    steps += 1
    if steps == last:
        os._exit(9)

def watch(event, arguments):
    if event in {"open", "os.rename", "os.remove"} and str(arguments[0]).startswith(str(folder)):
        step()

sys.addaudithook(watch)
line = Tape._line
Tape._line = lambda self, value: (line(self, value), step())
recorder = Recorder(folder, "the one")
if recovers:
    recorder.recover()
else:
    request = Request("POST", "/v1/chat/completions", (("authorization", f"Bearer {secret}"),), body=b"{}")
    asked = Exchange("", request, sent="2026-11-26T12:00:00Z", operation="createChatCompletion")
    reads = tuple(Read(0.1 * at, f"data: {at} {secret}\\n\\n".encode()) for at in range(3))
    kind = (("content-type", "text/event-stream"),)
    whole = Exchange("", request, 200, kind, reads, End.COMPLETE, 1.0, framing=Framing.CHUNKED)
    tape = recorder.begin(asked, Redactor([secret]), frozenset([secret]))
    tape.head(whole)
    for read in reads:
        tape.read(read, stream=True)
    tape.end(whole)
os._exit(0)
"""


def killed(folder: Path, step: int, what: str = "writes") -> bool:
    """Whether a process that wrote (or recovered) a recording was killed at that step, and not over before it."""
    words = [sys.executable, "-c", WRITES, str(folder), str(step), what, SECRET]
    root = Path(__file__).parent.parent.parent
    done = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode in {0, 9}, done.stderr
    return done.returncode == 9


def settled(folder: Path) -> Exchange | None:
    """What there is once all was recovered: one recording, whole or a beginning, and no secret at any time."""
    for path in folder.iterdir():
        assert SECRET not in path.read_text(encoding="utf-8")
    recorder.Recorder(folder, "the one").recover()
    for part in folder.glob("*.part"):  # no head came: no recording can be made of it, and it is let be
        assert len(part.read_text(encoding="utf-8").splitlines()) <= 1
        part.unlink()
    return kept_of(folder)


def test_a_process_that_is_killed_at_any_step_leaves_one_recording_or_its_beginning(tmp_path: Path) -> None:
    step, ends = 1, []
    while killed(folder := tmp_path / str(step), step):
        kept = settled(folder) if folder.exists() else None
        ends.append(kept.end if kept else None)
        step += 1
    assert ends.index(End.TRUNCATED) < ends.index(End.COMPLETE)
    assert set(ends[: ends.index(End.TRUNCATED)]) <= {None}
    assert step > 8


def test_one_that_is_killed_while_it_recovers_has_lost_nothing(tmp_path: Path) -> None:
    step = 1
    while True:
        folder = tmp_path / str(step)
        assert killed(folder, 5)
        if not killed(folder, step, "recovers"):
            break
        kept = settled(folder)
        assert kept
        assert (kept.end, len(kept.reads)) == (End.TRUNCATED, 2)
        step += 1
    assert step > 4
