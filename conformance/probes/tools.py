"""Tool calls. Only `required` and a named choice oblige the API; what hangs on `auto` is the model's own affair."""

from conformance.probe import Probe, Role
from conformance.probes.chat import STREAM, WITH_USAGE, ask
from openapi.json_text import Json

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


RESULT: Json = [
    {"role": "user", "content": ONE},
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {
                "id": "call_relayproof1",
                "type": "function",
                "function": {"name": "get_weather", "arguments": '{"city":"Paris"}'},
            }
        ],
    },
    {"role": "tool", "tool_call_id": "call_relayproof1", "content": '{"temperature":21,"unit":"celsius"}'},
]

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
    Probe("tools.result", Role.TOOLS, body=ask("", 200, messages=RESULT, tools=[WEATHER])),
    Probe("tools.result-stream", Role.TOOLS, body=ask("", 200, messages=RESULT, tools=[WEATHER], stream=True)),
)
