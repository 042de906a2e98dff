"""Relays that go wrong on the socket, for tests: each is a function of one connection, served by threads.

A relay is `(Connection) -> None`: it may look at what was asked, send what it likes and end as it likes. What follows
the first blank line of its answer is bytes; nothing here knows the suite.
"""

import gzip
import json
import socket
import ssl
import struct
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SSE = "Content-Type: text/event-stream"
JSON = "Content-Type: application/json"
HTML = "<html><body><h1>It works!</h1><script>alert(1)</script></body></html>"


@dataclass(frozen=True)
class Heard:
    """One request as it came."""

    raw: bytes

    @property
    def head(self) -> str:
        return self.raw.partition(b"\r\n\r\n")[0].decode("latin-1")

    @property
    def line(self) -> str:
        return self.head.partition("\r\n")[0]

    @property
    def method(self) -> str:
        return self.line.partition(" ")[0]

    @property
    def target(self) -> str:
        return self.line.split(" ")[1]

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]

    def headers(self, name: str) -> list[str]:
        pairs = [line.partition(":") for line in self.head.split("\r\n")[1:]]
        return [value.strip() for key, _, value in pairs if key.lower() == name]

    @property
    def key(self) -> str | None:
        return next((value.removeprefix("Bearer ") for value in self.headers("authorization")), None)


class Connection:
    """One connection to a relay, its request read unless the relay reads nothing."""

    def __init__(self, sock: socket.socket, heard: Heard, number: int, stopped: threading.Event) -> None:
        self.sock = sock
        self.heard = heard
        self.number = number  # of connections, from 1
        self._stopped = stopped

    def send(self, data: bytes) -> None:
        self.sock.sendall(data)

    def wait(self, seconds: float) -> None:
        """Waits, but no longer than the test: the end of the server ends it."""
        if self._stopped.wait(seconds):
            raise ConnectionAbortedError

    def reset(self) -> None:
        """Ends with RST, so that the client reads an error and not an end."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()


Relay = Callable[[Connection], None]


@dataclass
class Server:
    """A relay that listens, and what it heard."""

    url: str
    port: int
    heard: list[Heard] = field(default_factory=list)


@contextmanager
def serving(relay: Relay, *, tls: ssl.SSLContext | None = None, unread: bool = False) -> Iterator[Server]:
    """The relay on a free port of the loopback. With `unread` it gets the connection before anything was read."""
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    port: int = listener.getsockname()[1]
    server = Server(f"{'https' if tls else 'http'}://127.0.0.1:{port}", port)
    stopped = threading.Event()
    threads: list[threading.Thread] = []

    def accept() -> None:
        while True:
            try:
                sock, _ = listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=_serve, args=(sock, relay, server, stopped, tls, unread), daemon=True)
            threads.append(thread)
            thread.start()

    accepting = threading.Thread(target=accept, daemon=True)
    accepting.start()
    try:
        yield server
    finally:
        stopped.set()
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join(5)
        for thread in threads:
            thread.join(5)


def _serve(
    sock: socket.socket,
    relay: Relay,
    server: Server,
    stopped: threading.Event,
    tls: ssl.SSLContext | None,
    unread: bool,
) -> None:
    sock.settimeout(10)
    with suppress(OSError), sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        stream = tls.wrap_socket(sock, server_side=True) if tls else sock
        with stream:
            heard = Heard(b"") if unread else read_request(stream)
            if heard is not None:
                server.heard.append(heard)
                relay(Connection(stream, heard, len(server.heard), stopped))


def read_request(sock: socket.socket) -> Heard | None:
    """One request, None where the client went before it ended."""
    raw = b""
    while b"\r\n\r\n" not in raw:
        data = sock.recv(65536)
        if not data:
            return None
        raw += data
    head, _, body = raw.partition(b"\r\n\r\n")
    length = next((int(value) for value in Heard(raw).headers("content-length")), 0)
    while len(body) < length:
        data = sock.recv(65536)
        if not data:
            return None
        body += data
    return Heard(head + b"\r\n\r\n" + body)


# --- what a relay sends ---------------------------------------------------------------------------------------------


def head(status: int, *lines: str) -> bytes:
    return "".join(f"{line}\r\n" for line in (f"HTTP/1.1 {status} Said", *lines, "")).encode()


def whole(status: int, body: bytes | str, *lines: str) -> bytes:
    """An answer with its length."""
    data = body.encode() if isinstance(body, str) else body
    return head(status, *lines, f"Content-Length: {len(data)}") + data


def said(status: int, value: Any, *lines: str) -> bytes:
    """A JSON answer."""
    return whole(status, json.dumps(value), JSON, *lines)


def error(status: int, message: str, *lines: str, code: str | None = None) -> bytes:
    return said(
        status, {"error": {"message": message, "type": "invalid_request_error", "param": None, "code": code}}, *lines
    )


def chunk(data: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(data), data)


def chunked(*pieces: bytes, lines: tuple[str, ...] = (JSON,)) -> bytes:
    return head(200, *lines, "Transfer-Encoding: chunked") + b"".join(map(chunk, pieces)) + b"0\r\n\r\n"


def reply(content: str = "Blue.", **more: Any) -> dict[str, Any]:
    """A chat completion that nothing is wrong with."""
    choice = {"index": 0, "message": {"role": "assistant", "content": content}, "finish_reason": "stop"}
    usage = {"prompt_tokens": 9, "completion_tokens": 3, "total_tokens": 12}
    made = {"id": "chatcmpl-1", "object": "chat.completion", "created": 1700000000, "model": "m"}
    return made | {"choices": [choice | {"logprobs": None}], "usage": usage} | more


def sends(*answers: bytes) -> Relay:
    """A relay that sends these, one a connection, the last one for ever."""

    def relay(connection: Connection) -> None:
        connection.send(answers[min(connection.number, len(answers)) - 1])

    return relay


def drips(first: bytes, piece: bytes, every: float) -> Relay:
    """A relay that never ends."""

    def relay(connection: Connection) -> None:
        connection.send(first)
        while True:
            connection.wait(every)
            connection.send(piece)

    return relay


def hangs(connection: Connection) -> None:
    """A relay that never answers."""
    connection.wait(600)


def floods(first: bytes, piece: bytes, size: int) -> Relay:
    """A relay that sends so many bytes as fast as they are taken."""

    def relay(connection: Connection) -> None:
        connection.send(first)
        for _ in range(size // len(piece)):
            connection.send(piece)

    return relay


def bomb(size: int) -> bytes:
    """A gzip answer that becomes so many bytes, a thousand times its own."""
    return whole(200, gzip.compress(b" " * size, 9), JSON, "Content-Encoding: gzip")


def forwards(connection: Connection) -> None:
    """A proxy: CONNECT opens a tunnel to this machine whatever host was named, all else goes there by its port."""
    target = connection.heard.target
    if connection.heard.method == "CONNECT":
        with socket.create_connection(("127.0.0.1", int(target.rpartition(":")[2])), 5) as upstream:
            connection.send(b"HTTP/1.1 200 Connection established\r\nVia: 1.1 the-proxy\r\n\r\n")
            there = threading.Thread(target=_pump, args=(connection.sock, upstream), daemon=True)
            there.start()
            _pump(upstream, connection.sock)
            there.join(5)
        return
    host, _, path = target.removeprefix("http://").partition("/")
    raw = connection.heard.raw.replace(target.encode(), b"/" + path.encode(), 1)
    with socket.create_connection(("127.0.0.1", int(host.rpartition(":")[2])), 5) as upstream:
        upstream.sendall(raw)
        _pump(upstream, connection.sock)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def self_signed(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A certificate for localhost, relay.example and 127.0.0.1 that nobody trusts, and the context that serves it."""
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    names = "subjectAltName=DNS:localhost,DNS:relay.example,IP:127.0.0.1"
    words = "openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=relay -addext"
    subprocess.run([*words.split(), names, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context, certificate
