"""What is let in: the words, what each request is told, and that the time told is true."""

import json
from typing import Any

import pytest
from click.testing import CliRunner
from openai import OpenAI

from mock_server.answer import Answer, Asked
from mock_server.asking import Fields
from mock_server.bucket import Rate
from mock_server.cli import serve
from mock_server.duration import SECOND
from mock_server.gate import Gate, Ticket, counts
from mock_server.hours import Hours
from mock_server.ledger import Book
from mock_server.limits import Limit, LimitError, limit
from mock_server.process import running
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Headers
from tests.mock_server.wire import Ask, Seen

HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 6}


class Machine:
    """A machine whose clock stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 5_000_000

    def __call__(self) -> int:
        return self.now


def asked(key: str = "key-a", model: str = "mock-chat", operation: str = "createChatCompletion", **more: Json) -> Asked:
    body: dict[str, Json] = {**HELLO, "model": model, **more}
    headers = Fields((("authorization", f"Bearer {key}"),))
    return Asked("POST", "/v1/chat/completions", operation, headers, json.dumps(body).encode(), body, Auth.VALID)


class Before:
    """A gate with limits, and a clock in the hand."""

    def __init__(self, *words: str) -> None:
        self.machine = Machine()
        self.gate = Gate(Book(), Hours(self.machine), tuple(map(limit, words)))

    def enter(self, one: Asked | None = None) -> Ticket | Answer:
        return self.gate.enter(one or asked(), self.gate.limited)

    def let_in(self, one: Asked | None = None) -> bool:
        return isinstance(self.enter(one), Ticket)


def field(answer: Ticket | Answer, name: str) -> str | None:
    return dict(answer.headers).get(name)


def error(answer: Ticket | Answer) -> Any:
    assert isinstance(answer, Answer)
    return json.loads(answer.body)["error"]


def test_the_words_say_what_is_limited_and_for_whom() -> None:
    assert limit("rpm=60,tpm=90000") == Limit(
        "rpm=60,tpm=90000", Rate(60, 60 * SECOND), Rate(90_000, 60 * SECOND), None, ("key",)
    )
    assert limit("requests=2/1s, concurrent=4, per=model").requests == Rate(2, SECOND)
    assert limit("tokens=5,per=all") == Limit("tokens=5,per=all", None, Rate(5, 60 * SECOND), None, ())
    assert limit("rpm=1,per=key+model").per == ("key", "model")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "limits nothing"),
        ("per=key", "limits nothing"),
        ("rpm", "says no limit"),
        ("rps=3", "says no limit"),
        ("rpm=0", "above 0"),
        ("rpm=-1", "above 0"),
        ("rpm=x", "above 0"),
        ("rpm=3/1s", "above 0"),
        ("rpm=1,rpm=2", "said twice"),
        ("rpm=1,requests=2/1s", "both about requests"),
        ("requests=1/0s", "above 0"),
        ("requests=1/x", "is no time"),
        ("rpm=1,per=ip", "per: expected"),
        ("rpm=99999999999", "above 0"),
    ],
)
def test_words_that_say_none_are_refused_in_a_line(text: str, told: str) -> None:
    with pytest.raises(LimitError, match=told):
        limit(text)


def test_so_many_are_let_in_and_then_as_many_as_come_back() -> None:
    before = Before("rpm=3")
    assert [before.let_in() for _ in range(5)] == [True, True, True, False, False]
    before.machine.now += 20 * SECOND
    assert [before.let_in() for _ in range(2)] == [True, False]


def test_retry_after_is_true_to_the_millisecond() -> None:
    before = Before("requests=2/7s")
    before.enter()
    before.enter()
    refused = before.enter()
    assert (field(refused, "retry-after"), field(refused, "retry-after-ms")) == ("4", "3500")
    before.machine.now += 3_499_999
    assert not before.let_in()
    before.machine.now += 1
    assert before.let_in()


def test_tokens_are_reserved_as_asked_and_settled_as_told() -> None:
    before = Before("tokens=100/100s")
    ticket = before.enter(asked(max_tokens=86))
    assert isinstance(ticket, Ticket)
    assert field(ticket, "x-ratelimit-remaining-tokens") == "10"
    assert not before.let_in(asked(max_tokens=20))
    before.gate.leave(ticket, 16)
    again = before.enter(asked(max_tokens=20))
    assert field(again, "x-ratelimit-remaining-tokens") == "60"
    assert isinstance(again, Ticket)
    before.gate.leave(again, None)
    assert field(before.enter(asked(max_tokens=1)), "x-ratelimit-remaining-tokens") == "55"


def test_what_is_larger_than_the_bucket_is_told_so_at_once_and_not_to_come_again() -> None:
    before = Before("tpm=100,rpm=5")
    refused = before.enter(asked(max_tokens=1000))
    assert error(refused)["message"].startswith("Request too large for mock-chat: the limit is 100 tokens in 1m0s")
    assert (error(refused)["type"], error(refused)["code"]) == ("tokens", "rate_limit_exceeded")
    assert field(refused, "retry-after") is None
    assert field(refused, "x-should-retry") == "false"
    assert field(refused, "x-ratelimit-remaining-requests") == "5"


def test_each_key_has_its_own_bucket_or_each_model_or_all_have_one() -> None:
    for per, found in (
        ("key", [True, True, False, False]),
        ("model", [True, False, True, False]),
        ("key+model", [True, True, True, False]),
        ("all", [True, False, False, False]),
    ):
        before = Before(f"rpm=1,per={per}")
        requests = [asked(), asked("key-b"), asked(model="mock-x"), asked()]
        assert [before.let_in(one) for one in requests] == found, per


def test_of_several_limits_the_emptiest_is_told_and_none_is_taken_from_in_vain() -> None:
    before = Before("rpm=2,per=model", "rpm=5,per=all")
    assert field(before.enter(), "x-ratelimit-limit-requests") == "2"
    before.enter()
    assert not before.let_in()
    rest = [before.let_in(asked(model=f"mock-{number}")) for number in range(4)]
    assert rest == [True, True, True, False]


def test_so_many_are_under_way_and_no_more() -> None:
    before = Before("concurrent=2")
    first, _ = before.enter(), before.enter()
    refused = before.enter()
    assert (error(refused)["type"], field(refused, "retry-after")) == ("concurrent", "1")
    assert isinstance(first, Ticket)
    before.gate.leave(first, None)
    assert before.let_in()


def test_claudes_protocol_has_fields_and_an_envelope_of_its_own() -> None:
    before = Before("rpm=1,tpm=500")
    told = before.enter(asked(operation="createMessage"))
    names = [f"{kind}-{what}" for kind in ("requests", "tokens") for what in ("limit", "remaining", "reset")]
    assert [name for name, _ in told.headers] == [f"anthropic-ratelimit-{name}" for name in names]
    assert (field(told, "anthropic-ratelimit-requests-reset") or "").endswith("Z")
    refused = before.enter(asked(operation="createMessage"))
    assert isinstance(refused, Answer)
    assert json.loads(refused.body)["type"] == "error"
    assert error(refused)["type"] == "rate_limit_error"
    assert field(refused, "retry-after") == "60"


def test_no_key_can_be_read_from_the_name_of_a_bucket() -> None:
    assert "key-a" not in limit("rpm=1,per=key+model").named("start", asked())


def test_what_needs_no_work_or_has_no_key_does_not_count() -> None:
    one = asked()
    assert counts(one)
    for method, auth in (("GET", Auth.VALID), ("POST", Auth.NONE), ("POST", Auth.WRONG)):
        other = Asked(method, one.path, one.operation, one.headers, one.raw, one.body, auth)
        assert not counts(other)


# --- over a socket --------------------------------------------------------------------------------------------------


def post(ask: Ask, url: str, body: Json = None, headers: Headers = (), path: str = "/v1/chat/completions") -> Seen:
    return ask(path=path, body=body or HELLO, headers=headers, url=url)


def test_every_answer_tells_what_is_left(ask: Ask) -> None:
    with running("--speed", "max", "--limit", "rpm=4,tpm=1000") as url:
        wrong: dict[str, Json] = {"model": "nobody", "messages": []}
        for body, status in ((HELLO, 200), ({**HELLO, "stream": True}, 200), (wrong, 400)):
            seen = post(ask, url, body)
            assert (seen.status, seen.header("x-ratelimit-limit-requests")) == (status, "4")
            assert int(seen.header("x-ratelimit-remaining-tokens") or 0) > 900
        assert ask("GET", "/v1/models", url=url).header("x-ratelimit-limit-requests") is None
        assert ask(body=HELLO, key=None, url=url).status == 401
        assert post(ask, url).status == 200
        refused = post(ask, url)
        assert refused.status == 429
        assert refused.error()["code"] == "rate_limit_exceeded"
        assert refused.header("x-request-id")
        assert refused.header("x-ratelimit-remaining-requests") == "0"
        assert 1 <= int(refused.header("retry-after") or 0) <= 15


def test_the_rule_of_a_script_has_a_limit_of_its_own(ask: Ask, tmp_path: Any) -> None:
    script = tmp_path / "script.yaml"
    script.write_text(
        "- {name: busy, when: {model: gpt-busy}, limit: {requests: 2/1h, per: model}, reply: well}\n"
        "- {when: {model: gpt-tight}, limit: 'tpm=10'}\n"
    )
    with running("--speed", "max", "--script", str(script)) as url:
        found = [post(ask, url, {**HELLO, "model": "gpt-busy"}) for _ in range(3)]
        assert [seen.status for seen in found] == [200, 200, 429]
        assert [seen.header("x-ratelimit-remaining-requests") for seen in found] == ["1", "0", "0"]
        assert post(ask, url).header("x-ratelimit-limit-requests") is None
        assert post(ask, url, {**HELLO, "model": "gpt-tight"}).status == 200
        assert b"too large" in post(ask, url, {**HELLO, "model": "gpt-tight", "max_tokens": 50}).body


def test_what_passes_through_the_proxy_is_limited_too(ask: Ask, mock: str, tmp_path: Any) -> None:
    with running("--record-from", mock, "--to", str(tmp_path), "--limit", "requests=2/1h,tokens=1000/1h") as url:
        found = [post(ask, url), post(ask, url, headers=(("x-relay-fault", "error-html"),)), post(ask, url)]
        assert [seen.status for seen in found] == [200, 200, 429]
        assert [seen.header("x-ratelimit-remaining-requests") for seen in found] == ["1", "0", "0"]
        spent = json.loads(found[0].body)["usage"]["total_tokens"]
        assert found[1].header("x-ratelimit-remaining-tokens") == str(1000 - spent - 10)
        assert json.loads(found[0].body)["choices"]


def test_a_client_that_does_as_it_is_told_gets_in() -> None:
    with running("--speed", "max", "--limit", "requests=1/300ms") as url:
        client = OpenAI(base_url=f"{url}/v1", api_key="any-key", max_retries=3)
        with client:
            for _ in range(3):
                said: Any = [{"role": "user", "content": "Hello"}]
                assert client.chat.completions.create(model="mock-chat", messages=said).choices


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--limit", "rpm=0"), "above 0"),
        (("--limit", "rps=3"), "says no limit"),
        (("--outage", "60s/10s"), "how long"),
        (("--outage", "10s,as=404"), "expected 503"),
    ],
)
def test_wrong_words_on_the_command_line_are_2_and_one_line(words: tuple[str, ...], told: str) -> None:
    ended = CliRunner().invoke(serve, words)
    assert ended.exit_code == 2
    assert told in ended.output.splitlines()[-1]
