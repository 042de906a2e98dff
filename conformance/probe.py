"""What we ask: a row of data, bound to a target's models when a check is planned."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from enum import StrEnum
from math import ceil
from urllib.parse import quote

from conformance.price import FREE, Price
from conformance.rule import GENERATED, Rule
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Headers, Request

MODEL = "{model}"  # stands for the role's model in a body or a path
JSON_TYPE: Headers = (("content-type", "application/json"),)
PLAIN_PROMPT = 64  # tokens that a relay may add around a prompt: templates, roles
FOLLOWING = 1024  # tokens that a request may be longer than the one whose answer it takes up
UNSAID = 256  # tokens of an answer to what is no request, from a relay that answers it
LIMITS = ("max_completion_tokens", "max_tokens")


class Role(StrEnum):
    """What a model is named for: each role claims its own surface and no other. `chat` also claims errors,
    transport and models, which need no model of their own."""

    CHAT = "chat"
    TOOLS = "tools"
    REASONING = "reasoning"
    VISION = "vision"
    VIDEO = "video"
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"
    MESSAGES = "messages"
    RESPONSES = "responses"
    GEMINI = "gemini"
    IMAGES = "images"
    AUDIO = "audio"
    SPEECH = "speech"
    RERANK = "rerank"
    MODERATION = "moderation"
    REALTIME = "realtime"
    VIDEOS = "videos"


Follow = Callable[[Sequence[Exchange]], Json]
"""What is asked next, from what came so far; None where that leads nowhere (the model called no tool)."""

Lead = Callable[[Sequence[Exchange]], str]
"""The URL, or the path, that what came so far leads to, empty for none."""

FIRST_BYTES: Headers = (("accept", "*/*"), ("range", "bytes=0-1023"))  # GET, as some that deliver files refuse HEAD


@dataclass(frozen=True)
class Step:
    """One more request of a probe. What is None is as in the first; `body` may follow from the answers before it, and
    so may the `path` of a request that has no body.

    `reuse` sends it on the connection of the request before it, where the relay left that open. With a `link` it is
    no request to the relay: the first bytes of a URL in its answers are fetched as by a stranger (`conformance.media`),
    where the user wants that.
    """

    name: str
    body: Json | bytes | Follow = None
    method: str | None = None
    path: str | Lead | None = None
    headers: Headers | None = None
    auth: Auth | None = None
    reuse: bool = False
    free: bool = False  # no tokens are spent on it: the answers before it show that no model will read it
    link: Lead | None = None
    room: int | None = None  # tokens that one that follows may cost beside the first request; None: as that, and more

    @property
    def follows(self) -> bool:
        """Whether it hangs on the answers before it."""
        return callable(self.body) or callable(self.path)


@dataclass(frozen=True)
class Probe:
    """One request to make, or several that are judged together, and why.

    `role` names the model that it needs (None: none). `body` is a JSON value in which MODEL is replaced, or bytes that
    go out as they are. `needs` are capabilities that a target may say it has not. `control` marks the plain request by
    which a role is found to be there at all. `step` names the request where more come `then`, one after the other, or
    all at once where they go out `together`.
    """

    id: str
    role: Role | None
    method: str = "POST"
    path: str = "/v1/chat/completions"
    body: Json | bytes = None
    headers: Headers = JSON_TYPE
    auth: Auth = Auth.VALID
    needs: frozenset[str] = frozenset()
    control: bool = False
    free: bool = False  # a mistake or a listing: a right relay spends no tokens on it
    unbounded: bool = False  # a mistake that a wrong relay could take for no limit: not asked where tokens are capped
    step: str | None = None
    then: tuple[Step, ...] = ()
    together: bool = False
    alone: bool = False  # nothing else is under way meanwhile: for what is told by time

    @property
    def generated(self) -> bool:
        """Whether it was drawn, not written."""
        return self.id.startswith(GENERATED)

    @property
    def steps(self) -> tuple[Step, ...]:
        """All requests, the first one too."""
        return (Step(self.step or "", self.body), *self.then)

    def without_links(self) -> "Probe":
        """The same, with no link fetched."""
        kept = tuple(step for step in self.then if not step.link)
        return replace(self, then=kept, step=self.step if kept else None) if kept != self.then else self

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all requests, none where there is only one."""
        return tuple(step.name for step in self.steps) if self.then else ()

    def request(self, model: str) -> Request:
        """The first request for one model, without the key."""
        return self.bound(self.steps[0], model)

    def bound(self, step: Step, model: str, sofar: Sequence[Exchange] = ()) -> Request:
        """The request of a step for one model, without the key. Of one that follows from answers, `sofar` are these."""
        if step.link:
            return Request("GET", step.link(sofar) if sofar else "", FIRST_BYTES, Auth.NONE)
        body = step.body(sofar) if callable(step.body) else step.body
        raw = body if isinstance(body, bytes) or body is None else json_text.write(_bind(body, model))
        path = step.path(sofar) if callable(step.path) else step.path or self.path
        return Request(
            step.method or self.method,
            path.replace(MODEL, quote(model, safe="/")),
            self.headers if step.headers is None else step.headers,
            step.auth or self.auth,
            raw,
        )

    def tokens(self, model: str) -> int:
        """The most tokens that it can cost, all steps of it.

        A step that follows from answers repeats the first request and what was said, and is not sent where that turns
        out to be more.
        """
        fixed = [self.bound(step, model) for step in self.steps if not step.follows and not step.link]
        follows = [self.most_to_follow(step, model) for step in self.steps if callable(step.body)]
        return sum(map(self.cost, fixed)) + sum(follows)

    def most_to_follow(self, step: Step, model: str) -> int:
        """The most tokens that a step may cost that follows from answers; one that would cost more is not sent."""
        first = self.cost(self.request(model))
        return first + (first + FOLLOWING if step.room is None else step.room)

    def cost(self, request: Request) -> int:
        """The most tokens that one request can cost."""
        return sum(self.worst(request))

    def worst(self, request: Request) -> tuple[int, int]:
        """The most tokens that one request can have read and written: one read for two bytes of the body, and its limit
        for each choice. Nobody has looked at a generated one: of that each byte may be a token, and each prompt of a
        list is answered, by the larger of two limits."""
        if self.unbounded or request.body is None:
            return 0, 0
        asked = request.object
        if self.generated:
            return len(request.body) + PLAIN_PROMPT, _most_written(asked)
        limit = next((asked[name] for name in LIMITS if name in asked), 0)
        choices = asked.get("n", 1)
        most = limit * choices if isinstance(limit, int) and isinstance(choices, int) else 0
        return len(request.body) // 2 + PLAIN_PROMPT, max(most, 0)


def _most_written(asked: Mapping[str, Json]) -> int:
    """The most tokens that an answer can have where nothing of the request can be relied on."""
    limits = [limit for name in LIMITS if isinstance(limit := asked.get(name), int) and limit > 0]
    prompts = asked.get("prompt")
    several = len(prompts) if isinstance(prompts, list) else 1
    return max(limits, default=UNSAID if "input" not in asked else 0) * _choices(asked.get("n")) * max(several, 1)


def _choices(n: Json) -> int:
    """How many choices a relay may read into it, also where it is a text or a fraction."""
    try:
        return max(ceil(float(n)), 1) if isinstance(n, int | float | str) else 1
    except (ValueError, OverflowError):
        return 1


def _bind(value: Json, model: str) -> Json:
    match value:
        case str():
            return value.replace(MODEL, model)
        case list():
            return [_bind(item, model) for item in value]
        case dict():
            return {name: _bind(item, model) for name, item in value.items()}
    return value


@dataclass(frozen=True)
class Planned:
    """A probe bound to a model, with the number that orders the run."""

    number: int
    probe: Probe
    model: str
    claims: Mapping[str, bool] = field(default_factory=dict, hash=False)
    price: Price | None = None  # None where none is known

    def id(self, step: Step, repeat: int = 1, attempt: int = 1) -> str:
        """The id of an exchange: `e17`, `e17-stream` for a step, `e17~2` for a repeat, `e17.2` for a second attempt."""
        name = f"e{self.number}" + (f"-{step.name}" if step.name else "")
        return name + (f"~{repeat}" if repeat > 1 else "") + (f".{attempt}" if attempt > 1 else "")

    def leads_on(self, step: Step, request: Request) -> bool:
        """Whether a request that follows from answers can be sent: there is one, within what was planned for it."""
        if callable(step.path):
            return bool(request.path)
        most = self.probe.most_to_follow(step, self.model)
        return request.body is not None and (step.free or self.probe.cost(request) <= most)

    @property
    def tokens(self) -> int:
        """The most tokens that it can cost, all steps of it."""
        return self.probe.tokens(self.model)

    @property
    def cost(self) -> Decimal:
        """The most money that it can cost, as far as a price is known."""
        price = self.price
        if price is None:
            return FREE
        dearer = max(price.input, price.output)
        either = Price(dearer, dearer, price.request)
        follows = [step for step in self.probe.steps if callable(step.body)]
        most = sum((either.of(self.probe.most_to_follow(step, self.model), 0) for step in follows), FREE)
        fixed = [step for step in self.probe.steps if not step.follows and not step.link]
        return sum((self.cost_of(self.probe.bound(step, self.model)) for step in fixed), most)

    def cost_of(self, request: Request) -> Decimal:
        """The most money that one request can cost."""
        return self.price.of(*self.probe.worst(request)) if self.price and request.body is not None else FREE

    def unanswered(self) -> Iterator[Exchange]:
        """The exchanges as far as they are known before anything was sent: what rules apply to is read off them."""
        for step in self.probe.steps:
            if not step.follows and not step.link:
                yield self.named(Exchange("", self.probe.bound(step, self.model)), step)

    def named(self, exchange: Exchange, step: Step, repeat: int = 1, attempt: int = 1) -> Exchange:
        """An exchange with what this probe knows of it."""
        return replace(
            exchange,
            id=self.id(step, repeat, attempt),
            probe=self.probe.id,
            step=step.name or None,
            steps=self.probe.names,
            repeat=repeat,
            attempt=attempt,
            claims=self.claims,
        )

    def reaches(self, rules: Mapping[str, Rule]) -> Iterator[Rule]:
        """The rules that apply to what it asks."""
        known = {one.step or "": one for one in self.unanswered()}
        names = {step.name for step in self.probe.steps}
        for rule in rules.values():
            if not names.issuperset(rule.over):
                continue
            judged = [known[name] for name in rule.over[:1] if name in known] if rule.over else known.values()
            if any(rule.speaks_of(exchange) and rule.on.holds(exchange) for exchange in judged):
                yield rule
