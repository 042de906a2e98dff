"""The framing of one HTTP/1.1 answer, outwards (RFC 9112): the pieces that `http1.AnswerReader` reads back."""

import re
from functools import lru_cache
from http import HTTPStatus

from openapi.wire.exchange import Headers

LAST_CHUNK = b"0\r\n\r\n"  # with an empty trailer section, section 7.1.2
_FORBIDDEN = re.compile("[\r\n\0]")  # RFC 9110 section 5.5
_NO_NAME = re.compile(r"[\r\n\0:]|^\s|\s$|^$", re.ASCII)  # RFC 9112 section 5.1
_PHRASES = {status.value: status.phrase.encode() for status in HTTPStatus}


def head(status: int, headers: Headers) -> bytes:
    """A status line and its fields. Raises ValueError for a field that would break the head, and as `status_line`."""
    return status_line(status) + fields(headers) + b"\r\n"


@lru_cache
def status_line(status: int) -> bytes:
    """The line of a final answer. Raises ValueError for a status that none has."""
    if not 0 <= status <= 999 or (100 <= status < 200 and status != 101):
        msg = f"no final answer has the status {status}"
        raise ValueError(msg)
    return b"HTTP/1.1 %03d %b\r\n" % (status, _PHRASES.get(status, b""))


def fields(headers: Headers) -> bytes:
    """The lines of these fields. Raises ValueError for one that would break the head."""
    lines = []
    for name, value in headers:
        if not _is_name(name) or not (value.isprintable() or _FORBIDDEN.search(value) is None):
            msg = f"no header field can say {name!r}: {value[:40]!r}"
            raise ValueError(msg)
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("utf-8", "surrogateescape")


@lru_cache(maxsize=256)
def _is_name(name: str) -> bool:
    return not _NO_NAME.search(name)


def chunk(data: bytes, *, size: int | None = None) -> bytes:
    """One chunk (section 7.1). Empty data has none: that would be the last chunk.

    A `size` larger than the data is announced and left unfinished, as a cut connection leaves it.
    """
    if size is not None and size > len(data):
        return b"%x\r\n%b" % (size, data)
    return b"%x\r\n%b\r\n" % (len(data), data) if data else b""
