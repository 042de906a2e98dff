"""The rules about the list of models and one model."""

from dataclasses import replace
from typing import Any

from conformance.asked import UNKNOWN_MODEL
from conformance.rule import Outcome
from openapi.wire.exchange import Auth, Exchange
from tests.conformance.exchanges import (
    Case,
    chapter,
    cut,
    each,
    fails,
    got,
    ours,
    passes,
    request,
    rules_of,
    silent,
    undecided,
)

LIST = request(method="GET", path="/v1/models", kind=None)
OPEN = request(method="GET", path="/v1/models", kind=None, auth=Auth.NONE)
NOT_FOUND = {"error": {"message": "no such model", "type": "x", "param": None, "code": "model_not_found"}}


def model(name: Any = "m", **more: Any) -> dict[str, Any]:
    return {"id": name, "object": "model", "created": 1, "owned_by": "x"} | more


def listed(*entries: Any, kind: str = "application/json") -> Exchange:
    return got(200, {"object": "list", "data": list(entries)}, to=LIST, kind=kind)


def one(status: int, body: Any, name: str = "m", probe: str | None = None) -> Exchange:
    asked = request(method="GET", path=f"/v1/models/{name}", kind=None)
    return replace(got(status, body, to=asked), probe=probe)


CASES = [
    passes("models", "models.list", listed(model(), model("n", extra=1))),
    passes("none", "models.list", listed()),
    fails("a bare array", "models.list", got(200, [model()], to=LIST), says="object with data"),
    fails(
        "an entry without owner", "models.list", listed({"id": "m", "object": "model", "created": 1}), says="/data/0"
    ),
    fails("a wrong entry under another media type", "models.list", listed({}, kind="text/plain")),
    undecided("we left", "models.list", ours(got(200, b'{"object"', to=LIST))),
    undecided("cut", "models.list", cut(got(200, b'{"object"', to=LIST))),
    undecided("a refusal", "models.list", got(503, b"", to=LIST)),
    silent("without a key", "models.list", got(200, {}, to=OPEN)),
    passes("different names", "models.unique", listed(model(), model("n"))),
    passes("entries that are no models", "models.unique", listed(1, 1, {}, {}, model(5), model(5))),
    fails("one of them twice", "models.unique", listed(model(), model("n"), model()), says="'m' is listed 2 times"),
    undecided("no list", "models.unique", got(200, {"data": None}, to=LIST)),
    undecided("an error", "models.unique", got(200, NOT_FOUND, to=LIST)),
    passes("the model", "models.retrieve", one(200, model())),
    passes("a name with a slash", "models.retrieve", one(200, model("org/m"), "org/m")),
    passes("a name with an encoded slash", "models.retrieve", one(200, model("org/m"), "org%2Fm")),
    fails("another model", "models.retrieve", one(200, model("n")), says="asked for 'm', got 'n'"),
    fails("no model", "models.retrieve", one(200, {"id": "m"})),
    fails("a page", "models.retrieve", one(200, b"<html>")),
    fails("not the model that the target claims", "models.retrieve", one(404, NOT_FOUND, probe="models.retrieve")),
    undecided("unknown to others", "models.retrieve", one(404, NOT_FOUND)),
    undecided("a generated name", "models.retrieve", one(404, NOT_FOUND, probe="fuzz.retrieveModel.1f")),
    undecided("a refusal", "models.retrieve", one(500, b"")),
    undecided("we left", "models.retrieve", ours(one(200, b'{"id"'))),
    passes("404", "models.unknown", one(404, NOT_FOUND, UNKNOWN_MODEL)),
    fails("a 200 with an error", "models.unknown", one(200, NOT_FOUND, UNKNOWN_MODEL)),
    fails("a 500", "models.unknown", one(500, b"", UNKNOWN_MODEL)),
    undecided("try later", "models.unknown", one(429, b"", UNKNOWN_MODEL)),
    undecided("not with this key", "models.unknown", one(403, b"", UNKNOWN_MODEL)),
    silent("a model that may be there", "models.unknown", one(404, NOT_FOUND)),
    passes("401", "models.no-key", got(401, NOT_FOUND, to=OPEN)),
    fails("open to all", "models.no-key", got(200, {}, to=OPEN)),
    undecided("try later", "models.no-key", got(429, b"", to=OPEN)),
]


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("models")
