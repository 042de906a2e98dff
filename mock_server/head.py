"""The head of a request, and heads that came before: clients say theirs again and again, byte for byte.

What is known is not read again, but only where a head frames its request by itself: HTTP/1.1 that stays open, with a
length or no body, and nothing in it that asks for more than an answer. Bounded in number and in bytes.
"""

from typing import NamedTuple

from starlette.types import Scope

from mock_server.asking import Fields
from mock_server.replay import Connection

MOST = 256
LONGEST = 4 << 10  # bytes; those of clients have one or two thousand
BLANK = b"\r\n\r\n"
MORE = frozenset({"transfer-encoding", "expect", "upgrade"})  # fields that ask for more, or frame in another way


class Head(NamedTuple):
    """What the head says: the target as it was sent (RFC 9112 section 3.2.1), and its path with escapes undone."""

    target: str
    path: str
    fields: Fields
    connection: Connection = Connection()

    @property
    def length(self) -> int | None:
        """The bytes of the body; None where the head by itself does not tell where the request ends."""
        first = self.fields.first
        said = first.get("content-length", "0")
        plain = said.isdecimal() and said.isascii() and MORE.isdisjoint(first)
        return int(said) if plain and self.connection.http == "1.1" and self.connection.keep_alive else None


class Heads:
    """The heads that are known, for all connections."""

    def __init__(self) -> None:
        self._fields: dict[tuple[tuple[bytes, bytes], ...], Fields] = {}
        self._known: dict[bytes, tuple[Head, int]] = {}

    def read(self, scope: Scope, *, keep_alive: bool = True) -> Head:
        """The head of a request under ASGI."""
        path: bytes = scope.get("raw_path") or scope["path"].encode()
        query: bytes = scope.get("query_string", b"")
        target = (path + b"?" + query if query else path).decode("latin-1")
        connection = Connection(scope["method"], scope.get("http_version", "1.1"), keep_alive)
        return Head(target, scope["path"], self._fields_of(scope["headers"]), connection)

    def find(self, data: bytes) -> tuple[Head, bytes] | None:
        """The head and the body of a request, if these bytes are one whole request and its head came before."""
        end = data.find(BLANK, 0, LONGEST) + len(BLANK)
        known = self._known.get(data[:end])
        if known is None or len(data) - end != known[1]:
            return None
        return known[0], data[end:]

    def learn(self, data: bytes, head: Head, body: bytes) -> None:
        """These bytes were read as a request with this head and body."""
        end = len(data) - len(body)
        start = data[:end]
        lines = len(head.fields) + 2
        if (
            head.length == len(body)
            and data.find(BLANK, 0, LONGEST) + len(BLANK) == end
            and start.count(b"\n") == start.count(b"\r\n") == lines  # nothing in it that a reader forgave
        ):
            if len(self._known) >= MOST:
                self._known.clear()
            self._known[start] = head, len(body)

    def _fields_of(self, pairs: list[tuple[bytes, bytes]]) -> Fields:
        lines = tuple(pairs)
        found = self._fields.get(lines)
        if found is None:
            found = Fields((name.decode("latin-1"), value.decode("latin-1")) for name, value in lines)
            if found.size <= LONGEST:
                if len(self._fields) >= MOST:
                    self._fields.clear()
                self._fields[lines] = found
        return found
