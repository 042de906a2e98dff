"""Parameters of a chat request, each judged by its effect, beside the answer to the same request without it.

A model that would have done so anyway, or will not do so at all, decides nothing: that is told as its mood.
"""

from collections.abc import Iterator
from itertools import pairwise

from conformance.answers import describe, excerpt, message_of, reply_of, whole_reply
from conformance.asked import chat, legal, limit_of, stops_of, video, with_limit, with_logprobs
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from conformance.rules.chat import NO_FINISH, REFUSED, REQUEST, SLACK, fewest_tokens
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice

MODELS_OWN = {"unsupported_parameter", "unsupported_value"}  # codes by which OpenAI says that a model has not that
KNOWN = document.load().resolve(REQUEST.partition("#")[2])
FIELDS = frozenset(KNOWN["properties"]) if isinstance(KNOWN, dict) and isinstance(KNOWN["properties"], dict) else ()

unknown_field = On("an unknown field", lambda exchange: bool(exchange.request.object.keys() - FIELDS))
one_choice = On("one choice", lambda exchange: len(reply_of(exchange).choices) == 1)


def _only(exchange: Exchange) -> Choice:
    """The one choice of an answer that has one."""
    [choice] = reply_of(exchange).choices.values()
    return choice


def _refused(exchange: Exchange) -> bool:
    return exchange.status in REFUSED


def _by_the_model(exchange: Exchange) -> bool:
    """Whether the refusal says that it is this model that lacks the parameter."""
    match exchange.object.get("error"):
        case {"code": str(code)} if code in MODELS_OWN:
            return True
    return "this model" in message_of(exchange).lower()


# --- what is taken at all -------------------------------------------------------------------------------------------


@rule("chat.fields", Level.MUST, cites=REQUEST, on=chat & legal, over=("plain", "fields"))
def fields(plain: Exchange, more: Exchange) -> Iterator[Remark]:
    """A field that the reference has, with the value that it has by default, does not make a request be refused."""
    added = ", ".join(sorted(_members(more) - _members(plain)))
    if plain.status != 200:
        yield Inconclusive(f"without it {describe(plain)}")
    elif _refused(more) and _by_the_model(more):
        yield Inconclusive(f"the model has no such parameter: {describe(more)}")
    elif _refused(more):
        yield Finding(f"with {added} {describe(more)}", place="/error", exchange=more.id)
    elif more.status != 200:
        yield Inconclusive(describe(more))


def _members(exchange: Exchange) -> set[str]:
    """The members of a request, and those of its tools' functions."""
    body = exchange.request.object
    tools = body.get("tools")
    functions = [one.get("function") for one in tools if isinstance(one, dict)] if isinstance(tools, list) else []
    return {*body, *(name for one in functions if isinstance(one, dict) for name in one)}


@rule("chat.unknown-field", Level.MAY, cites=REQUEST, on=chat & legal & unknown_field)
def ignores_unknown(exchange: Exchange) -> Iterator[Remark]:
    """A field that nobody knows is left out of account; OpenAI refuses some, relays that pass it on may too."""
    if _refused(exchange):
        yield Finding(f"an unknown field, {describe(exchange)}", place="/error")
    elif exchange.status != 200:
        yield Inconclusive(describe(exchange))


@rule(
    "chat.limit-names",
    Level.MUST,
    cites=f"{REQUEST}/properties/max_completion_tokens",
    on=chat & legal,
    over=("max-tokens", "max-completion-tokens"),
)
def limit_names(older: Exchange, newer: Exchange) -> Iterator[Remark]:
    """The limit is taken under both of its names, max_tokens and max_completion_tokens, whichever the model wants."""
    refused = [one for one in (older, newer) if _refused(one)]
    if len(refused) == 1 and {older.status, newer.status} == {200, refused[0].status}:
        yield Finding(f"refused under one name alone, {describe(refused[0])}", place="/error", exchange=refused[0].id)
    elif not older.status == newer.status == 200:
        yield Inconclusive(f"{describe(older)}; {describe(newer)}")


# --- what has an effect ---------------------------------------------------------------------------------------------


@rule(
    "chat.limit-effect",
    Level.MUST,
    cites=f"{REQUEST}/properties/max_tokens",
    on=chat & legal & with_limit & ~video,
    given=whole_reply & one_choice,
    over=("long", "short"),
)
def limit_effect(long: Exchange, short: Exchange) -> Iterator[Remark]:
    """A lower limit gives a shorter answer, where the higher one gave more than it allows."""
    more, less, most = _only(long), _only(short), limit_of(short) or 0
    beyond = "length" in more.finish or fewest_tokens(more.content) > most + SLACK
    if len(less.content) < len(more.content):
        return
    if more.content and beyond:
        text = f"{len(less.content)} characters with a limit of {most}, {len(more.content)} of {limit_of(long)} tokens"
        yield Finding(text, place="/choices/*/message/content", exchange=short.id)
    else:
        yield Inconclusive("the answer is short without the limit", mood=True)


@rule(
    "chat.stop-effect",
    Level.MUST,
    cites=f"{REQUEST}/properties/stop",
    on=chat & legal,
    given=whole_reply & one_choice,
    over=("free", "stopped"),
)
def stop_effect(free: Exchange, stopped: Exchange) -> Iterator[Remark]:
    """Where an answer would have held a stop sequence it ends before that, with finish_reason stop."""
    freely, shortened = _only(free).content, _only(stopped)
    places = [at for text in stops_of(stopped) if (at := freely.find(text)) >= 0]
    found = [text for text in stops_of(stopped) if text in shortened.content]
    if found:
        text = f"the answer goes on past {found[0]!r}: {excerpt(shortened.content)}"
        yield Finding(text, place="/choices/*/message/content", exchange=stopped.id)
    elif not places:
        yield Inconclusive("the model writes no stop sequence", mood=True)
    elif not shortened.finish:
        yield NO_FINISH
    elif shortened.content.strip() != freely[: min(places)].strip():
        yield Inconclusive("the model found other words", mood=True)
    elif shortened.finish[0] != "stop":
        text = f"the answer ends before its stop sequence, the finish_reason is {shortened.finish[0]!r}"
        yield Finding(text, place="/choices/*/finish_reason", exchange=stopped.id)


@rule(
    "chat.seed",
    Level.MAY,
    cites=f"{REQUEST}/properties/seed",
    on=chat & legal,
    given=whole_reply & one_choice,
    over=("seeded", "seeded-again", "seeded-otherwise"),
)
def seed(once: Exchange, again: Exchange, otherwise: Exchange) -> Iterator[Remark]:
    """Equal seeds give equal answers, as far as the vendor can; nobody promises it."""
    first, second, other = (_only(one).content for one in (once, again, otherwise))
    if first != second:
        text = f"one seed, two answers: {excerpt(first, 50)!r} and {excerpt(second, 50)!r}"
        yield Finding(text, place="/choices/*/message/content", exchange=again.id)
    elif first == other:
        yield Inconclusive("the model says the same with another seed", mood=True)


# --- what is told beside the text -----------------------------------------------------------------------------------


@rule(
    "chat.logprobs-details",
    Level.SHOULD,
    cites=f"{REQUEST}/properties/top_logprobs",
    on=chat & legal & with_logprobs,
    given=whole_reply,
    occasion=On("tokens", lambda exchange: any(choice.logprobs for choice in reply_of(exchange).choices.values())),
)
def logprobs_details(exchange: Exchange) -> Iterator[Remark]:
    """The bytes of the tokens are the text in UTF-8, and alternatives are tokens with logprobs, the likeliest first."""
    for choice in reply_of(exchange).choices.values():
        tokens = [token for token in choice.logprobs if isinstance(token, dict)]
        yield from _bytes(choice, tokens)
        for place, token in enumerate(tokens):
            if fault := _alternatives_fault(token.get("top_logprobs")):
                text = f"choice {choice.index}, token {place}: {fault}"
                yield Finding(text, place="/choices/*/logprobs/content/*/top_logprobs")
                break


def _bytes(choice: Choice, tokens: list[dict[str, Json]]) -> Iterator[Remark]:
    spelled = bytearray()
    for token in tokens:
        match token.get("bytes"):
            case list(numbers):
                spelled += bytes(one for one in numbers if isinstance(one, int) and 0 <= one < 256)
            case _:
                yield Inconclusive("a token without bytes")  # null is for tokens that have none
                return
    if not spelled.strip().startswith(choice.content.encode("utf-8", "replace").strip()):
        said = spelled.decode("utf-8", "replace")
        got = (
            f"choice {choice.index}: the bytes spell {excerpt(said, 50)!r}, the text is {excerpt(choice.content, 50)!r}"
        )
        yield Finding(got, place="/choices/*/logprobs/content/*/bytes")


def _alternatives_fault(value: Json) -> str | None:
    """What is wrong in a list of alternatives; that it is one, and not too long, chat.logprobs tells."""
    alternatives = value if isinstance(value, list) else []
    logprobs: list[float] = []
    for one in alternatives:
        match one:
            case {"token": str(), "logprob": int() | float() as logprob}:
                logprobs.append(logprob)
            case _:
                return f"expected token and logprob, got {excerpt(one, 60)}"
    risen = next((later for before, later in pairwise(logprobs) if later > before), None)
    return None if risen is None else f"an alternative of {risen} stands behind a less likely one"
