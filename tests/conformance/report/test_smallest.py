"""What is shown of a finding of generated probes: one request, or each of a sequence."""

from dataclasses import replace
from typing import Any

from conformance.report.smallest import smallest
from conformance.rule import Level
from conformance.run import Footer, Found, Generated, Header, Run
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import chat_body, request

HEADER = Header({"name": "m", "base_url": "http://relay.example"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z")


def shown(data: Any, *exchanges: Exchange) -> tuple[tuple[str, ...], int]:
    """What is shown as asked, and how many commands ask it again."""
    case = {"kind": "x", "operation": "createChatCompletion", "role": "chat", "data": data}
    found = Found("chat.answered fuzz.x", Level.MUST, "500", "fuzz.x.1", "fuzz.x.2", 9, case)
    footer = Footer({}, {}, "2026-01-01T00:00:09Z", 1, generated=Generated(1, 1, 0, 9, (found,)))
    asked = tuple(replace(one, probe="fuzz.x.1", id=f"e{at}") for at, one in enumerate(exchanges))
    [one] = smallest(Run(HEADER, asked, (), footer))
    return one.asked, len(one.curl)


def test_of_one_request_it_is_the_body_and_of_a_sequence_each() -> None:
    first, second = (Exchange("e", request(chat_body(n=n)), 200) for n in (1, 2))
    body = '{"model":"m","messages":[{"role":"user","content":"hi"}],"n":1}'
    assert shown({"body": {}}, first, second) == ((body,), 2)
    asked, curls = shown({"body": {}, "moves": [{"move": "say"}]}, first, second)
    assert (asked, curls) == ((body, body.replace('"n":1', '"n":2')), 2)


def test_what_has_no_body_is_shown_by_its_path() -> None:
    listed = Exchange("e", request(method="GET", path="/v1/models", kind=None), 200)
    one = Exchange("e", request(method="GET", path="/v1/models/a%20b", kind=None), 404)
    asked, _ = shown({"moves": [{"link": "ListedModel", "item": 0}]}, listed, one)
    assert asked == ("GET /v1/models", "GET /v1/models/a%20b")
