"""What of one rule is shown: the failing relay first, its smallest request first, what is alike told once."""

from dataclasses import replace

from conformance.report.columns import letters
from conformance.report.comparison import compare
from conformance.report.drawers import Drawer
from conformance.report.page import Page, page, slug
from conformance.report.proof import Proof, proof
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK as RULES
from conformance.run import Run
from openapi.wire.exchange import Auth, Exchange, Request
from tests.conformance.report.made import BOOK, HEADER, ended, known_run, recorded, several_runs, small_run

WHOLE = recorded("litellm/chat-basic", "e1", "chat.whole")


def of(*runs: Run) -> Page:
    return page(compare(runs, BOOK), Proof())


def drawer(told: Page, rule: str) -> Drawer:
    return next(one for _, group in told.groups for one in group if one.row.rule == rule)


def asked(id: str, size: int) -> Exchange:  # noqa: A002
    return replace(WHOLE, id=id, request=Request("POST", "/v1/chat/completions", (), Auth.VALID, b" " * size))


def test_rules_stand_by_the_gravest_thing_that_a_relay_shows() -> None:
    groups = {name: [one.row.rule for one in group] for name, group in of(*several_runs()).groups}
    assert groups == {
        "broken": ["later.rule"],
        "MUST": ["chat.stream.finish-once", "errors.no-key"],
        "SHOULD": ["chat.stream.role-first"],
        "MAY": ["transport.request-id"],
        "open": ["tools.called", "tools.index", "usage.sum"],
        "pass": ["sse.json", "chat.answered", "errors.wrong-type"],
        "unclaimed": ["video.link", "video.sid"],
    }


def test_a_relay_that_could_not_be_reached_spoils_nothing() -> None:
    small, _, dead = several_runs()
    alone = {one.row.rule: name for name, group in of(small).groups for one in group}
    beside = {one.row.rule: name for name, group in of(small, dead).groups for one in group}
    assert {rule: beside[rule] for rule in alone} == alone


def test_known_failures_stand_apart() -> None:
    told = of(known_run())
    assert drawer(told, "errors.no-key").group == "known"
    assert drawer(told, "tools.index").group == "MUST"


def test_the_smallest_request_that_shows_a_failure_comes_first() -> None:
    exchanges = (asked("e1", 900), asked("e2", 20), asked("e3", 300))
    verdicts = tuple(
        Verdict("usage.sum", Level.MUST, Outcome.FAIL, f"p{n}", (f"e{n}",), (Finding(f"found {n}"),)) for n in (1, 2, 3)
    )
    (failed,) = drawer(of(ended(Run(HEADER, exchanges, verdicts))), "usage.sum").failed
    assert [one.exchange.id for one in failed.slots] == ["e2", "e3", "e1"]
    assert [one.text for one in failed.findings] == ["found 2", "found 3", "found 1"]


def test_of_what_a_probe_found_at_one_place_the_first_is_shown_and_the_rest_counted() -> None:
    found = tuple(Finding(f"chunk {n}", n, "/choices/*/index") for n in range(9))
    verdict = Verdict("usage.sum", Level.MUST, Outcome.FAIL, "p", ("e1",), (*found, Finding("elsewhere", 3, "/id")))
    (failed,) = drawer(of(ended(Run(HEADER, (WHOLE,), (verdict,)))), "usage.sum").failed
    assert [one.text for one in failed.findings] == ["chunk 0", "elsewhere"]
    assert failed.findings_left == 8


def test_relays_in_one_state_for_one_reason_are_told_together() -> None:
    small, other, dead = several_runs()
    told = drawer(of(small, other, dead), "usage.sum")
    assert {one.word for one in told.others} == {"untestable"}
    assert [[at.number for at in one.at] for one in told.others] == [[0, 1], [2]]
    assert told.said == (0, "the budget ran out")


def test_every_rule_of_the_book_is_proven_by_a_fault_with_a_sentence() -> None:
    kept = proof()
    assert set(kept.rules) == set(RULES)
    assert all(text for rule in RULES for _, text in kept.of(rule))
    assert (kept.judged, kept.killed) == (len(RULES), len(RULES))
    assert kept.of("no.such-rule") == ()


def test_anchors_of_a_page_are_its_own() -> None:
    told = of(small_run())
    anchors = [one.anchor for _, group in told.groups for one in group] + [one.anchor for _, one in told.exchanges]
    assert len(set(anchors)) == len(anchors)
    assert slug("rules", 3) == "rule-3"  # a section of the page has that name
    assert told.anchor("nothing") == "rules"


def test_runs_of_one_relay_are_told_as_such_and_their_difference_first() -> None:
    small = small_run()
    mended = replace(small, verdicts=tuple(one for one in small.verdicts if one.outcome is not Outcome.FAIL))
    told = of(small, small, mended)
    assert told.one_relay
    assert told.changed is not None
    assert {row.rule for _, row in told.changes} == {"chat.stream.finish-once"}
    assert not of(*several_runs()).one_relay
    assert of(*several_runs()).changed is None


def test_letters_go_on_behind_z() -> None:
    assert [letters(number) for number in (0, 25, 26, 27, 51, 52)] == ["A", "Z", "AA", "AB", "AZ", "BA"]
