"""What the fixtures of `pytest_plugin` hand out: a mock in a process of its own, and the application in this one."""

import asyncio
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from mock_server.process import running
from openapi.json_text import Json

if TYPE_CHECKING:
    import httpx
    from starlette.applications import Starlette

    from mock_server.app import Application

WAIT = 5.0  # seconds


class MockRelay:
    """A mock that runs: where it is, what it was asked, and how it is to be wrong from now on."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.journal = Journal(self)

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes; Claude's takes `url`."""
        return f"{self.url}/v1"

    def faults(self, *words: str) -> None:
        """The faults of all requests from now on: `chat-stream-done-missing`, `…@0.1`, `…*3`. None ends them."""
        self.ask("PUT", "faults", list(words))

    def script(self, text: str) -> None:
        """The rules from now on, in YAML."""
        self.ask("PUT", "script", text)

    def reset(self) -> None:
        """As it was started, with nothing in the journal."""
        self.ask("POST", "reset")

    def ask(self, method: str, path: str, body: Json = None) -> Any:  # noqa: ANN401 - JSON, as it came
        """One request to `/__relay__/`. Raises ValueError with what the mock says against it."""
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        request = Request(f"{self.url}/__relay__/{path}", data, {"host": "localhost"}, method=method)  # noqa: S310 - ours
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=WAIT + 60) as answer:
                text = answer.read()
        except HTTPError as error:
            text = error.read()
            if error.code != 408:
                raise ValueError(json.loads(text)["error"]["message"]) from None
        return json.loads(text) if text else None


class Journal:
    """What a mock was asked and what it sent, each a dictionary as `GET /__relay__/journal` has it."""

    def __init__(self, relay: MockRelay) -> None:
        self._relay = relay

    def entries(self, **wanted: str | int) -> list[dict[str, Any]]:
        """Those that are meant, oldest first: `method`, `path`, `operation`, `model`, `status`, `since`, `limit`."""
        found: list[dict[str, Any]] = self._relay.ask("GET", f"journal?{urlencode({'limit': 1000} | wanted)}")
        return found

    def wait(self, count: int = 1, timeout: float = WAIT, **wanted: str | int) -> list[dict[str, Any]]:
        """As soon as there are so many. Raises AssertionError where they do not come within the time (seconds)."""
        query = urlencode({"count": count, "timeout": timeout} | wanted)
        found: list[dict[str, Any]] = self._relay.ask("GET", f"journal/wait?{query}")
        assert len(found) >= count, f"{len(found)} of {count} requests came within {timeout:g} s: {found}"
        return found

    @property
    def last(self) -> dict[str, Any]:
        """The last one, whole. Raises AssertionError where nothing was asked."""
        found = self.entries(limit=1)
        assert found, "the mock relay was asked nothing"
        whole: dict[str, Any] = self._relay.ask("GET", f"journal/{found[0]['number']}")
        return whole

    def clear(self) -> None:
        self._relay.ask("DELETE", "journal")

    def __len__(self) -> int:
        return len(self.entries())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.entries())


class Servers:
    """Mocks in processes of their own, one for each way to start it; set back before each test."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self._running: dict[tuple[str, ...], MockRelay] = {}

    def of(
        self,
        *,
        recordings: str | Path | None = None,
        fault: str | None = None,
        faults: tuple[str, ...] = (),
        script: str | None = None,
        speed: float | str = "max",
        seed: int = 0,
        api_key: str | None = None,
    ) -> MockRelay:
        """The mock of these options, with the faults and the script of one test."""
        words = ["--speed", str(speed), "--seed", str(seed)]
        words += ["--recordings", str(recordings)] if recordings else []
        words += ["--api-key", api_key] if api_key else []
        key = tuple(words)
        if key not in self._running:
            self._running[key] = MockRelay(self._stack.enter_context(running(*words)))
        relay = self._running[key]
        relay.reset()
        wanted = [*([fault] if fault else []), *faults]
        if wanted:
            relay.faults(*wanted)
        if script:
            relay.script(script)
        return relay


def application(
    *,
    recordings: str | Path | None = None,
    fault: str | None = None,
    faults: tuple[str, ...] = (),
    script: str | None = None,
    speed: float | str = "max",
    seed: int = 0,
    api_key: str | None = None,
) -> "Application":
    """The mock in this process. Raises LibraryError, ScriptError and WishError."""
    from mock_server.app import create_app  # noqa: PLC0415 - only who needs it waits for it
    from mock_server.library import RECORDINGS, load  # noqa: PLC0415
    from mock_server.replay import Pace  # noqa: PLC0415
    from mock_server.script import read  # noqa: PLC0415
    from mock_server.wish import wish  # noqa: PLC0415
    from openapi import document  # noqa: PLC0415

    return create_app(
        document.load(),
        load(Path(recordings) if recordings else RECORDINGS, document.load()),
        wanted=[wish(one) for one in (*([fault] if fault else []), *faults)],
        script=read(script, seed=seed) if script else None,
        pace=Pace(math.inf if speed == "max" else float(speed)),
        seed=seed,
        api_key=api_key,
    )


def answering(app: "Starlette") -> "Callable[[httpx.Request], httpx.Response]":
    """A side effect for respx: what the application answers to a request of httpx, whole."""
    import httpx  # noqa: PLC0415

    async def ask(request: httpx.Request) -> httpx.Response:
        transport = httpx.ASGITransport(app=app)
        answer = await transport.handle_async_request(
            httpx.Request(request.method, request.url, headers=request.headers, content=request.read())
        )
        assert isinstance(answer.stream, httpx.AsyncByteStream)
        raw = b"".join([part async for part in answer.stream])  # as it came: who asked takes the coding off
        return httpx.Response(answer.status_code, headers=answer.headers, content=raw)

    def answer(request: httpx.Request) -> httpx.Response:
        """In a thread of its own: the test may be inside of a loop."""
        made: list[httpx.Response] = []
        thread = threading.Thread(target=lambda: made.append(asyncio.run(ask(request))))
        thread.start()
        thread.join()
        return made[0]

    return answer
