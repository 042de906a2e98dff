"""What all workers ask: the ledger, and each other. It runs in a thread of the process that started them.

A worker has two connections, each with one JSON value a line. Over the first it asks the ledger and waits for the
answer; over the second it tells commands, and does those of the others:

    worker                            hub                                every worker, the first too
      {"ask": 7, "command": …}   ──►    {"do": 12, "command": …}    ──►    {"done": 12, "told": …}
      {"asked": 7, "told": […]}  ◄──                                ◄──

Who joins later does first what the others were told before (`standing`).
"""

import asyncio
import json
import tempfile
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mock_server.hours import monotonic
from mock_server.ledger import Book

LONGEST_LINE = 1 << 28  # bytes
LONGEST_PATH = 70  # characters of a folder in which a socket can have a name
PATIENCE = 10.0  # seconds that a worker has to do a command
STANDING = ("faults", "script", "clock")  # commands that hold for who joins later


@dataclass(slots=True)
class _Fellow:
    """A worker that has joined, and the commands that it still has to do."""

    index: int
    writer: asyncio.StreamWriter
    doing: dict[int, asyncio.Future[Any]] = field(default_factory=dict)


class Hub:
    """Who has joined, what they count, and what they were told."""

    def __init__(self) -> None:
        self.book = Book()
        self.zero = monotonic()
        self._fellows: dict[str, _Fellow] = {}
        self._standing: dict[str, Any] = {}
        self._joined = 0
        self._told = 0
        self._order = asyncio.Lock()
        self._tasks: set[asyncio.Task[None]] = set()

    async def connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection of a worker, to its end."""
        with suppress(ConnectionError, asyncio.CancelledError):  # the worker is gone, or the hub ends
            joins = json.loads(await reader.readline())
            await (self._counts(joins["ledger"], reader, writer) if "ledger" in joins else self._meets(reader, writer))
        writer.close()

    async def _counts(self, owner: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """The ledger, for one worker. What it holds is free when it is gone."""
        book = self.book
        counts: dict[str, Callable[..., Any]] = {
            "turn": book.turn,
            "forget": book.forget,
            "admit": book.admit,
            "settle": book.settle,
        }
        try:
            while line := await reader.readline():
                name, *given = json.loads(line)
                writer.write(_line(counts[name](*given)))
        finally:
            self.book.abandon(f"{owner} ")

    async def _meets(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._joined += 1
        owner = f"worker {self._joined}"
        taken = {one.index for one in self._fellows.values()}
        index = next(number for number in range(len(taken) + 1) if number not in taken)
        fellow = self._fellows[owner] = _Fellow(index, writer)
        writer.write(
            _line({"owner": owner, "index": index, "zero": self.zero, "standing": list(self._standing.values())})
        )
        try:
            while line := await reader.readline():
                said = json.loads(line)
                if "done" in said:
                    done = fellow.doing.pop(said["done"], None)
                    if done and not done.done():
                        done.set_result(said["told"])
                else:
                    task = asyncio.create_task(self._have_done(said, writer))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        finally:
            self._fellows.pop(owner, None)
            for done in fellow.doing.values():
                done.cancel()

    async def _have_done(self, said: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        """Has a command done by all workers, one command after the other, and tells what each said."""
        command = said["command"]
        async with self._order:
            self._told += 1
            number, line = self._told, _line({"do": self._told, "command": command})
            waited = []
            for fellow in self._fellows.values():
                fellow.doing[number] = asyncio.get_running_loop().create_future()
                waited.append(fellow.doing[number])
                fellow.writer.write(line)
            await asyncio.wait(waited, timeout=PATIENCE)
            told = [one.result() for one in waited if one.done() and not one.cancelled()]
            for fellow in self._fellows.values():
                fellow.doing.pop(number, None)
            self._keep(command, told)
        writer.write(_line({"asked": said["ask"], "told": told}))

    def _keep(self, command: dict[str, Any], told: list[dict[str, Any]]) -> None:
        if command["method"] == "GET" or any(one["status"] >= 400 for one in told):
            return
        if command["name"] == "reset":
            self._standing = {"reset": command}
        elif command["name"] in STANDING:
            self._standing.pop(command["name"], None)
            self._standing[command["name"]] = command


def _line(value: Any) -> bytes:  # noqa: ANN401 - JSON
    return json.dumps(value).encode() + b"\n"


@contextmanager
def running() -> Iterator[Path]:
    """A hub, and the socket where workers of this machine and user find it. Raises OSError."""
    where = tempfile.gettempdir()
    where = where if len(where) < LONGEST_PATH else "/tmp"  # noqa: S108 - the folder in it is ours alone
    with tempfile.TemporaryDirectory(prefix="relayproof-", dir=where) as folder:
        path, started = Path(folder) / "hub", Future[Callable[[], None]]()
        thread = threading.Thread(target=asyncio.run, args=(_serve(path, started),), daemon=True)
        thread.start()
        stop = started.result(PATIENCE)
        try:
            yield path
        finally:
            stop()
            thread.join(PATIENCE)


async def _serve(path: Path, started: "Future[Callable[[], None]]") -> None:
    """Until it is told to stop, by what it puts into `started`."""
    over, loop = asyncio.Event(), asyncio.get_running_loop()

    def stop() -> None:
        loop.call_soon_threadsafe(over.set)

    try:
        server = await asyncio.start_unix_server(Hub().connected, path, limit=LONGEST_LINE)
    except OSError as error:
        started.set_exception(error)
        return
    started.set_result(stop)
    await over.wait()
    server.close()
