"""The hand on a running mock: `/__relay__/`, from this machine or with a token.

    GET health · GET/DELETE journal · GET journal/{n} · GET journal/wait · GET recordings · GET/PUT/DELETE faults
    GET/PUT/DELETE script · GET/PUT/DELETE clock · POST reset · POST reload · GET metrics

What is done is in `commands.py`. With several workers, each does what is changed, and what is told is told of all.
"""

import asyncio
import hmac
import ipaddress
from collections.abc import Awaitable, Callable
from time import monotonic
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import Scope

from mock_server.commands import Command, Commands, Refused, Told, meant, number, refusal
from mock_server.metrics import TYPE, exposition
from mock_server.options import Options

if TYPE_CHECKING:
    from mock_server.adapter import Adapter
    from mock_server.workers.member import Member

PREFIX = "/__relay__/"
STEADY = "/_x-steady/health"  # where users of Steady look
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
LOCAL = {"localhost", "127.0.0.1", "::1", "testserver"}
MOST_BODY = 1 << 20
LONGEST_WAIT = 300.0  # seconds
AGAIN = 0.02  # seconds after which several workers are asked again for what is waited for

Handler = Callable[[Request], Awaitable[Response]]
TABLE = (  # path, name of the command, methods
    ("health", "health", "GET"),
    ("journal", "journal", "GET DELETE"),
    ("journal/wait", "wait", "GET"),
    ("journal/{number:int}", "entry", "GET"),
    ("recordings", "recordings", "GET"),
    ("faults", "faults", "GET PUT DELETE"),
    ("faults/catalogue", "catalogue", "GET"),
    ("script", "script", "GET PUT DELETE"),
    ("clock", "clock", "GET PUT DELETE"),
    ("reset", "reset", "POST"),
    ("reload", "reload", "POST"),
    ("metrics", "metrics", "GET"),
)


class Control:
    """The routes, and who may use them: this machine alone, or a bearer of the token from anywhere. `member` is what
    reaches the other workers, where there are some."""

    def __init__(self, adapter: "Adapter", options: Options, member: "Member | None" = None) -> None:
        self.commands = Commands(adapter, options)
        self.token = options.token
        self._member = member
        if member:
            member.serve(self.commands.do)

    @property
    def routes(self) -> list[Route]:
        made = [
            Route(PREFIX + path, self._guarded(self._doing(name)), methods=methods.split())
            for path, name, methods in TABLE
        ]
        steady = Route(STEADY, self._guarded(self._doing("health")), methods=["GET"])
        return [*made, steady, Route(PREFIX + "{rest:path}", self._guarded(self.nothing), methods=list(METHODS))]

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
                return _response(refusal(404, f"Invalid URL ({request.method} {request.url.path})"))
            try:
                return await handler(request)
            except Refused as refused:
                return _response(refusal(refused.status, str(refused)))

        return answer

    def _doing(self, name: str) -> Handler:
        async def do(request: Request) -> Response:
            body = await _body(request)
            command = Command(
                name,
                request.method if request.method != "HEAD" else "GET",
                dict(request.query_params),
                body.decode("utf-8", "replace"),
                request.path_params.get("number", 0),
            )
            told = await (self.wait(command) if name == "wait" else self._told(command))
            if name == "metrics":
                return PlainTextResponse(exposition(told.value), media_type=TYPE)
            return _response(told)

        return do

    async def _told(self, command: Command) -> Told:
        return await self._member.told(command) if self._member else self.commands.do(command)

    async def wait(self, command: Command) -> Told:
        """The entries that are meant, as soon as there are so many, or 408 and those that there are by then."""
        count = number(command.query, "count", int, 1)
        patience = min(number(command.query, "timeout", float, 5.0), LONGEST_WAIT)
        if self._member is None:
            entries = await self.commands.adapter.journal.wait(meant(command), count, patience)
            return Told(200 if len(entries) >= count else 408, [entry.line() for entry in entries])
        until, query = monotonic() + patience, {**command.query, "limit": str(1 << 30)}
        while True:
            told = await self._member.told(Command("journal", "GET", query))
            found = told.value if isinstance(told.value, list) else []
            if told.status != 200 or len(found) >= count or monotonic() >= until:
                return told if told.status != 200 or len(found) >= count else Told(408, found)
            await asyncio.sleep(AGAIN)

    async def nothing(self, request: Request) -> Response:
        """A path that is none, or not with this method."""
        there = ", ".join(f"{method} {path}" for path, _, methods in TABLE for method in methods.split())
        text = f"there is no {request.method} {request.url.path}; under {PREFIX} there are {there}"
        raise Refused(404, text)


def _response(told: Told) -> Response:
    return Response(status_code=204) if told.status == 204 else JSONResponse(told.value, status_code=told.status)


async def _body(request: Request) -> bytes:
    pieces = bytearray()
    async for piece in request.stream():
        pieces += piece
        if len(pieces) > MOST_BODY:
            raise Refused(413, f"more than {MOST_BODY} bytes")
    return bytes(pieces)


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
