"""POST /v1/messages: Claude's protocol. What is said is said as in chat; here it is asked for and told otherwise."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from mock_server.answer import Answer, Asked
from mock_server.synthesis import events, pace
from mock_server.synthesis.calls import Call
from mock_server.synthesis.errors import Failure, UnanswerableError, envelope, whole
from mock_server.synthesis.prompt import Prompt, content_text, member, objects, text, whole_number
from mock_server.synthesis.registry import operation
from mock_server.synthesis.seed import digest
from mock_server.synthesis.turn import Turn, turns
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse

MESSAGE, COUNT = "createMessage", "countMessageTokens"
STOP_REASONS = {"stop": "end_turn", "length": "max_tokens", "tool_calls": "tool_use"}
CHOICES: dict[str, Json] = {"auto": "auto", "any": "required", "none": "none"}
DELTAS = {  # of a block of each type, with the member that has a piece
    "text": ("text_delta", "text"),
    "thinking": ("thinking_delta", "thinking"),
    "tool_use": ("input_json_delta", "partial_json"),
}
PASSED_ON = ("model", "max_tokens", "temperature", "thinking")
FAILURES = {  # status → type, where it is not that of the request
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "request_too_large",
    429: "rate_limit_error",
    500: "api_error",
    529: "overloaded_error",
}

Object = dict[str, Json]


@envelope(MESSAGE, COUNT)
def failed(failure: Failure) -> Json:
    """A failure in Claude's envelope, which has no place for param and code."""
    kind = FAILURES.get(failure.status, "invalid_request_error")
    message = f"{failure.param}: {failure.message}" if failure.param else failure.message
    return {"type": "error", "error": {"type": kind, "message": message}}


@operation(MESSAGE)
def answer(asked: Asked, names: Sequence[str], now: int) -> Answer:
    """A message, or its events. Raises UnanswerableError."""
    _within_budget(asked.object)
    prompt = Prompt(as_chat(asked.object), says=asked.says)
    message = Message(prompt, turns(prompt)[0], digest(prompt.body, now))
    return _streamed(message) if asked.streamed else whole(200, message.whole, due=pace.WHOLE, request=message.request)


@operation(COUNT)
def count(asked: Asked, names: Sequence[str], now: int) -> Answer:
    """How many tokens the message would have to read."""
    return whole(200, {"input_tokens": Prompt(as_chat(asked.object)).tokens})


def _within_budget(body: Object) -> None:
    budget, limit = whole_number(member(body.get("thinking"), "budget_tokens")), whole_number(body.get("max_tokens"))
    if budget is not None and limit is not None and budget >= limit:
        raise UnanswerableError("`max_tokens` must be greater than `thinking.budget_tokens`.", "max_tokens")


# --- what was asked, as a chat would ask it -------------------------------------------------------------------------


def as_chat(body: Object) -> Object:
    """The chat request that asks the same."""
    chat: Object = {name: body[name] for name in PASSED_ON if name in body}
    system: list[Json] = [{"role": "system", "content": body["system"]}] if body.get("system") else []
    chat["messages"] = system + [said for turn in objects(body.get("messages")) for said in _turns(turn)]
    chat["stop"] = body.get("stop_sequences")
    if body.get("tools"):
        chat["tools"] = [_tool(one) for one in objects(body["tools"]) if "input_schema" in one]
        choice = member(body.get("tool_choice"), "type")
        named: Json = {"type": "function", "function": {"name": member(body.get("tool_choice"), "name")}}
        chat["tool_choice"] = named if choice == "tool" else CHOICES.get(text(choice), "auto")
        chat["parallel_tool_calls"] = member(body.get("tool_choice"), "disable_parallel_tool_use") is not True
    return chat


def _turns(turn: Object) -> Iterator[Object]:
    """The messages of one turn: results of tools are messages of their own, before what else the user says."""
    content = turn.get("content")
    if isinstance(content, str):
        yield {"role": turn.get("role"), "content": content}
        return
    parts: list[Json] = []
    calls: list[Json] = []
    for block in objects(content):
        match block.get("type"):
            case "tool_result":
                yield {"role": "tool", "tool_call_id": block.get("tool_use_id"), "content": content_text(block)}
            case "tool_use":
                called: Json = {"name": block.get("name"), "arguments": json_text.write(block.get("input")).decode()}
                calls.append({"id": block.get("id"), "type": "function", "function": called})
            case "image" | "document":
                parts.append({"type": "image_url", "image_url": {}})
            case _:
                parts.append({"type": "text", "text": text(block.get("text"))})
    if parts or calls:
        yield {"role": turn.get("role"), "content": parts} | ({"tool_calls": calls} if calls else {})


def _tool(tool: Object) -> Json:
    told: Object = {name: tool[name] for name in ("name", "description") if name in tool}
    return {"type": "function", "function": {**told, "parameters": tool["input_schema"]}}


# --- what is said ---------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Message:
    """What is said to a prompt. `request` tells it from others."""

    prompt: Prompt
    turn: Turn
    request: str

    @property
    def stop_reason(self) -> str:
        return "stop_sequence" if self.turn.stop else STOP_REASONS[self.turn.finish]

    @property
    def envelope(self) -> Object:
        head: Object = {"id": f"msg_{self.request[:24]}", "type": "message", "role": "assistant"}
        return head | {"model": self.prompt.model, "stop_reason": None, "stop_sequence": None}

    @property
    def end(self) -> Object:
        return {"stop_reason": self.stop_reason, "stop_sequence": self.turn.stop or None}

    def usage(self, spoken: int) -> Object:
        cached: Object = {"cache_creation_input_tokens": 0, "cache_read_input_tokens": 0}
        return {"input_tokens": self.prompt.tokens, **cached, "output_tokens": spoken}

    @property
    def whole(self) -> Object:
        content = [block.whole for block in self.blocks]
        return {**self.envelope, "content": content, **self.end, "usage": self.usage(self.turn.tokens)}

    @property
    def blocks(self) -> list["Block"]:
        """Thinking, then text, then the calls."""
        turn = self.turn
        blocks: list[Block] = []
        if turn.thoughts:
            signature = digest(self.prompt.seed, "signature")[:40]
            blocks.append(Block("thinking", {"thinking": "", "signature": ""}, "thinking", turn.thoughts, signature))
        if said := (*turn.pieces, turn.refusal) if turn.refusal else turn.pieces:
            blocks.append(Block("text", {"text": ""}, "text", said))
        return blocks + [_called(call) for call in turn.calls]


@dataclass(frozen=True, slots=True)
class Block:
    """One block of the content: its type, its members as it starts, the member that grows, the pieces of that."""

    type: str
    start: Object
    grows: str
    pieces: tuple[str, ...]
    signature: str = ""

    @property
    def whole(self) -> Json:
        joined: Json = "".join(self.pieces)
        if self.type == "tool_use":
            joined = json_text.read(str(joined)).value
        signed: Object = {"signature": self.signature} if self.signature else {}
        return {"type": self.type, **self.start, self.grows: joined, **signed}

    @property
    def deltas(self) -> Iterator[Object]:
        kind, name = DELTAS[self.type]
        for piece in self.pieces:
            yield {"type": kind, name: piece}
        if self.signature:
            yield {"type": "signature_delta", "signature": self.signature}


def _called(call: Call) -> Block:
    start: Object = {"id": call.id.replace("call_", "toolu_", 1), "name": call.name, "input": {}}
    return Block("tool_use", start, "input", call.pieces)


# --- the same in events ---------------------------------------------------------------------------------------------


def _streamed(message: Message) -> Answer:
    said = (sse.Message(json_text.write(one).decode(), event=text(one["type"])) for one in _events(message))
    return events.sent(said, message.prompt.seed, message.request)


def _events(message: Message) -> Iterator[Object]:
    yield {
        "type": "message_start",
        "message": {**message.envelope, "content": [], "usage": message.usage(min(1, message.turn.tokens))},
    }
    yield {"type": "ping"}
    for index, block in enumerate(message.blocks):
        start: Object = {"type": block.type, **block.start}
        yield {"type": "content_block_start", "index": index, "content_block": start}
        for delta in block.deltas:
            yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    yield {"type": "message_delta", "delta": message.end, "usage": {"output_tokens": message.turn.tokens}}
    yield {"type": "message_stop"}
