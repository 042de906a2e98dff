"""The mock beside a bare ASGI application with the same bytes: `python -m tests.benchmarks.serve_speed [ROUNDS]`.

Server and client have a core each, 64 connections, uvloop and httptools on both servers, in turn in one run:

unary     672 bytes of JSON. The bare one reads the request and sends; the mock validates it against the document and
          finds a recording that is equal, or by a rule of a script, or makes an answer up. A request that came twice,
          byte for byte, is known to be valid and whose it is; where each is another, its head alone is known, and its
          body is parsed, validated and matched anew
stream    101 events, each a chunk of HTTP. The bare one sends each by itself; the mock has a recording, `--speed max`

aimock, the fastest of the other mocks, stands beside them with as large answers where `make clients` has brought it.
Every answer is checked for its length and its end. Prints rates and their ratio to the bare one; asserts nothing.
"""

import asyncio
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any, cast

import uvloop

from mock_server.process import running
from openapi.wire.exchange import Auth, Exchange, Framing, Read, Request
from openapi.wire.jsonl import Recording, write_recording

CONNECTIONS = 64
SERVER, CLIENT = 0, 1  # cores
SIZE = 672  # bytes of a whole answer
EVENTS = 101
NUMBERS = count()
UNARY_AIMOCK, STREAM_AIMOCK = "How blue is the sky?", "Why is the sky blue?"
AIMOCK = Path(__file__).parent.parent / "system/clients/node_modules/@copilotkit/aimock/dist/cli.js"
OTHER = "Why is the sky blue? 000000"  # the number is another in each request


def event(number: int) -> bytes:
    delta = {"index": 0, "delta": {"content": f"word {number:3} "}, "finish_reason": None}
    said = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1700000000, "model": "bench"}
    return b"data: " + json.dumps(said | {"choices": [delta]}).encode() + b"\n\n"


STREAM = [event(number) for number in range(EVENTS - 1)] + [b"data: [DONE]\n\n"]


def whole() -> bytes:
    choice: dict[str, Any] = {"index": 0, "message": {"role": "assistant", "content": ""}, "finish_reason": "stop"}
    body = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "bench"}
    choice["message"]["content"] = "x" * (SIZE - len(json.dumps(body | {"choices": [choice]})))
    return json.dumps(body | {"choices": [choice]}).encode()


WHOLE = whole()


def asked(model: str, *, stream: bool, text: str = "Why is the sky blue?") -> dict[str, object]:
    return {"model": model, "stream": stream, "messages": [{"role": "user", "content": text}]}


def recordings(folder: Path) -> None:
    """The two answers, as recordings without a pause."""
    for name, stream in (("unary", False), ("stream", True)):
        reads = tuple(Read(0.0, data) for data in (STREAM if stream else [WHOLE]))
        kind = "text/event-stream" if stream else "application/json"
        body = json.dumps(asked("bench", stream=stream)).encode()
        request = Request("POST", "/v1/chat/completions", (("content-type", "application/json"),), Auth.VALID, body)
        sizes = tuple(len(data) for data in STREAM) if stream else None
        framing = Framing.CHUNKED if stream else Framing.CONTENT_LENGTH
        answer = Exchange("", request, 200, (("content-type", kind),), reads, framing=framing, chunks=sizes)
        (folder / f"{name}.jsonl").write_text(write_recording(Recording("authored", "benchmark", answer)))


# --- the client -----------------------------------------------------------------------------------------------------


class Client(asyncio.Protocol):
    """One connection that asks again as soon as an answer is whole: by its length, or by the last chunk."""

    def __init__(self, body: bytes, *, stream: bool, fresh: bool) -> None:
        self.body, self.stream, self.fresh = body, stream, fresh
        self.answers = 0
        self.read = 0
        self.tail = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.write = cast("asyncio.Transport", transport).write
        self.ask()

    def ask(self) -> None:
        body = self.body
        if self.fresh:
            body = body.replace(b"000000", b"%06d" % (next(NUMBERS) % 1_000_000))
        self.read, self.tail = 0, b""
        head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer k\r\n"
        head += b"content-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body)
        self.write(head + body)

    def data_received(self, data: bytes) -> None:
        if not self.read and not data.startswith(b"HTTP/1.1 200"):
            msg = f"no 200: {data[:300]!r}"
            raise SystemExit(msg)
        self.read += len(data)
        self.tail = (self.tail + data)[-4096:]
        if self.over():
            self.answers += 1
            self.ask()

    def over(self) -> bool:
        return self.tail.endswith(b"\r\n0\r\n\r\n") or (not self.stream and self.tail.endswith(b"}") and self.whole())

    def whole(self) -> bool:
        head, _, body = self.tail.partition(b"\r\n\r\n")
        length = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        return bool(length) and len(body) == int(length[0][15:])


async def rate(port: int, body: bytes, seconds: float, *, stream: bool, fresh: bool) -> float:
    """Answers a second over all connections, the first moments aside."""
    loop = asyncio.get_running_loop()
    clients = [Client(body, stream=stream, fresh=fresh) for _ in range(CONNECTIONS)]
    for client in clients:
        await loop.create_connection(lambda client=client: client, "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.sleep(0.2)
    before, start = sum(client.answers for client in clients), time.perf_counter()
    await asyncio.sleep(seconds)
    done = sum(client.answers for client in clients) - before
    return done / (time.perf_counter() - start)


# --- the servers ----------------------------------------------------------------------------------------------------

BARE = """
import os, sys, uvicorn
from tests.benchmarks.serve_speed import STREAM, WHOLE
async def app(scope, receive, send):
    body, more = b"", True
    while more:
        message = await receive()
        body, more = body + message.get("body", b""), message.get("more_body", False)
    stream = b'"stream": true' in body
    kind = b"text/event-stream" if stream else b"application/json"
    headers = [(b"content-type", kind)] + ([] if stream else [(b"content-length", b"%d" % len(WHOLE))])
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    if not stream:
        await send({"type": "http.response.body", "body": WHOLE})
        return
    for data in STREAM:
        await send({"type": "http.response.body", "body": data, "more_body": True})
    await send({"type": "http.response.body", "body": b""})
port = int(sys.argv[1])
uvicorn.run(app, port=port, loop="uvloop", http="httptools", log_level="error", access_log=False, lifespan="off")
"""


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def bare() -> Iterator[int]:
    port = free()
    with subprocess.Popen([sys.executable, "-c", BARE, str(port)]) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.kill()


@contextmanager
def mock(folder: Path, *options: str) -> Iterator[int]:
    with running("--recordings", str(folder), "--speed", "max", *options) as url:
        yield int(url.rpartition(":")[2])


@contextmanager
def aimock(folder: Path) -> Iterator[int | None]:
    """The other mock with answers as large as ours; None where it is not there."""
    if not (shutil.which("node") and AIMOCK.exists()):
        yield None
        return
    pieces = EVENTS - 3  # its first, its last and [DONE] hold no text
    said = {UNARY_AIMOCK: "x" * (SIZE - 290), STREAM_AIMOCK: "word 123 " * pieces}
    fixtures = [{"match": {"userMessage": text}, "response": {"content": told}} for text, told in said.items()]
    (folder / "aimock.json").write_text(json.dumps({"fixtures": fixtures}))
    port = free()
    options = ["-f", str(folder / "aimock.json"), "-c", "9", "-p", str(port), "--log-level", "silent"]
    with subprocess.Popen(["node", str(AIMOCK), *options], stdout=subprocess.DEVNULL) as process:
        try:
            wait_for(port)
            yield port
        finally:
            process.kill()


def wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 0.2).close()
        except OSError:
            time.sleep(0.05)
        else:
            return


def tell(name: str, found: Sequence[float], base: Sequence[float]) -> None:
    """The median rate, and the median of what each round had beside the bare one of the same round."""
    ratio = statistics.median(one / other for one, other in zip(found, base, strict=True))
    print(f"{name:48} {statistics.median(found):8.0f} /s   {ratio:5.2f} × bare", flush=True)


def main(rounds: int) -> None:
    os.sched_setaffinity(0, {SERVER})  # the servers inherit it
    unary, stream = (json.dumps(asked("bench", stream=one)).encode() for one in (False, True))
    ruled = json.dumps(asked("ruled", stream=False, text=OTHER)).encode()
    made = json.dumps(asked("mock-chat", stream=False, text=OTHER) | {"max_tokens": 60}).encode()
    spoken = json.dumps(asked("mock-chat", stream=True, text=OTHER) | {"max_tokens": 99}).encode()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as more, bare() as plain:
        recordings(Path(name))
        script = Path(more) / "script.yaml"
        script.write_text("[{when: {model: ruled, stream: false}, recording: unary}]", encoding="utf-8")
        with mock(Path(name), "--script", str(script)) as port, aimock(Path(more)) as other:
            os.sched_setaffinity(0, {CLIENT})
            rows: dict[str, tuple[int, bytes, bool, bool]] = {
                "bare, unary": (plain, unary, False, False),
                "mock, unary, equal to a recording": (port, unary, False, False),
                "mock, unary, by a rule": (port, ruled, False, False),
                "mock, unary, by a rule, each another": (port, ruled, False, True),
                "mock, unary, made up": (port, made, False, False),
                "mock, unary, made up, each another": (port, made, False, True),
                f"bare, {EVENTS} chunks, one send each": (plain, stream, True, False),
                f"mock, {EVENTS} chunks, equal to a recording": (port, stream, True, False),
                "mock, 101 chunks, made up, each another": (port, spoken, True, True),
            }
            if other:
                short = json.dumps(asked("bench", stream=False, text=UNARY_AIMOCK)).encode()
                rows |= {
                    "aimock, unary": (other, short, False, False),
                    "aimock, 101 chunks": (other, stream, True, False),
                }
            found: dict[str, list[float]] = {name: [] for name in rows}
            for _ in range(rounds):
                for row, (where, body, streamed, fresh) in rows.items():
                    found[row].append(uvloop.run(rate(where, body, 1.0, stream=streamed, fresh=fresh)))
            for row, (_, _, streamed, _) in rows.items():
                tell(row, found[row], found[f"bare, {EVENTS} chunks, one send each" if streamed else "bare, unary"])


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 5)
