"""POST /v1/chat/completions: the same turns, whole or as chunks."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mock_server.answer import Answer, Asked
from mock_server.synthesis import events, pace, video
from mock_server.synthesis.calls import Call
from mock_server.synthesis.errors import whole
from mock_server.synthesis.logprobs import logprobs
from mock_server.synthesis.prompt import Prompt, read
from mock_server.synthesis.registry import operation
from mock_server.synthesis.seed import digest
from mock_server.synthesis.turn import Turn, turns
from openapi.json_text import Json

FINGERPRINT = "fp_relayproof"

Object = dict[str, Json]


@operation("createChatCompletion")
def answer(asked: Asked, names: Sequence[str], now: int) -> Answer:
    """A completion, or its chunks. Raises UnanswerableError."""
    prompt = read(asked)
    said = video.turns(prompt, asked.headers) if video.is_video(prompt.model) else turns(prompt)
    completion = Completion(prompt, tuple(said), now)
    return _streamed(completion) if prompt.streamed else _whole(completion)


@dataclass(frozen=True)
class Completion:
    """What is said to a prompt; `now` in seconds since 1970."""

    prompt: Prompt
    turns: tuple[Turn, ...]
    now: int

    @cached_property
    def request(self) -> str:
        """What tells this request from others."""
        return digest(self.prompt.body, self.now)

    @property
    def usage(self) -> Object:
        spoken = sum(turn.tokens for turn in self.turns)
        return {
            "prompt_tokens": self.prompt.tokens,
            "completion_tokens": spoken,
            "total_tokens": self.prompt.tokens + spoken,
            "prompt_tokens_details": {"cached_tokens": 0},
            "completion_tokens_details": {"reasoning_tokens": sum(len(turn.thoughts) for turn in self.turns)},
        }

    def envelope(self, kind: str, choices: list[Json]) -> Object:
        return {
            "id": f"chatcmpl-{self.request[:29]}",
            "object": kind,
            "created": self.now,
            "model": self.prompt.model,
            "system_fingerprint": FINGERPRINT,
            "choices": choices,
        }


def _whole(completion: Completion) -> Answer:
    choices: list[Json] = [_choice(completion.prompt, turn) for turn in completion.turns]
    body = {**completion.envelope("chat.completion", choices), "usage": completion.usage}
    return whole(200, body, due=pace.WHOLE, request=completion.request)


def _choice(prompt: Prompt, turn: Turn) -> Object:
    message: Object = {"role": "assistant", "content": turn.content, "refusal": None, "annotations": []}
    if turn.thoughts:
        message["reasoning_content"] = "".join(turn.thoughts)
    if turn.calls or turn.refusal:
        message["content"] = None
    if turn.calls:
        message["tool_calls"] = [_call(call) for call in turn.calls]
    if turn.refusal:
        message["refusal"] = turn.refusal
    told = logprobs(turn.pieces, prompt.top_logprobs) if prompt.logprobs else None
    return {"index": turn.index, "message": message, "logprobs": told, "finish_reason": turn.finish}


def _call(call: Call) -> Object:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


# --- the same in chunks ---------------------------------------------------------------------------------------------


def _streamed(completion: Completion) -> Answer:
    return events.streamed(_chunks(completion), completion.prompt.seed, completion.request)


def _chunks(completion: Completion) -> Iterator[Object]:
    """One piece a chunk, the choices taking turns; the usage in a chunk of its own where it was asked for."""
    counted: Object = {"usage": None} if completion.prompt.include_usage else {}
    for choice in events.interleaved([list(_pieces(completion.prompt, turn)) for turn in completion.turns]):
        yield {**completion.envelope("chat.completion.chunk", [choice]), **counted}
    if completion.prompt.include_usage:
        yield {**completion.envelope("chat.completion.chunk", []), "usage": completion.usage}


def _pieces(prompt: Prompt, turn: Turn) -> Iterator[Object]:
    first: Object = {"role": "assistant", "content": None if turn.calls or turn.refusal else "", "refusal": None}
    yield _part(turn, first)
    for thought in turn.thoughts:
        yield _part(turn, {"reasoning_content": thought})
    for piece in turn.pieces:
        told = logprobs((piece,), prompt.top_logprobs) if prompt.logprobs else None
        yield _part(turn, {"content": piece}, logprobs=told)
    if turn.refusal:
        yield _part(turn, {"refusal": turn.refusal})
    for index, call in enumerate(turn.calls):
        yield from _fragments(turn, index, call)
    yield _part(turn, {}, finish=turn.finish)


def _fragments(turn: Turn, index: int, call: Call) -> Iterator[Object]:
    head: Object = {"index": index, **_call(call), "function": {"name": call.name, "arguments": ""}}
    yield _part(turn, {"tool_calls": [head]})
    for piece in call.pieces:
        yield _part(turn, {"tool_calls": [{"index": index, "function": {"arguments": piece}}]})


def _part(turn: Turn, delta: Object, *, logprobs: Json = None, finish: str | None = None) -> Object:
    return {"index": turn.index, "delta": delta, "logprobs": logprobs, "finish_reason": finish}
