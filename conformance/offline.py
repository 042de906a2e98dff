"""Judging again what was captured, without a network: a run, or a recording."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.exit_code import Exit, exit_of
from conformance.judge import judge
from conformance.known import Known
from conformance.plan import confined
from conformance.rule import Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Footer, Header, Run, counts, read_run
from openapi import document, json_text
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording

NOTHING = Known()


def rejudge(text: str, name: str, *, strict: bool = False, known: Known = NOTHING) -> Run:
    """The run with the verdicts of this version, excused by what is `known` and by nothing else. Raises RunError or
    RecordingError.

    Of a run, what was skipped or could not be asked stays so: that is part of what happened. A recording was asked by
    nobody here, so what it does not show is not missed.
    """
    first = json_text.read(text.partition("\n")[0])
    if "recording" in first.object:
        return judge_recordings({name: text}, strict=strict, known=known)
    run = read_run(text)
    kept = [verdict for verdict in run.verdicts if verdict.outcome in {Outcome.SKIPPED, Outcome.UNTESTABLE}]
    finished = run.footer.finished if run.footer else ""
    whole = run.footer is not None and not _only(run.header)
    laid = Laid(known, strict=strict, whole=whole)
    again = _run(run.header, run.exchanges, kept, finished=finished, laid=laid)
    assert again.footer
    if run.footer:
        return replace(again, footer=replace(again.footer, spent=run.footer.spent))
    note = f"the run did not end: {len(run.exchanges)} exchanges of {run.header.plan.get('requests', '?')} requests"
    code = Exit.UNVERIFIED if again.footer.exit in {Exit.VERIFIED, Exit.MISUSED} else again.footer.exit
    return replace(again, footer=replace(again.footer, note=note, exit=int(code)))


def judge_recordings(texts: Mapping[str, str], *, strict: bool = False, known: Known = NOTHING) -> Run:
    """One run of recordings, by their names: what was captured of one server, or of several. Raises RecordingError."""
    recordings = [read_recording(text, name) for name, text in texts.items()]
    asked = [recording.exchange for recording in recordings]
    sources = dict.fromkeys(f"{recording.source}: {recording.of}" for recording in recordings)
    times = sorted(exchange.sent for exchange in asked)
    header = Header(
        relay={"name": ", ".join(sources), "base_url": "", "models": {}},
        document=document.load().digest,
        suite="",
        seed=0,
        started=times[0] if times else "",
        command="judge",
    )
    return _run(header, asked, (), finished=times[-1] if times else "", laid=Laid(known, strict=strict))


def _only(header: Header) -> list[str]:
    """What the user had confined the run to."""
    only = header.plan.get("only")
    return [str(word) for word in only] if isinstance(only, list) else []


@dataclass(frozen=True)
class Laid:
    """How verdicts are weighed: what excuses, whether SHOULD counts, and whether the run was `whole`."""

    known: Known
    strict: bool = False
    whole: bool = False


def _run(header: Header, exchanges: Sequence[Exchange], kept: Sequence[Verdict], *, finished: str, laid: Laid) -> Run:
    verdicts = laid.known.over([*judge(exchanges, confined(BOOK, _only(header))), *kept])
    notes = laid.known.notes(verdicts, whole=laid.whole)
    decided = [verdict for verdict in verdicts if verdict.outcome is not Outcome.UNTESTABLE]
    outcomes = {outcome.value: count for outcome, count in sorted(counts(verdicts).items())}
    code = exit_of(decided, strict=laid.strict, stale=any(note.stale for note in notes))
    footer = Footer(outcomes, {}, finished, int(code), None, laid.known.dialect, notes)
    return Run(header, tuple(exchanges), tuple(verdicts), footer)
