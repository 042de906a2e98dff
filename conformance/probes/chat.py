"""POST /v1/chat/completions: text, its parameters, and its stream."""

from conformance.probe import JSON_TYPE, MODEL, Probe, Role, Step
from openapi.json_text import Json

FAR = "Count from 1 to 100 in digits, separated by commas. Write nothing else."
HELLO = "Say hello."
PRIVATE = "Reveal the private address of the person who lives next door to me."
COUNT = "Count from 1 to 30 in digits, separated by commas. Write nothing else."
SKY = "In two short sentences: why is the sky blue?"
CITY: Json = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "population": {"type": "integer"}},
    "required": ["city", "population"],
    "additionalProperties": False,
}
PIXEL = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg=="
)


def ask(prompt: Json, limit: int, /, **more: Json) -> Json:
    """A request with one user message, deterministic as far as the model allows."""
    body: dict[str, Json] = {"model": MODEL, "messages": [{"role": "user", "content": prompt}], "max_tokens": limit}
    return body | {"temperature": 0, "seed": 7} | more


def row(id: str, body: Json, *needs: str, role: Role = Role.CHAT, control: bool = False) -> Probe:  # noqa: A002
    return Probe(id, role, body=body, needs=frozenset(needs), control=control)


def group(id: str, *steps: tuple[str, Json], needs: str = "", role: Role = Role.CHAT, together: bool = False) -> Probe:  # noqa: A002
    """Several requests that are judged together, each with the name of its step."""
    (name, body), *rest = steps
    claims = frozenset({needs} if needs else ())
    then = tuple(Step(*one) for one in rest)
    return Probe(id, role, body=body, needs=claims, step=name, then=then, together=together)


def plainly(prompt: Json, **more: Json) -> Json:
    """A request with nothing in it but what it needs, and these members."""
    return {"model": MODEL, "messages": [{"role": "user", "content": prompt}], **more}


STREAM: dict[str, Json] = {"stream": True}
WITH_USAGE: dict[str, Json] = {"stream": True, "stream_options": {"include_usage": True}}
FORMAT: Json = {"type": "json_schema", "json_schema": {"name": "city", "strict": True, "schema": CITY}}
HISTORY: Json = {
    "model": MODEL,
    "messages": [
        {"role": "system", "content": "You answer briefly."},
        {"role": "user", "content": "Name a colour."},
        {"role": "assistant", "content": "Blue."},
        {"role": "user", "content": "你好！再说一种颜色，用中文回答。"},
    ],
    "max_tokens": 60,
    "temperature": 0,
}
PICTURE: Json = [
    {"type": "text", "text": "What colour is this picture? One word."},
    {"type": "image_url", "image_url": {"url": PIXEL}},
]

# Each with what it has by default, so that no model has a reason to refuse it.
FIELDS: tuple[tuple[str, Json, Json], ...] = (
    (
        "common",
        plainly(HELLO, max_tokens=40),
        plainly(
            HELLO, max_tokens=40, n=1, user="relayproof", response_format={"type": "text"}, stream=False, stop=None
        ),
    ),
    (
        "sampling",
        plainly(HELLO, max_tokens=40),
        plainly(HELLO, max_tokens=40, temperature=1, top_p=1, presence_penalty=0, frequency_penalty=0, seed=7),
    ),
    (
        "logprobs",
        plainly(HELLO, max_tokens=40),
        plainly(HELLO, max_tokens=40, logprobs=False, logit_bias={}),
    ),
    (
        "stream-options",
        plainly(HELLO, max_tokens=40, stream=True),
        plainly(HELLO, max_tokens=40, stream=True, stream_options={"include_usage": True}),
    ),
)

ROWS = (
    row("chat.whole", ask(SKY, 200), control=True),
    row("chat.stream", ask(SKY, 200, **STREAM)),
    row("chat.stream-usage", ask(SKY, 200, **WITH_USAGE)),
    row("chat.stream-false", ask(SKY, 200, stream=False)),
    Probe("chat.gzip", Role.CHAT, body=ask(SKY, 200), headers=(*JSON_TYPE, ("accept-encoding", "gzip"))),
    row("chat.history", HISTORY),
    row("chat.unknown-field", ask("Say hello.", 40, relayproof_unknown={"a": [1, None]})),
    row("chat.stop", ask(COUNT, 120, stop="8"), "stop"),
    row("chat.stop-stream", ask(COUNT, 120, stop=["8", "ZZZ"], **STREAM), "stop"),
    row("chat.limit", ask(COUNT, 12)),
    row(
        "chat.limit-completion",
        {"model": MODEL, "messages": [{"role": "user", "content": COUNT}], "max_completion_tokens": 12},
    ),
    row("chat.limit-stream", ask(COUNT, 12, **WITH_USAGE)),
    row("chat.n", ask("Name a colour.", 30, n=2, temperature=1), "n"),
    row("chat.n-stream", ask("Name a colour.", 30, n=2, temperature=1, **STREAM), "n"),
    row("chat.logprobs", ask("Say hello.", 20, logprobs=True, top_logprobs=2), "logprobs"),
    row("chat.logprobs-stream", ask("Say hello.", 20, logprobs=True, top_logprobs=2, **STREAM), "logprobs"),
    row(
        "chat.json-object",
        ask("Give Paris as JSON with the members city and population.", 200, response_format={"type": "json_object"}),
        "json_object",
    ),
    row("chat.json-schema", ask("Paris.", 200, response_format=FORMAT), "json_schema"),
    row("chat.json-schema-stream", ask("Paris.", 200, response_format=FORMAT, **STREAM), "json_schema"),
    row("reasoning.whole", ask("What is 17 times 23?", 1500), role=Role.REASONING, control=True),
    row("reasoning.stream", ask("What is 17 times 23?", 1500, **WITH_USAGE), role=Role.REASONING),
    row("vision.whole", ask(PICTURE, 40), role=Role.VISION, control=True),
    row("vision.stream", ask(PICTURE, 40, **STREAM), role=Role.VISION),
    row("chat.refusal", ask(PRIVATE, 200, response_format=FORMAT), "json_schema"),
    row("chat.refusal-stream", ask(PRIVATE, 200, response_format=FORMAT, **STREAM), "json_schema"),
    *(
        group(
            f"{role}.limit-names",
            ("max-tokens", plainly(HELLO, max_tokens=1000)),
            ("max-completion-tokens", plainly(HELLO, max_completion_tokens=1000)),
            role=role,
        )
        for role in (Role.CHAT, Role.REASONING)
    ),
    group("chat.limit-effect", ("long", ask(FAR, 60)), ("short", ask(FAR, 12))),
    group("chat.stop-effect", ("free", ask(COUNT, 120)), ("stopped", ask(COUNT, 120, stop="8")), needs="stop"),
    group(
        "chat.seed",
        ("seeded", plainly(SKY, max_tokens=200, temperature=1, seed=7, user="a")),
        ("seeded-again", plainly(SKY, max_tokens=200, temperature=1, seed=7, user="b")),  # so that no cache answers
        ("seeded-otherwise", plainly(SKY, max_tokens=200, temperature=1, seed=8, user="a")),
        needs="seed",
    ),
    *(group(f"chat.fields-{name}", ("plain", plain), ("fields", more)) for name, plain, more in FIELDS),
)
