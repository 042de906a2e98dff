"""POST /v1/embeddings: one vector for each input, as long and in the form that was asked for."""

import base64
import binascii
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from math import fsum, isfinite, sqrt

from conformance.answers import describe, excerpt, intact, json_answer, ok, place_of, schema_faults
from conformance.asked import embeddings, keyed, legal, member, model_of
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules import chat
from conformance.rules.errors import NOT_SERVED, REFUSED, TRY_LATER
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

REFERENCE = "OpenAI API reference, Create embeddings"
REQUEST = "openapi#/components/schemas/EmbeddingRequest"
LIST = "openapi#/components/schemas/EmbeddingList"
UNIT_LENGTH = re.compile(r"text-embedding-(3|ada)", re.IGNORECASE)  # models whose vendor promises vectors of length 1
NORM_SLACK = 0.01
ALIKE = 0.99  # the least cosine of two vectors of one text: sums in another order differ far less
FORM_SLACK = 1e-6  # between the two forms of one vector, and between two answers to one request
PACKED = 4  # bytes of a float32
COUNTS = ("prompt_tokens", "total_tokens")


def inputs_of(exchange: Exchange) -> list[Json]:
    """The inputs: a list of texts or of lists of token ids is several, all else is one."""
    asked = member(exchange, "input")
    if isinstance(asked, list) and asked and isinstance(asked[0], str | list):
        return asked
    return [asked]


def _asks_nothing(exchange: Exchange) -> bool:
    body = exchange.request.object
    return "model" in body and "input" in body and body["input"] in ("", [])


asked = embeddings & legal
packed = On("base64", lambda exchange: member(exchange, "encoding_format") == "base64")
shortened = On("dimensions", lambda exchange: isinstance(member(exchange, "dimensions"), int))
batched = On("several texts", lambda exchange: sum(isinstance(one, str) for one in inputs_of(exchange)) > 1)
nothing_asked = embeddings & keyed & On("an empty input", _asks_nothing)


@dataclass(frozen=True, slots=True)
class Vector:
    """One entry of the answer: what stands in `embedding`, and the numbers that it spells (none: it cannot be read)."""

    entry: dict[str, Json]
    numbers: tuple[float, ...]

    @property
    def is_packed(self) -> bool:
        return isinstance(self.entry.get("embedding"), str)

    @property
    def is_usable(self) -> bool:
        return bool(self.numbers) and all(map(isfinite, self.numbers))

    @property
    def norm(self) -> float:
        return sqrt(fsum(number * number for number in self.numbers))


def vectors_of(exchange: Exchange) -> tuple[Vector, ...]:
    """The entries of `data` that are objects."""
    return exchange.view(_vectors)


def _vectors(exchange: Exchange) -> tuple[Vector, ...]:
    data = exchange.object.get("data")
    entries = [entry for entry in data if isinstance(entry, dict)] if isinstance(data, list) else []
    return tuple(Vector(entry, _numbers(entry.get("embedding"))) for entry in entries)


def _numbers(value: Json) -> tuple[float, ...]:
    match value:
        case str():
            return _unpacked(value)
        case list():
            numbers = tuple(map(_number, value))
            return () if None in numbers else tuple(one for one in numbers if one is not None)
    return ()


def _number(value: Json) -> float | None:
    """A number that a double can hold."""
    if isinstance(value, float):
        return value
    return float(value) if isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**1000 else None


def _unpacked(text: str) -> tuple[float, ...]:
    """The numbers of base64 of float32, little-endian."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return ()
    return struct.unpack(f"<{len(data) // PACKED}f", data) if len(data) % PACKED == 0 else ()


listed = json_answer & On("a list of vectors", lambda exchange: bool(vectors_of(exchange)))


@rule("embeddings.answered", Level.MUST, cites="RFC 9110 section 15.6", on=asked)
def answered(exchange: Exchange) -> Iterator[Remark]:
    """A legal request is not answered as a fault of the server; not implemented or overloaded may be said."""
    yield from chat.answered(exchange)


@rule("embeddings.content-type", Level.MUST, cites=REFERENCE, on=asked, given=ok & intact)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """The answer is one JSON object as application/json; NaN and infinities are no JSON."""
    yield from chat.content_type(exchange)


@rule("embeddings.schema", Level.MUST, cites=LIST, on=asked, given=json_answer)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """An answer fits its schema: object list, data with object, index and embedding each, and model."""
    for _, fault in schema_faults(exchange):
        if not (fault.pointer + "/" + (fault.missing or "")).startswith("/usage"):  # a rule of its own
            text = f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}"
            yield Finding(text, place=place_of(fault))


@rule("embeddings.model", Level.SHOULD, cites=f"{REFERENCE}, model", on=asked, given=json_answer)
def model(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the model that was asked for: vectors of two models cannot be compared."""
    yield from chat.model(exchange)


@rule("embeddings.count", Level.MUST, cites=f"{LIST}/properties/data", on=asked, given=listed)
def count(exchange: Exchange) -> Iterator[Remark]:
    """There are as many vectors as inputs."""
    wanted, got = len(inputs_of(exchange)), len(vectors_of(exchange))
    if got != wanted:
        yield Finding(f"expected {wanted} vectors, got {got}")


@rule("embeddings.index", Level.MUST, cites="openapi#/components/schemas/Embedding", on=asked, given=listed)
def index(exchange: Exchange) -> Iterator[Remark]:
    """The index of a vector is its place in the list."""
    for place, vector in enumerate(vectors_of(exchange)):
        told = vector.entry.get("index")
        if told != place or isinstance(told, bool):
            yield Finding(f"expected index {place}, got {excerpt(told)}")
            return


@rule("embeddings.order", Level.SHOULD, cites=f"{LIST}/properties/data", on=asked & batched, given=listed)
def order(exchange: Exchange) -> Iterator[Remark]:
    """The vectors stand in the order of the inputs: equal texts have equal vectors, other texts have others."""
    inputs, vectors = inputs_of(exchange), vectors_of(exchange)
    if len(inputs) != len(vectors) or not all(vector.is_usable for vector in vectors):
        yield Inconclusive("the vectors cannot be compared: see the rules on count, form and numbers")
        return
    firsts: dict[str, int] = {}
    twins: dict[tuple[float, ...], int] = {}
    for place, (text, vector) in enumerate(zip(inputs, vectors, strict=True)):
        first, twin = firsts.setdefault(str(text), place), twins.setdefault(vector.numbers, place)
        likeness = _cosine(vectors[first], vector)
        if likeness < ALIKE:
            yield Finding(f"inputs {first} and {place} are equal, their vectors are not (cosine {likeness:.3f})")
        elif inputs[twin] != inputs[place]:
            yield Finding(f"inputs {twin} and {place} differ, and have the same vector")


def _cosine(one: Vector, other: Vector) -> float:
    if len(one.numbers) != len(other.numbers):
        return 0.0
    product = fsum(a * b for a, b in zip(one.numbers, other.numbers, strict=True))
    lengths = one.norm * other.norm
    return product / lengths if lengths else 1.0


@rule(
    "embeddings.dimensions",
    Level.MUST,
    cites=f"{REQUEST}/properties/dimensions",
    on=asked & shortened,
    given=listed,
)
def dimensions(exchange: Exchange) -> Iterator[Remark]:
    """With dimensions, each vector has so many numbers."""
    wanted = member(exchange, "dimensions")
    for place, vector in enumerate(vectors_of(exchange)):
        if not vector.numbers:
            yield Inconclusive(f"vector {place} cannot be read: see the rules on its form")
        elif len(vector.numbers) != wanted:
            yield Finding(f"expected {wanted} numbers, vector {place} has {len(vector.numbers)}")
            return


@rule("embeddings.same-length", Level.MUST, cites=f"{LIST}/properties/data", on=asked, given=listed)
def same_length(exchange: Exchange) -> Iterator[Remark]:
    """All vectors of an answer have the same number of numbers."""
    lengths = [len(vector.numbers) for vector in vectors_of(exchange) if vector.numbers]
    if not lengths:
        yield Inconclusive("no vector can be read: see the rules on their form")
    elif len(set(lengths)) > 1:
        yield Finding(f"vectors of {' and '.join(map(str, sorted(set(lengths))))} numbers in one answer")


@rule("embeddings.finite", Level.MUST, cites="IEEE 754; RFC 8259 section 6", on=asked, given=listed)
def finite(exchange: Exchange) -> Iterator[Remark]:
    """The numbers of a vector are finite."""
    for place, vector in enumerate(vectors_of(exchange)):
        if not vector.numbers:
            yield Inconclusive(f"vector {place} cannot be read: see the rules on its form")
        bad = next((at for at, number in enumerate(vector.numbers) if not isfinite(number)), None)
        if bad is not None:
            yield Finding(f"vector {place} has {vector.numbers[bad]} at place {bad}")
            return


@rule(
    "embeddings.base64",
    Level.MUST,
    cites=f"{REQUEST}/properties/encoding_format",
    on=asked & packed,
    given=listed,
)
def as_base64(exchange: Exchange) -> Iterator[Remark]:
    """With encoding_format base64 a vector is a text, the base64 of its float32: clients that asked decode it so."""
    for place, vector in enumerate(vectors_of(exchange)):
        if not vector.is_packed:
            yield Finding(f"vector {place}: expected base64, got {excerpt(vector.entry.get('embedding'), 40)}")
            return
        if not vector.numbers:
            text = excerpt(vector.entry.get("embedding"), 40)
            yield Finding(f"vector {place}: expected base64 of 4 bytes for each number, got {text}")
            return


@rule(
    "embeddings.float",
    Level.MUST,
    cites=f"{REQUEST}/properties/encoding_format",
    on=asked & ~packed,
    given=listed,
)
def as_numbers(exchange: Exchange) -> Iterator[Remark]:
    """Where base64 was not asked for a vector is a list of numbers."""
    for place, vector in enumerate(vectors_of(exchange)):
        if vector.is_packed:
            text = excerpt(vector.entry.get("embedding"), 40)
            yield Finding(f"vector {place}: expected a list of numbers, got {text!r}")
            return


@rule(
    "embeddings.forms",
    Level.MUST,
    cites=f"{REQUEST}/properties/encoding_format",
    on=asked & ~packed,
    given=listed,
    over=("numbers", "numbers-again", "packed"),
)
def forms(numbers: Exchange, again: Exchange, packed_too: Exchange) -> Iterator[Remark]:
    """The base64 of a vector spells the numbers that are sent without it, to a millionth."""
    wanted, control, got = (vectors_of(one)[0].numbers for one in (numbers, again, packed_too))
    noise = _distance(wanted, control)
    if noise is None or not vectors_of(packed_too)[0].is_usable:
        yield Inconclusive("the vectors cannot be compared: see the rules on form and length")
    elif noise > FORM_SLACK:
        yield Inconclusive(f"the same request gave numbers that differ by {noise:.2g}")
    elif (off := _distance(wanted, got)) is None or off > 2 * FORM_SLACK:
        text = f"they differ by {off:.2g}" if off is not None else f"it has {len(got)} numbers, not {len(wanted)}"
        yield Finding(f"the packed vector is another: {text}", place="/data/*/embedding", exchange=packed_too.id)


def _distance(one: tuple[float, ...], other: tuple[float, ...]) -> float | None:
    """The largest difference of two numbers at one place; None for vectors that cannot be compared."""
    if not one or len(one) != len(other) or not all(map(isfinite, (*one, *other))):
        return None
    return max(abs(a - b) for a, b in zip(one, other, strict=True))


@rule(
    "embeddings.batch-alone",
    Level.SHOULD,
    cites=f"{LIST}/properties/data",
    on=asked & batched,
    given=listed,
    over=("batch", "alone"),
)
def batch_alone(batch: Exchange, alone: Exchange) -> Iterator[Remark]:
    """A text has the vector in a batch that it has alone."""
    inputs, vectors, single = inputs_of(batch), vectors_of(batch), vectors_of(alone)[0]
    asked_alone = inputs_of(alone)[0]
    if asked_alone not in inputs or len(inputs) != len(vectors) or not single.is_usable:
        yield Inconclusive("the vectors cannot be compared: see the rules on count, form and numbers")
        return
    place = inputs.index(asked_alone)
    if len(vectors[place].numbers) != len(single.numbers) or not vectors[place].is_usable:
        yield Inconclusive("the vectors cannot be compared: see the rules on form, numbers and length")
        return
    likeness = [_cosine(vector, single) if vector.is_usable else 0.0 for vector in vectors]
    if likeness[place] < ALIKE:
        text = f"the text at place {place} of the batch has another vector alone (cosine {likeness[place]:.3f})"
        nearest = likeness.index(max(likeness))
        text += f"; that is nearest to place {nearest} ({likeness[nearest]:.3f})" if nearest != place else ""
        yield Finding(text, place="/data/*/embedding", exchange=batch.id)


@rule("embeddings.norm", Level.SHOULD, cites="OpenAI guide, Vector embeddings, FAQ", on=asked, given=listed)
def norm(exchange: Exchange) -> Iterator[Remark]:
    """A vector has the length 1 where the model's vendor says so, and is not zero: stores take the dot product for
    the likeness."""
    promised = UNIT_LENGTH.search(model_of(exchange)) is not None
    for place, vector in enumerate(vectors_of(exchange)):
        if not vector.is_usable:
            yield Inconclusive(f"vector {place} cannot be read: see the rules on form and numbers")
        elif not any(vector.numbers):
            yield Finding(f"vector {place} is zero")
        elif abs(vector.norm - 1) > NORM_SLACK:
            text = f"vector {place} has the length {vector.norm:.4g}"
            yield Finding(f"{text}, not 1") if promised else Inconclusive(f"{text}, and nobody promised 1", mood=True)


@rule("embeddings.usage", Level.MUST, cites="openapi#/components/schemas/EmbeddingUsage", on=asked, given=json_answer)
def usage(exchange: Exchange) -> Iterator[Remark]:
    """An answer has a usage with prompt_tokens and total_tokens, equal, and not zero."""
    told = exchange.object.get("usage")
    if not isinstance(told, dict):
        yield Finding(f"expected a usage object, got {excerpt(told)}")
        return
    counts = [told.get(name) for name in COUNTS]
    for name, value in zip(COUNTS, counts, strict=True):
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            yield Finding(f"expected a count in {name}, got {excerpt(value)}")
            return
    if counts[0] != counts[1]:
        yield Finding(f"{counts[0]} prompt tokens, but a total of {counts[1]}: nothing else is counted")
    elif counts[0] == 0 and vectors_of(exchange):
        yield Finding("vectors were delivered, and usage counts nothing")


@rule("embeddings.empty-input", Level.MUST, cites=f"{REQUEST}/properties/input", on=nothing_asked)
def empty_input(exchange: Exchange) -> Iterator[Remark]:
    """A request with an empty text or an empty list as its input is answered 400."""
    if exchange.status in REFUSED | TRY_LATER | NOT_SERVED:
        yield Inconclusive(describe(exchange))
    elif exchange.status not in {400, 422}:
        yield Finding(f"expected 400, {describe(exchange)}")
