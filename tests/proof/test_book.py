"""The book with its proof: what it lists, how much is covered, and that the page in the tree is the one it makes."""

import csv
import json
from pathlib import Path

import proof.book
from conformance.probes import PROBES
from conformance.rule import Level
from conformance.rules import BOOK
from conformance.rules.not_tested import NOT_TESTED
from mock_server.faults import FAULTS
from proof.book import Entry, chosen, coverage, entries, lines, markdown
from proof.peers import defects
from tests.system.command import relayproof_

ROOT = Path(proof.book.__file__).parent.parent
TABLE = ROOT / "proof" / "data" / "defects.tsv"
LATER = {"responses", "gemini", "images", "audio", "realtime", "videos"}  # surfaces that the document does not have yet
TOLERATED = {"tx-nonstream-524", "param-silently-ignored"}  # tolerances that break a MUST by what comes with them


def rows() -> list[dict[str, str]]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file, delimiter="\t"))


def test_the_page_is_what_the_command_prints() -> None:
    """`make docs` makes it anew."""
    assert (ROOT / "docs" / "rules.md").read_text(encoding="utf-8") == markdown()


def test_the_proof_that_reports_show_is_what_the_command_prints() -> None:
    """`make docs` makes it anew."""
    kept = json.loads((ROOT / "conformance" / "data" / "proof.json").read_text(encoding="utf-8"))
    assert kept == proof.book.proof()


def test_each_rule_stands_in_the_book_once_with_a_killer_and_a_probe() -> None:
    book = entries()
    assert sorted(entry.rule.id for entry in book) == sorted(BOOK)
    assert [entry.rule.id for entry in book if not entry.killers] == []
    assert [entry.rule.id for entry in book if not entry.probes] == []
    assert {name for entry in book for name in entry.killers} <= set(FAULTS)
    assert {name for entry in book for name in entry.probes} <= set(PROBES)


def test_what_is_not_tested_is_no_rule_and_says_why() -> None:
    ids = [row.id for row in NOT_TESTED]
    assert len(ids) == len(set(ids))
    assert set(ids) & set(BOOK) == set()
    assert [row.id for row in NOT_TESTED if not (row.law.endswith(".") and row.why.endswith(".") and row.cites)] == []
    assert {row.chapter for row in NOT_TESTED} <= {entry.rule.chapter for entry in entries()}


def test_coverage_is_what_is_tested_of_all() -> None:
    whole = coverage(entries())
    assert (whole.tested, whole.not_tested, whole.killed) == (len(BOOK), len(NOT_TESTED), len(BOOK))
    assert whole.rate == len(BOOK) / (len(BOOK) + len(NOT_TESTED))
    half = coverage(entries()[:20], NOT_TESTED[:20])
    assert half.text.endswith("50.0 % covered")


def test_a_rule_that_nothing_kills_is_told() -> None:
    rule = BOOK["transport.framing"]
    told = list(lines([Entry(rule, (), ())], ()))
    assert "    killed by: NOTHING" in told
    assert told[-1].startswith("1 laws are judged, 0 of them killed")


def test_a_chapter_is_chosen_with_what_is_not_tested_of_it() -> None:
    book, left_out = chosen("sse")
    assert {entry.rule.chapter for entry in book} == {"sse"}
    assert {row.chapter for row in left_out} == {"sse"}
    assert any("not tested" in line for line in lines(book, left_out))


# --- the table of defects -------------------------------------------------------------------------------------------


def test_each_known_defect_is_a_fault_or_a_row_that_says_why_not_or_of_a_later_surface() -> None:
    left_out = {row.id for row in NOT_TESTED}
    for row in rows():
        kind, _, name = row["by"].partition(":")
        match kind:
            case "not":
                assert name in left_out, row
            case "later":
                assert name in LATER, row
            case _:
                assert [one for one in row["by"].split() if one not in FAULTS] == [], row


def test_the_weight_of_a_defect_is_the_level_of_a_rule_that_its_fault_breaks() -> None:
    """High and critical violations break a MUST, others a SHOULD at least; tolerances no MUST by themselves."""
    wrong = []
    for row in rows():
        faults = [FAULTS[name] for name in row["by"].split() if name in FAULTS]
        levels = {BOOK[rule].level for fault in faults for rule in fault.breaks}
        if not faults or row["defect"] in TOLERATED:
            continue
        if row["level"] == "violation":
            high = row["severity"] in {"high", "critical"}
            wanted = {Level.MUST} if high else {Level.MUST, Level.SHOULD}
            wrong += [] if levels & wanted else [row["defect"]]
        elif row["by"] == row["defect"]:
            wrong += [] if Level.MUST not in levels else [row["defect"]]
    assert wrong == []


def test_defects_are_listed_once() -> None:
    names = [row["defect"] for row in rows()]
    assert len(names) == len(set(names)) > 150


# --- peers ----------------------------------------------------------------------------------------------------------


def test_the_defects_of_the_comparison_are_faults_with_a_mark_for_each_suite() -> None:
    others, listed = defects()
    assert (len(others), len(listed)) == (8, 34)
    assert [row.text for row in listed if row.fault not in FAULTS or FAULTS[row.fault].honest] == []
    assert {mark for row in listed for mark in row.marks} == {"x", "!x", "."}
    assert {len(row.marks) for row in listed} == {8}
    found = {name: sum(row.marks[at] != "." for row in listed) for at, name in enumerate(others)}
    assert found["schemathesis"] == 16
    assert found["modelproof"] == 2


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_book_as_json_has_the_coverage() -> None:
    told = json.loads(relayproof_("rules", "--json").out)
    assert told["coverage"]["tested"] == len(told["rules"]) == len(BOOK)
    assert {"id", "level", "law", "cites", "on", "over", "killed_by", "probes"} == told["rules"][0].keys()
    assert len(told["not_tested"]) == len(NOT_TESTED)


def test_the_book_as_a_page() -> None:
    assert relayproof_("rules", "--markdown").out == markdown()
