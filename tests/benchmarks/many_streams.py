"""Many streams open at once: `python -m tests.benchmarks.many_streams [STREAMS [SECONDS]]` (5000 60).

Each asks one mock, one worker, for another text, which comes word by word over the whole time; each client reads the
framing to the end and compares every word. Prints how many came whole, how late the server was by its own log, and what
memory a stream takes; ends with 1 where one was lost or mixed up.
"""

import asyncio
import json
import re
import resource
import sys
import time
import urllib.request
from pathlib import Path

import uvloop

from mock_server.process import running
from openapi.wire import sse
from openapi.wire.http1 import AnswerReader

WORDS = 30


def wanted(number: int) -> str:
    return " ".join(f"{number * 7919 + word * 104729:x}" for word in range(WORDS))


async def one(port: int, number: int, seconds: float) -> bool:
    """Whether the stream of this number came whole, and is nobody else's."""
    text = wanted(number)
    said = f"Repeat this exactly: {text}"
    body = json.dumps({"model": "mock-chat", "stream": True, "messages": [{"role": "user", "content": said}]}).encode()
    head = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\nauthorization: Bearer k\r\n"
    head += b"content-type: application/json\r\n"
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(head + b"content-length: %d\r\n\r\n" % len(body) + body)
    answer, content = AnswerReader("POST"), bytearray()
    async with asyncio.timeout(3 * seconds + 60):
        while not answer.complete and (data := await reader.read(65536)):
            content += answer.feed(data)
    writer.close()
    messages = [item.data for item in sse.decode(bytes(content)) if isinstance(item, sse.Message)]
    deltas = [json.loads(one)["choices"][0]["delta"].get("content") or "" for one in messages[:-1]]
    return answer.complete and messages[-1] == "[DONE]" and "".join(deltas) == text


async def all_of_them(port: int, streams: int, seconds: float) -> int:
    tasks = []
    for number in range(streams):
        tasks.append(asyncio.create_task(one(port, number, seconds)))
        if number % 50 == 49:
            await asyncio.sleep(0.02)
    return sum(found is True for found in await asyncio.gather(*tasks, return_exceptions=True))


def memory(pid: int) -> int:
    """The resident memory of a process, in KB."""
    status = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
    found = re.search(r"VmRSS:\s+(\d+)", status)
    return int(found[1]) if found else 0


def control(base: str, path: str) -> str:
    with urllib.request.urlopen(f"{base}/__relay__/{path}", timeout=30) as answer:
        return str(answer.read().decode())


def main(streams: int, seconds: float) -> int:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, streams * 2 + 500), hard))
    tokens = 2 * WORDS  # roughly: a word of hexadecimal digits is one or two
    with running("--journal", "0", "--ttft", "100", "--itl", f"{1000 * seconds / tokens:.0f}") as base:
        pid = json.loads(control(base, "health"))["worker"]
        idle, start = memory(pid), time.perf_counter()
        peak = 0

        async def story() -> int:
            nonlocal peak
            task = asyncio.create_task(all_of_them(int(base.rpartition(":")[2]), streams, seconds))
            while not task.done():
                await asyncio.sleep(1)
                peak = max(peak, memory(pid))
            return await task

        whole = uvloop.run(story())
        took = time.perf_counter() - start
        metrics = control(base, "metrics")
    late = re.findall(r'relayproof_lateness_seconds_bucket\{le="([^"]+)"\} (\d+)', metrics)
    print(f"{whole} of {streams} streams came whole and were their own, in {took:.0f} s")
    print(
        "worst lateness of a stream at most: "
        + ", ".join(f"{bound} s: {int(count) / streams:.1%}" for bound, count in late)
    )
    print(f"memory: {idle / 1024:.0f} MB idle, {(peak - idle) / streams:.1f} KB a stream at most")
    return 0 if whole == streams else 1


if __name__ == "__main__":
    given = sys.argv[1:]
    sys.exit(main(int(given[0]) if given else 5000, float(given[1]) if len(given) > 1 else 60.0))
