"""The hand on a running mock, over a socket: what it tells, what it changes, and whom it lets in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from shutil import copyfile
from threading import Thread
from time import sleep
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from mock_server.control import Control
from mock_server.library import RECORDINGS
from mock_server.options import Options
from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import Headers
from tests.mock_server.wire import Ask, Seen

KEY = "sk-planted-0123456789abcdef"
CHAT = "/v1/chat/completions"
HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}


@pytest.fixture
def url() -> Iterator[str]:
    with running("--speed", "max") as base:
        yield base


def value(seen: Seen) -> Any:
    return json.loads(seen.body)


def control(ask: Ask, url: str, method: str, path: str, body: object = None, headers: Headers = ()) -> Seen:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return ask(method, f"/__relay__/{path}", data, (("host", "localhost"), *headers), None, url)


def numbers(seen: Seen) -> list[int]:
    return [entry["number"] for entry in value(seen)]


def test_health_says_what_is_served(ask: Ask, url: str) -> None:
    ask(body=HELLO, url=url)
    told = value(control(ask, url, "GET", "health"))
    assert (told["status"], told["answered"], told["workers"], told["under_way"]) == ("ok", 1, 1, 0)
    assert ask("GET", "/_x-steady/health", None, (("host", "127.0.0.1:1"),), None, url).status == 200


def test_the_journal_has_each_request_and_its_answer(ask: Ask, url: str) -> None:
    ask(body=HELLO, url=url)
    ask(body={**HELLO, "stream": True}, headers=(("x-relay-fault", "chat-stream-done-missing"),), url=url)
    ask("GET", "/v1/models/nobody", url=url)
    first, second, third = value(control(ask, url, "GET", "journal"))
    assert (first["number"], first["status"], first["by"], first["auth"]) == (1, 200, "made", "valid")
    assert (second["stream"], second["faults"]) == (True, ["chat-stream-done-missing"])
    assert (third["operation"], third["status"]) == ("retrieveModel", 404)
    whole = value(control(ask, url, "GET", "journal/2"))
    assert json.loads(whole["request"]["body"]) == {**HELLO, "stream": True}
    body, pieces = whole["response"]["body"], whole["response"]["pieces"]
    assert body.startswith("data: ")
    assert pieces[-1][1] == len(body.encode())
    assert 0 < whole["first_byte"] <= whole["last_byte"]
    assert control(ask, url, "GET", "journal/9").status == 404


def test_the_journal_is_filtered_and_forgotten(ask: Ask, url: str) -> None:
    for model in ("mock-chat", "mock-other", "nobody"):
        ask(body={**HELLO, "model": model}, url=url)
    for query, found in (
        ("model=mock-*", [1, 2]),
        ("status=404", [3]),
        ("since=2", [3]),
        ("limit=1", [3]),
        ("limit=0", []),
        ("operation=createMessage", []),
        ("method=POST&path=/v1/chat/*", [1, 2, 3]),
    ):
        assert numbers(control(ask, url, "GET", f"journal?{query}")) == found, query
    assert control(ask, url, "GET", "journal?modle=x").status == 400
    assert control(ask, url, "GET", "journal?since=x").status == 400
    assert control(ask, url, "DELETE", "journal").status == 204
    assert numbers(control(ask, url, "GET", "journal")) == []


def test_who_waits_is_told_as_soon_as_there_are_enough(ask: Ask, url: str) -> None:
    def later() -> None:
        sleep(0.2)
        for _ in range(2):
            ask(body=HELLO, url=url)

    thread = Thread(target=later)
    thread.start()
    found = control(ask, url, "GET", "journal/wait?count=2&timeout=10&model=mock-chat")
    thread.join()
    assert (found.status, numbers(found)) == (200, [1, 2])
    late = control(ask, url, "GET", "journal/wait?count=9&timeout=0.1")
    assert (late.status, numbers(late)) == (408, [1, 2])


def test_faults_are_changed_while_it_runs(ask: Ask, url: str) -> None:
    streamed = {**HELLO, "stream": True}
    assert value(control(ask, url, "PUT", "faults", ["chat-stream-done-missing*1"])) == ["chat-stream-done-missing*1"]
    assert [b"[DONE]" in ask(body=streamed, url=url).body for _ in range(2)] == [False, True]
    control(ask, url, "PUT", "faults", ["chat-stream-done-missing"])
    assert b"[DONE]" not in ask(body=streamed, url=url).body
    assert value(control(ask, url, "DELETE", "faults")) == []
    assert b"[DONE]" in ask(body=streamed, url=url).body
    refused = control(ask, url, "PUT", "faults", ["chat-stream-done-mising"])
    assert (refused.status, "did you mean chat-stream-done-missing" in str(refused.error()["message"])) == (400, True)
    assert control(ask, url, "PUT", "faults", {"a": 1}).status == 400
    assert len(value(control(ask, url, "GET", "faults/catalogue"))) > 300


def test_a_script_is_played_while_it_runs_and_reset_ends_it(ask: Ask, url: str) -> None:
    rule = b"[{name: mine, when: {model: gpt-9}, reply: Nine.}]"
    assert value(control(ask, url, "PUT", "script", rule)) == ["mine"]
    assert b"Nine." in ask(body={**HELLO, "model": "gpt-9"}, url=url).body
    wrong = control(ask, url, "PUT", "script", b"[{reply: 5}]")
    assert (wrong.status, "rule 1: reply" in str(wrong.error()["message"])) == (400, True)
    missing = control(ask, url, "PUT", "script", b"[{recording: litellm/chat-basik}]")
    assert (missing.status, "near: litellm/chat-basic" in str(missing.error()["message"])) == (400, True)
    assert control(ask, url, "POST", "reset").status == 204
    assert value(control(ask, url, "GET", "script")) == []
    assert ask(body={**HELLO, "model": "gpt-9"}, url=url).status == 404
    assert numbers(control(ask, url, "GET", "journal")) == [2]


def test_recordings_are_read_again_and_a_broken_one_changes_nothing(ask: Ask, tmp_path: Path) -> None:
    copyfile(RECORDINGS / "litellm" / "chat-basic.jsonl", tmp_path / "one.jsonl")
    with running("--recordings", str(tmp_path)) as url:
        assert [one["name"] for one in value(control(ask, url, "GET", "recordings"))] == ["one"]
        copyfile(RECORDINGS / "litellm" / "chat-zh.jsonl", tmp_path / "two.jsonl")
        assert value(control(ask, url, "POST", "reload")) == {"recordings": 2}
        (tmp_path / "three.jsonl").write_text("{}", encoding="utf-8")
        broken = control(ask, url, "POST", "reload")
        assert (broken.status, "three.jsonl" in str(broken.error()["message"])) == (409, True)
        assert len(value(control(ask, url, "GET", "recordings"))) == 2


def test_metrics_are_read_by_the_parser_of_prometheus(ask: Ask, url: str) -> None:
    ask(body=HELLO, url=url)
    ask(body={**HELLO, "model": 'a"b\\c'}, headers=(("x-relay-fault", "honest-crlf"),), url=url)
    seen = control(ask, url, "GET", "metrics")
    assert (seen.header("content-type") or "").startswith("text/plain; version=0.0.4")
    families = {one.name: one for one in text_string_to_metric_families(seen.body.decode())}
    counted = {
        (one.labels["operation"], one.labels["status"]): one.value for one in families["relayproof_requests"].samples
    }
    assert counted == {("createChatCompletion", "200"): 1, ("createChatCompletion", "404"): 1}
    assert families["relayproof_faults"].samples[0].labels == {"fault": "honest-crlf"}
    buckets = [one.value for one in families["relayproof_first_byte_seconds"].samples if one.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert buckets[-1] == 2


@pytest.mark.parametrize(
    "headers",
    [
        (("host", "evil.example"),),
        (("host", "localhost.evil.example"),),
        (("host", "localhost"), ("origin", "https://evil.example")),
        (("host", "localhost"), ("origin", "null")),
    ],
)
def test_a_page_of_somebody_else_gets_nothing(ask: Ask, url: str, headers: Headers) -> None:
    with_host = ask("GET", "/__relay__/journal", None, headers, None, url)
    assert (with_host.status, "Invalid URL" in str(with_host.error()["message"])) == (404, True)


def test_from_elsewhere_the_token_lets_in_and_nothing_else(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    guard = Control(None, Options(token="a-long-token"))  # type: ignore[arg-type]

    def scope(peer: str, *headers: tuple[bytes, bytes]) -> dict[str, Any]:
        return {"client": (peer, 1), "headers": [(b"host", b"localhost"), *headers]}

    assert guard.lets_in(scope("127.0.0.1"))
    assert guard.lets_in(scope("::1"))
    assert not guard.lets_in(scope("10.0.0.9"))
    assert guard.lets_in(scope("10.0.0.9", (b"authorization", b"Bearer a-long-token")))
    assert not guard.lets_in(scope("10.0.0.9", (b"authorization", b"Bearer a-long-tokem")))
    assert not guard.lets_in({"client": None, "headers": []})
    monkeypatch.setenv("RELAY_TOKEN", "a-long-token")
    with running("--control-token-env", "RELAY_TOKEN") as base:
        foreign = (("host", "relay.example"), ("authorization", "Bearer a-long-token"))
        assert ask("GET", "/__relay__/health", None, foreign, None, base).status == 200


@pytest.mark.parametrize(("method", "path"), [("GET", "jurnal"), ("PATCH", "health"), ("POST", "faults"), ("GET", "")])
def test_what_is_nothing_there_is_told_with_what_is_and_reaches_no_journal(
    ask: Ask, url: str, method: str, path: str
) -> None:
    control(ask, url, "DELETE", "journal")
    told = control(ask, url, method, path, {} if method != "GET" else None)
    assert told.status == 404
    assert "GET journal/wait" in value(told)["error"]["message"]
    assert numbers(control(ask, url, "GET", "journal")) == []


def test_without_control_there_is_nothing_there(ask: Ask) -> None:
    with running("--no-control") as url:
        assert control(ask, url, "GET", "health").status == 404


def test_the_journal_can_be_bounded_or_none(ask: Ask) -> None:
    with running("--journal", "2", "--speed", "max") as url:
        for _ in range(3):
            ask(body=HELLO, url=url)
        assert numbers(control(ask, url, "GET", "journal")) == [2, 3]
    with running("--journal", "0") as url:
        ask(body=HELLO, url=url)
        assert numbers(control(ask, url, "GET", "journal")) == []


def test_no_secret_is_found_in_the_journal_or_the_metrics(ask: Ask, url: str) -> None:
    """Planted in the key, another header, a cookie, the query, the body, and in what is echoed."""
    planted = {"bearer": KEY, "cookie": "c00kie-0123456789", "query": "qu3ry-0123456789", "member": "m3mber-0123456789"}
    headers = (("cookie", f"session={planted['cookie']}; a=b"), ("x-api-key", KEY), ("x-goog-api-key", KEY))
    said = f"Repeat this exactly: {planted['bearer']} {planted['cookie']} {planted['query']} {planted['member']}"
    for stream in (False, True):
        body = {**HELLO, "stream": stream, "messages": [{"role": "user", "content": said}]}
        ask(
            path=f"{CHAT}?key={planted['query']}",
            body=body | {"metadata": {"api_key": planted["member"]}},
            headers=headers,
            key=KEY,
            url=url,
        )
    spelled = {**HELLO, "messages": [{"role": "user", "content": f"Repeat this exactly: {KEY}"}]}
    for stream in (False, True):
        ask(body={**spelled, "stream": stream}, headers=(("accept-encoding", "gzip"),), key=KEY, url=url)
    google = b"AIza" + b"a" * 35
    ask(path="/v1/nowhere", body=b"an key of another: " + google, key=KEY, url=url)
    pages = ("journal", *(f"journal/{number}" for number in (1, 2, 3, 4, 5)), "metrics")
    told = [control(ask, url, "GET", page) for page in pages]
    bodies = [entry["response"]["body"] for entry in map(value, told[1:6])]
    deltas = [re.findall(r'"content":"((?:[^"\\\\]|\\\\.)*)"', body) for body in bodies if isinstance(body, str)]
    whole = b"".join(one.body for one in told) + "".join(map("".join, deltas)).encode()
    assert not any(isinstance(body, dict) for body in bodies), "a coding hides what it holds"
    assert b"relayproof:key" in whole
    for secret in (*map(str.encode, planted.values()), google):
        assert secret not in whole, secret
