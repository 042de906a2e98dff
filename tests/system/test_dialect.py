"""`--dialect new-api` excuses the habits of the family and nothing else: each habit as a fault, over a socket."""

from datetime import date

import pytest

from conformance.dialect import read_dialect
from conformance.known import Known
from conformance.rule import Level, Outcome
from tests.system.relays import judged

NEW_API = Known(dialects=(read_dialect("new-api"),), today=date(2026, 11, 22))
# The fault that is the habit, and the probes of it that are none: what sora2api does is its habit in videos alone.
HABITS = {
    "ND-500-VALIDATION": "error-missing-messages-500",
    "ND-503-MODEL": "unknown-model-503",
    "ND-404-METHOD": "method-404",
    "ND-NO-WWW-AUTH": "error-401-no-www-authenticate",
    "ND-200-ERROR-MODEL": "models-unknown-200-error",
    "ND-CORS-STAR": "cors-headers-star",
    "ND-USAGE-UNASKED": "chat-stream-usage-unrequested",
    "ND-DONE-AFTER-TRUNC": "chat-stream-finish-never-sent",
    "ND-TOOL-INDEX-OFFSET": "tool-index-from-one",
    "ND-STOP-UPPER": "video-finish-upper-case",
    "ND-ERROR-RELAXED": "error-code-is-number",
}
IN_VIDEOS_ALONE = {"ND-ID-CHANGES": "chat-stream-id-changes", "ND-LITERAL-BACKSLASH-DONE": "sse-done-literal-backslash"}
WITHOUT_A_FAULT = {"ND-USAGE-EVERY-CHUNK", "ND-429-EMPTY"}  # shown in tests/conformance/test_dialect.py


def failed(fault: str) -> list[tuple[str, str, str | None]]:
    """Rule, probe and excuse of each failure that weighs."""
    run = judged("--speed", "max", "--fault", fault, known=NEW_API)
    assert run.footer
    assert run.footer.dialect == "new-api"
    found = [one for one in run.verdicts if one.outcome is Outcome.FAIL]
    weighty = [one for one in found if one.level is not Level.MAY or one.dialect is not None]
    must = any(one.level is Level.MUST and not one.excused for one in weighty)
    assert (run.footer.exit == 1) == must
    return [(one.rule, one.probe or "", one.dialect) for one in weighty]


def test_each_habit_has_its_fault_or_says_why_not() -> None:
    labels = {habit.label for habit in NEW_API.dialects[0].habits}
    assert labels == {*HABITS, *IN_VIDEOS_ALONE, *WITHOUT_A_FAULT}


@pytest.mark.parametrize(("label", "fault"), HABITS.items(), ids=HABITS)
def test_a_fault_that_is_a_habit_is_excused_by_its_label(label: str, fault: str) -> None:
    told = failed(fault)
    assert told
    assert {(dialect or "").partition(":")[0] for _, _, dialect in told} == {label}, told


@pytest.mark.parametrize(("label", "fault"), IN_VIDEOS_ALONE.items(), ids=IN_VIDEOS_ALONE)
def test_a_habit_of_videos_is_none_elsewhere(label: str, fault: str) -> None:
    told = failed(fault)
    videos = {(dialect or "").partition(":")[0] for _, probe, dialect in told if probe.startswith("video.")}
    others = {dialect for _, probe, dialect in told if not probe.startswith("video.")}
    assert (videos, others) == ({label}, {None})


@pytest.mark.parametrize("fault", ["tool-index-missing", "error-members-missing", "error-html", "chat-stream-id-empty"])
def test_a_fault_that_is_no_habit_still_fails(fault: str) -> None:
    told = failed(fault)
    assert {dialect for _, _, dialect in told} == {None}
