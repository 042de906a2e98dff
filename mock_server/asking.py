"""What stands in a request before anything is decided: its key, its media type, how deep its JSON goes."""

import re
from collections.abc import Iterator
from functools import cached_property, lru_cache
from typing import Any

from openapi.wire.exchange import Auth, Headers

MANNERS = "x-relay-"  # how headers begin that are meant for the mock
KEYED = "sk-fault-"  # how a key begins that asks for faults
_KEY_HEADERS = frozenset({"x-api-key", "x-goog-api-key", "api-key"})  # Anthropic, Google, Azure
_JOINED = re.compile(r",\s*(?=bearer\s)", re.IGNORECASE)
VALID = Auth.VALID  # as globals, which cost a tenth (`replay.py`)
NONE, WRONG = Auth.NONE, Auth.WRONG
_BRACKETS = re.compile(rb'"(?:[^"\\]|\\.)*"?|[\[\]{}]', re.DOTALL)


class Fields(tuple[tuple[str, str], ...]):
    """The fields of a request in their order, where each name is found without a search. They may be those of many
    requests: `decided` is what was made of them last, and from what beside them."""

    decided: tuple[tuple[Any, ...], Any] | None = None

    @cached_property
    def first(self) -> dict[str, str]:
        """Name in lower case → the first value of that name."""
        return {name.lower(): value for name, value in reversed(self)}

    @cached_property
    def size(self) -> int:
        """The characters of names and values."""
        return sum(len(name) + len(value) for name, value in self)

    @cached_property
    def wishful(self) -> bool:
        """Whether a header or a key may ask for another relay than the usual one."""
        return any(name.startswith(MANNERS) for name in self.first) or any(key.startswith(KEYED) for key in self.keys)

    @cached_property
    def media(self) -> tuple[str, bool]:
        """How the body is coded, and whether it is said to be JSON."""
        coding = (self.first.get("content-encoding") or "identity").strip().lower()
        return coding, is_json(self.first.get("content-type"))

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """All keys that are presented, in whatever header."""
        return tuple(_keys(self))


def header(headers: Headers, name: str) -> str | None:
    """The first header of that name; `name` in lower case."""
    if isinstance(headers, Fields):
        return headers.first.get(name)
    return next((value for key, value in headers if key.lower() == name), None)


@lru_cache(maxsize=16)
def is_json(content_type: str | None) -> bool:
    """Whether a Content-Type, in any case and with any parameters, says JSON (RFC 6839 section 3.1 for `+json`)."""
    media = (content_type or "").partition(";")[0].strip().lower()
    return media == "application/json" or (media.startswith("application/") and media.endswith("+json"))


def media_of(headers: Headers) -> tuple[str, bool]:
    """How a body is coded, and whether it is said to be JSON."""
    return headers.media if isinstance(headers, Fields) else Fields(headers).media


def kind_of_key(headers: Headers, expected: str | None) -> Auth:
    """The kind of the key; `expected` None lets any in.

    A template that many clients copied sends the header twice, which may come as two lines or joined to one: equal keys
    count as one.
    """
    keys = keys_of(headers)
    if not keys:
        return NONE
    return VALID if expected is None or set(keys) == {expected} else WRONG


def keys_of(headers: Headers) -> tuple[str, ...]:
    """All keys that a request presents, in whatever header."""
    return headers.keys if isinstance(headers, Fields) else tuple(_keys(headers))


def _keys(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        lower = name.lower()
        if lower in _KEY_HEADERS and value.strip():
            yield value.strip()
        elif lower == "authorization":
            for part in _JOINED.split(value):
                scheme, _, key = part.strip().partition(" ")
                if scheme.lower() == "bearer" and key.strip():  # RFC 9110 section 11.1: in any case
                    yield key.strip()


def nested_deeper(raw: bytes, limit: int) -> bool:
    """Whether JSON text is nested deeper than `limit` levels, found without recursion."""
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    depth = 0
    for token in _BRACKETS.finditer(raw):
        if token[0] in {b"[", b"{"}:
            depth += 1
            if depth > limit:
                return True
        elif token[0] in {b"]", b"}"}:
            depth -= 1
    return False
