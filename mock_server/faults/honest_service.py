"""Honest variants of service: a relay that is busy for a moment, a model with a will of its own. They break no rule.

What is one time so and another time so hangs on how often the request came (`Asked.turn`), so a run can be repeated.
"""

from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.chunks import objects
from mock_server.faults.deaf import hearing
from mock_server.faults.edit import (
    CHAT,
    Object,
    events,
    is_chat_stream,
    is_chat_whole,
    on_both,
    with_body,
    with_frames,
    with_header,
)
from mock_server.faults.fault import honest, honest_ear
from mock_server.synthesis import tokens
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Framing

BURST = 6  # pieces that leave together
PAUSE = 0.02  # seconds between bursts
DECLINED = 'Say "I would rather not."'
OBLIGED = ("tools", "response_format", "stop", "n", "logprobs", "seed")  # what asks for more than the model's will


def _later(answer: Answer, status: int, code: str, *headers: tuple[str, str]) -> Answer:
    error: Object = {"message": "Try again shortly.", "type": "requests", "param": None, "code": code}
    refusal = replace(answer, status=status, framing=Framing.CONTENT_LENGTH, recorded="")
    refusal = with_header(with_body(refusal, json_text.write({"error": error})), "content-type", "application/json")
    return replace(refusal, headers=(*refusal.headers, *headers))


def _first_time(asked: Asked, answer: Answer) -> bool:
    """Whether this request has to be sent again: each second time, so that a second run finds it as the first did."""
    return asked.turn % 2 == 1 and answer.status == 200 and asked.method == "POST"


@honest("honest-429-then-well")
def busy(asked: Asked, answer: Answer) -> Answer:
    """Each request is refused once with 429 and Retry-After, and answered when it comes again."""
    fields = (("retry-after", "1"), ("x-ratelimit-remaining-requests", "0"))
    return _later(answer, 429, "rate_limit_exceeded", *fields) if _first_time(asked, answer) else answer


@honest("honest-429-without-retry-after")
def busy_silent(asked: Asked, answer: Answer) -> Answer:
    """Each request is refused once with 429 that does not say how long to wait, and answered when it comes again."""
    return _later(answer, 429, "rate_limit_exceeded") if _first_time(asked, answer) else answer


@honest("honest-503-then-well")
def overloaded(asked: Asked, answer: Answer) -> Answer:
    """Each request is refused once with 503, and answered when it comes again."""
    return _later(answer, 503, "overloaded", ("retry-after", "1")) if _first_time(asked, answer) else answer


@honest("honest-bursty")
def bursty(asked: Asked, answer: Answer) -> Answer:
    """The pieces of a stream come six at a time, in one write, with a pause behind them."""
    if not is_chat_stream(asked, answer):
        return answer
    frames: list[Frame] = []
    for at in range(0, len(answer.frames), BURST):
        group = answer.frames[at : at + BURST]
        due = group[-1].due + PAUSE * (at // BURST)
        frames.append(Frame(due, b"".join(frame.data for frame in group)))
    return with_frames(answer, frames)


@honest("honest-members-reversed")
def reversed_members(asked: Asked, answer: Answer) -> Answer:
    """The members of every object stand in the opposite order: RFC 8259 gives them none."""
    if is_chat_whole(asked, answer):
        return with_body(answer, json_text.write(_turned(json_text.read(answer.body).value)))
    if not is_chat_stream(asked, answer):
        return answer
    turned = [event.saying(_turned(event.chunk)) if event.chunk else event for event in events(answer)]
    return with_frames(answer, (Frame(event.due, event.bytes) for event in turned))


def _turned(value: Json) -> Json:
    match value:
        case dict():
            return {name: _turned(member) for name, member in reversed(list(value.items()))}
        case list():
            return [_turned(item) for item in value]
    return value


@honest("honest-model-prefix")
@on_both
def prefixed(_: Asked, body: Object) -> None:
    """`model` has the prefix of the vendor, as routers write it."""
    body["model"] = f"vendor/{body.get('model')}"


@honest_ear("honest-other-words")
def other_words(asked: Asked) -> Asked:
    """The model says something else each time that it is asked, as a model does."""
    return asked._replace(seed=asked.seed + 1000 * asked.turn + len(asked.raw))


@honest_ear("honest-thinks-first")
def thinks_first(asked: Asked) -> Asked:
    """The model reasons before it speaks, though it was not asked to, and spends its limit on that first."""
    if asked.operation != CHAT or asked.object.get("thinking"):
        return asked
    return hearing(asked, {**asked.object, "thinking": {"type": "enabled"}})


@honest_ear("honest-declines")
def declines(asked: Asked) -> Asked:
    """The model does not do as the prompt says, where nothing but the prompt asks for it."""
    messages = objects(asked.object.get("messages"))
    last = messages[-1].get("content") if messages else None
    if not isinstance(last, str) or any(name in asked.object for name in OBLIGED):
        return asked
    missing = tokens.count(last) - tokens.count(DECLINED)
    if missing < 0:
        return asked
    told: list[Json] = [*messages[:-1], {**messages[-1], "content": DECLINED + " a" * missing}]
    return hearing(asked, {**asked.object, "messages": told})
