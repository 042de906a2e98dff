"""Dialects: the habits of a family of relays (new-api, LiteLLM, llama.cpp), each with where it is known from.

A habit names the rules that it breaks, and what a finding must look like to be that habit and nothing else. A failure
that is one keeps its outcome and carries the habit beside it; strict judging, without a dialect, is the default.

    [[habit]]
    label = "ND-503-MODEL"
    rules = ["errors.unknown-model-404"]
    where = ["errors.unknown-model*"]                  # optional: probes or places, as in a baseline
    text = "^expected 404, the answer was 503"         # optional: a regular expression, found in the finding
    beside = ["errors.stream-status"]                  # optional: only where the exchange breaks one of these too,
                                                       # by the same habit
    means = "A model that no channel serves is answered 503 and not 404."
    source = "new-api: middleware/distributor.go"
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from conformance.identity import at
from conformance.rule import Finding, Verdict
from conformance.target import ConfigurationError, named_text, toml_of

MEMBERS = ("label", "rules", "where", "beside", "text", "means", "source")
MAX_PATTERN = 300  # characters


@dataclass(frozen=True)
class Habit:
    """One way in which a family differs."""

    label: str
    rules: frozenset[str]
    where: tuple[str, ...]
    beside: frozenset[str]
    text: re.Pattern[str]
    means: str
    source: str

    @property
    def said(self) -> str:
        """What stands beside a failure that is this habit."""
        return f"{self.label}: {self.means}"

    def covers(self, verdict: Verdict, found: Finding) -> bool:
        """Whether a finding is this habit."""
        here = not self.where or any(at(place, verdict, found) for place in self.where)
        return verdict.rule in self.rules and here and self.text.search(found.text) is not None


@dataclass(frozen=True)
class Dialect:
    """A family and its habits."""

    name: str
    about: str
    habits: tuple[Habit, ...]


def read_dialect(name: str) -> Dialect:
    """A dialect by the name of a built-in file or by path. Raises ConfigurationError."""
    return parse_dialect(named_text(name, "dialect"), Path(name).stem)


def parse_dialect(text: str, name: str) -> Dialect:
    """A dialect from TOML. Raises ConfigurationError for whatever is not understood."""
    table = toml_of(text, f"the dialect {name}")
    strangers = sorted(set(table) - {"about", "habit"})
    rows, about = table.get("habit"), table.get("about", "")
    if strangers or not isinstance(about, str) or not isinstance(rows, list):
        wrong = strangers[0] if strangers else "about" if not isinstance(about, str) else "habit"
        _refuse(name, f"{wrong} is not understood; there are about, a text, and [[habit]] tables")
    habits = tuple(_habit(row, f"{name}, habit {number}") for number, row in enumerate(rows, 1))
    twice = [habit.label for number, habit in enumerate(habits) if habit in habits[:number]]
    if twice:
        _refuse(name, f"the habit {twice[0]!r} stands twice")
    return Dialect(name, about, habits)


def _refuse(where: str, why: str) -> NoReturn:
    msg = f"the dialect {where}: {why}"
    raise ConfigurationError(msg)


def _habit(row: Any, where: str) -> Habit:  # noqa: ANN401 - whatever TOML holds
    if not isinstance(row, dict) or set(row) - set(MEMBERS):
        wrong = min(set(row) - set(MEMBERS)) if isinstance(row, dict) else row
        _refuse(where, f"{wrong!r:.60} is not understood; there are {', '.join(MEMBERS)}")
    rules = _texts(row, "rules", where)
    places = _texts(row, "where", where) if "where" in row else ()
    return Habit(
        _text(row, "label", where),
        frozenset(rules),
        tuple(places),
        frozenset(_texts(row, "beside", where) if "beside" in row else ()),
        _pattern(row, where),
        _text(row, "means", where),
        _text(row, "source", where),
    )


def _text(row: dict[str, Any], name: str, where: str) -> str:
    value = row.get(name)
    if not isinstance(value, str) or not value.strip():
        _refuse(where, f"{name} is missing" if name not in row else f"{name} = {value!r:.60} is no text")
    return value


def _texts(row: dict[str, Any], name: str, where: str) -> Sequence[str]:
    value = row.get(name)
    if not isinstance(value, list) or not value or not all(isinstance(item, str) and item for item in value):
        _refuse(where, f"{name} is missing" if name not in row else f"{name} = {value!r:.60} is no list of names")
    return value


def _pattern(row: dict[str, Any], where: str) -> re.Pattern[str]:
    value = row.get("text", "")
    if not isinstance(value, str) or len(value) > MAX_PATTERN:
        _refuse(where, f"text = {value!r:.60} is no regular expression of at most {MAX_PATTERN} characters")
    try:
        return re.compile(value)
    except (re.error, OverflowError, RecursionError) as error:
        _refuse(where, f"text = {value!r:.60} is no regular expression: {error}")
