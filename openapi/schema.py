"""A JSON value against a schema of the document: what is wrong with it, and where.

The validator is jsonschema-rs (JSON Schema 2020-12, as OpenAPI 3.2 asks). It reports a failed ``anyOf`` or ``oneOf``
as one line; here the branch that fits best is opened, so that a fault names the deep cause.

Two bounds are of this module, not of the schemas. A value nested deeper than 200 levels is a fault with the keyword
``nesting`` (RFC 8259 section 9 lets a reader set such a limit), because validators recurse; a number that JSON cannot
write (NaN, infinity) is a fault of ``type``. A lone surrogate, whose escape is legal JSON, is an ordinary character.
"""

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

import jsonschema_rs

from openapi.branches import Cause, causes
from openapi.document import Document
from openapi.json_text import Json, JsonText
from openapi.json_value import Refusal, Survey, survey
from openapi.pointer import join, split

_BASE = "urn:relayproof:document"
_EXCERPT = 80
_ERRORS = 1000
_PLAIN = Survey(None, surrogates=False)

_registries: dict[str, jsonschema_rs.Registry] = {}
_validators: dict[tuple[str, str], jsonschema_rs.Validator] = {}


@dataclass(frozen=True, slots=True)
class SchemaFault:
    """One place where a value is not what its schema asks.

    ``pointer`` leads to the value, and for a missing member to the object that lacks it, whose name is in ``missing``.
    ``keyword`` is that of JSON Schema, ``expected`` what it asks, in words, ``got`` the value as JSON, cut at 80
    characters, ``message`` all of it in a sentence.
    """

    pointer: str
    keyword: str
    expected: str
    got: str
    message: str
    missing: str | None = None

    @property
    def param(self) -> str | None:
        """The place as OpenAI names a parameter: ``messages[0].role``; None for the whole value."""
        tokens = split(self.pointer) + ([self.missing] if self.missing is not None else [])
        return _param(tokens) or None


def faults(document: Document, pointer: str, instance: Json | JsonText, limit: int = 20) -> tuple[SchemaFault, ...]:
    """The first ``limit`` faults of a value against the schema at the pointer, sorted by place; none if it is valid.

    Of a JsonText the value is judged. Raises KeyError where the document has nothing at the pointer, TypeError where
    the value is not made of dict, list, str, int, float, bool and None.
    """
    validator = _validator(document, pointer)
    whole, found = _surveyed(instance)
    if found.refusal:
        return (_refused(found.refusal),)
    value = _without_surrogates(whole) if found.surrogates else whole
    if validator.is_valid(value):
        return ()
    errors = islice(validator.iter_errors(value), _ERRORS)
    distinct = _distinct(cause for error in errors for cause in causes(error))
    return tuple(_fault(cause, whole) for cause in distinct[:limit])


def is_valid(document: Document, pointer: str, instance: Json | JsonText) -> bool:
    """Whether a value has no fault against the schema at the pointer. Raises as ``faults`` does."""
    validator = _validator(document, pointer)
    whole, found = _surveyed(instance)
    value = _without_surrogates(whole) if found.surrogates and not found.refusal else whole
    return found.refusal is None and validator.is_valid(value)


def surely_valid(document: Document, pointer: str, texts: Iterable[JsonText]) -> bool:
    """Whether all these values are valid, and their texts show that nothing else is to be looked at.

    One question for a whole stream, whose usual answer costs little; where it is no, ``faults`` tells of each.
    """
    validator = _validator(document, pointer)
    return all(text.plain and validator.is_valid(text.value) for text in texts)


def _surveyed(instance: Json | JsonText) -> tuple[Json, Survey]:
    """The value, and what a validator could not take of it: nothing where its text has shown so already."""
    if not isinstance(instance, JsonText):
        return instance, survey(instance)
    return instance.value, _PLAIN if instance.plain else survey(instance.value)


def _validator(document: Document, pointer: str) -> jsonschema_rs.Validator:
    """Compiled once for each document and pointer."""
    known = _validators.get((document.digest, pointer))
    if known is None:
        document.resolve(pointer)
        known = _validators[document.digest, pointer] = _compile(document, pointer)
    return known


def _compile(document: Document, pointer: str) -> jsonschema_rs.Validator:
    draft = jsonschema_rs.Draft202012
    registry = _registries.get(document.digest)
    if registry is None:
        resource = (_BASE, dict(document.bundle))
        registry = _registries[document.digest] = jsonschema_rs.Registry([resource], draft=draft)
    reference = {"$ref": f"{_BASE}#{_fragment(pointer)}"}
    return jsonschema_rs.Draft202012Validator(reference, registry=registry, mask="it")


def _fragment(pointer: str) -> str:
    """A pointer as it may stand in a URI (RFC 6901 section 6)."""
    return re.sub(r"[^A-Za-z0-9/~._-]", lambda match: "".join(f"%{byte:02X}" for byte in match[0].encode()), pointer)


def _distinct(found: Iterable[Cause]) -> list[Cause]:
    """Sorted, each once, and without the type of a value where its constants are told."""
    causes_by_order = {cause.order: cause for cause in found}
    constants = {cause.path for cause in causes_by_order.values() if cause.keyword in {"enum", "const"}}
    ordered = [causes_by_order[order] for order in sorted(causes_by_order)]
    return [cause for cause in ordered if cause.keyword != "type" or cause.path not in constants]


def _fault(cause: Cause, instance: Json) -> SchemaFault:
    got = _excerpt(_value_at(instance, cause.path))
    what = f"{cause.expected} is missing" if cause.missing is not None else f"expected {cause.expected}, got {got}"
    message = f"{_place(cause.path)}: {what}"
    return SchemaFault(join(cause.path), cause.keyword, cause.expected, got, message, cause.missing)


def _refused(refusal: Refusal) -> SchemaFault:
    message = f"{_place(refusal.path)}: expected {refusal.expected}, got {refusal.got}"
    return SchemaFault(join(refusal.path), refusal.keyword, refusal.expected, refusal.got, message)


def _place(path: Sequence[str | int]) -> str:
    return _param([str(token) for token in path]) or "the value"


def _param(tokens: Sequence[str]) -> str:
    text = "".join(f"[{token}]" if token.isdigit() else f".{token}" for token in tokens)
    return text.removeprefix(".")


def _value_at(value: Json, path: Sequence[str | int]) -> Json:
    for token in path:
        if isinstance(value, dict):
            value = value[str(token)]
        elif isinstance(value, list):
            value = value[int(token)]
    return value


def _excerpt(value: Json) -> str:
    """The beginning of the value's JSON text, without writing the rest of it."""
    text = ""
    for piece in json.JSONEncoder(ensure_ascii=False).iterencode(_shortened(value)):
        text += piece
        if len(text) > _EXCERPT:
            text = text[: _EXCERPT - 1] + "…"
            break
    return text.encode("utf-8", "backslashreplace").decode()


def _shortened(value: Json) -> Json:
    return value[: _EXCERPT + 1] if isinstance(value, str) else value


def _without_surrogates(value: Json) -> Json:
    """The value with ``?`` for each lone surrogate, which the validator cannot take."""
    replaced: Json = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return replaced
