"""What is known of a relay excuses what it names, for as long as it says, and tells when it is no longer right."""

import tomllib
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from conformance.baseline import Waiver, failures, parse_baseline, written
from conformance.dialect import read_dialect
from conformance.exit_code import Exit, exit_of
from conformance.judge import MAX_FINDINGS, judge
from conformance.known import Known
from conformance.offline import rejudge
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Header, Run, Stale, lines_of
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import DONE, counted, failure, finish, got, request, role, stream, text
from tests.conftest import name_of, recordings

TODAY = date(2026, 11, 22)
HABIT = read_dialect("new-api")


def verdict(
    outcome: Outcome = Outcome.FAIL, rule: str = "usage.sum", probe: str | None = "chat.n", *places: str
) -> Verdict:
    found = tuple(Finding("x", 1, place) for place in places or ("",)) if outcome is Outcome.FAIL else ()
    return Verdict(rule, Level.MUST, outcome, probe, ("e1",), found)


def waiver(rule: str = "usage.sum", where: str | None = None, days: int | None = None) -> Waiver:
    return Waiver(rule, where, "known", "ops", None if days is None else TODAY + timedelta(days))


def waived(found: Verdict, *waivers: Waiver) -> str | None:
    (judged,) = Known(waivers, today=TODAY).over([found])
    assert replace(judged, waived=None) == found
    return judged.waived


def told(waivers: list[Waiver], verdicts: list[Verdict], *, whole: bool = True) -> list[tuple[Stale, str]]:
    known = Known(tuple(waivers), today=TODAY)
    return [(note.kind, note.waiver) for note in known.notes(known.over(verdicts), whole=whole)]


# --- what is excused ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "named",
    [
        waiver(),
        waiver("usage.*"),
        waiver("**"),
        waiver(where="chat.n"),
        waiver(where="chat.*"),
        waiver(where="/usage"),
        waiver(where="chat.n /usage"),
        waiver(where="* /us*"),
        waiver(days=0),
        waiver(days=1000),
    ],
    ids=lambda one: one.name,
)
def test_a_waiver_excuses_what_it_names(named: Waiver) -> None:
    assert waived(verdict(Outcome.FAIL, "usage.sum", "chat.n", "/usage"), named) == named.label


@pytest.mark.parametrize(
    "named",
    [
        waiver("usage.summ"),
        waiver("usage"),
        waiver(where="chat.stream"),
        waiver(where="/usag"),
        waiver(where="chat.stream /usage"),
        waiver(days=-1),
    ],
    ids=lambda one: one.name,
)
def test_and_nothing_else(named: Waiver) -> None:
    assert waived(verdict(Outcome.FAIL, "usage.sum", "chat.n", "/usage"), named) is None


def test_a_finding_at_another_place_is_not_excused_with_it() -> None:
    both = verdict(Outcome.FAIL, "usage.sum", "chat.n", "/usage", "/id")
    one, other = waiver(where="/usage"), replace(waiver(where="/id"), reason="too")
    assert waived(both, one) is None
    assert waived(both, one, other) == f"{one.label}; {other.label}"


def test_findings_that_were_left_out_are_excused_with_those_of_their_place() -> None:
    found = (*(Finding("x", at, "/usage") for at in range(MAX_FINDINGS)), Finding("and 9 more of the same rule"))
    many = replace(verdict(), findings=found)
    assert waived(many, waiver(where="/usage"))
    elsewhere = replace(many, findings=(*found[:-1], Finding("and 9 more of the same rule, at other places too")))
    assert waived(elsewhere, waiver(where="/usage")) is None
    assert waived(elsewhere, waiver(where="chat.n"))


def test_a_failure_without_a_finding_can_be_waived() -> None:
    assert waived(replace(verdict(), findings=()), waiver())


@pytest.mark.parametrize("outcome", [outcome for outcome in Outcome if outcome is not Outcome.FAIL])
def test_only_a_failure_is_excused(outcome: Outcome) -> None:
    assert waived(verdict(outcome), waiver()) is None


def test_an_excused_failure_stays_a_failure_and_decides_nothing() -> None:
    passed = verdict(Outcome.PASS, "sse.json")
    (judged, _) = known = Known((waiver(),), today=TODAY).over([verdict(), passed])
    assert judged.outcome is Outcome.FAIL
    assert exit_of([verdict(), passed]) is Exit.VIOLATED
    assert exit_of(known) is exit_of(known, strict=True) is Exit.VERIFIED


def test_a_habit_goes_before_a_waiver_and_both_may_share_a_failure() -> None:
    found = (Finding("expected 404, the answer was 503: no"), Finding("expected 404, the answer was 500: no"))
    both = Verdict("errors.unknown-model-404", Level.SHOULD, Outcome.FAIL, "p", ("e1",), found)
    named = waiver("errors.*")
    (judged,) = Known((named,), (HABIT,), TODAY).over([both])
    assert judged.dialect
    assert judged.dialect.startswith("ND-503-MODEL: ")
    assert judged.waived == named.label
    (judged,) = Known((named,), (HABIT,), TODAY).over([replace(both, findings=found[:1])])
    assert (judged.dialect is None, judged.waived) == (False, None)
    assert Known((), (HABIT,), TODAY).over([both]) == [both]


# --- what is said of the baseline -----------------------------------------------------------------------------------

FAILED, PASSED = verdict(), verdict(Outcome.PASS)
OPEN = [outcome for outcome in Outcome if outcome not in {Outcome.FAIL, Outcome.PASS}]


def test_a_waiver_that_is_needed_draws_no_note() -> None:
    assert told([waiver()], [FAILED, PASSED]) == []
    assert told([waiver(days=15)], [FAILED]) == []


def test_what_expired_is_told_and_excuses_nothing() -> None:
    assert told([waiver(days=-1)], [FAILED]) == [(Stale.EXPIRED, "usage.sum")]
    assert told([waiver(days=-1)], [], whole=False) == [(Stale.EXPIRED, "usage.sum")]


@pytest.mark.parametrize(("days", "left"), [(0, 0), (5, 5), (14, 14)])
def test_what_expires_soon_is_told_with_the_days_that_are_left(days: int, left: int) -> None:
    (note,) = Known((waiver(days=days),), today=TODAY).notes([FAILED], whole=True)
    assert (note.kind, note.days, note.stale) == (Stale.EXPIRES_SOON, left, False)


def test_a_rule_that_was_verified_everywhere_passes_unexpectedly() -> None:
    assert told([waiver()], [PASSED, PASSED]) == [(Stale.UNEXPECTED_PASS, "usage.sum")]
    assert told([waiver(where="chat.n")], [PASSED, verdict(Outcome.FAIL, "usage.sum", "chat.stream")]) == [
        (Stale.UNEXPECTED_PASS, "usage.sum chat.n")
    ]
    assert told([waiver(where="/usage", days=3)], [PASSED]) == [(Stale.UNEXPECTED_PASS, "usage.sum /usage")]


@pytest.mark.parametrize("outcome", OPEN)
def test_what_was_left_open_draws_no_note(outcome: Outcome) -> None:
    assert told([waiver()], [PASSED, verdict(outcome)]) == []
    assert told([waiver()], [verdict(outcome, probe=None)]) == []


def test_a_waiver_that_names_nothing_is_unused() -> None:
    assert told([waiver("usage.summ")], [FAILED]) == [(Stale.UNUSED, "usage.summ")]
    assert told([waiver(where="/id")], [verdict(Outcome.FAIL, "usage.sum", "chat.n", "/usage")]) == [
        (Stale.UNUSED, "usage.sum /id")
    ]


def test_a_run_of_a_part_does_not_tell_what_is_no_longer_needed() -> None:
    assert told([waiver(), waiver("usage.summ")], [PASSED], whole=False) == []


def test_a_waiver_that_a_habit_makes_needless_today_is_used_all_the_same() -> None:
    one = Verdict("errors.unknown-model-404", Level.SHOULD, Outcome.FAIL, "p", ("e1",), (
        Finding("expected 404, the answer was 503: no"),
    ))  # fmt: skip
    known = Known((waiver("errors.unknown-model-404"),), (HABIT,), TODAY)
    assert known.notes(known.over([one]), whole=True) == ()


def test_a_stale_baseline_is_wrong_use_where_it_is_strict_and_nothing_is_worse() -> None:
    assert exit_of([PASSED], stale=True) is Exit.VERIFIED
    assert exit_of([PASSED], strict=True, stale=True) is Exit.MISUSED
    assert exit_of([FAILED], strict=True, stale=True) is Exit.VIOLATED
    assert exit_of([PASSED], strict=True, stale=True, cut=True) is Exit.UNVERIFIED
    assert exit_of([verdict(Outcome.BROKEN)], strict=True, stale=True) is Exit.OUR_FAULT


# --- offline --------------------------------------------------------------------------------------------------------

HEADER = Header({"name": "m"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z")
GOOD = replace(stream(role(), text(), finish(), DONE), probe="chat.stream")
UNASKED = replace(stream(role(), text(), finish(), counted(), DONE), probe="chat.stream")


def stored(exchange: Exchange, **plan: object) -> str:
    first = rejudge("".join(f"{line}\n" for line in lines_of(Run(HEADER, (exchange,), ()))), "x")
    run = replace(first, header=replace(HEADER, plan=dict(plan)))  # type: ignore[arg-type]
    assert run.footer
    return "".join(f"{line}\n" for line in lines_of(replace(run, footer=replace(run.footer, note=None))))


def test_a_run_is_judged_again_with_what_is_known() -> None:
    known = Known((waiver("sse.json"), waiver("chat.stream.usage-unasked", days=2)), (HABIT,), TODAY)
    again = rejudge(stored(UNASKED), "x", known=known)
    (found,) = (one for one in again.verdicts if one.rule == "chat.stream.usage-unasked")
    assert found.dialect
    assert again.footer
    assert again.footer.dialect == "new-api"
    assert [note.kind for note in again.footer.notes] == [Stale.UNEXPECTED_PASS, Stale.EXPIRES_SOON]
    assert rejudge("".join(f"{line}\n" for line in lines_of(again)), "x", known=known).footer == again.footer


def test_excuses_of_a_stored_run_are_forgotten_by_a_strict_judge() -> None:
    again = rejudge(stored(UNASKED), "x", known=Known((), (HABIT,), TODAY))
    strict = rejudge("".join(f"{line}\n" for line in lines_of(again)), "x", strict=True)
    assert {one.excused for one in strict.verdicts} == {False}
    assert strict.footer
    assert strict.footer.exit == Exit.VIOLATED


@pytest.mark.parametrize("confined", [True, False])
def test_a_confined_run_and_a_recording_do_not_tell_what_is_not_needed(*, confined: bool) -> None:
    known = Known((waiver("sse.json"),), today=TODAY)
    again = rejudge(stored(GOOD, only=["sse"]) if confined else stored(GOOD), "x", strict=True, known=known)
    assert again.footer
    assert [note.kind for note in again.footer.notes] == ([] if confined else [Stale.UNEXPECTED_PASS])
    path = next(path for path in recordings() if name_of(path) == "litellm/chat-stream")
    one = rejudge(path.read_text(encoding="utf-8"), "x", known=known)
    assert one.footer
    assert one.footer.notes == ()


def test_a_run_that_did_not_end_is_unverified_whatever_its_baseline() -> None:
    cut = "".join(f"{line}\n" for line in lines_of(Run(HEADER, (GOOD,), ())))
    again = rejudge(cut, "x", strict=True, known=Known((waiver("sse.json", days=-1),), today=TODAY))
    assert again.footer
    assert again.footer.exit in {Exit.UNVERIFIED, Exit.VIOLATED}


def test_the_baseline_that_a_run_writes_excuses_that_run() -> None:
    asked = request({"model": "no-such-model", "messages": [{"role": "user", "content": "x"}]})
    broken = got(503, failure("No available channel for model no-such-model"), to=asked)
    verdicts = [*judge([broken], BOOK), *judge([stream(text(), finish("X"), finish("X"))], BOOK)]
    waivers = parse_baseline(written(failures(verdicts), "known", None, None), "b")
    after = Known(waivers, today=TODAY).over(verdicts)
    weighty = [one for one in after if one.outcome is Outcome.FAIL and one.level is not Level.MAY]
    assert len(weighty) > 4
    assert [one.rule for one in weighty if not one.excused] == []


# --- the recordings of real servers ---------------------------------------------------------------------------------

FAMILIES = {
    "litellm": ("litellm",),
    "llama-server": tuple(f"llama-server{more}" for more in ("", "-key", "-loading", "-embed")),
}
TABLE = tomllib.loads((Path(__file__).parent / "data" / "recordings.toml").read_text(encoding="utf-8"))["fails"]


@pytest.mark.parametrize("name", FAMILIES)
def test_its_dialect_excuses_every_must_that_a_real_server_fails(name: str) -> None:
    known = Known(dialects=(read_dialect(name),))
    excused: set[str] = set()
    for path in recordings():
        if name_of(path).partition("/")[0] in FAMILIES[name]:
            again = rejudge(path.read_text(encoding="utf-8"), name_of(path), known=known)
            failed = [one for one in again.verdicts if one.outcome is Outcome.FAIL and one.level is Level.MUST]
            assert [(one.rule, one.findings[0].text) for one in failed if not one.excused] == [], name_of(path)
            excused |= {one.dialect.partition(":")[0] for one in failed if one.dialect}
    needed = {
        habit.label for habit in known.dialects[0].habits if any(BOOK[one].level is Level.MUST for one in habit.rules)
    }
    assert excused == needed


@pytest.mark.parametrize("name", FAMILIES)
def test_a_dialect_excuses_nothing_of_another_family(name: str) -> None:
    known = Known(dialects=(read_dialect(name),))
    for path in recordings():
        if name_of(path).startswith("authored/"):
            again = rejudge(path.read_text(encoding="utf-8"), name_of(path), known=known)
            told = {one.rule for one in again.verdicts if one.outcome is Outcome.FAIL and not one.excused}
            assert set(TABLE.get(name_of(path), ())) - told <= {"chat.stream.created"}, name_of(path)
