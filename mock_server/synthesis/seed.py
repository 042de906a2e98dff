"""Where variety comes from: a digest of the request, in place of a die."""

import hashlib
from collections.abc import Sequence
from typing import TypeVar

from openapi import json_text
from openapi.json_text import Json

T = TypeVar("T")


def digest(*parts: Json | bytes) -> str:
    """Hexadecimal SHA-256 of values; equal JSON values have equal digests, in whatever order their members stand."""
    hashed = hashlib.sha256()
    for part in parts:
        hashed.update(part if isinstance(part, bytes) else json_text.in_order(part).encode())
        hashed.update(b"\0")
    return hashed.hexdigest()


def number(below: int, *parts: Json) -> int:
    """A number from 0 to `below` - 1 that hangs on the values alone."""
    return int(digest(*parts)[:12], 16) % below


def pick(choices: Sequence[T], *parts: Json) -> T:
    return choices[number(len(choices), *parts)]
