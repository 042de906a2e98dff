"""What must hold of every reader of the mock, whatever bytes it is given: one function a reader, which raises if not.

Bytes are all that a function gets, so a coverage-guided fuzzer (`guided.py`) drives it as well as Hypothesis does. A
reader may refuse, by its own error; it may not raise any other, lose a byte, or see another thing where reads end
elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from mock_server.answer import Answer
from mock_server.asking import Fields
from mock_server.faults import FAULTS
from mock_server.ledger import Book
from mock_server.library import Library
from mock_server.library import load as load_library
from mock_server.manners import Relays, UnknownMannerError
from mock_server.options import Conduct
from mock_server.relay import Relay
from mock_server.replay import AS_RECORDED, Connection, answer_of, on_wire
from mock_server.script import ScriptError
from mock_server.script import read as read_script
from mock_server.scrub import found_in, scrubbed
from mock_server.upstream import AddressError, parse, without_connection
from mock_server.wish import WishError, wishes
from openapi import document, json_text
from openapi.wire import http1_out, jsonl, secrets, sse
from openapi.wire.clearing import Holding, cleared
from openapi.wire.exchange import End, Exchange, Framing, Headers, Read, Request
from openapi.wire.http1 import AnswerReader
from openapi.wire.jsonl import Recording, RecordingError, read_recording, write_recording
from openapi.wire.redaction import Redactor

RECORDED = Path(__file__).parent.parent.parent / "mock_server" / "recordings" / "authored"
PLANTED = "sk-planted/0123456789+abcdef"
PATHS = (
    "/v1/chat/completions",
    "/v1/completions",
    "/v1/embeddings",
    "/v1/messages",
    "/v1/messages/count_tokens",
    "/v1/models",
    "/v1/models/mock-chat",
    "/__relay__/media/a.mp4",
    "/v1/nowhere",
)
METHODS = ("POST", "GET", "HEAD", "OPTIONS", "PUT", "DELETE")
JSON_TYPE = (b"content-type", b"application/json")
KEY = (b"authorization", b"Bearer any-key")

Property = Callable[[bytes], None]
PROPERTIES: dict[str, Property] = {}


def _property(check: Property) -> Property:
    PROPERTIES[check.__name__] = check
    return check


def _cut(data: bytes) -> Iterator[bytes]:
    """The bytes in pieces whose sizes follow from the bytes."""
    start = 0
    while start < len(data):
        size = 1 + data[start] % 7
        yield data[start : start + size]
        start += size


# --- the wire -------------------------------------------------------------------------------------------------------


@_property
def event_stream(data: bytes) -> None:
    """Items do not depend on where reads end, stand in order, and say the same when they are written and read again."""
    whole = sse.decode(data)
    decoder = sse.Decoder()
    pieces = [item for piece in _cut(data) for item in decoder.feed(piece)] + decoder.close()
    assert pieces == whole
    assert [(one.start, one.end) for one in pieces] == [(one.start, one.end) for one in whole]
    assert all(0 <= one.start <= one.end <= len(data) for one in whole)
    ended = [item for item in whole if not isinstance(item, sse.Truncated)]
    assert sse.decode(sse.encode(ended)) == ended


@_property
def answer(data: bytes) -> None:
    """An answer of HTTP is read the same wherever reads end; the first byte chooses the method."""
    method = METHODS[data[0] % len(METHODS)] if data else "GET"
    one, other = AnswerReader(method), AnswerReader(method)
    assert one.feed(data[1:]) == b"".join(map(other.feed, _cut(data[1:])))
    assert (one.head, one.framing, one.chunks, one.fault) == (other.head, other.framing, other.chunks, other.fault)
    assert (one.complete, one.rest, one.oddities) == (other.complete, other.rest, other.oddities)
    assert one.close() in {End.COMPLETE, End.TRUNCATED}
    assert not (one.complete and one.fault)
    without_connection(data)


@_property
def recording(data: bytes) -> None:
    """A recording is refused by its own error, or is written and read again the same, and leaves as it was."""
    try:
        found = read_recording(data.decode("utf-8", "replace"), "drawn")
    except RecordingError:
        return
    again = read_recording(write_recording(found), "drawn")
    assert (again.exchange, again.source, again.of) == (found.exchange, found.source, found.of)
    with suppress(ValueError):  # which loading a folder tells
        http1_out.head(found.exchange.status or 200, found.exchange.headers)
        _leaves(answer_of(found.exchange), found.exchange.request.method)


@_property
def json_texts(data: bytes) -> None:
    """A text is read or its fault is told; a value that is right is written and read again the same."""
    found = json_text.read(data)
    if found.readable and found.fault is None:
        written = json_text.read(json_text.write(found.value))
        assert (json.dumps(written.value), written.fault) == (json.dumps(found.value), None)
    assert found.readable or found.fault


# --- what people write ----------------------------------------------------------------------------------------------


@_property
def script(data: bytes) -> None:
    """A script is refused in one line, or is played to any request."""
    try:
        found = read_script(data.decode("utf-8", "replace"))
    except ScriptError as error:
        _is_a_line(error)
        return
    relay = Relay(document.load(), Library([], document.load()), Conduct(script=found))
    for body in (b"", b'{"model":"mock-chat","messages":[{"role":"user","content":"Hello"}]}'):
        asked = relay.asked("POST", PATHS[0], Fields(_decoded((JSON_TYPE, KEY))), body)
        _leaves(relay.answer(asked, found.play(asked, Book())))


@_property
def wish(data: bytes) -> None:
    """Words are faults, or are refused."""
    with suppress(WishError):
        assert {one.fault for one in wishes(data.decode("utf-8", "replace"))} <= set(FAULTS)


@_property
def address(data: bytes) -> None:
    """A base URL is one, or is refused; what it gives makes a head that no request of a client can break."""
    with suppress(AddressError):
        there = parse(data.decode("utf-8", "replace"))
        head = there.request("GET", "/v1/models", (), b"")
        assert head.count(b"\r\n\r\n") == 1
        assert head.endswith(b"\r\n\r\n")


# --- the relay ------------------------------------------------------------------------------------------------------


@cache
def _relays() -> Relays:
    known = document.load()
    return Relays(known, load_library(RECORDED, known))


def _decoded(pairs: tuple[tuple[bytes, bytes], ...]) -> Headers:
    return tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in pairs)


@_property
def body_of_a_request(data: bytes) -> None:
    """Any body to any operation is answered, in the envelope where it is refused; the first bytes choose both."""
    first, second, body = data[:1] or b"\0", data[1:2] or b"\0", data[2:]
    _ask(METHODS[second[0] % len(METHODS)], PATHS[first[0] % len(PATHS)], (JSON_TYPE, KEY), body)


@_property
def head_of_a_request(data: bytes) -> None:
    """Any headers and path, with what is meant for the mock among them: lines of `name: value`, the first the path."""
    path, *lines = data.split(b"\n")
    pairs = tuple((name, value.strip()) for name, _, value in (line.partition(b":") for line in lines))
    target = "/" + path.decode("latin-1")
    _ask("POST", target, (JSON_TYPE, KEY, *pairs), b'{"model":"mock-chat","messages":[{"role":"user","content":"a"}]}')


def _ask(method: str, target: str, pairs: tuple[tuple[bytes, bytes], ...], body: bytes) -> None:
    relays, headers = _relays(), Fields(_decoded(pairs))
    try:
        relay = relays.of(headers)
        relay, asked, play = relays.cast(relay, relay.asked(method, target, headers, body))
    except UnknownMannerError as unknown:
        _is_a_line(unknown)
        return
    made = relay.answer(asked, play)
    _leaves(made, method)
    if made.status >= 400 and relay is relays.usual and not made.recorded:
        error = json_text.read(made.body).object.get("error")
        assert isinstance(error, dict), made.body[:200]


def _is_a_line(error: Exception) -> None:
    assert len(str(error).splitlines()) == 1, str(error)


def _leaves(made: Answer, method: str = "POST") -> None:
    """The answer goes out; a strict reader has the same of it, where nothing is wrong with it on purpose."""
    reader, body = AnswerReader(method), bytearray()
    for _, piece in on_wire(made, AS_RECORDED, Connection(method), "Thu, 26 Nov 2026 12:00:00 GMT"):
        body += reader.feed(piece)
    if made.wire is None and made.end is End.COMPLETE:
        assert reader.close() is End.COMPLETE, reader.fault
        assert reader.framing is Framing.NONE or bytes(body) == made.body


# --- what is kept ---------------------------------------------------------------------------------------------------


@_property
def redaction(data: bytes) -> None:
    """A secret that stands in bytes goes, wherever reads end; the rest stays, and what is scrubbed is clean."""
    taken = Redactor([PLANTED])
    at = data[0] % (len(data) + 1) if data else 0
    whole = data[:at] + PLANTED.encode() + data[at:]
    pieces = list(_cut(whole))
    for clean in (taken.pieces(pieces), taken.events(taken.pieces(pieces))):
        assert len(clean) == len(pieces)
        assert PLANTED.encode() not in b"".join(clean)
    assert PLANTED not in taken.text(whole.decode("utf-8", "replace"))
    assert not list(found_in(scrubbed(data.decode("utf-8", "replace"))))
    secrets.hidden_bytes(whole)


@_property
def held_back(data: bytes) -> None:
    """What is written of a stream while it comes has no secret in it, and with its end no byte is lost."""
    at = data[0] % (len(data) + 1) if data else 0
    whole = data[:at] + PLANTED.encode() + data[at:]
    taken = Redactor([PLANTED])
    holding, out = Holding([PLANTED], taken), bytearray()
    for number, piece in enumerate(_cut(whole)):
        for read in holding.feed(Read(float(number), piece)):
            out += read.data
        assert PLANTED.encode() not in out
    for read in holding.close():
        out += read.data
    assert PLANTED.encode() not in out
    if PLANTED not in taken.text(data.decode("latin-1")) and b"{" not in data:
        assert len(out) == len(whole)


@_property
def evidence(data: bytes) -> None:
    """An answer of any coding is kept without the secret, and is a recording."""
    coding, _, rest = data.partition(b"\n")
    fields = (("content-type", "text/event-stream"), ("content-encoding", coding[:40].decode("latin-1").strip()))
    reads = tuple(Read(0.1 * at, piece) for at, piece in enumerate(_cut(rest + PLANTED.encode())))
    request = Request("POST", "/v1/chat/completions", (("authorization", f"Bearer {PLANTED}"),), body=b"{}")
    told = Exchange("x", request, 200, fields, reads, framing=Framing.CLOSE)
    kept = cleared(told, Redactor([PLANTED]))
    text = jsonl.write_recording(Recording("recorded", "drawn", kept))
    assert PLANTED not in text.replace("Bearer " + PLANTED, "")
    read_recording(text, "drawn")
