"""Every rule is proven able to fail, and nobody honest fails: faults over a real socket, judged by the real suite."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.rule import Level, Outcome
from conformance.rules import BOOK
from conformance.run import Run, outcome_of
from mock_server.faults import FAULTS, Fault
from mock_server.library import RECORDINGS
from openapi.wire.exchange import Read
from openapi.wire.jsonl import read_recording, write_recording
from tests.system.relays import judged

RULES = BOOK
# Its silence is longer than a minute, and it has a test of its own.
SLOW = {"video-silent-gap"}
QUICK = [fault for fault in FAULTS.values() if fault.id not in SLOW]


def failed(run: Run) -> set[str]:
    return {name for name, verdicts in run.by_rule().items() if outcome_of(verdicts) is Outcome.FAIL}


def broken(run: Run) -> set[str]:
    return {verdict.rule for verdict in run.verdicts if verdict.outcome is Outcome.BROKEN}


def test_each_rule_is_named_by_a_fault() -> None:
    named = {name for fault in FAULTS.values() for name in fault.breaks}
    assert set(RULES) - named == set()
    assert named - set(RULES) == set()


def test_a_fault_that_is_not_honest_names_a_rule() -> None:
    assert [fault.id for fault in FAULTS.values() if bool(fault.breaks) == fault.honest] == []


@pytest.mark.parametrize("fault", QUICK, ids=[fault.id for fault in QUICK])
def test_a_fault_breaks_the_rules_that_it_names_and_no_other(fault: Fault) -> None:
    run = judged("--speed", "max", "--fault", fault.id)
    assert broken(run) == set()
    told = {name for name in failed(run) if RULES[name].level is not Level.MAY or name in fault.breaks}
    assert told == set(fault.breaks)
    must = any(RULES[name].level is Level.MUST for name in fault.breaks)
    assert run.footer
    assert (run.footer.exit == 1) == must


@pytest.mark.waits
def test_a_silence_of_a_minute_is_told(tmp_path: Path) -> None:
    """`video-silent-gap` is silent for 65 s, which `--speed` would shrink: so the recording is a quick one."""
    source = RECORDINGS / "authored" / "seq-1-create-video.jsonl"
    recording = read_recording(source.read_text(encoding="utf-8"), "quick")
    slow = recording.exchange
    reads = tuple(Read(read.at / 200, read.data) for read in slow.reads)
    quick = replace(recording, exchange=replace(slow, reads=reads, ended_at=slow.ended_at / 200))
    (tmp_path / "quick.jsonl").write_text(write_recording(quick), encoding="utf-8")
    only = ["video.create"]
    assert failed(judged("--recordings", str(tmp_path), only=only)) == set()
    run = judged("--recordings", str(tmp_path), "--fault", "video-silent-gap", only=only, idle=90.0)
    assert failed(run) == {"video.gap"}


def test_the_good_mock_draws_no_finding_and_every_must_is_verified() -> None:
    run = judged("--speed", "max")
    outcomes = {name: outcome_of(verdicts) for name, verdicts in run.by_rule().items()}
    assert {name for name, outcome in outcomes.items() if outcome is Outcome.FAIL} == set()
    must = {name for name, rule in RULES.items() if rule.level is Level.MUST}
    assert {name: outcomes.get(name) for name in must if outcomes.get(name) is not Outcome.PASS} == {}
    assert run.footer
    assert run.footer.exit == 0
