"""A failure is a result at the line of its law; what passed or is open never is one."""

import json
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings

from conformance.report import sarif
from conformance.report.summary import summarise
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK as RULES
from conformance.run import Run
from openapi import source
from tests.conformance.report.made import BOOK, HEADER, ended, known_run, runs, small_run


def log_of(run: Run, laws: Any = BOOK) -> dict[str, Any]:
    (only,) = json.loads(sarif.render(run, laws))["runs"]
    assert isinstance(only, dict)
    return only


def failing(*verdicts: Verdict) -> Run:
    return ended(Run(HEADER, (), verdicts))


def verdict(rule: str, *found: Finding, probe: str = "chat.n-stream") -> Verdict:
    return Verdict(rule, RULES[rule].level, Outcome.FAIL, probe, ("e1",), found)


def test_a_result_stands_at_the_line_of_the_law_that_its_rule_cites() -> None:
    (result,) = log_of(failing(verdict("chat.n", Finding("two choices, not three", 4))), RULES)["results"]
    (location,) = result["locations"]
    where = location["physicalLocation"]
    line = (
        (source.FOLDER.parent / where["artifactLocation"]["uri"])
        .read_text(encoding="utf-8")
        .splitlines()[where["region"]["startLine"] - 1]
    )
    assert line.strip() == "n:"
    assert (result["ruleId"], result["level"]) == ("chat.n", "error")
    assert result["message"]["text"] == "two choices, not three"
    assert result["properties"] == {"probe": "chat.n-stream", "exchanges": ["e1"], "at": 4}


def test_a_rule_that_cites_something_else_stands_at_the_operation_that_was_asked() -> None:
    (result,) = (one for one in log_of(small_run())["results"] if one["ruleId"] == "chat.stream.role-first")
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "openapi/paths/chat-completions.yaml"


def test_each_place_is_one_result_with_a_fingerprint_that_stays() -> None:
    found = [Finding("1", 3, "/a"), Finding("2", 9, "/a"), Finding("3", 1, "/b")]
    first, again = (log_of(failing(verdict("chat.n", *some)), RULES)["results"] for some in (found, found[1:]))
    assert [one["message"]["text"] for one in first] == ["1 (+1 more at this place)", "3"]
    marks = [[one["partialFingerprints"]["identity/v1"] for one in results] for results in (first, again)]
    assert marks[0] == marks[1]
    assert len(set(marks[0])) == 2


def test_what_is_excused_is_suppressed_and_says_by_what() -> None:
    results = log_of(known_run())["results"]
    excused = {one["ruleId"]: one["suppressions"] for one in results if "suppressions" in one}
    assert excused["errors.no-key"][0]["justification"].startswith("dialect: ")
    assert not any("suppressions" in one for one in log_of(small_run())["results"])


def test_what_is_broken_or_open_is_told_beside_the_results() -> None:
    run = ended(
        Run(
            HEADER,
            (),
            (
                Verdict("usage.sum", Level.MUST, Outcome.BROKEN, "p", ("e1",), (), "the check raised KeyError"),
                Verdict("video.link", Level.MUST, Outcome.UNTESTABLE, "p", (), (), "no model"),
            ),
        )
    )
    log = log_of(run)
    assert log["results"] == []
    (invocation,) = log["invocations"]
    assert not invocation["executionSuccessful"]
    assert [(one["level"], one["associatedRule"]["id"]) for one in invocation["toolExecutionNotifications"]] == [
        ("error", "usage.sum"),
        ("note", "video.link"),
    ]


@settings(max_examples=40, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_the_rules_with_results_are_those_that_failed(run: Run) -> None:
    log, summary = log_of(run), summarise(run, BOOK)
    rules = log["tool"]["driver"]["rules"]
    assert {one["ruleIndex"] for one in log["results"]} == {
        number for number, one in enumerate(summary.results) if one.outcome is Outcome.FAIL
    }
    assert all(rules[one["ruleIndex"]]["id"] == one["ruleId"] for one in log["results"])


def test_every_file_that_a_location_names_is_there() -> None:
    places = {
        one["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] for one in log_of(small_run())["results"]
    }
    assert places
    assert all((source.FOLDER.parent / Path(place)).is_file() for place in places)
