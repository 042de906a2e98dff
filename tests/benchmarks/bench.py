"""Speeds, each beside a baseline of the same run: `python tests/benchmarks/bench.py`. Prints; asserts nothing.

start-up    a command as a process, beside an empty Python process
serve       from the start of the process to the first whole answer, beside the same
sse         decoding 50 MB, as many events and as one, beside bytes.splitlines on the same bytes
judge       all rules on one exchange of 100 chunks, beside json.loads of the same chunks
"""

import json
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

from conformance.judge import judge
from conformance.rules import BOOK
from mock_server.process import running
from openapi.wire.exchange import Auth, End, Exchange, Read, Request
from openapi.wire.sse import decode

ROOT = Path(__file__).parent.parent.parent
MB = 1 << 20


def median(work: Callable[[], object], times: int = 5) -> float:
    taken = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        taken.append(time.perf_counter() - start)
    return statistics.median(taken)


def process(*args: str) -> Callable[[], object]:
    return lambda: subprocess.run([sys.executable, *args], cwd=ROOT, check=True, capture_output=True)


def first_answer() -> float:
    """Seconds from the start of the process to the first whole answer."""
    start = time.perf_counter()
    with running("--speed", "max") as base:
        request = urllib.request.Request(f"{base}/v1/models", headers={"authorization": "Bearer k"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            answer.read()
        return time.perf_counter() - start


def stream(chunks: int) -> bytes:
    text = {"id": "c", "object": "chat.completion.chunk", "created": 1, "model": "m"}
    events = [{**text, "choices": [{"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}]}]
    events += [{**text, "choices": [{"index": 0, "delta": {"content": "word "}, "finish_reason": None}]}] * (chunks - 2)
    events += [{**text, "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}]
    return b"".join(b"data: " + json.dumps(event).encode() + b"\n\n" for event in events) + b"data: [DONE]\n\n"


def judged(body: bytes) -> Callable[[], object]:
    asked = {"model": "m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    request = Request(
        "POST", "/v1/chat/completions", (("content-type", "application/json"),), Auth.VALID, json.dumps(asked).encode()
    )
    headers = (("content-type", "text/event-stream"),)
    rules = BOOK

    def once() -> object:
        exchange = Exchange("e1", request, 200, headers, (Read(0.1, body),), End.COMPLETE, 0.2)
        return list(judge([exchange], rules))

    once()  # what is compiled once is not the judge's cost
    return once


def tell(name: str, value: float, baseline: float, unit: str = "ms", factor: float = 1000) -> None:
    ratio = f"{value / baseline:6.1f} × the baseline ({baseline * factor:.2f} {unit})"
    print(f"{name:32} {value * factor:9.2f} {unit}   {ratio}")


def main() -> None:
    empty = median(process("-c", "pass"))
    tell("relayproof --help", median(process("relayproof.py", "--help")), empty)
    tell("relayproof serve, first answer", statistics.median(first_answer() for _ in range(5)), empty)
    events = b"data: " + b"x" * 238 + b"\n\n"
    many, one = events * (50 * MB // len(events)), b"data: " + b"x" * (50 * MB) + b"\n\n"
    tell("sse, 50 MB of events", median(lambda: decode(many), 3), median(lambda: many.splitlines(keepends=True), 3))
    tell("sse, one event of 50 MB", median(lambda: decode(one), 3), median(lambda: one.splitlines(keepends=True), 3))
    body = stream(100)
    payloads = [line[6:] for line in body.split(b"\n\n") if line.startswith(b"data: {")]
    tell("judge, 100 chunks", median(judged(body), 20), median(lambda: [json.loads(text) for text in payloads], 20))


if __name__ == "__main__":
    main()
