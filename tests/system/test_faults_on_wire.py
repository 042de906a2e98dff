"""Every fault does on the wire what its text says, seen by a client of sockets alone, in replay and as a proxy."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack

import pytest

from mock_server.faults import FAULTS
from mock_server.faults.beyond import DECIDED, beyond
from mock_server.process import running
from tests.system.faults_on_wire import OF_LAYERS, PACED, SHOWN, SPEED, WHOLE
from tests.system.raw import KEY, ask

Urls = dict[str, str]


@pytest.fixture(scope="module")
def urls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Urls]:
    """A mock and a proxy in front of it, at a speed; and both once more, in their time."""
    folder = str(tmp_path_factory.mktemp("recorded"))
    with ExitStack() as stack:
        made: Urls = {}
        for kind, words in (("", ("--speed", str(SPEED))), ("-paced", PACED)):
            made["replay" + kind] = stack.enter_context(running(*words, "--api-key", KEY))
            proxied = ("--record-from", made["replay" + kind], "--to", folder, *words)
            made["proxy" + kind] = stack.enter_context(running(*proxied))
        yield made


def test_every_fault_of_these_layers_is_shown() -> None:
    assert set(SHOWN) == set(OF_LAYERS)


WAYS = [("replay", name) for name in SHOWN] + [("proxy", name) for name in SHOWN if not beyond(FAULTS[name])]
UNPLAYABLE = [name for name, fault in FAULTS.items() if beyond(fault)]


@pytest.mark.parametrize(("way", "name"), WAYS)
def test_a_fault_is_on_the_wire_and_a_good_answer_has_it_not(way: str, name: str, urls: Urls) -> None:
    shown = SHOWN[name]
    url = urls[f"{way}-paced" if shown.paced else way]
    good = ask(url, shown.ask)
    bad = ask(url, shown.ask.with_header("x-relay-fault", name))
    assert shown.look(good, bad), (good.data[-600:], bad.data[-600:], bad.end)
    assert not seen(shown.look, good)


@pytest.mark.parametrize("name", UNPLAYABLE)
def test_what_a_proxy_cannot_play_is_refused_and_not_forgotten(name: str, urls: Urls) -> None:
    came = ask(urls["proxy"], WHOLE.with_header("x-relay-fault", name))
    assert (came.status, came.error["code"]) == (400, "unknown_manner")
    assert came.error["message"] == f"{name} cannot be played by a proxy: {beyond(FAULTS[name])}"


def test_a_fault_that_is_unplayable_is_one() -> None:
    assert set(DECIDED) <= set(FAULTS)
    words = [sys.executable, "-m", "mock_server", "--port", "0", "--record-from", "http://127.0.0.1:9"]
    told = subprocess.run([*words, "--fault", "auth-any-key"], capture_output=True, text=True, timeout=60, check=False)
    assert (told.returncode, len(told.stderr.splitlines())) == (2, 1)
    assert "cannot be played by a proxy" in told.stderr


def seen(look: object, good: object) -> bool:
    """Whether a look takes a good answer for a bad one."""
    try:
        return bool(look(good, good))  # type: ignore[operator]
    except (AssertionError, ValueError, KeyError, IndexError, TypeError):
        return False
