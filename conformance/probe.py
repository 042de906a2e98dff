"""What we ask: a row of data, bound to a target's models when a check is planned."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from urllib.parse import quote

from conformance.rule import Rule
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Headers, Request

MODEL = "{model}"  # stands for the role's model in a body or a path
JSON_TYPE: Headers = (("content-type", "application/json"),)
PLAIN_PROMPT = 64  # tokens that a relay may add around a prompt: templates, roles


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


@dataclass(frozen=True)
class Probe:
    """One request to make, and why.

    `role` names the model that it needs (None: none). `body` is a JSON value in which MODEL is replaced, or bytes that
    go out as they are. `needs` are capabilities that a target may say it has not. `control` marks the plain request by
    which a role is found to be there at all.
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
    free: bool = False  # a mistake or a listing: no tokens are spent on it

    def request(self, model: str) -> Request:
        """The request for one model, without the key."""
        body = self.body
        raw = body if isinstance(body, bytes) or body is None else json_text.write(_bind(body, model))
        return Request(self.method, self.path.replace(MODEL, quote(model, safe="/")), self.headers, self.auth, raw)

    def tokens(self, model: str) -> int:
        """The most tokens that it can cost: a token for every two bytes of the body, and its limit for each choice."""
        if self.free:
            return 0
        request = self.request(model)
        asked = request.object
        limit = next((asked[name] for name in ("max_completion_tokens", "max_tokens") if name in asked), 0)
        choices = asked.get("n", 1)
        most = limit * choices if isinstance(limit, int) and isinstance(choices, int) else 0
        return len(request.body or b"") // 2 + PLAIN_PROMPT + most


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
    request: Request = field(repr=False)

    @property
    def id(self) -> str:
        """The id of its exchange."""
        return f"e{self.number}"

    def unanswered(self) -> Exchange:
        """The exchange as far as it is known before anything was sent: what rules apply to is read off it."""
        return Exchange(self.id, self.request, probe=self.probe.id)

    def reaches(self, rules: Mapping[str, Rule]) -> Iterator[Rule]:
        """The rules that apply to what it asks."""
        exchange = self.unanswered()
        return (rule for rule in rules.values() if rule.on.holds(exchange))
