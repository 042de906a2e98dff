"""A request as code for the vendor's SDK, with the key left out: what a reader pastes to see it happen.

What an SDK does not send as it was sent (broken JSON, no key, a member of a wrong type at the top, a method of its own
devising) has no code: curl shows it. The code is text of ours around values that Python itself spells, so nothing in a
request can end a string early.
"""

import keyword
from collections.abc import Iterator, Mapping

from conformance.report.escape import visible
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Request

KEY = "RELAYPROOF_API_KEY"
MAX_BODY = 4096  # bytes; a longer body is taken from the run file

_OPENAI = {
    "/v1/chat/completions": ("chat.completions.create", ("messages", "model")),
    "/v1/completions": ("completions.create", ("model", "prompt")),
    "/v1/embeddings": ("embeddings.create", ("input", "model")),
}
_ANTHROPIC = {"/v1/messages": ("messages.create", ("max_tokens", "messages", "model"))}
_KNOWN = frozenset({
    "messages", "model", "prompt", "input", "stream", "stream_options", "n", "stop", "max_tokens", "temperature",
    "max_completion_tokens", "top_p", "tools", "tool_choice", "parallel_tool_calls", "response_format", "logprobs",
    "top_logprobs", "seed", "user", "echo", "dimensions", "encoding_format", "system", "stop_sequences", "thinking",
    "frequency_penalty", "presence_penalty", "logit_bias",
})  # fmt: skip


def code(request: Request, base_url: Json) -> str | None:
    """The code; None where the SDK does not send such a request."""
    if request.auth is Auth.NONE or len(request.body or b"") > MAX_BODY:
        return None
    if request.method == "GET" and request.path == "/v1/models" and not request.body:
        call = ["for model in client.models.list():", "    print(model.id)"]
        return _text(("openai", "OpenAI"), base_url, request, call)
    family = ("openai", "OpenAI", _OPENAI) if request.path in _OPENAI else ("anthropic", "Anthropic", _ANTHROPIC)
    module, name, calls = family
    if request.method != "POST" or request.path not in calls or not _plain(request):
        return None
    method, needed = calls[request.path]
    body = request.object
    if not all(isinstance(body.get(member), _TYPES[member]) for member in needed):
        return None
    return _text((module, name), base_url, request, _call(method, body))


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    "messages": list,
    "model": str,
    "prompt": (str, list),
    "input": (str, list),
    "max_tokens": int,
}


def _plain(request: Request) -> bool:
    """Whether the body is one JSON object whose `stream`, where it has one, says yes or no."""
    parsed = request.json
    if parsed.fault is not None or not isinstance(request.object.get("stream", False), bool):
        return False
    return "inf" not in repr([one for one in _numbers(parsed.value) if isinstance(one, float)])


def _numbers(value: Json) -> Iterator[Json]:
    """What stands in a value, however deep: Python spells an infinity as no literal."""
    open_: list[Json] = [value]
    while open_:
        one = open_.pop()
        open_ += one.values() if isinstance(one, dict) else one if isinstance(one, list) else ()
        yield one


def _call(method: str, body: Mapping[str, Json]) -> list[str]:
    streamed = body.get("stream") is True
    extra = {name: value for name, value in body.items() if name not in _KNOWN or keyword.iskeyword(name)}
    lines = [f"    {name}={value!r}," for name, value in body.items() if name not in extra]
    lines += [f"    extra_body={extra!r},"] if extra else []
    behind = ["for event in answer:", "    print(event)"] if streamed else ["print(answer)"]
    return [f"answer = client.{method}(", *lines, ")", *behind]


def _text(client: tuple[str, str], base_url: Json, request: Request, call: list[str]) -> str:
    module, name = client
    base = visible(str(base_url or ""), 500).rstrip("/").removesuffix("/v1")
    base += "/v1" if module == "openai" else ""
    key = f'os.environ["{KEY}"]' if request.auth is not Auth.WRONG else '"a-wrong-key"'
    lines = [
        "import os",
        "",
        f"from {module} import {name}",
        "",
        f"client = {name}(base_url={base!r}, api_key={key}, max_retries=0)",
        *call,
    ]
    return "\n".join(lines)
