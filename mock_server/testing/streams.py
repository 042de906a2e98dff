"""A connection in memory as httpcore and httpcore2 want theirs: the two are of one shape, with errors of their own."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import anyio
import anyio.lowlevel
import anyio.to_thread

from mock_server.testing.memory import Connection, Listener


@dataclass(frozen=True, slots=True)
class Errors:
    """What a client's library calls a silence that is too long, and a connection that broke."""

    timeout: type[Exception]
    broken: type[Exception]

    @contextmanager
    def told(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            msg = "The read operation timed out"
            raise self.timeout(msg) from None
        except ConnectionResetError:
            msg = "Connection reset by peer"
            raise self.broken(msg) from None


class Stream:
    """`httpcore.NetworkStream`."""

    def __init__(self, connection: Connection, errors: Errors) -> None:
        self._connection = connection
        self._errors = errors

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with self._errors.told():
            return self._connection.receive(max_bytes, timeout)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._connection.send(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(self, *_: object, **__: object) -> "Stream":
        """Of `https://` only the name: nobody listens in between."""
        return self

    def get_extra_info(self, info: str) -> object:
        return self._connection.readable if info == "is_readable" else None


class AsyncStream:
    """`httpcore.AsyncNetworkStream`. Who waits for bytes waits in a thread, whatever loop that is in."""

    def __init__(self, connection: Connection, errors: Errors) -> None:
        self._connection = connection
        self._errors = errors

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - theirs
        with self._errors.told():
            if self._connection.readable:
                await anyio.lowlevel.checkpoint()
                return self._connection.receive(max_bytes)
            limiter = anyio.CapacityLimiter(math.inf)
            return await anyio.to_thread.run_sync(
                self._connection.receive, max_bytes, timeout, abandon_on_cancel=True, limiter=limiter
            )

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        self._connection.send(buffer)

    async def aclose(self) -> None:
        self._connection.close()

    async def start_tls(self, *_: object, **__: object) -> "AsyncStream":
        return self

    def get_extra_info(self, info: str) -> object:
        return self._connection.readable if info == "is_readable" else None


class Backend:
    """`httpcore.NetworkBackend`: each connection, wherever to, leads to one mock."""

    def __init__(self, listener: Listener, errors: Errors) -> None:
        self._listener = listener
        self._errors = errors

    def connect_tcp(self, *_: object, **__: object) -> Stream:
        return Stream(self._listener.connect(), self._errors)


class AsyncBackend:
    """`httpcore.AsyncNetworkBackend`, likewise."""

    def __init__(self, listener: Listener, errors: Errors) -> None:
        self._listener = listener
        self._errors = errors

    async def connect_tcp(self, *_: object, **__: object) -> AsyncStream:
        return AsyncStream(self._listener.connect(), self._errors)
