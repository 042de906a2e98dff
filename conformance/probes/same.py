"""One request in several forms, and two at once. The controls come first: what does not repeat itself is not judged."""

from conformance.probe import Probe, Role
from conformance.probes.chat import SKY, STREAM, WITH_USAGE, ask, group
from conformance.probes.tools import NAMED, ONE
from openapi.json_text import Json

WORDS = ("marigold-4417", "juniper-9052")


def _forms(id: str, role: Role, whole: Json, stream: Json) -> Probe:  # noqa: A002
    return group(id, ("whole", whole), ("whole-again", whole), ("stream", stream), ("stream-again", stream), role=role)


PARIS: Json = {"type": "object", "properties": {"city": {"type": "string", "enum": ["Paris"]}}, "required": ["city"]}
TOOL: Json = {"type": "function", "function": {"name": "get_weather", "parameters": PARIS}}  # leaves nothing to choose


def _calls(**more: Json) -> Json:
    return ask(ONE, 300, tools=[TOOL], tool_choice=NAMED, **more)


def _repeat(word: str) -> Json:
    return ask(f"Repeat this code word, and write nothing else: {word}", 60, **STREAM)


PLAIN = ask("Name a colour.", 24, n=1, stream=False)
REORDERED: Json = dict(reversed(PLAIN.items())) if isinstance(PLAIN, dict) else PLAIN

ROWS = (
    _forms("same.text", Role.CHAT, ask(SKY, 200), ask(SKY, 200, **WITH_USAGE)),
    _forms("same.calls", Role.TOOLS, _calls(), _calls(**WITH_USAGE)),
    _forms("same.reasoning", Role.REASONING, ask("What is 17 times 23?", 1500),
           ask("What is 17 times 23?", 1500, **WITH_USAGE)),
    group("same.order", ("plain", PLAIN), ("plain-again", PLAIN), ("reordered", REORDERED)),
    group("same.unknown", ("plain", PLAIN), ("plain-again", PLAIN),
          ("unknown-field", ask("Name a colour.", 24, n=1, stream=False, relayproof_unknown="x"))),
    group("same.at-once", ("one", _repeat(WORDS[0])), ("other", _repeat(WORDS[1])), together=True),
)  # fmt: skip
