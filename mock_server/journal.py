"""What was asked of a mock and what it sent, in the order in which it ended. Bounded in number and in bytes.

An entry keeps what is there already; secrets are taken out when it is read, so that serving costs next to nothing.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from functools import cached_property
from itertools import accumulate
from typing import Any, NamedTuple

from mock_server.answer import FRAME, Answer, Asked
from mock_server.asking import Fields, nested_deeper
from mock_server.gate import Ticket
from mock_server.policy import RIGHT
from mock_server.relay import Relay
from mock_server.respond import Sent
from mock_server.script import Play
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import jsonl, secrets
from openapi.wire.clearing import cleared
from openapi.wire.exchange import Exchange, Headers, Read, Request
from openapi.wire.redaction import Redactor

MOST_BYTES = 64 << 20  # of requests and answers that are kept
SHOWN = 64 << 10  # bytes of a body that an entry shows
PIECES = 1000  # frames whose times it shows


@dataclass(frozen=True, slots=True)
class Beginning:
    """A body that was too long to be kept: its size in bytes, and its last ones."""

    size: int
    ending: bytes


class Done(NamedTuple):
    """A request and what was decided: by which relay, and what a script said to it. `common` is the answer less the
    headers that are its `own`: where it is `settled`, the next equal request gets the same in common. `ticket` is what
    it was let in with. While it is `pending`, another relay is still to be asked; where the answer has but the
    beginning of what passed, `begins` says of what."""

    asked: Asked
    common: Answer
    relay: Relay | None = None
    play: Play | None = None
    own: Headers = ()
    settled: bool = False
    ticket: Ticket | None = None
    pending: bool = False
    begins: Beginning | None = None

    @property
    def answer(self) -> Answer:
        return self.common.adding(self.own) if self.own else self.common

    def answering(self, answer: Answer) -> "Done":
        """The same with this answer."""
        return self._replace(common=answer, own=(), settled=False)

    @property
    def faults(self) -> tuple[str, ...]:
        return tuple(fault.id for fault in self.relay.faults) if self.relay and self.relay.faults else ()

    @property
    def by(self) -> str:
        """Who answered: a recording, the script, or the mock itself."""
        return self.common.recorded or ("script" if self.play else "made")


@dataclass(frozen=True)
class Entry:
    """One request and what became of it. `came` is in seconds since 1970, `faults` are those of the relay, which itself
    is not kept."""

    number: int
    came: float
    done: Done
    sent: Sent
    faults: tuple[str, ...] = ()

    @cached_property
    def asked(self) -> Asked:
        asked = self.done.asked
        if asked.body is not None or nested_deeper(asked.raw, RIGHT.max_depth):
            return asked
        return asked._replace(body=json_text.read(asked.raw).value)

    @cached_property
    def answer(self) -> Answer:
        return self.done.answer

    @property
    def model(self) -> str | None:
        model = self.asked.object.get("model")
        return model if isinstance(model, str) else None

    def line(self) -> dict[str, Json]:
        """One entry of a list: no bodies."""
        taken, sent = self._redactor, self.sent
        return {
            "number": self.number,
            "at": datetime.fromtimestamp(self.came, UTC).isoformat(timespec="milliseconds"),
            "method": self.asked.method,
            "path": secrets.hidden(taken.text(self.asked.path)),
            "operation": self.asked.operation,
            "model": None if self.model is None else secrets.hidden(taken.text(self.model)),
            "stream": self.asked.streamed,
            "auth": self.asked.auth.value,
            "status": self.answer.status,
            "by": self.done.by,
            "rule": self.done.play.rule.name if self.done.play else None,
            "faults": list(self.faults),
            "seed": self.asked.seed,
            "bytes": sent.size,
            "first_byte": sent.first,
            "last_byte": sent.last,
            "late_ms": round(sent.late * 1000, 3),
            "end": self.answer.end.value,
            "left": sent.left,
        }

    def whole(self) -> dict[str, Json]:
        """All of it: headers, bodies up to a limit, the times of the pieces."""
        taken = self._redactor
        body = secrets.hidden_bytes(self._cleared.body)
        asked: dict[str, Json] = {
            "headers": _headers(secrets.shown_headers(self.asked.headers, taken)),
            "body": _shown(secrets.hidden_bytes(taken.data(self.asked.raw))),
        }
        ends = accumulate(len(frame.data) for frame in self.answer.frames)
        pieces = zip(self.answer.frames, ends, strict=True)
        answered: dict[str, Json] = {
            "headers": _headers(secrets.shown_headers(self._cleared.headers, taken)),
            "body": _shown(body, self.done.begins.size if self.done.begins else None),
            "framing": self.answer.framing.value,
            "pieces": [[round(frame.due, 6), end] for (frame, end), _ in zip(pieces, range(PIECES), strict=False)],
        }
        return self.line() | {"request": asked, "response": answered}

    @property
    def _cleared(self) -> Exchange:
        """The answer as evidence is kept: decoded where its coding hides a secret, and none spelled over its events."""
        reads = tuple(Read(frame.due, frame.data) for frame in self.answer.frames)
        request = Request(self.asked.method, "")
        told = Exchange("", request, self.answer.status, self.answer.headers, reads)
        given = secrets.given(told.headers, told.content, stream=told.is_stream)
        return cleared(told, secrets.redactor(self.asked.headers, self.asked.path, self.asked.body, given))

    @property
    def _redactor(self) -> Redactor:
        return secrets.redactor(self.asked.headers, self.asked.path, self.asked.body)


def _headers(headers: tuple[tuple[str, str], ...]) -> list[Json]:
    return [[name, value] for name, value in headers]


def _shown(data: bytes, size: int | None = None) -> Json:
    """Text where it is some, else base64; of a long one the beginning, and how much there was."""
    if len(data) <= SHOWN and size is None:
        return jsonl.bytes_out(data)
    return {"begins": jsonl.bytes_out(data[:SHOWN]), "bytes": len(data) if size is None else size}


@dataclass(frozen=True, slots=True)
class Filter:
    """Which entries are meant. Paths and models are globs; `since` is the number of an entry, which is left out,
    `until` that of the last one."""

    method: str | None = None
    path: str | None = None
    operation: str | None = None
    model: str | None = None
    status: int | None = None
    since: int = 0
    until: int | None = None

    def holds(self, entry: Entry) -> bool:
        return (
            entry.number > self.since
            and (self.until is None or entry.number <= self.until)
            and self.method in {None, entry.asked.method}
            and self.operation in {None, entry.asked.operation}
            and self.status in {None, entry.done.common.status}
            and (self.path is None or fnmatchcase(entry.asked.path, self.path))
            and (self.model is None or fnmatchcase(entry.model or "", self.model))
        )


# What an entry is made of, in one row, since it is seldom read and a thousand of them are in nobody's cache: the bytes
# that it holds, its number and moment, its request less the value of the body (which may weigh thirty times as much,
# and is read anew), what was decided, with the faults in place of the relay, whose recordings may be there no more, and
# what was sent.
Flat = tuple[Any, ...]


def _flat(number: int, came: float, done: Done, sent: Sent) -> Flat:
    asked, common, _, play, own, settled, ticket, pending, begins = done
    method, path, operation, headers, raw, _, auth, seed, turn, under_way, says, _ = asked
    size, first, last, late, left = sent
    weight = (len(common.body) + len(begins.ending) if begins else size) + FRAME * len(common.frames)
    weight += len(raw) + len(path) + (headers.size if isinstance(headers, Fields) else 0)
    # fmt: off
    return (
        weight, number, came,
        method, path, operation, headers, raw, auth, seed, turn, under_way, says,
        common, done.faults, play, own, settled, ticket, pending, begins,
        size, first, last, late, left,
    )
    # fmt: on


def _entry(flat: Flat) -> Entry:
    asked = Asked._make((*flat[3:8], None, *flat[8:13], None))
    common, faults, *others = flat[13:21]
    return Entry(flat[1], flat[2], Done(asked, common, None, *others), Sent._make(flat[21:]), faults)


class Journal:
    """The last entries. `most` 0 keeps none. `number` gives each its own, above the one before, of how many seconds ago
    the last byte of its answer left."""

    def __init__(self, most: int, most_bytes: int = MOST_BYTES, number: Callable[[float], int] | None = None) -> None:
        self.most, self.most_bytes = most, most_bytes
        self._number = number
        self.count = 0  # entries that there ever were
        self._kept: deque[Flat] = deque()
        self._bytes = 0
        self._waiting: set[asyncio.Event] = set()

    def add(self, came: float, done: Done, sent: Sent, ago: float = 0.0) -> None:
        """One more, whose last byte left so many seconds ago; the oldest make room for it."""
        self.count += 1
        if not self.most:
            return
        entry = _flat(self._number(ago) if self._number else self.count, came, done, sent)
        self._kept.append(entry)
        self._bytes += entry[0]
        while len(self._kept) > self.most or (self._bytes > self.most_bytes and len(self._kept) > 1):
            self._bytes -= self._kept.popleft()[0]
        for event in self._waiting:
            event.set()

    def entries(self, wanted: Filter | None = None) -> Iterator[Entry]:
        """Those that are meant, the oldest first."""
        found = map(_entry, self._kept)
        return (entry for entry in found if wanted is None or wanted.holds(entry))

    def entry(self, number: int) -> Entry | None:
        return next((entry for entry in self.entries() if entry.number == number), None)

    def clear(self) -> None:
        self._kept.clear()
        self._bytes = 0

    async def wait(self, wanted: Filter, count: int, patience: float) -> list[Entry]:
        """Until there are so many, or so many seconds are over: those that there are then."""
        more = asyncio.Event()
        self._waiting.add(more)
        try:
            async with asyncio.timeout(patience):
                while len(found := list(self.entries(wanted))) < count:
                    more.clear()
                    await more.wait()
        except TimeoutError:
            found = list(self.entries(wanted))
        finally:
            self._waiting.discard(more)
        return found
