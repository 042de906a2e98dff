"""The stream of POST /v1/chat/completions: chunks of choices, then one literal `[DONE]`.

With n > 1 the choices interleave at will, but each keeps its order. So the grammar is written for the stream as one
choice sees it (the chunks of the others left out, what concerns all left in) and walked once a choice:

    START ─ROLE→ OPEN ─FINISH→ FINISHED ─USAGE→ COUNTED ─DONE→ DONE        and from anywhere  ─ERROR→ FAILED ─DONE→ DONE

Source: OpenAI API reference, "The chat completion chunk object" and stream_options. An empty delta, a repeated role and
a chunk without choices (Azure's prefilter) are legal anywhere before the end; defects.yaml lists who sends them.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum

from openapi.json_text import Json, JsonText
from openapi.wire.grammar import Grammar
from openapi.wire.sse import Message

SENTINEL = "[DONE]"
TEXTS = ("content", "reasoning_content", "reasoning", "refusal")  # members of a delta that are joined


class Symbol(Enum):
    """What one event says to a choice. One chunk may say several things, in this order."""

    __hash__ = object.__hash__  # each member is one object; Enum would hash its name anew

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
    __hash__ = object.__hash__

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


_SPOKEN = (Symbol.ROLE, Symbol.DELTA, Symbol.TOOL)
_SAYS = {  # what a member of a delta says, if it is not empty
    "role": Symbol.ROLE,
    **dict.fromkeys((*TEXTS, "audio"), Symbol.DELTA),
    **dict.fromkeys(("tool_calls", "function_call"), Symbol.TOOL),
}


def classify(event: int, message: Message, payload: JsonText) -> Iterator[Said]:
    """What one event says. Never raises: what it does not know is JUNK."""
    return read(event, message, payload, _choice)


def read(
    event: int, message: Message, payload: JsonText, choice_says: Callable[[int, Json], Iterator[Said]]
) -> Iterator[Said]:
    """What one event of any protocol of choices says; what a choice itself says is its own."""
    body = payload.value  # read by plain questions: mapping patterns would take half of the judge's time
    if message.data == SENTINEL:
        yield Said(Symbol.DONE, event)
    elif not isinstance(body, dict):
        yield Said(Symbol.JUNK, event)
    elif body.get("error"):
        yield Said(Symbol.ERROR, event)
    elif not isinstance(choices := body.get("choices"), list):
        yield Said(Symbol.JUNK, event)
    elif choices:
        for choice in choices:
            yield from choice_says(event, choice)
    else:
        yield Said(Symbol.USAGE if isinstance(body.get("usage"), dict) else Symbol.BARE, event)


def _choice(event: int, choice: Json) -> Iterator[Said]:
    part = choice if isinstance(choice, dict) else {}
    index, delta = _integer(part.get("index")), part.get("delta")
    if index is None or not isinstance(delta, dict):
        yield Said(Symbol.JUNK, event)
        return
    for symbol in _delta(delta):
        yield Said(symbol, event, index)
    if part.get("finish_reason"):  # "" is no reason; a rule of its own tells it
        yield Said(Symbol.FINISH, event, index)


def _delta(delta: dict[str, Json]) -> list[Symbol]:
    said = [_SAYS[name] for name, value in delta.items() if value and name in _SAYS]
    if len(said) > 1:
        return [symbol for symbol in _SPOKEN if symbol in said]
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
        add(reply, payload.object, lambda choice: choice.get("delta"), indexed=True)
    return reply


def whole(answer: dict[str, Json]) -> Reply:
    """A chat.completion object to the same record."""
    reply = Reply()
    add(reply, answer, lambda choice: choice.get("message"), indexed=False)
    return reply


def add(reply: Reply, body: dict[str, Json], delta_of: Callable[[dict[str, Json]], Json], *, indexed: bool) -> None:
    """Take over what one body says: its envelope, and of each choice the delta. `indexed` tells that the calls of a
    delta are fragments, each with the index of its call."""
    _envelope(reply, body)
    for choice in _objects(body.get("choices")):
        _fold_choice(reply, choice, delta_of(choice), indexed=indexed)


def _envelope(reply: Reply, chunk: dict[str, Json]) -> None:
    if reply.id is None and isinstance(name := chunk.get("id"), str):
        reply.id = name
    if reply.model is None and isinstance(model := chunk.get("model"), str):
        reply.model = model
    if reply.created is None:
        reply.created = _integer(chunk.get("created"))
    if isinstance(usage := chunk.get("usage"), dict):
        reply.usage = usage


def _fold_choice(reply: Reply, part: dict[str, Json], delta: Json, *, indexed: bool) -> None:
    index = _integer(part.get("index"))
    if index is None:
        return
    choice = reply.choices.get(index)
    if choice is None:
        choice = reply.choices[index] = Choice(index)
    if reason := _string(part.get("finish_reason")):
        choice.finish.append(reason)
    if isinstance(logprobs := part.get("logprobs"), dict) and isinstance(tokens := logprobs.get("content"), list):
        choice.has_logprobs = True
        choice.logprobs.extend(tokens)
    if isinstance(delta, dict):
        _fold_delta(choice, delta, indexed=indexed)


def _fold_delta(choice: Choice, delta: dict[str, Json], *, indexed: bool) -> None:
    if choice.role is None and isinstance(role := delta.get("role"), str):
        choice.role = role
    for name in TEXTS:
        if name in delta and (text := _string(delta[name])):
            choice.texts.setdefault(name, []).append(text)
    if "tool_calls" in delta:
        for place, fragment in enumerate(_objects(delta["tool_calls"])):
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
