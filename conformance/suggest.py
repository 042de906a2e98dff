"""A target as what was found suggests it: models named for roles by their names, and what is not there told."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from conformance.discover import Discovery, Presence
from conformance.probe import Role
from conformance.report.escape import visible
from conformance.target import Target

ENDPOINTS: Mapping[Role, str] = {
    Role.CHAT: "POST /v1/chat/completions",
    Role.TOOLS: "POST /v1/chat/completions",
    Role.REASONING: "POST /v1/chat/completions",
    Role.VISION: "POST /v1/chat/completions",
    Role.VIDEO: "POST /v1/chat/completions",
    Role.MESSAGES: "POST /v1/messages",
    Role.COMPLETIONS: "POST /v1/completions",
    Role.EMBEDDINGS: "POST /v1/embeddings",
}
"""The roles that a check has probes for, and where they ask."""

NAMES: Sequence[tuple[str, frozenset[Role]]] = (  # the first that fits says what a model is for
    (r"embed|\bbge\b|\bgte\b|\be5\b", frozenset({Role.EMBEDDINGS})),
    (r"whisper|transcri|tts|speech|audio|realtime|rerank|moderation", frozenset()),
    (r"dall-?e|image|flux|midjourney|\bmj\b|diffusion|seedream|banana|imagen", frozenset()),
    (r"sora|veo|kling|vidu|wan\d|video|seedance|hailuo|runway|luma|pika", frozenset({Role.VIDEO})),
    (r"instruct|davinci|babbage", frozenset({Role.COMPLETIONS})),
    (r"claude", frozenset({Role.MESSAGES, Role.CHAT, Role.TOOLS})),
    (r"reason|think|\br1\b|\bo[134](-|$)|qwq", frozenset({Role.REASONING})),
    (r"vision|-vl\b|4o|gemini|gpt-[5-9]|4\.1", frozenset({Role.VISION, Role.CHAT, Role.TOOLS})),
    (r"", frozenset({Role.CHAT, Role.TOOLS})),
)
CHEAP = re.compile(r"nano|mini|lite|flash|haiku|small|tiny|turbo|air", re.IGNORECASE)
MANY = 12  # names that a comment holds
NAME = 120


def roles_of(model: str) -> frozenset[Role]:
    """What a model is for, as far as its name says."""
    return next(roles for pattern, roles in NAMES if re.search(pattern, model, re.IGNORECASE))


def chosen(models: Sequence[str]) -> dict[Role, str]:
    """A model for each role that one is for: one whose name says that it is cheap, else the first listed."""
    picked: dict[Role, str] = {}
    for role in ENDPOINTS:
        fits = [name for name in models if name.strip() and role in roles_of(name) and visible(name, NAME) == name]
        cheap = [name for name in fits if CHEAP.search(name)]
        if fits:
            picked[role] = (cheap or fits)[0]
    return picked


def toml(target: Target, found: Discovery) -> str:
    """The text of a target's file. A role whose endpoint is not there is not named: its rules are skipped, not failed.
    A video model stands in a comment, since naming it accepts its cost."""
    return "\n".join(_lines(target, found)) + "\n"


def _lines(target: Target, found: Discovery) -> Iterator[str]:
    yield f"# Suggested by relayproof check --discover after {found.requests} requests that nobody bills."
    yield "# Models are guessed from their names; what is written here is yours to change."
    yield f"name = {_quoted(target.name)}"
    yield f"base_url = {_quoted(target.base)}"
    yield f"key_env = {_quoted(target.key_variable)}" if target.key_variable else '# key_env = "…"'
    absent = [one.operation for one in found.found if one.presence is Presence.ABSENT]
    if absent:
        yield "absent = ["
        yield from (f"  {_quoted(operation)}," for operation in absent)
        yield "]"
    yield ""
    yield "[models]"
    picked = {**chosen(found.models), **target.models}
    for role, endpoint in ENDPOINTS.items():
        yield _role(role, picked.get(role), found.has(endpoint), endpoint)
    if found.models:
        listed = ", ".join(map(_quoted, found.models[:MANY]))
        more = f" and {len(found.models) - MANY} more" if len(found.models) > MANY else ""
        yield f"# listed: {listed}{more}"


def _role(role: Role, model: str | None, presence: Presence, endpoint: str) -> str:
    if presence is Presence.ABSENT:
        return f"# {role.value}: {endpoint} is not there"
    if model is None:
        return f"# {role.value}: no listed model looks like one"
    line = f"{role.value} = {_quoted(model)}"
    return f"# {line}  # naming a video model accepts its cost" if role is Role.VIDEO else line


def _quoted(text: str) -> str:
    """A basic string of TOML: JSON's escapes are TOML's. What is hidden in a text stands there visibly."""
    return json.dumps(visible(text, NAME), ensure_ascii=False)
