"""What a hostile client does on one connection, drawn: bytes, pauses, half-closes, resets. And what may come back.

A conversation is a list of moves. Of a request that is well-formed enough to be answered its method is known, since an
answer to HEAD has no body; whatever is sent behind something broken is answered by 400 and the end, or not at all.
"""

import json
import socket
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from time import sleep

from hypothesis import strategies as st

from mock_server.faults import FAULTS
from openapi import json_text
from openapi.wire.http1 import AnswerReader
from tests.mock_server.capture import connect

MB = 1 << 20
PATIENCE = 15.0  # seconds of silence after which a client of ours goes
GO_ON = b"HTTP/1.1 100 Continue\r\n\r\n"
DEEP = b"[" * 5000 + b"]" * 5000


@dataclass(frozen=True, slots=True)
class Move:
    """Bytes, after a pause of so many seconds. `methods` are those of the requests that the bytes make whole, None
    where what they are is anybody's guess; `then` what is done behind them: nothing, half-close, reset."""

    data: bytes
    methods: tuple[str, ...] | None = ()
    pause: float = 0.0
    then: str = ""


Conversation = Sequence[Move]

# --- what is sent ---------------------------------------------------------------------------------------------------

METHODS = st.sampled_from(["GET", "POST", "HEAD", "PUT", "DELETE", "OPTIONS", "PATCH", "TRACE", "QUERY", "PROPFIND"])
TRICKS = [
    "..",
    "../" * 12 + "etc/passwd",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2e%2e/%2e%2e/etc/passwd",
    "....//....//etc/passwd",
    "/etc/passwd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:\\windows\\win.ini",
    "authored\\..\\..\\x",
    "authored/../litellm/chat-stream",
    "authored/seq-6-keep-alive%00.jsonl",
    "authored/seq-6-keep-alive/",
    "authored//seq-6-keep-alive",
    "AUTHORED/SEQ-6-KEEP-ALIVE",
    "*",
    "{}",
    "~root",
    "$HOME",
    "$(id)",
    "\u2025/\u2025/etc",
    "..;/..;/",
    "%c0%ae%c0%ae/etc/passwd",
    "a" * 3000,
]
PLACES = [
    "/v1/chat/completions",
    "/v1/models",
    "/v1/models/{}",
    "/v1/{}",
    "/{}",
    "/__relay__/{}",
    "/__relay__/media/{}",
    "/__relay__/media/{}.mp4",
    "/__relay__/journal/{}",
    "/__relay__/journal?path={}",
    "/__relay__/journal?limit={}",
    "/__relay__/faults",
    "/__relay__/faults/{}",
    "/__relay__/health",
    "/__relay__/recordings",
    "/__relay__/metrics",
    "/_x-steady/{}",
    "/v1/chat/completions?{}",
    "http://other.example/v1/models",
    "http://other.example:99999/{}",
    "//v1/chat/completions",
    "*",
    "other.example:443",
]
VALUES = st.sampled_from(TRICKS) | st.sampled_from(sorted(FAULTS)) | st.text(max_size=30)
FIELDS = st.sampled_from(
    [
        "X-Relay-Recording",
        "X-Relay-Fault",
        "X-Relay-Seed",
        "X-Relay-Validate",
        "X-Relay-Explain",
        "X-Relay-Strict",
        "Authorization",
        "X-Api-Key",
        "Cookie",
        "Host",
        "Origin",
        "Range",
        "Accept-Encoding",
        "Content-Type",
        "Content-Encoding",
        "Expect",
        "Connection",
        "Upgrade",
        "HTTP2-Settings",
        "Sec-WebSocket-Key",
        "Forwarded",
        "X-Forwarded-For",
        "Access-Control-Request-Method",
        "Access-Control-Request-Headers",
        "TE",
        "Trailer",
    ]
)
WORDS = st.sampled_from(
    [
        "close",
        "keep-alive, upgrade",
        "websocket",
        "h2c",
        "100-continue",
        "gzip",
        "gzip, br;q=0",
        "bytes=0-0",
        "text/plain",
    ]
)
CHAT = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
BOMBS = [
    DEEP,
    b'{"a":' * 3000 + b"1" + b"}" * 3000,
    b'{"model":"mock-chat","messages":' + DEEP + b"}",
    b"[" + b"1," * 50_000 + b"1]",
    b"[" + b"{}," * 50_000 + b"{}]",
    b'{"n":' + b"9" * 20_000 + b"}",
    b'{"n":1e999999}',
    b'"' + b"\\ud800" * 10_000 + b'"',
    b"{" + b",".join(b'"a":1' for _ in range(20_000)) + b"}",
    b"\xff\xfe" * 5000,
    b"NaN",
]


def _text(value: str) -> bytes:
    """A text as a client may put it on a line: no line end, whatever else there is."""
    return value.replace("\r", "").replace("\n", "").encode("utf-8", "surrogatepass")


TARGETS = st.builds(
    lambda place, value: _text(place.format(value).replace(" ", "%20")), st.sampled_from(PLACES), VALUES
)
HEADERS = st.lists(
    st.builds(lambda name, value: name.encode() + b": " + _text(value), FIELDS, VALUES | WORDS), max_size=5
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)
MEMBERS = st.sampled_from(
    [
        "model",
        "messages",
        "stream",
        "n",
        "stop",
        "tools",
        "tool_choice",
        "response_format",
        "max_tokens",
        "logprobs",
        "seed",
    ]
)
BODIES = (
    st.sampled_from(BOMBS)
    | st.binary(max_size=200)
    | st.builds(lambda more: json.dumps({**CHAT, **more}).encode(), st.dictionaries(MEMBERS, JSON, max_size=3))
    | st.builds(lambda value: json.dumps(value).encode(), JSON)
)


def _head(method: str, target: bytes, headers: list[bytes], *more: bytes, version: bytes = b"HTTP/1.1") -> bytes:
    return (
        b"\r\n".join([b"%b %b %b" % (method.encode(), target, version), b"host: mock", *headers, *more]) + b"\r\n\r\n"
    )


def _chunked(body: bytes, size: int) -> bytes:
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%b\r\n" % (len(one), one) for one in pieces) + b"0\r\n\r\n"


@st.composite
def _requests(draw: st.DrawFn) -> Move:
    """One request, whole, of drawn parts; what the parts mean together is anybody's guess."""
    headers, body = draw(HEADERS), draw(BODIES | st.just(b""))
    method, target = draw(METHODS), draw(TARGETS)
    if body and draw(st.booleans()):
        coding = [b"transfer-encoding: chunked", b"content-type: application/json"]
        return Move(_head(method, target, headers + coding) + _chunked(body, draw(st.integers(1, 9000))), None)
    length = [b"content-length: %d" % len(body), b"content-type: application/json"] if body else []
    return Move(_head(method, target, headers + length) + body, None)


@st.composite
def _good(draw: st.DrawFn) -> Move:
    """Requests that nothing is wrong with, several sent together."""
    methods = tuple(draw(st.lists(st.sampled_from(["GET", "HEAD", "OPTIONS"]), min_size=1, max_size=12)))
    key = b"authorization: Bearer any-key"
    return Move(b"".join(_head(method, b"/v1/models", [key]) for method in methods), methods)


POST = "POST"
CHATS = b"/v1/chat/completions"
BODY = json.dumps(CHAT).encode()
BROKEN = [
    b"\r\n" * 5000,
    b"\0" * 1000,
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nhost\r\n\r\n",
    b"GET / HTTP/1.1\nhost: a\n\n",
    b"GET  /  HTTP/1.1\r\n\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(9),
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(200),
    b"GET / HTTP/1.1\r\n folded: a\r\n\r\n",
    b"GET / HTTP/1.1\r\na: b\r\n c\r\n\r\n",
    b"GET /\r\nx: y HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\na\0b: c\r\n\r\n",
    b"CONNECT other.example:443 HTTP/1.1\r\nhost: other.example:443\r\n\r\n" + bytes(100),
    _head(POST, CHATS, [b"content-length: 5", b"transfer-encoding: chunked"]) + b"0\r\n\r\n",
    _head(POST, CHATS, [b"transfer-encoding: chunked", b"content-length: 5"]) + b"5\r\nhello\r\n0\r\n\r\n",
    _head(POST, CHATS, [b"content-length: 5", b"content-length: 6"]) + b"hello!",
    _head(POST, CHATS, [b"content-length: -1"]) + b"x",
    _head(POST, CHATS, [b"content-length: 99999999999999999999999"]) + b"x",
    _head(POST, CHATS, [b"content-length: +5"]) + b"hello",
    _head(POST, CHATS, [b"transfer-encoding: gzip, chunked"]) + b"0\r\n\r\n",
    _head(POST, CHATS, [b"transfer-encoding: chunked, identity"]) + b"hello",
    _head(POST, CHATS, [b"transfer-encoding: xchunked"]) + b"5\r\nhello\r\n0\r\n\r\n",
    *(
        _head(POST, CHATS, [b"transfer-encoding: chunked"]) + bad
        for bad in (
            b"-1\r\nx\r\n0\r\n\r\n",
            b"0x5\r\nhello\r\n0\r\n\r\n",
            b"fffffffffffffffff\r\nx",
            b"5\r\nhelloXX0\r\n\r\n",
            b"5;" + b"a" * 400_000,
            b"5\nhello\n0\n\n",
            b"0\r\n" + b"a: b\r\n" * 60_000,
            b"0\r\n" + b"a: " + b"b" * 400_000,
            b"zz\r\n",
        )
    ),
    b"GET /" + b"a" * 400_000,
    b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 70_000,
    b"GET / HTTP/1.1\r\na: " + b"b" * 400_000,
    b"GET / HTTP/1.1\r\n" + b"a" * 400_000,
]
PARTS = [  # nothing of these is ever whole
    b"",
    b"G",
    b"GET / HTTP/1.1\r\nhost: a\r\n",
    _head(POST, CHATS, [b"content-length: 500"]) + b'{"model":',
    _head(POST, CHATS, [b"transfer-encoding: chunked"]) + b"5\r\nhe",
    _head(POST, CHATS, [b"content-length: 9", b"expect: 100-continue"]),
]
UPGRADES = [
    [b"connection: upgrade", b"upgrade: websocket", b"sec-websocket-version: 13", b"sec-websocket-key: eA=="],
    [b"connection: upgrade, http2-settings", b"upgrade: h2c", b"http2-settings: AAMAAABkAAQCAAAAAAIAAAAA"],
    [b"connection: upgrade", b"upgrade: TLS/1.0"],
    [b"upgrade: websocket"],
]


@st.composite
def _upgrade(draw: st.DrawFn) -> Move:
    """A wish for another protocol, with bytes of that behind it."""
    head = _head("GET", b"/v1/models", [b"authorization: Bearer k", *draw(st.sampled_from(UPGRADES))])
    return Move(head + draw(st.binary(max_size=50)), None)


@st.composite
def _dripped(draw: st.DrawFn) -> list[Move]:
    """A good request, cut anywhere, with pauses."""
    whole = _head(
        POST, CHATS, [b"authorization: Bearer k", b"content-type: application/json"], b"content-length: %d" % len(BODY)
    )
    whole += BODY
    cuts = sorted(draw(st.sets(st.integers(1, len(whole) - 1), max_size=12)))
    pieces = [whole[start:end] for start, end in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    moves = [Move(piece, (), draw(st.sampled_from([0.0, 0.0, 0.002, 0.01]))) for piece in pieces]
    return [*moves[:-1], Move(moves[-1].data, (POST,))]


@st.composite
def conversations(draw: st.DrawFn) -> Conversation:
    """One connection."""
    moves: list[Move] = list(draw(st.lists(_good(), max_size=2)))
    kind = draw(st.sampled_from(["requests", "requests", "requests", "broken", "part", "upgrade", "dripped", "noise"]))
    if kind == "requests":
        moves += draw(st.lists(_requests(), min_size=1, max_size=4))
    elif kind == "broken":
        moves.append(Move(draw(st.sampled_from(BROKEN)), None))
    elif kind == "part":
        moves.append(Move(draw(st.sampled_from(PARTS)), ()))
    elif kind == "upgrade":
        moves.append(draw(_upgrade()))
    elif kind == "dripped":
        moves += draw(_dripped())
    else:
        moves.append(Move(draw(st.binary(min_size=1, max_size=300)), None))
    end = draw(st.sampled_from(["", "half-close", "half-close", "reset"]))
    return [*moves, Move(b"", (), 0.0, end)]


# --- what comes back ------------------------------------------------------------------------------------------------


class HostileError(AssertionError):
    """Something came that no client may see."""


def play(url: str, conversation: Conversation) -> int:
    """Plays one connection, and looks at all that came: how many answers there were. Raises HostileError."""
    with connect(url, PATIENCE) as client:
        left = _send(client, conversation)
        came = b"" if left else _drain(client, conversation)
    return 0 if left else judge(came, conversation)


def _send(client: socket.socket, conversation: Conversation) -> bool:
    """Sends it; whether it ended by a reset, behind which nothing can be read."""
    for move in conversation:
        if move.pause:
            sleep(move.pause)
        try:
            client.sendall(move.data)
            if move.then == "half-close":
                client.shutdown(socket.SHUT_WR)
        except (OSError, TimeoutError):  # it was shown the door: what it said is still to be read
            return False
        if move.then == "reset":
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            return True
    return False


def _drain(client: socket.socket, conversation: Conversation) -> bytes:
    """All that comes: to the end, or to a silence of a server that waits for more of a request."""
    came = bytearray()
    known = [move.methods for move in conversation]
    whole = None if None in known else sum(len(methods or ()) for methods in known)
    client.settimeout(PATIENCE if whole else 0.3)
    while True:
        try:
            data = client.recv(1 << 18)
        except (TimeoutError, OSError):
            return bytes(came)
        if not data:
            return bytes(came)
        came += data
        client.settimeout(0.3 if whole is None or bytes(came).count(b"HTTP/1.1 ") >= whole else PATIENCE)


def judge(came: bytes, conversation: Conversation) -> int:
    """Each answer is one, of a right framing; what is refused is in the envelope, and none is a fault of ours."""
    methods = [method for move in conversation for method in move.methods or ()]
    guessed = any(move.methods is None for move in conversation)
    sent = b"".join(move.data for move in conversation)
    faulty = any(word in sent for word in (b"X-Relay-", b"sk-fault", b"mock-chat+"))
    count = 0
    while came and came != GO_ON:
        method = methods[count] if count < len(methods) else "GET"
        reader = AnswerReader(method)
        body = reader.feed(came)
        if reader.head and reader.head.status == 500 and b"its log tells why" in body:
            raise HostileError(came[:500])
        if guessed and count >= len(methods) and (faulty or b"HEAD" in sent):
            return count  # a method that cannot be told, or what was wished for
        if not reader.complete:
            reader.close()
        if reader.fault or reader.head is None or not (reader.complete or faulty or guessed):
            raise HostileError(f"{reader.fault}: {came[:300]!r}")
        if reader.complete and reader.head.status >= 400 and body:
            _is_envelope(body)
        count += 1
        came = reader.rest
    leaves = any(move.then for move in conversation)  # who closes a half has left: no answer is owed
    if not (guessed or leaves) and count < len(methods):
        raise HostileError(f"{count} answers to {len(methods)} requests")
    return count


def _is_envelope(body: bytes) -> None:
    error = json_text.read(body).object.get("error")
    if not isinstance(error, dict) or not {"message", "type"} <= set(error):
        raise HostileError(f"no envelope: {body[:300]!r}")
