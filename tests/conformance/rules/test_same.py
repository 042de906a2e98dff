"""The rules about one request in several forms, and about two at once."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    Case,
    answer,
    arguments,
    call,
    chapter,
    chat_body,
    choice,
    chunk,
    each,
    failure,
    finish,
    got,
    head,
    message,
    request,
    role,
    rules_of,
    stream,
    text,
    usage,
    whole,
)
from tests.conformance.groups import agree, clash, open_, out_of, together, unheard
from tests.conformance.rules.test_no_check_raises import ANSWERS, events, mutants, wire

THOUGHT = {"reasoning_content": "Hm"}


def said(content: str | None = "Hi", reason: Any = "stop", counts: Any = None, **members: Any) -> Exchange:
    return whole(answer(message(content, reason, **members), usage=counts or usage()))


def told(content: str = "Hi", reason: Any = "stop", counts: Any = None) -> Exchange:
    counted = [chunk(usage=counts or usage())]
    return stream(role(), text(content[:1]), text(content[1:]), finish(reason), *counted, DONE)


FORCED: dict[str, Any] = {"tools": [WEATHER], "tool_choice": "required"}


LAST = {"same.member-order": "reordered", "same.unknown-field": "unknown-field"}


def calling(*calls: Any) -> Exchange:
    return whole(answer(message(None, "tool_calls", tool_calls=list(calls))), **FORCED)


def fragments(*pieces: Any) -> Exchange:
    return stream(role(), *pieces, finish("tool_calls"), DONE, **FORCED)


def thinking(*pieces: str, counts: Any = None) -> Exchange:
    parts = [chunk(choice({"reasoning_content": piece})) for piece in pieces]
    return stream(role(), *parts, text(), finish(), *([chunk(usage=counts)] if counts else []), DONE)


def repeating(word: str, content: str, **asked: Any) -> Exchange:
    messages = [{"role": "user", "content": f"Repeat this code word: {word}"}]
    return stream(role(), text(content), finish(), DONE, messages=messages, **asked)


def twice(*forms: Exchange) -> tuple[Exchange, ...]:
    return tuple(form for form in forms for _ in range(2))


SILENT = whole(answer(message("Hi", "stop")), **FORCED)
ROME = call('{"city": "Rome"}')
PIECES = (head(), arguments('{"city":'), arguments('"Rome"}'))
COUNTED = usage(3, 9, 12, completion_tokens_details={"reasoning_tokens": 0})
BILLED = usage(3, 9, 12, completion_tokens_details={"reasoning_tokens": 7})
CUT = stream(role(), text(), DONE)
SKY = "The sky is blue because the air scatters blue light more than red."
ONE, OTHER = "marigold-1", "juniper-2"

CASES: list[Case] = [
    agree("one text", "same.text", *twice(said(), told())),
    agree("a blank at its end", "same.text", *twice(said("Hi\n"), told())),
    clash("a piece lost", "same.text", *twice(said(SKY), told(SKY.replace("scatter", ""))), step="stream", says="blue"),
    clash("a piece doubled", "same.text", *twice(said(SKY), told(SKY.replace("the", "thethe"))), step="stream"),
    clash("pieces out of order", "same.text", *twice(said(SKY), told(SKY[20:] + SKY[:20])), step="stream"),
    open_("another word", "same.text", *twice(said(SKY), told(SKY.replace("blue", "azure"))), says="other", mood=True),
    open_("a shorter one", "same.text", *twice(said(SKY), told(SKY[:20])), mood=True),
    open_("a few letters", "same.text", *twice(said("Hello"), told("Hell")), mood=True),
    open_("the whole one varies", "same.text", said("a"), said("b"), told(), told(), says="repeat itself", mood=True),
    open_("the stream varies", "same.text", said(), said(), told("Ho"), told(), says="repeat itself", mood=True),
    open_("no text", "same.text", *twice(said(""), told("")), mood=True),
    open_("one was cut", "same.text", said(), said(), told(), CUT, mood=True),
    open_("an unknown end", "same.text", *twice(said(), told(reason="end_turn")), mood=True),
    open_("an error", "same.text", said(), said(), told(), stream(role(), failure()), says="needs"),
    out_of("an illegal request", "same.text", *twice(whole(n=0), told())),
    *(
        row
        for name in ("same.member-order", "same.unknown-field")
        for row in (
            agree("as usual", name, said(), said(), said()),
            agree("in other words", name, said("one"), said("one"), said("two")),
            clash("refused", name, said(), said(), got(400, failure("no")), step=LAST[name], says="status")
            if name.endswith("order")
            else open_("refused", name, said(), said(), got(400, failure("no")), says="chat.unknown-field"),
            clash("another bill", name, said(), said(), said(counts=usage(9, 5, 14)), step=LAST[name], says="tokens"),
            clash("whole, not streamed", name, told(), told(), said(), step=LAST[name], says="stream"),
            open_("the bill varies", name, said(), said(counts=usage(9, 5, 14)), said(), mood=True),
            open_("not at all", name, got(400, to=request(chat_body())), got(400), got(400), says="repeat", mood=True),
            open_("try later", name, said(), said(), got(429, failure("slow")), says="429"),
            out_of("an illegal request", name, whole(n=0), whole(n=0), whole(n=0)),
        )
    ),
    agree("one call", "same.calls", *twice(calling(ROME), fragments(*PIECES))),
    agree("one call in other blanks", "same.calls", *twice(calling(call('{ "city":"Rome" }')), fragments(*PIECES))),
    clash("other arguments", "same.calls", *twice(calling(call("{}")), fragments(*PIECES)), step="stream"),
    clash("another function", "same.calls", *twice(calling(call(name="f")), fragments(*PIECES)), step="stream"),
    clash("none in streams", "same.calls", *twice(calling(ROME), told()), step="stream"),
    clash("none whole", "same.calls", *twice(SILENT, fragments(*PIECES)), step="stream"),
    out_of("nothing was forced", "same.calls", *twice(said(), fragments(*PIECES))),
    open_("arguments that nobody reads", "same.calls", *twice(calling(call("{")), fragments(*PIECES)), mood=True),
    open_("one was cut", "same.calls", *twice(calling(ROME), CUT), mood=True),
    unheard("no call", "same.calls", *twice(SILENT, told())),
    agree("one end", "same.finish-reason", *twice(said(), told())),
    clash("another", "same.finish-reason", *twice(said(), told(reason="length")), step="stream", says="length"),
    open_("some call", "same.finish-reason", *twice(calling(ROME), told()), says="not equal", mood=True),
    open_("other texts", "same.finish-reason", *twice(said("Ho"), told(reason="length")), says="not equal", mood=True),
    open_("one was cut", "same.finish-reason", said(), said(), told(), CUT, mood=True),
    agree("one count", "same.usage", *twice(said(), told())),
    agree("other texts", "same.usage", *twice(said("Hello", counts=usage(3, 1, 4)), told())),
    agree("other texts and ends", "same.usage", *twice(said("Hello", None, usage(3, 1, 4)), told())),
    clash("another prompt", "same.usage", *twice(said(counts=usage(4, 2, 6)), told()), step="stream", says="prompt"),
    clash("another answer", "same.usage", *twice(said(counts=usage(3, 1, 4)), told()), step="stream", says="compl"),
    open_("no count", "same.usage", *twice(said(), CUT), mood=True),
    open_("a count of nothing", "same.usage", *twice(said(counts=usage(0, 0, 0)), told()), mood=True),
    agree("shown in both", "same.reasoning", *twice(said(**THOUGHT), thinking("Hm"))),
    clash("lost in streams", "same.reasoning", *twice(said(**THOUGHT), thinking(counts=BILLED)), step="stream"),
    open_("streams that count nothing", "same.reasoning", *twice(said(**THOUGHT), thinking()), mood=True),
    clash("lost whole", "same.reasoning", *twice(said(counts=BILLED), thinking("Hm")), step="whole", says="in streams"),
    open_("now and then", "same.reasoning", said(**THOUGHT), said(), thinking(), thinking(), mood=True),
    open_("it did not think", "same.reasoning", *twice(said(**THOUGHT), thinking(counts=COUNTED)), mood=True),
    unheard("none", "same.reasoning", *twice(said(), thinking())),
    agree("each its own", "same.own-answer", repeating(ONE, "Marigold-1."), repeating(OTHER, OTHER)),
    clash("changed places", "same.own-answer", repeating(ONE, OTHER), repeating(OTHER, ONE), step="one", says=OTHER),
    clash("mixed", "same.own-answer", repeating(ONE, ONE), repeating(OTHER, f"{OTHER} {ONE}"), step="other", says=ONE),
    open_("neither", "same.own-answer", repeating(ONE, "Sure."), repeating(OTHER, OTHER), mood=True),
    out_of("whole answers", "same.own-answer", whole(), whole()),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("same")


@pytest.mark.parametrize("content", [[{"type": "text", "text": ONE}], None])
def test_words_in_parts_are_no_code_words(content: Any) -> None:
    """Of such prompts nothing is known, so that nothing can be verified."""
    one = stream(role(), text(ONE), finish(), DONE, messages=[{"role": "assistant", "content": content}])
    open_("parts", "same.own-answer", one, one, mood=True).check()


STRANGE = st.one_of(
    mutants(ANSWERS).map(lambda body: got(200, body, to=request(chat_body(tools=[WEATHER], stop="a", max_tokens=3)))),
    st.lists(events.map(wire), max_size=6).map(lambda sent: stream(*sent, DONE, tools=[WEATHER], max_tokens=3)),
    st.sampled_from([400, 503, None]).map(lambda status: got(status, failure())),
)


@settings(max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STRANGE, min_size=4, max_size=4))
def test_no_check_of_several_exchanges_raises(sent: list[Exchange]) -> None:
    for name in BOOK:
        if BOOK[name].over:
            found = together(name, sent)
            assert found is None or found.outcome is not Outcome.BROKEN, found.reason
