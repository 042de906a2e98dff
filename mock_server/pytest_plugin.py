"""A mock relay in a test: fixtures for pytest, in the wheel. Translation only; nothing is imported before it is used.

    def test_my_client(mock_relay):
        answer = my_client(base_url=mock_relay.base_url, api_key="any-key").ask("Hello")
        assert mock_relay.journal.last["status"] == 200

    @pytest.mark.relay(fault="chat-stream-done-missing", speed="max")
    def test_my_client_survives(mock_relay): ...

`mock_relay` is a real server on a free port, in a process of its own; `mock_relay_asgi` the application, for an
ASGITransport; `mock_relay_httpx` and `mock_relay_httpx2` answer what httpx (by respx) and httpx2 clients ask of
`https://mock-relay/v1`, in this process and without a network.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    import httpx2
    import respx
    from starlette.applications import Starlette

    from mock_server.testing import MockRelay, Servers

OPTIONS = ("recordings", "fault", "faults", "script", "speed", "seed", "api_key")
IN_PROCESS = "https://mock-relay/v1"


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "relay(recordings=DIR, fault=ID, script=YAML, speed=N, seed=N, api_key=KEY): how the mock relay of a test is",
    )


def _wanted(request: pytest.FixtureRequest) -> dict[str, Any]:
    """What the markers of a test say, the nearest first."""
    found: dict[str, Any] = {}
    for marker in request.node.iter_markers("relay"):
        unknown = next((name for name in marker.kwargs if name not in OPTIONS), None)
        if unknown or marker.args:
            msg = f"@pytest.mark.relay takes {', '.join(OPTIONS)} by name, not {unknown or marker.args!r}"
            raise pytest.UsageError(msg)
        found = {**marker.kwargs, **found}
    return found


@contextmanager
def _need(package: str, fixture: str) -> Iterator[None]:
    try:
        yield
    except ImportError as error:
        msg = f"the fixture {fixture} needs {package}: pip install {package}"
        raise pytest.UsageError(msg) from error


@pytest.fixture(scope="session")
def _mock_relays() -> "Iterator[Servers]":
    """The servers that were started, by their options: tests with the same share one, set back before each."""
    from contextlib import ExitStack  # noqa: PLC0415

    with ExitStack() as stack:
        from mock_server.testing import Servers  # noqa: PLC0415

        yield Servers(stack)


@pytest.fixture
def mock_relay(request: pytest.FixtureRequest, _mock_relays: "Servers") -> "MockRelay":
    """A mock relay over HTTP: `base_url`, `journal`, `faults(…)`, `script(…)`."""
    return _mock_relays.of(**_wanted(request))


@pytest.fixture
def mock_relay_asgi(request: pytest.FixtureRequest) -> "Starlette":
    """The mock relay as an ASGI application."""
    from mock_server.testing import application  # noqa: PLC0415

    return application(**_wanted(request))


@pytest.fixture
def mock_relay_httpx2(mock_relay_asgi: "Starlette") -> "httpx2.ASGITransport":
    """A transport for clients of httpx2, the official SDKs of today among them."""
    with _need("httpx2", "mock_relay_httpx2"):
        import httpx2  # noqa: PLC0415

    return httpx2.ASGITransport(app=mock_relay_asgi)


@pytest.fixture
def mock_relay_httpx(mock_relay_asgi: "Starlette") -> "Iterator[respx.MockRouter]":
    """Clients of httpx that ask `https://mock-relay` are answered by the mock; nothing else gets out."""
    with _need("respx", "mock_relay_httpx"):
        import respx  # noqa: PLC0415

    from mock_server.testing import answering  # noqa: PLC0415

    with respx.mock(assert_all_called=False) as router:
        router.route(host="mock-relay").mock(side_effect=answering(mock_relay_asgi))
        yield router
