"""No secret that passes through a mock or a proxy is kept by it, wherever it stands, however it is spelled and split.

Hypothesis draws the secret, its place in the request, the way in which the upstream repeats it (or gives one of its
own), and where reads end. What is kept is all there is to look at: recordings and parts of them, the journal, metrics,
and what the processes say.
"""

import base64
import gzip
import json
import re
import socket
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from time import monotonic, sleep
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_server.process import READY
from openapi.wire import sse
from openapi.wire.jsonl import read_recording
from tests.mock_server.capture import connect

ROOT = Path(__file__).parent.parent.parent
CHAT = "/v1/chat/completions"
HELLO = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}

# --- where it stands in a request -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """Headers, a query and members of a body that carry a secret."""

    headers: Callable[[str], Sequence[tuple[str, str]]] = lambda _: ()
    query: Callable[[str], str] = lambda _: ""
    members: Callable[[str], dict[str, object]] = lambda _: {}


def _header(name: str, before: str = "", after: str = "") -> Place:
    return Place(headers=lambda secret: [(name, f"{before}{secret}{after}")])


def _basic(secret: str) -> str:
    return base64.b64encode(f"someone:{secret}".encode()).decode()


PLACES: dict[str, Place] = {
    "a bearer": _header("Authorization", "Bearer "),
    "a bearer in small letters": _header("authorization", "bearer "),
    "a password of Basic": Place(headers=lambda secret: [("Authorization", f"Basic {_basic(secret)}")]),
    "Claude's header": _header("X-Api-Key"),
    "Azure's header": _header("api-key"),
    "Google's header": _header("X-Goog-Api-Key"),
    "a header of its own": _header("X-My-Auth-Token"),
    "a cookie": _header("Cookie", "a=b; session=", "; c=d"),
    "a proxy's credentials": _header("Proxy-Authorization", "Bearer "),
    "the query": Place(query=lambda secret: f"?a=b&api_key={quote(secret, safe='')}&c=d"),
    "the query, to the last letter": Place(
        query=lambda secret: "?access_token=" + "".join(f"%{byte:02X}" for byte in secret.encode())
    ),
    "a member": Place(members=lambda secret: {"api_key": secret}),
    "a member far down": Place(members=lambda secret: {"metadata": {"a": [{"b": {"client_secret": secret}}]}}),
    "a list of them": Place(members=lambda secret: {"passwords": [secret]}),
    "a text that is JSON": Place(members=lambda secret: {"user": json.dumps({"x": json.dumps({"password": secret})})}),
}

# --- how an upstream repeats it -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Echo:
    """The head's lines and the body of an answer that has the secret in it."""

    lines: Callable[[str], Sequence[str]] = lambda _: ()
    body: Callable[[str], bytes] = lambda _: b"{}"


JSON_LINE, SSE_LINE = "Content-Type: application/json", "Content-Type: text/event-stream"
GZIP = "Content-Encoding: gzip"


def _json(make: Callable[[str], object]) -> Echo:
    return Echo(lambda _: [JSON_LINE], lambda secret: json.dumps(make(secret)).encode())


def _stream(make: Callable[[str], Sequence[bytes]]) -> Echo:
    return Echo(lambda _: [SSE_LINE], lambda secret: b"".join(make(secret)) + b"data: [DONE]\n\n")


def delta(text: str) -> bytes:
    return b"data: " + json.dumps({"choices": [{"index": 0, "delta": {"content": text}}]}).encode() + b"\n\n"


def _escaped(secret: str) -> str:
    units = secret.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


ECHOES: dict[str, Echo] = {
    "nothing": _json(lambda _: {"a": "b"}),
    "an error": _json(lambda secret: {"error": {"message": f"Incorrect API key provided: {secret}."}}),
    "escapes": Echo(lambda _: [JSON_LINE], lambda secret: b'{"e":"' + _escaped(secret).encode() + b'"}'),
    "percent": _json(lambda secret: quote(secret, safe="")),
    "Base64": _json(lambda secret: base64.b64encode(f"key={secret};".encode()).decode()),
    "Base64 of Basic": _json(_basic),
    "a name": _json(lambda secret: {secret: 1}),
    "JSON in a text": _json(lambda secret: {"arguments": json.dumps({"password": secret})}),
    "a header": Echo(lambda secret: [JSON_LINE, f"X-Seen: key {quote(secret, safe='')}"]),
    "a page": Echo(lambda _: ["Content-Type: text/html"], lambda secret: f"<pre>{secret}</pre>".encode()),
    "gzip": Echo(
        lambda _: [JSON_LINE, "Content-Encoding: gzip"], lambda secret: gzip.compress(json.dumps(secret).encode())
    ),
    "deflate of a stream": Echo(
        lambda _: [SSE_LINE, "Content-Encoding: deflate"],
        lambda secret: zlib.compress(b"".join(delta(secret[at : at + 3]) for at in range(0, len(secret), 3))),
    ),
    "an event": _stream(lambda secret: [delta(f"so {secret}!")]),
    "a comment": _stream(lambda secret: [f": {quote(secret)}\n\n".encode()]),
    "an id": _stream(lambda secret: [f"id: {quote(secret)}\nevent: {quote(secret)}\ndata: {{}}\n\n".encode()]),
    "deltas": _stream(lambda secret: [delta(secret[at : at + 5]) for at in range(0, len(secret), 5)]),
    "deltas of a letter": _stream(lambda secret: list(map(delta, secret))),
    "an event that never ends": Echo(lambda _: [SSE_LINE], lambda secret: delta("a") + delta(secret)[:-5]),
}
GIVEN: dict[str, Echo] = {
    "a cookie": Echo(lambda secret: [JSON_LINE, f"Set-Cookie: sid={secret}; Path=/; HttpOnly"]),
    "a cookie that comes again": Echo(
        lambda secret: [JSON_LINE, f"Set-Cookie: sid={secret}; Path=/"],
        lambda secret: json.dumps({"s": secret}).encode(),
    ),
    "a header": Echo(lambda secret: [JSON_LINE, f"X-Auth-Token: {secret}"]),
    "a member": _json(lambda secret: {"data": [{"api_key": secret}], "again": secret}),
    "a member in gzip": Echo(
        lambda _: [JSON_LINE, GZIP],
        lambda secret: gzip.compress(json.dumps({"client_secret": secret}).encode()),
    ),
    "a member of an event": _stream(
        lambda secret: [delta("a"), b"data: " + json.dumps({"access_token": secret}).encode() + b"\n\n"]
    ),
}  # fmt: skip

# --- the drawn exchange ---------------------------------------------------------------------------------------------

ASCII = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SECRETS = st.builds(
    lambda first, rest: first + rest,
    st.sampled_from(["sk-", "hush", "AIza", "q"]),
    st.text(alphabet=ASCII + "-_./+~", min_size=14, max_size=50),
).filter(lambda text: len(set(text)) > 6)


@dataclass
class Upstream:
    """A relay that sends what it is told next, in pieces."""

    url: str = ""
    pieces: Sequence[bytes] = field(default_factory=list)


@contextmanager
def upstream() -> Iterator[Upstream]:
    server = socket.create_server(("127.0.0.1", 0), backlog=64)
    told = Upstream(f"http://127.0.0.1:{server.getsockname()[1]}")

    def serve() -> None:
        while True:
            try:
                client, _ = server.accept()
            except OSError:
                return
            with client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                _heard(client)
                for piece in told.pieces:
                    client.sendall(piece)
                    sleep(0.0005)

    thread = Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield told
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join(5)


def _heard(client: socket.socket) -> None:
    heard = b""
    while b"\r\n\r\n" not in heard:
        heard += client.recv(65536)
    length = re.search(rb"(?i)content-length: (\d+)", heard)
    while length and len(heard.partition(b"\r\n\r\n")[2]) < int(length[1]):
        heard += client.recv(65536)


@dataclass
class Kept:
    """What a proxy has: its URL, the folder of its recordings, and where it says things."""

    url: str
    folder: Path
    said: Path
    told: Upstream

    def texts(self) -> Iterator[tuple[str, bytes]]:
        """All that is kept, by where."""
        for file in self.folder.rglob("*"):
            yield file.name, file.name.encode() + file.read_bytes()
        yield "what it said", self.said.read_bytes()
        for path in ("journal?limit=1", "metrics", "health"):
            yield path, self.asked(path)
        (last,) = json.loads(self.asked("journal?limit=1"))
        yield "the journal's entry", self.asked(f"journal/{last['number']}")

    def asked(self, path: str, method: str = "GET") -> bytes:
        with connect(self.url) as client:
            client.sendall(
                f"{method} /__relay__/{path} HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n".encode()
            )
            came = b""
            while data := client.recv(65536):
                came += data
        return came.partition(b"\r\n\r\n")[2]

    def clear(self) -> None:
        self.asked("journal", "DELETE")
        for path in self.folder.iterdir():
            path.unlink()


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kept]:
    folder, said = tmp_path_factory.mktemp("recorded"), tmp_path_factory.mktemp("said") / "all"
    words = [sys.executable, "-u", "-m", "mock_server", "--port", "0", "--verbose", "--to", str(folder)]
    with upstream() as told, said.open("wb") as sink:
        command = [*words, "--record-from", told.url]
        with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=sink) as process:
            assert process.stdout
            url = process.stdout.readline().decode().removeprefix(READY).strip().removesuffix("/v1")
            drain = Thread(target=process.stdout.read, daemon=True)
            drain.start()
            try:
                yield Kept(url, folder, said, told)
            finally:
                process.kill()
                drain.join()


def asking(place: Place, secret: str) -> bytes:
    body = json.dumps({**HELLO, **place.members(secret)}).encode()
    lines = [f"POST {CHAT}{place.query(secret)} HTTP/1.1", "host: mock", "content-type: application/json"]
    lines += [f"content-length: {len(body)}", "connection: close"]
    lines += [f"{name}: {value}" for name, value in place.headers(secret)]
    return ("\r\n".join(lines) + "\r\n\r\n").encode() + body


def answer(echo: Echo, secret: str, cuts: Sequence[int]) -> list[bytes]:
    """The answer in chunks that end where reads do."""
    head = "\r\n".join(["HTTP/1.1 200 OK", *echo.lines(secret), "Transfer-Encoding: chunked", "\r\n"]).encode()
    body = echo.body(secret)
    ends = sorted({min(cut, len(body)) for cut in cuts} | {len(body)})
    pieces = [body[start:end] for start, end in zip([0, *ends], ends, strict=False) if end > start]
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces), b"0\r\n\r\n"]


def through(kept: Kept, request: bytes) -> bytes:
    """What comes of a request, once it is recorded."""
    with connect(kept.url) as client:
        client.sendall(request)
        came = b""
        while data := client.recv(65536):
            came += data
    until = monotonic() + 10
    while not (files := list(kept.folder.iterdir())) or any(path.suffix != ".jsonl" for path in files):
        assert monotonic() < until, files
        sleep(0.002)
    while not json.loads(kept.asked("journal?limit=1")):
        assert monotonic() < until
    return came


def spellings(secret: str) -> set[bytes]:
    """Each way to write it that somebody could read it from."""
    forms = {secret, quote(secret, safe=""), json.dumps(secret)[1:-1], _escaped(secret), secret.replace("/", "\\/")}
    forms |= {"".join(f"%{byte:02X}" for byte in secret.encode()), _basic(secret), _basic(secret)[8:-4]}
    forms |= {base64.b64encode(b"\0" * at + secret.encode())[4:-4].decode() for at in range(3)}
    return {form.encode() for form in forms}


def assert_nothing_tells(kept: Kept, secret: str) -> None:
    for where, text in kept.texts():
        for form in spellings(secret):
            assert form not in text, (where, form, text[-1500:])
    (path,) = kept.folder.iterdir()
    exchange = read_recording(path.read_text(encoding="utf-8"), "").exchange
    found = [json.loads(item.data) for item in exchange.messages if item.data[:1] == "{"]
    spelled = "".join(one["choices"][0]["delta"]["content"] for one in found if one.get("choices"))
    assert secret not in spelled
    assert secret.encode() not in exchange.content
    assert not any(isinstance(item, sse.Truncated) and secret.encode() in item.tail for item in exchange.items)


DRAWN = settings(
    max_examples=150,
    database=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
CUTS = st.lists(st.integers(1, 400), max_size=30)


@DRAWN
@given(SECRETS, st.sampled_from(sorted(PLACES)), st.sampled_from(sorted(ECHOES)), CUTS)
def test_what_a_request_brings_is_kept_nowhere(kept: Kept, secret: str, place: str, echo: str, cuts: list[int]) -> None:
    kept.clear()
    kept.told.pieces = answer(ECHOES[echo], secret, cuts)
    came = through(kept, asking(PLACES[place], secret))
    assert came.partition(b"\r\n\r\n")[2] == b"".join(kept.told.pieces[1:])  # the client gets all of it
    assert_nothing_tells(kept, secret)


@DRAWN
@given(SECRETS, st.sampled_from(sorted(GIVEN)), CUTS)
def test_nor_is_what_an_answer_gives(kept: Kept, secret: str, echo: str, cuts: list[int]) -> None:
    kept.clear()
    kept.told.pieces = answer(GIVEN[echo], secret, cuts)
    through(kept, asking(PLACES["a bearer"], "sk-another-0123456789"))
    assert_nothing_tells(kept, secret)


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("echo", ECHOES)
def test_each_place_with_each_echo(place: str, echo: str, kept: Kept) -> None:
    secret = "hush/0123456789+abcdefgh-XYZ"
    kept.clear()
    kept.told.pieces = answer(ECHOES[echo], secret, [5, 6, 7, 60, 61])
    through(kept, asking(PLACES[place], secret))
    assert_nothing_tells(kept, secret)
