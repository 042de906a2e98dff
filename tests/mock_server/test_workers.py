"""Several workers behind one port are one mock: what is counted, limited, told and changed is of all of them."""

import json
import os
import signal
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from time import monotonic, sleep
from typing import Any

import httpx2
import pytest

from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import Headers
from tests.mock_server.test_server import started
from tests.mock_server.wire import Ask, Seen

HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}]}
FAULT = "honest-429-then-well"


def control(ask: Ask, url: str, method: str, path: str, body: object = None) -> Seen:
    data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
    return ask(method, f"/__relay__/{path}", data, (("host", "localhost"),), None, url)


def told(ask: Ask, url: str, path: str) -> Any:
    return json.loads(control(ask, url, "GET", path).body)


def met(ask: Ask, url: str, workers: int = 2) -> list[int]:
    """The workers, once all are there."""
    until = monotonic() + 30
    while monotonic() < until:
        health = told(ask, url, "health")
        if health.get("workers") == workers:
            found: list[int] = health["worker"]
            return found
        sleep(0.1)
    pytest.fail("the workers did not meet")


@pytest.fixture(scope="module")
def workers() -> Iterator[str]:
    with running("--speed", "max", "--workers", "2") as base:
        yield base


@pytest.fixture
def url(ask: Ask, workers: str) -> str:
    met(ask, workers)
    assert control(ask, workers, "POST", "reset").status == 204
    return workers


def many(ask: Ask, url: str, count: int, headers: Headers = (), **more: Json) -> list[Seen]:
    """So many at once, each over a connection of its own: the system gives them to both."""
    with ThreadPoolExecutor(8) as pool:
        return list(pool.map(lambda _: ask(body={**HELLO, **more}, headers=headers, url=url), range(count)))


def test_the_journal_has_the_requests_of_all(ask: Ask, url: str) -> None:
    many(ask, url, 40)
    entries = told(ask, url, "journal")
    numbers = [entry["number"] for entry in entries]
    assert len(entries) == 40
    assert numbers == sorted(set(numbers))
    assert len({number % 4 for number in numbers}) == 2, "one worker answered all of them"
    for entry in (entries[0], entries[-1]):
        assert told(ask, url, f"journal/{entry['number']}")["number"] == entry["number"]
    assert told(ask, url, f"journal?since={numbers[29]}&limit=5") == entries[35:]
    assert control(ask, url, "GET", "journal?since=x").status == 400
    assert control(ask, url, "GET", "journal/1").status == 404
    assert control(ask, url, "DELETE", "journal").status == 204
    assert told(ask, url, "journal") == []


def test_metrics_and_health_add_up(ask: Ask, url: str) -> None:
    many(ask, url, 30)
    text = control(ask, url, "GET", "metrics").body.decode()
    assert 'relayproof_requests_total{operation="createChatCompletion",status="200"} 30' in text
    assert "relayproof_first_byte_seconds_count 30" in text
    health = told(ask, url, "health")
    assert health["under_way"] == 0
    assert len(set(health["worker"])) == 2


def test_who_waits_is_told_of_all(ask: Ask, url: str) -> None:
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(control, ask, url, "GET", "journal/wait?count=12&timeout=10")
        many(ask, url, 12)
        assert (waiting.result().status, len(json.loads(waiting.result().body))) == (200, 12)
    assert control(ask, url, "GET", "journal/wait?count=13&timeout=0.1").status == 408


def test_what_is_changed_is_changed_in_all(ask: Ask, url: str) -> None:
    assert control(ask, url, "PUT", "script", b"[{reply: ahoy}]").status == 200
    assert all(b"ahoy" in seen.body for seen in many(ask, url, 20))
    assert control(ask, url, "PUT", "script", b"[{}]").status == 400
    assert control(ask, url, "DELETE", "script").status == 200
    assert control(ask, url, "PUT", "faults", ["error-html"]).status == 200
    assert {seen.header("content-type") for seen in many(ask, url, 20, model="nobody")} == {"text/html"}
    assert control(ask, url, "PUT", "faults", ["no-such-fault"]).status == 400
    assert control(ask, url, "POST", "reset").status == 204
    assert {seen.header("content-type") for seen in many(ask, url, 20, model="nobody")} == {"application/json"}
    assert control(ask, url, "POST", "reload").status == 200


def test_so_many_times_is_over_all(ask: Ask, url: str) -> None:
    control(ask, url, "PUT", "script", b"[{name: busy, status: 429, times: 7, when: {model: gpt-busy}}, {reply: well}]")
    found = [seen.status for seen in many(ask, url, 40, model="gpt-busy")]
    assert (found.count(429), found.count(200)) == (7, 33)
    found = [seen.status for seen in many(ask, url, 30, headers=(("x-relay-fault", "unknown-model-503*5"),), model="x")]
    assert (found.count(503), found.count(404)) == (5, 25)


def test_equal_requests_are_counted_and_recordings_take_turns_over_all(ask: Ask, url: str) -> None:
    found = [seen.status for seen in many(ask, url, 40, headers=(("x-relay-fault", FAULT),))]
    assert (found.count(429), found.count(200)) == (20, 20)
    names = ["litellm/chat-basic", "llama-server/chat-basic"]
    control(ask, url, "PUT", "script", json.dumps([{"recording": names, "then": "cycle"}]).encode())
    bodies = [seen.body for seen in many(ask, url, 30)]
    assert sorted(map(bodies.count, set(bodies))) == [15, 15]


def test_one_limit_holds_for_all(ask: Ask) -> None:
    with running("--speed", "max", "--workers", "2", "--limit", "requests=9/1h") as url:
        met(ask, url)
        found = many(ask, url, 40)
        assert [seen.status for seen in found].count(200) == 9
        control(ask, url, "PUT", "clock", {"ahead": "40m"})
        assert [seen.status for seen in many(ask, url, 40)].count(200) == 6
        control(ask, url, "POST", "reset")
        assert [seen.status for seen in many(ask, url, 40)].count(200) == 9


def test_the_clock_is_one_and_so_is_an_outage(ask: Ask) -> None:
    with running("--speed", "max", "--workers", "2", "--outage", "10m/1h,from=30m") as url:
        met(ask, url)
        assert {seen.status for seen in many(ask, url, 20)} == {200}
        assert control(ask, url, "PUT", "clock", {"to": "35m"}).status == 200
        found = many(ask, url, 20)
        assert {seen.status for seen in found} == {503}
        assert all(290 < int(seen.header("retry-after") or 0) <= 300 for seen in found)
        control(ask, url, "PUT", "clock", {"ahead": "6m"})
        assert {seen.status for seen in many(ask, url, 20)} == {200}


def test_slots_are_those_of_all(ask: Ask) -> None:
    with running("--workers", "2", "--ttft", "100", "--slots", "1") as url:
        met(ask, url)
        many(ask, url, 8)
        firsts = sorted(entry["first_byte"] for entry in told(ask, url, "journal"))
        assert firsts[-1] > 0.5, "eight at once waited as if each worker had its own"


def test_a_worker_that_joins_later_knows_what_the_others_were_told(ask: Ask) -> None:
    with running("--speed", "max", "--workers", "2") as url:
        before = met(ask, url)
        control(ask, url, "PUT", "script", b"[{reply: once, times: 3}, {reply: ahoy}]")
        many(ask, url, 3)
        os.kill(before[0], signal.SIGKILL)
        until = monotonic() + 30
        while set(met(ask, url)) == set(before) and monotonic() < until:
            sleep(0.1)
        assert set(met(ask, url)) != set(before)
        assert all(b"ahoy" in seen.body for seen in many(ask, url, 20))


def test_a_proxy_of_several_workers_records_each_answer(ask: Ask, mock: str, tmp_path: Path) -> None:
    with running("--record-from", mock, "--to", str(tmp_path), "--workers", "2", "--limit", "requests=12/1h") as url:
        met(ask, url)
        found = many(ask, url, 20)
        assert [seen.status for seen in found].count(200) == 12
        until = monotonic() + 10
        while len(list(tmp_path.glob("*.jsonl"))) < 12 and monotonic() < until:
            sleep(0.05)
    assert len(list(tmp_path.glob("*.jsonl"))) == 12


def is_there(url: str) -> bool:
    try:
        httpx2.get(f"{url}/__relay__/health", timeout=5)
    except httpx2.TransportError:
        return False
    return True


def test_workers_end_with_a_parent_that_is_killed() -> None:
    with started("--workers", "2", "--limit", "rpm=60") as (process, url):
        assert is_there(url)
        process.kill()
        process.wait(10)
        until = monotonic() + 30
        while is_there(url):
            assert monotonic() < until
            sleep(0.1)
