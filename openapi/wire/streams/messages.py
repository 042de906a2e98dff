"""The stream of POST /v1/messages: a message that starts, its blocks one after another, why it ended, and its end.

    START ─message_start→ OPEN ─message_delta→ ENDING ─message_stop→ STOPPED        and from anywhere  ─error→ FAILED
                          │  ↑
          content_block_start content_block_stop
                          ↓  │
                         BLOCK ⟲ content_block_delta

Source: Anthropic, "Streaming Messages". A ping may come anywhere, and so may an event of a type that nobody knows yet;
`[DONE]` is no part of the protocol and is left to a rule of its own. Which block a delta is for, and whether the
indexes are dense, are questions about values: rules ask them.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum

from openapi.json_text import Json, JsonText
from openapi.wire.grammar import Grammar
from openapi.wire.sse import Message

SENTINEL = "[DONE]"  # of other protocols


class Symbol(Enum):
    """What one event says, by its type."""

    START = "message_start"
    BLOCK_START = "content_block_start"
    DELTA = "content_block_delta"
    BLOCK_STOP = "content_block_stop"
    MESSAGE_DELTA = "message_delta"
    STOP = "message_stop"
    ERROR = "error event"
    IDLE = "event to be ignored"
    JUNK = "something that is no event"


class State(Enum):
    START = "before message_start"
    OPEN = "between the blocks"
    BLOCK = "within a block"
    ENDING = "behind message_delta"
    STOPPED = "behind message_stop"
    FAILED = "behind an error"


GRAMMAR: Grammar[State, Symbol] = Grammar(
    start=State.START,
    accepting=frozenset({State.STOPPED, State.FAILED}),
    edges={
        **{(state, Symbol.IDLE): state for state in State},
        **{(state, Symbol.ERROR): State.FAILED for state in State if state is not State.STOPPED},
        (State.START, Symbol.START): State.OPEN,
        (State.OPEN, Symbol.BLOCK_START): State.BLOCK,
        (State.BLOCK, Symbol.DELTA): State.BLOCK,
        (State.BLOCK, Symbol.BLOCK_STOP): State.OPEN,
        (State.OPEN, Symbol.MESSAGE_DELTA): State.ENDING,
        (State.ENDING, Symbol.MESSAGE_DELTA): State.ENDING,
        (State.ENDING, Symbol.STOP): State.STOPPED,
        (State.FAILED, Symbol.STOP): State.STOPPED,
    },
    resume={
        Symbol.START: State.OPEN,
        Symbol.BLOCK_START: State.BLOCK,
        Symbol.DELTA: State.BLOCK,
        Symbol.BLOCK_STOP: State.OPEN,
        Symbol.MESSAGE_DELTA: State.ENDING,
        Symbol.STOP: State.STOPPED,
    },
)

_BY_TYPE = {symbol.value: symbol for symbol in Symbol if symbol not in {Symbol.ERROR, Symbol.IDLE, Symbol.JUNK}}


@dataclass(frozen=True, slots=True)
class Said:
    """One symbol, the number of the event that said it, and the index of the block that it is about, if any."""

    symbol: Symbol
    event: int
    index: int | None = None


def classify(event: int, message: Message, payload: JsonText) -> Said:
    """What one event says, by its type alone: what else it has is for the schema. Never raises."""
    match payload.value:
        case _ if message.data == SENTINEL:
            return Said(Symbol.IDLE, event)
        case {"type": "error"}:
            return Said(Symbol.ERROR, event)
        case {"type": str(name)} if name:
            return Said(_BY_TYPE.get(name, Symbol.IDLE), event, integer(payload.object.get("index")))
        case {"error": error} if error:  # as other protocols say it; a rule tells of its shape
            return Said(Symbol.ERROR, event)
        case _:
            return Said(Symbol.JUNK, event)


# --- what the events spell ------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Block:
    """One block of the content. `deltas` are the types of its deltas in order; `input` is that of a whole answer."""

    index: int
    type: str = ""
    id: str | None = None
    name: str | None = None
    input: Json = None
    deltas: list[str] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    pieces: list[str] = field(default_factory=list)
    signature: str = ""

    @property
    def text(self) -> str:
        """What it says or thinks."""
        return "".join(self.texts)

    @property
    def json(self) -> str:
        """The JSON text of a tool's input as the deltas spell it."""
        return "".join(self.pieces)


@dataclass(slots=True)
class Reply:
    """The message that an answer spells, streamed or whole, so that one rule reads both.

    Only values of the right type are taken over; the rules about the schema speak of the others. `usage` has the last
    report of each count.
    """

    id: str | None = None
    model: str | None = None
    blocks: dict[int, Block] = field(default_factory=dict)
    stop_reason: str | None = None
    stop_sequence: str | None = None
    usage: dict[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """All that it says to the user."""
        return "".join(block.text for block in self.blocks.values() if block.type == "text")

    @property
    def tools(self) -> list[Block]:
        """The calls of the client's tools."""
        return [block for block in self.blocks.values() if block.type == "tool_use"]

    @property
    def thoughts(self) -> list[Block]:
        return [block for block in self.blocks.values() if block.type == "thinking"]


def fold(payloads: Iterable[JsonText]) -> Reply:
    """Events to the reply that they spell."""
    reply = Reply()
    for payload in payloads:
        index = integer(payload.object.get("index"))
        match payload.value:
            case {"type": "message_start", "message": dict(message)}:
                _envelope(reply, message)
            case {"type": "content_block_start", "content_block": dict(block)} if index is not None:
                reply.blocks.setdefault(index, _block(index, block))
            case {"type": "content_block_delta", "delta": dict(delta)} if index is not None:
                _add(reply.blocks.setdefault(index, Block(index)), delta)
            case {"type": "message_delta"}:
                ending = payload.object.get("delta")
                _envelope(reply, ending if isinstance(ending, dict) else {})
                _usage(reply, payload.object.get("usage"))
    return reply


def whole(answer: dict[str, Json]) -> Reply:
    """A message object to the same record."""
    reply = Reply()
    _envelope(reply, answer)
    content = answer.get("content")
    for index, block in enumerate(content if isinstance(content, list) else []):
        if isinstance(block, dict):
            reply.blocks[index] = _block(index, block)
    return reply


def _envelope(reply: Reply, said: dict[str, Json]) -> None:
    reply.id = reply.id or _string(said.get("id")) or None
    reply.model = reply.model or _string(said.get("model")) or None
    reply.stop_reason = _string(said.get("stop_reason")) or reply.stop_reason
    reply.stop_sequence = _string(said.get("stop_sequence")) or reply.stop_sequence
    _usage(reply, said.get("usage"))


def _usage(reply: Reply, usage: Json) -> None:
    counts: dict[str, Json] = usage if isinstance(usage, dict) else {}
    for name, value in counts.items():
        if (count := integer(value)) is not None:
            reply.usage[name] = count


def _block(index: int, said: dict[str, Json]) -> Block:
    texts = [_string(said.get(name)) for name in ("text", "thinking")]
    return Block(
        index,
        _string(said.get("type")),
        _string(said.get("id")) or None,
        _string(said.get("name")) or None,
        said.get("input"),
        texts=[text for text in texts if text],
        signature=_string(said.get("signature")),
    )


def _add(block: Block, delta: dict[str, Json]) -> None:
    block.deltas.append(_string(delta.get("type")))
    block.texts += [text for name in ("text", "thinking") if (text := _string(delta.get(name)))]
    block.pieces.append(_string(delta.get("partial_json")))
    block.signature += _string(delta.get("signature"))


def integer(value: Json) -> int | None:
    """A whole number that is no truth value."""
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _string(value: Json) -> str:
    return value if isinstance(value, str) else ""
