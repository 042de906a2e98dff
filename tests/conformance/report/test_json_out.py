"""One object for programs, the same bytes for the same run."""

import json
from dataclasses import replace

from conformance.report import json_out
from conformance.rule import Outcome
from conformance.run import lines_of, read_run
from tests.conformance.report.made import BOOK, hostile_run, small_run

KEYS = ["relay", "document", "suite", "seed", "started", "finished", "exit", "outcomes", "spent"]
KEYS += ["known", "dialect", "notes", "rules", "verdicts"]


def test_members_are_those_that_programs_know() -> None:
    record = json.loads(json_out.render(small_run(), BOOK))
    assert list(record) == KEYS
    assert record["outcomes"]["MUST"] == {
        "broken": 0,
        "fail": 2,
        "pass": 2,
        "untestable": 1,
        "inconclusive": 1,
        "not-seen": 1,
        "skipped": 1,
    }
    assert record["rules"][2] == {
        "rule": "chat.stream.finish-once",
        "level": "MUST",
        "outcome": "fail",
        "law": BOOK["chat.stream.finish-once"].law,
        "cites": "RFC 9112 section 7.1",
        "probes": ["chat.n", "chat.stream"],
        "excuse": None,
    }


def test_verdicts_are_the_records_of_the_run() -> None:
    run = small_run()
    told = json.loads(json_out.render(run, BOOK))["verdicts"]
    assert [{**line, "identities": None} for line in told] == [
        {**verdict.record(), "identities": None} for verdict in run.verdicts
    ]


def test_failures_say_what_they_are_called_in_every_run() -> None:
    told = json.loads(json_out.render(small_run(), BOOK))["verdicts"]
    named = {line["rule"]: line["identities"] for line in told if "identities" in line}
    assert set(named) == {verdict.rule for verdict in small_run().verdicts if verdict.outcome is Outcome.FAIL}
    assert named["chat.stream.finish-once"] == ["chat.stream.finish-once chat.n"]


def test_a_stored_run_gives_the_same_bytes() -> None:
    run = small_run()
    stored = read_run("".join(f"{line}\n" for line in lines_of(run)))
    assert json_out.render(stored, BOOK) == json_out.render(run, BOOK)


def test_a_run_that_did_not_end_has_nulls() -> None:
    record = json.loads(json_out.render(replace(small_run(), footer=None), BOOK))
    assert (record["exit"], record["finished"], record["spent"]) == (None, None, None)


def test_infinities_become_null() -> None:
    assert json.loads(json_out.render(hostile_run("x"), BOOK))["spent"] == {"x": None}
