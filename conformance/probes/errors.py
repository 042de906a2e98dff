"""Mistakes that a client makes: where they are refused, as they should be, nothing is generated and nothing spent."""

from conformance.asked import UNKNOWN_MODEL, UNKNOWN_PATH
from conformance.probe import JSON_TYPE, MODEL, Probe, Role, Step
from conformance.probes.chat import ask
from openapi.json_text import Json
from openapi.wire.exchange import Auth
from openapi.wire.secrets import NOBODYS

HELLO: list[Json] = [{"role": "user", "content": "hello"}]
UNKNOWN: Json = {"model": f"relayproof-{UNKNOWN_MODEL}", "messages": HELLO, "max_tokens": 5}
UNKNOWN_STREAM: Json = {"model": f"relayproof-{UNKNOWN_MODEL}", "messages": HELLO, "max_tokens": 5, "stream": True}
_AUTH = frozenset({"auth"})
_AGAIN = Step("another-refusal", UNKNOWN)
BASIC = (*JSON_TYPE, ("authorization", NOBODYS))
TEXT = (("content-type", "text/plain"),)


def _free(id: str, body: Json | bytes, role: Role | None = None, auth: Auth = Auth.VALID) -> Probe:  # noqa: A002
    needs = frozenset() if auth is Auth.VALID else _AUTH
    return Probe(id, role, body=body, auth=auth, needs=needs, free=True)


def _unbounded(id: str, body: Json) -> Probe:  # noqa: A002
    return Probe(id, Role.CHAT, body=body, free=True, unbounded=True)


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
    _free("errors.wrong-type-model", {"model": 5, "messages": HELLO, "max_tokens": 5}),
    _free("errors.wrong-type-stream", ask("hello", 5, stream="perhaps"), Role.CHAT),
    _free("errors.wrong-type-stream-true", ask("hello", 5, stream=True, temperature="hot"), Role.CHAT),
    _free("errors.array", [{"model": MODEL, "messages": HELLO}]),
    _free("errors.empty-messages", {"model": MODEL, "messages": [], "max_tokens": 5}, Role.CHAT),
    _free("errors.forbidden-n", ask("hello", 5, n=0), Role.CHAT),
    _free("errors.forbidden-temperature", ask("hello", 5, temperature=5), Role.CHAT),
    _unbounded("errors.forbidden-max-tokens", ask("hello", -1)),
    _free("errors.forbidden-top-logprobs", ask("hello", 5, logprobs=True, top_logprobs=99), Role.CHAT),
    _free(
        "errors.forbidden-role",
        {"model": MODEL, "messages": [{"role": "wizard", "content": "hello"}], "max_tokens": 5},
        Role.CHAT,
    ),
    _unbounded("chat.limit-beyond", ask("hello", 10**9)),
    Probe(
        "errors.other-scheme", Role.CHAT, body=ask("hello", 5), headers=BASIC, auth=Auth.NONE, needs=_AUTH, free=True
    ),
    Probe("errors.wrong-content-type", Role.CHAT, body=ask("hello", 5), headers=TEXT, free=True),
    Probe("errors.two-refusals", None, body=UNKNOWN, free=True, step="one-refusal", then=(_AGAIN,)),
    Probe(
        "chat.key-and-model",
        Role.CHAT,
        body=ask("hello", 1),
        step="known-model",
        then=(Step("nobodys-model", UNKNOWN),),
    ),
    Probe("errors.unknown-path", None, path=f"/v1/relayproof-{UNKNOWN_PATH}", body={}, headers=JSON_TYPE, free=True),
)
