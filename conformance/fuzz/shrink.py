"""A failing case made smaller: delta debugging over JSON, towards the plain request of its operation.

A generator that is given answers: it yields a candidate, is sent whether that still fails, and returns the smallest
that did. So it opens no socket, and the same answers give the same steps.

    first     what is left of it beside the plain request: its members by halves, then one by one (ddmin)
    then      each value in it, deepest last: left out, plain, shorter, nearer to zero
    again     until nothing helps

A candidate is smaller than what failed before, in bytes or, of equal bytes, in the order of its text.
"""

import json
from collections.abc import Callable, Generator, Iterator, Sequence

from openapi.json_text import Json

Path = tuple[str | int, ...]
Shrinking = Generator[Json, bool, Json]
Candidates = Callable[[Json, Json], Iterator[Json]]

PLAIN_TEXTS = ("a", "hello")


def shrink(body: Json, plain: Json) -> Shrinking:
    """The smallest body that still fails, candidates yielded and their fate sent."""
    best, tried = body, {_text(body)}
    while True:
        before = best
        for candidates in (_by_members, _by_places):
            best = yield from _pass(best, plain, candidates, tried)
        if best == before:
            return best


def _pass(best: Json, plain: Json, candidates: Candidates, tried: set[str]) -> Shrinking:
    """Every candidate of one kind; from the start again with each that fails, but for those that were tried."""
    again = True
    while again:
        again = False
        for candidate in candidates(best, plain):
            text = _text(candidate)
            if text in tried or _weight(candidate, plain) >= _weight(best, plain):
                continue
            tried.add(text)
            if (yield candidate):
                best, again = candidate, True
                break
    return best


def _weight(value: Json, plain: Json) -> tuple[int, int, str]:
    """Members that the plain request has not as it is count first: who reads it looks at those."""
    strange = 0
    if isinstance(value, dict) and isinstance(plain, dict):
        strange = sum(name not in plain or plain[name] != one for name, one in value.items())
        strange += sum(name not in value for name in plain)
    text = _text(value)
    return strange, len(text), text


def _text(value: Json) -> str:
    return json.dumps(value, ensure_ascii=True, separators=(",", ":"))


def _by_members(body: Json, plain: Json) -> Iterator[Json]:
    """Less half of what it has beside the plain request, a quarter, …, one member: plain values take their place."""
    if not (isinstance(body, dict) and isinstance(plain, dict)):
        return
    strange = [name for name in body if name not in plain or plain[name] != body[name]]
    size = len(strange)
    while size >= 1:
        for at in range(0, len(strange), size):
            yield _plainer(body, plain, strange[at : at + size])
        size //= 2
    for name in plain:
        if name not in body:
            yield {**body, name: plain[name]}


def _plainer(body: dict[str, Json], plain: dict[str, Json], names: Sequence[str]) -> Json:
    kept = {name: value for name, value in body.items() if name not in names or name in plain}
    return {name: plain[name] if name in names else value for name, value in kept.items()}


def _by_places(body: Json, _: Json) -> Iterator[Json]:
    """Each place of it, the outermost first, left out or with a simpler value."""
    for path, value in sorted(_places(body), key=lambda one: len(one[0])):
        if path:
            yield _without(body, path)
        for simpler in _simpler(value):
            yield _with(body, path, simpler)


def _places(value: Json, path: Path = ()) -> Iterator[tuple[Path, Json]]:
    yield path, value
    if isinstance(value, dict):
        for name, one in value.items():
            yield from _places(one, (*path, name))
    elif isinstance(value, list):
        for at, one in enumerate(value):
            yield from _places(one, (*path, at))


def _simpler(value: Json) -> Iterator[Json]:
    match value:
        case bool():
            yield from ([False] if value else [])
        case str():
            yield from _shorter_text(value)
        case int():
            yield from _nearer(value)
        case float():
            yield from (float(round(value)), 0, 1)
        case list():
            yield from _shorter_list(value)
        case dict():
            yield from (one for one in value.values() if isinstance(one, dict))  # what is within, in its place
            for name in value:
                yield {key: one for key, one in value.items() if key == name}


def _shorter_text(value: str) -> Iterator[Json]:
    yield from (one for one in ("", *PLAIN_TEXTS) if len(one) < len(value))
    size = len(value) // 2
    while size >= 1:
        for at in range(0, len(value), size):
            yield value[:at] + value[at + size :]
        size //= 2


def _shorter_list(value: list[Json]) -> Iterator[Json]:
    yield from ([] if not value else [[]])
    size = len(value) // 2
    while size >= 1:
        for at in range(0, len(value), size):
            yield value[:at] + value[at + size :]
        size //= 2


def _nearer(value: int) -> Iterator[Json]:
    for one in (0, 1, 2, value // 2, value - 1 if value > 0 else value + 1):
        if abs(one) < abs(value):
            yield one


def _with(body: Json, path: Path, value: Json) -> Json:
    if not path:
        return value
    match body:
        case dict():
            return {name: _with(one, path[1:], value) if name == path[0] else one for name, one in body.items()}
        case list():
            return [_with(one, path[1:], value) if at == path[0] else one for at, one in enumerate(body)]
    return body


def _without(body: Json, path: Path) -> Json:
    match body:
        case dict() if len(path) == 1:
            return {name: one for name, one in body.items() if name != path[0]}
        case list() if len(path) == 1:
            return [one for at, one in enumerate(body) if at != path[0]]
        case dict():
            return {name: _without(one, path[1:]) if name == path[0] else one for name, one in body.items()}
        case list():
            return [_without(one, path[1:]) if at == path[0] else one for at, one in enumerate(body)]
    return body
