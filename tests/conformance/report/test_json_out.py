"""One object for programs, the same bytes for the same run."""

import json
from dataclasses import replace

from conformance.report import json_out
from conformance.run import lines_of, read_run
from tests.conformance.report.made import BOOK, hostile_run, small_run

KEYS = ["relay", "document", "suite", "seed", "started", "finished", "exit", "outcomes", "spent", "rules", "verdicts"]


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
    }


def test_verdicts_are_the_records_of_the_run() -> None:
    run = small_run()
    assert json.loads(json_out.render(run, BOOK))["verdicts"] == [verdict.record() for verdict in run.verdicts]


def test_a_stored_run_gives_the_same_bytes() -> None:
    run = small_run()
    stored = read_run("".join(f"{line}\n" for line in lines_of(run)))
    assert json_out.render(stored, BOOK) == json_out.render(run, BOOK)


def test_a_run_that_did_not_end_has_nulls() -> None:
    record = json.loads(json_out.render(replace(small_run(), footer=None), BOOK))
    assert (record["exit"], record["finished"], record["spent"]) == (None, None, None)


def test_infinities_become_null() -> None:
    assert json.loads(json_out.render(hostile_run("x"), BOOK))["spent"] == {"x": None}
