"""A worker's side of the hub: a ledger that asks, and commands that all workers do."""

import asyncio
import json
import signal
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mock_server.commands import Command, Told, refusal
from mock_server.hours import monotonic
from mock_server.ledger import Ledger, State, Want
from mock_server.workers.hub import LONGEST_LINE, PATIENCE
from mock_server.workers.merge import merged

Doing = Callable[[Command], Told]


class Asking(Ledger):
    """The ledger of the hub. It waits for each answer: a tenth of a millisecond, where something is counted at all."""

    def __init__(self, path: Path, owner: str) -> None:
        self.silent = False  # nothing is forgotten meanwhile
        self._lines = _connected(path).makefile("rwb")
        self._write({"ledger": owner})

    def turn(self, name: str, after: int, times: int | None, chance: float, seed: int) -> int | None:
        turn: int | None = self._ask("turn", name, after, times, chance, seed)
        return turn

    def forget(self, part: str) -> None:
        if not self.silent:
            self._ask("forget", part)

    def admit(self, lease: str, wants: list[Want], now: int) -> tuple[bool, list[State]]:
        admitted, states = self._ask("admit", lease, wants, now)
        return admitted, [(left, wait, full) for left, wait, full in states]

    def settle(self, lease: str, used: int | None, now: int) -> None:
        self._ask("settle", lease, used, now)

    def _ask(self, *said: object) -> Any:  # noqa: ANN401 - JSON
        self._write(said)
        return json.loads(self._lines.readline())

    def _write(self, said: object) -> None:
        self._lines.write(json.dumps(said).encode() + b"\n")
        self._lines.flush()


class Member:
    """One of several workers. Raises OSError where there is no hub."""

    def __init__(self, path: Path, workers: int) -> None:
        self._socket = _connected(path)
        self._socket.sendall(b'{"fellow": true}\n')
        told = json.loads(_first_line(self._socket))
        self.owner: str = told["owner"]
        self.zero: int = told["zero"]
        self.ledger = Asking(path, self.owner)
        self._index: int = told["index"]
        self._stride = 2 * workers  # one that ended may not be gone yet
        self._standing = [Command(**command) for command in told["standing"]]
        self._began = self.zero
        self._last = 0
        self._asked: dict[int, asyncio.Future[list[Any]]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._task: asyncio.Task[None] | None = None

    def number(self, ago: float) -> int:
        """The number of an entry in a journal: they grow with time over all workers, and no two are the same. The time
        is that of the last byte: who has an answer finds it in the journal, whichever worker is asked."""
        self._last = max(self._last + 1, monotonic() - int(ago * 1e6) - self._began)
        return self._last * self._stride + self._index

    def serve(self, do: Doing) -> None:
        """Does what the others were told, and from now on what they are, in the loop that runs."""
        self.ledger.silent = True
        for command in self._standing:
            do(command)
        self.ledger.silent = False
        self._task = asyncio.get_running_loop().create_task(self._serve(do))

    async def told(self, command: Command) -> Told:
        """What all workers say to a command."""
        until = (monotonic() - self._began + 1) * self._stride
        if command.name == "journal" and not command.ends:
            command = Command(command.name, command.method, command.query, at=command.at, until=until)
        if self._writer is None:
            return refusal(503, "the workers have not met yet")
        number = max(self._asked, default=0) + 1
        answer = self._asked[number] = asyncio.get_running_loop().create_future()
        self._writer.write(json.dumps({"ask": number, "command": command.out()}).encode() + b"\n")
        try:
            found = await answer
        finally:
            self._asked.pop(number, None)
        return merged(command, [Told(**one) for one in found])

    async def _serve(self, do: Doing) -> None:
        self._socket.settimeout(0)
        reader, self._writer = await asyncio.open_unix_connection(sock=self._socket, limit=LONGEST_LINE)
        while line := await reader.readline():
            said = json.loads(line)
            if "do" in said:
                told = do(Command(**said["command"]))
                self._writer.write(json.dumps({"done": said["do"], "told": told.out()}).encode() + b"\n")
            elif said["asked"] in self._asked:
                self._asked[said["asked"]].set_result(said["told"])
        for asked in self._asked.values():
            asked.set_exception(ConnectionError("the hub is gone"))
        signal.raise_signal(signal.SIGTERM)  # and with it the parent: nobody would end this worker


def _connected(path: Path) -> socket.socket:
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    made.settimeout(PATIENCE)
    made.connect(str(path))
    return made


def _first_line(connection: socket.socket) -> bytes:
    """One line and not a byte more: what follows is for another reader."""
    line = bytearray()
    while not line.endswith(b"\n"):
        byte = connection.recv(1)
        if not byte:
            msg = "the hub is gone"
            raise ConnectionError(msg)
        line += byte
    return bytes(line)
