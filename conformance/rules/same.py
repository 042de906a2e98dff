"""One request, streamed and whole: both say the same; so do forms of it that are one to a reader of JSON. And two
requests at once: neither gets the other's answer.

A model need not repeat itself, so each form is asked for twice, and only a relay that repeats itself in both is judged.
Even so a model of few answers may give one twice whole and another twice streamed: what is judged is what no choice of
words explains, as a piece that was lost, a call that was forced, thinking that was billed.
"""

from collections.abc import Callable, Iterator, Sequence

from conformance.answers import describe, excerpt, reply_of, whole_reply
from conformance.asked import chat, forced, legal, member, streamed, video
from conformance.rule import Finding, Inconclusive, Level, NotSeen, Remark, rule
from conformance.rules.reasoning import counted, thought
from openapi import json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Choice

REFERENCE = "OpenAI API reference, Create chat completion, stream"
STEPS = ("whole", "whole-again", "stream", "stream-again")
REFUSED = {400, 422}
TRY_LATER = {None, 429, 500, 502, 503, 504, 524, 529}
REASONS = {"stop", "length", "tool_calls", "content_filter", "function_call"}
LIKELY = 20  # letters below which one text is found in another by chance
CODE = "-"  # joins the letters and the digits of a code word

pair = chat & legal & ~video


def _compared(exchanges: Sequence[Exchange], what: str, of: Callable[[Exchange], object]) -> Iterator[Remark]:
    """Whether all four say the same; None of one of them decides nothing."""
    whole, again, stream, stream_again = (of(one) for one in exchanges)
    if whole is None or again is None or stream is None or stream_again is None:
        yield Inconclusive(f"not every answer has {what} that can be compared", mood=True)
    elif whole != again or stream != stream_again:
        yield Inconclusive(f"the relay does not repeat itself in {what}", mood=True)
    elif whole != stream:
        text = f"{what}: {excerpt(whole, 60)} whole, {excerpt(stream, 60)} streamed"
        yield Finding(text, place=f"/{what}", exchange=exchanges[2].id)


def _choices(exchange: Exchange) -> list[Choice] | None:
    """The choices in their order, where each came to an end."""
    choices = [choice for _, choice in sorted(reply_of(exchange).choices.items())]
    return choices if all(choice.finish and choice.finish[0] in REASONS for choice in choices) else None


@rule("same.text", Level.SHOULD, cites=REFERENCE, on=pair, given=whole_reply, over=STEPS)
def text(*exchanges: Exchange) -> Iterator[Remark]:
    """The pieces of a stream join to the text of the whole answer."""
    for remark in _compared(exchanges, "text", _texts):
        whole, stream = ("".join(_texts(exchanges[at]) or ()) for at in (0, 2))
        if isinstance(remark, Finding) and not _of_the_same_pieces(whole, stream):
            yield Inconclusive("the answers are other ones, not one with a piece more or less", mood=True)
        else:
            yield remark


def _of_the_same_pieces(one: str, other: str) -> bool:
    """Whether one text is the other with pieces left out, doubled or put elsewhere."""
    short, long = sorted((one, other), key=len)
    rest = iter(long)
    kept = all(letter in rest for letter in short)
    return len(short) >= max(LIKELY, len(long) // 2) and (kept or sorted(short) == sorted(long))


def _texts(exchange: Exchange) -> list[str] | None:
    choices = _choices(exchange)
    texts = [choice.content.strip() for choice in choices or ()]
    return texts if any(texts) else None


@rule("same.calls", Level.SHOULD, cites=REFERENCE, on=pair & forced, given=whole_reply, over=STEPS)
def calls(*exchanges: Exchange) -> Iterator[Remark]:
    """The fragments of a stream join to the calls of the whole answer: the same functions with the same arguments."""
    if any(_called(one) for one in exchanges):
        yield from _compared(exchanges, "calls", _called)
    else:
        yield NotSeen("no function was called")


def _called(exchange: Exchange) -> list[Json] | None:
    """Name and arguments of each call; None where some cannot be read, of which rules on tools tell."""
    called: list[Json] = []
    for place, choice in enumerate(_choices(exchange) or ()):
        for call in choice.tool_calls.values():
            arguments = json_text.read(call.arguments)
            if not isinstance(arguments.value, dict):
                return None
            called.append([place, call.name, arguments.value])
    return called if _choices(exchange) is not None else None


@rule("same.finish-reason", Level.SHOULD, cites=REFERENCE, on=pair, given=whole_reply, over=STEPS)
def finish_reason(*exchanges: Exchange) -> Iterator[Remark]:
    """A stream ends with the finish_reason of the whole answer."""
    if any(_compared(exchanges, "text", _said)):
        yield Inconclusive("the answers are not equal, and each may end in its own way", mood=True)
    else:
        yield from _compared(exchanges, "finish_reason", _finishes)


def _finishes(exchange: Exchange) -> list[str] | None:
    choices = _choices(exchange)
    return None if choices is None else [choice.finish[0] for choice in choices]


@rule("same.usage", Level.SHOULD, cites=REFERENCE, on=pair, given=whole_reply, over=STEPS)
def usage(*exchanges: Exchange) -> Iterator[Remark]:
    """A stream counts the tokens that the whole answer counts: those of the prompt, and of an equal answer too."""
    yield from _compared(exchanges, "prompt_tokens", lambda one: _count(one, "prompt_tokens"))
    if not any(_compared(exchanges, "text", _said)):
        yield from _compared(exchanges, "completion_tokens", lambda one: _count(one, "completion_tokens"))


def _said(exchange: Exchange) -> list[Json] | None:
    """All that is counted in an answer."""
    choices = _choices(exchange)
    return None if choices is None else [[one.content, one.reasoning, _called(exchange)] for one in choices]


def _count(exchange: Exchange, name: str) -> int | None:
    """A count of usage; none is zero where something was said."""
    value = (reply_of(exchange).usage or {}).get(name)
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else None


@rule("same.reasoning", Level.MUST, cites="DeepSeek API reference, reasoning_content", on=pair, given=whole_reply,
      over=STEPS)  # fmt: skip
def reasoning(*exchanges: Exchange) -> Iterator[Remark]:
    """A model whose thinking is shown in whole answers shows it in streams, and the other way about."""
    whole, again, stream, stream_again = (thought.holds(one) for one in exchanges)
    if whole != again or stream != stream_again:
        yield Inconclusive("the relay does not repeat itself in thinking", mood=True)
    elif whole == stream:
        if not whole:
            yield NotSeen("no thinking is shown")
    elif any(counted(one) <= 0 for one in exchanges if not thought.holds(one)):
        yield Inconclusive("no usage tells that the model thought where none of it is shown", mood=True)
    else:
        shown, hidden = ("whole", "streams") if whole else ("streams", "whole")
        text = f"thinking is shown in {shown} answers, and none in {hidden}"
        yield Finding(text, place="/choices/*/reasoning_content", exchange=exchanges[2 if whole else 0].id)


# --- what is no part of the request ---------------------------------------------------------------------------------


@rule("same.member-order", Level.SHOULD, cites="RFC 8259 section 4", on=pair,
      over=("plain", "plain-again", "reordered"))  # fmt: skip
def member_order(plain: Exchange, again: Exchange, reordered: Exchange) -> Iterator[Remark]:
    """In which order a request has its members changes nothing: neither whether it is answered nor how it is billed."""
    yield from _unchanged(plain, again, reordered)


@rule("same.unknown-field", Level.SHOULD, cites="OpenAI API reference, Backward compatibility", on=pair,
      over=("plain", "plain-again", "unknown-field"))  # fmt: skip
def unknown_member(plain: Exchange, again: Exchange, more: Exchange) -> Iterator[Remark]:
    """A member that nobody knows, where it is let pass, changes neither the form of an answer nor the bill."""
    if plain.status == 200 and more.status in REFUSED:
        yield Inconclusive("it was refused: see chat.unknown-field")
    else:
        yield from _unchanged(plain, again, more)


def _unchanged(plain: Exchange, again: Exchange, other: Exchange) -> Iterator[Remark]:
    """Whether two equal requests and another form of them are answered alike, words aside."""
    first, second, third = map(_form, (plain, again, other))
    if first["status"] != 200 or first != second:
        yield Inconclusive(f"the relay does not repeat itself: {describe(plain)}; {describe(again)}", mood=True)
        return
    if third["status"] in TRY_LATER:
        yield Inconclusive(describe(other))
        return
    for what, value in first.items():
        if third[what] != value:
            text = f"{what}: {excerpt(value)} as usual, and {excerpt(third[what])} so"
            yield Finding(text, place=f"/{what}", exchange=other.id)


def _form(exchange: Exchange) -> dict[str, Json]:
    """What of an answer does not hang on a choice of words."""
    choices = len(reply_of(exchange).choices)
    told = {"status": exchange.status, "stream": exchange.is_stream, "choices": choices}
    return {**told, "prompt_tokens": _count(exchange, "prompt_tokens")}


# --- at once --------------------------------------------------------------------------------------------------------


@rule("same.own-answer", Level.MUST, cites="RFC 9110 section 3.3", on=pair & streamed, given=whole_reply,
      over=("one", "other"))  # fmt: skip
def own_answer(one: Exchange, other: Exchange) -> Iterator[Remark]:
    """Of two requests at the same time each gets its own answer, and nothing of the other's."""
    for mine, others in ((one, other), (other, one)):
        own, foreign = _codes(mine) - _codes(others), _codes(others) - _codes(mine)
        said = " ".join(choice.content for choice in reply_of(mine).choices.values()).lower()
        crossed = sorted(word for word in foreign if word in said)
        if crossed:
            text = f"the answer holds {crossed[0]!r}, which stands in another request alone: {excerpt(said)}"
            yield Finding(text, place="/choices/*/delta/content", exchange=mine.id)
        elif not any(word in said for word in own):
            yield Inconclusive("the model did not say the word that it was asked for", mood=True)


def _codes(exchange: Exchange) -> set[str]:
    """The code words that a request asks for: letters and digits, joined by a hyphen."""
    messages = member(exchange, "messages")
    texts = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    words = {word.strip(".,:;!?\"'").lower() for text in texts if isinstance(text, str) for word in text.split()}
    return {word for word in words if CODE in word and any(map(str.isdigit, word))}
