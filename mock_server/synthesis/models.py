"""GET /v1/models and GET /v1/models/{model}."""

from collections.abc import Sequence
from urllib.parse import unquote

from mock_server.answer import Answer, Asked
from mock_server.synthesis.errors import unknown_model, whole
from mock_server.synthesis.registry import operation
from openapi.json_text import Json

EMBEDDER = "text-embedding-3-small"  # SDKs and their examples ask for it, and it promises vectors of length 1
MODELS: tuple[str, ...] = (
    "mock-chat",
    "mock-reasoner",
    "mock-claude",
    "mock-instruct",
    "mock-embed",
    EMBEDDER,
    "sora-2",
)
CREATED = 1735689600  # 2025-01-01, in seconds; a model's birthday does not hang on the clock


def _entry(name: str) -> dict[str, Json]:
    return {"id": name, "object": "model", "created": CREATED, "owned_by": "relayproof-mock"}


def models(names: Sequence[str] = MODELS) -> Answer:
    """The list, each name once."""
    return whole(200, {"object": "list", "data": [_entry(name) for name in dict.fromkeys(names)]})


def model(name: str, names: Sequence[str] = MODELS) -> Answer:
    """One model, or 404 where it is not among `names`."""
    return whole(200, _entry(name)) if name in names else unknown_model(name)


@operation("listModels")
def _list(asked: Asked, names: Sequence[str], now: int) -> Answer:
    return models(names)


@operation("retrieveModel")
def _retrieve(asked: Asked, names: Sequence[str], now: int) -> Answer:
    path = asked.path.partition("?")[0]
    return model(unquote(path.partition("/models/")[2]), names)
