"""HTTP around the answers, and streams in time. What takes a liberty asks for a model that nobody has: it is free."""

import gzip
from collections.abc import Callable, Sequence

from conformance.asked import UNKNOWN_MODEL
from conformance.probe import JSON_TYPE, Follow, Probe, Role, Step
from conformance.probes.chat import STREAM, WITH_USAGE, ask
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Headers
from openapi.wire.redaction import mark

CHAT, MODELS = "/v1/chat/completions", "/v1/models"
KEY = f"Bearer {mark(0)}"  # the mark stands where the key is to stand
ORIGIN: Headers = (("origin", "https://app.example"),)
BROWSER: Headers = (
    *ORIGIN,
    ("access-control-request-method", "POST"),
    ("access-control-request-headers", "authorization,content-type"),
)
PARTS = ("arch", "lang", "os", "package-version", "retry-count", "runtime", "runtime-version", "timeout")
STAINLESS = tuple(f"x-stainless-{part}" for part in PARTS)  # what the official SDKs send with every request
SDK: Headers = (
    *ORIGIN,
    ("access-control-request-method", "POST"),
    (
        "access-control-request-headers",
        ",".join(("authorization", "content-type", *STAINLESS)),
    ),
)
UNKNOWN: dict[str, Json] = {
    "model": f"relayproof-{UNKNOWN_MODEL}",
    "messages": [{"role": "user", "content": "hello"}],
    "max_tokens": 5,
}
PLAIN = json_text.write(UNKNOWN)
LARGE = (1 << 20) + (1 << 16)  # bytes: more than what proxies let through unless told otherwise
NUMBERS = "Count from 1 to 100 in digits, separated by commas. Write nothing else."
PACES = (("short", 2), ("half", 80), ("long", 160), ("short-again", 2), ("half-again", 80), ("long-again", 160))
WORD = "龙猫🐉naïve"
REPEAT = f"Repeat this word exactly and write nothing else: {WORD}"


def typed(kind: str) -> Headers:
    return (("content-type", kind),)


def _large(sofar: Sequence[Exchange]) -> Json:
    """A megabyte, only where it is known that no model reads it."""
    refused = bool(sofar) and (sofar[0].status or 0) >= 400
    return UNKNOWN | {"messages": [{"role": "user", "content": "x" * LARGE}]} if refused else None


def _paced(id: str, headers: Headers = JSON_TYPE, follow: Callable[[Json], Json | Follow] = lambda body: body) -> Probe:  # noqa: A002
    """A token or two, a long answer and one of half its length, each twice, one after the other."""
    bodies = [(name, ask(NUMBERS, limit, **WITH_USAGE)) for name, limit in PACES]
    (step, first), *others = bodies
    then = tuple(Step(name, follow(body)) for name, body in others)
    return Probe(id, Role.CHAT, body=first, headers=headers, step=step, then=then, alone=True)


def _if_compressed(body: Json) -> Follow:
    """Asks on where the first answer was compressed: else there is nothing to be flushed."""
    return lambda sofar: body if sofar and sofar[0].header("content-encoding") else None


def _kept(id: str, body: Json, role: Role | None = None) -> Probe:  # noqa: A002
    """A request, and another on its connection."""
    following = Step("next", None, "GET", MODELS, (), reuse=True)
    return Probe(id, role, body=body, free=role is None, step="kept", then=(following,))


ROWS = (
    Probe("http.head", None, "HEAD", MODELS, headers=(), free=True),
    Probe("http.method", None, "PUT", CHAT, body={}, free=True),
    Probe(
        "http.preflight",
        None,
        "OPTIONS",
        CHAT,
        headers=BROWSER,
        auth=Auth.NONE,
        free=True,
        step="browser",
        then=(Step("sdk", headers=SDK),),
    ),
    Probe("http.options", None, "OPTIONS", CHAT, headers=(), auth=Auth.NONE, free=True),
    Probe("http.origin", None, "GET", MODELS, headers=ORIGIN, free=True),
    Probe("http.origin-refused", None, "POST", CHAT, UNKNOWN, headers=(*JSON_TYPE, *ORIGIN), free=True),
    Probe("http.trailing-slash", None, "POST", f"{CHAT}/", UNKNOWN, free=True),
    Probe("http.double-slash", None, "POST", f"/{CHAT}", UNKNOWN, free=True),
    Probe(
        "http.key",
        None,
        body=UNKNOWN,
        needs=frozenset({"auth"}),
        free=True,
        step="usual",
        then=(
            Step("wrong", UNKNOWN, auth=Auth.WRONG),
            Step("bearer-lower", UNKNOWN, headers=(*JSON_TYPE, ("authorization", KEY.replace("Bearer", "bearer")))),
            Step("key-name-case", UNKNOWN, headers=(*JSON_TYPE, ("AUTHORIZATION", KEY))),
            Step("key-twice", UNKNOWN, headers=(*JSON_TYPE, ("authorization", KEY), ("authorization", KEY))),
        ),
    ),
    Probe(
        "http.body",
        None,
        body=UNKNOWN,
        free=True,
        step="usual",
        then=(
            Step("charset", UNKNOWN, headers=typed("application/json; charset=utf-8")),
            Step("type-case", UNKNOWN, headers=typed("Application/JSON")),
            Step("spaces", b"\r\n\t " + PLAIN + b" \n"),
            Step("gzip", gzip.compress(PLAIN, mtime=0), headers=(*JSON_TYPE, ("content-encoding", "gzip"))),
            Step("expect", UNKNOWN, headers=(*JSON_TYPE, ("expect", "100-continue"))),
            Step("large", _large, free=True),
        ),
    ),
    _kept("http.reuse", UNKNOWN),
    _kept("http.reuse-stream", ask("Say hello.", 20, **STREAM), Role.CHAT),
    Probe("sse.echo", Role.CHAT, body=ask(REPEAT, 60)),
    Probe("sse.echo-stream", Role.CHAT, body=ask(REPEAT, 60, **STREAM)),
    _paced("sse.paced"),
    _paced("sse.paced-gzip", (*JSON_TYPE, ("accept-encoding", "gzip")), _if_compressed),
)
