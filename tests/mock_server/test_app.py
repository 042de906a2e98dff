"""What a right relay answers, over a real socket, and in process."""

import asyncio
import gzip
import json
import math
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any

import httpx2
import pytest

from mock_server.answer import Asked
from mock_server.app import create_app
from mock_server.faults import Fault
from mock_server.library import RECORDINGS, load
from mock_server.options import Conduct, Options
from mock_server.process import running
from mock_server.replay import Pace
from openapi import document, schema
from tests.mock_server.wire import Ask, Seen, Wire

CHAT = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
DOCUMENT = document.load()
JSON = ("content-type", "application/json")


def refused(seen: Seen, status: int, code: str) -> dict[str, object]:
    """The error, which must be what the document says of one."""
    error = seen.error()
    assert (seen.status, seen.header("content-type"), error["code"]) == (status, "application/json", code)
    assert not schema.faults(DOCUMENT, "/components/schemas/ErrorResponse", json.loads(seen.body))
    return error


# --- keys ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("method", "path"), [("POST", "/v1/chat/completions"), ("GET", "/v1/models")])
def test_no_key_is_401(ask: Ask, method: str, path: str) -> None:
    seen = ask(method, path, CHAT if method == "POST" else None, key=None)
    refused(seen, 401, "invalid_api_key")
    assert seen.header("www-authenticate") == "Bearer"


@pytest.mark.parametrize(
    "lines",
    [
        ["Bearer k"],
        ["bearer k"],
        ["BEARER  k "],
        ["Bearer k", "Bearer  k"],
        ["Bearer k, Bearer  k"],
        ["Bearer My API Key"],
    ],
)
def test_any_key_is_let_in_however_it_is_written(ask: Ask, lines: list[str]) -> None:
    headers = tuple(("Authorization", line) for line in lines)
    assert ask("GET", "/v1/models", key=None, headers=headers).status == 200


@pytest.mark.parametrize("line", ["Bearer", "Bearer ", "Basic k", "k"])
def test_what_is_no_key_is_none(ask: Ask, line: str) -> None:
    assert ask("GET", "/v1/models", key=None, headers=(("Authorization", line),)).status == 401


def test_with_a_key_of_its_own_only_that_one_is_let_in(ask: Ask) -> None:
    with running("--api-key", "right one", "--speed", "max") as url:
        assert ask("GET", "/v1/models", key="right one", url=url).status == 200
        assert ask("GET", "/v1/models", key=None, url=url).status == 401
        refused(ask("GET", "/v1/models", key="wrong", url=url), 401, "invalid_api_key")
        two = (("authorization", "Bearer wrong"),)
        assert ask("GET", "/v1/models", key="right one", headers=two, url=url).status == 401


def test_recordings_of_a_wrong_key_answer_a_wrong_key(ask: Ask) -> None:
    body = {"model": "smollm2", "messages": [{"role": "user", "content": "List three colours."}], "max_tokens": 3}
    with running("--api-key", "right", "--speed", "max") as url:
        assert [ask(body=body, key="wrong", url=url).status for _ in range(3)] == [400, 200, 401]


# --- paths and methods -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/v1", "/v1/chat", "/v1/models/", "/V1/models", "/v1/%2e%2e/x", "//v1/models"])
def test_an_unknown_path_is_404(ask: Ask, path: str) -> None:
    refused(ask("GET", path), 404, "not_found")


def test_a_wrong_method_is_405_and_tells_the_right_ones(ask: Ask) -> None:
    seen = ask("GET", "/v1/chat/completions")
    refused(seen, 405, "method_not_allowed")
    assert seen.header("allow") == "OPTIONS, POST"
    assert ask("DELETE", "/v1/models").header("allow") == "GET, HEAD, OPTIONS"


def test_head_is_get_without_its_body(ask: Ask) -> None:
    head, get = ask("HEAD", "/v1/models"), ask("GET", "/v1/models")
    assert (head.status, head.body) == (200, b"")
    assert [head.header(name) for name in ("content-type", "content-length")] == [
        get.header(name) for name in ("content-type", "content-length")
    ]


def test_a_browser_asks_first_without_a_key(ask: Ask) -> None:
    asks = (
        ("origin", "http://a.example"),
        ("access-control-request-method", "POST"),
        ("access-control-request-headers", "authorization, x-new"),
    )
    seen = ask("OPTIONS", "/v1/chat/completions", key=None, headers=asks)
    assert (seen.status, seen.body) == (204, b"")
    assert seen.header("access-control-allow-origin") == "*"
    assert "POST" in (seen.header("access-control-allow-methods") or "")
    assert seen.header("access-control-allow-headers") == "authorization, x-new"


def test_options_alone_tells_the_methods(ask: Ask) -> None:
    assert ask("OPTIONS", "/v1/models", key=None).header("allow") == "GET, HEAD, OPTIONS"
    assert ask("OPTIONS", "/v1/nope", key=None).status == 404


@pytest.mark.parametrize("body", [CHAT, {}, {**CHAT, "stream": True}])
def test_what_a_browser_asked_it_may_read(ask: Ask, body: dict[str, object]) -> None:
    assert ask(body=body, headers=(("Origin", "http://a.example"),)).header("access-control-allow-origin") == "*"


def test_every_answer_has_a_request_id_of_its_own(ask: Ask) -> None:
    seen = [ask(body=CHAT), ask(body=CHAT), ask("GET", "/nope"), ask("GET", "/v1/models"), ask(body={}), ask(key=None)]
    seen += [ask("OPTIONS", "/v1/models"), ask(body={**CHAT, "model": "sora-2", "stream": True})]
    ids = {one.header("x-request-id") for one in seen}
    assert len(ids) == len(seen)
    assert None not in ids


# --- bodies ----------------------------------------------------------------------------------------------------------


def test_an_empty_body_is_400(ask: Ask) -> None:
    refused(ask(headers=(JSON,)), 400, "invalid_json")
    refused(ask(headers=(JSON, ("content-length", "0"))), 400, "invalid_json")


@pytest.mark.parametrize("body", [b'{"model":', b"\xff", b"{} {}", b'{"a":NaN}', b"\x00"])
def test_what_is_no_json_is_400(ask: Ask, body: bytes) -> None:
    refused(ask(body=body, headers=(JSON,)), 400, "invalid_json")


@pytest.mark.parametrize("media", ["text/plain", "application/x-www-form-urlencoded", "application/jsonx", ""])
def test_another_media_type_is_415(ask: Ask, media: str) -> None:
    refused(ask(body=json.dumps(CHAT).encode(), headers=(("content-type", media),)), 415, "unsupported_media_type")


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/vnd.x+json"])
def test_json_by_any_name_is_taken(ask: Ask, media: str) -> None:
    assert ask(body=json.dumps(CHAT).encode(), headers=(("content-type", media),)).status == 200


def test_a_body_may_be_gzip(ask: Ask) -> None:
    packed = gzip.compress(json.dumps(CHAT).encode())
    coded = (JSON, ("Content-Encoding", "GZip"))
    assert ask(body=packed, headers=coded).status == 200
    for broken in (packed[:-1], packed + b"x", b"{}"):
        refused(ask(body=broken, headers=coded), 415, "unsupported_media_type")


def test_a_body_that_expands_beyond_the_limit_is_413(ask: Ask) -> None:
    bomb = gzip.compress(b" " * (40 << 20))
    refused(ask(body=bomb, headers=(JSON, ("content-encoding", "gzip"))), 413, "request_too_large")


@pytest.mark.parametrize("media", ["application/json; charset=utf-8", "Application/JSON", "application/json ;x=y"])
def test_a_media_type_is_read_as_http_has_it(ask: Ask, media: str) -> None:
    assert ask(body=json.dumps(CHAT).encode(), headers=(("content-type", media),)).status == 200


def test_white_space_around_the_json_and_an_expectation_change_nothing(ask: Ask) -> None:
    body = b"\r\n\t " + json.dumps(CHAT).encode() + b"\n"
    assert ask(body=body, headers=(JSON, ("expect", "100-continue"))).status == 200


def test_a_coded_body_is_415(ask: Ask) -> None:
    refused(ask(body=CHAT, headers=(("content-encoding", "br"),)), 415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("change", "param"),
    [
        ({"messages": None}, "messages"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "robot", "content": "x"}]}, "messages[0].role"),
        ({"temperature": "hot"}, "temperature"),
        ({"temperature": 5}, "temperature"),
        ({"n": 0}, "n"),
        ({"stream": "yes"}, "stream"),
        ({"model": 7}, "model"),
    ],
)
def test_what_the_document_forbids_is_400_and_named(ask: Ask, change: dict[str, object], param: str) -> None:
    assert refused(ask(body={**CHAT, **change}), 400, "invalid_value")["param"] == param


def test_every_fault_is_told(ask: Ask) -> None:
    message = str(refused(ask(body={"temperature": "hot", "n": -4}), 400, "invalid_value")["message"])
    assert all(name in message for name in ("model", "messages", "temperature", "n"))


@pytest.mark.parametrize("body", [b"[" * 5000, b"[" * 201 + b"]" * 201, b'{"a":' * 300 + b"1" + b"}" * 300])
def test_deep_json_is_413(ask: Ask, body: bytes) -> None:
    refused(ask(body=body, headers=(JSON,)), 413, "request_too_large")


def test_brackets_within_strings_are_not_deep(ask: Ask) -> None:
    assert ask(body={**CHAT, "messages": [{"role": "user", "content": '[{"' * 500}]}).status == 200


LARGE = 33 << 20


HEAD = b"POST /v1/chat/completions HTTP/1.1\r\nhost: m\r\nauthorization: Bearer k\r\n"


def test_a_huge_body_is_413_even_while_it_is_sent(wire: Wire) -> None:
    wire.send(HEAD + b"content-length: %d\r\n\r\n" % LARGE + b" " * LARGE)
    refused(wire.answer(), 413, "request_too_large")


def test_a_huge_body_without_a_length_is_413(wire: Wire) -> None:
    wire.send(HEAD + b"transfer-encoding: chunked\r\n\r\n")
    for _ in range(33):
        wire.send(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
    wire.send(b"0\r\n\r\n")
    refused(wire.answer(), 413, "request_too_large")


def test_who_asks_before_sending_too_much_is_refused_at_once(wire: Wire) -> None:
    wire.send(HEAD + b"expect: 100-continue\r\ncontent-length: %d\r\n\r\n" % LARGE)
    refused(wire.answer(), 413, "request_too_large")


# --- models ----------------------------------------------------------------------------------------------------------


def test_the_models_of_the_mock_and_of_its_recordings_are_listed(ask: Ask) -> None:
    listed = {model["id"] for model in json.loads(ask("GET", "/v1/models").body)["data"]}
    assert {"mock-chat", "mock-reasoner", "sora-2", "smollm2"} <= listed
    assert "no-such-model" not in listed


@pytest.mark.parametrize("name", ["sora-2", "smollm2", "mock-anything"])
def test_a_known_model_is_told_and_answers(ask: Ask, name: str) -> None:
    assert json.loads(ask("GET", f"/v1/models/{name}").body)["id"] == name
    assert ask(body={**CHAT, "model": name, "max_tokens": 1}).status == 200


@pytest.mark.parametrize("stream", [True, False])
def test_an_unknown_model_is_404(ask: Ask, stream: bool) -> None:
    error = refused(ask(body={**CHAT, "model": "no-such-model", "stream": stream}), 404, "model_not_found")
    assert error["param"] == "model"
    refused(ask("GET", "/v1/models/org%2Fname"), 404, "model_not_found")


# --- recordings ------------------------------------------------------------------------------------------------------

VIDEO = {"model": "sora-2", "stream": True, "messages": [{"role": "user", "content": "a cat"}]}
FIRST = "authored/seq-1-create-video"


def test_any_video_streams_the_recorded_one(ask: Ask) -> None:
    picked = ask(body={}, headers=(("X-Relay-Recording", FIRST),))
    seen = ask(body=VIDEO, headers=(("accept", "application/json"),))
    assert seen.header("content-type") == "text/event-stream"
    assert (seen.body, seen.chunks) == (picked.body, picked.chunks)


def test_an_unknown_recording_is_404_and_told_what_is_near(ask: Ask) -> None:
    seen = ask(body=VIDEO, headers=(("X-Relay-Recording", "authored/seq-1"),))
    assert FIRST in str(refused(seen, 404, "not_found")["message"])


def test_equal_requests_are_answered_in_turn_before_anything_is_checked(ask: Ask, tmp_path: Path) -> None:
    head = {
        "recording": 1,
        "source": "authored",
        "of": "a test",
        "request": {"method": "PUT", "path": "/odd?x=1", "headers": [JSON], "body": {"b": 1, "a": 2}},
        "response": {"status": 299, "headers": [["X-A", "1"]], "framing": "content-length"},
    }
    for name in ("two", "one"):
        (tmp_path / "s").mkdir(exist_ok=True)
        lines = [head, [0.0, name], {"end": "complete", "at": 0.0}]
        (tmp_path / "s" / f"{name}.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines))
    with running("--recordings", str(tmp_path), "--speed", "max") as url:
        seen = [ask("PUT", "/odd?x=1", {"a": 2.0, "b": 1}, key=None, url=url) for _ in range(3)]
        assert [(one.status, one.body) for one in seen] == [(299, b"one"), (299, b"two"), (299, b"one")]
        refused(ask("PUT", "/odd?x=1", {"a": 2}, url=url), 404, "not_found")
        refused(ask(body={**CHAT, "model": "smollm2"}, url=url), 404, "model_not_found")
        assert ask(body=VIDEO, url=url).status == 200


# --- faults ----------------------------------------------------------------------------------------------------------


def test_faults_compose_and_reach_recordings(ask: Ask) -> None:
    with running("--speed", "max", "--fault", "chat-stream-done-missing", "--fault", "param-n-ignored") as url:
        assert b"[DONE]" not in ask(body=VIDEO, url=url).body
        assert b"[DONE]" not in ask(body={**CHAT, "stream": True}, url=url).body
        assert len(json.loads(ask(body={**CHAT, "n": 3}, url=url).body)["choices"]) == 1


# --- in process ------------------------------------------------------------------------------------------------------


def test_the_application_answers_without_a_server() -> None:
    app = create_app(DOCUMENT, load(RECORDINGS, DOCUMENT), Options(pace=Pace(math.inf)))

    async def run() -> tuple[int, str]:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://mock") as client:
            answer = await client.post(
                "/v1/chat/completions", json={**CHAT, "stream": True}, headers={"authorization": "Bearer k"}
            )
            return answer.status_code, answer.text

    status, text = asyncio.run(run())
    assert status == 200
    assert text.endswith("data: [DONE]\n\n")


@pytest.mark.parametrize(
    ("kind", "received", "expected"),
    [
        ("websocket", ["websocket.connect"], ["websocket.close"]),
        (
            "lifespan",
            ["lifespan.startup", "lifespan.shutdown"],
            ["lifespan.startup.complete", "lifespan.shutdown.complete"],
        ),
    ],
)
def test_other_protocols_are_declined(kind: str, received: list[str], expected: list[str]) -> None:
    sent: list[str] = []
    app = create_app(DOCUMENT, load(RECORDINGS / "authored", DOCUMENT))

    async def receive() -> MutableMapping[str, Any]:
        return {"type": received.pop(0)}

    async def send(message: MutableMapping[str, Any]) -> None:
        sent.append(message["type"])

    asyncio.run(app({"type": kind, "path": "/v1/realtime", "headers": []}, receive, send))
    assert sent == expected


def test_a_fault_of_our_own_is_500_in_the_envelope(caplog: pytest.LogCaptureFixture) -> None:
    def raises(_: object) -> Asked:
        raise ZeroDivisionError

    fault = Fault("broken", "", (), asked=raises)
    app = create_app(DOCUMENT, load(RECORDINGS / "authored", DOCUMENT), Options(conduct=Conduct(faults=(fault,))))

    async def run() -> int:
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app), base_url="http://mock") as client:
            return (await client.get("/v1/models")).status_code

    assert asyncio.run(run()) == 500
    assert "ZeroDivisionError" in caplog.text
