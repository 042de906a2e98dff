"""The relay as a Starlette application: reads a request, lets `Relay` decide, and has the answer sent.

Each operation of the document is a route of its name. Behind them stands one for every other path: a recording needs no
route, and what is neither is 404 in the envelope.
"""

import re
from collections.abc import Callable, Sequence

from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route
from starlette.types import Receive, Scope, Send

from mock_server import media
from mock_server.adapter import Adapter
from mock_server.control import PREFIX, STEADY, Control
from mock_server.faults import Fault
from mock_server.journal import MOST as JOURNAL
from mock_server.journal import Journal
from mock_server.latency import Latency
from mock_server.library import Library
from mock_server.manners import Relays
from mock_server.policy import RIGHT, Policy
from mock_server.proxy import Proxy
from mock_server.recorder import Recorder
from mock_server.replay import AS_RECORDED, Pace
from mock_server.script import Script
from mock_server.upstream import Upstream
from mock_server.validation import Mode
from mock_server.wish import Wish
from openapi.document import Document


def create_app(
    document: Document,
    library: Library,
    *,
    policy: Policy = RIGHT,
    faults: Sequence[Fault] = (),
    wanted: Sequence[Wish] = (),
    api_key: str | None = None,
    pace: Pace = AS_RECORDED,
    seed: int = 0,
    script: Script | None = None,
    latency: Latency | None = None,
    strict: bool = False,
    mode: Mode = Mode.REJECT,
    control: bool = True,
    token: str | None = None,
    journal: int = JOURNAL,
    workers: int = 1,
    reload: Callable[[], Library] | None = None,
    upstream: Upstream | None = None,
    recorder: Recorder | None = None,
) -> "Application":
    """The mock as an application, to be served or mounted. With an `upstream` it stands in front of that relay."""
    relays = Relays(
        document,
        library,
        policy=policy,
        faults=faults,
        wanted=wanted,
        api_key=api_key,
        seed=seed,
        script=script,
        latency=latency,
        strict=strict,
        mode=mode,
    )
    adapter = Adapter(relays, pace, Journal(journal), reload)
    if upstream:
        adapter = Proxy(relays, pace, Journal(journal), reload, upstream=upstream, recorder=recorder)
    paths = {operation.path: operation.id for operation in document.operations}
    hands = Control(adapter, token=token, workers=workers).routes if control else []
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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not self.user_middleware and not _is_control(scope["path"]):
            await self.adapter(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


def _is_control(path: str) -> bool:
    return path.startswith((PREFIX, STEADY)) and not path.startswith(media.PATH)
