"""A connection that is no socket: the bytes of `serve`, framing and its faults included, between two threads.

The server's end is a transport under `server.Protocol`, in a loop of a thread of its own; the client's end may be used
from any thread. A client that closes is a client that left.
"""

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable

from starlette.types import ASGIApp
from uvicorn.server import ServerState

from mock_server.protocol import Protocol
from mock_server.server import config

HERE = "127.0.0.1", 0  # what a peer in memory counts as: this machine
STOP = 5.0  # seconds
LEAVE = 1.0  # seconds in which answers under way notice that their client left


class Pipe:
    """Bytes one way, in the pieces in which they were written."""

    def __init__(self) -> None:
        self._change = threading.Condition()
        self._pieces: deque[bytes] = deque()
        self._over = False
        self._reset = False

    @property
    def readable(self) -> bool:
        """Whether `take` would return at once."""
        return bool(self._pieces) or self._over

    def put(self, data: bytes) -> None:
        with self._change:
            self._pieces.append(data)
            self._change.notify_all()

    def end(self, *, reset: bool = False) -> None:
        with self._change:
            self._reset = self._reset or (reset and not self._over)
            self._over = True
            self._change.notify_all()

    def take(self, most: int, timeout: float | None = None) -> bytes:
        """The next piece, at most so many bytes of it; empty behind the last one.

        Raises TimeoutError after so many seconds, and ConnectionResetError behind the last one of a broken connection.
        """
        with self._change:
            if not self._change.wait_for(lambda: self.readable, timeout):
                raise TimeoutError
            if self._pieces:
                piece = self._pieces.popleft()
                if piece[most:]:
                    self._pieces.appendleft(piece[most:])
                return piece[:most]
            if self._reset:
                raise ConnectionResetError
            return b""


class ServerEnd(asyncio.Transport):
    """What the protocol writes to. Lives in the loop of its listener."""

    def __init__(self, pipe: Pipe, lost: Callable[[], None]) -> None:
        super().__init__({"peername": HERE, "sockname": HERE})
        self._pipe = pipe
        self._lost = lost
        self._closing = False

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if not self._closing:
            self._pipe.put(bytes(data))

    def is_closing(self) -> bool:
        return self._closing

    def close(self) -> None:
        self._close(reset=False)

    def abort(self) -> None:
        self._close(reset=True)

    def _close(self, *, reset: bool) -> None:
        if not self._closing:
            self._closing = True
            self._pipe.end(reset=reset)
            asyncio.get_running_loop().call_soon(self._lost)

    def pause_reading(self) -> None:
        """What a test sends has room in memory."""

    def resume_reading(self) -> None: ...


class Connection:
    """The client's end, for any thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, protocol: Protocol) -> None:
        self._loop = loop
        self._protocol = protocol
        self._pipe = Pipe()
        self._end = ServerEnd(self._pipe, lambda: protocol.connection_lost(None))
        protocol.connection_made(self._end)

    @property
    def readable(self) -> bool:
        return self._pipe.readable

    def send(self, data: bytes) -> None:
        self._tell(lambda: None if self._end.is_closing() else self._protocol.data_received(data))

    def receive(self, most: int = 65536, timeout: float | None = None) -> bytes:
        """As `Pipe.take`."""
        return self._pipe.take(most, timeout)

    def close(self) -> None:
        """Who waits for bytes is told that there are no more."""
        self._pipe.end()
        self._tell(self._end.close)

    def _tell(self, what: Callable[[], None]) -> None:
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody is there any more
            self._loop.call_soon_threadsafe(what)


class Listener:
    """An application, and a loop in a thread of its own in which it answers. To be closed."""

    def __init__(self, app: ASGIApp) -> None:
        self._config = config(lambda: app)
        self._config.load()
        self._state = ServerState()
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="mock relay", daemon=True)
        self._thread.start()

    def connect(self) -> Connection:
        return asyncio.run_coroutine_threadsafe(self._accept(), self.loop).result()

    async def _accept(self) -> Connection:
        return Connection(self.loop, Protocol(self._config, self._state, {}, self.loop))

    def close(self) -> None:
        """Answers under way are cut."""
        asyncio.run_coroutine_threadsafe(self._cut(), self.loop).result(STOP)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(STOP)
        self.loop.close()

    async def _cut(self) -> None:
        for protocol in list(self._state.connections):
            protocol.transport.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        if others:
            _, late = await asyncio.wait(others, timeout=LEAVE)
            for task in late:
                task.cancel()
        await asyncio.sleep(0)
