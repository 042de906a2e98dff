"""Mistakes that a client makes: nothing is generated for them, so they cost nothing."""

from conformance.asked import UNKNOWN_MODEL, UNKNOWN_PATH
from conformance.probe import JSON_TYPE, MODEL, Probe, Role
from conformance.probes.chat import ask
from openapi.json_text import Json
from openapi.wire.exchange import Auth

HELLO: list[Json] = [{"role": "user", "content": "hello"}]
UNKNOWN: Json = {"model": f"relayproof-{UNKNOWN_MODEL}", "messages": HELLO, "max_tokens": 5}
UNKNOWN_STREAM: Json = {"model": f"relayproof-{UNKNOWN_MODEL}", "messages": HELLO, "max_tokens": 5, "stream": True}


def _free(id: str, body: Json | bytes, role: Role | None = None, auth: Auth = Auth.VALID) -> Probe:  # noqa: A002
    needs = frozenset() if auth is Auth.VALID else frozenset({"auth"})
    return Probe(id, role, body=body, auth=auth, needs=needs, free=True)


ROWS = (
    _free("errors.no-key", UNKNOWN, auth=Auth.NONE),
    _free("errors.wrong-key", UNKNOWN, auth=Auth.WRONG),
    _free("errors.no-key-chat", ask("hello", 5), Role.CHAT, Auth.NONE),
    _free("errors.wrong-key-chat", ask("hello", 5), Role.CHAT, Auth.WRONG),
    _free("errors.wrong-key-stream", ask("hello", 5, stream=True), Role.CHAT, Auth.WRONG),
    _free("errors.unknown-model", UNKNOWN),
    _free("errors.unknown-model-stream", UNKNOWN_STREAM),
    _free("errors.bad-json", b'{"model":"x","messages":[{"role":"user","content":"hi"'),
    _free("errors.empty-body", None),
    _free("errors.missing-model", {"messages": HELLO, "max_tokens": 5}),
    _free("errors.missing-messages", {"model": MODEL, "max_tokens": 5}, Role.CHAT),
    _free("errors.missing-messages-stream", {"model": MODEL, "max_tokens": 5, "stream": True}, Role.CHAT),
    _free("errors.wrong-type-messages", {"model": MODEL, "messages": "hello", "max_tokens": 5}, Role.CHAT),
    _free("errors.wrong-type-temperature", ask("hello", 5, temperature="hot"), Role.CHAT),
    Probe("errors.unknown-path", None, path=f"/v1/relayproof-{UNKNOWN_PATH}", body={}, headers=JSON_TYPE, free=True),
)
