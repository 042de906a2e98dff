"""YAML → Script. Whatever is wrong is one line that names the file, the rule and the member."""

import re
from collections.abc import Callable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import TypeVar

import yaml

from mock_server.latency import USUAL, Latency, LatencyError, distribution
from mock_server.library import Library
from mock_server.limits import Limit, LimitError, limit
from mock_server.outage import Outage, OutageError, outage
from mock_server.script.rule import Failure, Rule, Script
from mock_server.script.when import ANY, Text, When
from mock_server.wish import Wish, WishError, wish
from openapi.json_text import Json
from openapi.wire import http1_out
from openapi.wire.exchange import Headers

T = TypeVar("T")
Object = Mapping[str, Json]
ANSWERS = ("recording", "reply", "tool_calls", "status")  # of which a rule has one at most
ALONE = (*ANSWERS, "headers", "faults", "latency", "limit", "outage")  # of which a rule has one at least
DOES = (*ALONE, "error", "then", "after", "times", "probability")
MOST = 100_000  # values of a script
DEEPEST = 100  # levels of its nesting
LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LONGEST = 240  # characters of what is told of a rule
CONDITIONS = tuple(When.__dataclass_fields__)


class ScriptError(ValueError):
    """A script that cannot be played; the message says where and why."""


class _WrongError(ValueError):
    """A member that is not what it should be."""


def load(path: Path, seed: int = 0) -> Script:
    """The script of a file. Raises ScriptError."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        raise ScriptError(msg) from error
    return read(text, str(path), seed)


def read(text: str, name: str = "script", seed: int = 0) -> Script:
    """The script that a text says: a list of rules, or an object whose `rules` they are. Raises ScriptError."""
    try:
        if _is_deep(text):
            msg = f"{name}: nested deeper than {DEEPEST} levels"
            raise ScriptError(msg)
        value = yaml.load(text, Loader=LOADER)  # noqa: S506 - both are safe
    except ScriptError:
        raise
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        msg = f"{name}: not YAML: {_in_a_line(error)}"
        raise ScriptError(msg) from error
    if not _is_small(value):
        msg = f"{name}: it has more than {MOST} values, aliases counted as often as they stand"
        raise ScriptError(msg)
    rules = value.get("rules") if isinstance(value, dict) and set(value) == {"rules"} else value
    if not isinstance(rules, list):
        msg = f"{name}: expected a list of rules"
        raise ScriptError(msg)
    found: list[Rule] = []
    for number, one in enumerate(rules, 1):
        try:
            found.append(_rule(one, f"rule {number}"))
        except _WrongError as wrong:
            msg = f"{name}: rule {number}: {_in_a_line(wrong)}"
            raise ScriptError(msg) from wrong
    return Script(tuple(found), seed)


def _is_deep(text: str) -> bool:
    """Whether it is nested deeper than the loader's own recursion bears, which ends the process. Raises YAMLError."""
    depth = 0
    for event in yaml.parse(text, Loader=LOADER):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                return True
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
    return False


def _is_small(value: Json) -> bool:
    """Whether there is an end to it: a few lines of aliases of aliases say more than any memory holds."""
    left, count = [value], 0
    while left:
        one = left.pop()
        count += 1
        if isinstance(one, dict | list):
            left += one.values() if isinstance(one, dict) else one
        if count + len(left) > MOST:
            return False
    return True


def _in_a_line(what: object) -> str:
    """What is quoted may have lines, and be long."""
    text = " ".join(str(what).split())
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def check_recordings(script: Script, library: Library, name: str = "script") -> Script:
    """The script, whose recordings are all there. Raises ScriptError."""
    for rule in script.rules:
        for wanted in rule.recordings:
            if library.named(wanted) is None:
                near = ", ".join(library.near(wanted))
                msg = f"{name}: {_in_a_line(rule.name)}: no recording {wanted!r}" + (f"; near: {near}" if near else "")
                raise ScriptError(msg)
    return script


def _rule(value: Json, name: str) -> Rule:
    said = _object(value, "a rule")
    _known(said, ("when", "name", *DOES))
    given = [one for one in ANSWERS if said.get(one) is not None]
    if len(given) > 1:
        raise _WrongError(f"it has {given[0]} and {given[1]}: one of them answers")
    if "error" in said and "status" not in said:
        raise _WrongError("error needs a status")
    if not any(said.get(one) is not None for one in ALONE):
        raise _WrongError(f"it does nothing: give a {', '.join(ALONE[:-1])} or {ALONE[-1]}")
    no_names: tuple[str, ...] = ()
    no_calls: tuple[tuple[str, Json], ...] = ()
    return Rule(
        name=_get(said, "name", _text, name),
        when=_get(said, "when", _when, ANY),
        recordings=_get(said, "recording", _names, no_names),
        then=_get(said, "then", _one_of("last", "cycle", "miss"), "last"),
        reply=_get(said, "reply", _text, None),
        calls=_get(said, "tool_calls", _calls, no_calls),
        failure=_failure(said) if "status" in said else None,
        headers=_get(said, "headers", _headers, ()),
        faults=_get(said, "faults", _wishes, ()),
        latency=_get(said, "latency", _latency, USUAL),
        after=_get(said, "after", _count, 0),
        times=_get(said, "times", _count, None),
        probability=_get(said, "probability", _chance, 1.0),
        limit=_get(said, "limit", _limit, None),
        outage=_get(said, "outage", _outage, None),
    )


def _get(said: Object, name: str, read_it: Callable[[Json], T], default: T) -> T:
    """A member, or what it is where it is absent. Raises _WrongError that names it."""
    value = said.get(name)
    if value is None:
        return default
    try:
        return read_it(value)
    except _WrongError as wrong:
        raise _WrongError(f"{name}: {wrong}") from wrong


def _known(said: Object, names: tuple[str, ...]) -> None:
    for name in said:
        if name not in names:
            near = get_close_matches(name, names, n=1)
            raise _WrongError(f"{name!r} is unknown" + (f"; did you mean {near[0]}?" if near else ""))


def _object(value: Json, what: str) -> Object:
    if not isinstance(value, dict) or not all(isinstance(name, str) for name in value):
        raise _WrongError(f"expected {what} as an object with names, got {str(value)[:60]!r}")
    return value


def _text(value: Json) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongError(f"expected a text, got {str(value)[:60]!r}; numbers and dates need quotes")
    return value


def _count(value: Json) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise _WrongError(f"expected a whole number, got {str(value)[:60]!r}")
    return value


def _chance(value: Json) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not 0 <= value <= 1:
        raise _WrongError(f"expected a number from 0 to 1, got {str(value)[:60]!r}")
    return float(value)


def _flag(value: Json) -> bool:
    if not isinstance(value, bool):
        raise _WrongError(f"expected true or false, got {str(value)[:60]!r}")
    return value


def _one_of(*words: str) -> Callable[[Json], str]:
    def read_it(value: Json) -> str:
        if value not in words:
            raise _WrongError(f"expected {', '.join(words[:-1])} or {words[-1]}, got {str(value)[:60]!r}")
        return str(value)

    return read_it


def _names(value: Json) -> tuple[str, ...]:
    found = tuple(map(_text, value)) if isinstance(value, list) else (_text(value),)
    if not found:
        raise _WrongError("expected the name of a recording, or several")
    return found


def _pattern(value: Json) -> Text:
    written = _text(value)
    if len(written) < 3 or not (written.startswith("/") and written.endswith("/")):
        return Text(written)
    try:
        return Text(written, re.compile(written[1:-1]))
    except re.error as error:
        raise _WrongError(f"{written} is no regular expression: {error}") from error


def _pairs(value: Json) -> Headers:
    return tuple((name, _text(text)) for name, text in _object(value, "headers").items())


def _globs(value: Json) -> Headers:
    return tuple((name.lower(), text) for name, text in _pairs(value))


def _headers(value: Json) -> Headers:
    found = _pairs(value)
    try:
        http1_out.fields(found)
    except ValueError as error:
        raise _WrongError(str(error)) from error
    return found


CONDITION: dict[str, Callable[[Json], object]] = {
    "operation": _text,
    "model": _text,
    "stream": _flag,
    "tools": _flag,
    "n": _count,
    "format": _text,
    "text": _pattern,
    "system": _pattern,
    "header": _globs,
    "key": _text,
    "turn": _count,
    "tool_result": _flag,
}


def _when(value: Json) -> When:
    said = _object(value, "conditions")
    _known(said, CONDITIONS)
    found: dict[str, object] = {name: _get(said, name, CONDITION[name], None) for name in said}
    return When(**{name: one for name, one in found.items() if one is not None})  # type: ignore[arg-type]


def _failure(said: Object) -> Failure:
    status = _get(said, "status", _count, 0)
    if not 400 <= status <= 599:
        raise _WrongError(f"status: expected 400 to 599, got {status}")
    error = _object(said.get("error") or {}, "an error")
    _known(error, ("message", "type", "code", "param"))
    told = {name: _get(error, name, _text, None) for name in ("message", "type", "code", "param")}
    return Failure(status, **told)


def _calls(value: Json) -> tuple[tuple[str, Json], ...]:
    return tuple(map(_call, value if isinstance(value, list) else [value]))


def _call(value: Json) -> tuple[str, Json]:
    call = _object(value, "a call")
    _known(call, ("name", "arguments"))
    return _text(call.get("name")), dict(_object(call.get("arguments") or {}, "arguments"))


def _wishes(value: Json) -> tuple[Wish, ...]:
    try:
        return tuple(wish(_text(one)) for one in (value if isinstance(value, list) else [value]))
    except WishError as error:
        raise _WrongError(str(error)) from error


def _limit(value: Json) -> Limit:
    try:
        return limit(_words(value))
    except LimitError as error:
        raise _WrongError(str(error)) from error


def _outage(value: Json) -> Outage:
    try:
        return outage(_words(value))
    except OutageError as error:
        raise _WrongError(str(error)) from error


def _words(value: Json) -> str:
    """As an option says it, also where its words stand as members: {rpm: 60, per: model}."""
    if isinstance(value, str):
        return value
    return ",".join(f"{name}={word}" for name, word in _object(value, "its words, or them").items())


def _latency(value: Json) -> Latency:
    said = _object(value, "a latency")
    _known(said, ("ttft", "itl", "slots"))
    try:
        ttft, itl = (distribution(str(said[name])) if name in said else None for name in ("ttft", "itl"))
    except LatencyError as error:
        raise _WrongError(str(error)) from error
    return Latency(ttft, itl, _get(said, "slots", _count, None))
