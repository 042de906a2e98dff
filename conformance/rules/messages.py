"""POST /v1/messages: what an answer in Claude's protocol must be and do, streamed or whole."""

from collections import Counter
from collections.abc import Iterator

from conformance.answers import (
    answered as is_answered,
)
from conformance.answers import (
    describe,
    error_answer,
    excerpt,
    intact,
    json_answer,
    ok,
    schema_faults,
)
from conformance.asked import legal, member, model_of, streamed
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules import chat
from conformance.rules.errors import error_schema, ours
from conformance.rules.messages_answers import (
    CUT,
    asked,
    called,
    counting,
    forced,
    messages,
    no_tools_wanted,
    of_stop_reason,
    of_tool,
    of_usage,
    replied,
    reply_of,
    says,
    stops_of,
    thought,
    tool_choice,
    tools_of,
    whole_message,
    with_stops,
    with_tools,
)
from conformance.rules.messages_answers import misfits as schema_misfits
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.messages import Block, Symbol, integer

REFERENCE = "Anthropic API reference, Messages"
MESSAGE = "openapi#/components/schemas/Message"
ENVELOPE = "/components/schemas/MessagesError"
NO_STOP = Inconclusive("the answer has no stop_reason: it may not be whole")
NOT_SERVED = {404, 405, 501}
AGREES = 0.2  # by how much of the larger a count and the usage may differ, and by how many tokens they always may
ALWAYS = 8

own_path = ours & On("Claude's own paths", lambda exchange: error_schema(exchange) == ENVELOPE)


@rule("messages.answered", Level.MUST, cites="RFC 9110 section 15.6", on=asked)
def answered(exchange: Exchange) -> Iterator[Remark]:
    """A legal request is not answered as a fault of the server; not implemented or overloaded may be said."""
    yield from chat.answered(exchange)


@rule("messages.content-type", Level.MUST, cites=f"{REFERENCE}, stream", on=asked & ~streamed, given=ok & intact)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """Without stream true the answer is one JSON object as application/json, and no event stream."""
    yield from chat.content_type(exchange)


@rule("messages.schema", Level.MUST, cites=MESSAGE, on=asked & ~streamed, given=json_answer)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """A whole answer fits its schema: id, type message, role assistant, a content of typed blocks, model."""
    speaks_of_tools = with_tools.holds(exchange)
    yield from schema_misfits(
        exchange, lambda fault: not (of_usage(fault) or of_stop_reason(fault) or (speaks_of_tools and of_tool(fault)))
    )


@rule("messages.model", Level.SHOULD, cites=f"{REFERENCE}, model", on=asked, given=replied)
def model(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the model that was asked for, or a dated snapshot of it."""
    wanted, named = model_of(exchange), reply_of(exchange).model
    if not named:
        yield Inconclusive("the answer names no model: see the rules on its schema")
    elif not chat.same_model(wanted, named):
        yield Finding(f"asked for {wanted!r}, the answer is by {named!r}")


@rule("messages.stop-reason", Level.MUST, cites=f"{REFERENCE}, stop_reason", on=asked, given=replied)
def stop_reason(exchange: Exchange) -> Iterator[Remark]:
    """An answer says why it ended, with one of the reasons that the protocol knows; in a stream message_delta does."""
    yield from schema_misfits(exchange, of_stop_reason)
    if not exchange.is_stream or reply_of(exchange).stop_reason:
        return
    if says(exchange, Symbol.STOP) and not says(exchange, Symbol.ERROR):
        yield Finding("no stop_reason in the whole stream", len(exchange.messages))
    else:
        yield Inconclusive("the stream did not come to its end: see messages.stream.ends")


@rule("messages.usage", Level.MUST, cites="openapi#/components/schemas/MessageUsage", on=asked, given=replied)
def usage(exchange: Exchange) -> Iterator[Remark]:
    """What was read and written is counted: in a whole answer, in message_start, and in each message_delta."""
    yield from schema_misfits(exchange, of_usage)
    reply = reply_of(exchange)
    if not exchange.is_stream and reply.blocks and reply.usage and not any(reply.usage.values()):
        yield Finding("an answer was delivered, and usage counts nothing")


# --- what was asked has its effect ----------------------------------------------------------------------------------


@rule("messages.max-tokens", Level.MUST, cites=f"{REFERENCE}, max_tokens", on=asked, given=whole_message)
def max_tokens(exchange: Exchange) -> Iterator[Remark]:
    """An answer has no more tokens than max_tokens, and says stop_reason max_tokens where that cut it."""
    reply, most = reply_of(exchange), integer(member(exchange, "max_tokens")) or 0
    counted, least = reply.usage.get("output_tokens", 0), chat.fewest_tokens(reply.text)
    if max(counted, least) > most + chat.SLACK:
        told = f"usage counts {counted}" if counted >= least else f"the text has at least {least}"
        yield Finding(f"the limit was {most} tokens, {told}: {excerpt(reply.text, 60)}")
    elif not reply.stop_reason:
        yield NO_STOP
    elif reply.stop_reason != "max_tokens":
        yield Inconclusive(f"the model ended by itself: {reply.stop_reason}", mood=True)


@rule("messages.stop-sequences", Level.MUST, cites=f"{REFERENCE}, stop_sequences", on=asked & with_stops,
      given=whole_message)  # fmt: skip
def stop_sequences(exchange: Exchange) -> Iterator[Remark]:
    """The text holds no stop sequence and ends before it, and stop_sequence says which one it was."""
    reply, stops = reply_of(exchange), stops_of(exchange)
    found = [stop for stop in stops if stop in reply.text]
    if found:
        yield Finding(f"the text holds the stop sequence {found[0]!r}: {excerpt(reply.text)}")
    elif not reply.stop_reason:
        yield NO_STOP
    elif reply.stop_reason != "stop_sequence":
        yield Inconclusive(f"the model wrote no stop sequence: it ended by {reply.stop_reason}", mood=True)
    elif reply.stop_sequence not in stops:
        yield Finding(f"expected stop_sequence to be one of {excerpt([*stops])}, got {excerpt(reply.stop_sequence)}")


@rule("messages.thinking-signature", Level.SHOULD, cites="Anthropic, Extended thinking", on=asked, given=whole_message,
      occasion=thought)  # fmt: skip
def thinking_signature(exchange: Exchange) -> Iterator[Remark]:
    """A block of thinking is signed: without its signature it cannot be sent back beside the result of a tool."""
    for block in reply_of(exchange).thoughts:
        if not block.signature:
            yield Finding(f"block {block.index} thinks without a signature: {excerpt(block.text, 60)}")


# --- tools ----------------------------------------------------------------------------------------------------------

TOOLS = "Anthropic, Tool use"


@rule("messages.tool-id", Level.MUST, cites=TOOLS, on=asked & with_tools, given=replied, occasion=called)
def tool_id(exchange: Exchange) -> Iterator[Remark]:
    """Each call has an id that is not empty, and no two have the same: a result is matched by it."""
    times = Counter(block.id for block in reply_of(exchange).tools)
    for name, count in times.items():
        if not name:
            yield Finding(f"{count} calls have no id")
        elif count > 1:
            yield Finding(f"{count} calls have the id {name!r}")


@rule("messages.tool-name", Level.MUST, cites=TOOLS, on=asked & with_tools, given=replied, occasion=called)
def tool_name(exchange: Exchange) -> Iterator[Remark]:
    """Only declared tools are called."""
    names = [tool.get("name") for tool in tools_of(exchange)]
    for block in reply_of(exchange).tools:
        if block.name not in names:
            yield Finding(f"{excerpt(block.name)} was not declared; {excerpt(names)} were")


def _input(exchange: Exchange, block: Block) -> Json:
    """The input of a call; no pieces at all are no input, or that which the block began with."""
    if exchange.is_stream and block.json:
        return json_text.read(block.json).value
    return block.input


@rule("messages.tool-input", Level.MUST, cites=TOOLS, on=asked & with_tools, given=whole_message, occasion=called)
def tool_input(exchange: Exchange) -> Iterator[Remark]:
    """The input of a call is an object; in a stream its pieces join to the JSON text of one."""
    reason = reply_of(exchange).stop_reason
    for block in reply_of(exchange).tools:
        if isinstance(_input(exchange, block), dict):
            continue
        if reason in CUT:
            yield Inconclusive(f"the input was cut: {reason}", mood=True)
        elif not reason:
            yield NO_STOP
        else:
            seen = block.json if exchange.is_stream and block.json else block.input
            yield Finding(f"call of {block.name!r}: expected a JSON object, got {excerpt(seen)}")


@rule("messages.tool-input-schema", Level.SHOULD, cites=TOOLS, on=asked & with_tools, given=whole_message,
      occasion=called)  # fmt: skip
def tool_input_schema(exchange: Exchange) -> Iterator[Remark]:
    """The input of a call fits the input_schema that its tool declares."""
    schemas = {tool.get("name"): tool.get("input_schema") for tool in tools_of(exchange)}
    fitted = False
    for block in reply_of(exchange).tools:
        value, declared = _input(exchange, block), schemas.get(block.name)
        validator = chat.compiled(json_text.write(declared).decode()) if isinstance(declared, dict) else None
        if validator and isinstance(value, dict):
            fitted = True
            yield from chat.misfits(validator, value, f"{block.name}({excerpt(value)})")
    if not fitted:
        yield Inconclusive("no call has an input and a schema that can be compared")


@rule("messages.tool-stop", Level.MUST, cites=f"{REFERENCE}, stop_reason", on=asked & with_tools, given=whole_message,
      occasion=called | On("tool_use", lambda exchange: reply_of(exchange).stop_reason == "tool_use"))  # fmt: skip
def tool_stop(exchange: Exchange) -> Iterator[Remark]:
    """An answer that calls tools ends with tool_use, and only such an answer does."""
    reply = reply_of(exchange)
    if not reply.stop_reason:
        yield NO_STOP
    elif not reply.tools:
        yield Finding("stop_reason is tool_use, and no tool is called")
    elif reply.stop_reason not in {"tool_use", *CUT}:
        yield Finding(f"{len(reply.tools)} tools are called, stop_reason is {reply.stop_reason!r}")


@rule("messages.tool-forced", Level.MUST, cites=f"{REFERENCE}, tool_choice", on=asked & forced, given=whole_message)
def tool_forced(exchange: Exchange) -> Iterator[Remark]:
    """With tool_choice any or tool, the answer calls a tool, and the one that was named."""
    reply, choice = reply_of(exchange), member(exchange, "tool_choice")
    wanted = choice.get("name") if isinstance(choice, dict) and tool_choice(exchange) == "tool" else None
    names = [block.name for block in reply.tools]
    if wanted in names or (names and wanted is None):
        return
    if reply.stop_reason in CUT:
        yield Inconclusive(f"the answer ended with {reply.stop_reason} before any call", mood=True)
    elif not reply.stop_reason:
        yield NO_STOP
    else:
        yield Finding(f"expected a call{f' of {wanted!r}' if wanted else ''}, got {names or excerpt(reply.text)}")


@rule("messages.tool-none", Level.MUST, cites=f"{REFERENCE}, tool_choice", on=asked & no_tools_wanted,
      given=whole_message)  # fmt: skip
def tool_none(exchange: Exchange) -> Iterator[Remark]:
    """With tool_choice none no tool is called."""
    if names := [block.name for block in reply_of(exchange).tools]:
        yield Finding(f"expected no call, got {names}")


# --- around the model -----------------------------------------------------------------------------------------------


@rule("messages.error-envelope", Level.MUST, cites="Anthropic API reference, Errors", on=own_path,
      occasion=error_answer, given=intact)  # fmt: skip
def error_envelope(exchange: Exchange) -> Iterator[Remark]:
    """An error is {"type": "error", "error": {…}}: SDKs find it by its type."""
    match exchange.json.value:
        case {"type": "error", "error": {"type": str(), "message": str()}}:
            return
        case {"error": {"type": str(), "message": str()}, **rest}:
            yield Finding(f"{exchange.status}: expected the type error beside the error, got {excerpt(rest)}")
        case _:
            yield Inconclusive("there is no error object: see errors.envelope")


@rule("messages.keys", Level.MAY, cites="Anthropic API reference, Authentication", on=asked, given=is_answered,
      over=("api-key", "bearer"))  # fmt: skip
def keys(api_key: Exchange, bearer: Exchange) -> Iterator[Remark]:
    """A key is taken in x-api-key, where Claude's own clients put it, and as a bearer alike."""
    refused = [one.status in {401, 403} for one in (api_key, bearer)]
    if all(refused):
        yield Inconclusive(f"the key itself was refused: {describe(api_key)}")
    elif any(refused):
        what, other = ("x-api-key", bearer) if refused[0] else ("a bearer", api_key)
        told = api_key if refused[0] else bearer
        if other.status == 200:
            yield Finding(f"the key is refused in {what} and taken otherwise: {describe(told)}")
        else:
            yield Inconclusive(f"refused in {what}, and otherwise {describe(other)}")
    elif not all(one.status == 200 for one in (api_key, bearer)):
        yield Inconclusive(describe(api_key if api_key.status != 200 else bearer))


@rule("messages.count-tokens", Level.SHOULD, cites="Anthropic API reference, Count tokens", on=counting & legal)
def count_tokens(exchange: Exchange) -> Iterator[Remark]:
    """The tokens of a request can be counted before it is sent: agents ask again and again how full their window is."""
    status = exchange.status or 0
    if status in NOT_SERVED or (status >= 500 and status not in chat.NOT_THE_RELAYS_FAULT):
        yield Finding(f"expected a count, {describe(exchange)}")
    elif not json_answer.holds(exchange):
        yield Inconclusive(describe(exchange))
    else:
        for _, fault in schema_faults(exchange):
            yield Finding(f"{fault.pointer or '/'}: expected {fault.expected}, got {fault.got}")


@rule("messages.count-tokens-agrees", Level.SHOULD, cites="Anthropic API reference, Count tokens", on=messages & legal,
      given=json_answer, over=("whole", "count"))  # fmt: skip
def count_agrees(whole: Exchange, count: Exchange) -> Iterator[Remark]:
    """A count has all that the request is billed for: the instruction and the tools too, to a fifth of it."""
    told, used = integer(count.object.get("input_tokens")), reply_of(whole).usage
    read = sum(tokens for name, tokens in used.items() if name.endswith("input_tokens"))
    if told is None or not read:
        yield Inconclusive("one of the two does not count: see messages.count-tokens and messages.usage")
    elif abs(told - read) > max(ALWAYS, AGREES * max(told, read)):
        yield Finding(f"counted as {told} tokens, billed as {read}", exchange=count.id)
