"""What each fault of bytes, transport and service does on the wire: a request that shows it, and a look at raw bytes.

`SHOWN` has a row for every fault of these layers: fault → request, and whether the answer to it (`bad`), beside what a
right mock says to the same request (`good`), is what the fault's text says.
"""

import gzip
import json
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

from mock_server.faults import FAULTS, Fault
from openapi import json_text
from tests.system.raw import CHAT, FIN, KEY, OPEN, RESET, Ask, Came

SPEED = 20  # of the mock: what takes seconds is over in a moment
PACED = ("--ttft", "20", "--itl", "10")  # of one that takes its time, in milliseconds
LAYERS = ("framing", "transport", "service", "http", "honest_bytes", "honest_service")

Look = Callable[[Came, Came], bool]


@dataclass(frozen=True)
class Shown:
    """A request that shows a fault, and the look that sees it."""

    ask: Ask
    look: Look
    paced: bool = False  # of a mock that takes its time


def layer(fault: Fault) -> str:
    """The module that it stands in."""
    bend = fault.answer or fault.policy or fault.asked
    return bend.__module__.rpartition(".")[2] if bend else ""


# --- requests -------------------------------------------------------------------------------------------------------


def said(text: str = "Hello", **more: object) -> dict[str, object]:
    return {"model": "mock-chat", "messages": [{"role": "user", "content": text}], **more}


STREAM = Ask(body=said(stream=True))
WHOLE = Ask(body=said())
UNKNOWN = Ask(body=said(model="nobody"))
NO_MESSAGES = Ask(body={"model": "mock-chat"})
MODELS = Ask("GET", "/v1/models")
NO_KEY = replace(WHOLE, key=None)
WRONG_KEY = replace(WHOLE, key="authorization: Bearer sk-wrong-0123456789")
NOWHERE = Ask(path="/v1/nowhere", body={})
PUT = Ask("PUT", body=said())
PREFLIGHT = Ask("OPTIONS", key=None).with_header("origin", "https://app.example")
PREFLIGHT = PREFLIGHT.with_header("access-control-request-method", "POST")
PREFLIGHT = PREFLIGHT.with_header("access-control-request-headers", "authorization,x-stainless-os")
ORIGIN = MODELS.with_header("origin", "https://app.example")
OPTIONS = Ask("OPTIONS", "/v1/models")
LARGE = Ask(body=b" " * (1 << 20) + json.dumps(said()).encode())
GZIP = ("accept-encoding", "gzip")

# --- looks ----------------------------------------------------------------------------------------------------------


def added(good: Came, bad: Came) -> str:
    """The data of the one event that the good answer has not."""
    (one,) = [data for data in bad.events if data not in good.events]
    return one


def same_text(good: Came, bad: Came) -> bool:
    return bool(good.text) and good.text == bad.text


def cut(good: Came, bad: Came) -> bool:
    """The good body as far as 70 % of it, and no last chunk."""
    whole = good.level.startswith(bad.level[:-8]) and 0.6 < len(bad.body) / len(good.body) < 0.8
    return whole and not bad.data.endswith(b"0\r\n\r\n")


def no_utf8(bad: Came, data: bytes) -> bool:
    return data in bad.body and "\ufffd" in bad.body.decode("utf-8", "replace")


def unpacked(bad: Came) -> bytes:
    return zlib.decompressobj(wbits=31).decompress(bad.body)


def told(bad: Came, status: int, *names: str) -> bool:
    """A refusal with this status, in an envelope with these members."""
    return bad.status == status and isinstance(bad.error, dict) and set(names) <= set(bad.error)


def turned(good: Came, bad: Came, status: int, to: int) -> bool:
    """The same refusal with another status."""
    return (good.status, bad.status) == (status, to) and bool(bad.error) and bad.error == good.error


def answered(good: Came, bad: Came, status: int) -> bool:
    """What is refused so is answered."""
    return (good.status, bad.status) == (status, 200) and bool(bad.json.get("choices"))


def without(name: str) -> Look:
    return lambda good, bad: bool(good.values(name)) and not bad.values(name)


def has(name: str, *values: str) -> Look:
    return lambda good, bad: bad.values(name) == list(values) != good.values(name)


def both(*looks: Look) -> Look:
    return lambda good, bad: all(look(good, bad) for look in looks)


def _code(status: int) -> Look:
    return lambda good, bad: bad.status == status != good.status


# --- the table ------------------------------------------------------------------------------------------------------

FRAMING: dict[str, Shown] = {
    "sse-invalid-json-chunk": Shown(STREAM, lambda g, b: "not JSON" in str(json_text.read(added(g, b)).fault)),
    "sse-repeated-names": Shown(STREAM, lambda g, b: "two members" in str(json_text.read(added(g, b)).fault)),
    "sse-json-nan": Shown(STREAM, lambda g, b: "NaN" in added(g, b)),
    "sse-missing-blank-line": Shown(
        STREAM, lambda g, b: [bool(json.loads(line)) for line in added(g, b).split("\n")] == [True, True]
    ),
    "sse-comment-reemitted-as-data": Shown(STREAM, lambda g, b: b"\ndata: : OPENROUTER PROCESSING\n\n" in b.body),
    "sse-raw-cr-in-data": Shown(STREAM, lambda g, b: b'"a\rb"' in b.body),
    "sse-plain-json-error-in-stream": Shown(STREAM, lambda g, b: b'\n\n{"error":{' in b.body and same_text(g, b)),
    "sse-html-in-stream": Shown(STREAM, lambda g, b: b"\n\n<html>" in b.body and same_text(g, b)),
    "sse-last-event-unterminated": Shown(STREAM, lambda g, b: b.body.endswith(b"data: [DONE]\n") and b.end == FIN),
    "sse-done-literal-backslash": Shown(STREAM, lambda g, b: b.body.endswith(rb"data: [DONE]\n\n")),
    "sse-event-lines-in-chat": Shown(
        STREAM, lambda g, b: b.body.count(b"event: message\ndata: ") == len(g.events) and b.events == g.events
    ),
    "sse-bare-cr": Shown(STREAM, lambda g, b: b"\n" not in b.body and b.body.count(b"\r\r") == len(g.events)),
    "sse-mixed-line-ends": Shown(STREAM, lambda g, b: b.body.count(b"\n\r\n") == len(g.events)),
    "sse-bom": Shown(STREAM, lambda g, b: b.level == b"\xef\xbb\xbf" + g.level),
    "sse-multi-line-data": Shown(STREAM, lambda g, b: b'data: {\ndata:  "id"' in b.body and same_text(g, b)),
    "sse-comment-blank-line-after-id": Shown(
        STREAM, lambda g, b: b.body.startswith(b": ping\n\nid: 0\nretry: 3000\ndata: ") and same_text(g, b)
    ),
    "sse-bad-utf8": Shown(STREAM, lambda g, b: no_utf8(b, b'"\xe9"')),
    "sse-utf8-cut": Shown(STREAM, lambda g, b: no_utf8(b, b'"\xe4\xb8"')),
    "sse-mojibake": Shown(
        Ask(body=said("Repeat this: 日本語-4417", stream=True)),
        lambda g, b: "日本語" in g.text and "日本語".encode().decode("latin-1") in b.text,
    ),
    "sse-content-type-wrong": Shown(STREAM, both(has("content-type", "application/json"), same_text)),
    "sse-charset-wrong": Shown(STREAM, both(has("content-type", "text/event-stream; charset=iso-8859-1"), same_text)),
    "sse-content-length-on-stream": Shown(
        STREAM, lambda g, b: int(b.value("content-length")) == len(b.rest) and not b.values("transfer-encoding")
    ),
    "sse-no-cache-control": Shown(STREAM, without("cache-control")),
    "sse-no-x-accel-buffering": Shown(STREAM, without("x-accel-buffering")),
    "sse-buffered-whole": Shown(STREAM, lambda g, b: g.spread > 0.2 > b.spread and b.level == g.level, paced=True),
    "tx-gzip-stream-not-flushed": Shown(
        STREAM.with_header(*GZIP),
        lambda g, b: (
            b.value("content-encoding") == "gzip"
            and b"[DONE]" in unpacked(b)
            and zlib.decompressobj(wbits=31).decompress(b"".join(b.chunks[: len(b.chunks) // 2])) == b""
        ),
    ),
    "sse-no-keepalive": Shown(STREAM, lambda g, b: b.first_of_body > 30 / SPEED > g.reads[-1][0]),
    "sse-left-open": Shown(STREAM, lambda g, b: b.end == OPEN and b.level == g.level and g.end == FIN),
    "sse-network-split-mid-line": Shown(STREAM, lambda g, b: b.level == g.level and 0 < max(map(len, b.chunks)) <= 7),
}

TRANSPORT: dict[str, Shown] = {
    "tx-chunked-body-cut": Shown(STREAM, lambda g, b: cut(g, b) and b.end == FIN),
    "tx-reset": Shown(STREAM, lambda g, b: cut(g, b) and b.end == RESET),
    "tx-no-answer": Shown(STREAM, lambda g, b: (b.data, b.end) == (b"", RESET)),
    "tx-length-too-large": Shown(
        WHOLE, lambda g, b: int(b.value("content-length")) == len(b.rest) + 64 and b.end == FIN
    ),
    "tx-chunk-size-unreadable": Shown(STREAM, lambda g, b: b.data.endswith(b"\r\n-0\r\n\r\n") and same_text(g, b)),
    "tx-two-lengths": Shown(WHOLE, lambda g, b: len(set(b.values("content-length"))) == 2 and b.level == g.level),
    "tx-gzip-announced-only": Shown(WHOLE, lambda g, b: b.value("content-encoding") == "gzip" and b.level == g.level),
    "tx-redirect-elsewhere": Shown(
        STREAM, both(_code(302), has("location", f"https://elsewhere.example{CHAT}"), lambda _, b: b.rest == b"")
    ),
    "tx-request-id-missing": Shown(WHOLE, without("x-request-id")),
    "tx-space-before-colon": Shown(WHOLE, lambda g, b: b"\r\nx-relay : a" in b.head and b.level == g.level),
    "tx-header-folded": Shown(WHOLE, lambda g, b: b"\r\nx-relay: a\r\n b" in b.head and b.level == g.level),
    "tx-bare-lf": Shown(WHOLE, lambda g, b: b"\r" not in b.head and b.head.count(b"\n") > 2 and b.level == g.level),
    "tx-content-type-twice": Shown(WHOLE, has("content-type", "application/json", "application/json")),
    "tx-length-and-chunks": Shown(
        WHOLE, both(has("transfer-encoding", "chunked"), lambda g, b: b.value("content-length") == str(len(b.body)))
    ),
    "tx-date-missing": Shown(WHOLE, without("date")),
    "tx-header-text": Shown(WHOLE, lambda g, b: "x-relay-note: 余额不足".encode() in b.head),
    "tx-bytes-behind-end": Shown(
        WHOLE, lambda g, b: b.level == g.level + b"{}" and int(b.value("content-length")) == len(b.rest) - 2
    ),
    "head-with-body": Shown(replace(MODELS, method="HEAD"), lambda g, b: g.rest == b"" and bool(b.json.get("data"))),
    "options-204-with-body": Shown(
        OPTIONS, lambda g, b: (b.status, b.value("content-length"), b.rest, g.rest) == (204, "2", b"{}", b"")
    ),
    "tx-close-delimited": Shown(
        STREAM,
        lambda g, b: not {"transfer-encoding", "content-length"} & {*b.names} and b.rest.endswith(b"[DONE]\n\n"),
    ),
    "tx-gzip-unasked": Shown(WHOLE, both(has("content-encoding", "gzip"), lambda g, b: bool(gzip.decompress(b.rest)))),
    "tx-json-leading-whitespace": Shown(WHOLE, lambda g, b: b.level == b"  \n" + g.level),
    "tx-rst-poisons-pool": Shown(
        STREAM, lambda g, b: b.data.endswith(b"\r\n0\r\n\r\n") and b.end == RESET and not b.values("connection")
    ),
    "tx-nonstream-524": Shown(
        Ask(body=said(max_tokens=1000)),
        both(_code(524), has("content-type", "text/html"), lambda _, b: b"<!DOCTYPE" in b.rest),
    ),
}

HTTP: dict[str, Shown] = {
    "head-request-refused": Shown(replace(MODELS, method="HEAD"), _code(405)),
    "method-404": Shown(PUT, lambda g, b: (g.status, b.status) == (405, 404)),
    "allow-missing": Shown(PUT, both(without("allow"), lambda g, b: b.status == 405)),
    "cors-options-refused": Shown(PREFLIGHT, _code(401)),
    "cors-stainless-headers-refused": Shown(
        PREFLIGHT, has("access-control-allow-headers", "authorization, content-type")
    ),
    "cors-preflight-post-missing": Shown(PREFLIGHT, has("access-control-allow-headers", "x-stainless-os")),
    "cors-headers-star": Shown(PREFLIGHT, has("access-control-allow-headers", "*")),
    "cors-origin-twice": Shown(ORIGIN, has("access-control-allow-origin", "*", "*")),
    "options-500": Shown(OPTIONS, _code(500)),
    "tx-trailing-slash-redirect": Shown(replace(WHOLE, path=f"{CHAT}/"), both(_code(301), has("location", CHAT))),
    "tx-double-slash": Shown(replace(WHOLE, path=f"/{CHAT}"), both(_code(301), has("location", CHAT))),
    "auth-scheme-lower-refused": Shown(replace(WHOLE, key=f"authorization: bearer {KEY}"), _code(401)),
    "auth-name-case": Shown(replace(WHOLE, key=f"AUTHORIZATION: Bearer {KEY}"), _code(401)),
    "auth-twice-500": Shown(WHOLE.with_header("authorization", f"Bearer {KEY}"), _code(500)),
    "content-type-charset-refused": Shown(replace(WHOLE, media="application/json; charset=utf-8"), _code(415)),
    "content-type-case-refused": Shown(replace(WHOLE, media="Application/JSON"), _code(415)),
    "body-whitespace-refused": Shown(Ask(body=b" " + json.dumps(said()).encode()), _code(415)),
    "body-gzip-refused": Shown(
        Ask(body=gzip.compress(json.dumps(said()).encode())).with_header("content-encoding", "gzip"), _code(415)
    ),
    "tx-expect-100": Shown(WHOLE.with_header("expect", "100-continue"), _code(417)),
    "tx-body-limit-small": Shown(LARGE, _code(413)),
    "error-413-misreported": Shown(LARGE, both(_code(404), lambda g, b: "Cannot POST" in b.error["message"])),
    "stream-accept-406": Shown(STREAM.with_header("accept", "application/json"), _code(406)),
}

SERVICE: dict[str, Shown] = {
    "auth-not-checked": Shown(NO_KEY, lambda g, b: answered(g, b, 401)),
    "auth-any-key": Shown(WRONG_KEY, lambda g, b: answered(g, b, 401)),
    "auth-key-optional": Shown(NO_KEY, lambda g, b: answered(g, b, 401)),
    "unknown-model-200": Shown(UNKNOWN, lambda g, b: answered(g, b, 404)),
    "request-not-validated": Shown(NO_MESSAGES, lambda g, b: answered(g, b, 400)),
    "unknown-path-200-html": Shown(
        NOWHERE, lambda g, b: (g.status, b.status) == (404, 200) and b"<!doctype html>" in b.rest
    ),
    "auth-other-scheme-taken": Shown(replace(WHOLE, key="authorization: Basic eDp5"), lambda g, b: answered(g, b, 401)),
    "content-type-ignored": Shown(replace(WHOLE, media="text/plain"), lambda g, b: answered(g, b, 415)),
    "error-200-with-error-body": Shown(UNKNOWN, lambda g, b: turned(g, b, 404, 200)),
    "error-names-no-member": Shown(
        NO_MESSAGES, lambda g, b: (b.error["param"], b.error["message"]) == (None, "Invalid request.")
    ),
    "error-is-string": Shown(UNKNOWN, lambda g, b: b.error == g.error["message"]),
    "error-members-missing": Shown(UNKNOWN, lambda g, b: set(b.error) == {"message", "type"}),
    "error-code-is-number": Shown(UNKNOWN, lambda g, b: b.error["code"] == 404),
    "error-4xx-as-5xx": Shown(NO_MESSAGES, lambda g, b: turned(g, b, 400, 500)),
    "error-missing-messages-500": Shown(NO_MESSAGES, lambda g, b: turned(g, b, 400, 500)),
    "error-html": Shown(UNKNOWN, both(has("content-type", "text/html"), lambda g, b: b"502 Bad Gateway" in b.rest)),
    "error-content-type-text": Shown(
        UNKNOWN, both(has("content-type", "text/plain; charset=utf-8"), lambda g, b: b.level == g.level)
    ),
    "unknown-model-503": Shown(UNKNOWN, lambda g, b: turned(g, b, 404, 503)),
    "unknown-path-400": Shown(NOWHERE, lambda g, b: turned(g, b, 404, 400)),
    "sse-200-committed-before-upstream-known": Shown(
        Ask(body=said(model="nobody", stream=True)),
        both(_code(200), has("content-type", "text/event-stream"), lambda g, b: b.events[1:] == ["[DONE]"]),
    ),
    "chat-legal-request-500": Shown(
        Ask(body=said(stream=True, stream_options={"include_usage": True})), lambda g, b: told(b, 500, "message")
    ),
    "error-upstream-key-leak": Shown(UNKNOWN, lambda g, b: KEY in b.error["message"]),
    "key-echoed-in-header": Shown(WHOLE, has("x-upstream-authorization", KEY)),
    "error-401-no-www-authenticate": Shown(NO_KEY, without("www-authenticate")),
    "error-403-as-401": Shown(UNKNOWN, lambda g, b: turned(g, b, 404, 401)),
    "error-401-as-403": Shown(NO_KEY, lambda g, b: turned(g, b, 401, 403)),
    "error-429-no-retry-after": Shown(UNKNOWN, lambda g, b: turned(g, b, 404, 429) and "retry-after" not in b.names),
    "error-retry-after-in-words": Shown(UNKNOWN, both(_code(429), has("retry-after", "soon"))),
    "error-ratelimit-headers-dropped": Shown(
        UNKNOWN, both(_code(429), lambda _, b: not any("ratelimit" in name for name in b.names))
    ),
    "request-id-constant": Shown(UNKNOWN, has("x-request-id", "req_0")),
    "error-context-length-code-lost": Shown(
        Ask(body=said(max_tokens=10**9)), lambda g, b: b.error["code"] == "upstream_client_error" != g.error["code"]
    ),
    "error-channel-key-leak": Shown(UNKNOWN, lambda g, b: "sk-proj-0123456789" in b.error["message"]),
    "error-upstream-host-leak": Shown(UNKNOWN, lambda g, b: "dial tcp 10.0.3.7:3000" in b.error["message"]),
    "error-message-mutated": Shown(UNKNOWN, lambda g, b: b.error["message"].count("(request id: ") == 2),
    "error-message-localised-without-code": Shown(
        UNKNOWN, lambda g, b: b.error["message"] == "无效的请求" and b.error["code"] is None
    ),
    "error-message-localised": Shown(
        UNKNOWN, lambda g, b: "请求无效" in b.error["message"] and b.error["type"] == "new_api_error"
    ),
}

HONEST: dict[str, Shown] = {
    "honest-crlf": Shown(STREAM, lambda g, b: b.level == g.level.replace(b"\n", b"\r\n")),
    "honest-no-space": Shown(STREAM, lambda g, b: b.level == g.level.replace(b"data: ", b"data:")),
    "honest-keep-alive": Shown(STREAM, lambda g, b: b.body.count(b": PING\n\n") == len(g.events) and same_text(g, b)),
    "honest-slow": Shown(
        STREAM, lambda g, b: b.reads[-1][0] > g.reads[-1][0] + 0.5 and b.level == g.level, paced=True
    ),
    "honest-chunked-json": Shown(WHOLE, lambda g, b: len(b.chunks) == 3 and b.level == g.level),
    "honest-gzip": Shown(WHOLE, lambda g, b: b.value("content-encoding") == "gzip" and b'"choices"' in unpacked(b)),
    "honest-header-case": Shown(WHOLE, lambda g, b: "CONTENT-TYPE" in b.names and b.level == g.level),
    "honest-media-type-case": Shown(STREAM, has("content-type", "Text/Event-Stream")),
    "honest-charset-utf8": Shown(WHOLE, has("content-type", "application/json; charset=UTF-8")),
    "honest-headers-extra": Shown(WHOLE, has("x-new-api-version", "v0.9")),
    "honest-429-then-well": Shown(WHOLE, both(_code(429), has("retry-after", "1"))),
    "honest-429-without-retry-after": Shown(WHOLE, lambda g, b: b.status == 429 and "retry-after" not in b.names),
    "honest-503-then-well": Shown(WHOLE, both(_code(503), has("retry-after", "1"))),
    "honest-bursty": Shown(STREAM, lambda g, b: 1 < len(b.chunks) < len(g.chunks) / 4 and b.level == g.level),
    "honest-members-reversed": Shown(
        WHOLE, lambda g, b: list(b.json) == list(g.json)[::-1] and b.json["choices"] == g.json["choices"]
    ),
    "honest-model-prefix": Shown(WHOLE, lambda g, b: b.json["model"] == f"vendor/{g.json['model']}"),
    "honest-other-words": Shown(WHOLE, lambda g, b: b.status == 200 and b.json["choices"] != g.json["choices"]),
    "honest-thinks-first": Shown(
        WHOLE, lambda g, b: bool(b.json["choices"][0]["message"].get("reasoning_content"))
    ),
    "honest-declines": Shown(
        Ask(body=said("Write a long story about the sea, and one about the hills.")),
        lambda g, b: "I would rather not." in b.json["choices"][0]["message"]["content"],
    ),
}  # fmt: skip

SHOWN: dict[str, Shown] = {**FRAMING, **TRANSPORT, **HTTP, **SERVICE, **HONEST}
OF_LAYERS = [fault.id for fault in FAULTS.values() if layer(fault) in LAYERS]
