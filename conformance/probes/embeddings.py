"""POST /v1/embeddings: one text, several, the two forms of a vector, its length, and no text at all."""

from conformance.asked import UNKNOWN_MODEL
from conformance.probe import MODEL, Probe, Role, Step
from openapi.json_text import Json
from openapi.wire.exchange import Auth

PATH = "/v1/embeddings"
SKY = "The sky is blue."
BATCH: Json = ["red", "天空是蓝色的。", "red", "A relay stands between a client and a model."]


def ask(text: Json, /, **more: Json) -> Json:
    return {"model": MODEL, "input": text} | more


def row(id: str, body: Json, *needs: str, control: bool = False) -> Probe:  # noqa: A002
    return Probe(id, Role.EMBEDDINGS, path=PATH, body=body, needs=frozenset(needs), control=control)


def _free(id: str, body: Json, auth: Auth = Auth.VALID) -> Probe:  # noqa: A002
    needs = frozenset() if auth is Auth.VALID else frozenset({"auth"})
    return Probe(id, Role.EMBEDDINGS, path=PATH, body=body, auth=auth, needs=needs, free=True)


ROWS = (
    row("embeddings.text", ask(SKY), control=True),
    row("embeddings.batch", ask(BATCH)),
    row("embeddings.float", ask(SKY, encoding_format="float")),
    row("embeddings.base64", ask(SKY, encoding_format="base64"), "base64"),
    row("embeddings.base64-batch", ask(BATCH, encoding_format="base64"), "base64"),
    row("embeddings.dimensions", ask(SKY, dimensions=256), "dimensions"),
    row("embeddings.dimensions-base64", ask(SKY, dimensions=256, encoding_format="base64"), "dimensions", "base64"),
    row("embeddings.tokens", ask([[464, 2057], [373]]), "token_input"),
    Probe(
        "embeddings.forms",
        Role.EMBEDDINGS,
        path=PATH,
        body=ask(SKY, encoding_format="float"),
        needs=frozenset({"base64"}),
        step="numbers",
        then=(
            Step("numbers-again", ask(SKY, encoding_format="float")),
            Step("packed", ask(SKY, encoding_format="base64")),
        ),
    ),
    Probe(
        "embeddings.batch-alone",
        Role.EMBEDDINGS,
        path=PATH,
        body=ask(BATCH),
        step="batch",
        then=(Step("alone", ask("天空是蓝色的。")),),
    ),
    _free("errors.empty-input", ask("")),
    _free("errors.empty-input-list", ask([])),
    _free("errors.missing-input", {"model": MODEL}),
    _free("errors.no-key-embeddings", ask(SKY), Auth.NONE),
    _free("errors.unknown-model-embeddings", ask(SKY, model=f"relayproof-{UNKNOWN_MODEL}")),
)
