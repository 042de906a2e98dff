"""Hostile clients for a few seconds: a slice of `make fuzz`, always the same; and that it tells what it should."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.fuzz.conversations import HostileError, Move, judge
from tests.fuzz.storm import Watched, crowd, slope, storm, watched
from tests.mock_server.capture import connect

RELOAD = b"POST /__relay__/reload HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n"


@pytest.fixture(scope="module")
def served() -> Iterator[Watched]:
    with watched("--speed", "max", "--journal", "50") as mock:
        yield mock


def test_a_mock_lives_answers_in_the_envelope_and_opens_nothing(served: Watched) -> None:
    storm(served, 40)
    assert served.opened == []
    assert "Traceback" not in served.said


def test_so_does_a_proxy(served: Watched, tmp_path: Path) -> None:
    folder = str(tmp_path)
    with watched("--record-from", served.url, "--to", folder, "--journal", "50", allowed=(folder,)) as proxy:
        storm(proxy, 25, 1)
        assert proxy.opened == []
        assert "Traceback" not in proxy.said


def test_many_who_say_nothing_keep_nobody_from_being_answered(served: Watched) -> None:
    stood, megabytes = crowd(served, 500, 0.5)
    assert stood == 500
    assert megabytes < 200
    assert served.descriptors < 100


def test_the_watch_tells_of_a_file_that_is_opened() -> None:
    with watched("--speed", "max") as mock:
        with connect(mock.url) as client:
            client.sendall(RELOAD)
            while client.recv(65536):
                pass
        assert any("seq-1-create-video" in line for line in mock.opened)


CREATED = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}"
GOOD = [Move(b"", ("GET",))]


@pytest.mark.parametrize(
    "came",
    [
        b"",
        CREATED[:-1],
        CREATED + b"x",
        b"HTTP/1.1 404 Not Found\r\ncontent-length: 2\r\n\r\n{}",
        b"HTTP/1.1 500 Oh\r\ncontent-length: 17\r\n\r\nits log tells why",
        b"garbage\r\n\r\n",
    ],
)  # fmt: skip
def test_what_no_client_may_see_is_seen(came: bytes) -> None:
    assert judge(CREATED, GOOD) == 1
    with pytest.raises(HostileError):
        judge(came, GOOD)


def test_a_slope_is_that_of_the_latter_part() -> None:
    assert slope([(0.0, 0.0), (1.0, 50.0), (2.0, 50.0), (3.0, 50.0), (4.0, 50.0), (5.0, 50.0)]) == 0
    assert slope([(float(at), at / 10) for at in range(9)]) == pytest.approx(360)
