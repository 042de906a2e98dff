"""A failing case made smaller: delta debugging over JSON, towards the plain request of its operation.

A generator that is given answers: it yields a candidate, is sent whether that still fails, and returns the smallest
that did. So it opens no socket, and the same answers give the same steps.

    moves     of a sequence: by halves, then one by one, so that fewer requests are left; then each value in them
    body      what is left of it beside the plain request: its members by halves, then one by one (ddmin)
    then      each value in it, the outermost first: left out, plain, shorter, nearer to zero
    params    of the path: likewise
    again     until nothing helps

A candidate is smaller than what failed before, in bytes or, of equal bytes, in the order of its text.
"""

import json
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from openapi.json_text import Json

Path = tuple[str | int, ...]
Shrinking = Generator[Json, bool, Json]
Candidates = Callable[[Json], Iterator[Json]]

PLAIN_TEXTS = ("a", "hello")
Data = Mapping[str, Json]
PARTS = ("moves", "body", "params")  # of a case, in the order in which they are made smaller; others stay as they are


def shrink_case(data: Data, plain: Json) -> Generator[Data, bool, Data]:
    """The smallest data of a case that still fails, its body towards a plain one: whole moves and members as long as
    any can be left out, then the values in them."""
    while True:
        before = data
        data = yield from _parts(data, plain, _coarsely)
        if data == before:
            data = yield from _parts(data, plain, shrink)
        if data == before:
            return data


def _parts(data: Data, plain: Json, steps: Callable[[Json, Json], Shrinking]) -> Generator[Data, bool, Data]:
    for name in PARTS:
        if name in data:
            data = yield from _within(data, name, steps(data[name], plain if name == "body" else None))
    return data


def _within(data: Data, name: str, steps: Shrinking) -> Generator[Data, bool, Data]:
    """The steps of one part as steps of the whole."""
    try:
        candidate = next(steps)
        while True:
            candidate = steps.send((yield {**data, name: candidate}))
    except StopIteration as end:
        return {**data, name: end.value}


def shrink(body: Json, plain: Json) -> Shrinking:
    """The smallest body that still fails, candidates yielded and their fate sent."""
    search = _Search(plain)
    while True:
        before = body
        body = yield from search.pass_(body, lambda best: _by_members(best, plain))
        done: set[Path] = set()
        while (path := _next_place(body, done)) is not None:
            done.add(path)
            body = yield from search.pass_(body, partial(_at, path))
        if body == before:
            return body


def _coarsely(value: Json, plain: Json) -> Shrinking:
    """The same, of whole items and members alone."""
    return _Search(plain).pass_(value, lambda best: _cut(best) if isinstance(best, list) else _by_members(best, plain))


@dataclass
class _Search:
    """What was tried so far, on the way to a plain request."""

    plain: Json
    tried: set[str] = field(default_factory=set)

    def pass_(self, best: Json, candidates: Candidates) -> Shrinking:
        """Every candidate of one kind; from the start again with each that fails, but for those that were tried."""
        again = True
        while again:
            again = False
            for candidate in candidates(best):
                text = _text(candidate)
                if text in self.tried or _weight(candidate, self.plain) >= _weight(best, self.plain):
                    continue
                self.tried.add(text)
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


def _next_place(body: Json, done: set[Path]) -> Path | None:
    """The outermost place that was not looked at yet."""
    left = (path for path, _ in _places(body) if path not in done)
    return min(left, key=lambda path: (len(path), str(path)), default=None)


def _at(path: Path, body: Json) -> Iterator[Json]:
    """One place of it left out, or with a simpler value; nothing where it is gone."""
    value = next((one for at, one in _places(body) if at == path), body)
    if path and not any(at == path for at, _ in _places(body)):
        return
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
            yield from _less_required(value)
            yield from (one for one in value.values() if isinstance(one, dict))  # what is within, in its place
            names = list(value)
            yield from ({name: value[name] for name in kept if isinstance(name, str)} for kept in _cut(names))


def _less_required(value: dict[str, Json]) -> Iterator[Json]:
    """A JSON Schema of an object with fewer properties, none of which is required any more."""
    match value:
        case {"properties": dict(properties), "required": list(required)}:
            for kept in _cut(list(properties)):
                rest = {name: one for name, one in properties.items() if name in kept}
                yield {**value, "properties": rest, "required": [name for name in required if name in rest]}


def _shorter_text(value: str) -> Iterator[Json]:
    """Cut by words, and what is one word by letters; never to nothing, which is another case than a text."""
    yield from (one for one in PLAIN_TEXTS if len(one) < len(value))
    words = value.split(" ")
    yield from (" ".join(map(str, kept)) for kept in _cut(words))
    if len(words) == 1:
        yield from ("".join(map(str, kept)) for kept in _cut(list(value)))


def _shorter_list(value: list[Json]) -> Iterator[Json]:
    yield from _cut(value)


def _cut(value: Sequence[Json]) -> Iterator[list[Json]]:
    """Less half of it, a quarter, …, one item; never less all."""
    size = len(value) // 2
    while size >= 1:
        for at in range(0, len(value), size):
            yield [*value[:at], *value[at + size :]]
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
