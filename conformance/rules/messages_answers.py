"""What the chapters on Claude's messages read off an exchange: what was asked in that protocol, and what came back."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from conformance.answers import event_stream, intact, json_answer, readable, schema_faults
from conformance.asked import legal, member, operation, streamed
from conformance.rule import Finding, On, Remark, on
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import End, Exchange
from openapi.wire.streams import messages as protocol
from openapi.wire.streams.messages import Reply, Said, State, Symbol

CUT = {"max_tokens", "refusal", "pause_turn", "model_context_window_exceeded"}  # reasons to end before all was said
HEAD_OR_INPUT = r"/(content/\d+|content_block)/(id|name)|/content/\d+/input"

# --- what was asked -------------------------------------------------------------------------------------------------

messages = operation("createMessage")
counting = operation("countMessageTokens")
asked = messages & legal
streaming = asked & streamed


def tools_of(exchange: Exchange) -> list[dict[str, Json]]:
    """The declared tools."""
    tools = member(exchange, "tools")
    return [tool for tool in tools if isinstance(tool, dict)] if isinstance(tools, list) else []


def tool_choice(exchange: Exchange) -> str:
    """`auto`, `any`, `tool` or `none`."""
    match member(exchange, "tool_choice"):
        case {"type": str(choice)}:
            return choice
    return "auto"


def stops_of(exchange: Exchange) -> tuple[str, ...]:
    """The stop sequences, empty ones left out."""
    stops = member(exchange, "stop_sequences")
    return tuple(stop for stop in stops if isinstance(stop, str) and stop) if isinstance(stops, list) else ()


with_tools = On(
    "tools of the client alone",
    lambda exchange: bool(tools_of(exchange)) and all("input_schema" in tool for tool in tools_of(exchange)),
)
forced = with_tools & On("a forced tool", lambda exchange: tool_choice(exchange) in {"any", "tool"})
no_tools_wanted = with_tools & On("tool_choice none", lambda exchange: tool_choice(exchange) == "none")
with_stops = On("stop_sequences", lambda exchange: bool(stops_of(exchange)))

# --- what came back -------------------------------------------------------------------------------------------------


def reply_of(exchange: Exchange) -> Reply:
    """The message that the answer spells, streamed or whole."""
    return exchange.view(_reply)


def _reply(exchange: Exchange) -> Reply:
    return protocol.fold(exchange.payloads) if exchange.is_stream else protocol.whole(exchange.object)


def said_of(exchange: Exchange) -> tuple[Said, ...]:
    """What the events of a stream say, in order."""
    return exchange.view(_said)


def _said(exchange: Exchange) -> tuple[Said, ...]:
    pairs = zip(exchange.messages, exchange.payloads, strict=True)
    return tuple(protocol.classify(event, message, payload) for event, (message, payload) in enumerate(pairs))


def says(exchange: Exchange, symbol: Symbol) -> bool:
    return any(said.symbol is symbol for said in said_of(exchange))


@on("a message without an error, whose blocks were begun")
def _spelled(exchange: Exchange) -> bool:
    reply = reply_of(exchange)
    if not exchange.is_stream and not isinstance(exchange.object.get("content"), list):
        return False
    begun = all(block.type for block in reply.blocks.values())
    return begun and bool(reply.blocks or reply.stop_reason) and not says(exchange, Symbol.ERROR)


replied = event_stream | json_answer
whole_message = replied & intact & readable & _spelled
called = On("a tool_use block", lambda exchange: bool(reply_of(exchange).tools))
thought = On("a thinking block", lambda exchange: bool(reply_of(exchange).thoughts))


@dataclass(frozen=True, slots=True)
class OutOfOrder:
    """One violation of the grammar, with the number of its event (None: the end)."""

    event: int | None
    state: State
    got: Symbol | None


def out_of_order(exchange: Exchange) -> tuple[OutOfOrder, ...]:
    """Where the stream left its grammar."""
    return exchange.view(_out_of_order)


def _out_of_order(exchange: Exchange) -> tuple[OutOfOrder, ...]:
    walked = protocol.GRAMMAR.walk([one.symbol for one in said_of(exchange)], ended=exchange.end is End.COMPLETE)
    return tuple(OutOfOrder(one.index if one.got else None, one.state, one.got) for one in walked)


def order(exchange: Exchange, claims: Callable[[OutOfOrder], bool]) -> Iterator[Remark]:
    """What a rule claims of what is out of order."""
    for fault in out_of_order(exchange):
        if claims(fault):
            what = fault.got.value if fault.got else "the stream ended"
            at = len(exchange.messages) if fault.event is None else fault.event
            yield Finding(f"{what} {fault.state.value}", at)


def misfits(exchange: Exchange, claims: Callable[[SchemaFault], bool]) -> Iterator[Remark]:
    """What a rule claims of what does not fit the schema."""
    for event, fault in schema_faults(exchange):
        if claims(fault):
            expected = f"{fault.missing} in it" if fault.missing else fault.expected
            text = f"{fault.pointer or '/'}: expected {expected}, got {fault.got}"
            yield Finding(text, event, place=re.sub(r"/\d+", "/*", fault.pointer))


# --- which rule a fault of the schema belongs to --------------------------------------------------------------------


def of_usage(fault: SchemaFault) -> bool:
    return "/usage" in fault.pointer or fault.missing == "usage"


def of_stop_reason(fault: SchemaFault) -> bool:
    return fault.pointer in {"/stop_reason", "/delta/stop_reason"} or fault.missing == "stop_reason"


def of_tool(fault: SchemaFault) -> bool:
    """The head of a call, and its input where that is whole: rules of their own speak of them, where tools were asked
    for."""
    place = f"{fault.pointer}/{fault.missing}" if fault.missing else fault.pointer
    return re.fullmatch(HEAD_OR_INPUT, place) is not None


def of_start(fault: SchemaFault) -> bool:
    return (fault.pointer.startswith("/message") or fault.missing == "message") and not of_usage(fault)
