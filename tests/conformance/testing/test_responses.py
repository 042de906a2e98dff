"""An answer of somebody else's client is judged as our own capture of it, as far as it goes."""

from dataclasses import replace
from typing import Any

import httpx
import httpx2
import pytest

from conformance.judge import judge
from conformance.rules import BOOK
from conformance.testing.responses import exchange_of, needs_wire
from openapi.wire.exchange import Auth, End, Exchange
from openapi.wire.redaction import MARK, Redactor

BASE = "https://relay.example/prefix"
KEY = "sk-relayproof-test-response-0123"
NOBODY = Redactor([])
LIBRARIES = pytest.mark.parametrize("library", [httpx, httpx2], ids=lambda library: library.__name__)
ASKED = {"model": "m", "messages": [{"role": "user", "content": f"my key is {KEY}"}]}


@LIBRARIES
def test_a_recording_is_judged_alike_by_what_a_client_keeps_of_it(
    library: Any, recording: tuple[str, Exchange]
) -> None:
    _, whole = recording
    if whole.end is not End.COMPLETE or whole.status is None:
        pytest.skip("a client raises here, and has no response")
    asked = whole.request
    headers = [pair for pair in asked.headers if pair[0] != "content-length"]
    headers += [("authorization", f"Bearer {KEY}")] if asked.auth is not Auth.NONE else []
    request = library.Request(asked.method, BASE + asked.path, headers=headers, content=asked.body)
    answer = [pair for pair in whole.headers if pair[0] not in {"content-encoding", "transfer-encoding"}]
    response = library.Response(whole.status, headers=answer, content=whole.content, request=request)
    thin = exchange_of(response, whole.id, BASE, NOBODY)
    rules = {name: rule for name, rule in BOOK.items() if not needs_wire(rule)}
    known = replace(thin.request, auth=asked.auth)  # whether a key is right no client knows
    seen = replace(thin, request=known, probe=whole.probe, operation=whole.operation)
    kept = {(one.rule, one.outcome) for one in judge([whole], rules)}
    assert {(one.rule, one.outcome) for one in judge([seen], rules)} == kept


@LIBRARIES
def test_no_key_is_kept_wherever_it_stood(library: Any) -> None:
    request = library.Request(
        "POST",
        f"{BASE}/v1/chat/completions?a=1",
        headers={"Authorization": f"Bearer {KEY}", "X-Api-Key": KEY},
        json=ASKED,
    )
    response = library.Response(401, json={"error": {"message": f"wrong key {KEY}"}}, request=request)
    exchange = exchange_of(response, "r1", BASE, NOBODY)
    assert KEY not in repr(exchange.headers) + repr(exchange.request.headers) + exchange.body.decode()
    assert MARK in exchange.body.decode()
    assert (exchange.request.path, exchange.request.auth) == ("/v1/chat/completions?a=1", None)


@LIBRARIES
def test_what_was_not_read_is_told(library: Any) -> None:
    request = library.Request("GET", f"{BASE}/v1/models")
    response = library.Response(200, content=iter([b"{}"]), request=request)
    with pytest.raises(ValueError, match="read it first"):
        exchange_of(response, "r1", BASE, NOBODY)
    with pytest.raises(TypeError, match="expected an exchange, or a response of httpx, not str"):
        exchange_of("a text", "r1", BASE, NOBODY)  # type: ignore[arg-type]
