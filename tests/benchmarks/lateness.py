"""How late the mock is by its own log: `python -m tests.benchmarks.lateness [STREAMS [MS]]` (100 10).

So many streams at once of one recording of 200 chunks, each due so many ms behind the one before it, at speed 1, exact.
Server and clients have a core each. Every client checks every byte. Prints what share of the pieces was how late, and
the load of the machine; ends with 1 where bytes differ.
"""

import asyncio
import json
import os
import re
import sys
import tempfile
import urllib.request
from pathlib import Path

import uvloop

from mock_server.process import running
from openapi.wire.exchange import Auth, Exchange, Framing, Read, Request
from openapi.wire.http1 import AnswerReader
from openapi.wire.jsonl import Recording, write_recording
from tests.benchmarks.serve_speed import CLIENT, SERVER, asked, event

CHUNKS = 200
BODY = json.dumps(asked("bench", stream=True)).encode()
HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: b\r\nauthorization: Bearer k\r\ncontent-type: application/json\r\n"
EVENTS = [event(number) for number in range(CHUNKS - 1)] + [b"data: [DONE]\n\n"]


def recording(pause: float) -> str:
    reads = tuple(Read(round(pause * number, 6), data) for number, data in enumerate(EVENTS, 1))
    request = Request("POST", "/v1/chat/completions", (("content-type", "application/json"),), Auth.VALID, BODY)
    answer = Exchange(
        "",
        request,
        200,
        (("content-type", "text/event-stream"),),
        reads,
        framing=Framing.CHUNKED,
        chunks=tuple(map(len, EVENTS)),
        ended_at=reads[-1].at,
    )
    return write_recording(Recording("authored", "benchmark", answer))


async def one(port: int) -> bool:
    """Whether the bytes and borders of a stream are those of the recording."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(HEAD + b"content-length: %d\r\n\r\n" % len(BODY) + BODY)
    answer, content = AnswerReader("POST"), bytearray()
    while not answer.complete and (data := await reader.read(65536)):
        content += answer.feed(data)
    writer.close()
    return bytes(content) == b"".join(EVENTS) and list(filter(None, answer.chunks)) == list(map(len, EVENTS))


async def all_of_them(port: int, streams: int) -> int:
    return sum(await asyncio.gather(*(one(port) for _ in range(streams))))


def main(streams: int, pause: float) -> int:
    os.sched_setaffinity(0, {SERVER})
    with tempfile.TemporaryDirectory() as name:
        (Path(name) / "one.jsonl").write_text(recording(pause))
        with running("--recordings", name) as url:
            os.sched_setaffinity(0, {CLIENT})
            whole = uvloop.run(all_of_them(int(url.rpartition(":")[2]), streams))
            with urllib.request.urlopen(f"{url}/__relay__/metrics", timeout=30) as answer:
                metrics = answer.read().decode()
    buckets = re.findall(r'relayproof_piece_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)', metrics)
    total = int(buckets[-1][1])
    print(f"{whole} of {streams} streams whole, {total} pieces, one every {pause * 1000:g} ms in each")
    print("late by at most " + ", ".join(f"{bound} s: {int(count) / total:.2%}" for bound, count in buckets))
    print(f"load of the machine: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    return 0 if whole == streams else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else 100, (float(given[1]) if len(given) > 1 else 10.0) / 1000))
