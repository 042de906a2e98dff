"""How long a whole check of the mock takes: `python tests/benchmarks/check_speed.py [LATENCY]`. Asserts nothing.

Once as it is, and once behind a line on which each answer's first byte comes LATENCY seconds late (default 0.3). The
baseline is what no check can beat: the longest chain of requests of which each waits for the one before it.
"""

import asyncio
import io
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit

from conformance import plan as planning
from conformance.check import Options, check
from conformance.plan import Plan
from conformance.probe import Planned
from conformance.probes import PROBES
from conformance.rules import BOOK
from conformance.run import Run, Writer
from conformance.target import Target
from conformance.transport import Link
from mock_server.process import running
from tests.system.relays import KEY, MODELS

BEFORE = 2  # one probe to see whether anybody is there, then the controls


@contextmanager
def late(base: str, seconds: float) -> Iterator[str]:
    """The base URL of a line to `base` on which every connection's first answer is so late."""
    loop, there = asyncio.new_event_loop(), urlsplit(base)

    async def carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, wait: float) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65536):
                await asyncio.sleep(wait)
                wait = 0.0
                writer.write(data)
                await writer.drain()
        with suppress(ConnectionError, OSError):
            writer.write_eof()

    async def connect(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(there.hostname, there.port)
        await asyncio.gather(carry(reader, far_writer, 0.0), carry(far_reader, writer, seconds))
        far_writer.close()
        writer.close()

    server = loop.run_until_complete(asyncio.start_server(connect, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    loop.call_soon_threadsafe(loop.stop)
    thread.join()


def chain(plan: Plan) -> int:
    """The longest chain of requests of which each waits for the one before it."""
    crowd = max(_in_a_row(one) for one in plan.probes if not one.probe.alone)
    return BEFORE + crowd + sum(_in_a_row(one) for one in plan.probes if one.probe.alone)


def _in_a_row(planned: Planned) -> int:
    """The requests of a probe that are sent one after the other, those aside to which answers may not lead."""
    return 1 if planned.probe.together else sum(not callable(step.body) for step in planned.probe.steps)


def timed(base: str, plan: Plan) -> tuple[float, Run]:
    start = time.perf_counter()
    target, link = Target("mock", base, models=MODELS), Link(base, KEY)
    run = asyncio.run(check(target, link, plan, Options(), out=Writer(io.StringIO()), watch=lambda _: None))
    return time.perf_counter() - start, run


def main(latency: float) -> None:
    with running("--api-key", KEY, "--speed", "max") as base:
        plan = planning.plan(Target("mock", base, models=MODELS), BOOK, PROBES)
        quick, run = timed(base, plan)
        with late(base, latency) as far:
            slow, _ = timed(far, plan)
    assert run.footer
    print(f"{plan.requests} requests, {len(BOOK)} rules, {len(run.verdicts)} verdicts, exit {run.footer.exit}")
    least = chain(plan) * latency
    print(f"check at zero latency   {quick:6.2f} s")
    print(f"check at {latency * 1000:3.0f} ms         {slow:6.2f} s   {slow / least:4.1f} × the baseline", end="")
    print(f" ({chain(plan)} requests in a row: {least:.2f} s)")


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else 0.3)
