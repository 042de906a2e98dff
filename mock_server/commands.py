"""What the hand on a mock can have done, on one worker: a `Command` in, what is `Told` out.

Both are values that JSON can say, because with several workers each command is done by all of them (`workers/`).
"""

import os
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, TypeVar

from mock_server import duration
from mock_server.duration import DurationError
from mock_server.faults import FAULTS
from mock_server.hours import monotonic
from mock_server.journal import Filter
from mock_server.library import LibraryError
from mock_server.options import Options
from mock_server.script import ScriptError, read
from mock_server.script.reading import check_recordings
from mock_server.wish import Wish, WishError, wish
from openapi import json_text
from openapi.json_text import Json

if TYPE_CHECKING:
    from mock_server.adapter import Adapter

T = TypeVar("T", int, float)

NUMBERS = 2**53  # numbers in a query are below it


class Refused(Exception):  # noqa: N818 - an answer
    """What is told to a command that cannot be done: a status and why."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True)
class Command:
    """What is wanted: `name` and `method` as in the table of `control.py`. It came `at` a moment of the machine's clock
    (microseconds); of a journal the entries up to number `until` are meant, and `number` is that of one entry."""

    name: str
    method: str
    query: dict[str, str] = field(default_factory=dict)
    body: str = ""
    number: int = 0
    at: int = field(default_factory=monotonic)
    until: int | None = None

    @property
    def value(self) -> Json:
        """The body as JSON; None where it is none."""
        return json_text.read(self.body.encode("utf-8", "surrogatepass")).value if self.body else None

    @property
    def ends(self) -> bool:
        """Whether it takes back what others said."""
        return self.method == "DELETE"

    def out(self) -> dict[str, Json]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Told:
    """What is answered: a JSON value, or with 204 nothing."""

    status: int
    value: Json = None

    def out(self) -> dict[str, Json]:
        return asdict(self)


def refusal(status: int, message: str) -> Told:
    kind = "invalid_request_error"
    return Told(status, {"error": {"message": message, "type": kind, "param": None, "code": None}})


class Commands:
    """Those that one worker can do."""

    def __init__(self, adapter: "Adapter", options: Options) -> None:
        self.adapter = adapter
        self.workers = options.workers
        self.began = time.time()
        self._known: dict[str, Callable[[Command], Json]] = {
            "health": self._health,
            "journal": self._journal,
            "entry": self._entry,
            "recordings": self._recordings,
            "faults": self._faults,
            "catalogue": self._catalogue,
            "script": self._script,
            "clock": self._clock,
            "reset": self._reset,
            "reload": self._reload,
            "metrics": self._metrics,
        }

    def do(self, command: Command) -> Told:
        """Does it here. What cannot be done is told as a refusal."""
        try:
            value = self._known[command.name](command)
        except Refused as refused:
            return refusal(refused.status, str(refused))
        return Told(204 if value is None else 200, value)

    # --- what there is ----------------------------------------------------------------------------------------------

    def _health(self, _: Command) -> Json:
        relays, gate = self.adapter.relays, self.adapter.gate
        return {
            "status": "ok",
            "uptime": round(time.time() - self.began, 3),
            "recordings": len(relays.usual.library.recordings),
            "rules": len(relays.script.rules),
            "faults": [one.text for one in relays.wanted],
            "limits": [one.text for _, one in gate.limited],
            "outages": [one.text for one in gate.outages],
            "answered": self.adapter.journal.count,
            "under_way": self.adapter.under_way,
            "workers": self.workers,
            "worker": os.getpid(),
        }

    def _recordings(self, _: Command) -> Json:
        found = self.adapter.relays.usual.library.recordings
        return [
            {"name": name, "method": one.request.method, "path": one.request.path, "status": one.status}
            for name, one in found.items()
        ]

    def _metrics(self, _: Command) -> Json:
        return self.adapter.metrics.out(self.adapter.under_way)

    # --- the journal ------------------------------------------------------------------------------------------------

    def _journal(self, command: Command) -> Json:
        if command.ends:
            self.adapter.journal.clear()
            return None
        limit = number(command.query, "limit", int, 100)
        found = list(self.adapter.journal.entries(meant(command)))
        return [entry.line() for entry in found[max(len(found) - limit, 0) :]]

    def _entry(self, command: Command) -> Json:
        found = self.adapter.journal.entry(command.number)
        if found is None:
            raise Refused(404, "there is no such entry, or no longer")
        return found.whole()

    # --- what is changed --------------------------------------------------------------------------------------------

    def _faults(self, command: Command) -> Json:
        """The faults of requests that name none, from now on: a list of words, or none with DELETE."""
        if command.method != "GET":
            said = [] if command.ends else command.value
            if not isinstance(said, list):
                raise Refused(400, 'expected a list: ["chat-stream-done-missing", "honest-slow@0.1*3"]')
            self.adapter.relays.wanted = tuple(map(_wish, said))
        return [one.text for one in self.adapter.relays.wanted]

    def _catalogue(self, _: Command) -> Json:
        return [
            {"id": one.id, "text": one.text, "breaks": list(one.breaks), "honest": one.honest}
            for one in FAULTS.values()
        ]

    def _script(self, command: Command) -> Json:
        """The script from now on, as its file would be; none with DELETE."""
        relays = self.adapter.relays
        if command.method != "GET":
            text = "[]" if command.ends else command.body
            try:
                relays.perform(check_recordings(read(text, "script", relays.seed), relays.usual.library))
            except ScriptError as error:
                raise Refused(400, str(error)) from error
        return [rule.name for rule in relays.script.rules]

    def _clock(self, command: Command) -> Json:
        """The clock of limits and outages: PUT {"to": "30s"} or {"ahead": "1m"}, DELETE begins anew. Going back fills
        the buckets."""
        gate = self.adapter.gate
        before = command.at - gate.hours.zero
        if command.method != "GET":
            moment = 0 if command.ends else _moment(command.value, before)
            gate.hours.put(moment, command.at)
            if moment < before:
                gate.forget()
        return {"seconds": (command.at - gate.hours.zero) / duration.SECOND}

    def _reset(self, command: Command) -> Json:
        """As it was started: faults, script, turns, limits, clock, journal, metrics."""
        self.adapter.reset(command.at)
        return None

    def _reload(self, _: Command) -> Json:
        """The recordings as they are on disk now."""
        try:
            return {"recordings": self.adapter.reload()}
        except LibraryError as error:
            raise Refused(409, f"the recordings stay as they were: {error}") from error


def meant(command: Command) -> Filter:
    """Which entries of the journal. Raises Refused."""
    asked = command.query
    known = {"method", "path", "operation", "model", "status", "since", "limit", "count", "timeout"}
    unknown = next((name for name in asked if name not in known), None)
    if unknown:
        raise Refused(400, f"{unknown!r} is unknown; there are {', '.join(sorted(known))}")
    return Filter(
        method=asked.get("method"),
        path=asked.get("path"),
        operation=asked.get("operation"),
        model=asked.get("model"),
        status=number(asked, "status", int, 0) or None,
        since=number(asked, "since", int, 0),
        until=command.until,
    )


def number(query: dict[str, str], name: str, kind: type[T], default: T) -> T:
    """A number of a query. Raises Refused."""
    text = query.get(name)
    if text is None:
        return default
    try:
        value = kind(text)
    except ValueError:
        value = kind(-1)
    if not 0 <= value < NUMBERS:
        raise Refused(400, f"{name}: expected a number, got {text[:40]!r}")
    return value


def _wish(value: Json) -> Wish:
    try:
        return wish(value if isinstance(value, str) else str(value))
    except WishError as error:
        raise Refused(400, str(error)) from error


def _moment(value: Json, before: int) -> int:
    """The moment that the clock is put to, in microseconds."""
    said = value if isinstance(value, dict) else {}
    if len(said) != 1 or not set(said) & {"to", "ahead"}:
        raise Refused(400, 'expected {"to": "30s"} or {"ahead": "1m"}')
    ((name, span),) = said.items()
    try:
        moved = duration.parse(span if isinstance(span, str) else json_text.write(span).decode())
    except DurationError as error:
        raise Refused(400, f"{name}: {error}") from error
    return moved + (before if name == "ahead" else 0)
