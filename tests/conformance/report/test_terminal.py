"""One screen: the verdict line, what failed and where, what was not verified and why."""

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conformance.report import terminal
from conformance.report.summary import summarise
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Run
from tests.conformance.report.made import BOOK, HEADER, ended, known_run, runs, small_run

GOLDEN = """\
a-relay  MUST 2/4 · SHOULD 1/2 · MAY 0/1 · 1 broken · 1 untestable · 1 inconclusive (1 MUST by the model alone) · \
1 not-seen · 1 skipped
exit 1: a MUST is broken
spent: 5 requests, 5,090 tokens as reported

Broken checks, our own fault (1)
  ! later.rule
    the check raised KeyError: 'x'
    probe chat.abort · e5

MUST failed (2)
  ✗ chat.stream.finish-once  Each choice ends with exactly one finish_reason that is not null.
    choice 1: no finish_reason in the whole stream
    probe chat.n · e1 · at 50
  ✗ errors.no-key  A request without a key is answered 401.
    expected 401, the answer was 500: Internal Server Error
    probe errors.no-key · e3

SHOULD failed (1)
  ✗ chat.stream.role-first  choice 0: text before the role  (+1 more)  probe chat.n · e1 · at 2

Not verified
  □ 1 untestable: usage.sum
      1 × the budget ran out
  ~ 1 inconclusive: tools.called
      1 × cut by length
  ○ 1 not-seen: tools.index
      1 × not a tool call
  - 1 skipped: video.link
      1 × the target does not claim video

MAY not so in 1: transport.request-id
"""


def test_golden() -> None:
    assert terminal.render(ended(small_run(), 1), BOOK, width=400) == GOLDEN


def test_a_run_that_did_not_end_says_so_under_its_first_line() -> None:
    second = terminal.render(replace(small_run(), footer=None), BOOK, width=400).split("\n")[1]
    assert second == "no exit code: this run did not end; `relayproof judge RUN` judges what is in it"


def test_a_hundred_failures_fit_a_screen() -> None:
    found = (Finding("a finding of some length, as they are, " * 4),)
    verdicts = [
        Verdict(f"chat.{level.value}-{outcome.value}-{number}", level, outcome, "p", ("e1",), found, "a reason")
        for level in Level
        for outcome in Outcome
        for number in range(100)
    ]
    text = terminal.render(Run(HEADER, (), tuple(verdicts)), BOOK, width=120)
    assert text.count("\n") < 100
    assert "… and 92 more rules" in text


def test_lines_keep_to_the_width() -> None:
    assert max(map(len, terminal.render(small_run(), BOOK, width=60).split("\n"))) <= 60


def test_colour_is_ansi_and_its_absence_plain() -> None:
    assert "\x1b[" in terminal.render(small_run(), BOOK, color=True)
    assert "\x1b" not in terminal.render(small_run(), BOOK)


def test_the_environment_does_not_reach_a_renderer(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = terminal.render(small_run(), BOOK)
    for name, value in (("FORCE_COLOR", "1"), ("COLUMNS", "20"), ("NO_COLOR", "1"), ("TERM", "dumb")):
        monkeypatch.setenv(name, value)
    assert terminal.render(small_run(), BOOK) == plain
    assert "\x1b[" in terminal.render(small_run(), BOOK, color=True)


@pytest.mark.parametrize(
    ("is_terminal", "environ", "wanted"),
    [
        (True, {}, True),
        (False, {}, False),
        (True, {"NO_COLOR": "1"}, False),
        (True, {"NO_COLOR": ""}, True),
        (True, {"TERM": "dumb"}, False),
    ],
)
def test_colour_is_for_terminals_that_do_not_refuse(
    environ: dict[str, str], *, is_terminal: bool, wanted: bool
) -> None:
    assert terminal.wants_color(is_terminal=is_terminal, environ=environ) is wanted


def many_failures() -> Run:
    """Thirty rules that this version does not know, all failed, twenty more left open."""
    said = (Finding("what was expected, and what was seen instead of it, at some length " * 3, 4, "/choices/*"),)
    verdicts = tuple(
        Verdict(f"later.rule-{number}", level, outcome, "chat.whole", ("e1",), said if outcome is Outcome.FAIL else ())
        for number, (level, outcome) in enumerate(
            [(level, Outcome.FAIL) for level in Level for _ in range(15)]
            + [(Level.MUST, outcome) for outcome in (Outcome.UNTESTABLE, Outcome.INCONCLUSIVE) for _ in range(10)]
        )
    )
    return ended(Run(HEADER, (), verdicts))


@pytest.mark.parametrize("height", [22, 30, 50])
@pytest.mark.parametrize("run", [small_run(), known_run(), many_failures()], ids=["small", "known", "many"])
def test_a_summary_fits_the_screen_it_is_for(run: Run, height: int) -> None:
    text = terminal.render(run, BOOK, width=80, height=height)
    assert text.count("\n") <= height
    assert all(len(line) <= 80 for line in text.split("\n"))
    summary = summarise(run, BOOK)
    assert " ".join(summary.line.split()) in " ".join(text.split())
    failed = len(summary.failures(Level.MUST))
    assert f"({failed})" in text or not failed


def test_what_is_piped_is_told_whole() -> None:
    assert len(terminal.render(many_failures(), BOOK).splitlines()) > 22


@settings(max_examples=60)
@given(runs, st.integers(20, 60))
def test_the_verdict_line_is_told_on_any_screen(run: Run, height: int) -> None:
    told = terminal.render(run, BOOK, width=2000, height=height)
    assert summarise(run, BOOK).line in told
