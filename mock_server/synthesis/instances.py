"""An instance of a JSON Schema, made and then checked: what does not validate is never handed out.

The generator reads the keywords that schemas of tools and of structured output use, and tries again with another salt
(other branches, other values, optional members left out) until a validator agrees.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import count

import jsonschema_rs

from mock_server.synthesis import patterns, values
from mock_server.synthesis.errors import UnanswerableError
from openapi.json_text import Json

TRIES = 12
DEEP = 4  # levels below which optional members and items are left out, so that recursion ends
MAX_DEPTH = 60
MAX_ITEMS = 1000
MAX_PARTS = 5000  # of one value, so that no schema costs more than a moment
FORMATS = {
    "date-time": "2025-06-01T12:00:00Z",
    "time": "12:00:00Z",
    "email": "ada@example.com",
    "uri": "https://example.com/",
    "uri-reference": "/path",
    "uuid": "3f2504e0-4f89-41d3-9a0c-0305e82c3301",
    "hostname": "example.com",
    "ipv4": "192.0.2.1",
    "ipv6": "2001:db8::1",
    "duration": "P1D",
}


def instance(schema: Json, prompt: str, nth: int = 0) -> Json:
    """A value that fits, with what the prompt suggests. `nth` picks the nth place or quotation of the prompt.

    Raises UnanswerableError for what is no schema and for a schema that nothing (or nothing simple) fits.
    """
    validator = _validator(schema)
    for salt in range(TRIES):
        try:
            value = _Maker(schema, prompt, nth, salt, count()).make(schema, "", 0)
        except (ImpossibleError, patterns.UnsupportedError, OverflowError):
            continue
        if validator.is_valid(value):
            return value
    raise UnanswerableError("no value was found that fits the schema", "response_format", "unsatisfiable_schema")


def _validator(schema: Json) -> jsonschema_rs.Validator:
    if not isinstance(schema, dict | bool):
        raise UnanswerableError("the schema is no JSON Schema", "response_format", "invalid_schema")
    try:
        return jsonschema_rs.validator_for(schema, retriever=_no_retrieval)
    except (ValueError, jsonschema_rs.ReferencingError) as error:
        raise UnanswerableError("the schema is no JSON Schema", "response_format", "invalid_schema") from error


def _no_retrieval(uri: str) -> Json:
    msg = f"{uri} is not fetched"
    raise ValueError(msg)


class ImpossibleError(ValueError):
    """This branch, with this salt, leads to no value."""


@dataclass(frozen=True)
class _Maker:
    root: Json
    prompt: str
    nth: int
    salt: int
    parts: Iterator[int]  # counted over the whole value

    def make(self, schema: Json, name: str, depth: int) -> Json:
        if schema is False or depth > MAX_DEPTH or next(self.parts) > MAX_PARTS:
            raise ImpossibleError
        if not isinstance(schema, dict):
            return values.word(name, self.prompt, self.nth)
        schema = self._resolved(schema, depth)
        if "const" in schema:
            return schema["const"]
        options = schema.get("enum")
        if isinstance(options, list) and options:
            return self._option(options)
        return self._typed(schema, name, depth)

    def _option(self, options: list[Json]) -> Json:
        """The option that the prompt names, else the first; another one with each salt."""
        lower = self.prompt.lower()
        named = [one for one in options if isinstance(one, str) and one.lower() in lower]
        return (named + options)[self.salt % len(named + options)]

    def _resolved(self, schema: dict[str, Json], depth: int) -> dict[str, Json]:
        """The schema with its references, one branch of anyOf or oneOf, and all of allOf merged into it."""
        for _ in range(MAX_DEPTH - depth):
            if next(self.parts) > MAX_PARTS:
                raise ImpossibleError
            branch = self._branch(schema, depth)
            if branch is None:
                return schema
            keyword, more = branch
            schema = _merged({key: value for key, value in schema.items() if key != keyword}, more)
        raise ImpossibleError

    def _branch(self, schema: dict[str, Json], depth: int) -> tuple[str, Json] | None:
        match schema:
            case {"$ref": str(pointer)}:
                return "$ref", self._follow(pointer)
            case {"allOf": list(parts)} if parts:
                merged: dict[str, Json] = {}
                for part in parts:
                    merged = _merged(merged, self._resolved(part, depth + 1) if isinstance(part, dict) else part)
                return "allOf", merged
            case {"anyOf": list(branches)} if branches:
                return "anyOf", branches[self._turn(depth, branches)]
            case {"oneOf": list(branches)} if branches:
                return "oneOf", branches[self._turn(depth, branches)]
        return None

    def _turn(self, depth: int, branches: list[Json]) -> int:
        """Below the root the last branch that refers to nothing where there is one, so that recursion ends."""
        if depth > 1 + self.salt:
            plain = [at for at, one in enumerate(branches) if "$ref" not in str(one)]
            return plain[-1] if plain else len(branches) - 1
        return self.salt % len(branches)

    def _follow(self, pointer: str) -> Json:
        if pointer not in {"#", ""} and not pointer.startswith("#/"):
            raise ImpossibleError
        node = self.root
        for token in pointer.split("/")[1:]:
            key = token.replace("~1", "/").replace("~0", "~")
            if isinstance(node, dict) and key in node:
                node = node[key]
            elif isinstance(node, list) and key.isdigit() and int(key) < len(node):
                node = node[int(key)]
            else:
                raise ImpossibleError
        return node

    def _typed(self, schema: dict[str, Json], name: str, depth: int) -> Json:
        kind = self._type(schema)
        if kind == "object":
            return self._object(schema, depth)
        if kind == "array":
            return self._array(schema, name, depth)
        if kind in {"integer", "number"}:
            return self._number(schema, whole=kind == "integer")
        plain: dict[str, Json] = {"boolean": self.salt % 2 == 0, "null": None}
        return plain[kind] if kind in plain else self._text(schema, name)

    def _type(self, schema: dict[str, Json]) -> str:
        declared = schema.get("type")
        if isinstance(declared, list) and declared:
            declared = declared[self.salt % len(declared)]
        if isinstance(declared, str):
            return declared
        for kind, keywords in _TELLING:
            if any(keyword in schema for keyword in keywords):
                return kind
        return "string"

    def _object(self, schema: dict[str, Json], depth: int) -> dict[str, Json]:
        properties = _dict(schema.get("properties"))
        required = [name for name in _list(schema.get("required")) if isinstance(name, str)]
        lean = self.salt >= TRIES // 2 or depth > DEEP
        value: dict[str, Json] = {}
        for name in dict.fromkeys((*properties, *required)):
            if name in required or not lean:
                value[name] = self.make(properties.get(name, self._other(schema)), name, depth + 1)
        least = min(_int(schema.get("minProperties"), 0), MAX_ITEMS)
        for extra in range(len(value), least):
            value[f"member{extra + 1}"] = self.make(self._other(schema), "", depth + 1)
        return value

    def _other(self, schema: dict[str, Json]) -> Json:
        return schema.get("additionalProperties", True)

    def _array(self, schema: dict[str, Json], name: str, depth: int) -> list[Json]:
        least = _int(schema.get("minItems"), 0)
        prefix = _list(schema.get("prefixItems"))
        lean = depth > DEEP or self.salt >= TRIES // 2
        size = max(least, len(prefix)) if lean else max(least, len(prefix), 1)
        size = min(size, _int(schema.get("maxItems"), MAX_ITEMS), MAX_ITEMS)
        items: list[Json] = []
        for nth in range(size):
            one = prefix[nth] if nth < len(prefix) else schema.get("items", schema.get("contains", True))
            shift = nth if least > 1 or schema.get("uniqueItems") else 0
            maker = _Maker(self.root, self.prompt, self.nth + shift, self.salt + shift, self.parts)
            items.append(maker.make(one, name.removesuffix("s"), depth + 1))
        return items

    def _number(self, schema: dict[str, Json], *, whole: bool) -> int | float:
        low, high = _range(schema, whole=whole)
        step = schema.get("multipleOf")
        step = step if isinstance(step, int | float) and step > 0 else (1 if whole else None)
        found = values.numbers(self.prompt)
        wanted = found[(self.nth + self.salt) % len(found)] if found else max(low, 0) + 1 + self.salt
        value = min(max(wanted if math.isfinite(wanted) else 0, low), high)
        if step:
            value = math.floor(value / step) * step
            value = value + step if value < low else value
        return int(value) if whole else value

    def _text(self, schema: dict[str, Json], name: str) -> str:
        least, most = _int(schema.get("minLength"), 0), _int(schema.get("maxLength"), 1 << 20)
        pattern = schema.get("pattern")
        form = schema.get("format")
        if isinstance(pattern, str):
            return patterns.example(pattern, self.salt, least)
        if form == "date":
            return (date(2025, 6, 1) + timedelta(days=self.nth)).isoformat()
        if isinstance(form, str) and form in FORMATS:
            return FORMATS[form]
        text = values.word(name, self.prompt, self.nth)
        return (text + "x" * (min(least, MAX_ITEMS * 100) - len(text)))[:most]


_TELLING = (
    ("object", ("properties", "required", "additionalProperties", "minProperties")),
    ("array", ("items", "prefixItems", "minItems", "maxItems", "uniqueItems", "contains")),
    ("number", ("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")),
)


def _merged(one: dict[str, Json], other: Json) -> dict[str, Json]:
    """Both schemas at once, as far as their keywords add up; the validator has the last word."""
    if not isinstance(other, dict):
        if other is False:
            raise ImpossibleError
        return one
    merged = {**other, **one}
    for keyword in ("properties", "$defs", "definitions"):
        if keyword in one and keyword in other:
            merged[keyword] = {**_dict(other[keyword]), **_dict(one[keyword])}
    if "required" in one and "required" in other:
        merged["required"] = [*_list(other["required"]), *_list(one["required"])]
    return merged


def _range(schema: dict[str, Json], *, whole: bool) -> tuple[float, float]:
    """The inclusive bounds; an exclusive one is moved in by one, or by a little."""
    gap = 1 if whole else 1e-6
    low, high = _float(schema.get("minimum"), -math.inf), _float(schema.get("maximum"), math.inf)
    low = max(low, _float(schema.get("exclusiveMinimum"), -math.inf) + gap)
    high = min(high, _float(schema.get("exclusiveMaximum"), math.inf) - gap)
    return (math.ceil(low) if whole and math.isfinite(low) else low), (
        math.floor(high) if whole and math.isfinite(high) else high
    )


def _float(value: Json, default: float) -> float:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _int(value: Json, default: int) -> int:
    return int(value) if isinstance(value, int | float) and not isinstance(value, bool) else default


def _dict(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def _list(value: Json) -> list[Json]:
    return value if isinstance(value, list) else []
