"""What a check spends at a relay with prices: never more than its limits, and never more than its plan had said."""

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from decimal import Decimal
from random import Random
from unittest import mock

from hypothesis import given, settings
from hypothesis import strategies as st

from conformance import check as checking
from conformance import plan as planning
from conformance.check import Options, bound_of, check
from conformance.fuzz import models
from conformance.fuzz.bounds import bounded
from conformance.fuzz.case import Case
from conformance.fuzz.hunt import Hunt
from conformance.fuzz.walks import talks
from conformance.price import Price
from conformance.probe import Probe, Role, Step
from conformance.probes import PROBES
from conformance.probes.chat import ask
from conformance.rules import BOOK
from conformance.run import Run, Writer
from conformance.target import Target
from conformance.transport import Link, UnreachableError
from openapi import json_text
from openapi.wire.exchange import End, Exchange, Read, Request
from openapi.wire.redaction import Redactor

MODELS = {Role.CHAT: "m", Role.TOOLS: "t"}
PRICES = {"m": Price(Decimal(3), Decimal(15), Decimal("0.001")), "t": Price(Decimal(1), Decimal(2))}
RULES = {
    name: BOOK[name] for name in ("chat.answered", "chat.schema", "usage.present", "errors.envelope", "chat.limit")
}
FIXED = ("chat.whole", "chat.stream", "chat.n", "chat.limit-effect", "tools.required", "tools.result", "errors.array")
BODIES = [ask("Say hello.", limit, n=n, stop=["8"], logprobs=True) for limit in (1, 16, 60) for n in (1, 3)]
CASES = [Case("one", "createChatCompletion", Role.CHAT, {"body": body}) for body in BODIES]
CASES.append(Case("forms", "createChatCompletion", Role.CHAT, {"body": ask("Name a colour.", 8)}))
CASES += [held for case in talks("createChatCompletion", 3, 12, tools=True) if (held := bounded(case, MODELS))]
CASES += models.listed(3, 1)


@dataclass
class Shop:
    """A relay that takes money: in what it charges it goes to the end of what was asked of it, and never beyond."""

    random: Random
    link: Link = field(default_factory=lambda: Link("http://relay.example"))
    redactor: Redactor = field(default_factory=lambda: Redactor([]))
    requests: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)

    async def send(self, request: Request, *, total: float | None = None, idle: float | None = None) -> Exchange:
        del total, idle
        self.requests += 1
        for _ in range(self.random.randrange(4)):
            await asyncio.sleep(0)
        return self._answer(request)

    again = send

    @asynccontextmanager
    async def line(self) -> AsyncIterator["Shop"]:
        yield self

    def _answer(self, request: Request) -> Exchange:
        price = PRICES.get(str(request.object.get("model")), PRICES["m"])
        prompt, written = most(request)
        prompt, written = (self.random.choice([part, part // 2, 1]) for part in (prompt, written))
        fate = self.random.choice(["told", "told", "told", "silent", "reset", "500", "429", "503", "400", "lost"])
        if fate == "lost" and self.requests > 1:
            msg = "no connection"
            raise UnreachableError(msg)
        if fate in {"429", "503", "400"}:
            return answer(request, int(fate), {"error": {"message": "no", "type": "x"}})
        if request.body is not None:
            self.tokens += prompt + written
            self.cost += price.of(prompt, written)
        if fate == "reset":
            return Exchange("", request, 200, end=End.RESET)
        usage: json_text.Json = {
            "prompt_tokens": prompt,
            "completion_tokens": written,
            "total_tokens": prompt + written,
        }
        told = {"usage": usage} if fate == "told" and request.body is not None else {}
        said = [] if self.random.random() < 0.2 else [choice(self.random, forced="tool_choice" in request.object)]
        listed: list[json_text.Json] = [{"id": f"model-{at}"} for at in range(6)]
        return answer(request, 500 if fate == "500" else 200, {"choices": said, "data": listed, **told})


def choice(random: Random, *, forced: bool) -> json_text.Json:
    """What a conversation goes on from: a call where one was forced, and a text of any length."""
    text = "word " * random.choice([1, 10, 400])
    call: json_text.Json = {"id": "a", "type": "function", "function": {"name": "get_weather", "arguments": text}}
    called: dict[str, json_text.Json] = {"tool_calls": [call]} if forced else {}
    return {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": text, **called}}


def most(request: Request) -> tuple[int, int]:
    """What the request may cost by any reading: a token for two bytes, and its limit for each choice."""
    asked = request.object
    limit = next((asked[name] for name in ("max_completion_tokens", "max_tokens") if name in asked), 0)
    n = asked.get("n", 1)
    assert isinstance(limit, int)
    assert isinstance(n, int)
    return len(request.body or b"") // 2, limit * n


def answer(request: Request, status: int, body: json_text.Json) -> Exchange:
    data = json_text.write(body)
    return Exchange("", request, status, (("content-type", "application/json"),), (Read(0.1, data),))


def spent_at(shop: Shop, target: Target, options: Options, fixed: list[str]) -> tuple[Run, planning.Plan]:
    cases = {case.name: case for case in CASES}
    plan = planning.plan(target, RULES, {name: PROBES[name] for name in fixed})
    plan = planning.with_generated(plan, target, (case.probe for case in cases.values()))
    options = replace(options, hunt=Hunt(cases, (), MODELS))

    @asynccontextmanager
    async def connected(_: Link) -> AsyncIterator[Shop]:
        yield shop

    with mock.patch.object(checking, "connected", connected):
        run = asyncio.run(check(target, shop.link, plan, options, out=Writer(io.StringIO()), watch=lambda _: None))
    return run, plan


@settings(max_examples=60)
@given(
    st.integers(0, 2**32),
    st.lists(st.sampled_from(FIXED), unique=True, min_size=1),
    st.integers(1, 12),
    st.integers(0, 3),
    st.one_of(st.none(), st.integers(0, 60)),
    st.one_of(st.none(), st.integers(0, 6000)),
    st.one_of(st.none(), st.decimals(0, "0.2", places=4)),
)
def test_no_limit_is_ever_exceeded_and_the_plan_knew(
    seed: int,
    fixed: list[str],
    concurrency: int,
    repeats: int,
    requests: int | None,
    tokens: int | None,
    cost: Decimal | None,
) -> None:
    target = Target(
        "shop", "http://relay.example", models=MODELS, max_requests=requests, max_tokens=tokens, max_cost=cost,
        currency="EUR", prices=PRICES,
    )  # fmt: skip
    shop = Shop(Random(seed))
    options = Options(concurrency=concurrency, repeats=repeats, patience=0.0)
    run, plan = spent_at(shop, target, options, fixed)
    assert requests is None or shop.requests <= requests
    assert tokens is None or shop.tokens <= tokens
    assert cost is None or shop.cost <= cost
    told = run.footer.spent if run.footer else {}
    assert told["requests"] == shop.requests
    assert isinstance(at_most := told["tokens_at_most"], int)
    assert shop.tokens <= at_most
    hunting = Options(repeats=repeats, hunt=Hunt({}, (), MODELS))
    bound = bound_of(target, plan, hunting)
    assert shop.requests <= bound.requests
    assert shop.tokens <= bound.tokens
    assert shop.cost <= bound.cost


def test_a_step_is_no_loophole() -> None:
    probe = Probe("x", Role.CHAT, body=ask("a", 10), step="a", then=(Step("b", ask("b", 20)),))
    target = Target("t", "http://relay.example", models=MODELS, prices=PRICES, currency="EUR")
    [planned] = planning.plan(target, RULES, {"x": probe}).probes
    assert planned.tokens >= 30
    assert planned.cost >= 2 * Decimal("0.001") + 30 * Decimal(15) / 1_000_000
