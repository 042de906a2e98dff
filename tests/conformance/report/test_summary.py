"""What every format says is derived once, and honestly."""

from dataclasses import replace

import pytest
from hypothesis import given

from conformance.report import markdown, terminal
from conformance.report.summary import summarise
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Run
from openapi.json_text import Json
from tests.conformance.report.made import BOOK, HEADER, ended, runs, small_run


def of(*outcomes: tuple[str, Outcome]) -> Run:
    verdicts = (Verdict(rule, BOOK[rule].level, outcome, "p", ()) for rule, outcome in outcomes)
    return Run(HEADER, (), tuple(verdicts))


def test_line_counts_what_was_decided_and_tells_the_rest_apart() -> None:
    line = summarise(small_run(), BOOK).line
    assert line == (
        "MUST 2/4 · SHOULD 1/2 · MAY 0/1 · 1 broken · 1 untestable · 1 inconclusive (1 MUST by the model alone)"
        " · 1 not-seen · 1 skipped"
    )


def test_nothing_verified_is_nothing_of_nothing() -> None:
    assert summarise(of(("sse.json", Outcome.INCONCLUSIVE)), BOOK).line == "MUST 0/0 · 1 inconclusive"


def test_one_failure_of_a_rule_outweighs_its_passes() -> None:
    run = of(("sse.json", Outcome.PASS), ("sse.json", Outcome.FAIL), ("sse.json", Outcome.PASS))
    assert summarise(run, BOOK).line == "MUST 0/1"


def test_results_stand_in_the_order_of_the_book_and_unknown_rules_behind() -> None:
    results = summarise(small_run(), BOOK).results
    assert [result.rule for result in results[:2]] == ["sse.json", "chat.answered"]
    assert (results[-1].rule, results[-1].law) == ("later.rule", "")


def test_rules_that_the_run_did_not_ask_are_named() -> None:
    assert summarise(small_run(), BOOK).unasked == ("video.sid",)


def test_a_run_without_a_footer_did_not_end() -> None:
    summary = summarise(replace(small_run(), footer=None), BOOK)
    assert (summary.exit, summary.meaning, summary.holds) == (
        None,
        "this run did not end; `relayproof judge RUN` judges what is in it",
        False,
    )


@pytest.mark.parametrize(
    ("run", "word", "holds"),
    [
        (ended(of(("sse.json", Outcome.PASS))), "Holds", True),
        (ended(of(("sse.json", Outcome.FAIL))), "Breaks a MUST", False),
        (ended(of(("sse.json", Outcome.FAIL)), 0), "Accepted, with failures", False),
        (ended(of(("errors.wrong-type", Outcome.PASS))), "Nothing verified", False),
        (ended(of(), 3), "Not reached", False),
        (ended(of(("sse.json", Outcome.PASS)), 77), "Unknown end", False),
    ],
)
def test_green_needs_a_verified_must_and_no_failure(run: Run, word: str, *, holds: bool) -> None:
    summary = summarise(run, BOOK)
    assert (summary.word, summary.holds) == (word, holds)


@given(runs)
def test_each_rule_is_counted_once(run: Run) -> None:
    summary = summarise(run, BOOK)
    rules = {verdict.rule for verdict in run.verdicts}
    assert summary.all.total == len(rules) == sum(summary.level(level).total for level in Level)
    assert sum(map(len, summary.chapters.values())) == len(rules)


@pytest.mark.parametrize(
    ("spent", "said"),
    [
        ({}, ""),
        ({"requests": "many"}, ""),
        (
            {"requests": 7, "prompt_tokens": 1200, "completion_tokens": 34},
            "spent: 7 requests, 1,234 tokens as reported",
        ),
        (
            {"requests": 1082, "prompt_tokens": 5, "completion_tokens": 6, "tokens_at_most": 5678},
            "spent: 1,082 requests, 11 tokens as reported (5,678 at most)",
        ),
        (
            {"requests": 1, "tokens_at_most": 9, "cost_at_most": 0.0012300, "currency": "EUR"},
            "spent: 1 requests, 0 tokens as reported (9 at most), 0.00123 EUR at most",
        ),
    ],
)
def test_what_was_spent_is_one_line_in_both_summaries(spent: dict[str, Json], said: str) -> None:
    run = small_run()
    assert run.footer
    run = replace(run, footer=replace(run.footer, spent=spent))
    assert summarise(run, BOOK).spent == said
    shown = " ".join(terminal.render(run, BOOK).split()), markdown.render(run, BOOK)
    assert [text.count("spent: ") for text in shown] == ([1, 1] if said else [0, 0])
    assert all(said in text for text in (shown[0], shown[1].replace("\\", "")))
