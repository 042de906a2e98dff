"""Whether a Python value is a JSON value, found without recursion.

What ``json.loads`` gives may still hold what a validator cannot take: NaN, nesting without end, a lone surrogate.
What a program made may hold anything.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isfinite

from openapi.json_text import Json, is_unicode

MAX_DEPTH = 200

_Path = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """A place at which a value is no JSON that a schema could judge. Too deep a nesting is told where it begins."""

    path: _Path
    keyword: str
    expected: str
    got: str


@dataclass(frozen=True, slots=True)
class Survey:
    """One refusal, if there is any, and whether a string holds a lone surrogate."""

    refusal: Refusal | None
    surrogates: bool


def survey(value: Json) -> Survey:
    """Look at every value. Raises TypeError for one that is not dict, list, str, int, float, bool or None."""
    refusal: Refusal | None = None
    surrogates = False
    todo: list[tuple[_Path, dict[str, Json] | list[Json]]] = [((), [value])]
    while todo:
        path, container = todo.pop()
        if isinstance(container, dict):
            members: Iterable[tuple[str | int, Json]] = container.items()
            names = [_is_text(name) for name in container]
            surrogates = surrogates or not all(names)
        else:
            members = enumerate(container)
        for token, item in members:
            if isinstance(item, str):
                surrogates = surrogates or not _is_text(item)
            elif isinstance(item, (dict, list)) and len(path) <= MAX_DEPTH:
                todo.append(((*path, token), item))
            elif item is not None and not isinstance(item, int):
                refusal = _refusal(item, (*path, token)[1:]) or refusal
    return Survey(refusal, surrogates)


def _is_text(text: object) -> bool:
    if not isinstance(text, str):
        raise TypeError(f"not a JSON value: the name of a member is of type {type(text).__name__}")
    return text.isascii() or is_unicode(text)


def _refusal(item: object, path: _Path) -> Refusal | None:
    if isinstance(item, (dict, list)):
        return Refusal(path[:1], "nesting", f"at most {MAX_DEPTH} levels of nesting", "more")
    if not isinstance(item, float):
        place = "/".join(map(str, path)) or "the root"
        raise TypeError(f"not a JSON value: {type(item).__name__} at {place}")
    return None if isfinite(item) else Refusal(path, "type", "a finite number", str(item))
