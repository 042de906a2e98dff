"""The fixture of contract tests: what it asks, what it may cost, and what its checks say."""

import asyncio
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from conformance.check import Options
from conformance.extend import load
from conformance.known import Known
from conformance.price import Price
from conformance.probe import Role
from conformance.rule import Level, Outcome
from conformance.target import Target
from conformance.testing import BrokenContractError, NotVerifiedError, OverBudgetError, Relay
from conformance.testing.setup import Setup
from conformance.transport import Link, UnreachableError
from mock_server.process import running
from openapi.wire.exchange import End

KEY = "sk-relayproof-test-contract-0123"
CHAT = "/v1/chat/completions"
ASKED: dict[str, Any] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 30}

STREAM: dict[str, Any] = {"stream": True}


@pytest.fixture(scope="module")
def base() -> Iterator[str]:
    with running("--api-key", KEY, "--speed", "max") as url:
        yield url


@pytest.fixture
def made(base: str) -> Iterator[Callable[..., Relay]]:
    """A relay with these limits."""
    setups: list[Setup] = []

    def make(url: str = base, *, key: str | None = KEY, strict: bool = False, **limits: Any) -> Relay:
        target = Target("mock", url, models={Role.CHAT: "mock-chat"}, **limits)
        setups.append(Setup(target, Link(url, key), Known(), load(()), Options(strict=strict), (), Path("none")))
        return Relay(setups[-1])

    yield make
    for one in setups:
        one.loop.close()


@pytest.fixture
def relay(made: Callable[..., Relay]) -> Relay:
    return made()


def test_a_good_answer_is_verified(relay: Relay) -> None:
    for more in ({}, {"stream": True}, {"stream": True, "n": 2, "stream_options": {"include_usage": True}}):
        verdicts = relay.check(relay.post(CHAT, json=ASKED | more))
        assert sum(one.outcome is Outcome.PASS for one in verdicts) > 30
        assert not any(
            one.outcome in {Outcome.FAIL, Outcome.INCONCLUSIVE} for one in verdicts if one.level is Level.MUST
        )
    assert relay.check(relay.get("/v1/models"))
    assert relay.check(relay.post(CHAT, json=ASKED, auth="none"), only="errors")
    assert (relay.model, relay.models, relay.base_url.endswith("/v1")) == ("mock-chat", {"chat": "mock-chat"}, True)


def test_a_broken_answer_raises_with_its_bytes(relay: Relay) -> None:
    answer = relay.post(CHAT, json=ASKED | STREAM, headers={"X-Relay-Fault": "chat-stream-done-missing"})
    with pytest.raises(BrokenContractError, match=r"chat\.stream\.done broken") as raised:
        relay.check(answer)
    assert not isinstance(raised.value, NotVerifiedError)
    assert {one.rule for one in raised.value.verdicts if one.outcome is Outcome.FAIL} == {"chat.stream.done"}
    for evidence in ("expected [DONE]", "curl --no-buffer", "$RELAYPROOF_API_KEY", "◀ chat.stream.done"):
        assert evidence in str(raised.value)
    assert KEY not in str(raised.value)
    assert relay.check(answer, only=["chat.stream.id", "sse"]), "of the others nothing is broken"
    with pytest.raises(ValueError, match="no rule or chapter has such a name"):
        relay.check(answer, only="chat.strem")


def test_a_should_weighs_where_it_is_strict(made: Callable[..., Relay]) -> None:
    relay = made()
    answer = relay.post(CHAT, json=ASKED | STREAM, headers={"X-Relay-Fault": "sse-content-length-on-stream"})
    failed = [one for one in relay.check(answer) if one.outcome is Outcome.FAIL]
    assert {(one.rule, one.level) for one in failed} == {("sse.no-length", Level.SHOULD)}
    with pytest.raises(BrokenContractError):
        relay.check(answer, strict=True)
    with pytest.raises(BrokenContractError):
        made(strict=True).check(answer)


def test_what_decides_nothing_is_no_pass(relay: Relay) -> None:
    answer = relay.post(CHAT, json=ASKED | {"model": "nobody-has-this"})
    with pytest.raises(NotVerifiedError, match=r"not verified[\s\S]*the answer was 404"):
        relay.check(answer)
    assert relay.check(answer, unverified=True)
    with pytest.raises(NotVerifiedError, match="nothing was verified"):
        relay.check(answer, only="video")


def test_an_async_test_asks_too_from_several_tasks(relay: Relay) -> None:
    async def ask() -> None:
        answers = await asyncio.gather(*(relay.apost(CHAT, json=ASKED) for _ in range(5)), relay.aget("/v1/models"))
        assert [one.status for one in answers] == [200] * 6
        assert len({one.id for one in answers}) == 6

    asyncio.run(ask())


def test_a_budget_is_not_exceeded(made: Callable[..., Relay]) -> None:
    few = made(max_requests=2)
    assert [few.get("/v1/models").status for _ in range(2)] == [200, 200]
    with pytest.raises(OverBudgetError, match="the limit of 2 requests does not allow it"):
        few.get("/v1/models")
    small = made(max_tokens=400)
    with pytest.raises(OverBudgetError, match="it may cost"):
        small.post(CHAT, json=ASKED | {"max_tokens": 10_000})
    with pytest.raises(OverBudgetError, match="nothing in the request bounds its cost"):
        small.post(CHAT, json={name: value for name, value in ASKED.items() if name != "max_tokens"})
    assert small.post(CHAT, json=ASKED).status == 200
    assert small.post(CHAT, content=b"no JSON").status == 400, "a mistake costs nothing"


def test_money_is_not_exceeded(made: Callable[..., Relay]) -> None:
    price = Price(Decimal(10), Decimal(100), Decimal("0.001"))
    poor = made(max_cost=Decimal("0.02"), prices={"mock-chat": price}, currency="EUR")
    assert [poor.post(CHAT, json=ASKED).status for _ in range(2)] == [200, 200]
    with pytest.raises(OverBudgetError, match="it may cost"):
        [poor.post(CHAT, json=ASKED) for _ in range(20)]
    assert poor._budget.cost <= Decimal("0.02")
    with pytest.raises(OverBudgetError, match="no price is known of 'another'"):
        poor.post(CHAT, json=ASKED | {"model": "another"})


def test_who_is_not_there_is_told(made: Callable[..., Relay]) -> None:
    with pytest.raises(UnreachableError):
        made("http://127.0.0.1:1").get("/v1/models")


def test_no_key_is_written_into_a_test(relay: Relay) -> None:
    answer = relay.get("/v1/models", headers={"x-api-key": relay.key})
    assert (answer.status, answer.end) == (200, End.COMPLETE)
    assert KEY not in repr(answer)
    with pytest.raises(ValueError, match="holds a secret"):
        relay.get("/v1/models", headers={"Authorization": f"Bearer {KEY}"})


@pytest.mark.parametrize(
    ("path", "more"),
    [("v1/models", {}), ("/v1/models", {"auth": "strong"}), (CHAT, {"json": ASKED, "content": b"{}"})],
    ids=str,
)
def test_what_cannot_be_asked_is_told(path: str, more: dict[str, Any], relay: Relay) -> None:
    with pytest.raises(ValueError, match=r"is no path|expected valid, wrong, none|give one"):
        relay.post(path, **more)


def test_without_a_model_for_chat_it_is_told(made: Callable[..., Relay]) -> None:
    relay = made()
    relay._setup.target = Target("mock", relay._setup.target.base)
    with pytest.raises(LookupError, match="--relay-model NAME"):
        _ = relay.model
