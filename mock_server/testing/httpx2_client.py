"""A transport for httpx2: its own pool and its own reader of HTTP, over connections in memory."""

import ssl
from typing import Any, cast

import httpcore2
import httpx2

from mock_server.testing.memory import Listener
from mock_server.testing.streams import AsyncBackend, Backend, Errors

ERRORS = Errors(httpcore2.ReadTimeout, httpcore2.ReadError)


class Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """For `httpx2.Client` and `httpx2.AsyncClient` alike. Whatever host a client asks, one mock answers."""

    def __init__(self, listener: Listener) -> None:
        untrusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # without a file read: there is no TLS
        self._whole = httpx2.HTTPTransport(verify=untrusting)
        self._async = httpx2.AsyncHTTPTransport(verify=untrusting)
        # The transports take no backend; that the pool is theirs to be replaced is held by the tests.
        backend, async_backend = cast("Any", Backend(listener, ERRORS)), cast("Any", AsyncBackend(listener, ERRORS))
        self._whole._pool = httpcore2.ConnectionPool(untrusting, network_backend=backend)  # noqa: SLF001
        self._async._pool = httpcore2.AsyncConnectionPool(untrusting, network_backend=async_backend)  # noqa: SLF001

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        return self._whole.handle_request(request)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self._async.handle_async_request(request)

    def close(self) -> None:
        self._whole.close()

    async def aclose(self) -> None:
        await self._async.aclose()
