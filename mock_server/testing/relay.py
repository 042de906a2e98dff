"""The hand that a test has on its mock, wherever that runs."""

import json
from collections.abc import Callable, Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

from mock_server.testing.wanted import Wanted, rule_of
from openapi.json_text import Json

WAIT = 5.0  # seconds
PREFIX = "/__relay__/"

Asking = Callable[[str, str, bytes | None], tuple[int, bytes]]  # method, path, body → status, body


class MockRelay:
    """A mock that runs: where it is, what it was asked, and how it is to be wrong from now on."""

    def __init__(self, url: str, asking: Asking) -> None:
        self.url = url
        self.journal = Journal(self)
        self._asking = asking

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

    def recording(self, *names: str) -> None:
        """The recordings that answer for any model from now on, in turn."""
        self.script(rule_of(names, [one["name"] for one in self.ask("GET", "recordings")]))

    def clock(self, **moved: str) -> float:
        """Seconds on the clock of limits and outages, once it is moved: `to="30s"` or `ahead="1m"`."""
        told: float = self.ask("PUT" if moved else "GET", "clock", dict(moved) if moved else None)["seconds"]
        return told

    def reset(self) -> None:
        """As it was started, with nothing in the journal."""
        self.ask("POST", "reset")

    def play(self, wanted: Wanted) -> None:
        """As one test wants it: reset, then its faults and answers. Raises ValueError for what is not there."""
        self.reset()
        if wanted.faults:
            self.faults(*wanted.faults)
        if wanted.recording:
            self.recording(*wanted.recording)
        if wanted.script is not None:
            self.script(wanted.script)

    def ask(self, method: str, path: str, body: Json = None) -> Any:  # noqa: ANN401 - JSON, as it came
        """One request to `/__relay__/`. Raises ValueError with what the mock says against it."""
        data = None if body is None else body.encode() if isinstance(body, str) else json.dumps(body).encode()
        status, text = self._asking(method, PREFIX + path, data)
        told: Any = json.loads(text) if text else None
        if status >= 400 and status != 408:
            raise ValueError(told["error"]["message"])
        return told


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
        if len(found) < count:
            msg = f"{len(found)} of {count} requests came within {timeout:g} s: {found}"
            raise AssertionError(msg)
        return found

    @property
    def last(self) -> dict[str, Any]:
        """The last one, whole. Raises AssertionError where nothing was asked."""
        found = self.entries(limit=1)
        if not found:
            msg = "the mock relay was asked nothing"
            raise AssertionError(msg)
        whole: dict[str, Any] = self._relay.ask("GET", f"journal/{found[0]['number']}")
        return whole

    def clear(self) -> None:
        self._relay.ask("DELETE", "journal")

    def __len__(self) -> int:
        return len(self.entries())

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return iter(self.entries())


def over_http(url: str) -> Asking:
    """Asks a mock on a port of this machine, past any proxy."""

    def ask(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        request = Request(url + path, body, {"host": "localhost"}, method=method)  # noqa: S310 - ours
        try:
            with build_opener(ProxyHandler({})).open(request, timeout=WAIT + 360) as answer:
                return answer.status, answer.read()
        except HTTPError as error:
            return error.code, error.read()

    return ask
