"""What a guided search begins with: bytes that each reader takes, from the recordings of the tree."""

from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

from mock_server.faults import FAULTS
from mock_server.library import RECORDINGS
from mock_server.replay import AS_RECORDED, Connection, answer_of, on_wire
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording
from tests.fuzz.properties import METHODS, PATHS

ROOT = Path(__file__).parent.parent.parent
MOST = 40
LONGEST = 4000  # bytes


def _files() -> Iterator[tuple[str, Exchange]]:
    for path in sorted(RECORDINGS.rglob("*.jsonl")):
        text = path.read_text(encoding="utf-8")
        yield text, read_recording(text, path.stem).exchange


def _streams() -> Iterator[bytes]:
    return (exchange.body for _, exchange in _files() if exchange.is_stream)


def _answers() -> Iterator[bytes]:
    for _, exchange in _files():
        pieces = on_wire(answer_of(exchange), AS_RECORDED, Connection(exchange.request.method), "now")
        yield bytes([METHODS.index(exchange.request.method)]) + b"".join(piece for _, piece in pieces)


def _bodies() -> Iterator[bytes]:
    return (exchange.request.body for _, exchange in _files() if exchange.request.body)


def _requests() -> Iterator[bytes]:
    for _, exchange in _files():
        path = exchange.request.path.partition("?")[0]
        if path in PATHS and exchange.request.body:
            yield bytes([PATHS.index(path), 0]) + exchange.request.body


def _heads() -> Iterator[bytes]:
    for fault in FAULTS:
        yield b"v1/chat/completions\nX-Relay-Fault: " + fault.encode()
    yield b"v1/chat/completions\nX-Relay-Recording: authored/seq-6-keep-alive\nX-Relay-Seed: 7"
    yield b"v1/models\nOrigin: https://a.example\nRange: bytes=0-1\nAccept-Encoding: gzip\nX-Relay-Validate: warn"
    yield b"__relay__/media/a.mp4\nRange: bytes=-5\nX-Relay-Explain: true\nX-Relay-Strict: true"


def _scripts() -> Iterator[bytes]:
    yield (ROOT / "docs" / "script.yaml").read_bytes()
    yield b"[{when: {text: Hello}, reply: Mine.}]"
    yield b"[{when: {model: mock-*, stream: true, turn: 2}, faults: [tx-reset@0.5*3], latency: {ttft: 5}}]"
    yield b"[{when: {header: {x-a: b}}, status: 429, error: {message: m}, headers: {retry-after: '1'}, times: 2}]"


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "event_stream": _streams,
    "answer": _answers,
    "recording": lambda: (text.encode() for text, _ in _files()),
    "json_texts": _bodies,
    "script": _scripts,
    "wish": lambda: (f"{fault}@0.5*3".encode() for fault in FAULTS),
    "address": lambda: iter([b"https://relay.example:8443/prefix/v1", b"http://[::1]:80/v1/"]),
    "body_of_a_request": _requests,
    "head_of_a_request": _heads,
    "redaction": _streams,
    "held_back": _streams,
    "evidence": lambda: (b"gzip\n" + body for body in _streams()),
}


def seeds(name: str) -> list[bytes]:
    """Some, each of which a fuzzer can hold whole."""
    return list(islice((one for one in SEEDS[name]() if len(one) <= LONGEST), MOST))
