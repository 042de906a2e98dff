"""What the document forbids: every fault at once, each with a code, and three ways to take it."""

import json

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mock_server.explain import explain
from mock_server.process import running
from mock_server.validation import CODES, HEADER, Code, code_of, named
from openapi import document, schema
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Headers
from tests.mock_server.wire import Ask, Seen

HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hi"}]}
WRONG: dict[str, Json] = {**HELLO, "temperature": "hot", "n": 0, "stop": 5}
DOCUMENT = document.load()
POINTER = DOCUMENT.operation("createChatCompletion").request or ""


DRAWN = [code for code in CODES.values() if code.example[1] is not None]


@pytest.mark.parametrize("code", DRAWN, ids=lambda code: code.name)
def test_each_code_is_drawn_by_its_example(code: Code) -> None:
    name, value = code.example
    found = schema.faults(DOCUMENT, POINTER, {**HELLO, name: value})
    assert code in [code_of(one) for one in found], found


def test_every_fault_is_told_at_once(ask: Ask) -> None:
    seen = ask(body=WRONG)
    assert seen.status == 400
    assert (seen.header(HEADER) or "").startswith("3: V-RANGE n, ")
    assert all(name in str(seen.error()["message"]) for name in ("temperature", "n:", "stop"))
    assert seen.error()["param"] == "n"


def test_who_asks_finds_a_record_of_each(ask: Ask) -> None:
    for path, more in (("/v1/chat/completions", {}), ("/v1/messages", {"max_tokens": 5, "temperature": "hot"})):
        body = {**WRONG, **more}
        seen = ask(path=path, body=body, headers=(("x-relay-explain", "true"),))
        records = json.loads(seen.body)["error"]["violations"]
        assert {"code": "V-TYPE", "path": "/temperature", "param": "temperature", "got": '"hot"'}.items() <= next(
            one for one in records if one["path"] == "/temperature"
        ).items()


def validated(ask: Ask, mode: str, body: object = None) -> Seen:
    return ask(body=body or WRONG, headers=(("x-relay-validate", mode),))


def test_a_request_may_be_warned_or_let_through(ask: Ask) -> None:
    warned = validated(ask, "warn")
    assert (warned.status, (warned.header(HEADER) or "")[:2]) == (200, "3:")
    off = validated(ask, "off")
    assert (off.status, off.header(HEADER)) == (200, None)
    assert validated(ask, "nonsense").status == 400
    assert validated(ask, "warn", HELLO).header(HEADER) is None
    assert ask(body=b"{", headers=(("content-type", "application/json"), ("x-relay-validate", "off"))).status == 400


def test_the_mock_may_be_started_so(ask: Ask) -> None:
    with running("--speed", "max", "--validate", "warn") as url:
        seen = ask(body=WRONG, url=url)
        assert (seen.status, (seen.header(HEADER) or "")[:2]) == (200, "3:")
        assert ask(body=WRONG, headers=(("x-relay-validate", "reject"),), url=url).status == 400


def test_a_warning_reaches_recordings_and_faults_too(ask: Ask) -> None:
    headers: Headers = (("x-relay-validate", "warn"), ("x-relay-fault", "chat-stream-done-missing"))
    seen = ask(body={**WRONG, "stream": True}, headers=headers)
    assert (seen.status, (seen.header(HEADER) or "")[:2], b"[DONE]" in seen.body) == (200, "3:", False)


@given(st.lists(st.builds(SchemaFault, st.text(max_size=200).map("/".__add__), st.text(max_size=9), *[st.text()] * 3)))
def test_what_the_header_says_can_stand_in_one(faults: list[SchemaFault]) -> None:
    text = named(faults)
    assert text.isascii()
    assert text.isprintable()
    assert len(text) < 1000


def test_explain_says_what_a_code_means() -> None:
    listed = CliRunner().invoke(explain, []).output
    assert all(name in listed for name in CODES)
    told = CliRunner().invoke(explain, ["v-type"])
    assert (told.exit_code, '{"temperature": "hot"}' in told.output) == (0, True)
    unknown = CliRunner().invoke(explain, ["E9"])
    assert (unknown.exit_code, "there are V-MISSING" in unknown.output) == (2, True)
