"""GET /v1/models and GET /v1/models/{model}."""

from conformance.asked import UNKNOWN_MODEL
from conformance.probe import MODEL, Probe, Role
from openapi.wire.exchange import Auth

ROWS = (
    Probe("models.list", None, "GET", "/v1/models", headers=(), free=True),
    Probe("models.retrieve", Role.CHAT, "GET", f"/v1/models/{MODEL}", headers=(), free=True),
    Probe("models.unknown", None, "GET", f"/v1/models/{UNKNOWN_MODEL}", headers=(), free=True),
    Probe("models.no-key", None, "GET", "/v1/models", headers=(), auth=Auth.NONE, needs=frozenset({"auth"}), free=True),
)
