"""A baseline: what a relay is known to break, each waiver with its reason and its end.

    [[waiver]]
    rule = "errors.unknown-model-404"          # an id, or a pattern: "chat.stream.*"
    where = "errors.unknown-model*"            # a probe, a place in the answer, or both; or a list; absent: all
    reason = "503 until the gateway is updated, ticket 4711"
    owner = "gateway team"                     # optional
    expires = 2027-03-31                       # the last day on which it excuses; or "never"

Nothing in it is read loosely: a waiver that is misspelt must not excuse, or seem to.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from conformance.identity import at, fits, place_of
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.target import ConfigurationError, text_of, toml_of
from openapi import json_text

MEMBERS = ("rule", "where", "reason", "owner", "expires")
NEVER = "never"
MAX_TEXT = 500  # characters of one text


@dataclass(frozen=True, slots=True)
class Waiver:
    """One failure that is known. `where` is None for all of a rule, `expires` for one without an end."""

    rule: str
    where: str | None
    reason: str
    owner: str | None = None
    expires: date | None = None

    @property
    def name(self) -> str:
        return self.rule if self.where is None else f"{self.rule} {self.where}"

    @property
    def label(self) -> str:
        """What stands beside a failure that it excuses."""
        until = "without end" if self.expires is None else f"until {self.expires.isoformat()}"
        return f"{self.reason} ({', '.join(filter(None, (self.owner, until)))})"

    def expired(self, today: date) -> bool:
        return self.expires is not None and today > self.expires

    def covers(self, verdict: Verdict, found: Finding) -> bool:
        """Whether it names this finding, whatever the day."""
        return fits(self.rule, verdict.rule) and (self.where is None or at(self.where, verdict, found))


def read_baseline(path: Path) -> tuple[Waiver, ...]:
    """The waivers of a file. Raises ConfigurationError."""
    return parse_baseline(text_of(path, f"the baseline {path}"), str(path))


def parse_baseline(text: str, name: str) -> tuple[Waiver, ...]:
    """The waivers of a TOML text, one for each `where`. Raises ConfigurationError for whatever is not understood."""
    table = toml_of(text, f"the baseline {name}")
    rows = table.get("waiver", [])
    strangers = sorted(set(table) - {"waiver"})
    if strangers or not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        _refuse(name, f"{strangers[0] if strangers else 'waiver'} is not understood; it holds [[waiver]] tables alone")
    waivers: dict[str, Waiver] = {}
    for number, row in enumerate(rows, 1):
        for waiver in _waivers(row, f"{name}, waiver {number}"):
            if waiver.name in waivers:
                _refuse(f"{name}, waiver {number}", f"{waiver.name!r:.120} is waived twice")
            waivers[waiver.name] = waiver
    return tuple(waivers.values())


def _refuse(where: str, why: str) -> NoReturn:
    msg = f"the baseline {where}: {why}"
    raise ConfigurationError(msg)


def _waivers(row: dict[str, Any], where: str) -> Iterator[Waiver]:
    strangers = sorted(set(row) - set(MEMBERS))
    if strangers:
        _refuse(where, f"{strangers[0]!r} is not understood; there are {', '.join(MEMBERS)}")
    rule, reason = _text(row, "rule", where), " ".join(_text(row, "reason", where).split())
    owner = " ".join(_text(row, "owner", where).split()) if "owner" in row else None
    expires = _end(row, where)
    places = row.get("where")
    if places is None:
        yield Waiver(rule, None, reason, owner, expires)
        return
    listed = places if isinstance(places, list) else [places]
    if not listed:
        _refuse(where, "where is an empty list; leave it out for all of the rule")
    for place in listed:
        yield Waiver(rule, _text({"where": place}, "where", where), reason, owner, expires)


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        problem = "is missing" if name not in row else f"= {value!r:.60} is no text of 1 to {MAX_TEXT} characters"
        _refuse(where, f"{name} {problem}")
    return value


def _end(row: dict[str, Any], where: str) -> date | None:
    value = row.get("expires")
    if value == NEVER:
        return None
    if type(value) is not date:  # a time of day would ask for a zone
        problem = "is missing" if "expires" not in row else f"= {value!r:.60} is no date"
        _refuse(where, f'expires {problem}; write a date (2027-03-31, without quotes) or "{NEVER}"')
    return value


# --- written from a run ---------------------------------------------------------------------------------------------


def failures(verdicts: Iterable[Verdict], waivers: Sequence[Waiver] = ()) -> dict[str, list[str]]:
    """What weighs, failed and is not excused yet: where, by rule, both in the order of names.

    What an expired waiver names is left out too: it is to be renewed, or mended, and not written beside it.
    """
    found: dict[str, set[str]] = {}
    for verdict in verdicts:
        if verdict.outcome is Outcome.FAIL and verdict.level is not Level.MAY and not verdict.excused:
            for one in verdict.findings or (Finding(""),):
                if not any(waiver.covers(verdict, one) for waiver in waivers):
                    found.setdefault(verdict.rule, set()).add(_cut(place_of(verdict, one)))
    return {rule: sorted(found[rule]) for rule in sorted(found)}


def _cut(place: str) -> str:
    return place if len(place) <= MAX_TEXT else place[: MAX_TEXT - 2] + "**"


def written(failed: dict[str, list[str]], reason: str, owner: str | None, expires: date | None) -> str:
    """The TOML of one waiver a rule: the same failures give the same text."""
    return "\n".join(_table(rule, places, reason, owner, expires) for rule, places in failed.items())


def _table(rule: str, places: list[str], reason: str, owner: str | None, expires: date | None) -> str:
    names = [f"  {_quoted(place)},\n" for place in places]
    where = _quoted(places[0]) if len(names) == 1 else f"[\n{''.join(names)}]"
    lines = ["[[waiver]]", f"rule = {_quoted(rule)}", f"where = {where}", f"reason = {_quoted(reason)}"]
    lines += [f"owner = {_quoted(owner)}"] if owner else []
    lines.append(f"expires = {expires.isoformat() if expires else _quoted(NEVER)}")
    return "\n".join(lines) + "\n"


def _quoted(text: str) -> str:
    """A basic string of TOML; what no TOML can hold becomes the `*` that stands for it in a pattern."""
    kept = "".join("*" if "\ud800" <= character <= "\udfff" else character for character in text)
    return json_text.write(kept).decode("utf-8").replace("\x7f", "\\u007f")
