"""A run: an append-only JSONL log of exchanges and verdicts between a header and a footer, and its readers.

A crash leaves a readable prefix. What can be wrong with a run has a name:

    RunError
    ├── EmptyRunError         no line in it
    ├── MissingHeaderError    the first line is no header
    └── BadLineError          a line that is not what it should be; the message names it

A missing footer is no error: `Run.footer` is then None, and reports say that the run did not end.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import TextIO, TypeVar

from conformance.rule import Finding, Flaky, Level, Outcome, Verdict, worst
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import dump, exchange_in, exchange_out

T = TypeVar("T")

FORMAT = 1


class RunError(ValueError):
    """A file that is no run."""


class EmptyRunError(RunError):
    """No line in it."""


class MissingHeaderError(RunError):
    """The first line is no header."""


class BadLineError(RunError):
    """A line that is not what it should be."""


@dataclass(frozen=True, slots=True)
class Header:
    """What was judged, by what. `relay` has `base_url`, `models` by role, `name`; `plan` has probes and requests."""

    relay: Mapping[str, Json]
    document: str
    suite: str
    seed: int
    started: str
    plan: Mapping[str, Json] = field(default_factory=dict)
    command: str = ""

    @property
    def whose(self) -> tuple[str, str]:
        """The relay, by its name and where it is: runs of the same one have the same."""
        return str(self.relay.get("name") or ""), str(self.relay.get("base_url") or "")

    def record(self) -> dict[str, Json]:
        return {
            "type": "header",
            "format": FORMAT,
            "relay": dict(self.relay),
            "document": self.document,
            "suite": self.suite,
            "seed": self.seed,
            "started": self.started,
            "plan": dict(self.plan),
            "command": self.command,
        }


class Stale(StrEnum):
    """Why a waiver of the baseline wants to be looked at."""

    EXPIRED = "expired"
    UNEXPECTED_PASS = "unexpected-pass"  # noqa: S105 - as in Outcome
    UNUSED = "unused"
    EXPIRES_SOON = "expires-soon"


@dataclass(frozen=True, slots=True)
class Note:
    """What is to be said of one waiver. `days` are left until it expires, where it does so soon."""

    kind: Stale
    waiver: str
    text: str
    days: int | None = None

    @property
    def stale(self) -> bool:
        """Whether the baseline is no longer right; one that soon will not be still is."""
        return self.kind is not Stale.EXPIRES_SOON

    def record(self) -> dict[str, Json]:
        line: dict[str, Json] = {"kind": self.kind.value, "waiver": self.waiver, "text": self.text}
        return line | ({} if self.days is None else {"days": self.days})


class Short(StrEnum):
    """Why a finding was not asked again, or not made smaller to the end."""

    BUDGET = "budget"
    TRIES = "tries"  # as many requests as go into one finding, or into all of them
    DEAR = "dear"  # a video
    OPEN = "open"  # asked again, and what came decided nothing
    HALT = "halt"  # nothing more was sent
    END = "end"  # the run did not end


@dataclass(frozen=True, slots=True)
class Found:
    """A finding of a generated probe, made smaller. `identity` names it, `probe` is the smallest that shows it, and
    `drawn` the one from which it came; `tries` requests asked it again and made it smaller. `case` is what it is made
    from, empty where only its exchanges are left. `flaky` is None where it was not asked again: then nobody knows."""

    identity: str
    level: Level
    text: str
    probe: str
    drawn: str
    tries: int
    case: Mapping[str, Json]
    flaky: bool | None = False
    short: Short | None = None

    def record(self) -> dict[str, Json]:
        line: dict[str, Json] = {
            "identity": self.identity,
            "level": self.level.value,
            "text": self.text,
            "probe": self.probe,
            "drawn": self.drawn,
            "tries": self.tries,
            "case": dict(self.case),
            "flaky": self.flaky,
        }
        return line | ({"short": self.short.value} if self.short else {})


@dataclass(frozen=True, slots=True)
class Earlier:
    """What became of the failures of earlier runs, by their identities: those that failed again, those that did not
    this time and are not known to be mended, and why others were left open. `stored` is how many there were."""

    stored: int
    failing: tuple[str, ...] = ()
    passing: tuple[str, ...] = ()
    open: Mapping[str, str] = field(default_factory=dict)

    def record(self) -> dict[str, Json]:
        return {
            "stored": self.stored,
            "failing": list(self.failing),
            "passing": list(self.passing),
            "open": dict(self.open),
        }


@dataclass(frozen=True, slots=True)
class Generated:
    """What became of the generated probes: how many were drawn, asked and left out (by the budget, unless `stopped`
    says why nothing more was sent), how many requests asked failures again and made them smaller, what was found, what
    was stored as a failure and is mended, and what became of all that was stored."""

    drawn: int
    asked: int
    left: int
    tries: int
    found: tuple[Found, ...] = ()
    mended: tuple[str, ...] = ()
    stopped: str | None = None
    earlier: Earlier | None = None

    def record(self) -> dict[str, Json]:
        line: dict[str, Json] = {
            "drawn": self.drawn,
            "asked": self.asked,
            "left": self.left,
            "tries": self.tries,
            "found": [one.record() for one in self.found],
            "mended": list(self.mended),
        }
        more: dict[str, Json] = {
            "stopped": self.stopped,
            "earlier": self.earlier.record() if self.earlier else None,
        }
        return line | {name: value for name, value in more.items() if value}


@dataclass(frozen=True, slots=True)
class Footer:
    """How it ended: rules by outcome, what was spent, the exit code, the dialects that the relay was allowed, what is
    to be said of the baseline, and what became of generated probes."""

    outcomes: Mapping[str, int]
    spent: Mapping[str, Json]
    finished: str
    exit: int
    note: str | None = None
    dialect: str | None = None
    notes: tuple[Note, ...] = ()
    generated: Generated | None = None

    def record(self) -> dict[str, Json]:
        line: dict[str, Json] = {
            "type": "footer",
            "outcomes": dict(self.outcomes),
            "spent": dict(self.spent),
            "finished": self.finished,
            "exit": self.exit,
        }
        more: dict[str, Json] = {
            "note": self.note,
            "dialect": self.dialect,
            "notes": [note.record() for note in self.notes],
            "generated": self.generated.record() if self.generated else None,
        }
        return line | {name: value for name, value in more.items() if value}


@dataclass(frozen=True)
class Run:
    """All of it, replayable: the read-only record that every report is made from."""

    header: Header
    exchanges: tuple[Exchange, ...] = field(repr=False)
    verdicts: tuple[Verdict, ...] = field(repr=False)
    footer: Footer | None = None

    @cached_property
    def _by_id(self) -> dict[str, Exchange]:
        return {exchange.id: exchange for exchange in self.exchanges}

    def exchange(self, id: str) -> Exchange | None:  # noqa: A002
        return self._by_id.get(id)

    def by_rule(self) -> dict[str, list[Verdict]]:
        """The verdicts of each rule, in the order of the run."""
        rules: dict[str, list[Verdict]] = {}
        for verdict in self.verdicts:
            rules.setdefault(verdict.rule, []).append(verdict)
        return rules


def outcome_of(verdicts: Iterable[Verdict]) -> Outcome:
    """One outcome for all verdicts of one rule."""
    return worst(verdict.outcome for verdict in verdicts)


def counts(verdicts: Iterable[Verdict], level: Level | None = None) -> Counter[Outcome]:
    """Rules by their outcome, of one level or of all."""
    rules: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        if level is None or verdict.level is level:
            rules.setdefault(verdict.rule, []).append(verdict)
    return Counter(outcome_of(group) for group in rules.values())


class Writer:
    """Writes a run line by line as things happen, each line whole before the next begins."""

    def __init__(self, out: TextIO) -> None:
        self.out = out

    def header(self, header: Header) -> None:
        self._line(header.record())

    def exchange(self, exchange: Exchange) -> None:
        self._line({"type": "exchange", **exchange_out(exchange)})

    def verdict(self, verdict: Verdict) -> None:
        self._line({"type": "verdict", **verdict.record()})

    def footer(self, footer: Footer) -> None:
        self._line(footer.record())

    def _line(self, record: dict[str, Json]) -> None:
        self.out.write(dump(record) + "\n")
        self.out.flush()


def read_run(text: str) -> Run:
    """A run from its JSONL. A last line that was cut off is left out: a crash may leave one. Raises RunError."""
    lines = text.split("\n")
    whole, tail = lines[:-1], lines[-1]
    records = [_record(number, line) for number, line in enumerate(whole, 1) if line.strip()]
    if tail.strip() and json_text.read(tail).readable:
        records.append(_record(len(lines), tail))
    if not records:
        msg = "the run is empty"
        raise EmptyRunError(msg)
    number, first = records[0]
    if first.get("type") != "header" or first.get("format") != FORMAT:
        msg = f"line {number}: a run begins with a header of format {FORMAT}"
        raise MissingHeaderError(msg)
    header = _parse(number, first, _header)
    exchanges = tuple(_parse(at, line, exchange_in) for at, line in records if line.get("type") == "exchange")
    verdicts = tuple(_parse(at, line, _verdict) for at, line in records if line.get("type") == "verdict")
    footers = [_parse(at, line, _footer) for at, line in records if line.get("type") == "footer"]
    return Run(header, exchanges, verdicts, footers[-1] if footers else None)


def lines_of(run: Run) -> Iterator[str]:
    """The JSONL of a run."""
    yield dump(run.header.record())
    for exchange in run.exchanges:
        yield dump({"type": "exchange", **exchange_out(exchange)})
    for verdict in run.verdicts:
        yield dump({"type": "verdict", **verdict.record()})
    if run.footer:
        yield dump(run.footer.record())


def _record(number: int, line: str) -> tuple[int, dict[str, Json]]:
    parsed = json_text.read(line)
    if not parsed.readable or not isinstance(parsed.value, dict):
        msg = f"line {number}: {parsed.fault or 'not an object'}"
        raise BadLineError(msg)
    return number, parsed.value


def _parse(number: int, line: dict[str, Json], parse: Callable[[dict[str, Json]], T]) -> T:
    try:
        return parse(line)
    except (KeyError, TypeError, ValueError) as error:
        msg = f"line {number}: {f'{error.args[0]!r} is missing' if isinstance(error, KeyError) else error}"
        raise BadLineError(msg) from error


def _header(line: dict[str, Json]) -> Header:
    return Header(
        relay=_object(line["relay"]),
        document=str(line["document"]),
        suite=str(line["suite"]),
        seed=_whole(line["seed"]),
        started=str(line["started"]),
        plan=_object(line.get("plan") or {}),
        command=str(line.get("command") or ""),
    )


def _verdict(line: dict[str, Json]) -> Verdict:
    return Verdict(
        rule=str(line["rule"]),
        level=Level(str(line["level"])),
        outcome=Outcome(str(line["outcome"])),
        probe=_text(line, "probe"),
        exchanges=tuple(map(str, _array(line["exchanges"]))),
        findings=tuple(_finding(_object(found)) for found in _array(line["findings"])),
        reason=_text(line, "reason"),
        mood=line.get("mood") is True,
        flaky=_flaky(_object(line["flaky"])) if "flaky" in line else None,
        waived=_text(line, "waived"),
        dialect=_text(line, "dialect"),
    )


def _flaky(line: dict[str, Json]) -> Flaky:
    low, high = map(_number, _array(line["interval"]))
    return Flaky(_whole(line["failed"]), _whole(line["of"]), low, high)


def _finding(line: dict[str, Json]) -> Finding:
    at = line.get("at")
    where = None if at is None else _whole(at)
    return Finding(str(line["text"]), where, _text(line, "place") or "", _text(line, "exchange"))


def _text(line: dict[str, Json], name: str) -> str | None:
    value = line.get(name)
    return None if value is None else str(value)


def _footer(line: dict[str, Json]) -> Footer:
    return Footer(
        outcomes={name: _whole(count) for name, count in _object(line["outcomes"]).items()},
        spent=_object(line["spent"]),
        finished=str(line["finished"]),
        exit=_whole(line["exit"]),
        note=_text(line, "note"),
        dialect=_text(line, "dialect"),
        notes=tuple(_note(_object(note)) for note in _array(line.get("notes") or [])),
        generated=_generated(_object(line["generated"])) if "generated" in line else None,
    )


def _generated(line: dict[str, Json]) -> Generated:
    drawn, asked, left, tries = (_whole(line[name]) for name in ("drawn", "asked", "left", "tries"))
    found = tuple(found_in(_object(one)) for one in _array(line["found"]))
    mended = tuple(map(str, _array(line["mended"])))
    earlier = _earlier(_object(line["earlier"])) if "earlier" in line else None
    return Generated(drawn, asked, left, tries, found, mended, _text(line, "stopped"), earlier)


def _earlier(line: dict[str, Json]) -> Earlier:
    failing, passing = (tuple(map(str, _array(line[name]))) for name in ("failing", "passing"))
    reasons = {name: str(why) for name, why in _object(line["open"]).items()}
    return Earlier(_whole(line["stored"]), failing, passing, reasons)


def found_in(line: dict[str, Json]) -> Found:
    """A finding of a generated probe from its record. Raises KeyError, TypeError or ValueError."""
    return Found(
        identity=str(line["identity"]),
        level=Level(str(line["level"])),
        text=str(line["text"]),
        probe=str(line["probe"]),
        drawn=str(line["drawn"]),
        tries=_whole(line["tries"]),
        case=_object(line["case"]),
        flaky=None if line.get("flaky", False) is None else line.get("flaky") is True,
        short=Short(str(line["short"])) if "short" in line else None,
    )


def _note(line: dict[str, Json]) -> Note:
    days = line.get("days")
    return Note(
        Stale(str(line["kind"])), str(line["waiver"]), str(line["text"]), None if days is None else _whole(days)
    )


def _object(value: Json) -> dict[str, Json]:
    if not isinstance(value, dict):
        msg = f"an object, not {value!r:.60}"
        raise TypeError(msg)
    return value


def _array(value: Json) -> list[Json]:
    if not isinstance(value, list):
        msg = f"a list, not {value!r:.60}"
        raise TypeError(msg)
    return value


def _number(value: Json) -> float:
    return float(value) if isinstance(value, float) else float(_whole(value))


def _whole(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        msg = f"a whole number, not {value!r:.60}"
        raise TypeError(msg)
    return value
