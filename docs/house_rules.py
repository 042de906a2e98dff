"""Rules and a probe of one house, as an example: `relayproof check … --extend docs/house_rules.py`."""

from collections.abc import Iterator

from conformance.answers import describe, ok
from conformance.asked import chat, legal
from conformance.probe import JSON_TYPE, MODEL, Probe, Role, Step
from conformance.rule import Finding, Inconclusive, Level, Remark, rule
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

HANDBOOK = "https://handbook.acme.example/relays#support"
QUESTION: Json = {"model": MODEL, "messages": [{"role": "user", "content": "Say hello."}], "max_tokens": 40}


@rule("acme.request-id", Level.MUST, cites=HANDBOOK, on=chat & legal, given=ok)
def request_id(exchange: Exchange) -> Iterator[Remark]:
    """Each answer has an `x-request-id` of eight characters or more, without which support finds nothing."""
    name = exchange.header("x-request-id") or ""
    if len(name) < 8:
        yield Finding(f"expected an x-request-id, got {name!r}", place="x-request-id")


@rule("acme.tenant", Level.SHOULD, cites=HANDBOOK, on=chat & legal, over=("plain", "tenant"))
def tenant(plain: Exchange, named: Exchange) -> Iterator[Remark]:
    """A request that names its tenant is answered as one that names none."""
    if plain.status != 200:
        yield Inconclusive(f"without a tenant {describe(plain)}")
    elif named.status != 200:
        yield Finding(f"with a tenant {describe(named)}", exchange=named.id)


PROBES = (
    Probe(
        "acme.tenant",
        Role.CHAT,
        body=QUESTION,
        step="plain",
        then=(Step("tenant", QUESTION, headers=(*JSON_TYPE, ("x-tenant", "blue"))),),
    ),
)
