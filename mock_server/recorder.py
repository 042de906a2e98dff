"""Recordings of what passes through a proxy, written as it happens and without a secret.

A recording that is under way is a `.part` file of JSONL: the request, the head of the answer, its reads. Its end makes
it a recording (`openapi/wire/jsonl.py`). One that no end came to, because the process was killed, is found at the next
start and ends there as truncated.
"""

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import TextIO

from openapi.json_text import Json
from openapi.wire import jsonl, secrets
from openapi.wire.clearing import Holding, cleared
from openapi.wire.exchange import End, Exchange, Read, Request
from openapi.wire.jsonl import Recording, RecordingError, read_recording
from openapi.wire.redaction import Redactor

PART = ".part"
FRESH = ".new"
MOST_STEMS = 10_000  # names of which it is known how often they were taken; more are counted anew on disk
CUT = "the recording was cut short: the proxy ended before the answer did"
BEGINNING = "the answer was too long to be kept: this is how it began"
_ODD = re.compile(r"[^A-Za-z0-9._-]+")


@dataclass
class Recorder:
    """A folder of recordings. `of` says whose answers they are."""

    folder: Path
    of: str
    _next: dict[str, int] = field(default_factory=dict)

    def begin(self, exchange: Exchange, taken: Redactor, known: frozenset[str]) -> "Tape":
        """A recording of an exchange whose request has been sent. Raises OSError."""
        self.folder.mkdir(parents=True, exist_ok=True)
        while True:
            try:
                return Tape(self._free(_stem(exchange)), self.of, exchange, taken, known)
            except FileExistsError:  # another process took it between our look and our hand
                continue

    def recover(self) -> list[Path]:
        """Makes recordings of what a killed process left, and says which. What another one writes is let be, and so
        is a part of which no recording can be made."""
        return [made for part in sorted(self.folder.glob(f"*{PART}")) if (made := _recovered(part, self.of))]

    def _free(self, stem: str) -> Path:
        if len(self._next) >= MOST_STEMS:
            self._next.clear()
        number = self._next.get(stem, 0) + 1
        while any((self.folder / f"{stem}-{number:04}.jsonl{end}").exists() for end in ("", PART)):
            number += 1
        self._next[stem] = number
        return self.folder / f"{stem}-{number:04}.jsonl"


class Tape:
    """One recording under way. What it writes has no secret in it, also while it is not whole."""

    def __init__(self, path: Path, of: str, exchange: Exchange, taken: Redactor, known: frozenset[str]) -> None:
        self.path, self.of = path, of
        self.taken = taken
        self.exchange = replace(exchange, request=_shown(exchange.request, taken))
        self._known = known
        self._holding = Holding(known, taken)
        self._lines = 0  # of the body
        self._part = path.with_name(path.name + PART)
        self._file: TextIO = os.fdopen(os.open(self._part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w")
        _lock(self._file)  # whoever finds the part free knows that nobody writes it any more
        self._line({"part": 1, "at": exchange.sent, "request": jsonl.request_out(self.exchange.request)})

    def head(self, exchange: Exchange) -> None:
        """The head of the answer came."""
        line = jsonl.exchange_out(self._cleared(replace(exchange, reads=())))
        self._line({name: line[name] for name in jsonl.RESPONSE if name in line and name != "chunks"})

    def read(self, read: Read, *, stream: bool) -> None:
        """Bytes of the body came. What is no plain event stream is written at its end alone."""
        for one in self._holding.feed(read) if stream else ():
            self._read(one)

    def end(self, exchange: Exchange) -> Path:
        """The answer is over: the whole recording in place of its parts."""
        request = replace(self.exchange.request, auth=exchange.request.auth)
        whole = self._cleared(replace(exchange, request=request))
        text = secrets.hidden(jsonl.write_recording(Recording("recorded", self.of, whole)))
        _put(self.path, text)
        self.drop()
        return self.path

    def end_long(self, exchange: Exchange) -> Path:
        """The answer is over, and was too long to be kept: of `exchange` the reads are the beginning. A plain stream is
        whole all the same, from its lines; of anything else there is the beginning, as if the client had left then."""
        if self._lines == 0:
            return self.end(replace(exchange, chunks=None, end=End.CLIENT_ABORTED, error=BEGINNING))
        for one in self._holding.close():
            self._read(one)
        self._file.flush()
        request = replace(self.exchange.request, auth=exchange.request.auth)
        bare = self._cleared(replace(exchange, request=request, reads=(), chunks=None))
        taken = Redactor(self._known | self._holding.given)
        fresh = self.path.with_name(self.path.name + ".new")
        with fresh.open("w", encoding="utf-8") as whole, self._part.open(encoding="utf-8") as part:
            whole.write(secrets.hidden(jsonl.dump(jsonl.recording_head(Recording("recorded", self.of, bare)))) + "\n")
            whole.writelines(map(taken.text, islice(part, 2, None)))  # behind the request and the head of the answer
            whole.write(secrets.hidden(jsonl.dump(jsonl.recording_end(bare))) + "\n")
        fresh.replace(self.path)
        self.drop()
        return self.path

    def _cleared(self, exchange: Exchange) -> Exchange:
        """Without the secrets that the request brought, and those that the answer gives."""
        given = secrets.given(exchange.headers, exchange.content, stream=exchange.is_stream)
        taken = Redactor(self._known | given) if given else self.taken
        return cleared(replace(exchange, headers=secrets.shown_headers(exchange.headers, taken)), taken)

    def drop(self) -> None:
        """Nothing came that is worth a recording."""
        self._file.close()
        self._part.unlink(missing_ok=True)

    def _read(self, read: Read) -> None:
        self._lines += 1
        self._line([read.at, jsonl.bytes_out(read.data)])

    def _line(self, value: Json) -> None:
        self._file.write(secrets.hidden(jsonl.dump(value)) + "\n")
        self._file.flush()


def _shown(request: Request, taken: Redactor) -> Request:
    """The request as it may be kept: no header that holds a secret, and none in the query or the body."""
    kept = tuple((name, value) for name, value in request.headers if not secrets.is_secret_header(name))
    body = None if request.body is None else taken.data(request.body)
    return replace(request, path=taken.text(request.path), headers=secrets.shown_headers(kept, taken), body=body)


def _stem(exchange: Exchange) -> str:
    """What a file is called: the operation, or method and path, and the model."""
    request = exchange.request
    what = exchange.operation or f"{request.method}-{request.path.partition('?')[0]}"
    model = request.object.get("model")
    name = f"{what}-{model}" if isinstance(model, str) else what
    return _ODD.sub("-", name).strip(".-")[:80] or "exchange"


def _recovered(part: Path, of: str) -> Path | None:
    """The recording of what a part has, which then goes; None where it is still written, or makes none."""
    path = part.with_name(part.name.removesuffix(PART))
    with part.open(encoding="utf-8", errors="replace") as file:
        if not _lock(file):
            return None
        path.with_name(path.name + FRESH).unlink(missing_ok=True)
        if path.exists():  # killed between the whole and its part: nothing is in it that the whole has not
            part.unlink(missing_ok=True)
            return None
        text = _whole(list(_readable(file)), of)
        try:
            read_recording(text, path.stem)
        except RecordingError:
            return None
        _put(path, text)
        part.unlink(missing_ok=True)
    return path


def _put(path: Path, text: str) -> None:
    """The file is there whole, or not at all."""
    fresh = path.with_name(path.name + FRESH)
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(path)


def _lock(file: TextIO) -> bool:
    """Whether the file was nobody else's; it is ours then, until it is closed or we end."""
    if sys.platform != "win32":  # where a file that is open cannot be taken away
        import fcntl  # noqa: PLC0415 - not everywhere

        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            return False
    return True


def _whole(lines: Sequence[Json], of: str) -> str:
    """What a recording would be that ended with these lines."""
    asked, answered = (line if isinstance(line, dict) else {} for line in (*lines[:2], {}, {})[:2])
    reads = [line for line in lines[2:] if isinstance(line, list)]
    head: Json = {
        "recording": 1,
        "source": "recorded",
        "of": of,
        "at": asked.get("at"),
        "request": asked.get("request"),
        "response": answered,
    }
    end: Json = {"end": End.TRUNCATED.value, "at": reads[-1][0] if reads else 0.0, "error": CUT}
    return "".join(jsonl.dump(line) + "\n" for line in (head, *reads, end))


def _readable(lines: Iterable[str]) -> Iterator[Json]:
    """The lines up to the first that is not whole."""
    for line in lines:
        try:
            yield json.loads(line)
        except ValueError:
            return
