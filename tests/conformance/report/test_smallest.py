"""What is shown of a finding of generated probes: one request, or each of a sequence."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.report import html, json_out, junit, markdown, sarif, terminal
from conformance.report.doubt import doubt
from conformance.report.smallest import Smallest, smallest, told
from conformance.report.texts import TEXTS
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Earlier, Footer, Found, Generated, Header, Run, Short
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import chat_body, request
from tests.conformance.report.made import small_run

HEADER = Header({"name": "m", "base_url": "http://relay.example"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z")


IDENTITY = "chat.answered fuzz.x"
NAMES = ("turn-1", "turn-2")
BODY = '{"model":"m","messages":[{"role":"user","content":"hi"}],"n":1}'


def of(
    data: Any, *exchanges: Exchange, flaky: bool | None = False, failed: tuple[str, ...] = (), **more: Any
) -> Smallest:
    """What is shown of one finding, which `failed` are the exchanges to show."""
    case = {"kind": "x", "operation": "createChatCompletion", "role": "chat", "data": data}
    found = Found(IDENTITY, Level.MUST, "500", "fuzz.x.1", "fuzz.x.2", 9, case, flaky, more.get("short"))
    generated = Generated(1, 1, 0, 9, (found,), earlier=more.get("earlier"))
    footer = Footer({}, {}, "2026-01-01T00:00:09Z", 1, generated=generated)
    verdict = Verdict("chat.answered", Level.MUST, Outcome.FAIL, "fuzz.x.1", failed, (Finding("500"),))
    asked = tuple(replace(one, probe="fuzz.x.1") for one in exchanges)
    [one] = smallest(Run(HEADER, asked, (verdict,) if failed else (), footer))
    return one


def talk(number: int, turns: int = 2) -> list[Exchange]:
    """A conversation as it was asked once."""
    made = [Exchange(f"e{number}-{name}", request(chat_body(n=n)), 200) for n, name in enumerate(NAMES[:turns], 1)]
    return [replace(one, step=name, steps=NAMES) for one, name in zip(made, NAMES, strict=False)]


def test_of_several_requests_it_is_the_first_and_of_a_sequence_each() -> None:
    one = of({"body": {}}, *talk(1))
    assert (one.asked, len(one.curl)) == ((BODY,), 2)
    one = of({"body": {}, "moves": [{"move": "say"}]}, *talk(1))
    assert (one.asked, len(one.curl)) == ((BODY, BODY.replace('"n":1', '"n":2')), 2)


def test_what_has_no_body_is_shown_by_its_path() -> None:
    listed = Exchange("e1-first", request(method="GET", path="/v1/models", kind=None), 200, step="first")
    one = Exchange("e1-linked", request(method="GET", path="/v1/models/a%20b", kind=None), 404, step="linked")
    first, second = (replace(each, steps=("first", "linked")) for each in (listed, one))
    shown = of({"moves": [{"link": "ListedModel", "item": 0}]}, first, second)
    assert shown.asked == ("GET /v1/models", "GET /v1/models/a%20b")


def test_of_what_was_asked_several_times_one_is_shown_that_failed() -> None:
    twice = [*talk(104), *talk(204)]
    moves = {"body": {}, "moves": [{"move": "say"}]}
    assert of(moves, *twice, failed=("e204-turn-2",)).ids == "e204-turn-1, e204-turn-2"
    assert of(moves, *twice, failed=("e104-turn-2", "e204-turn-2")).ids == "e104-turn-1, e104-turn-2"
    assert of(moves, *talk(104, turns=1), *talk(204), failed=("e204-turn-2",)).ids == "e204-turn-1, e204-turn-2"
    assert len(of(moves, *twice, failed=("e204-turn-2",)).curl) == 2
    single = [Exchange(f"e{at}", request(chat_body()), 500) for at in (86, 87, 187)]
    assert of({"body": {}}, *single, failed=("e87",)).ids == "e87"
    again = replace(single[0], id="e86.2", attempt=2)
    assert of({"body": {}}, single[0], again, failed=("e86.2",)).ids == "e86.2"


def test_of_what_is_flaky_it_is_told_when_it_failed_and_when_not() -> None:
    single = [Exchange(f"e{at}", request(chat_body()), 500) for at in (86, 478)]
    one = of({"body": {}}, *single, flaky=True, failed=("e478",))
    assert (one.ids, one.noted) == ("e478", "flaky: not made smaller · it did not fail in e86")
    assert of({"body": {}}, *single, failed=("e478",)).noted == ""


@pytest.mark.parametrize(
    ("flaky", "short", "said"),
    [
        (None, Short.BUDGET, "not asked again, not made smaller: budget"),
        (None, Short.DEAR, "not asked again, not made smaller: a video is dear"),
        (False, Short.TRIES, "not smaller within 9 requests"),
        (False, Short.BUDGET, "not made smaller to the end: budget"),
        (False, None, ""),
    ],
)
def test_what_was_not_asked_to_the_end_is_told(flaky: bool | None, short: Short | None, said: str) -> None:
    one = of({"body": {}}, *talk(1), flaky=flaky, short=short)
    assert one.noted == said
    stored = of({"body": {}}, *talk(1), flaky=flaky, short=short, earlier=Earlier(1, (IDENTITY,)))
    assert stored.noted == " · ".join(filter(None, (said, "stored before")))


def test_every_reason_has_its_words() -> None:
    for flaky, words in ((None, "unknown"), (False, "short")):
        for short in Short:
            one = replace(of({"body": {}}, *talk(1)).found, flaky=flaky, short=short)
            told = doubt(one)
            assert told
            assert told[0] in {f"{words}.{short}", f"unknown.{short}"}
            assert all(f"generated.{told[0]}" in table for table in TEXTS.values())


def test_every_report_tells_it() -> None:
    run = small_run()
    assert run.footer
    must, name = Level.MUST, "fuzz.createChatCompletion.1"
    verdict = Verdict("chat.answered", must, Outcome.FAIL, name, ("e1",), (Finding("500"),))
    found = Found("chat.answered fuzz.createChatCompletion", must, "500", name, name, 0, {}, None, Short.BUDGET)
    footer = replace(run.footer, exit=1, generated=Generated(9, 1, 8, 0, (found,)))
    run = Run(run.header, run.exchanges, (*run.verdicts, verdict), footer)
    for render in (terminal.render, markdown.render, html.render, junit.render, sarif.render):
        assert "not asked again, not made smaller: budget" in " ".join(render(run, BOOK).split()), render
    assert '"short": "budget"' in json_out.render(run, BOOK)
    assert '"flaky": null' in json_out.render(run, BOOK)


MANY = (
    "1,600 of 1,635 generated probes asked, 35 left out by the budget; "
    "12 requests asked failures again and made them smaller"
)


def test_what_is_cut_short_on_a_terminal_names_the_exchange_that_has_it_whole() -> None:
    run = small_run()
    assert run.footer
    long = replace(run.exchanges[0], id="e104-turn-1", probe="fuzz.x.1", request=request(chat_body(user="x" * 900)))
    found = Found(IDENTITY, Level.MUST, "500", "fuzz.x.1", "fuzz.x.1", 0, {"data": {"body": {}}})
    footer = replace(run.footer, generated=Generated(1, 1, 0, 0, (found,)))
    shown = terminal.render(Run(run.header, (long,), (), footer), BOOK)
    assert "cut short: `relayproof report RUN --exchange e104-turn-1` tells it whole" in " ".join(shown.split())
    short = replace(long, request=request(chat_body()))
    assert "cut short" not in terminal.render(Run(run.header, (short,), (), footer), BOOK)


def test_what_became_of_all_is_told_with_its_reasons() -> None:
    assert [*told(Generated(635, 0, 635, 0, stopped="the relay could not be reached: no"))] == [
        "0 of 635 generated probes asked, 635 left out as nothing more was sent: the relay could not be reached: no"
    ]
    earlier = Earlier(5, ("a x",), ("b x",), {"c x": "no model is named for tools", "d x": "the budget left it out"})
    assert [*told(Generated(1635, 1600, 35, 12, (), ("e x",), earlier=earlier))] == [
        MANY,
        "asked first: 3 of 5 stored failures, 1 still failing",
        "1 stored left open: no model is named for tools",
        "1 stored left open: the budget left it out",
        "did not fail this time: b x",
        "mended: e x",
    ]
