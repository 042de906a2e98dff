"""What is no request at all: no JSON, no object, or an object whose core is missing or of a wrong type."""

from collections.abc import Iterator, Mapping

from conformance.fuzz.case import Case, of_bytes
from conformance.probe import Role
from openapi import json_text
from openapi.json_text import Json

DEEP = 100  # levels of nesting; more are refused by their depth alone
MISTYPED: Mapping[str, tuple[Json, ...]] = {
    "model": (5, [], {}, True),
    "messages": ("hello", 5, {}, True, [5], ["hello"], [None]),
    "n": ("many", [], {"n": 1}),
    "stream": ("perhaps", [], {}),
}


def mistakes(operation: str, role: Role, body: Mapping[str, Json]) -> Iterator[Case]:
    """Each made from a plain request, so that nothing else is wrong with it."""
    text = json_text.write(dict(body))
    for raw in _no_json(text):
        yield of_bytes(operation, role, raw)
    whole: tuple[Json, ...] = (None, True, 5, "hello", [[]], [dict(body)])
    for value in whole:
        yield of_bytes(operation, role, json_text.write(value))
    for name, values in MISTYPED.items():
        if name not in body and name not in {"n", "stream"}:
            continue
        if name in body:
            yield _case(operation, role, {key: value for key, value in body.items() if key != name})
        for value in values:
            yield _case(operation, role, {**body, name: value})
            if name != "stream":
                yield _case(operation, role, {**body, name: value, "stream": True})


def _no_json(text: bytes) -> Iterator[bytes]:
    yield text[:-1]
    yield text[: len(text) // 2]
    yield text + b"}"
    yield text[:-1] + b",}"
    yield text.replace(b'"', b"'")
    yield text.replace(b'"model"', b"model")
    yield text.replace(b'"messages"', b'"messages\xff"').replace(b'"input"', b'"input\xff"')
    yield text + text
    yield b"[" * DEEP
    yield b" "
    yield b"data: " + text + b"\n\n"
    yield text[:-1] + b',"temperature":NaN}'


def _case(operation: str, role: Role, body: Json) -> Case:
    return Case("one", operation, role, {"body": body})
