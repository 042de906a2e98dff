"""What a relay is said to have, against what it answers."""

from dataclasses import replace

import pytest

from conformance.judge import judge
from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange, Request
from tests.conformance.exchanges import (
    DONE,
    Case,
    answer,
    chapter,
    chat_body,
    each,
    fails,
    failure,
    finish,
    got,
    passes,
    request,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
)

ASKED: Request = request(chat_body(n=2))


def said(exchange: Exchange, **claims: bool) -> Exchange:
    return replace(exchange, claims=claims or {"n": True})


def unsaid(exchange: Exchange) -> Exchange:
    return said(exchange, n=False, stop=True)


def refused(status: int) -> Exchange:
    return got(status, failure("n is not supported"), to=ASKED)


KEPT, MORE = "claims.kept", "claims.more"
CASES = [
    passes("a whole answer", KEPT, said(got(200, answer(), to=ASKED))),
    passes("a stream", KEPT, said(stream(role(), text(), finish(), DONE, n=2))),
    fails("refused", KEPT, said(refused(400)), says="n: claimed and refused, the answer was 400: n is not supported"),
    fails("not found", KEPT, said(refused(404), n=True, stop=True), says="n, stop: claimed and refused"),
    fails("unprocessable", KEPT, said(refused(422))),
    *(undecided(f"{status}", KEPT, said(refused(status))) for status in (401, 402, 403, 408, 409, 429, 500, 503)),
    undecided("an error with 200", KEPT, said(got(200, failure(), to=ASKED))),
    undecided("an error in a stream", KEPT, said(stream(role(), failure(), DONE, n=2))),
    undecided("no answer", KEPT, said(got(None, to=ASKED))),
    silent("nothing is claimed", KEPT, got(400, failure(), to=ASKED)),
    silent("not claimed", KEPT, unsaid(refused(400))),
    silent("a request that is no legal one", KEPT, said(got(400, failure(), to=request({"model": "m"})))),
    fails("answered", MORE, unsaid(got(200, answer(), to=ASKED)), says="n: not claimed and not refused, the"),
    passes("refused", MORE, unsaid(refused(400))),
    undecided("too early", MORE, unsaid(refused(429))),
    undecided("an error with 200", MORE, unsaid(got(200, failure(), to=ASKED))),
    silent("claimed", MORE, said(got(200, answer(), to=ASKED))),
    silent("nothing is listed", MORE, got(200, answer(), to=ASKED)),
]


@each(CASES)
def test_claims(case: Case) -> None:
    case.check()


def test_each_rule_passes_fails_and_is_undecided() -> None:
    for outcome in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE):
        assert rules_of(CASES, outcome) == chapter("claims")


@pytest.mark.parametrize("exchange", [got(200, answer(), to=ASKED), refused(400)], ids=["answered", "refused"])
def test_what_is_not_claimed_is_judged_by_no_other_rule(exchange: Exchange) -> None:
    assert {verdict.rule for verdict in judge([unsaid(exchange)], BOOK)} == {MORE}
    assert {verdict.rule for verdict in judge([said(exchange)], BOOK)} > {KEPT, "chat.n"}
