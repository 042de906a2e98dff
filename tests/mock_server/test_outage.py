"""When a relay is down: the words, the windows, and what is on the wire meanwhile."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.duration import SECOND
from mock_server.outage import KINDS, Outage, OutageError, outage
from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import End, Request
from tests.mock_server.wire import Ask, Wire, encode

HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}


def test_the_words_say_when_and_how() -> None:
    assert outage("10s/60s") == Outage("10s/60s", 10 * SECOND, 60 * SECOND, 0, "503")
    text = "5s/1m,from=30s,as=reset"
    assert outage(text) == Outage(text, 5 * SECOND, 60 * SECOND, 30 * SECOND, "reset")
    assert outage("for=1s,from=2s").every == 0
    assert outage("for=1s,every=2s").every == 2 * SECOND


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "how long"),
        ("0s", "how long"),
        ("60s/10s", "how long"),
        ("10s/10s", "how long"),
        ("from=3s", "how long"),
        ("x/y", "is no time"),
        ("10s,as=404", "as: expected 503"),
        ("10s,until=3s", "says no outage"),
        ("10s,for=5s", "says no outage"),
    ],
)
def test_words_that_say_none_are_refused_in_a_line(text: str, told: str) -> None:
    with pytest.raises(OutageError, match=told):
        outage(text)


@given(st.integers(1, 100), st.integers(1, 100), st.integers(0, 300), st.integers(0, 2000))
def test_it_is_down_for_so_long_and_so_often_and_says_until_when(length: int, more: int, start: int, now: int) -> None:
    one = Outage("", length, length + more, start)
    left = one.left(now)
    assert (left > 0) == (now >= start and (now - start) % (length + more) < length)
    assert 0 <= left <= length
    if left:
        assert one.left(now + left) == 0
        assert one.left(now + left - 1) == 1
    once = Outage("", length, 0, start)
    assert (once.left(now) > 0) == (start <= now < start + length)


def move(ask: Ask, url: str, to: str) -> None:
    body = json.dumps({"to": to}).encode()
    assert ask("PUT", "/__relay__/clock", body, (("host", "localhost"),), None, url).status == 200


@pytest.mark.parametrize("through", [False, True], ids=["mock", "proxy"])
def test_everything_is_down_and_comes_back(ask: Ask, mock: str, tmp_path: Path, *, through: bool) -> None:
    proxied = ("--record-from", mock, "--to", str(tmp_path)) if through else ("--speed", "max")
    with running(*proxied, "--outage", "10m/1h,from=1h", "--outage", "10m/1h,from=20m,as=502") as url:
        assert ask(body=HELLO, url=url).status == 200
        move(ask, url, "69m")
        for seen in (ask(body=HELLO, url=url), ask("GET", "/v1/models", url=url), ask(body=HELLO, key=None, url=url)):
            assert (seen.status, seen.error()["code"]) == (503, "overloaded")
            assert 55 <= int(seen.header("retry-after") or 0) <= 60
        claude = {**HELLO, "model": "mock-claude", "max_tokens": 5}
        assert json.loads(ask(path="/v1/messages", body=claude, url=url).body)["type"] == "error"
        assert ask("GET", "/__relay__/health", None, (("host", "localhost"),), None, url).status == 200
        move(ask, url, "70m")
        assert ask(body=HELLO, url=url).status == 200
        move(ask, url, "81m")
        page = ask(body=HELLO, url=url)
        assert (page.status, page.header("content-type")) == (502, "text/html; charset=utf-8")
        assert ask("POST", "/__relay__/reset", None, (("host", "localhost"),), None, url).status == 204
        assert ask(body=HELLO, url=url).status == 200
    if through:
        assert len(list(tmp_path.glob("*.jsonl"))) == 3, "an upstream was asked meanwhile"


@pytest.mark.parametrize(("kind", "end"), [("reset", End.RESET), ("close", End.TRUNCATED)])
def test_a_connection_is_reset_or_closed_without_a_byte(kind: str, end: End) -> None:
    with running("--speed", "max", "--outage", f"1h,as={kind}") as url, Wire(url) as wire:
        wire.send(encode(Request("POST", "/v1/chat/completions", body=b"{}")))
        seen = wire.answer()
        assert (seen.end, seen.reader.head) == (end, None)


def test_the_rule_of_a_script_is_down_for_itself(ask: Ask, tmp_path: Path) -> None:
    script = tmp_path / "script.yaml"
    script.write_text("- {when: {model: 'gpt-*'}, outage: {for: 10m, from: 5m, as: 502}, reply: well}\n")
    with running("--speed", "max", "--script", str(script)) as url:
        found = []
        for moment in ("0s", "6m", "16m"):
            move(ask, url, moment)
            found.append([ask(body={**HELLO, "model": model}, url=url).status for model in ("gpt-x", "mock-chat")])
    assert found == [[200, 200], [502, 200], [200, 200]]


def test_each_kind_says_what_it_breaks_in_clients() -> None:
    assert all(kind.text.endswith(".") and len(kind.text) > 40 for kind in KINDS.values())


def test_the_clock_is_read_moved_and_begun_anew(ask: Ask) -> None:
    def clock(method: str, body: bytes | None = None) -> float:
        seen = ask(method, "/__relay__/clock", body, (("host", "localhost"),), None, url)
        assert seen.status == 200, seen.body
        return float(json.loads(seen.body)["seconds"])

    with running("--speed", "max") as url:
        assert 0 <= clock("GET") < 30
        assert clock("PUT", b'{"to": "1h"}') == 3600
        assert 3660 <= clock("PUT", b'{"ahead": "1m"}') < 3690
        assert clock("PUT", b'{"to": 1.5}') == 1.5
        assert clock("DELETE") == 0
        for body in (b"", b"[]", b"{}", b'{"to": "x"}', b'{"back": "1s"}', b'{"to": "1s", "ahead": "1s"}'):
            seen = ask("PUT", "/__relay__/clock", body, (("host", "localhost"),), None, url)
            assert seen.status == 400, body
