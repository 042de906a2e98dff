"""The stream of POST /v1/completions: pieces of texts, then one literal `[DONE]`.

The choices interleave and end as those of chat do, with a text in place of the delta and nobody to introduce: there is
no role and no tool. So the grammar is that of chat from where an answer is open, without those two:

    OPEN ─FINISH→ FINISHED ─USAGE→ COUNTED ─DONE→ DONE        and from anywhere  ─ERROR→ FAILED ─DONE→ DONE

Source: OpenAI API reference, "The completion object (Legacy)", which is streamed in the shape of the whole answer.
"""

from collections.abc import Iterable, Iterator

from openapi.json_text import Json, JsonText
from openapi.wire.grammar import Grammar
from openapi.wire.sse import Message
from openapi.wire.streams import chat
from openapi.wire.streams.chat import SENTINEL, Reply, Said, State, Symbol, project

__all__ = ["GRAMMAR", "SENTINEL", "Reply", "Said", "State", "Symbol", "classify", "fold", "project", "whole"]

_OF_CHAT_ALONE = {Symbol.ROLE, Symbol.TOOL}

GRAMMAR: Grammar[State, Symbol] = Grammar(
    start=State.OPEN,
    accepting=chat.GRAMMAR.accepting,
    edges={
        (state, symbol): after
        for (state, symbol), after in chat.GRAMMAR.edges.items()
        if state is not State.START and symbol not in _OF_CHAT_ALONE
    },
    resume={symbol: after for symbol, after in chat.GRAMMAR.resume.items() if symbol not in _OF_CHAT_ALONE},
)


def classify(event: int, message: Message, payload: JsonText) -> Iterator[Said]:
    """What one event says. Never raises: what it does not know is JUNK."""
    return chat.read(event, message, payload, _choice)


def _choice(event: int, choice: Json) -> Iterator[Said]:
    match choice:
        case {"index": int(index), **rest} if not isinstance(index, bool):
            yield Said(Symbol.DELTA if rest.get("text") else Symbol.EMPTY, event, index)
            if rest.get("finish_reason"):  # "" is no reason; a rule of its own tells it
                yield Said(Symbol.FINISH, event, index)
        case _:
            yield Said(Symbol.JUNK, event)


def fold(payloads: Iterable[JsonText]) -> Reply:
    """Pieces to the reply that they spell; the text of a choice is its content."""
    reply = Reply()
    for payload in payloads:
        chat.add(reply, payload.object, _as_delta, indexed=False)
    return reply


def whole(answer: dict[str, Json]) -> Reply:
    """A text_completion object to the same record."""
    reply = Reply()
    chat.add(reply, answer, _as_delta, indexed=False)
    return reply


def _as_delta(choice: dict[str, Json]) -> Json:
    return {"content": choice.get("text")}
