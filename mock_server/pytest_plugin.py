"""A mock relay in a test: fixtures for pytest, in the wheel. Translation only; nothing is imported before it is used.

    def test_my_client(mock_relay):
        answer = my_client(base_url=mock_relay.base_url, api_key="any-key").ask("Hello")
        assert mock_relay.journal.last["status"] == 200

    @pytest.mark.relay(fault="chat-stream-done-missing", speed="max")
    def test_my_client_survives(mock_relay): ...

`mock_relay` is a real server on a free port, in a process of its own. The others are in this process and without a
network, one mock for each test: `mock_relay_local` is the hand on it, `mock_relay_httpx2` a transport for clients of
httpx2, `mock_relay_httpx` answers (by respx) what clients of httpx ask, `mock_relay_asgi` is the application. All but
the last send the very bytes of the server, faults of framing included; a client that leaves is seen.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from starlette.types import ASGIApp

    from mock_server.testing import MockRelay
    from mock_server.testing.httpx2_client import Transport
    from mock_server.testing.local import Local, Locals
    from mock_server.testing.servers import Servers
    from mock_server.testing.wanted import Wanted


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers",
        "relay(fault=ID, faults=[ID], recording=NAME, script=YAML|Path, recordings=DIR, speed=N, seed=N, api_key=KEY, "
        "strict=True, hosts=[HOST]): how the mock relay of a test is",
    )


@contextmanager
def _told() -> Iterator[None]:
    """What a test asks for in vain is told in a line."""
    try:
        yield
    except (ValueError, RuntimeError) as error:
        pytest.fail(f"mock relay: {error}", pytrace=False)


def _needed(package: str, fixture: str) -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec(package) is None:
        pytest.fail(f"the fixture {fixture} needs {package}: pip install {package}", pytrace=False)


@pytest.fixture
def _relay_wanted(request: pytest.FixtureRequest) -> "Wanted":
    """What the markers of a test say, the nearest first."""
    from mock_server.testing.wanted import WantedError, wanted  # noqa: PLC0415

    given: dict[str, object] = {}
    with _told():
        for marker in request.node.iter_markers("relay"):
            if marker.args:
                msg = f"@pytest.mark.relay takes words by name, as fault={marker.args[0]!r}"
                raise WantedError(msg)
            given = {**marker.kwargs, **given}
        return wanted(given, request.path.parent)


@pytest.fixture(scope="session")
def _relay_servers() -> "Iterator[Servers]":
    from mock_server.testing.servers import Servers  # noqa: PLC0415

    with ExitStack() as stack:
        yield Servers(stack)


@pytest.fixture(scope="session")
def _relay_locals() -> "Iterator[Locals]":
    from mock_server.testing.local import Locals  # noqa: PLC0415

    with ExitStack() as stack:
        yield Locals(stack)


@pytest.fixture
def mock_relay(_relay_servers: "Servers", _relay_wanted: "Wanted") -> "MockRelay":
    """A mock relay over HTTP: `base_url`, `journal`, `faults(…)`, `script(…)`, `recording(…)`, `reset()`."""
    with _told():
        return _relay_servers.of(_relay_wanted)


@pytest.fixture
def mock_relay_local(_relay_locals: "Locals", _relay_wanted: "Wanted") -> "Local":
    """The mock relay in this process: all that `mock_relay` has, for what the fixtures below are answered by."""
    with _told():
        return _relay_locals.of(_relay_wanted)


@pytest.fixture
def mock_relay_asgi(mock_relay_local: "Local") -> "ASGIApp":
    """The mock relay as an ASGI application, to be mounted or asked by an ASGITransport."""
    return mock_relay_local.app


@pytest.fixture
def mock_relay_httpx2(mock_relay_local: "Local") -> "Transport":
    """A transport for clients of httpx2, whole or async, the official SDKs of today among them."""
    return mock_relay_local.transport


@pytest.fixture
def mock_relay_httpx(mock_relay_local: "Local", _relay_wanted: "Wanted") -> "Iterator[Local]":
    """Answers what httpx clients ask of OpenAI, Anthropic, `https://mock-relay` and `hosts=`; nothing else gets out."""
    for package in ("httpx", "respx"):
        _needed(package, "mock_relay_httpx")
    from mock_server.testing.httpx_client import Router  # noqa: PLC0415
    from mock_server.testing.local import HOSTS  # noqa: PLC0415

    with Router(mock_relay_local.listener, {*HOSTS, *_relay_wanted.hosts}):
        yield mock_relay_local
