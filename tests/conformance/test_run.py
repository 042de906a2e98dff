"""A run on disk: what is written is read back, and what is no run has a name."""

import io
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import (
    BadLineError,
    EmptyRunError,
    Footer,
    Header,
    MissingHeaderError,
    Run,
    RunError,
    Writer,
    counts,
    lines_of,
    outcome_of,
    read_run,
)
from openapi.wire.jsonl import body_in, body_out
from tests.conformance.exchanges import stream, whole
from tests.conformance.report.made import runs

VERDICT = Verdict("chat.n", Level.MUST, Outcome.FAIL, "chat.n", ("e1",), (Finding("expected 2", 3),), "why", mood=True)
FOOTER = Footer({"fail": 1}, {"requests": 1}, "2026-01-01T00:00:01Z", 1, "a note")
HEADER = Header({"name": "m", "models": {}}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z", {"probes": 1}, "check x")
RUN = Run(HEADER, (whole(), replace(stream("x"), id="e2", probe="p", attempt=2)), (VERDICT,), FOOTER)


def text_of(run: Run) -> str:
    return "".join(line + "\n" for line in lines_of(run))


def written(run: Run) -> str:
    """The same by the writer, line by line."""
    out = io.StringIO()
    writer = Writer(out)
    writer.header(run.header)
    for exchange in run.exchanges:
        writer.exchange(exchange)
    for verdict in run.verdicts:
        writer.verdict(verdict)
    if run.footer:
        writer.footer(run.footer)
    return out.getvalue()


def as_kept(run: Run) -> Run:
    """A run as a file can hold it: bodies in compact JSON, no empty note."""
    exchanges = tuple(
        replace(one, request=replace(one.request, body=body_in(body_out(one.request.body)))) for one in run.exchanges
    )
    footer = run.footer and replace(run.footer, note=run.footer.note or None, dialect=run.footer.dialect or None)
    return replace(run, exchanges=exchanges, footer=footer)


def test_a_run_is_read_back() -> None:
    assert read_run(text_of(RUN)) == RUN
    assert written(RUN) == text_of(RUN)


@settings(max_examples=150, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(runs)
def test_any_run_is_read_back(run: Run) -> None:
    assert read_run(text_of(run)) == as_kept(run)
    assert written(run) == text_of(run)


@given(st.integers(0, len(text_of(RUN))))
def test_a_crash_at_any_byte_leaves_a_readable_prefix(at: int) -> None:
    text = text_of(RUN)
    first = len(text.split("\n")[0])
    if at < first:
        with pytest.raises(EmptyRunError):
            read_run(text[:at])
        return
    found = read_run(text[:at])
    assert found.header == RUN.header
    assert found.exchanges == RUN.exchanges[: len(found.exchanges)]
    assert (found.footer is None) == (at < len(text) - 1)


def test_a_run_without_a_footer_did_not_end() -> None:
    assert read_run(text_of(replace(RUN, footer=None))).footer is None


def test_blank_lines_and_lines_of_another_type_are_passed_over() -> None:
    assert read_run(text_of(RUN).replace("\n", '\n\n{"type":"later"}\n')) == RUN


HEAD = text_of(replace(RUN, exchanges=(), verdicts=(), footer=None))


@pytest.mark.parametrize(
    ("text", "error", "says"),
    [
        ("", EmptyRunError, "empty"),
        ("\n \n", EmptyRunError, "empty"),
        ('{"type":"footer"}\n', MissingHeaderError, "line 1"),
        ('\n{"type":"header","format":2}\n', MissingHeaderError, "line 2: a run begins with a header of format 1"),
        ("hello\n", BadLineError, "line 1: not JSON"),
        (HEAD + "[]\n", BadLineError, "line 2: not an object"),
        (HEAD + '{"type":"verdict"}\n', BadLineError, "line 2: 'rule' is missing"),
        (HEAD + '{"type":"exchange","id":"e1"}\n', BadLineError, "line 2"),
        (HEAD + '{"type":"footer","outcomes":[]}\n', BadLineError, "line 2: an object, not []"),
        (
            '{"type":"header","format":1,"relay":{},"document":"","suite":"","seed":true,"started":""}\n',
            BadLineError,
            "whole",
        ),
    ],
)
def test_what_is_no_run_has_a_name(text: str, error: type[RunError], says: str) -> None:
    with pytest.raises(error, match=says.replace("[", r"\[")):
        read_run(text)


LINE = json.loads(text_of(RUN).split("\n")[3])


@pytest.mark.parametrize(
    "bad",
    [
        {"level": "MIGHT"},
        {"outcome": "good"},
        {"exchanges": "e1"},
        {"findings": [5]},
        {"findings": [{"text": "x", "at": "3"}]},
    ],
    ids=str,
)
def test_a_verdict_with_a_wrong_member_is_a_bad_line(bad: dict[str, Any]) -> None:
    with pytest.raises(BadLineError, match="line 2"):
        read_run(HEAD + json.dumps(LINE | bad) + "\n")


def test_the_verdicts_of_a_rule_are_one_outcome() -> None:
    other = replace(VERDICT, outcome=Outcome.PASS, rule="chat.stop", level=Level.SHOULD)
    again = replace(VERDICT, outcome=Outcome.PASS)
    run = replace(RUN, verdicts=(again, other, VERDICT))
    assert run.by_rule() == {"chat.n": [again, VERDICT], "chat.stop": [other]}
    assert outcome_of(run.verdicts) is Outcome.FAIL
    assert counts(run.verdicts) == {Outcome.FAIL: 1, Outcome.PASS: 1}
    assert counts(run.verdicts, Level.MUST) == {Outcome.FAIL: 1}


def test_an_exchange_is_found_by_its_id() -> None:
    assert RUN.exchange("e2") is RUN.exchanges[1]
    assert RUN.exchange("e3") is None
