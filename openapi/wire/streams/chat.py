"""The stream of POST /v1/chat/completions: chunks of choices, then one literal `[DONE]`.

With n > 1 the choices interleave at will, but each keeps its order. So the grammar is written for the stream as one
choice sees it (the chunks of the others left out, what concerns all left in) and walked once a choice:

    START ─ROLE→ OPEN ─FINISH→ FINISHED ─USAGE→ COUNTED ─DONE→ DONE        and from anywhere  ─ERROR→ FAILED ─DONE→ DONE

Source: OpenAI API reference, "The chat completion chunk object" and stream_options. An empty delta, a repeated role and
a chunk without choices (Azure's prefilter) are legal anywhere before the end; defects.yaml lists who sends them.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from openapi.json_text import Json, JsonText
from openapi.wire.grammar import Grammar
from openapi.wire.sse import Message

SENTINEL = "[DONE]"
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")  # members of a delta that are joined


class Symbol(Enum):
    """What one event says to a choice. One chunk may say several things, in this order."""

    ROLE = "role"
    DELTA = "text"
    TOOL = "tool call"
    EMPTY = "empty delta"
    FINISH = "finish_reason"
    BARE = "chunk without choices"
    USAGE = "usage chunk"
    ERROR = "error event"
    DONE = "[DONE]"
    JUNK = "something that is no chunk"


class State(Enum):
    START = "before the role"
    OPEN = "within the answer"
    FINISHED = "behind finish_reason"
    COUNTED = "behind the usage chunk"
    FAILED = "behind an error"
    DONE = "behind [DONE]"


GRAMMAR: Grammar[State, Symbol] = Grammar(
    start=State.START,
    accepting=frozenset({State.DONE, State.FAILED}),
    edges={
        (State.START, Symbol.ROLE): State.OPEN,
        (State.START, Symbol.EMPTY): State.START,
        (State.START, Symbol.BARE): State.START,
        (State.START, Symbol.ERROR): State.FAILED,
        (State.OPEN, Symbol.ROLE): State.OPEN,
        (State.OPEN, Symbol.DELTA): State.OPEN,
        (State.OPEN, Symbol.TOOL): State.OPEN,
        (State.OPEN, Symbol.EMPTY): State.OPEN,
        (State.OPEN, Symbol.BARE): State.OPEN,
        (State.OPEN, Symbol.FINISH): State.FINISHED,
        (State.OPEN, Symbol.ERROR): State.FAILED,
        (State.FINISHED, Symbol.ROLE): State.FINISHED,
        (State.FINISHED, Symbol.EMPTY): State.FINISHED,
        (State.FINISHED, Symbol.BARE): State.FINISHED,
        (State.FINISHED, Symbol.USAGE): State.COUNTED,
        (State.FINISHED, Symbol.DONE): State.DONE,
        (State.FINISHED, Symbol.ERROR): State.FAILED,
        (State.COUNTED, Symbol.BARE): State.COUNTED,
        (State.COUNTED, Symbol.DONE): State.DONE,
        (State.COUNTED, Symbol.ERROR): State.FAILED,
        (State.FAILED, Symbol.DONE): State.DONE,
        (State.FAILED, Symbol.ERROR): State.FAILED,
    },
    resume={
        Symbol.DELTA: State.OPEN,
        Symbol.TOOL: State.OPEN,
        Symbol.FINISH: State.FINISHED,
        Symbol.DONE: State.DONE,
    },
)


@dataclass(frozen=True, slots=True)
class Said:
    """One symbol, the number of the event that said it, and the choice that it concerns (None: all of them)."""

    symbol: Symbol
    event: int
    choice: int | None = None


def classify(event: int, message: Message, payload: JsonText) -> Iterator[Said]:
    """What one event says. Never raises: what it does not know is JUNK."""
    match payload.value:
        case _ if message.data == SENTINEL:
            yield Said(Symbol.DONE, event)
        case {"error": error} if error:
            yield Said(Symbol.ERROR, event)
        case {"choices": [], "usage": dict()}:
            yield Said(Symbol.USAGE, event)
        case {"choices": []}:
            yield Said(Symbol.BARE, event)
        case {"choices": list(choices)}:
            for choice in choices:
                yield from _choice(event, choice)
        case _:
            yield Said(Symbol.JUNK, event)


def _choice(event: int, choice: Json) -> Iterator[Said]:
    match choice:
        case {"index": int(index), "delta": dict(delta), **rest} if not isinstance(index, bool):
            yield from (Said(symbol, event, index) for symbol in _delta(delta))
            if rest.get("finish_reason"):  # "" is no reason; a rule of its own tells it
                yield Said(Symbol.FINISH, event, index)
        case _:
            yield Said(Symbol.JUNK, event)


def _delta(delta: dict[str, Json]) -> list[Symbol]:
    said = []
    if delta.get("role"):
        said.append(Symbol.ROLE)
    if any(delta.get(name) for name in (*TEXTS, "audio")):
        said.append(Symbol.DELTA)
    if delta.get("tool_calls") or delta.get("function_call"):
        said.append(Symbol.TOOL)
    return said or [Symbol.EMPTY]


def project(said: Iterable[Said], choice: int) -> list[Said]:
    """The stream as one choice sees it."""
    return [one for one in said if one.choice is None or one.choice == choice]


# --- what the chunks spell ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class ToolCall:
    """A call joined from its fragments. `id`, `type` and `name` are the first that came, else None."""

    index: int
    id: str | None = None
    type: str | None = None
    name: str | None = None
    pieces: list[str] = field(default_factory=list)

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class Choice:
    """One choice of the answer: texts joined, calls joined by index, every finish_reason that was sent."""

    index: int
    role: str | None = None
    texts: dict[str, list[str]] = field(default_factory=dict)
    tool_calls: dict[int, ToolCall] = field(default_factory=dict)
    finish: list[str] = field(default_factory=list)
    logprobs: list[Json] = field(default_factory=list)
    has_logprobs: bool = False

    def _text(self, name: str) -> str:
        return "".join(self.texts.get(name, ()))

    @property
    def content(self) -> str:
        return self._text("content")

    @property
    def reasoning(self) -> str:
        """The thinking, under either of the two names that relays use."""
        return self._text("reasoning_content") or self._text("reasoning")

    @property
    def refusal(self) -> str:
        return self._text("refusal")


@dataclass(slots=True)
class Reply:
    """The message that an answer spells, streamed or whole, so that one rule reads both.

    Only values of the right type are taken over; the rules about the schema speak of the others.
    """

    id: str | None = None
    model: str | None = None
    created: int | None = None
    choices: dict[int, Choice] = field(default_factory=dict)
    usage: dict[str, Json] | None = None


def fold(payloads: Iterable[JsonText]) -> Reply:
    """Chunks to the reply that they spell."""
    reply = Reply()
    for payload in payloads:
        chunk = payload.object
        _envelope(reply, chunk)
        for choice in _objects(chunk.get("choices")):
            _fold_choice(reply, choice, choice.get("delta"), indexed=True)
    return reply


def whole(answer: dict[str, Json]) -> Reply:
    """A chat.completion object to the same record."""
    reply = Reply()
    _envelope(reply, answer)
    for choice in _objects(answer.get("choices")):
        _fold_choice(reply, choice, choice.get("message"), indexed=False)
    return reply


def _envelope(reply: Reply, chunk: dict[str, Json]) -> None:
    match chunk.get("id"):
        case str(text) if reply.id is None:
            reply.id = text
    match chunk.get("model"):
        case str(text) if reply.model is None:
            reply.model = text
    if reply.created is None:
        reply.created = _integer(chunk.get("created"))
    match chunk.get("usage"):
        case dict(usage):
            reply.usage = usage


def _fold_choice(reply: Reply, part: dict[str, Json], delta: Json, *, indexed: bool) -> None:
    """`indexed` tells that the calls of a delta are fragments, each with the index of its call."""
    index = _integer(part.get("index"))
    if index is None:
        return
    choice = reply.choices.setdefault(index, Choice(index))
    match part.get("finish_reason"):
        case str(reason) if reason:
            choice.finish.append(reason)
    match part.get("logprobs"):
        case {"content": list(tokens)}:
            choice.has_logprobs = True
            choice.logprobs.extend(tokens)
    if isinstance(delta, dict):
        _fold_delta(choice, delta, indexed=indexed)


def _fold_delta(choice: Choice, delta: dict[str, Json], *, indexed: bool) -> None:
    if choice.role is None and isinstance(delta.get("role"), str):
        choice.role = str(delta["role"])
    for name in TEXTS:
        if text := _string(delta.get(name)):
            choice.texts.setdefault(name, []).append(text)
    for place, fragment in enumerate(_objects(delta.get("tool_calls"))):
        index = _integer(fragment.get("index")) if indexed else None
        _fold_call(choice, place if index is None else index, fragment)


def _fold_call(choice: Choice, index: int, fragment: dict[str, Json]) -> None:
    call = choice.tool_calls.setdefault(index, ToolCall(index))
    call.id = call.id or _string(fragment.get("id")) or None
    call.type = call.type or _string(fragment.get("type")) or None
    function = fragment.get("function")
    if isinstance(function, dict):
        call.name = call.name or _string(function.get("name")) or None
        call.pieces.append(_string(function.get("arguments")))


def _objects(value: Json) -> list[dict[str, Json]]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def _integer(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _string(value: Json) -> str:
    return value if isinstance(value, str) else ""
