"""The rules about embeddings, case by case."""

from typing import Any

from conformance.rule import Outcome
from tests.conformance.exchanges import (
    JSON,
    Case,
    chapter,
    each,
    fails,
    failure,
    got,
    moody,
    passes,
    request,
    rules_of,
    silent,
    undecided,
)
from tests.conformance.groups import agree, clash, open_
from tests.conformance.text_exchanges import VECTORS, entry, listed, packed, raw, vectors, vectors_asked

E = "embeddings."
NAN = float("nan")
TWO = ["red", "green"]
SAME = ["red", "green", "red"]
A, B = (0.6, -0.8), (1.0, 0.0)


def of(*numbers: Any, text: Any = None, **members: Any) -> Any:
    """An answer with these vectors, numbered on, to as many texts."""
    entries = [entry(one, at) for at, one in enumerate(numbers)]
    texts = text or ([f"text {at}" for at in range(len(numbers))] if len(numbers) > 1 else "red")
    return vectors(listed(*entries), texts, **members)


def counted(**usage: Any) -> Any:
    return vectors(listed(usage=usage))


BASE64: dict[str, Any] = {"encoding_format": "base64"}
NO_DATA = vectors(listed() | {"data": []})
PLAIN = "no-vendor-promises"

CASES = [
    passes("an answer", E + "answered", vectors()),
    fails("500", E + "answered", got(500, failure(), to=vectors_asked(TWO))),
    undecided("not served", E + "answered", got(501, failure(), to=vectors_asked())),
    passes("JSON", E + "content-type", vectors()),
    fails("text", E + "content-type", got(200, listed(), to=vectors_asked(), kind="text/plain")),
    fails("NaN", E + "content-type", raw('{"data":[{"embedding":[NaN]}]}'), says="NaN"),
    undecided("an error", E + "content-type", got(400, failure(), to=vectors_asked())),
    passes("the list", E + "schema", vectors()),
    passes("unknown members", E + "schema", vectors(listed(entry(x=1), provider="y"))),
    fails("an entry without its object", E + "schema", vectors(listed({"index": 0, "embedding": [1.0]}))),
    fails("a number in words", E + "schema", of(["1"])),
    fails("an empty vector", E + "schema", of([])),
    fails("no vectors", E + "schema", NO_DATA),
    passes("usage is told elsewhere", E + "schema", vectors({k: v for k, v in listed().items() if k != "usage"})),
    undecided("an error with 200", E + "schema", vectors(failure())),
    passes("the model", E + "model", vectors()),
    fails("another", E + "model", vectors(listed(model="backend-01"))),
    passes("one for one", E + "count", vectors()),
    passes("one for a list of token ids", E + "count", vectors(text=[1, 2])),
    passes("two for two lists of token ids", E + "count", of(A, B, text=[[1], [2]])),
    fails("one for two", E + "count", vectors(text=TWO)),
    undecided("none", E + "count", NO_DATA),
    undecided("no list", E + "count", vectors(listed() | {"data": {}})),
    passes("its place", E + "index", of(A, B)),
    fails("zero twice", E + "index", vectors(listed(entry(), entry()), TWO), says="expected index 1"),
    fails("a truth", E + "index", vectors(listed(entry(), entry(index=True)), TWO)),
    passes("different texts, different vectors", E + "order", of(A, B)),
    passes("equal texts, nearly equal vectors", E + "order", of(A, B, (0.6001, -0.7999), text=SAME)),
    passes("zero is like zero", E + "order", of((0.0, 0.0), B, (0.0, 0.0), text=SAME)),
    fails("the last first", E + "order", of(B, A, A, text=SAME), says="inputs 0 and 2 are equal"),
    fails("of another length", E + "order", of(A, B, (1.0,), text=SAME)),
    fails("one vector for all", E + "order", of(A, A, text=TWO), says="inputs 0 and 1 differ"),
    undecided("too few", E + "order", vectors(text=TWO)),
    undecided("not readable", E + "order", of(A, "!", text=TWO)),
    undecided("not finite", E + "order", of(packed(NAN), packed(1.0), text=TWO, **BASE64)),
    silent("one text", E + "order", vectors()),
    silent("token ids", E + "order", of(A, B, text=[[1], [2]])),
    passes("so many", E + "dimensions", vectors(dimensions=2)),
    passes("so many, packed", E + "dimensions", of(packed(*A), dimensions=2, **BASE64)),
    fails("more", E + "dimensions", vectors(dimensions=1), says="expected 1 numbers"),
    undecided("not readable", E + "dimensions", of("!", dimensions=2, **BASE64)),
    silent("not asked for", E + "dimensions", vectors()),
    passes("one length", E + "same-length", of(A, B)),
    fails("two", E + "same-length", of(A, (1.0,)), says="1 and 2 numbers"),
    undecided("not readable", E + "same-length", of("!")),
    passes("numbers", E + "finite", vectors()),
    passes("whole numbers", E + "finite", of([1, 0])),
    fails("NaN", E + "finite", of(packed(1.0, NAN), **BASE64), says="nan at place 1"),
    undecided("not readable", E + "finite", of([10**400])),
    undecided("no vector", E + "finite", of(None)),
    passes("a text", E + "base64", of(packed(*A), **BASE64)),
    fails("numbers", E + "base64", vectors(**BASE64), says="expected base64"),
    fails("another alphabet", E + "base64", of("-_-_-_==", **BASE64), says="4 bytes"),
    fails("half a number", E + "base64", of("AAAAAAA=", **BASE64)),
    silent("not asked for", E + "base64", vectors()),
    passes("numbers", E + "float", vectors()),
    fails("a text", E + "float", of(packed(*A), encoding_format="float")),
    fails("a text, nothing asked for", E + "float", of(packed(*A))),
    silent("base64 was asked for", E + "float", of(packed(*A), **BASE64)),
    passes("length 1", E + "norm", vectors()),
    fails("length 3", E + "norm", of((3.0, 0.0)), says="length 3"),
    moody("length 3, and nobody promised 1", E + "norm", of((3.0, 0.0), model=PLAIN)),
    fails("zero", E + "norm", of((0.0, 0.0), model=PLAIN)),
    undecided("not readable", E + "norm", of("!")),
    passes("equal counts", E + "usage", vectors()),
    passes(
        "nothing for nothing", E + "usage", vectors(listed(usage=dict.fromkeys(listed()["usage"], 0)) | {"data": []})
    ),
    fails("none", E + "usage", vectors({k: v for k, v in listed().items() if k != "usage"}), says="usage object"),
    fails("a text", E + "usage", counted(prompt_tokens="3", total_tokens=3), says="prompt_tokens"),
    fails("no total", E + "usage", counted(prompt_tokens=3), says="total_tokens"),
    fails("a negative count", E + "usage", counted(prompt_tokens=3, total_tokens=-3)),
    fails("a truth", E + "usage", counted(prompt_tokens=True, total_tokens=True)),
    fails("another total", E + "usage", counted(prompt_tokens=3, total_tokens=4), says="a total of 4"),
    fails("vectors for nothing", E + "usage", counted(prompt_tokens=0, total_tokens=0), says="counts nothing"),
    passes("400", E + "empty-input", got(400, failure(), to=vectors_asked(""))),
    passes("422", E + "empty-input", got(422, failure(), to=vectors_asked([]))),
    fails("a vector", E + "empty-input", vectors(text="")),
    fails("500", E + "empty-input", got(500, failure(), to=vectors_asked([]))),
    undecided("try later", E + "empty-input", got(429, failure(), to=vectors_asked([]))),
    silent(
        "no input at all: a rule about errors",
        E + "empty-input",
        got(400, failure(), to=request({"model": "m"}, path=VECTORS)),
    ),
    silent(
        "no model: another mistake", E + "empty-input", got(400, failure(), to=request({"input": ""}, path=VECTORS))
    ),
    silent("a body that is no object", E + "empty-input", got(400, failure(), to=request([], path=VECTORS, kind=JSON))),
]

FORMS, ALONE = E + "forms", E + "batch-alone"
TEXTS = ["red", "green"]
CASES += [
    agree("one vector in two forms", FORMS, of(A), of(A), of(packed(*A), **BASE64)),
    agree("rounding", FORMS, of(A), of((0.6000001, -0.8)), of(packed(*A), **BASE64)),
    clash(
        "another vector", FORMS, of(A), of(A), of(packed(0.601, -0.8), **BASE64), step="packed", says="differ by 0.001"
    ),
    clash("a shorter one", FORMS, of(A), of(A), of(packed(0.6), **BASE64), step="packed", says="1 numbers, not 2"),
    open_("it does not repeat itself", FORMS, of(A), of(B), of(packed(*A), **BASE64), says="differ by 0.8"),
    open_("no numbers", FORMS, of([]), of(A), of(packed(*A), **BASE64), says="cannot be compared"),
    open_("a packed one that cannot be read", FORMS, of(A), of(A), of("?", **BASE64), says="cannot be compared"),
    agree("the same alone", ALONE, of(A, B, text=TEXTS), of(B, text="green")),
    clash("another alone", ALONE, of(B, A, text=TEXTS), of(B, text="green"), step="batch", says="nearest to place 0"),
    clash("like none", ALONE, of(A, A, text=TEXTS), of((0.8, 0.6), text="green"), step="batch", says="(cosine 0.000)"),
    open_("a number that is none", ALONE, of(A, packed(NAN, 1.0), text=TEXTS), of(B, text="green"), says="cannot be"),
    clash("beside one", ALONE, of(packed(NAN, 1.0), A, text=TEXTS), of(B, text="green"), step="batch", says="another"),
    open_("a shorter one", ALONE, of(A, [1.0], text=TEXTS), of(B, text="green"), says="cannot be compared"),
    open_("another text", ALONE, of(A, B, text=TEXTS), of(B, text="blue"), says="cannot be compared"),
    open_("vectors lost", ALONE, of(A, text=TEXTS), of(B, text="green"), says="cannot be compared"),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("embeddings")
