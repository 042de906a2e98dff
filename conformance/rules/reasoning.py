"""The thinking of a model, as relays show it: in reasoning_content (DeepSeek) or reasoning (OpenRouter).

OpenAI hides it, so that nobody is accused for showing none; the chapter `same` sees what only streams lose.
"""

from collections.abc import Iterator

from conformance.answers import event_stream, reply_of, whole_reply
from conformance.asked import chat, legal, streamed, video, with_tools
from conformance.rule import Finding, Level, On, Remark, rule
from conformance.rules.chat_stream import choices_in, deltas_in
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

SOURCE = "DeepSeek API reference, reasoning_content"
TAG = "<think>"
HEAD = 200  # characters in which the thinking would begin
NAMES = ("reasoning_content", "reasoning")

thought = On("thinking", lambda exchange: any(one.reasoning for one in reply_of(exchange).choices.values()))
spoken = On("a text", lambda exchange: any(one.content for one in reply_of(exchange).choices.values()))


def _parts(exchange: Exchange) -> Iterator[tuple[int, Json, str, str]]:
    """What each delta of a stream says: event number, index of the choice, thinking, text."""
    for event, choice in choices_in(exchange):
        match choice:
            case {"delta": dict(delta)}:
                thinking = next((text for name in NAMES if (text := _text(delta.get(name)))), "")
                yield event, choice.get("index"), thinking, _text(delta.get("content"))


def _text(value: Json) -> str:
    return value if isinstance(value, str) else ""


@rule(
    "reasoning.order",
    Level.SHOULD,
    cites=SOURCE,
    on=chat & legal & streamed & ~with_tools & ~video,
    given=event_stream,
    occasion=thought,
)
def order(exchange: Exchange) -> Iterator[Remark]:
    """The thinking of a choice comes before its text: readers close it at the first word of that."""
    speaking: list[Json] = []  # a value from outside may be no key
    for event, index, thinking, text in _parts(exchange):
        if thinking.strip() and index in speaking:  # Claude's signature comes late, as an empty line
            yield Finding("thinking behind the first word of the text", event, "/choices/*/delta/reasoning_content")
            return
        if text.strip() and index not in speaking:
            speaking.append(index)


@rule("reasoning.apart", Level.SHOULD, cites=SOURCE, on=chat & legal & streamed, given=event_stream, occasion=thought)
def apart(exchange: Exchange) -> Iterator[Remark]:
    """A delta has thinking or text, not both: readers take one branch and lose the other."""
    for event, _, thinking, text in _parts(exchange):
        if thinking and text:
            yield Finding("thinking and text in one delta", event, "/choices/*/delta")
            return


@rule(
    "reasoning.once",
    Level.MAY,
    cites="OpenRouter API reference, reasoning_details",
    on=chat & legal & streamed,
    given=event_stream,
    occasion=thought,
)
def once(exchange: Exchange) -> Iterator[Remark]:
    """The thinking stands in one member of a delta: who joins the text and the details has it twice."""
    for event, delta in deltas_in(exchange):
        if any(_text(delta.get(name)) for name in NAMES) and _detailed(delta):
            yield Finding("the thinking stands in reasoning_details too", event, "/choices/*/delta/reasoning_details")
            return


def _detailed(delta: dict[str, Json]) -> bool:
    """Whether the details of the thinking spell it."""
    match delta:
        case {"reasoning_details": list(details)}:
            return any(_text(one.get("text")) for one in details if isinstance(one, dict))
    return False


@rule("reasoning.think-tags", Level.MAY, cites=SOURCE, on=chat & legal, given=whole_reply, occasion=spoken)
def think_tags(exchange: Exchange) -> Iterator[Remark]:
    """The thinking stands beside the text, not in it between tags: what parses the text meets it."""
    for choice in reply_of(exchange).choices.values():
        if TAG in choice.content[:HEAD]:
            yield Finding(f"choice {choice.index} begins with {TAG}", place="/choices/*/message/content")


@rule(
    "reasoning.shown",
    Level.MAY,
    cites=SOURCE,
    on=chat & legal,
    given=whole_reply,
    occasion=On("tokens of thinking", lambda exchange: counted(exchange) > 0),
)
def shown(exchange: Exchange) -> Iterator[Remark]:
    """Thinking that is counted, and billed, is shown; vendors may hide it."""
    if not (thought.holds(exchange) or any(TAG in one.content for one in reply_of(exchange).choices.values())):
        yield Finding(f"{counted(exchange)} tokens of thinking are counted, and none is shown", place="/usage")


def counted(exchange: Exchange) -> int:
    """The tokens of thinking by usage, 0 where it does not tell them."""
    match reply_of(exchange).usage:
        case {"completion_tokens_details": {"reasoning_tokens": int(tokens)}}:
            return tokens
    return 0
