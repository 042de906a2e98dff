"""The part of YAML that is JSON, read strictly.

PyYAML follows YAML 1.1, in which ``2024-10-22`` is a date, ``on`` is true, ``1_000`` is a number and a key given twice
wins silently. Here a plain scalar is null, true, false or a JSON number, and else a string (YAML 1.2 JSON schema,
with strings allowed plain); a key is always a string, and is refused when it comes twice; anchors, aliases, tags and a
second document are refused. Built on the parser's events, this takes a third of the time of ``yaml.load``.
"""

import re
from collections.abc import Iterator

import yaml

from openapi.json_text import Json

_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: dict[str, Json] = {"": None, "~": None, "null": None, "true": True, "false": False}
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


class YamlError(ValueError):
    """The text is not YAML, or YAML that is not JSON. ``line`` counts from 1."""

    def __init__(self, line: int, text: str) -> None:
        super().__init__(f"line {line}: {text}")
        self.line = line


def read(text: str) -> Json:
    """The one value of a YAML text. Raises YamlError with the line at fault."""
    try:
        return _document(iter(yaml.parse(text, Loader=_LOADER)))
    except yaml.MarkedYAMLError as error:
        raise YamlError(error.problem_mark.line + 1 if error.problem_mark else 1, str(error.problem)) from error
    except yaml.YAMLError as error:
        raise YamlError(1, str(error)) from error


def _document(events: Iterator[yaml.Event]) -> Json:
    next(events)
    if isinstance(next(events), yaml.StreamEndEvent):
        raise YamlError(1, "the file is empty")
    value = _value(next(events), events)
    next(events)
    rest = next(events)
    if not isinstance(rest, yaml.StreamEndEvent):
        raise _refusal(rest, "a second document")
    return value


def _value(event: yaml.Event, events: Iterator[yaml.Event]) -> Json:
    if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
        raise _refusal(event, "anchors and aliases are not JSON")
    if getattr(event, "tag", None) is not None:
        raise _refusal(event, "tags are not JSON")
    if isinstance(event, yaml.ScalarEvent):
        return _scalar(event)
    if isinstance(event, yaml.MappingStartEvent):
        return _mapping(events)
    return _sequence(events)


def _scalar(event: yaml.ScalarEvent) -> Json:
    text: str = event.value
    plain: bool = event.implicit[0]
    if not plain:
        return text
    if text in _WORDS:
        return _WORDS[text]
    number = _NUMBER.fullmatch(text)
    if number is None:
        return text
    return int(text) if number[2] is None and number[3] is None else float(text)


def _mapping(events: Iterator[yaml.Event]) -> dict[str, Json]:
    found: dict[str, Json] = {}
    while not isinstance(key := next(events), yaml.MappingEndEvent):
        if not isinstance(key, yaml.ScalarEvent):
            raise _refusal(key, "a key must be a string")
        if key.value in found:
            raise _refusal(key, f"the key {key.value!r} stands here twice")
        found[key.value] = _value(next(events), events)
    return found


def _sequence(events: Iterator[yaml.Event]) -> list[Json]:
    found: list[Json] = []
    while not isinstance(item := next(events), yaml.SequenceEndEvent):
        found.append(_value(item, events))
    return found


def _refusal(event: yaml.Event, text: str) -> YamlError:
    return YamlError(event.start_mark.line + 1 if event.start_mark else 1, text)
