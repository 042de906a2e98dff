"""What was captured is judged again as it was judged first, without a network."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.exit_code import Exit
from conformance.judge import judge
from conformance.offline import rejudge
from conformance.rule import Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Earlier, Footer, Found, Generated, Header, Run, RunError, Short, counts, lines_of
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import RecordingError, read_recording
from tests.conformance.exchanges import DONE, finish, role, stream, text
from tests.conftest import name_of, recordings

HEADER = Header({"name": "m"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z")
SKIPPED = Verdict("tools.head", Level.MUST, Outcome.SKIPPED, None, (), (), "no model is named for tools")
LEFT = Verdict("chat.n", Level.MUST, Outcome.UNTESTABLE, "chat.n", (), (), "the budget was spent")
GOOD = stream(role(), text(), finish(), DONE)
CUT = stream(role(), text())


def text_of(run: Run) -> str:
    return "".join(line + "\n" for line in lines_of(run))


def run_of(*exchanges: Exchange, kept: tuple[Verdict, ...] = (), exit: int = 0) -> Run:  # noqa: A002
    verdicts = (*judge(exchanges, BOOK), *kept)
    footer = Footer(
        {one.value: count for one, count in counts(verdicts).items()},
        {"requests": len(exchanges)},
        "2026-01-01T00:00:09Z",
        exit,
    )
    return Run(HEADER, exchanges, verdicts, footer)


def exchange_of(path: Path) -> Exchange:
    return read_recording(path.read_text(encoding="utf-8"), name_of(path)).exchange


def test_a_run_judged_again_gives_equal_verdicts() -> None:
    first = run_of(*(exchange_of(path) for path in recordings()), kept=(SKIPPED,))
    again = rejudge(text_of(first), "run")
    assert again.verdicts == first.verdicts
    assert again.exchanges == first.exchanges
    assert again.header == first.header
    assert again.footer
    assert first.footer
    assert again.footer.outcomes == first.footer.outcomes
    assert (again.footer.spent, again.footer.finished) == (first.footer.spent, first.footer.finished)
    assert again.footer.exit == Exit.VIOLATED


def test_what_a_file_says_of_its_verdicts_does_not_count() -> None:
    lied = replace(run_of(CUT), verdicts=())
    assert rejudge(text_of(lied), "run").verdicts == run_of(CUT).verdicts


def test_what_was_not_asked_stays_so_and_decides_no_exit_code() -> None:
    again = rejudge(text_of(run_of(GOOD, kept=(SKIPPED, LEFT), exit=4)), "run")
    assert again.verdicts[-2:] == (SKIPPED, LEFT)
    assert again.footer
    assert again.footer.exit == Exit.VERIFIED


def test_strict_counts_should_as_must() -> None:
    without_role = stream(text(), finish(), DONE)
    for strict, code in ((False, Exit.VERIFIED), (True, Exit.VIOLATED)):
        found = rejudge(text_of(run_of(without_role)), "run", strict=strict).footer
        assert found
        assert found.exit == code


def test_a_run_that_was_cut_off_is_judged_as_far_as_it_came() -> None:
    half = replace(run_of(CUT), verdicts=(), footer=None)
    again = rejudge(text_of(half)[:-1] + '\n{"type":"exch', "run")
    assert again.verdicts == run_of(CUT).verdicts
    assert again.footer
    assert (again.footer.exit, again.footer.spent, again.footer.finished) == (Exit.VIOLATED, {}, "")


def test_a_recording_is_judged_as_a_run_of_one(recording: tuple[str, Exchange]) -> None:
    name, exchange = recording
    path = next(path for path in recordings() if name_of(path) == name)
    found = rejudge(path.read_text(encoding="utf-8"), name)
    assert found.exchanges == (exchange,)
    assert found.verdicts == tuple(judge([exchange], BOOK))
    assert found.footer
    assert found.footer.exit in {Exit.VERIFIED, Exit.VIOLATED, Exit.UNVERIFIED}


@pytest.mark.parametrize("text", ["", "hello", '{"type":"exchange"}\n', "\x00"])
def test_what_is_neither_is_refused(text: str) -> None:
    with pytest.raises(RunError):
        rejudge(text, "x")


def test_a_recording_that_is_broken_is_refused() -> None:
    with pytest.raises(RecordingError):
        rejudge('{"recording":1}\n{"end":"complete"}\n', "x")


def cut_off(**plan: Json) -> str:
    """A run of one good exchange and no footer."""
    header = replace(HEADER, plan={"probes": 57, "requests": 57, **plan})
    return text_of(Run(header, (GOOD,), ()))


def test_a_run_that_did_not_end_is_never_green() -> None:
    found = rejudge(cut_off(), "cut")
    assert found.footer
    assert found.footer.exit == Exit.UNVERIFIED
    assert found.footer.note == "the run did not end: 1 exchanges of 57 requests"
    found = rejudge(cut_off(generated=1637), "cut")
    assert found.footer
    assert found.footer.note == "the run did not end: 1 exchanges of 57 requests and 1,637 generated probes"


def test_what_a_run_was_confined_to_confines_its_judgement() -> None:
    found = rejudge(cut_off(only=["sse"]), "confined")
    assert {verdict.rule.partition(".")[0] for verdict in found.verdicts} == {"sse"}


# --- generated probes -----------------------------------------------------------------------------------------------

NAME = "fuzz.createChatCompletion.1"
IDENTITY = "chat.stream.done fuzz.createChatCompletion"
DRAWN = replace(CUT, id="e203", probe=NAME)
SMALLER = replace(CUT, id="e104", probe="fuzz.createChatCompletion.2")


def found_of(run: Run) -> tuple[Generated, dict[str, Found]]:
    assert run.footer
    assert run.footer.generated
    return run.footer.generated, {one.identity: one for one in run.footer.generated.found}


def test_what_a_run_says_of_generated_probes_is_said_again_as_far_as_it_still_fails() -> None:
    found = Found(IDENTITY, Level.MUST, "x", SMALLER.probe or "", NAME, 9, {"kind": "one"})
    other = replace(found, identity="chat.n fuzz.createChatCompletion")
    told = Generated(5, 5, 0, 9, (found, other), ("chat.stop x",), earlier=Earlier(1, (IDENTITY,)))
    run = run_of(SMALLER, DRAWN)
    assert run.footer
    again = rejudge(text_of(replace(run, footer=replace(run.footer, generated=told))), "run")
    assert found_of(again)[0] == replace(told, found=(found,))


def test_of_a_run_that_did_not_end_it_is_told_what_its_exchanges_show() -> None:
    header = replace(HEADER, plan={"probes": 57, "requests": 57, "generated": 637})
    run = Run(header, (GOOD, replace(DRAWN, id="e158"), replace(DRAWN, id="e159", probe=f"{NAME}2"), SMALLER), ())
    told, found = found_of(rejudge(text_of(run), "cut"))
    assert (told.drawn, told.asked, told.left, told.stopped) == (637, 2, 635, "the run did not end")
    assert (found[IDENTITY].flaky, found[IDENTITY].short, found[IDENTITY].case) == (None, Short.END, {})
    shown = rejudge(text_of(replace(run, exchanges=(replace(CUT, probe="chat.stream"), *run.exchanges))), "cut")
    assert IDENTITY not in found_of(shown)[1], "the plan's own probes show it"
    assert rejudge(cut_off(), "cut").footer == rejudge(cut_off(generated=0), "cut").footer
