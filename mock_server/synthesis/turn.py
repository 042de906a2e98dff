"""What one choice of an answer says, before anyone decides whether it is said at once or piece by piece."""

import json
import re
from dataclasses import dataclass, replace

from mock_server.synthesis import calls, instances, prose, tokens, values
from mock_server.synthesis.calls import Call
from mock_server.synthesis.errors import UnanswerableError
from mock_server.synthesis.prompt import Prompt, member
from openapi.json_text import Json

REASONERS = ("reason", "think", "r1")  # in the name of a model that thinks before it speaks
SECRET = re.compile(r"\bprivate (?:\w+ )?address\b", re.IGNORECASE)  # that no model gives away
DECLINED = "I cannot help with the address of a private person."
REFUSAL = "I cannot give an answer of that shape: nothing fits the schema."


@dataclass(frozen=True, slots=True)
class Turn:
    """One choice: what it thinks and says, in tokens, the tools that it calls, and why it ends: `stop` is the sequence
    that ended it, if one did."""

    index: int
    thoughts: tuple[str, ...] = ()
    pieces: tuple[str, ...] = ()
    calls: tuple[Call, ...] = ()
    refusal: str = ""
    finish: str = "stop"
    stop: str = ""

    @property
    def content(self) -> str:
        return "".join(self.pieces)

    @property
    def tokens(self) -> int:
        spoken = len(self.thoughts) + len(self.pieces) + tokens.count(self.refusal)
        return spoken + sum(call.tokens for call in self.calls)


def turns(prompt: Prompt) -> list[Turn]:
    """The choices of the answer, n of them. Raises UnanswerableError."""
    return [_limited(_turn(prompt, index), prompt.limit) for index in range(prompt.n)]


def _turn(prompt: Prompt, index: int) -> Turn:
    thoughts = tokens.split(prose.think(prompt)) if thinks(prompt) else ()
    called = calls.calls(prompt, index)
    if called:
        return Turn(index, thoughts, calls=called, finish="tool_calls")
    if prompt.says and prompt.says.text is not None:
        return _said(prompt, index, thoughts, prompt.says.text)
    if prompt.format == "json_schema":
        return _structured(prompt, index, thoughts)
    if prompt.format == "json_object":
        return _said(prompt, index, thoughts, _json(values.object_of(prompt.last_user)))
    return _said(prompt, index, thoughts, prose.compose(prompt, index))


def thinks(prompt: Prompt) -> bool:
    switch = member(prompt.body.get("thinking"), "type")
    return switch in {"enabled", "adaptive"} or any(word in prompt.model.lower() for word in REASONERS)


def _structured(prompt: Prompt, index: int, thoughts: tuple[str, ...]) -> Turn:
    if SECRET.search(prompt.last_user):
        return Turn(index, thoughts, refusal=DECLINED)
    try:
        value = instances.instance(prompt.schema, prompt.last_user)
    except UnanswerableError as error:
        if error.code == "unsatisfiable_schema":
            return Turn(index, thoughts, refusal=REFUSAL)
        raise
    return _said(prompt, index, thoughts, _json(value))


def _json(value: Json) -> str:
    return json.dumps(value, ensure_ascii=False)


def _said(prompt: Prompt, index: int, thoughts: tuple[str, ...], text: str) -> Turn:
    """A text up to the first stop sequence."""
    found = [(at, stop) for stop in prompt.stops if (at := text.find(stop)) >= 0]
    end, stop = min(found, default=(len(text), ""))
    return Turn(index, thoughts, tokens.split(text[:end]), stop=stop)


def _limited(turn: Turn, limit: int | None) -> Turn:
    """What fits into the limit: thoughts first, then words, then whole calls. A half call would be no JSON."""
    if limit is None or turn.tokens <= limit:
        return turn
    thoughts = turn.thoughts[:limit]
    left = limit - len(thoughts)
    fitting: list[Call] = []
    for call in turn.calls:
        if call.tokens > left:
            break
        left -= call.tokens
        fitting.append(call)
    pieces = turn.pieces[:left]
    refusal = "".join(tokens.split(turn.refusal)[:left])
    return replace(
        turn, thoughts=thoughts, pieces=pieces, calls=tuple(fitting), refusal=refusal, finish="length", stop=""
    )
