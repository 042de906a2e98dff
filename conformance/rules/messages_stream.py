"""The stream of POST /v1/messages: its order, read off the grammar, and the values that must agree in it."""

from collections.abc import Iterator

from conformance.answers import chunks_of, ended, event_stream, excerpt, intact
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules.chat_stream import NOBODYS_FAULT
from conformance.rules.messages_answers import (
    OutOfOrder,
    misfits,
    of_start,
    of_stop_reason,
    of_tool,
    of_usage,
    order,
    reply_of,
    said_of,
    says,
    streaming,
    with_tools,
)
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Exchange
from openapi.wire.streams.messages import SENTINEL, State, Symbol, integer

REFERENCE = "Anthropic API reference, Streaming Messages"
EVENT = "openapi#/components/schemas/MessageStreamEvent"
IN_BLOCKS = {Symbol.BLOCK_START, Symbol.DELTA, Symbol.BLOCK_STOP}
OVER = {State.STOPPED, State.FAILED}
DELTAS = {  # of a block of each type
    "text": {"text_delta", "citations_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
    "tool_use": {"input_json_delta"},
    "server_tool_use": {"input_json_delta"},
}
KNOWN_DELTAS = set[str]().union(*DELTAS.values())

begun = event_stream & On("a message_start", lambda exchange: says(exchange, Symbol.START))
stopped = event_stream & On(
    "a message_stop or an error", lambda exchange: says(exchange, Symbol.STOP) or says(exchange, Symbol.ERROR)
)
some = event_stream & On("an event", lambda exchange: bool(exchange.messages))

# --- order ----------------------------------------------------------------------------------------------------------


def misplaced_start(fault: OutOfOrder) -> bool:
    """Something before message_start, or another one."""
    early = fault.state is State.START and fault.got in {*IN_BLOCKS, Symbol.MESSAGE_DELTA, Symbol.STOP}
    return early or (fault.got is Symbol.START and fault.state not in OVER)


def misplaced_block(fault: OutOfOrder) -> bool:
    """A delta or an end without a block, a block within a block, or one that is left open."""
    in_open = fault.state is State.OPEN and fault.got in {Symbol.DELTA, Symbol.BLOCK_STOP}
    in_block = fault.state is State.BLOCK and fault.got in {Symbol.BLOCK_START, Symbol.MESSAGE_DELTA, Symbol.STOP}
    return in_open or in_block


def misplaced_delta(fault: OutOfOrder) -> bool:
    """message_stop without a message_delta before it, or a block behind that."""
    without = fault.state is State.OPEN and fault.got is Symbol.STOP
    return without or (fault.state is State.ENDING and fault.got in IN_BLOCKS)


def not_ended(fault: OutOfOrder) -> bool:
    return fault.got is None


def behind_the_end(fault: OutOfOrder) -> bool:
    return fault.state in OVER and fault.got is not None


@rule("messages.stream.start", Level.MUST, cites=f"{REFERENCE}, message_start", on=streaming, given=some)
def start(exchange: Exchange) -> Iterator[Remark]:
    """A stream begins with one message_start: a message with id, type, role and model, an empty content, no reason."""
    yield from order(exchange, misplaced_start)
    yield from misfits(exchange, of_start)


@rule("messages.stream.blocks", Level.MUST, cites=f"{REFERENCE}, event types", on=streaming, given=some)
def blocks(exchange: Exchange) -> Iterator[Remark]:
    """A block is begun before its deltas and ended before the next block, or the end of the message."""
    yield from order(exchange, misplaced_block)


@rule("messages.stream.message-delta", Level.MUST, cites=f"{REFERENCE}, event types", on=streaming, given=some)
def message_delta(exchange: Exchange) -> Iterator[Remark]:
    """Behind all blocks and before message_stop comes a message_delta, with the reason and the tokens."""
    yield from order(exchange, misplaced_delta)


@rule("messages.stream.ends", Level.MUST, cites=f"{REFERENCE}, message_stop", on=streaming, given=ended)
def ends(exchange: Exchange) -> Iterator[Remark]:
    """A stream ends with message_stop, or with an error that says why it does not."""
    if not says(exchange, Symbol.STOP):  # else messages.stream.nothing-after tells of what came behind
        yield from order(exchange, not_ended)


@rule("messages.stream.nothing-after", Level.MUST, cites=f"{REFERENCE}, message_stop", on=streaming, given=stopped)
def nothing_after(exchange: Exchange) -> Iterator[Remark]:
    """Nothing of the message follows message_stop, or an error."""
    yield from order(exchange, behind_the_end)


@rule("messages.stream.no-done", Level.SHOULD, cites=f"{REFERENCE}, event types", on=streaming, given=some)
def no_done(exchange: Exchange) -> Iterator[Remark]:
    """There is no [DONE]: it belongs to another protocol, and whoever parses it as JSON fails."""
    for event, message in enumerate(exchange.messages):
        if message.data == SENTINEL:
            yield Finding("[DONE] in a stream of messages", event)
            return


# --- values ---------------------------------------------------------------------------------------------------------


@rule("messages.stream.schema", Level.MUST, cites=EVENT, on=streaming, given=event_stream)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """Each event is a JSON object with a type, and has the members of that type; so has an error."""
    if not exchange.messages:
        no_event = "no event came"
        yield Finding(f"expected message_start, {no_event}", 0) if intact.holds(exchange) else Inconclusive(no_event)
    for said in said_of(exchange):
        if said.symbol is Symbol.ERROR and not _is_error(exchange.payloads[said.event].value):
            data = excerpt(exchange.messages[said.event].data)
            yield Finding(f"expected an error with its type and message, got {data}", said.event)
    yield from misfits(exchange, lambda fault: not _claimed(exchange, fault))


def _is_error(value: Json) -> bool:
    match value:
        case {"type": "error", "error": {"type": str(), "message": str()}}:
            return True
    return False


def _claimed(exchange: Exchange, fault: SchemaFault) -> bool:
    """Whether a rule of its own tells of it."""
    return (
        of_usage(fault) or of_stop_reason(fault) or of_start(fault) or (of_tool(fault) and with_tools.holds(exchange))
    )


@rule("messages.stream.event-name", Level.MUST, cites=f"{REFERENCE}, event types", on=streaming, given=event_stream)
def event_name(exchange: Exchange) -> Iterator[Remark]:
    """Each event is named by the type in its data: SDKs choose by the name."""
    for event, (message, payload) in enumerate(zip(exchange.messages, exchange.payloads, strict=True)):
        kind = payload.object.get("type")
        if isinstance(kind, str) and message.event != kind:
            name = "no name" if message.event is None else f"the name {excerpt(message.event)}"
            yield Finding(f"expected event: {excerpt(kind)}, got {name}", event)


@rule("messages.stream.index", Level.MUST, cites=f"{REFERENCE}, index", on=streaming, given=event_stream)
def index(exchange: Exchange) -> Iterator[Remark]:
    """Blocks are numbered 0, 1, 2 … as they begin; a delta and an end have the number of the block that is open."""
    known: set[int] = set()
    open_: int | None = None
    for said in said_of(exchange):
        if said.index is None or said.symbol not in IN_BLOCKS:
            continue
        if said.symbol is Symbol.BLOCK_START:
            if said.index != len(known):
                yield Finding(f"block {len(known)} begins with the index {said.index}", said.event)
                return
            open_ = said.index
        elif open_ is not None and said.index != open_:
            yield Finding(f"{said.symbol.value} of block {said.index}, block {open_} is open", said.event)
            return
        known.add(said.index)
        if said.symbol is Symbol.BLOCK_STOP:
            open_ = None


@rule("messages.stream.delta-kind", Level.MUST, cites=f"{REFERENCE}, content block delta types", on=streaming,
      given=event_stream)  # fmt: skip
def delta_kind(exchange: Exchange) -> Iterator[Remark]:
    """A delta is of the kind of its block, and nothing is thought behind the signature."""
    kinds: dict[int, str] = {}
    signed: set[int] = set()
    for event, chunk in chunks_of(exchange):
        match chunk:
            case {"type": "content_block_start", "index": int(at), "content_block": {"type": str(kind)}}:
                kinds[at] = kind
            case {"type": "content_block_delta", "index": int(at), "delta": {"type": str(kind)}} if at in kinds:
                if kind in KNOWN_DELTAS and kind not in DELTAS.get(kinds[at], KNOWN_DELTAS):
                    yield Finding(f"{kind} in a block of type {kinds[at]}", event)
                    return
                if kind == "thinking_delta" and at in signed:
                    yield Finding("thinking_delta behind the signature", event)
                    return
                signed |= {at} if kind == "signature_delta" else set()


@rule("messages.stream.input-tokens", Level.MUST, cites=f"{REFERENCE}, message_start", on=streaming, occasion=begun)
def input_tokens(exchange: Exchange) -> Iterator[Remark]:
    """message_start counts the tokens that were read: clients show and manage their window by it as they go."""
    for event, chunk in chunks_of(exchange):
        match chunk:
            case {"type": "message_start", "message": {"usage": dict(usage)}}:
                counts = [integer(value) for name, value in usage.items() if name.endswith("input_tokens")]
                if not any(counts):
                    yield Finding(f"expected the tokens of the request, got {excerpt(usage)}", event)
                return
    yield Inconclusive("message_start has no usage: see messages.usage")


@rule(
    "messages.stream.output-tokens", Level.MUST, cites=f"{REFERENCE}, message_delta", on=streaming, given=event_stream
)
def output_tokens(exchange: Exchange) -> Iterator[Remark]:
    """The tokens of message_delta are counted from the beginning: no later count is smaller, and text counts."""
    last, at = 0, 0
    for event, chunk in chunks_of(exchange):
        match chunk:
            case {"type": "message_start", "message": {"usage": dict(usage)}}:
                pass
            case {"type": "message_delta", "usage": dict(usage)}:
                at = event
            case _:
                continue
        count = integer(usage.get("output_tokens"))
        if count is not None and count < last:
            yield Finding(f"{last} output_tokens were counted before, here {count}", event)
            return
        last = last if count is None else count
    reply = reply_of(exchange)
    if at and "output_tokens" in reply.usage and not last and (reply.text or reply.tools):
        yield Finding("an answer was delivered, and output_tokens counts nothing", at)


# --- errors ---------------------------------------------------------------------------------------------------------


@rule("messages.stream.completes", Level.MUST, cites=f"{REFERENCE}, error events", on=streaming, given=event_stream)
def completes(exchange: Exchange) -> Iterator[Remark]:
    """A legal request whose answer began is answered to the end: no error takes the place of the rest."""
    for said in said_of(exchange):
        if said.symbol is Symbol.ERROR:
            error = exchange.payloads[said.event].object.get("error")
            if NOBODYS_FAULT.search(_kind_of(error)):
                yield Inconclusive(f"the answer was refused in the stream: {excerpt(error)}")
            else:
                yield Finding(f"an error came in the stream: {excerpt(error)}", said.event)
            return


def _kind_of(error: Json) -> str:
    """What programs tell errors apart by."""
    return f"{error.get('type')} {error.get('code')}" if isinstance(error, dict) else ""
