"""The fixture `relay`: requests by our own transport, within the budget of the session, and our rules as assertions.

AssertionError
├── BrokenContractError     a rule is broken; the message shows the findings and the wire
└── NotVerifiedError        what would have to be verified was not: no pass
RuntimeError
└── OverBudgetError         the request was not sent: it may cost more than is left
"""

import json as jsonlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from functools import partial
from itertools import count
from typing import Any

import anyio.to_thread

from conformance.asked import model_of, operation_of
from conformance.exit_code import Exit, exit_of
from conformance.judge import judge
from conformance.plan import confined
from conformance.price import FREE, Price, price_for
from conformance.probe import JSON_TYPE, LIMITS, Probe, Role
from conformance.report.failure import MANY_RULES, failure
from conformance.report.summary import Result
from conformance.rule import GENERATED, Level, Outcome, Rule, Verdict
from conformance.run import outcome_of
from conformance.testing.responses import NO_WIRE, Response, exchange_of, needs_wire
from conformance.testing.setup import Setup
from conformance.transport import KEY_HERE, Transport, connected, redactor_of
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Request
from openapi.wire.secrets import is_secret_header

# Operations that cost the tokens that they read, and no others.
WRITES_NOTHING = {"createEmbedding", "countMessageTokens", "listModels", "retrieveModel"}
HeadersGiven = Mapping[str, str] | Iterable[tuple[str, str]]


class BrokenContractError(AssertionError):
    """A rule is broken. `verdicts` are all that were given."""

    def __init__(self, message: str, verdicts: Sequence[Verdict]) -> None:
        super().__init__(message)
        self.verdicts = tuple(verdicts)


class NotVerifiedError(BrokenContractError):
    """Nothing is known to be broken, and not all is verified that has to be."""


class OverBudgetError(RuntimeError):
    """A request that was not sent, since it may cost more than is left."""


class Relay:
    """One relay in a session: where it is, what it is called, and what it answers."""

    key = KEY_HERE
    """Stands for the key in a header: `headers={"x-api-key": relay.key}`. Without it the key goes as a bearer's."""

    def __init__(self, setup: Setup) -> None:
        self._setup = setup
        self._budget = setup.drawn()
        self._transport: Transport | None = None
        self._numbers = count(1)

    @property
    def base_url(self) -> str:
        """What an OpenAI client takes."""
        return f"{self._setup.target.base}/v1"

    @property
    def models(self) -> dict[str, str]:
        """The models of `--relay-model`, by role."""
        return {role.value: name for role, name in self._setup.target.models.items()}

    @property
    def model(self) -> str:
        """The model for chat. Raises LookupError where none is named."""
        name = self._setup.target.models.get(Role.CHAT)
        if name is None:
            msg = "no model is named for chat: --relay-model NAME"
            raise LookupError(msg)
        return name

    # --- asking -----------------------------------------------------------------------------------------------------

    def request(
        self,
        method: str,
        path: str,
        *,
        json: Json = None,
        content: bytes | None = None,
        headers: HeadersGiven = (),
        auth: str = "valid",
    ) -> Exchange:
        """One request, and every byte that came back. `path` begins with /v1; `auth` is valid, wrong or none.

        Raises OverBudgetError, UnreachableError where no connection came about, ValueError for what cannot be asked.
        """
        pairs = headers.items() if isinstance(headers, Mapping) else headers
        given = tuple((name.lower(), value) for name, value in pairs)
        request = Request(method.upper(), path, given, _auth(auth), _body(json, content))
        _check(request)
        if request.body is not None and request.header("content-type") is None:
            request = replace(request, headers=(*JSON_TYPE, *given))
        tokens, cost, price = self._cost(request)
        if not self._budget.reserve(tokens, cost):
            raise OverBudgetError(self._budget.refusal(tokens, cost))
        exchange = self._setup.loop.run(self._send(request))
        self._budget.settle(tokens, exchange, cost, price)
        return replace(exchange, id=f"r{next(self._numbers)}")

    def get(self, path: str, **more: Any) -> Exchange:  # noqa: ANN401 - as `request` has them
        return self.request("GET", path, **more)

    def post(self, path: str, **more: Any) -> Exchange:  # noqa: ANN401
        return self.request("POST", path, **more)

    async def arequest(self, method: str, path: str, **more: Any) -> Exchange:  # noqa: ANN401
        """The same for async tests, of asyncio or trio: their loop runs on meanwhile."""
        ask = partial(self.request, method, path, **more)
        return await anyio.to_thread.run_sync(ask, abandon_on_cancel=True)

    async def aget(self, path: str, **more: Any) -> Exchange:  # noqa: ANN401
        return await self.arequest("GET", path, **more)

    async def apost(self, path: str, **more: Any) -> Exchange:  # noqa: ANN401
        return await self.arequest("POST", path, **more)

    async def _send(self, request: Request) -> Exchange:
        if self._transport is None:
            self._transport = await self._setup.loop.kept.enter_async_context(connected(self._setup.link))
        return await self._transport.send(request)

    def _cost(self, request: Request) -> tuple[int, Decimal, Price | None]:
        """The most tokens that it can cost, and the most money, by which price. Raises OverBudgetError where nothing
        bounds what is to be bounded."""
        exchange, target, asked = Exchange("", request), self._setup.target, request.object
        limited = any(isinstance(asked.get(name), int) for name in LIMITS)
        free = not asked or operation_of(exchange) in WRITES_NOTHING
        if (target.max_tokens is not None or target.max_cost is not None) and not (limited or free):
            msg = f"nothing in the request bounds its cost, and tokens or money are limited: say {' or '.join(LIMITS)}"
            raise OverBudgetError(msg)
        price = price_for(target.prices, model_of(exchange)) if asked else None
        if target.max_cost is not None and asked and price is None:
            msg = f"money is limited, and no price is known of {model_of(exchange)!r}"
            raise OverBudgetError(msg)
        worst = Probe(GENERATED, None).worst(request)  # as one at which nobody has looked
        return sum(worst), price.of(*worst) if price else FREE, price

    # --- judging ----------------------------------------------------------------------------------------------------

    def check(
        self,
        answer: Exchange | Response,
        *,
        only: str | Sequence[str] = (),
        strict: bool | None = None,
        unverified: bool = False,
    ) -> tuple[Verdict, ...]:
        """Holds an exchange, or a response of httpx or httpx2, to the rules (`only` to some), and returns the verdicts.

        Raises BrokenContractError where a MUST is broken (with `strict`, a SHOULD too), and NotVerifiedError where one
        was left open that the relay alone decides, or where nothing was verified; `unverified` lets that be. Of a
        response the rules that need what it lost are inconclusive, and raise nothing.
        """
        __tracebackhide__ = True
        words = (only,) if isinstance(only, str) else tuple(only)
        wanted = _wanted(self._setup.book.rules, words)
        strict = self._setup.options.strict if strict is None else strict
        if isinstance(answer, Exchange):
            exchange, verdicts = answer, self._judged(answer, wanted)
            counted = verdicts
        else:
            redactor = redactor_of(self._setup.link)
            exchange = exchange_of(answer, f"r{next(self._numbers)}", self._setup.target.base, redactor)
            counted = self._judged(exchange, {name: rule for name, rule in wanted.items() if not needs_wire(rule)})
            verdicts = [*counted, *_lost(exchange, wanted)]
        results = _results(counted, wanted)
        code = exit_of(counted, strict=strict)
        if code is Exit.VIOLATED:
            broken = [one for one in results if _breaks(one, strict=strict)]
            raise BrokenContractError(self._told(f"{_names(broken)} broken", broken, exchange), verdicts)
        passed = any(one.outcome is Outcome.PASS for one in results)
        if not unverified and (code is not Exit.VERIFIED or not passed):
            left = [one for one in results if _open(one, strict=strict)]
            what = f"{_names(left)} not verified" if left else "nothing was verified"
            raise NotVerifiedError(self._told(what, left, exchange), verdicts)
        return tuple(verdicts)

    def _judged(self, exchange: Exchange, rules: Mapping[str, Rule]) -> list[Verdict]:
        return self._setup.known.over(judge([replace(exchange)], rules))

    def _told(self, what: str, results: Sequence[Result], exchange: Exchange) -> str:
        return f"{what}\n\n{failure(results, [exchange], self._setup.target.base)}"


def _auth(word: str) -> Auth:
    if word not in set(Auth):
        msg = f"auth={word!r}: expected {', '.join(Auth)}"
        raise ValueError(msg)
    return Auth(word)


def _body(json: Json, content: bytes | None) -> bytes | None:
    if json is not None and content is not None:
        msg = "json and content are both the body: give one"
        raise ValueError(msg)
    return content if json is None else jsonlib.dumps(json, ensure_ascii=False, allow_nan=False).encode()


def _check(request: Request) -> None:
    """Raises ValueError for what we do not send."""
    if not request.path.startswith("/"):
        msg = f"{request.path!r} is no path: it begins with a slash, as /v1/chat/completions"
        raise ValueError(msg)
    secret = next((name for name, value in request.headers if is_secret_header(name) and value != KEY_HERE), None)
    if secret:
        msg = f"the header {secret} holds a secret: the key goes by itself, or as {{{secret!r}: relay.key}}"
        raise ValueError(msg)


def _wanted(rules: Mapping[str, Rule], words: tuple[str, ...]) -> dict[str, Rule]:
    """Raises ValueError for a word that names no rule."""
    lost = next((word for word in words if not any(f"{name}.".startswith(f"{word}.") for name in rules)), None)
    if lost is not None:
        msg = f"only={lost!r}: no rule or chapter has such a name"
        raise ValueError(msg)
    return confined(rules, words)


def _lost(exchange: Exchange, rules: Mapping[str, Rule]) -> list[Verdict]:
    """What a client's response leaves open."""
    left = (one for one in rules.values() if needs_wire(one) and not one.over and one.speaks_of(exchange))
    return [
        Verdict(rule.id, rule.level, Outcome.INCONCLUSIVE, None, (exchange.id,), (), NO_WIRE)
        for rule in left
        if exchange.view(rule.on.holds)
    ]


def _results(verdicts: Sequence[Verdict], rules: Mapping[str, Rule]) -> list[Result]:
    groups: dict[str, list[Verdict]] = {}
    for verdict in verdicts:
        groups.setdefault(verdict.rule, []).append(verdict)
    laws = {name: rules[name] for name in groups}
    return [
        Result(name, law.level, outcome_of(groups[name]), law.law, law.cites, tuple(groups[name]))
        for name, law in laws.items()
    ]


def _heavy(result: Result, *, strict: bool) -> bool:
    return result.level is Level.MUST or (strict and result.level is Level.SHOULD)


def _breaks(result: Result, *, strict: bool) -> bool:
    return _heavy(result, strict=strict) and result.outcome is Outcome.FAIL and not result.excused


def _open(result: Result, *, strict: bool) -> bool:
    """Whether it keeps an answer from being verified."""
    if result.outcome is Outcome.BROKEN:
        return True
    left = _heavy(result, strict=strict) and result.outcome in {Outcome.INCONCLUSIVE, Outcome.UNTESTABLE}
    return left and (strict or not result.mood)


def _names(results: Sequence[Result]) -> str:
    more = f" and {len(results) - MANY_RULES} more" if len(results) > MANY_RULES else ""
    return ", ".join(result.rule for result in results[:MANY_RULES]) + more
