"""The hand on a running mock: `/__relay__/`, from this machine or with a token.

    GET health · GET/DELETE journal · GET journal/{n} · GET journal/wait · GET recordings · GET/PUT/DELETE faults
    GET/PUT/DELETE script · POST reset · POST reload · GET metrics

All state is that of one process: with several workers, `health` says which one answered.
"""

import hmac
import ipaddress
import os
import time
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from mock_server.faults import FAULTS
from mock_server.journal import Filter
from mock_server.library import LibraryError
from mock_server.metrics import TYPE
from mock_server.options import Options
from mock_server.script import ScriptError, read
from mock_server.script.reading import check_recordings
from mock_server.wish import Wish, WishError, wish
from openapi import json_text
from openapi.json_text import Json

if TYPE_CHECKING:
    from mock_server.adapter import Adapter

PREFIX = "/__relay__/"
STEADY = "/_x-steady/health"  # where users of Steady look
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOCAL = {"localhost", "127.0.0.1", "::1", "testserver"}
MOST_BODY = 1 << 20
LONGEST_WAIT = 300.0  # seconds

T = TypeVar("T", int, float)
Handler = Callable[[Request], Awaitable[Response]]


class _Refused(Exception):  # noqa: N818 - an answer
    """What is told to a request that cannot be done: a status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Control:
    """The routes, and who may use them: this machine alone, or a bearer of the token from anywhere."""

    def __init__(self, adapter: "Adapter", options: Options) -> None:
        self.adapter = adapter
        self.token = options.token
        self.workers = options.workers
        self.began = time.time()

    @property
    def routes(self) -> list[Route]:
        table = self._table()
        made = [Route(PREFIX + path, self._guarded(handler), methods=[method]) for path, method, handler in table]
        steady = Route(STEADY, self._guarded(self.health), methods=["GET"])
        return [*made, steady, Route(PREFIX + "{rest:path}", self._guarded(self.nothing), methods=list(METHODS))]

    def _table(self) -> list[tuple[str, str, Handler]]:
        return [
            ("health", "GET", self.health),
            ("journal", "GET", self.journal),
            ("journal", "DELETE", self.forget),
            ("journal/wait", "GET", self.wait),
            ("journal/{number:int}", "GET", self.entry),
            ("recordings", "GET", self.recordings),
            ("faults", "GET", self.faults),
            ("faults", "PUT", self.want),
            ("faults", "DELETE", self.want),
            ("faults/catalogue", "GET", self.catalogue),
            ("script", "GET", self.script),
            ("script", "PUT", self.play),
            ("script", "DELETE", self.play),
            ("reset", "POST", self.reset),
            ("reload", "POST", self.reload),
            ("metrics", "GET", self.metrics),
        ]

    def lets_in(self, scope: Scope) -> bool:
        """Whether a request comes from this machine and from no page of somebody else's, or brings the token."""
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        if self.token is not None:
            given = headers.get("authorization", "").removeprefix("Bearer ")
            if hmac.compare_digest(given.encode(), self.token.encode()):
                return True
        peer = (scope.get("client") or ("",))[0]
        origin = headers.get("origin")
        here = _is_loopback(peer) or peer == "testclient"
        return here and _is_local(headers.get("host", "")) and (origin is None or _is_local(urlsplit(origin).netloc))

    def _guarded(self, handler: Handler) -> Handler:
        async def answer(request: Request) -> Response:
            if not self.lets_in(request.scope):
                return _told(404, f"Invalid URL ({request.method} {request.url.path})")
            try:
                return await handler(request)
            except _Refused as refused:
                return _told(refused.status, str(refused))

        return answer

    async def nothing(self, request: Request) -> Response:
        """A path that is none, or not with this method."""
        there = ", ".join(f"{method} {path}" for path, method, _ in self._table())
        text = f"there is no {request.method} {request.url.path}; under {PREFIX} there are {there}"
        raise _Refused(404, text)

    # --- what there is ----------------------------------------------------------------------------------------------

    async def health(self, _: Request) -> Response:
        relays = self.adapter.relays
        return JSONResponse(
            {
                "status": "ok",
                "uptime": round(time.time() - self.began, 3),
                "recordings": len(relays.usual.library.recordings),
                "rules": len(relays.script.rules),
                "faults": [one.text for one in relays.wanted],
                "answered": self.adapter.journal.count,
                "under_way": self.adapter.under_way,
                "workers": self.workers,
                "worker": os.getpid(),
            }
        )

    async def recordings(self, _: Request) -> Response:
        found = self.adapter.relays.usual.library.recordings
        return JSONResponse(
            [
                {"name": name, "method": one.request.method, "path": one.request.path, "status": one.status}
                for name, one in found.items()
            ]
        )

    async def metrics(self, _: Request) -> Response:
        return PlainTextResponse(self.adapter.metrics.text(self.adapter.under_way), media_type=TYPE)

    # --- the journal ------------------------------------------------------------------------------------------------

    async def journal(self, request: Request) -> Response:
        limit = _number(request, "limit", int, 100)
        found = list(self.adapter.journal.entries(_filter(request)))
        return JSONResponse([entry.line() for entry in found[max(len(found) - limit, 0) :]])

    async def entry(self, request: Request) -> Response:
        found = self.adapter.journal.entry(request.path_params["number"])
        if found is None:
            raise _Refused(404, "there is no such entry, or no longer")
        return JSONResponse(found.whole())

    async def wait(self, request: Request) -> Response:
        count, timeout = _number(request, "count", int, 1), _number(request, "timeout", float, 5.0)
        found = await self.adapter.journal.wait(_filter(request), count, min(timeout, LONGEST_WAIT))
        status = 200 if len(found) >= count else 408
        return JSONResponse([entry.line() for entry in found], status_code=status)

    async def forget(self, _: Request) -> Response:
        self.adapter.journal.clear()
        return Response(status_code=204)

    # --- what is changed --------------------------------------------------------------------------------------------

    async def faults(self, _: Request) -> Response:
        return JSONResponse([one.text for one in self.adapter.relays.wanted])

    async def catalogue(self, _: Request) -> Response:
        told = ({"id": one.id, "text": one.text, "breaks": one.breaks, "honest": one.honest} for one in FAULTS.values())
        return JSONResponse(list(told))

    async def want(self, request: Request) -> Response:
        """The faults of requests that name none, from now on: a list of words, or none with DELETE."""
        said = [] if request.method == "DELETE" else json_text.read(await _body(request)).value
        if not isinstance(said, list):
            raise _Refused(400, 'expected a list: ["chat-stream-done-missing", "honest-slow@0.1*3"]')
        self.adapter.relays.wanted = tuple(_wish(one) for one in said)
        return await self.faults(request)

    async def script(self, _: Request) -> Response:
        return JSONResponse([rule.name for rule in self.adapter.relays.script.rules])

    async def play(self, request: Request) -> Response:
        """The script from now on, as its file would be; none with DELETE."""
        relays = self.adapter.relays
        text = "[]" if request.method == "DELETE" else (await _body(request)).decode("utf-8", "replace")
        try:
            relays.perform(check_recordings(read(text, "script", relays.seed), relays.usual.library))
        except ScriptError as error:
            raise _Refused(400, str(error)) from error
        return await self.script(request)

    async def reset(self, _: Request) -> Response:
        """As it was started: faults, script, turns, journal, metrics."""
        self.adapter.reset()
        return Response(status_code=204)

    async def reload(self, _: Request) -> Response:
        """The recordings as they are on disk now."""
        try:
            count = self.adapter.reload()
        except LibraryError as error:
            raise _Refused(409, f"the recordings stay as they were: {error}") from error
        return JSONResponse({"recordings": count})


def _told(status: int, message: str) -> Response:
    kind = "invalid_request_error"
    return JSONResponse({"error": {"message": message, "type": kind, "param": None, "code": None}}, status_code=status)


async def _body(request: Request) -> bytes:
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > MOST_BODY:
            raise _Refused(413, f"more than {MOST_BODY} bytes")
    return bytes(pieces)


def _wish(value: Json) -> Wish:
    try:
        return wish(value if isinstance(value, str) else str(value))
    except WishError as error:
        raise _Refused(400, str(error)) from error


def _filter(request: Request) -> Filter:
    asked = request.query_params
    known = {"method", "path", "operation", "model", "status", "since", "limit", "count", "timeout"}
    unknown = next((name for name in asked if name not in known), None)
    if unknown:
        raise _Refused(400, f"{unknown!r} is unknown; there are {', '.join(sorted(known))}")
    status = _number(request, "status", int, 0)
    return Filter(
        method=asked.get("method"),
        path=asked.get("path"),
        operation=asked.get("operation"),
        model=asked.get("model"),
        status=status or None,
        since=_number(request, "since", int, 0),
    )


def _number(request: Request, name: str, kind: type[T], default: T) -> T:
    text = request.query_params.get(name)
    if text is None:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = kind(-1)
    if not 0 <= value < 1e9:
        raise _Refused(400, f"{name}: expected a number, got {text[:40]!r}")
    return value


def _is_loopback(address: str) -> bool:
    try:
        return ipaddress.ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _is_local(netloc: str) -> bool:
    """Whether a host, with or without a port, is this machine by a name of its own, that nobody else can point here."""
    try:
        host = urlsplit(f"//{netloc}").hostname or ""
    except ValueError:
        return False
    return host in LOCAL or _is_loopback(host)
