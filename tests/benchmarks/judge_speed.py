"""What judging one chat stream costs: `python -m tests.benchmarks.judge_speed [CHUNKS]…` (100 1000 10000).

All rules that apply, on a fresh exchange as the transport makes it: a read for each event, the headers of a real relay.
The baseline is `json.loads` of the same chunks, in turn with the judge, so that what slows the machine slows both.
Times are those of the processor, for the judge waits for nothing; the best of many is told beside the median, and is
what the work itself costs where others use the machine.

Aim: below 2 ms for 100 chunks on a quiet machine, and time and memory in proportion to the chunks.
Prints; asserts nothing.
"""

import gc
import json
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace

from conformance.judge import judge
from conformance.rule import Verdict
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange, Framing
from tests.conformance.exchanges import DONE, finish, role, stream, text

WORK = 30_000  # chunks that are judged for one line of the table, in as many exchanges as that makes
HEADERS = (
    ("Server", "nginx/1.27.4"),
    ("Date", "Sun, 22 Nov 2026 12:42:50 GMT"),
    ("Content-Type", "text/event-stream"),
    ("Transfer-Encoding", "chunked"),
    ("Connection", "keep-alive"),
    ("Cache-Control", "no-cache"),
    ("X-Accel-Buffering", "no"),
    ("X-Request-Id", "2026112212425012345678"),
    ("X-Oneapi-Request-Id", "2026112212425012345678"),
    ("Access-Control-Allow-Origin", "*"),
    ("Strict-Transport-Security", "max-age=31536000"),
    ("CF-Cache-Status", "DYNAMIC"),
    ("CF-RAY", "9a2b3c4d5e6f7890-HKG"),
    ("Alt-Svc", 'h3=":443"; ma=86400'),
    ("Vary", "Accept-Encoding"),
)


def captured(chunks: int) -> Exchange:
    """An answer of so many chunks that breaks no MUST, and the [DONE]."""
    words = [text("word ") for _ in range(chunks - 2)]
    answer = stream(role(), *words, finish(), DONE, step=0.01)
    return replace(answer, headers=HEADERS, framing=Framing.CHUNKED)


def judged(exchange: Exchange) -> list[Verdict]:
    """The verdicts on a copy that knows nothing yet."""
    return list(judge([replace(exchange)], BOOK))


def in_turn(times: int, *works: Callable[[], object]) -> list[list[float]]:
    """The processor's seconds that each of these took, each time."""
    taken: list[list[float]] = [[] for _ in works]
    for _ in range(times):
        for work, seconds in zip(works, taken, strict=True):
            start = time.thread_time()
            work()
            seconds.append(time.thread_time() - start)
    return taken


def peak(exchange: Exchange) -> int:
    """The most bytes that one judgement holds at a time, the exchange itself aside."""
    gc.collect()
    tracemalloc.start()
    judged(exchange)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most


def tell(chunks: int) -> None:
    exchange = captured(chunks)
    texts = [message.data for message in exchange.messages if message.data != DONE]
    verdicts = judged(exchange)  # also, what is compiled once is not the judge's cost
    times = max(WORK // chunks, 3)
    own, loads = in_turn(times, lambda: judged(exchange), lambda: [json.loads(one) for one in texts])
    best, middle = min(own) * 1000, statistics.median(own) * 1000
    print(
        f"{chunks:7} chunks: best {best:9.2f} ms, median {middle:9.2f} ms, {min(own) / min(loads):5.1f} × json.loads "
        f"({min(loads) * 1000:.2f} ms), {best / chunks * 1000:5.1f} µs and {peak(exchange) // chunks:5} bytes a chunk, "
        f"{len(verdicts)} verdicts of {len(BOOK)} rules"
    )


def main() -> None:
    for chunks in map(int, sys.argv[1:] or ("100", "1000", "10000")):
        tell(chunks)


if __name__ == "__main__":
    main()
