"""An exchange without the secrets that its own request carries, wherever they come again in the answer."""

import re
import zlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
from itertools import accumulate

from openapi import json_text
from openapi.wire import secrets, sse
from openapi.wire.exchange import MAX_CONTENT, Exchange, Oddity, Read
from openapi.wire.redaction import Path, Redactor, coded, mark, texts_of

BLANK = re.compile(rb"(?:\r\n|\r|\n)(?:\r\n|\r|\n)\Z")
LAYERS = 4  # of compression that are looked beneath
MOST = 256 << 10  # bytes in which an event ends, or a secret
MOST_GIVEN = 100  # secrets that are known of those that a stream gave before
LONGEST_SPELLING = 9  # bytes in which a character of a secret may be written
ESCAPE = re.compile(r"(?:\\(?:u[0-9A-Fa-f]{0,4})?|%[0-9A-Fa-f]{0,2})\Z")


def cleared(exchange: Exchange, taken: Redactor) -> Exchange:
    """The answer without the secrets. A compressed body that holds one is kept decoded; of one that holds it beneath a
    compression that its headers do not tell, or tell twice, marks alone are kept."""
    decoded = exchange.content_reads
    if decoded is not exchange.reads:
        clear = clear_reads(decoded, taken, stream=exchange.is_stream)
        if clear != decoded:
            headers = tuple(pair for pair in exchange.headers if pair[0].lower() != "content-encoding")
            exchange = replace(exchange, reads=clear, headers=headers, chunks=None)
    reads = clear_reads(exchange.reads, taken, stream=exchange.is_stream)
    if _is_beneath(b"".join(read.data for read in reads), taken):
        reads = tuple(replace(read, data=mark(len(read.data)).encode()[: len(read.data)]) for read in reads)
    if sum(len(read.data) for read in reads) != len(exchange.body):
        exchange = replace(exchange, chunks=None)
    text = taken.text
    headers = tuple((text(name), text(value)) for name, value in exchange.headers)
    odd = tuple(Oddity(one.kind, text(one.detail)) for one in exchange.oddities)
    error = exchange.error and text(exchange.error)
    return replace(exchange, reads=reads, headers=headers, oddities=odd, error=error)


def _is_beneath(body: bytes, taken: Redactor) -> bool:
    """Whether a secret is in what gzip makes of a body, or of what that makes of it."""
    for _ in range(LAYERS):
        if not body.startswith(b"\x1f\x8b"):
            return False
        try:
            body = zlib.decompressobj(31).decompress(body, MAX_CONTENT)
        except zlib.error:
            return False
        if taken.found_in(body):
            return True
    return True  # so often nobody packs what he has not to hide


def clear_reads(reads: Sequence[Read], taken: Redactor, *, stream: bool) -> tuple[Read, ...]:
    """Reads of one body without the secrets that stand in them, or that the events of a stream spell together."""
    clear = taken.pieces([read.data for read in reads])
    if stream:
        clear = taken.events(clear)
    return tuple(Read(read.at, data) for read, data in zip(reads, clear, strict=True))


class Holding:
    """Reads of an event stream that is still coming, each handed on as soon as no secret can have begun in it.

    A secret may be split over reads, and spelled over events: what ends within an event, or with the beginning of a
    secret, waits for what follows.
    """

    def __init__(self, secrets: Iterable[str], taken: Redactor) -> None:
        self.secrets = tuple(secrets)
        self._forms = (*self.secrets, *(word for secret in self.secrets for word in coded(secret)))
        self.taken = taken
        self.given: frozenset[str] = frozenset()  # secrets that came
        self._held: list[Read] = []
        self._size = 0

    def feed(self, read: Read) -> tuple[Read, ...]:
        """The reads that can be handed on now, without their secrets."""
        self._held.append(read)
        self._size += len(read.data)
        if self._size > MOST:
            return self._let_go()
        whole = b"".join(one.data for one in self._held)
        if not BLANK.search(whole) or self._begins(whole.decode("latin-1")):
            return ()
        return () if any(map(self._begins, _spelled(whole).values())) else self.close()

    def close(self) -> tuple[Read, ...]:
        """All that is held: nothing more comes."""
        held, self._held, self._size = self._held, [], 0
        return self._clear(held)

    def _clear(self, held: Sequence[Read]) -> tuple[Read, ...]:
        """Reads without what is known as a secret, and without what they give as one, which then is known too."""
        given = secrets.given((), b"".join(read.data for read in held), stream=True)
        if not given <= self.given:
            self.given = given | (self.given if len(self.given) < MOST_GIVEN else frozenset())
            self.taken = Redactor([*self.secrets, *self.given])
        return clear_reads(held, self.taken, stream=True)

    def _let_go(self) -> tuple[Read, ...]:
        """What is held, less the end in which a secret may have begun; where its events spell the beginning of one,
        marks for all of it. So nothing is held for ever."""
        whole = b"".join(one.data for one in self._held)
        if any(map(self._begins, _spelled(whole).values())):
            held = tuple(replace(one, data=mark(len(one.data)).encode()) for one in self._held)
            self._held, self._size = [], 0
            return held
        clear = self._clear(self._held)
        window = LONGEST_SPELLING * max(map(len, self.secrets), default=0)
        ends = list(accumulate(len(one.data) for one in self._held))
        kept = next((at for at, end in enumerate(ends) if end > self._size - window), len(clear))
        self._held = list(clear[kept:])
        self._size = sum(len(one.data) for one in self._held)
        return clear[:kept]

    def _begins(self, text: str) -> bool:
        """Whether a text ends with the beginning of a secret, or with an escape that may be one's."""
        if ESCAPE.search(text):
            return True
        return any(text.endswith(form[:size]) for form in self._forms for size in range(1, len(form)))


def _spelled(stream: bytes) -> dict[Path, str]:
    """What the events spell together, by where in each of them it stands."""
    found: dict[Path, str] = {}
    for message in sse.decode(stream):
        if isinstance(message, sse.Message):
            for path, text in texts_of(json_text.read(message.data).value):
                found[path] = found.get(path, "") + text
    return found
