"""What rules read off an answer."""

from dataclasses import replace
from typing import Any

import pytest

from conformance import answers
from conformance.answers import MAX_CHOICES
from conformance.rule import On
from openapi.wire.exchange import End, Exchange
from openapi.wire.streams.chat import State, Symbol
from tests.conformance.exchanges import (
    DONE,
    EVENTS,
    answer,
    choice,
    chunk,
    counted,
    cut,
    failure,
    finish,
    got,
    ours,
    role,
    stream,
    text,
    usage,
    whole,
)

BROTLI = got(200, b"\x0b", kind=EVENTS, headers=(("content-encoding", "br"),))
GOOD = stream(role(), text(), finish(), DONE)


@pytest.mark.parametrize(
    ("exchange", "said"),
    [
        (got(None, kind=None), "no answer came"),
        (got(None, kind=None, error="no byte within 60 s"), "no byte within 60 s"),
        (got(429, failure("slow down")), "the answer was 429: slow down"),
        (got(400, {"error": "so not"}), "the answer was 400: so not"),
        (got(502, b"<html>\n x"), "the answer was 502: <html> x"),
        (ours(got(200, b"{", ended_at=60)), "the answer was 200, timeout after 60.0 s"),
        (BROTLI, "the answer was 200, content coding 'br' was not asked for and is not known"),
        (whole(failure("oops")), "the answer was 200 with an error: oops"),
        (whole(), "the answer was 200 application/json"),
        (got(204, kind=None), "the answer was 204 without a media type"),
    ],
)
def test_an_answer_in_a_few_words(exchange: Exchange, said: str) -> None:
    assert answers.describe(exchange) == said


def test_an_excerpt_is_short_and_on_one_line() -> None:
    assert answers.excerpt("a\n b" + "x" * 200) == "a b" + "x" * 116 + "…"
    assert answers.excerpt({"a": ["中", None]}) == '{"a": ["中", null]}'
    assert answers.excerpt("abc", 2) == "a…"


def test_an_excerpt_of_what_is_nested_without_end() -> None:
    deep: Any = []
    for _ in range(100_000):
        deep = [deep]
    assert answers.excerpt(deep) == "a value nested too deeply"
    while deep:  # taken apart by hand: to free it all at once needs a deep stack
        deep = deep.pop()


HOLDS: list[tuple[On, Exchange, Exchange]] = [
    (answers.answered, got(500), got(None)),
    (answers.complete, whole(), cut(whole())),
    (answers.decoded, whole(), BROTLI),
    (answers.intact, whole(), BROTLI),
    (answers.ok, whole(), got(204)),
    (answers.error_answer, got(400), whole()),
    (answers.error_answer, got(599), got(None)),
    (answers.event_stream, GOOD, whole()),
    (answers.event_stream, GOOD, got(400, kind=EVENTS)),
    (answers.ended, GOOD, cut(GOOD, End.CLIENT_ABORTED)),
    (answers.json_answer, whole(), got(200, [])),
    (answers.json_answer, whole(answer(error={"message": "x"})), whole(failure())),
    (answers.replied, GOOD, whole(failure())),
    (answers.readable, GOOD, stream(role(), {}, DONE)),
    (answers.readable, whole(), stream('{"a":1,"a":2}')),
    (answers.readable, stream(b'data: {"a":"\xef\xbf\xbd"}\n\n'), stream(b'data: {"a":"\xff"}\n\n')),
    (answers.whole_reply, GOOD, stream(role(), failure(), DONE)),
    (answers.whole_reply, whole(), whole(answer() | {"choices": []})),
    (answers.chunked, GOOD, stream(failure(), DONE)),
]


@pytest.mark.parametrize(("predicate", "yes", "no"), HOLDS, ids=[row[0].name for row in HOLDS])
def test_a_predicate_holds_and_does_not(predicate: On, yes: Exchange, no: Exchange) -> None:
    assert predicate.holds(yes)
    assert not predicate.holds(no)


def test_a_stream_and_a_whole_answer_spell_one_reply() -> None:
    streamed, plain = answers.reply_of(GOOD), answers.reply_of(whole())
    assert streamed.choices[0].content == plain.choices[0].content == "Hi"
    assert streamed.choices[0].finish == plain.choices[0].finish == ["stop"]


def test_the_choices_that_a_stream_speaks_of() -> None:
    assert answers.choice_indexes(stream(DONE)) == (0,)
    assert answers.choice_indexes(stream(role(3), role(1))) == (1, 3)
    flood = stream(chunk(*(choice({}, index=at) for at in range(MAX_CHOICES + 9))))
    assert len(answers.choice_indexes(flood)) == MAX_CHOICES


def test_where_a_stream_says_a_thing() -> None:
    sent = stream(role(), text(), role(1), text(), DONE)
    assert [said.event for said in answers.saying(sent, Symbol.DELTA)] == [1, 3]
    assert [said.choice for said in answers.saying(sent, Symbol.ROLE)] == [0, 1]
    assert answers.saying(sent, Symbol.ERROR) == ()
    everything = [said for symbol in Symbol for said in answers.saying(sent, symbol)]
    assert sorted(everything, key=lambda said: said.event) == [*answers.said_of(sent)]


def test_what_several_choices_share_is_told_once() -> None:
    found = answers.out_of_order(stream(role(), role(1), counted(), DONE, DONE, n=2))
    told = [(one.event, one.state, one.got) for one in found]
    assert told == [(2, State.OPEN, Symbol.USAGE), (3, State.OPEN, Symbol.DONE), (4, State.DONE, Symbol.DONE)]
    assert found[0].text == "choice 0: usage chunk within the answer"


def test_the_end_is_out_of_order_where_the_stream_ended_by_itself() -> None:
    (found,) = answers.out_of_order(stream(role()))
    assert (found.event, found.got, found.text) == (None, None, "choice 0: the stream ended within the answer")
    assert answers.out_of_order(ours(stream(role()))) == ()


def test_chunks_are_objects_that_are_neither_errors_nor_the_prefilter() -> None:
    prefilter = chunk(prompt_filter_results=[])
    sent = stream(
        prefilter, role(), "[]", failure(), {}, prefilter | {"usage": usage()}, prefilter | {"usage": None}, DONE
    )
    assert [event for event, _ in answers.chunks_of(sent)] == [1, 4, 5]


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/json; charset=utf-8", None])
def test_a_whole_answer_is_held_against_the_schema_whatever_it_is_declared_as(kind: str | None) -> None:
    ((event, fault), *_) = answers.schema_faults(got(200, answer() | {"id": 5}, kind=kind))
    assert (event, fault.pointer) == (None, "/id")
    assert answers.schema_faults(got(200, answer(), kind=kind)) == ()


def test_faults_of_a_stream_have_the_numbers_of_their_events() -> None:
    found = answers.schema_faults(stream(role(), text() | {"id": 5}, chunk(choice(5)), DONE))
    assert [(event, fault.pointer) for event, fault in found] == [(1, "/id"), (2, "/choices/0/delta")]


def test_what_the_document_does_not_describe_has_no_faults() -> None:
    assert answers.schema_faults(replace(whole(), request=replace(whole().request, path="/v1/nothing"))) == ()
