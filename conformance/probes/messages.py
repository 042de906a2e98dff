"""POST /v1/messages, as Claude's own clients ask: the key in x-api-key, the version in a header."""

from conformance.asked import UNKNOWN_MODEL
from conformance.probe import JSON_TYPE, MODEL, Probe, Role, Step
from conformance.probes.chat import COUNT, PIXEL, SKY, STREAM
from conformance.probes.tools import ONE, TWO
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Headers
from openapi.wire.redaction import mark

PATH = "/v1/messages"
VERSION: Headers = (*JSON_TYPE, ("anthropic-version", "2023-06-01"))
HEADERS: Headers = (*VERSION, ("x-api-key", mark(0)))
BEARER: Headers = (*VERSION, ("authorization", f"Bearer {mark(0)}"))
WEATHER: Json = {
    "name": "get_weather",
    "description": "Current weather of a city",
    "input_schema": {
        "type": "object",
        "properties": {"city": {"type": "string"}, "unit": {"type": "string", "enum": ["celsius", "fahrenheit"]}},
        "required": ["city"],
        "additionalProperties": False,
    },
}
CLOCK: Json = {"name": "get_time", "description": "Current time", "input_schema": {"type": "object", "properties": {}}}
PICTURE: Json = [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL.partition(",")[2]}},
    {"type": "text", "text": "What colour is this picture? One word."},
]
HISTORY: list[Json] = [
    {"role": "user", "content": "Name a colour."},
    {"role": "assistant", "content": [{"type": "text", "text": "Blue."}]},
    {"role": "user", "content": [{"type": "text", "text": "你好！再说一种颜色，用中文回答。"}]},
]
RESULT: list[Json] = [
    {"role": "user", "content": ONE},
    {
        "role": "assistant",
        "content": [{"type": "tool_use", "id": "toolu_relayproof1", "name": "get_weather", "input": {"city": "Paris"}}],
    },
    {
        "role": "user",
        "content": [
            {
                "type": "tool_result",
                "tool_use_id": "toolu_relayproof1",
                "content": '{"temperature":21,"unit":"celsius"}',
            }
        ],
    },
]
MANUAL = "You answer briefly and in plain words. " * 12  # long enough to be missed where it is not counted


def ask(prompt: Json, limit: int, /, **more: Json) -> dict[str, Json]:
    """A request with one message of the user, deterministic as far as the model allows."""
    body: dict[str, Json] = {"model": MODEL, "max_tokens": limit, "messages": [{"role": "user", "content": prompt}]}
    return body | {"temperature": 0} | more


def row(id: str, body: Json, *needs: str, control: bool = False) -> Probe:  # noqa: A002
    return Probe(id, Role.MESSAGES, path=PATH, body=body, headers=HEADERS, needs=frozenset(needs), control=control)


def call(id: str, prompt: str, tools: list[Json], choice: Json, **more: Json) -> Probe:  # noqa: A002
    return row(id, ask(prompt, 300, tools=tools, tool_choice=choice, **more), "messages_tools")


def _mistake(id: str, body: Json, auth: Auth = Auth.VALID) -> Probe:  # noqa: A002
    needs = frozenset() if auth is Auth.VALID else frozenset({"auth"})
    return Probe(id, Role.MESSAGES, path=PATH, body=body, headers=HEADERS, auth=auth, needs=needs, free=True)


def _without(name: str) -> Json:
    return {member: value for member, value in ask("hello", 5).items() if member != name}


ANY: Json = {"type": "any"}
NAMED: Json = {"type": "tool", "name": "get_weather"}
THINKING: dict[str, Json] = {"thinking": {"type": "enabled", "budget_tokens": 1024}, "temperature": 1}
COUNTED: dict[str, Json] = {
    name: value for name, value in ask(ONE, 16, system=MANUAL, tools=[WEATHER]).items() if name != "temperature"
}
UNKNOWN: dict[str, Json] = ask("hello", 5) | {"model": f"relayproof-{UNKNOWN_MODEL}"}

ROWS = (
    row("messages.whole", ask(SKY, 200), control=True),
    row("messages.stream", ask(SKY, 200, **STREAM)),
    Probe(
        "messages.keys",
        Role.MESSAGES,
        path=PATH,
        body=ask("Say hello.", 40),
        headers=HEADERS,
        step="api-key",
        then=(Step("bearer", ask("Say hello.", 40), headers=BEARER),),
    ),
    row("messages.history", {**ask("", 60, system="You answer briefly."), "messages": HISTORY}),
    row("messages.stop", ask(COUNT, 120, stop_sequences=["8"]), "stop"),
    row("messages.stop-stream", ask(COUNT, 120, stop_sequences=["8", "ZZZ"], **STREAM), "stop"),
    row("messages.limit", ask(COUNT, 12)),
    row("messages.limit-stream", ask(COUNT, 12, **STREAM)),
    call("messages.tool-any", ONE, [WEATHER], ANY),
    call("messages.tool-any-stream", ONE, [WEATHER], ANY, **STREAM),
    call("messages.tool-named-stream", ONE, [WEATHER, CLOCK], NAMED, **STREAM),
    call("messages.tool-two", TWO, [WEATHER], ANY),
    call("messages.tool-two-stream", TWO, [WEATHER], ANY, **STREAM),
    call("messages.tool-no-input-stream", "What time is it?", [CLOCK], ANY, **STREAM),
    call("messages.tool-auto-stream", ONE, [WEATHER], {"type": "auto"}, **STREAM),
    call("messages.tool-none", ONE, [WEATHER], {"type": "none"}),
    row(
        "messages.tool-result-stream", {**ask("", 200, tools=[WEATHER], **STREAM), "messages": RESULT}, "messages_tools"
    ),
    row("messages.thinking", ask("What is 17 times 23?", 1500, **THINKING), "messages_thinking"),
    row("messages.thinking-stream", ask("What is 17 times 23?", 1500, **THINKING, **STREAM), "messages_thinking"),
    row("messages.picture", ask(PICTURE, 40), "messages_vision"),
    Probe(
        "messages.count-tokens",
        Role.MESSAGES,
        path=PATH,
        body=COUNTED,
        headers=HEADERS,
        needs=frozenset({"count_tokens"}),
        step="whole",
        then=(
            Step(
                "count",
                {name: value for name, value in COUNTED.items() if name != "max_tokens"},
                path=f"{PATH}/count_tokens",
            ),
        ),
    ),
    _mistake("errors.messages-no-key", ask("hello", 5), Auth.NONE),
    _mistake("errors.messages-wrong-key", ask("hello", 5), Auth.WRONG),
    _mistake("errors.messages-unknown-model", UNKNOWN),
    _mistake("errors.messages-unknown-model-stream", {**UNKNOWN, **STREAM}),
    _mistake("errors.messages-missing-max-tokens", _without("max_tokens")),
    _mistake("errors.messages-missing-messages", _without("messages")),
)
