"""Conversations in Claude's protocol: turns in parts, calls of tools with their results, a system prompt in parts."""

from collections.abc import Iterator

from hypothesis import strategies as st

from conformance.fuzz.case import Case
from conformance.fuzz.drawn import drawn
from conformance.probe import MODEL, Role
from conformance.probes.messages import CLOCK, WEATHER
from openapi.json_text import Json

MESSAGES = "createMessage"
Object = dict[str, Json]


def _text(text: str) -> Json:
    return {"type": "text", "text": text}


SAID: tuple[Json, ...] = ("Say hello.", "你好！🐉", [_text("One.")], [_text("One."), _text("Two.")])
RESULTS: tuple[Json, ...] = ('{"temperature":21}', "21 °C", [_text("21")], "龙\n\n🐉")
EXTRAS: tuple[Object, ...] = (
    {},
    {"stream": True},
    {"stop_sequences": ["8", "ZZZ"]},
    {"system": "You answer briefly."},
    {"system": [_text("You answer"), _text("briefly.")], "stream": True},
    {"temperature": 0.5, "top_p": 0.9},
    {"metadata": {"user_id": "relayproof"}},
)
_said = st.sampled_from(SAID)


def conversations(seed: int, count: int) -> Iterator[Case]:
    """Turns of a user and an assistant, each as a client may write it."""
    for body in drawn(_bodies(), seed, count):
        yield Case("one", MESSAGES, Role.MESSAGES, {"body": body})


@st.composite
def _bodies(draw: st.DrawFn) -> Object:
    messages: list[Json] = []
    tools = False
    for at in range(draw(st.integers(0, 3))):
        messages.append({"role": "user", "content": draw(_said)})
        if draw(st.booleans()):
            tools = True
            messages += draw(_round(at))
            messages.append({"role": "assistant", "content": draw(_said)})
        else:
            messages.append({"role": "assistant", "content": draw(_said)})
    messages.append({"role": "user", "content": draw(_said)})
    body: Object = {"model": MODEL, "max_tokens": 24, "messages": messages, "temperature": 0}
    return body | ({"tools": [WEATHER, CLOCK]} if tools else {}) | draw(st.sampled_from(EXTRAS))


@st.composite
def _round(draw: st.DrawFn, at: int) -> list[Json]:
    """Calls of an assistant, and the user's message with their results in the same order."""
    names = draw(st.lists(st.sampled_from(["get_weather", "get_time"]), min_size=1, max_size=2))
    calls: list[Json] = [
        {
            "type": "tool_use",
            "id": f"toolu_{at}_{number}",
            "name": name,
            "input": {"city": "Paris"} if name == "get_weather" else {},
        }
        for number, name in enumerate(names)
    ]
    results: list[Json] = [
        {"type": "tool_result", "tool_use_id": f"toolu_{at}_{number}", "content": draw(st.sampled_from(RESULTS))}
        for number in range(len(names))
    ]
    before: list[Json] = [_text("Let me see.")] if draw(st.booleans()) else []
    return [{"role": "assistant", "content": [*before, *calls]}, {"role": "user", "content": results}]
