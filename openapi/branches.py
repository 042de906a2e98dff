"""From the validator's errors to their causes: the branch of an ``anyOf`` or ``oneOf`` that fits best is opened.

A branch fits the worse, first, if the value itself is of another type, then if it is another constant, then if a
constant right below it differs (a discriminator such as ``type``), then by the number of its errors. Where no branch
takes values of this type, or of this discriminator, those of all branches are told in one fault.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from jsonschema_rs import ValidationError
from jsonschema_rs import ValidationErrorKind as Kind

_WORDS = {
    "minimum": "a number of at least {}",
    "maximum": "a number of at most {}",
    "exclusiveMinimum": "a number above {}",
    "exclusiveMaximum": "a number below {}",
    "multipleOf": "a multiple of {}",
    "minLength": "a string of at least {} characters",
    "maxLength": "a string of at most {} characters",
    "minItems": "an array of at least {} items",
    "maxItems": "an array of at most {} items",
    "minProperties": "an object of at least {} members",
    "maxProperties": "an object of at most {} members",
    "pattern": "a string that matches {}",
    "format": "a string of the format {}",
    "uniqueItems": "an array without repetition",
    "oneOf": "a value that fits one alternative alone",
    "propertyNames": "other names of its members",
    "contains": "an array that contains a fitting item",
    "not": "a value that does not match a schema",
    "additionalProperties": "no member named {}",
    "unevaluatedProperties": "no member named {}",
    "false schema": "no value",
}

_NOT_EMPTY = {
    "minLength": "a string that is not empty",
    "minItems": "an array that is not empty",
    "minProperties": "an object that is not empty",
}


@dataclass(frozen=True, slots=True)
class Cause:
    """What one value lacks: its path, the keyword, what is expected in words, the member that is missing, if any."""

    path: tuple[str | int, ...]
    keyword: str
    expected: str
    missing: str | None = None

    @property
    def order(self) -> tuple[tuple[tuple[bool, int, str], ...], str, str]:
        """By place (items by number, members by name), then by what is wrong."""
        place = tuple(
            (isinstance(token, str), token if isinstance(token, int) else 0, str(token)) for token in self.path
        )
        return place, self.keyword, self.expected


def causes(error: ValidationError) -> Iterator[Cause]:
    """The causes of one error of the validator, unions opened however deep."""
    branches = _branches(error)
    shared = (_common_types(error, branches) or _common_constant(error, branches)) if branches else _cause(error)
    if shared:
        yield shared
    else:
        best = min(branches, key=lambda branch: _misfit(branch, len(error.instance_path)))
        for inner in best:
            yield from causes(inner)


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    if isinstance(error.kind, Kind.AnyOf | Kind.OneOfNotValid):
        return [branch for branch in error.kind.context if branch]
    return []


def _common_types(error: ValidationError, branches: list[list[ValidationError]]) -> Cause | None:
    """The types that the branches take, in order, where the value is of none of them."""
    types: dict[str, None] = {}
    for branch in branches:
        own = _own_types(branch, len(error.instance_path))
        if not own:
            return None
        types.update(dict.fromkeys(own))
    return Cause(tuple(error.instance_path), "type", _either(_nulls_last(list(types))))


def _common_constant(error: ValidationError, branches: list[list[ValidationError]]) -> Cause | None:
    """The constants of the discriminator, where the value is of the right type and has none of them."""
    depth = len(error.instance_path)
    found: list[ValidationError] = []
    for branch in branches:
        constants = [inner for inner in branch if _is_constant(inner) and len(inner.instance_path) == depth + 1]
        if not constants and not _own_types(branch, depth):
            return None
        found += constants[:1]
    places = {tuple(inner.instance_path) for inner in found}
    expected = dict.fromkeys(_expected(inner.kind) for inner in found)
    return Cause(places.pop(), "enum", _either(list(expected))) if len(places) == 1 else None


def _own_types(branch: list[ValidationError], depth: int) -> list[str]:
    """The types that the branch takes, where the value itself, and not a part of it, is of another."""
    wrong = (error.kind for error in branch if len(error.instance_path) == depth)
    return next((kind.types for kind in wrong if isinstance(kind, Kind.Type)), [])


def _misfit(branch: list[ValidationError], depth: int) -> tuple[int, int, int]:
    own = any(_is_constant(error) for error in branch if len(error.instance_path) == depth)
    below = sum(_is_constant(error) for error in branch if len(error.instance_path) == depth + 1)
    return 2 * bool(_own_types(branch, depth)) + own, below, len(branch)


def _is_constant(error: ValidationError) -> bool:
    return isinstance(error.kind, Kind.Constant | Kind.Enum)


def _cause(error: ValidationError) -> Cause:
    missing = error.kind.property if isinstance(error.kind, Kind.Required) else None
    return Cause(tuple(error.instance_path), error.kind.name, _expected(error.kind), missing)


def _expected(kind: Kind) -> str:
    match kind:
        case Kind.Required(property=name):
            return f"the member {_text(name)}"
        case Kind.Type(types=types):
            return _either(_nulls_last(types))
        case Kind.MinLength(limit=1) | Kind.MinItems(limit=1) | Kind.MinProperties(limit=1):
            return _NOT_EMPTY[kind.name]
        case Kind.Enum(options=options):
            return _either([_text(option) for option in options])
        case Kind.Constant(expected_value=value):
            return _text(value)
    words = _WORDS.get(kind.name)
    return words.format(_text(kind.value)) if words else f"what {kind.name} asks"


def _either(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _nulls_last(types: Sequence[str]) -> list[str]:
    return sorted(types, key=lambda name: name == "null")


def _text(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, default=str)
