"""What was recorded is served again as it was: the same bytes, chunk borders, order and end, for every recording.

Served `exact` over a socket and captured by a client of our own, straight and through a proxy that records it again.
Long ones are sped up, which moves times and nothing else; a few take their time.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from time import monotonic, sleep

import pytest

from mock_server.library import RECORDINGS
from mock_server.process import running
from openapi.wire.exchange import End, Exchange, Framing, Read, Request
from openapi.wire.jsonl import Recording, read_recording, write_recording
from tests.conftest import name_of, recordings
from tests.mock_server.capture import captured, end_to_end
from tests.system.command import relayproof_

SPEED = 100
SILENCE = 1.0  # seconds after which an answer that was recorded as silent is known to be that again
ODD = "odd/"
JSON_TYPE = ("Content-Type", "application/json")
SSE_TYPE = ("Content-Type", "text/event-stream")


def _odd(
    *data: bytes, chunks: tuple[int, ...] | None = None, framing: Framing = Framing.CHUNKED, end: End = End.COMPLETE
) -> Exchange:
    """An exchange that no good relay has: its reads come 10 ms apart."""
    reads = tuple(Read(0.01 * number, one) for number, one in enumerate(data, 1))
    request = Request("POST", "/v1/chat/completions", (JSON_TYPE,), body=b"{}")
    over = 0.01 * len(data) + 0.02
    return Exchange("", request, 200, (SSE_TYPE,), reads, end, over, framing=framing, chunks=chunks)


NO_UTF8 = bytes(range(256))
ODDITIES: dict[str, Exchange] = {
    "a byte a chunk": _odd(b"data: a\n\n", chunks=(*[1] * 9, 0)),
    "chunks across reads": _odd(b"data", b": a", b"\n\nda", b"ta: b\n\n", chunks=(6, 3, 4, 5, 0)),
    "chunks within a read": _odd(b"data: a\n\ndata: b\n\n", b"data: c\n\n", chunks=(9, 9, 9, 0)),
    "a chunk of a megabyte": _odd(*[NO_UTF8 * 256] * 16, chunks=(1 << 20, 0)),
    "bytes that are no text": _odd(NO_UTF8, NO_UTF8[::-1], chunks=(256, 256, 0)),
    "half a character a chunk": _odd("data: 中".encode()[:-1], "中".encode()[-1:] + b"\n\n", chunks=(8, 3, 0)),
    "chunks of nothing": _odd(chunks=(0,)),
    "cut between chunks": _odd(b"data: a\n\n", chunks=(9,), end=End.TRUNCATED),
    "cut within a chunk": _odd(b"data: a\n\n", b"data", chunks=(9, 77), end=End.TRUNCATED),
    "cut behind the head": _odd(end=End.TRUNCATED, chunks=()),
    "a length that is short": _odd(b"data: a\n\n", framing=Framing.CONTENT_LENGTH, end=End.TRUNCATED),
    "until it closes": _odd(b"data: a\n\n", b"data: b\n\n", framing=Framing.CLOSE),
    "reset between chunks": _odd(b"data: a\n\n", chunks=(9,), end=End.RESET),
    "reset within a chunk": _odd(b"data: a\n\n", b"da", chunks=(9, 9), end=End.RESET),
    "reset before the head": replace(_odd(end=End.RESET), status=None, headers=(), framing=None),
    "silence": _odd(b"data: a\n\n", chunks=(9,), end=End.TIMEOUT),
    "silence before the head": replace(_odd(end=End.TIMEOUT), status=None, headers=(), framing=None),
    "no content": replace(_odd(framing=Framing.NONE), status=204, headers=()),
    "a status that nobody knows": replace(_odd(b"{}", framing=Framing.CONTENT_LENGTH), status=799),
    "text in a header": replace(_odd(b"{}", framing=Framing.CONTENT_LENGTH), headers=(JSON_TYPE, ("X-Note", "余额"))),
    "a header twice": replace(_odd(chunks=(0,)), headers=(SSE_TYPE, ("Set-Thing", "a"), ("set-thing", "b"), SSE_TYPE)),
}


def _tree() -> dict[str, Exchange]:
    read = (read_recording(path.read_text(encoding="utf-8"), name_of(path)).exchange for path in recordings())
    return {one.id: one for one in read}


EVERY = _tree() | {ODD + name: one for name, one in ODDITIES.items()}
IN_TIME = [
    "litellm/chat-stream",
    "litellm/chat-n2",
    "llama-server/stream-client-abort",
    "llama-server/chat-zh-stream",
    f"{ODD}chunks across reads",
]


@dataclass(frozen=True)
class Served:
    """Where all of them are served: sped up, in time, and through a proxy that records into a folder."""

    quick: str
    paced: str
    proxy: str
    folder: Path


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Each recording under a path of its own, so that a request picks one also through a proxy, which passes on no
    header that is meant for a mock."""
    source, folder = tmp_path_factory.mktemp("in"), tmp_path_factory.mktemp("out")
    for number, (name, exchange) in enumerate(EVERY.items()):
        text = write_recording(Recording("authored", "a copy", replace(exchange, request=_asked(name))))
        (source / f"{number:04}.jsonl").write_text(text, encoding="utf-8")
    with ExitStack() as stack:
        quick, paced = (
            stack.enter_context(running("--recordings", str(source), "--speed", speed)) for speed in (str(SPEED), "1")
        )
        proxy = stack.enter_context(running("--record-from", quick, "--to", str(folder)))
        yield Served(quick, paced, proxy, folder)


def _asked(name: str) -> Request:
    """The request of a recording, with its name in the query and nothing said of its key."""
    request = EVERY[name].request
    mark = "&" if "?" in request.path else "?"
    return replace(request, path=f"{request.path}{mark}case={name.replace(' ', '-')}", auth=None)


def _end(exchange: Exchange) -> End:
    """How the answer must end: where our own side broke it off, early."""
    return End.TRUNCATED if exchange.end is End.CLIENT_ABORTED else exchange.end


def same(seen: Exchange, exchange: Exchange) -> None:
    """Nothing that a socket shows differs, but for times."""
    assert (seen.status, seen.end, seen.error, seen.oddities) == (exchange.status, _end(exchange), None, ())
    assert seen.body == exchange.body
    if exchange.status is None:
        return
    assert (seen.framing, seen.chunks) == (exchange.framing, exchange.chunks)
    assert end_to_end(seen.headers, exchange.headers) == end_to_end(exchange.headers, exchange.headers)
    if seen.framing is Framing.CONTENT_LENGTH:
        more = _end(exchange) is not End.COMPLETE
        assert int(seen.header("content-length") or "") - len(exchange.body) == more


def _patience(exchange: Exchange) -> float:
    return SILENCE if exchange.end is End.TIMEOUT else 30.0


@pytest.mark.parametrize("name", EVERY)
def test_each_recording_comes_back_as_it_was(name: str, served: Served) -> None:
    exchange = EVERY[name]
    same(captured(served.quick, _asked(name), patience=_patience(exchange)), exchange)


@pytest.mark.waits
@pytest.mark.parametrize("name", IN_TIME)
def test_in_its_own_time_nothing_comes_early(name: str, served: Served) -> None:
    exchange = EVERY[name]
    seen = captured(served.paced, _asked(name))
    same(seen, exchange)
    end = 0
    for read in seen.reads:
        end += len(read.data)
        assert read.at > exchange.arrival(end) - 0.02
    assert all(one.at <= other.at for one, other in pairwise(seen.reads))


@pytest.mark.parametrize("name", [name for name, one in EVERY.items() if one.end is not End.TIMEOUT])
def test_through_a_proxy_it_is_the_same_and_so_is_what_the_proxy_recorded(name: str, served: Served) -> None:
    exchange, asked = EVERY[name], _asked(name)
    before = set(served.folder.iterdir())
    seen = captured(served.proxy, asked)
    if exchange.status is not None:
        same(seen, exchange)
    else:
        assert (seen.status, seen.body) == (None, b"")
    again = _recorded(served.folder, before)
    assert (again.request.method, again.request.path, again.request.body) == (asked.method, asked.path, asked.body)
    assert (again.status, again.end, again.body) == (exchange.status, _end(exchange), exchange.body)
    assert again.status is None or (again.framing, again.chunks) == (exchange.framing, exchange.chunks)
    assert end_to_end(again.headers, exchange.headers) == end_to_end(exchange.headers, exchange.headers)
    assert all(one.at <= other.at for one, other in pairwise(again.reads))


def _recorded(folder: Path, before: set[Path]) -> Exchange:
    """The one recording that came into the folder: it is written behind the answer."""
    until = monotonic() + 10
    while monotonic() < until:
        new = set(folder.iterdir()) - before
        if new and all(path.suffix == ".jsonl" for path in new):
            break
        sleep(0.005)
    (path,) = new
    return read_recording(path.read_text(encoding="utf-8"), path.stem).exchange


def test_what_the_command_recorded_is_recorded_the_same_once_more(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    only = ("--only", "chat.stream", "--only", "chat.whole")  # each request once
    with running("--speed", "max") as url:
        done = relayproof_("record", url, "--model", "mock-chat", *only, "--to", first, RELAYPROOF_API_KEY="any-key-0")
    assert done.code == 0, done.err
    with running("--recordings", str(first), "--speed", str(SPEED)) as url:
        done = relayproof_("record", url, "--model", "mock-chat", *only, "--to", second, RELAYPROOF_API_KEY="any-key-0")
    assert done.code == 0, done.err
    names = {path.name for path in first.iterdir()}
    assert names == {path.name for path in second.iterdir()}
    for name in names:
        one, again = (read_recording((folder / name).read_text(encoding="utf-8"), "") for folder in (first, second))
        assert again.exchange.request.body == one.exchange.request.body
        same(again.exchange, one.exchange)


def test_none_is_left_out() -> None:
    assert {name for name in EVERY if not name.startswith(ODD)} == {
        path.relative_to(RECORDINGS).with_suffix("").as_posix() for path in RECORDINGS.rglob("*.jsonl")
    }
    assert {one.end for one in EVERY.values()} == set(End)
    assert {one.framing for one in EVERY.values()} == {*Framing, None}
