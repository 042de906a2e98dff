"""A conversation as a machine: what may be done after an answer, and the request that comes of it.

    ANSWERED ──say──→ ANSWERED        CALLED ──result──→ ANSWERED
    ANSWERED ──call─→ CALLED          CALLED ──proceed─→ CALLED

    say                     takes the answer back and says something
    call                    the same, and tools have to be called
    result                  takes the calls back with their results
    proceed                 the same, and tools have to be called again
    stream, limit, system   change what is asked from here on, in any state, and ask nothing

Moves are data: a list of them is drawn (`walks`), made smaller and written down. Each request is made of the one before
it and of its answer, as a client does it. Where that answer does not lead there (it failed, no tool was called, what
came back would be no legal request) the conversation ends: of what was never asked nothing is said.
"""

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum
from functools import partial
from typing import Protocol

from conformance.fuzz import turns_chat, turns_claude
from conformance.probe import LIMITS, Follow
from openapi import document, json_text, schema
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

Move = Mapping[str, Json]
Object = dict[str, Json]
MOST = 3  # requests behind the first
BYTES = 8  # of a token of an answer that is taken back, escapes and all; what has more is not asked
FRAME = 300  # bytes around what is said in a turn: the message as it came, the ids of calls
TOOLS = 700  # bytes of their declaration


class State(Enum):
    """What the last answer is, if it is what was asked for."""

    ANSWERED = "answered"
    CALLED = "called"


EDGES: Mapping[tuple[State, str], State] = {
    (State.ANSWERED, "say"): State.ANSWERED,
    (State.ANSWERED, "call"): State.CALLED,
    (State.CALLED, "result"): State.ANSWERED,
    (State.CALLED, "proceed"): State.CALLED,
}
CHANGES = ("stream", "limit", "system")  # as they are in any state
CALLING = {"call", "proceed"}
BACK: Mapping[State, tuple[str, ...]] = {  # how the answer is taken back: as it came, or as clients write it anew
    State.ANSWERED: ("came", "text", "parts"),
    State.CALLED: ("came", "null", "none"),
}


class Turns(Protocol):
    """What a protocol makes of a move: a module each."""

    def answer(self, exchange: Exchange, back: str) -> list[Json] | None:
        """What is taken back of an answer without calls; None where there is none."""

    def results(self, exchange: Exchange, back: str, content: Json) -> list[Json] | None:
        """The calls of an answer and their results; None where there are none."""

    def calling(self, body: Object) -> Object: ...

    def instructed(self, body: Object, content: Json) -> Object: ...

    def limited(self, body: Object, limit: Json) -> Object: ...


TURNS: Mapping[str, Turns] = {"createChatCompletion": turns_chat, "createMessage": turns_claude}


def begins(body: Json) -> State:
    """The state behind the first request."""
    choice = body.get("tool_choice") if isinstance(body, dict) else None
    kind = choice.get("type") if isinstance(choice, dict) else choice
    return State.CALLED if kind in ("required", "function", "any", "tool") else State.ANSWERED


def calls(moves: Json) -> bool:
    """Whether tools are called by any of them."""
    return isinstance(moves, list) and any(isinstance(one, dict) and one.get("move") in CALLING for one in moves)


def groups(body: Json, moves: Json) -> tuple[tuple[Move, ...], ...]:
    """The moves of each request behind the first, the last of which asks; none where the machine does not go so."""
    found: list[tuple[Move, ...]] = []
    open_: list[Move] = []
    state = begins(body)
    for move in moves if isinstance(moves, list) else []:
        after = _after(state, move)
        if after is None or not isinstance(move, dict):
            return ()
        state = after
        open_.append(move)
        if move["move"] not in CHANGES:
            found.append(tuple(open_))
            open_ = []
    return () if open_ or len(found) > MOST else tuple(found)


def _after(state: State, move: Json) -> State | None:
    """The state behind a move, None where it cannot be made."""
    match move:
        case {"move": "stream", "to": bool(), **rest} if len(rest) == 0:
            return state
        case {"move": "limit", "to": int(limit), **rest} if not isinstance(limit, bool) and limit > 0 and not rest:
            return state
        case {"move": "system", "content": str() | list(), **rest} if not rest:
            return state
        case {"move": str(name), "content": str() | list(), **rest} if rest.get("back", "came") in BACK[state]:
            return EDGES.get((state, name)) if rest.keys() <= {"back"} else None
    return None


def follows(operation: str, body: Json, moves: Json) -> Iterator[tuple[Follow, int]]:
    """What is asked behind the first request, each from the answers before it, and the tokens that it may cost beside
    the first: one for each byte of what was said since, and what the limit was raised by."""
    first = _limit(body)
    room, limit = 0, first
    for group in groups(body, moves) if operation in TURNS else ():
        room += BYTES * limit + len(json_text.write([dict(move) for move in group])) + FRAME
        room += TOOLS if group[-1]["move"] in CALLING else 0
        limit = limits(group)[-1] if limits(group) else limit
        yield partial(_follow, operation, group), room + max(limit - first, 0)


def limits(moves: Json | Sequence[Move]) -> list[int]:
    """The limits that moves set."""
    told = [one.get("to") for one in moves if isinstance(one, dict)] if isinstance(moves, list | tuple) else []
    return [limit for limit in told if isinstance(limit, int) and not isinstance(limit, bool)]


def _limit(body: Json) -> int:
    named = [body[name] for name in LIMITS if name in body] if isinstance(body, dict) else []
    return max((limit for limit in named if isinstance(limit, int)), default=0)


def _follow(operation: str, moves: Sequence[Move], sofar: Sequence[Exchange]) -> Json:
    """The next request; None where the last answer does not lead there."""
    turns, last, ask = TURNS[operation], sofar[-1], moves[-1]
    body = dict(last.request.object)
    for move in moves[:-1]:
        body = _changed(turns, body, move)
    name, back = ask["move"], str(ask.get("back", "came"))
    if name in {"result", "proceed"}:
        said = turns.results(last, back, ask["content"])
    else:
        said = turns.answer(last, back)
        said = said and [*said, {"role": "user", "content": ask["content"]}]
    messages = body.get("messages")
    if not said or not isinstance(messages, list):
        return None
    asked = {**{key: value for key, value in body.items() if key != "tool_choice"}, "messages": [*messages, *said]}
    asked = turns.calling(asked) if name in CALLING else asked
    return asked if _is_legal(operation, asked) else None


def _is_legal(operation: str, body: Json) -> bool:
    book = document.load()
    return schema.is_valid(book, book.operation(operation).request or "", body)


def _changed(turns: Turns, body: Object, move: Move) -> Object:
    match move:
        case {"move": "stream", "to": True}:
            return {**body, "stream": True}
        case {"move": "stream"}:
            return {name: value for name, value in body.items() if name not in {"stream", "stream_options"}}
        case {"move": "limit", "to": limit}:
            return turns.limited(body, limit)
        case {"content": content}:
            return turns.instructed(body, content)
    return body
