"""A build is red exactly when `check` would have made it red."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import given, settings

from conformance.exit_code import exit_of
from conformance.report import junit
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Run
from tests.conformance.report.made import BOOK, HEADER, ended, runs, small_run


def case_of(level: Level, outcome: Outcome, *, mood: bool = False, strict: bool = False) -> ET.Element:
    verdict = Verdict("a.rule", level, outcome, "p", ("e1",), (), "a reason", mood)
    root = ET.fromstring(junit.render(ended(Run(HEADER, (), (verdict,))), {}, strict=strict))
    case = root.find("testsuite/testcase[@name='a.rule']")
    assert case is not None
    return case


@pytest.mark.parametrize(
    ("level", "outcome", "mood", "strict", "tag"),
    [
        (Level.MUST, Outcome.PASS, False, False, None),
        (Level.MUST, Outcome.FAIL, False, False, "failure"),
        (Level.SHOULD, Outcome.FAIL, False, False, "skipped"),
        (Level.SHOULD, Outcome.FAIL, False, True, "failure"),
        (Level.MAY, Outcome.FAIL, False, True, "skipped"),
        (Level.MAY, Outcome.BROKEN, False, False, "error"),
        (Level.MUST, Outcome.UNTESTABLE, False, False, "error"),
        (Level.SHOULD, Outcome.UNTESTABLE, False, False, "skipped"),
        (Level.MUST, Outcome.INCONCLUSIVE, False, False, "error"),
        (Level.MUST, Outcome.INCONCLUSIVE, True, False, "skipped"),
        (Level.MUST, Outcome.INCONCLUSIVE, True, True, "error"),
        (Level.MUST, Outcome.NOT_SEEN, False, False, "skipped"),
        (Level.MUST, Outcome.SKIPPED, False, False, "skipped"),
    ],
)
def test_what_an_outcome_becomes(level: Level, outcome: Outcome, tag: str | None, *, mood: bool, strict: bool) -> None:
    case = case_of(level, outcome, mood=mood, strict=strict)
    assert [element.tag for element in case if element.tag != "system-out"] == ([tag] if tag else [])


def test_a_should_that_failed_tells_its_story_without_a_failure() -> None:
    root = ET.fromstring(junit.render(small_run(), BOOK))
    case = root.find(".//testcase[@name='chat.stream.role-first']")
    assert case is not None
    assert (case[0].tag, case[0].text) == ("skipped", "SHOULD: choice 0: text before the role")
    assert "- choice 1: text before the role [chat.n: e1, at 30]" in (case.findtext("system-out") or "")


@pytest.mark.parametrize("code", [2, 3, 5])
def test_a_run_that_verified_nothing_is_not_green(code: int) -> None:
    root = ET.fromstring(junit.render(ended(Run(HEADER, (), ()), code), BOOK))
    assert (root.get("tests"), root.get("errors")) == ("1", "1")


def test_a_run_that_did_not_end_is_an_error() -> None:
    root = ET.fromstring(junit.render(replace(small_run(), footer=None), BOOK))
    error = root.find("testsuite[@name='run']/testcase/error")
    assert error is not None
    assert error.get("message") == "this run did not end; `relayproof judge RUN` judges what is in it"


@settings(max_examples=80)
@given(runs)
def test_red_is_what_the_exit_code_says(run: Run) -> None:
    for strict in (False, True):
        judged = ended(run, int(exit_of(run.verdicts, strict=strict)))
        root = ET.fromstring(junit.render(judged, BOOK, strict=strict))
        red = int(root.attrib["failures"]) + int(root.attrib["errors"])
        assert (red == 0) == (judged.footer is not None and judged.footer.exit == 0)


@settings(max_examples=40)
@given(runs)
def test_totals_add_up(run: Run) -> None:
    root = ET.fromstring(junit.render(run, BOOK))
    for name in ("tests", "failures", "errors"):
        assert int(root.attrib[name]) == sum(int(suite.attrib[name]) for suite in root.findall("testsuite"))
    assert int(root.attrib["tests"]) == len(root.findall(".//testcase"))
