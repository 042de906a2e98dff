"""POST /v1/completions: what an answer must be and do, streamed or whole. What chat obliges too is checked as there."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from conformance.answers import chunks_of, excerpt, intact, json_answer, ok, replied, reply_of, whole_reply
from conformance.asked import choices_of, completions, legal, member, several, streamed, with_limit, with_stop
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules import chat
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

REFERENCE = "OpenAI API reference, Create completion"
REQUEST = "openapi#/components/schemas/CompletionRequest"
legal_text = completions & legal


def prompts_of(exchange: Exchange) -> list[Json]:
    """The prompts: a list of texts or of lists of token ids is several, all else is one."""
    prompt = member(exchange, "prompt")
    if isinstance(prompt, list) and prompt and isinstance(prompt[0], str | list):
        return prompt
    return [prompt]


def asked_for(exchange: Exchange) -> int:
    """How many choices all prompts together were asked for."""
    return len(prompts_of(exchange)) * choices_of(exchange)


def logprobs_of(exchange: Exchange) -> int | None:
    """How many alternatives were asked for; None where no log probability was."""
    wanted = member(exchange, "logprobs")
    return wanted if isinstance(wanted, int) and not isinstance(wanted, bool) else None


def _makes_more(exchange: Exchange) -> bool:
    best_of = member(exchange, "best_of")
    return isinstance(best_of, int) and best_of > choices_of(exchange)


several_prompts = On("several prompts", lambda exchange: len(prompts_of(exchange)) > 1)
echoed = On("echo", lambda exchange: member(exchange, "echo") is True)
texts = On("prompts that are texts", lambda exchange: all(isinstance(one, str) for one in prompts_of(exchange)))
picking = On("best_of above n", _makes_more)
with_logprobs = On("logprobs", lambda exchange: logprobs_of(exchange) is not None)


@rule("completions.answered", Level.MUST, cites="RFC 9110 section 15.6", on=legal_text)
def answered(exchange: Exchange) -> Iterator[Remark]:
    """A legal request is not answered as a fault of the server; not implemented or overloaded may be said."""
    yield from chat.answered(exchange)


@rule(
    "completions.content-type",
    Level.MUST,
    cites=f"{REFERENCE}, stream",
    on=legal_text & ~streamed,
    given=ok & intact,
)
def content_type(exchange: Exchange) -> Iterator[Remark]:
    """Without stream true the answer is one JSON object as application/json, and no event stream."""
    yield from chat.content_type(exchange)


@rule(
    "completions.schema",
    Level.MUST,
    cites="openapi#/components/schemas/Completion",
    on=legal_text & ~streamed,
    given=json_answer,
)
def schema(exchange: Exchange) -> Iterator[Remark]:
    """A whole answer fits its schema: id, object text_completion, created in seconds, model, choices with text, index
    and finish_reason."""
    yield from chat.schema(exchange)


@rule("completions.model", Level.SHOULD, cites=f"{REFERENCE}, model", on=legal_text, given=replied)
def model(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the model that was asked for, or a dated snapshot of it."""
    yield from chat.model(exchange)


@rule(
    "completions.n",
    Level.MUST,
    cites=f"{REQUEST}/properties/n",
    on=legal_text & several & ~several_prompts,
    given=whole_reply,
)
def n(exchange: Exchange) -> Iterator[Remark]:
    """With n, the answer has the choices 0 to n-1, each once."""
    yield from chat.dense(exchange, asked_for(exchange))


@rule(
    "completions.prompts",
    Level.MUST,
    cites=f"{REQUEST}/properties/prompt",
    on=legal_text & several_prompts,
    given=whole_reply,
)
def prompts(exchange: Exchange) -> Iterator[Remark]:
    """A list of prompts is answered whole: for each of them n choices, numbered on."""
    yield from chat.dense(exchange, asked_for(exchange))


@rule(
    "completions.stop",
    Level.MUST,
    cites=f"{REQUEST}/properties/stop",
    on=legal_text & with_stop & ~echoed,
    given=whole_reply,
)
def stop(exchange: Exchange) -> Iterator[Remark]:
    """The text of an answer holds no stop sequence and ends before it."""
    yield from chat.stop(exchange)


@rule(
    "completions.limit",
    Level.MUST,
    cites=f"{REQUEST}/properties/max_tokens",
    on=legal_text & with_limit & ~echoed & ~picking,
    given=whole_reply,
)
def limit(exchange: Exchange) -> Iterator[Remark]:
    """An answer has no more tokens than it was given, and says finish_reason length where that cut it."""
    yield from chat.limit(exchange)


@rule(
    "completions.echo",
    Level.SHOULD,
    cites=f"{REQUEST}/properties/echo",
    on=legal_text & echoed & texts,
    given=whole_reply,
)
def echo(exchange: Exchange) -> Iterator[Remark]:
    """With echo, the text of a choice begins with its prompt."""
    asked, each = prompts_of(exchange), choices_of(exchange)
    for choice in reply_of(exchange).choices.values():
        if not 0 <= choice.index < len(asked) * each:
            continue  # the rules on n and prompts tell of it
        prompt = str(asked[choice.index // each])
        if not choice.content.lstrip().startswith(prompt.strip()):
            yield Finding(f"choice {choice.index} should begin with {excerpt(prompt, 40)}: {excerpt(choice.content)}")


# --- logprobs -------------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Told:
    """What one choice tells of its tokens, joined over the pieces of a stream."""

    text: str = ""
    tokens: list[Json] = field(default_factory=list)
    values: list[Json] = field(default_factory=list)
    alternatives: list[Json] = field(default_factory=list)
    as_chat: bool = False


def _told(exchange: Exchange) -> dict[int, Told]:
    found = {index: Told(choice.content) for index, choice in reply_of(exchange).choices.items()}
    bodies = [chunk for _, chunk in chunks_of(exchange)] if exchange.is_stream else [exchange.object]
    for body in bodies:
        choices = body.get("choices")
        for choice in choices if isinstance(choices, list) else ():
            match choice:
                case {"index": int(index), "logprobs": dict(logprobs)} if index in found:
                    _join(found[index], logprobs)
    return found


def _join(told: Told, logprobs: dict[str, Json]) -> None:
    lists = (told.tokens, told.values, told.alternatives)
    for into, name in zip(lists, ("tokens", "token_logprobs", "top_logprobs"), strict=True):
        match logprobs.get(name):
            case list(items):
                into.extend(items)
    told.as_chat = told.as_chat or bool(logprobs.get("content"))


@rule(
    "completions.logprobs",
    Level.MUST,
    cites=f"{REQUEST}/properties/logprobs",
    on=legal_text & with_logprobs,
    given=whole_reply,
)
def logprobs(exchange: Exchange) -> Iterator[Remark]:
    """With logprobs, tokens and token_logprobs name each token of the text, and top_logprobs has for each as many
    alternatives as asked at most, and the token itself."""
    most = logprobs_of(exchange) or 0
    for index, told in _told(exchange).items():
        if not told.tokens:
            shape = ", they come in the shape of chat" if told.as_chat else ""
            text = f"choice {index} has no logprobs.tokens{shape}"
            yield Finding(text) if told.text else Inconclusive(f"{text}, and no text", mood=True)
        elif fault := _fault(told, most, first_is_known=not echoed.holds(exchange)):
            yield Finding(f"choice {index}: {fault}")


def _fault(told: Told, most: int, *, first_is_known: bool) -> str | None:
    if len(told.values) != len(told.tokens):
        return f"{len(told.tokens)} tokens, but {len(told.values)} token_logprobs"
    for place, value in enumerate(told.values):
        unknown = value is None and place == 0 and not first_is_known
        if not unknown and (not isinstance(value, int | float) or isinstance(value, bool) or value > 1e-6):
            return f"token {place} has a logprob of {excerpt(value, 40)}"
    sizes = [len(one) for one in told.alternatives if isinstance(one, dict)]
    if most and not any(sizes):
        return f"{most} alternatives were asked for, and no token has any"
    if max(sizes, default=0) > most + 1:
        return f"{max(sizes)} alternatives, asked for {most}"
    spelled = "".join(token for token in told.tokens if isinstance(token, str))
    if len(spelled) < len(told.text) // 2:
        return f"the tokens spell {excerpt(spelled, 50)!r}, the text is {excerpt(told.text, 50)!r}"
    return None
