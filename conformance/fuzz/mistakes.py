"""What is no request at all: no JSON, no object, or an object whose core is missing or of a wrong type."""

from collections.abc import Iterator, Mapping

from conformance.fuzz.case import Case, is_legal, of_bytes
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
    for raw in dict.fromkeys(one for one in _no_json(text) if one != text):
        yield of_bytes(operation, role, raw)
    whole: tuple[Json, ...] = (None, True, 5, "hello", [[]], [dict(body)])
    for value in whole:
        yield of_bytes(operation, role, json_text.write(value))
    for name, values in MISTYPED.items():
        spoiled: list[Json] = [{**body, name: value} for value in values]
        spoiled += [{key: value for key, value in body.items() if key != name}] if name in body else []
        streamed = [{**one, "stream": True} for one in spoiled if isinstance(one, dict) and name != "stream"]
        for one in (*spoiled, *streamed):
            if not is_legal(operation, one):  # of a member that the operation has not nobody takes notice
                yield Case("one", operation, role, {"body": one})


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
