"""POST /v1/completions: a text and what follows it, its parameters, and its stream."""

from conformance.asked import UNKNOWN_MODEL
from conformance.probe import MODEL, Probe, Role
from conformance.probes.chat import COUNT, STREAM, WITH_USAGE
from openapi.json_text import Json
from openapi.wire.exchange import Auth

PATH = "/v1/completions"
SEA = "The sea is blue because"
TWO: Json = ["The sea is", "The sky is"]


def ask(prompt: Json, limit: int, /, **more: Json) -> Json:
    """A request with one text or several, deterministic as far as the model allows."""
    body: dict[str, Json] = {"model": MODEL, "prompt": prompt, "max_tokens": limit}
    return body | {"temperature": 0, "seed": 7} | more


def row(id: str, body: Json, *needs: str, control: bool = False) -> Probe:  # noqa: A002
    return Probe(id, Role.COMPLETIONS, path=PATH, body=body, needs=frozenset(needs), control=control)


def _free(id: str, body: Json, auth: Auth = Auth.VALID) -> Probe:  # noqa: A002
    needs = frozenset() if auth is Auth.VALID else frozenset({"auth"})
    return Probe(id, Role.COMPLETIONS, path=PATH, body=body, auth=auth, needs=needs, free=True)


ROWS = (
    row("completions.whole", ask(SEA, 60), control=True),
    row("completions.stream", ask(SEA, 60, **STREAM)),
    row("completions.stream-usage", ask(SEA, 60, **WITH_USAGE)),
    row("completions.stop", ask(COUNT, 120, stop="8"), "stop"),
    row("completions.stop-stream", ask(COUNT, 120, stop=["8", "ZZZ"], **STREAM), "stop"),
    row("completions.limit", ask(COUNT, 12)),
    row("completions.limit-stream", ask(COUNT, 12, **WITH_USAGE)),
    row("completions.n", ask(SEA, 20, n=2, temperature=1), "n"),
    row("completions.n-stream", ask(SEA, 20, n=2, temperature=1, **STREAM), "n"),
    row("completions.prompts", ask(TWO, 20), "prompts"),
    row("completions.prompts-stream", ask(TWO, 20, **STREAM), "prompts"),
    row("completions.echo", ask(SEA, 20, echo=True), "echo"),
    row("completions.logprobs", ask(SEA, 20, logprobs=2), "logprobs"),
    row("completions.logprobs-stream", ask(SEA, 20, logprobs=2, **STREAM), "logprobs"),
    _free("errors.no-key-completions", ask(SEA, 5), Auth.NONE),
    _free("errors.unknown-model-completions", ask(SEA, 5, model=f"relayproof-{UNKNOWN_MODEL}")),
    _free("errors.missing-prompt", {"model": MODEL, "max_tokens": 5}),
)
