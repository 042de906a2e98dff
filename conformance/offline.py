"""Judging again what was captured, without a network: a run, or a recording."""

from collections.abc import Sequence
from dataclasses import replace

from conformance.exit_code import Exit, exit_of
from conformance.judge import judge
from conformance.plan import confined
from conformance.rule import Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Footer, Header, Run, counts, read_run
from openapi import document, json_text
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording


def rejudge(text: str, name: str, *, strict: bool = False) -> Run:
    """The run with the verdicts of this version. Raises RunError or RecordingError.

    Of a run, what was skipped or could not be asked stays so: that is part of what happened. A recording was asked by
    nobody here, so what it does not show is not missed.
    """
    first = json_text.read(text.partition("\n")[0])
    if "recording" in first.object:
        recording = read_recording(text, name)
        header = Header(
            relay={"name": recording.of, "base_url": "", "models": {}},
            document=document.load().digest,
            suite="",
            seed=0,
            started=recording.exchange.sent,
            command="judge",
        )
        return _run(header, [recording.exchange], (), finished=recording.exchange.sent, strict=strict)
    run = read_run(text)
    kept = [verdict for verdict in run.verdicts if verdict.outcome in {Outcome.SKIPPED, Outcome.UNTESTABLE}]
    finished = run.footer.finished if run.footer else ""
    again = _run(run.header, run.exchanges, kept, finished=finished, strict=strict)
    assert again.footer
    if run.footer:
        return replace(again, footer=replace(again.footer, spent=run.footer.spent))
    note = f"the run did not end: {len(run.exchanges)} exchanges of {run.header.plan.get('requests', '?')} requests"
    code = Exit.UNVERIFIED if again.footer.exit == Exit.VERIFIED else again.footer.exit
    return replace(again, footer=replace(again.footer, note=note, exit=int(code)))


def _only(header: Header) -> list[str]:
    """What the user had confined the run to."""
    only = header.plan.get("only")
    return [str(word) for word in only] if isinstance(only, list) else []


def _run(header: Header, exchanges: Sequence[Exchange], kept: Sequence[Verdict], *, finished: str, strict: bool) -> Run:
    verdicts = [*judge(exchanges, confined(BOOK, _only(header))), *kept]
    decided = [verdict for verdict in verdicts if verdict.outcome is not Outcome.UNTESTABLE]
    outcomes = {outcome.value: count for outcome, count in sorted(counts(verdicts).items())}
    footer = Footer(outcomes, {}, finished, int(exit_of(decided, strict=strict)))
    return Run(header, tuple(exchanges), tuple(verdicts), footer)
