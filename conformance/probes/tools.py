"""Tool calls. Only `required` and a named choice oblige the API; what hangs on `auto` is the model's own affair."""

from collections.abc import Sequence
from functools import partial

from conformance.answers import reply_of, whole_reply
from conformance.probe import Probe, Role, Step
from conformance.probes.chat import STREAM, WITH_USAGE, ask
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import ToolCall

WEATHER: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city"],
            "additionalProperties": False,
        },
    },
}
CLOCK: Json = {
    "type": "function",
    "function": {"name": "get_time", "description": "Current time", "parameters": {"type": "object", "properties": {}}},
}
NAMED: Json = {"type": "function", "function": {"name": "get_weather"}}
ONE = "What is the weather in Paris?"
TWO = "Call get_weather twice, in one answer: for Paris and for Oslo."


def call(
    id: str,  # noqa: A002
    prompt: str,
    tools: list[Json],
    choice: Json,
    *,
    control: bool = False,
    stream: dict[str, Json] | None = None,
) -> Probe:
    body = ask(prompt, 300, **(stream or {}), tools=tools, tool_choice=choice)
    return Probe(id, Role.TOOLS, body=body, control=control)


STRICT: Json = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "description": "Current weather of a city",
        "strict": True,
        "parameters": {
            "type": "object",
            "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
            "required": ["city", "unit"],
            "additionalProperties": False,
        },
    },
}
LOOSE: Json = {"type": "function", "function": {"name": "get_time", "parameters": {"type": "object"}, "strict": False}}
STATION = "What is the weather in Paris? Name the station that measured it."
RESULT = '{"temperature":21,"unit":"celsius","station":"KESTREL"}'


def second_turn(sofar: Sequence[Exchange], *, bare: bool) -> Json:
    """The conversation with the calls of the first answer and their results; `bare` leaves the null content out.

    None where no call came that could be answered.
    """
    first = sofar[0]
    choice = reply_of(first).choices.get(0) if whole_reply.holds(first) else None
    calls = [one for one in choice.tool_calls.values() if one.id and one.name] if choice else []
    if not calls:
        return None
    said: dict[str, Json] = {"role": "assistant", "content": None, "tool_calls": [sent_back(one) for one in calls]}
    if bare:
        del said["content"]
    results: list[Json] = [{"role": "tool", "tool_call_id": one.id, "content": RESULT} for one in calls]
    body = {name: value for name, value in first.request.object.items() if name != "tool_choice"}
    messages = body["messages"]
    assert isinstance(messages, list)
    return {**body, "messages": [*messages, said, *results]}


def sent_back(call: ToolCall) -> Json:
    """A call as it stands in the conversation from then on."""
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def loop(id: str, *names: str, stream: dict[str, Json] | None = None) -> Probe:  # noqa: A002
    """A call, then what follows from its answer."""
    body = ask(STATION, 300, **(stream or {}), tools=[WEATHER], tool_choice="required")
    turns = {"result": partial(second_turn, bare=False), "result-bare": partial(second_turn, bare=True)}
    return Probe(id, Role.TOOLS, body=body, step="call", then=tuple(Step(name, turns[name]) for name in names))


ROWS = (
    call("tools.required", ONE, [WEATHER], "required", control=True),
    call("tools.required-stream", ONE, [WEATHER], "required", stream=STREAM),
    call("tools.named", ONE, [WEATHER, CLOCK], NAMED),
    call("tools.named-stream", ONE, [WEATHER, CLOCK], NAMED, stream=WITH_USAGE),
    call("tools.two", TWO, [WEATHER], "required"),
    call("tools.two-stream", TWO, [WEATHER], "required", stream=STREAM),
    call("tools.no-arguments", "What time is it?", [CLOCK], "required"),
    call("tools.no-arguments-stream", "What time is it?", [CLOCK], "required", stream=STREAM),
    call("tools.auto-stream", ONE, [WEATHER], "auto", stream=STREAM),
    call("tools.none", ONE, [WEATHER], "none"),
    call("tools.none-stream", ONE, [WEATHER], "none", stream=STREAM),
    call("tools.strict", ONE, [STRICT], "required"),
    call("tools.strict-stream", ONE, [STRICT], "required", stream=STREAM),
    loop("tools.result", "result", "result-bare"),
    loop("tools.result-stream", "result", stream=STREAM),
    Probe(
        "tools.parallel",
        Role.TOOLS,
        body=ask(TWO, 300, tools=[WEATHER], tool_choice="required"),
        needs=frozenset({"parallel_tool_calls"}),
        step="parallel",
        then=(Step("serial", ask(TWO, 300, tools=[WEATHER], tool_choice="required", parallel_tool_calls=False)),),
    ),
    Probe(
        "tools.fields",
        Role.TOOLS,
        body=ask(ONE, 100, tools=[CLOCK]),
        step="plain",
        then=(Step("fields", ask(ONE, 100, tools=[LOOSE], tool_choice="auto", parallel_tool_calls=True)),),
    ),
)
