"""What httpx asks, caught by respx and answered over connections in memory, by httpcore's own reader of HTTP."""

from collections.abc import Collection
from typing import Any, cast

import httpcore
import httpx
import respx

from mock_server.testing.memory import Listener
from mock_server.testing.streams import AsyncStream, Errors, Stream

ERRORS = Errors(httpcore.ReadTimeout, httpcore.ReadError)
ORIGIN = httpcore.URL(scheme=b"http", host=b"mock-relay", port=None, target=b"/")


class Router(respx.MockRouter):
    """Answers for some hosts, as a stream, without a route. For others it is as any router, and asks nobody."""

    def __init__(self, listener: Listener, hosts: Collection[str]) -> None:
        super().__init__(assert_all_called=False)
        self._listener = listener
        self._hosts = hosts

    def handler(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in self._hosts:
            return super().handler(request)
        # Under the pool, which is what respx has replaced.
        stream = cast("Any", Stream(self._listener.connect(), ERRORS))
        connection = httpcore.HTTP11Connection(ORIGIN.origin, stream)
        return self._told(request, connection.handle_request(_asked(request)))

    async def async_handler(self, request: httpx.Request) -> httpx.Response:
        if request.url.host not in self._hosts:
            return await super().async_handler(request)
        stream = cast("Any", AsyncStream(self._listener.connect(), ERRORS))
        connection = httpcore.AsyncHTTP11Connection(ORIGIN.origin, stream)
        return self._told(request, await connection.handle_async_request(_asked(request)))

    def _told(self, request: httpx.Request, came: httpcore.Response) -> httpx.Response:
        """With the stream of httpcore, which httpx closes when it is done: a client that leaves is seen."""
        stream = cast("httpx.SyncByteStream", came.stream)
        response = httpx.Response(
            came.status, headers=came.headers, stream=stream, request=request, extensions=dict(came.extensions)
        )
        self.record(request, response=response)
        return response


def _asked(request: httpx.Request) -> httpcore.Request:
    url = httpcore.URL(scheme=ORIGIN.scheme, host=ORIGIN.host, port=None, target=request.url.raw_path)
    stream = cast("Any", request.stream)
    return httpcore.Request(
        request.method, url, headers=request.headers.raw, content=stream, extensions=request.extensions
    )
