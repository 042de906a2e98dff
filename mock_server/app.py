"""The relay as a Starlette application: reads a request, lets `Relay` decide, and has the answer sent.

Each operation of the document is a route of its name. Behind them stands one for every other path: a recording needs no
route, and what is neither is 404 in the envelope.
"""

import asyncio
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from mock_server import media
from mock_server.adapter import Adapter
from mock_server.control import PREFIX, STEADY, Control
from mock_server.head import Head
from mock_server.library import Library
from mock_server.manners import Relays
from mock_server.options import USUAL, Options
from mock_server.proxy import Proxy
from mock_server.recorder import Recorder
from mock_server.respond import Say
from openapi.document import Document

if TYPE_CHECKING:
    from mock_server.workers.member import Member


def create_app(
    document: Document,
    library: Library,
    options: Options = USUAL,
    *,
    reload: Callable[[], Library] | None = None,
    recorder: Recorder | None = None,
    member: "Member | None" = None,
) -> "Application":
    """The mock as an application, to be served or mounted: the conduct of `options` with its script read.

    `reload` reads the recordings again, `recorder` keeps what an upstream answers. Several workers are one mock by what
    each has as a `member`.
    """
    relays = Relays(document, library, options.conduct, member.ledger if member else None)
    upstream = options.upstream
    adapter = (
        Proxy(relays, options, reload, upstream, recorder, member=member)
        if upstream
        else Adapter(relays, options, reload, member=member)
    )
    paths = {operation.path: operation.id for operation in document.operations}
    hands = Control(adapter, options, member).routes if options.control else []
    routes = [Route(_pattern(path), adapter, name=name) for path, name in paths.items()]
    return Application(adapter, [*hands, *routes, Mount("/", adapter)])


def _pattern(template: str) -> str:
    """A path template of the document as Starlette writes it; a last parameter may hold slashes, as model names do."""
    return re.sub(r"\{(\w+)\}$", r"{\1:path}", template)


class Application(Starlette):
    """The routes of the document, which all lead to one adapter: without a middleware between, nobody looks for one."""

    def __init__(self, adapter: Adapter, routes: Sequence[BaseRoute]) -> None:
        super().__init__(routes=routes)
        self.adapter = adapter
        self.heads = adapter.heads
        self.following: asyncio.Task[None] | None = None  # what reads files again: a loop alone keeps no task

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self.user_middleware and not _is_control(scope["path"]):
            await self.adapter(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)

    def directly(self, head: Head, body: bytes, say: Say) -> ASGIApp | None:
        """Answers a request that came whole at once where it can be, else says who will."""
        if self.user_middleware or _is_control(head.path):
            return self
        return self.adapter.directly(head, body, say)


def _is_control(path: str) -> bool:
    return path.startswith((PREFIX, STEADY)) and not path.startswith(media.PATH)
