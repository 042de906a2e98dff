"""What is said while relays are asked."""

import pytest

from conformance.budget import Budget
from conformance.check import Progress
from conformance.watching import CLEAR, Drawing, Watching, line
from openapi.wire.exchange import Exchange, Request


def progress(done: int, total: int, budget: Budget | None = None) -> Progress:
    spent = budget or Budget(requests=3, prompt_tokens=1200, completion_tokens=34)
    return Progress(done, total, spent, Exchange("e1", Request("GET", "/v1/models"), probe="models.list"))


def test_counts_spend_and_limits() -> None:
    assert line({"": progress(1, 2)}, 0.0, "models.list") == "1/2 probes · 3 requests · 1,234 tokens · models.list"
    held = Budget(300, 200_000, requests=3, prompt_tokens=7)
    assert line({"": progress(1, 2, held)}, 0.0, "") == "1/2 probes · 3 of 300 requests · 7 of 200,000 tokens"


@pytest.mark.parametrize(
    ("elapsed", "left"),
    [(1.9, ""), (2.0, " · about 2 s left"), (60.0, " · about 60 s left"), (600.0, " · about 10 min left")],
)
def test_the_time_left_is_a_guess_from_what_is_done(elapsed: float, left: str) -> None:
    assert line({"": progress(5, 10)}, elapsed, "") == f"5/10 probes · 3 requests · 1,234 tokens{left}"


def test_several_are_told_together_and_the_slowest_says_how_long() -> None:
    seen = {"a": progress(9, 10), "b": progress(1, 10)}
    assert line(seen, 9.0, "x") == "a 9/10 · b 1/10 probes · 6 requests · 2,468 tokens · about 81 s left · x"


def test_progress_on_a_terminal_is_one_line_that_goes_away_and_no_wider(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    watching = Watching(quiet=False)
    watching.terminal = True
    with watching as tell:
        tell(progress(1, 2))
    told = capsys.readouterr().err.replace("\x1b[K", "")  # click takes it out again where there is no terminal
    assert told == "\r" + "1/2 probes · 3 requests · 1,234 tokens · models.list"[:39] + "\r"


def test_where_it_is_piped_every_tenth_and_the_last_are_told(capsys: pytest.CaptureFixture[str]) -> None:
    with Watching(quiet=False) as tell:
        for done in range(1, 23):
            tell(progress(done, 22))
    assert [text.split()[0] for text in capsys.readouterr().err.splitlines()] == ["10/22", "20/22", "22/22"]


def test_quiet_is_quiet(capsys: pytest.CaptureFixture[str]) -> None:
    with Watching(quiet=True) as tell:
        tell(progress(22, 22))
    assert capsys.readouterr().err == ""


def test_that_requests_are_drawn_is_told_on_a_terminal_alone(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for quiet, terminal in ((False, True), (True, True), (False, False)):
        monkeypatch.setattr("sys.stderr.isatty", lambda is_one=terminal: is_one)
        with Drawing(quiet=quiet, wanted=1000) as drawing:
            drawing("createEmbedding", 32)
        told = capsys.readouterr().err
        if quiet or not terminal:
            assert told == ""
        else:
            assert told.split(CLEAR)[1:] == [
                "drawing requests …",
                "drawing 32 of 1,000 random requests for createEmbedding …",
                "",
            ]
