"""POST /v1/completions: what follows each prompt, whole or in pieces."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mock_server.answer import Answer, Asked, Says
from mock_server.synthesis import events, logprobs, pace, prose, tokens
from mock_server.synthesis.errors import UnanswerableError, whole
from mock_server.synthesis.prompt import Prompt, whole_number
from mock_server.synthesis.registry import operation
from mock_server.synthesis.seed import digest
from mock_server.synthesis.turn import Turn, turns
from openapi.json_text import Json

DEFAULT_LIMIT = 16  # tokens, as of OpenAI
MAX_CHOICES = 128
VOCABULARY = tuple(sorted({token for sentence in prose.ENGLISH for token in tokens.split(f" {sentence}")}))
HEARD = ("stop", "temperature", "seed", "suffix", "top_p")  # members that bear on the words

Object = dict[str, Json]


@operation("createCompletion")
def answer(asked: Asked, names: Sequence[str], now: int) -> Answer:
    """A completion, or its pieces. Raises UnanswerableError."""
    completion = Completion(asked.object, now, asked.says)
    if completion.made < completion.n:
        raise UnanswerableError("best_of must not be smaller than n", "best_of")
    if asked.streamed:
        if completion.made > completion.n:
            raise UnanswerableError("the best of several cannot be streamed", "best_of")
        return events.streamed(_chunks(completion), digest(asked.object), completion.request)
    choices: list[Json] = [_choice(completion, text) for text in completion.texts]
    body = {**completion.envelope(choices), "usage": completion.usage}
    return whole(200, body, due=pace.WHOLE, request=completion.request)


@dataclass(frozen=True, slots=True)
class Text:
    """One choice: the tokens of its prompt, where they are echoed, and what follows them."""

    index: int
    echoed: tuple[str, ...]
    turn: Turn

    @property
    def tokens(self) -> tuple[str, ...]:
        return (*self.echoed, *self.turn.pieces)


@dataclass(frozen=True)
class Completion:
    """What was asked for, and what is said to it; `now` in seconds since 1970."""

    body: Object
    now: int
    says: Says | None = None

    @cached_property
    def request(self) -> str:
        """What tells this request from others."""
        return digest(self.body, self.now)

    @property
    def n(self) -> int:
        return min(max(whole_number(self.body.get("n")) or 1, 1), MAX_CHOICES)

    @property
    def made(self) -> int:
        """How many choices are made for each prompt, and counted."""
        return max(whole_number(self.body.get("best_of")) or self.n, 1)

    @property
    def logprobs(self) -> int | None:
        return whole_number(self.body.get("logprobs"))

    @cached_property
    def prompts(self) -> tuple[tuple[str, ...], ...]:
        """Each prompt in tokens; a token id stands for a word of a small vocabulary."""
        asked = self.body.get("prompt")
        if isinstance(asked, list) and asked and isinstance(asked[0], str | list):
            return tuple(_tokens(one) for one in asked)
        return (_tokens(asked),)

    @cached_property
    def turns(self) -> tuple[tuple[Turn, ...], ...]:
        """For each prompt what was made, the best first."""
        return tuple(tuple(turns(self._as_chat("".join(prompt)))) for prompt in self.prompts)

    def _as_chat(self, prompt: str) -> Prompt:
        heard = {name: self.body[name] for name in HEARD if self.body.get(name) is not None}
        limit = whole_number(self.body.get("max_tokens"))
        limits: Object = {"n": self.made, "max_tokens": DEFAULT_LIMIT if limit is None else limit}
        return Prompt({**heard, **limits, "messages": [{"role": "user", "content": prompt}]}, says=self.says)

    @property
    def texts(self) -> Iterator[Text]:
        """The choices that are given, in the order of the prompts."""
        for at, (prompt, made) in enumerate(zip(self.prompts, self.turns, strict=True)):
            echoed = prompt if self.body.get("echo") is True else ()
            yield from (Text(at * self.n + turn.index, echoed, turn) for turn in made[: self.n])

    @property
    def usage(self) -> Object:
        asked = sum(map(len, self.prompts))
        spoken = sum(turn.tokens for made in self.turns for turn in made)
        return {"prompt_tokens": asked, "completion_tokens": spoken, "total_tokens": asked + spoken}

    def envelope(self, choices: list[Json]) -> Object:
        return {
            "id": f"cmpl-{self.request[:29]}",
            "object": "text_completion",
            "created": self.now,
            "model": self.body.get("model"),
            "system_fingerprint": "fp_relayproof",
            "choices": choices,
        }


def _tokens(prompt: Json) -> tuple[str, ...]:
    match prompt:
        case str():
            return tokens.split(prompt if prompt.isascii() else prompt.encode("utf-8", "replace").decode())
        case list():
            return tuple(VOCABULARY[one % len(VOCABULARY)] for one in map(whole_number, prompt) if one is not None)
    return ()


def _choice(completion: Completion, text: Text) -> Object:
    told = _logprobs(completion, text, 0, text.tokens)
    return _part(text, "".join(text.tokens), told, finish=text.turn.finish)


def _chunks(completion: Completion) -> Iterator[Object]:
    """One token a piece, the choices taking turns; an echoed prompt comes at once, the usage in a piece of its own."""
    options = completion.body.get("stream_options")
    counts = isinstance(options, dict) and options.get("include_usage") is True
    counted: Object = {"usage": None} if counts else {}
    for choice in events.interleaved([list(_pieces(completion, text)) for text in completion.texts]):
        yield {**completion.envelope([choice]), **counted}
    if counts:
        yield {**completion.envelope([]), "usage": completion.usage}


def _pieces(completion: Completion, text: Text) -> Iterator[Object]:
    if text.echoed:
        yield _part(text, "".join(text.echoed), _logprobs(completion, text, 0, text.echoed))
    for at, piece in enumerate(text.turn.pieces, len(text.echoed)):
        yield _part(text, piece, _logprobs(completion, text, at, (piece,)))
    yield _part(text, "", None, finish=text.turn.finish)


def _part(text: Text, said: str, told: Json, *, finish: str | None = None) -> Object:
    return {"index": text.index, "text": said, "logprobs": told, "finish_reason": finish}


def _logprobs(completion: Completion, text: Text, start: int, said: tuple[str, ...]) -> Json:
    """The four lists for the tokens from number `start` on. The first of an echoed prompt has no probability."""
    if completion.logprobs is None:
        return None
    first_is_given = bool(text.echoed) and start == 0
    return logprobs.lists(said, completion.logprobs, len("".join(text.tokens[:start])), first_is_given=first_is_given)
