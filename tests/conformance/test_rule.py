"""What a rule is made of, and the catalogue."""

import re
from collections.abc import Iterator

import pytest

from conformance import rule as rules
from conformance.rule import (
    ANYTHING,
    CatalogueError,
    Finding,
    Inconclusive,
    Level,
    NotSeen,
    Outcome,
    Remark,
    Verdict,
    findings,
    on,
    rule,
    worst,
)
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import got, whole


@on("a 200")
def good(exchange: Exchange) -> bool:
    return exchange.status == 200


def test_predicates_have_names_and_join() -> None:
    both, either, neither = good & ANYTHING, good | ANYTHING, ~good
    assert (both.name, either.name, neither.name) == ("a 200, any answer", "a 200 or any answer", "not a 200")
    assert both.holds(whole())
    assert either.holds(got(500))
    assert neither.holds(got(500))
    assert not (~ANYTHING | neither).holds(whole())


def test_an_id_declared_twice_is_refused() -> None:
    with pytest.raises(CatalogueError, match=r"'sse\.json' is declared twice"):
        rule(BOOK["sse.json"].id, Level.MUST, cites="x", on=ANYTHING)(_law)


def test_a_rule_without_a_law_is_refused() -> None:
    def lawless(_: Exchange) -> Iterator[Remark]:
        return iter(())

    with pytest.raises(CatalogueError, match="no docstring"):
        rule("test.lawless", Level.MUST, cites="x", on=ANYTHING)(lawless)
    assert "test.lawless" not in BOOK


def _law(_: Exchange) -> Iterator[Remark]:
    """A law
    on two lines."""
    return iter(())


def test_a_declared_rule_has_its_law_and_chapter() -> None:
    book: dict[str, rules.Rule] = {}
    with rules.declaring_into(book):
        rule("test.law.two", Level.MAY, cites="RFC 0", on=good)(_law)
    assert "test.law.two" not in BOOK
    found = book["test.law.two"]
    assert (found.law, found.chapter, found.level, found.silence) == ("A law on two lines.", "test", Level.MAY, False)


@pytest.mark.parametrize("found", BOOK.values(), ids=lambda found: found.id)
def test_each_rule_says_its_law_in_a_sentence(found: rules.Rule) -> None:
    assert found.law.endswith(".")
    member = re.match(r"`|[a-z_]+[ /,]|\[DONE\]|[a-z]+(_[a-z]+)+", found.law)  # a sentence may begin with a member
    assert found.law[0].isupper() or member
    assert found.cites
    assert found.id == found.id.lower()


def test_the_worst_outcome_counts_and_a_pass_counts_over_what_was_left_open() -> None:
    assert worst([Outcome.PASS, Outcome.FAIL]) is Outcome.FAIL
    assert worst([Outcome.FAIL, Outcome.BROKEN]) is Outcome.BROKEN
    assert worst([Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.NOT_SEEN]) is Outcome.PASS
    assert worst([Outcome.SKIPPED, Outcome.UNTESTABLE]) is Outcome.UNTESTABLE


def test_findings_are_told_from_other_remarks() -> None:
    assert [*findings([Inconclusive("x"), Finding("y", 1), NotSeen("z")])] == [Finding("y", 1)]


def test_the_record_of_a_verdict_leaves_out_what_it_does_not_say() -> None:
    bare = Verdict("a.b", Level.MUST, Outcome.PASS, None, ("e1",))
    assert bare.record() == {
        "rule": "a.b",
        "level": "MUST",
        "outcome": "pass",
        "probe": None,
        "exchanges": ["e1"],
        "findings": [],
    }
    full = Verdict("a.b", Level.MUST, Outcome.FAIL, "p", ("e1",), (Finding("x"), Finding("y", 0)), "why", mood=True)
    assert full.record()["findings"] == [{"text": "x"}, {"text": "y", "at": 0}]
    assert (full.record()["reason"], full.record()["mood"]) == ("why", True)
