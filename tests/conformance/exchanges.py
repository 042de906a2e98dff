"""Exchanges out of a few words, and what one rule says of them.

stream(role(), text("Hi"), finish(), DONE)          a 200 with these events, asked with stream true
whole(answer("Hi"))                                  a 200 with this JSON, asked without
got(401, error(), asked=chat_body())                 any other answer
fails("a finish_reason twice", "chat.stream.finish-once", stream(…), at=3)      a row of a table of cases
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import pytest

from conformance.judge import judge
from conformance.rule import Outcome, Verdict
from conformance.rules import BOOK
from openapi.wire import sse
from openapi.wire.exchange import Auth, End, Exchange, Headers, Read, Request

DONE = "[DONE]"
CHAT = "/v1/chat/completions"
JSON = "application/json"
EVENTS = "text/event-stream"
WEATHER = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
Event = dict[str, Any] | str | bytes  # a chunk, the data of an event, or bytes as they are


# --- what was asked -------------------------------------------------------------------------------------------------


def chat_body(**more: Any) -> dict[str, Any]:
    """A legal request, with more members."""
    return {"model": "m", "messages": [{"role": "user", "content": "hi"}]} | more


def request(
    body: Any = None,
    *,
    method: str = "POST",
    path: str = CHAT,
    auth: Auth | None = Auth.VALID,
    kind: str | None = JSON,
    headers: Headers = (),
) -> Request:
    """A request with a JSON body, or with these bytes, or with none."""
    raw = body if isinstance(body, bytes) or body is None else json.dumps(body, separators=(",", ":")).encode()
    return Request(method, path, (*headers, *((("content-type", kind),) if kind else ())), auth, raw)


# --- what came ------------------------------------------------------------------------------------------------------


def chunk(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    head = {"id": "c1", "object": "chat.completion.chunk", "created": 1700000000, "model": "m"}
    return head | {"choices": list(choices)} | more


def choice(delta: Any, finish: Any = None, index: Any = 0, **more: Any) -> dict[str, Any]:
    return {"index": index, "delta": delta, "finish_reason": finish} | more


def role(index: int = 0) -> dict[str, Any]:
    return chunk(choice({"role": "assistant", "content": ""}, index=index))


def text(content: str = "Hi", index: int = 0) -> dict[str, Any]:
    return chunk(choice({"content": content}, index=index))


def finish(reason: Any = "stop", index: int = 0) -> dict[str, Any]:
    return chunk(choice({}, reason, index))


def usage(prompt: Any = 3, completion: Any = 2, total: Any = 5, **more: Any) -> dict[str, Any]:
    """The counts as they stand in `usage`."""
    return {"prompt_tokens": prompt, "completion_tokens": completion, "total_tokens": total} | more


def counted(**more: Any) -> dict[str, Any]:
    """The usage chunk."""
    return chunk(usage=usage(**more))


def failure(message: str = "upstream went away") -> dict[str, Any]:
    return {"error": {"message": message, "type": "server_error", "param": None, "code": None}}


def head(call: str | None = "call_1", name: str | None = "get_weather", index: Any = 0, **more: Any) -> dict[str, Any]:
    """The first fragment of a call."""
    piece = {"index": index, "id": call, "type": "function", "function": {"name": name, "arguments": ""}} | more
    return chunk(choice({"tool_calls": [piece]}))


def arguments(piece: Any = "{}", index: Any = 0, **more: Any) -> dict[str, Any]:
    """A later fragment of a call."""
    return chunk(choice({"tool_calls": [{"index": index, "function": {"arguments": piece}} | more]}))


def sse_bytes(event: Event) -> bytes:
    if isinstance(event, bytes):
        return event
    text = event if isinstance(event, str) else json.dumps(event)
    return sse.encode([sse.Message(text.encode("utf-8", "replace").decode())])  # a lone surrogate has no bytes


def got(
    status: int | None = 200,
    body: Any = b"",
    *,
    to: Request | None = None,
    kind: str | None = JSON,
    headers: Headers = (),
    **more: Any,
) -> Exchange:
    """An answer with this body to a request, of which chat_body() is the default."""
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    fields = (*headers, *((("Content-Type", kind),) if kind else ()))
    reads = (Read(0.1, data),) if data else ()
    return Exchange("e1", to or request(chat_body()), status, fields, reads, **({"ended_at": 0.2} | more))


def stream(*events: Event, to: Request | None = None, step: float = 0.1, **asked: Any) -> Exchange:
    """A 200 event stream, a read for each event, to a chat request with stream true and these members."""
    reads = tuple(Read(round(step * at, 3), sse_bytes(event)) for at, event in enumerate(events, 1))
    sent = to or request(chat_body(stream=True, **asked))
    ended = round(step * (len(events) + 1), 3)
    return Exchange("e1", sent, 200, (("content-type", EVENTS),), reads, ended_at=ended)


def message(content: str | None = "Hi", reason: Any = "stop", index: int = 0, **more: Any) -> dict[str, Any]:
    """A choice of a whole answer; `more` are members of the message."""
    return {"index": index, "message": {"role": "assistant", "content": content} | more, "finish_reason": reason}


def answer(*choices: dict[str, Any], **more: Any) -> dict[str, Any]:
    found = {"id": "c1", "object": "chat.completion", "created": 1700000000, "model": "m", "usage": usage()}
    return found | {"choices": list(choices) or [message()]} | more


def call(arguments: str = "{}", name: str | None = "get_weather", id: str | None = "call_1") -> dict[str, Any]:  # noqa: A002
    """A call of a whole answer."""
    return {"id": id, "type": "function", "function": {"name": name, "arguments": arguments}}


def whole(body: Any = None, **asked: Any) -> Exchange:
    """A 200 with a JSON object to a chat request without stream."""
    return got(200, answer() if body is None else body, to=request(chat_body(**asked)))


def cut(exchange: Exchange, end: End = End.TRUNCATED) -> Exchange:
    return replace(exchange, end=end)


def ours(exchange: Exchange) -> Exchange:
    """The same, ended by our own patience."""
    return cut(exchange, End.TIMEOUT)


# --- what a rule says of it -----------------------------------------------------------------------------------------


def verdicts(exchange: Exchange) -> dict[str, Verdict]:
    """Every verdict on one exchange, by rule."""
    return {verdict.rule: verdict for verdict in judge([exchange], BOOK)}


def verdict(rule: str, exchange: Exchange) -> Verdict | None:
    """The verdict of one rule; None where it does not speak of such a request."""
    return next(judge([exchange], {rule: BOOK[rule]}), None)


def failed(exchange: Exchange) -> set[str]:
    """The rules that an exchange breaks."""
    return {name for name, found in verdicts(exchange).items() if found.outcome is Outcome.FAIL}


@dataclass(frozen=True)
class Case:
    """One exchange and what one rule must say of it. `outcome` None: nothing, the rule is about other requests."""

    name: str
    rule: str
    exchange: Exchange
    outcome: Outcome | None
    at: int | None = None
    says: str = ""
    mood: bool = False

    def check(self) -> None:
        found = verdict(self.rule, self.exchange)
        if found is None:
            assert self.outcome is None
            return
        told = (found.findings, found.reason)
        assert found.outcome is self.outcome, told
        assert found.mood is self.mood, told
        if self.outcome is Outcome.FAIL:
            assert found.findings[0].at == self.at, told
        assert self.says in (found.findings[0].text if found.findings else found.reason or ""), told


def passes(name: str, rule: str, exchange: Exchange) -> Case:
    return Case(name, rule, exchange, Outcome.PASS)


def fails(name: str, rule: str, exchange: Exchange, at: int | None = None, says: str = "") -> Case:
    return Case(name, rule, exchange, Outcome.FAIL, at, says)


def undecided(name: str, rule: str, exchange: Exchange, says: str = "") -> Case:
    return Case(name, rule, exchange, Outcome.INCONCLUSIVE, says=says)


def moody(name: str, rule: str, exchange: Exchange, says: str = "") -> Case:
    """Inconclusive, and only the model stood in the way."""
    return Case(name, rule, exchange, Outcome.INCONCLUSIVE, says=says, mood=True)


def unseen(name: str, rule: str, exchange: Exchange) -> Case:
    return Case(name, rule, exchange, Outcome.NOT_SEEN)


def silent(name: str, rule: str, exchange: Exchange) -> Case:
    return Case(name, rule, exchange, None)


def each(cases: Iterable[Case]) -> pytest.MarkDecorator:
    """Parametrizes a test by cases, named by rule and fact."""
    rows = list(cases)
    return pytest.mark.parametrize("case", rows, ids=[f"{row.rule}: {row.name}" for row in rows])


def rules_of(cases: Iterable[Case], *outcomes: Outcome) -> set[str]:
    """The rules that a table shows with one of these outcomes."""
    return {row.rule for row in cases if row.outcome in outcomes}


def chapter(name: str) -> set[str]:
    """The ids of one chapter."""
    return {id for id in BOOK if id.partition(".")[0] == name}  # noqa: A001
