"""GET /v1/models and GET /v1/models/{model}."""

from collections import Counter
from collections.abc import Iterator

from conformance.answers import describe, excerpt, intact, json_answer, ok, place_of, schema_faults
from conformance.asked import UNKNOWN_MODEL, fuzzed, keyed, model_of, model_retrieve, models_list, no_key, unknown_model
from conformance.rule import Finding, Inconclusive, Level, Remark, rule
from conformance.rules.errors import REFUSED, TRY_LATER
from openapi.wire.exchange import Exchange

LIST = "openapi#/components/schemas/ModelList"
MODEL = "openapi#/components/schemas/Model"
NOTHING_DECIDED = REFUSED | TRY_LATER


@rule("models.list", Level.MUST, cites=LIST, on=models_list & keyed, given=ok & intact)
def list_schema(exchange: Exchange) -> Iterator[Remark]:
    """The list of models is an object with data, each entry with id, object, created and owned_by."""
    if not isinstance(exchange.json.value, dict):
        got = excerpt(exchange.content[:200].decode("utf-8", "replace"))
        yield Finding(f"expected an object with data, got {got}", place="/")
        return
    for _, fault in schema_faults(exchange):
        text = f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}"
        yield Finding(text, place=place_of(fault))


@rule("models.unique", Level.MUST, cites=f"{MODEL}, id", on=models_list & keyed, given=json_answer)
def unique(exchange: Exchange) -> Iterator[Remark]:
    """No model is listed twice."""
    data = exchange.object.get("data")
    if not isinstance(data, list):
        yield Inconclusive("there is no list: see models.list")
        return
    ids = Counter(str(entry["id"]) for entry in data if isinstance(entry, dict) and isinstance(entry.get("id"), str))
    for name, times in ids.items():
        if times > 1:
            yield Finding(f"{name!r} is listed {times} times", place="/data/*/id")


@rule("models.retrieve", Level.MUST, cites=MODEL, on=model_retrieve & keyed & ~unknown_model)
def retrieve(exchange: Exchange) -> Iterator[Remark]:
    """A model that is known is answered as a Model with the id that was asked for."""
    claimed = exchange.probe is not None and not fuzzed.holds(exchange)  # our own probes ask for what the target claims
    if exchange.status == 404 and claimed:
        yield Finding(f"expected the model {model_of(exchange)!r}, {describe(exchange)}")
        return
    if exchange.status != 200 or not intact.holds(exchange):
        yield Inconclusive(describe(exchange))
        return
    for _, fault in schema_faults(exchange):
        text = f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}"
        yield Finding(text, place=place_of(fault))
    named = exchange.object.get("id")
    if isinstance(named, str) and named != model_of(exchange):
        yield Finding(f"asked for {model_of(exchange)!r}, got {named!r}", place="/id")


@rule(
    "models.unknown",
    Level.MUST,
    cites="openapi#/paths/~1v1~1models~1{model}",
    on=model_retrieve & keyed & unknown_model,
)
def unknown(exchange: Exchange) -> Iterator[Remark]:
    """A model that nobody has is answered 404."""
    if exchange.status in NOTHING_DECIDED:
        yield Inconclusive(describe(exchange))
    elif exchange.status != 404:
        yield Finding(f"expected 404 for {UNKNOWN_MODEL!r}, {describe(exchange)}")


@rule("models.no-key", Level.MAY, cites="OpenAI API reference, Authentication", on=models_list & no_key)
def listed_without_key(exchange: Exchange) -> Iterator[Remark]:
    """The list of models asks for a key; many local gateways show it to all."""
    if exchange.status in TRY_LATER:
        yield Inconclusive(describe(exchange))
    elif exchange.status != 401:
        yield Finding(f"expected 401, {describe(exchange)}")
