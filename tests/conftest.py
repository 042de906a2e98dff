"""What all tests share: the recordings of the tree, by name."""

import signal
from pathlib import Path

import pytest
from hypothesis import settings

from mock_server.library import RECORDINGS
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording

collect_ignore = ["system/foreign"]  # a project of its own


# how long one example takes is the machine's; a whole test has its timeout
settings.register_profile("tests", settings.default, deadline=None)
settings.load_profile("tests")

# what runs in the background is born deaf to it, with all that it starts
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    items.sort(key=lambda item: item.get_closest_marker("waits") is None)


def recordings() -> list[Path]:
    return sorted(RECORDINGS.rglob("*.jsonl"))


def name_of(path: Path) -> str:
    return path.relative_to(RECORDINGS).with_suffix("").as_posix()


@pytest.fixture(params=recordings(), ids=name_of)
def recording(request: pytest.FixtureRequest) -> tuple[str, Exchange]:
    """Each recording of the tree, with its name `source/case`."""
    path: Path = request.param
    return name_of(path), read_recording(path.read_text(encoding="utf-8"), name_of(path)).exchange


def _is_stream(path: Path) -> bool:
    exchange = read_recording(path.read_text(encoding="utf-8"), "").exchange
    return exchange.media_type == "text/event-stream"


@pytest.fixture(params=[path for path in recordings() if _is_stream(path)], ids=name_of)
def recorded_stream(request: pytest.FixtureRequest) -> tuple[str, bytes]:
    """Each recorded event stream: its name and its body."""
    path: Path = request.param
    return name_of(path), read_recording(path.read_text(encoding="utf-8"), name_of(path)).exchange.content
