"""Which recording answers a request: pure matchers over what was loaded, in a fixed order.

    named   the header X-Relay-Recording picks one, whatever was asked
    equal   the same request, by method, path, media type, JSON value of the body, and kind of key
    similar a chat-format video that contradicts nothing in the request (features.py)

Names are `source/case`: the path below the folder, without its suffix. Order is that of the paths.
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from pathlib import Path
from urllib.parse import unquote

from mock_server.answer import Asked
from mock_server.features import Features, features, of_recording
from mock_server.ledger import Book, Ledger
from openapi.document import Document
from openapi.json_text import Json, in_order
from openapi.wire import http1_out
from openapi.wire.exchange import Exchange, Headers
from openapi.wire.jsonl import Recording, read_recording

RECORDINGS = Path(__file__).parent / "recordings"
PICK = "x-relay-recording"
COUNTED = "turn "  # how names in the ledger begin

Place = tuple[str, str, str]  # method, path, media type
Look = tuple[str | None, int]
Key = tuple[Place, str | bytes]


class LibraryError(ValueError):
    """A folder or a file in it that cannot be used; the message names the file and the line."""


class Library:
    """Recordings, indexed. `borrowed` says that they are of several relays, none of which the mock pretends to be:
    a request without a body is then answered by the mock itself (its models, its methods), not by any of theirs."""

    def __init__(self, recordings: Sequence[Recording], document: Document, *, borrowed: bool = False) -> None:
        self.recordings = {recording.exchange.id: recording.exchange for recording in recordings}
        self.borrowed = borrowed
        self.models = tuple(_models(list(self.recordings.values()), document))
        self._equal: dict[Key, list[Exchange]] = defaultdict(list)
        self._looks: set[tuple[Place, Look]] = set()  # what equals none of them by its look alone need not be written
        self._similar: dict[tuple[str, Features], Exchange] = {}
        for exchange in self.recordings.values():
            request = exchange.request
            place = _place(request.method, request.path, request.headers)
            value, raw = request.json.value, request.body or b""
            self._equal[place, _body(value, raw)].append(exchange)
            self._looks.add((place, _look(value, raw)))
            operation = exchange.operation or _operation(exchange, document)
            found = of_recording(exchange)
            if operation and found:
                self._similar.setdefault((operation, found), exchange)
        self._filmed = {(operation, found.model) for operation, found in self._similar}

    def named(self, name: str) -> Exchange | None:
        return self.recordings.get(name)

    def near(self, name: str) -> list[str]:
        """Names that somebody who wrote this one may have meant, best first."""
        cases = [known for known in self.recordings if known.rpartition("/")[2] == name.rpartition("/")[2]]
        return list(dict.fromkeys([*cases, *get_close_matches(name, self.recordings, n=5, cutoff=0.5)]))[:5]

    def equal(self, asked: Asked) -> tuple[Exchange, ...]:
        """The recordings of this very request, in the order of their paths; they answer in turn."""
        if self.borrowed and not asked.raw:
            return ()
        place = _place(asked.method, asked.path, asked.headers)
        if (place, _look(asked.body, asked.raw)) not in self._looks:
            return ()
        equal = self._equal.get((place, _body(asked.body, asked.raw)), ())
        return tuple(exchange for exchange in equal if exchange.request.auth in {None, asked.auth})

    def closest(self, asked: Asked, most: int = 3) -> list[str]:
        """The recordings of this operation that are nearest to a request, each with the members that differ."""
        path = unquote(asked.path).partition("?")[0]
        told: list[tuple[int, str]] = []
        for name, exchange in self.recordings.items():
            if exchange.request.method == asked.method and unquote(exchange.request.path).partition("?")[0] == path:
                other = exchange.request.object
                differ = [one for one in {**asked.object, **other} if asked.object.get(one) != other.get(one)]
                told.append((len(differ), f"{name}: {_differs(differ, asked.object, other)}"))
        return [text for _, text in sorted(told, key=lambda pair: pair[0])[:most]]

    def similar(self, asked: Asked) -> Exchange | None:
        """The first recording that may stand in."""
        operation, model = asked.operation or "", asked.object.get("model")
        if not isinstance(model, str) or (operation, model) not in self._filmed:
            return None
        wanted = features(asked.object)
        return self._similar.get((operation, wanted)) if wanted else None


class Turns:
    """Whose turn it is among recordings of one request, and how often a request came, for one relay: `of` is which."""

    def __init__(self, ledger: Ledger | None = None, of: str = "") -> None:
        self.ledger = ledger or Book()
        self._of = f"{COUNTED}{of} "

    def take(self, equals: Sequence[Exchange]) -> Exchange:
        if len(equals) == 1:
            return equals[0]
        return equals[self._next(*(one.id for one in equals)) % len(equals)]

    def count(self, *parts: str | bytes) -> int:
        """How often a request of these parts came, this time too."""
        return self._next(*parts) + 1

    def reset(self) -> None:
        self.ledger.forget(self._of)

    def _next(self, *parts: str | bytes) -> int:
        name = self._of + hashlib.blake2b(repr(parts).encode(), digest_size=16).hexdigest()
        return self.ledger.turn(name, 0, None, 1.0, 0) or 0


def load(folder: Path, document: Document) -> Library:
    """All recordings below a folder. Raises LibraryError for what cannot be read."""
    if not folder.is_dir():
        msg = f"{folder}: no such folder"
        raise LibraryError(msg)
    recordings = [_read(path, folder) for path in sorted(folder.rglob("*.jsonl")) if path.is_file()]
    return Library(recordings, document, borrowed=folder.resolve() == RECORDINGS.resolve())


def _read(path: Path, folder: Path) -> Recording:
    try:
        text = path.read_text(encoding="utf-8")
        recording = read_recording(text, path.relative_to(folder).with_suffix("").as_posix())
        http1_out.head(recording.exchange.status or 200, recording.exchange.headers)
        return recording
    except ValueError as error:
        msg = f"{path}: {error}"
        raise LibraryError(msg) from error
    except OSError as error:
        msg = f"{path}: {error.strerror}"
        raise LibraryError(msg) from error


def _differs(names: Sequence[str], got: dict[str, Json], expected: dict[str, Json]) -> str:
    """In words: values where they are short, of the others that they differ."""
    words = []
    for name in names[:4]:
        one, other = got.get(name), expected.get(name)
        is_short = not any(isinstance(value, list | dict) or len(str(value)) > 40 for value in (one, other))
        words.append(f"{name} is {json.dumps(one)}, not {json.dumps(other)}" if is_short else f"{name} differs")
    return "; ".join(words) or "the content type or the key differs"


# --- equality -------------------------------------------------------------------------------------------------------


def _place(method: str, path: str, headers: Headers) -> Place:
    media = next((value for name, value in headers if name.lower() == "content-type"), "")
    return method, unquote(path), media.partition(";")[0].strip().lower()


def _body(value: Json, raw: bytes) -> str | bytes:
    """The same text for equal JSON values (RFC 8259: members have no order, 1.0 is 1); what is no JSON as it stands."""
    return raw if value is None else in_order(_canonical(value))


def _look(value: Json, raw: bytes) -> Look:
    """What equal bodies have in common and costs little: the model, and how many members there are."""
    if not isinstance(value, dict):
        return None, 0 if value is not None else len(raw)
    model = value.get("model")
    return model if isinstance(model, str) else None, len(value)


def _canonical(value: Json) -> Json:
    match value:
        case dict():
            return {name: _canonical(member) for name, member in value.items()}
        case list():
            return [_canonical(item) for item in value]
        case float() if value.is_integer():
            return int(value)
    return value


# --- what the recordings know ---------------------------------------------------------------------------------------


def _models(exchanges: Sequence[Exchange], document: Document) -> Iterator[str]:
    """The models that were asked for with success, each once. One that was only ever refused by its own path
    (`GET /v1/models/{model}`) and stands in no list is unknown, whatever a server that ignores names answered."""
    used: list[str] = []
    found, refused = set(_listed(exchanges)), set[str]()
    for exchange in exchanges:
        match = document.match(exchange.request.method, exchange.request.path)
        name = match.params.get("model") if match else None
        if name is not None:
            (found if exchange.status == 200 else refused).add(name)
        model = exchange.request.object.get("model")
        if exchange.status == 200 and isinstance(model, str):
            used.append(model)
    yield from (name for name in dict.fromkeys(used) if name not in refused - found)


def _listed(exchanges: Sequence[Exchange]) -> Iterator[str]:
    for exchange in exchanges:
        if exchange.request.method == "GET" and exchange.status == 200:
            yield from filter(None, map(_identifier, _entries(exchange.object.get("data"))))


def _entries(data: Json) -> list[Json]:
    return data if isinstance(data, list) else []


def _identifier(entry: Json) -> str | None:
    name = entry.get("id") if isinstance(entry, dict) else None
    return name if isinstance(name, str) else None


def _operation(exchange: Exchange, document: Document) -> str | None:
    match = document.match(exchange.request.method, exchange.request.path)
    return match.operation.id if match else None
