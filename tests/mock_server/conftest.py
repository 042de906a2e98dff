"""A mock in a process of its own, and one way to ask it."""

import json
from collections.abc import Iterator

import pytest

from mock_server.process import running
from openapi.wire.exchange import Headers, Request
from tests.mock_server.wire import Ask, Seen, Wire, encode


@pytest.fixture(scope="session")
def mock() -> Iterator[str]:
    """The base URL of a mock without pauses."""
    with running("--speed", "max") as url:
        yield url


@pytest.fixture
def ask(mock: str) -> Ask:
    """One request to `mock`, or to another `url`; a dict as `body` is sent as JSON."""

    def send(
        method: str = "POST",
        path: str = "/v1/chat/completions",
        body: object = None,
        headers: Headers = (),
        key: str | None = "any-key",
        url: str = mock,
    ) -> Seen:
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            headers = (("content-type", "application/json"), *headers)
        assert body is None or isinstance(body, bytes)
        with Wire(url) as wire:
            wire.send(encode(Request(method, path, headers, body=body), key))
            return wire.answer(method)

    return send


@pytest.fixture
def wire(mock: str) -> Iterator[Wire]:
    with Wire(mock) as opened:
        yield opened
