"""Judging again what was captured, without a network: a run, or a recording."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from conformance.exit_code import Exit, exit_of
from conformance.extend import Extension
from conformance.fuzz.logged import NO_END, generated_of
from conformance.judge import judge
from conformance.known import Known
from conformance.plan import confined
from conformance.rule import Level, Outcome, Rule, Verdict
from conformance.run import Footer, Header, Run, counts, read_run
from openapi import document, json_text
from openapi.json_text import Json
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording

NOTHING = Known()
OUR_OWN = Extension()


def rejudge(text: str, name: str, *, strict: bool = False, known: Known = NOTHING, book: Extension = OUR_OWN) -> Run:
    """The run with the verdicts of this version, excused by what is `known` and by nothing else. Raises RunError or
    RecordingError.

    Of a run, what was skipped or could not be asked stays so: that is part of what happened. A recording was asked by
    nobody here, so what it does not show is not missed. Rules of the user's own have to be in the `book` again:
    those of the run that are not are inconclusive.
    """
    first = json_text.read(text.partition("\n")[0])
    laid = Laid(known, book.rules, strict=strict)
    if "recording" in first.object:
        return judge_recordings({name: text}, strict=strict, known=known, book=book)
    run = read_run(text)
    kept = [verdict for verdict in run.verdicts if verdict.outcome in {Outcome.SKIPPED, Outcome.UNTESTABLE}]
    finished = run.footer.finished if run.footer else ""
    whole = run.footer is not None and not _only(run.header)
    lost = list(_lost(run.header, book))
    kept = [*(verdict for verdict in kept if verdict.rule not in {one.rule for one in lost}), *lost]
    again = _run(run.header, run.exchanges, kept, finished=finished, laid=replace(laid, whole=whole))
    assert again.footer
    footer = replace(again.footer, generated=generated_of(run, again.verdicts))
    if run.footer:
        return replace(again, footer=replace(footer, spent=run.footer.spent))
    code = Exit.UNVERIFIED if footer.exit in {Exit.VERIFIED, Exit.MISUSED} else footer.exit
    return replace(again, footer=replace(footer, note=_cut_off(run), exit=int(code)))


def _cut_off(run: Run) -> str:
    """How far a run came that did not end. How many requests a generated probe takes hangs on the answers."""
    planned, drawn = (run.header.plan.get(name) for name in ("requests", "generated"))
    beside = f" and {drawn:,} generated probes" if isinstance(drawn, int) and drawn else ""
    known = f"{planned:,}" if isinstance(planned, int) else "?"
    return f"{NO_END}: {len(run.exchanges):,} exchanges of {known} requests{beside}"


def judge_recordings(
    texts: Mapping[str, str], *, strict: bool = False, known: Known = NOTHING, book: Extension = OUR_OWN
) -> Run:
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
    return _run(header, asked, (), finished=times[-1] if times else "", laid=Laid(known, book.rules, strict=strict))


def _only(header: Header) -> list[str]:
    """What the user had confined the run to."""
    only = header.plan.get("only")
    return [str(word) for word in only] if isinstance(only, list) else []


def _extended(header: Header) -> list[dict[str, Json]]:
    """What the run says of the user's own rules and probes."""
    sources = header.plan.get("extended")
    return [source for source in sources if isinstance(source, dict)] if isinstance(sources, list) else []


def _object(value: Json) -> dict[str, Json]:
    return value if isinstance(value, dict) else {}


def changed(header: Header, book: Extension) -> list[str]:
    """The files of the user's own that are not what they were when the run was made."""
    then = {str(source.get("name")): source.get("digest") for source in _extended(header)}
    return [one.name for one in book.sources if then.get(one.name, one.digest) != one.digest]


def _lost(header: Header, book: Extension) -> Iterator[Verdict]:
    """The rules of the user's own that judged the run and are not here to judge it again."""
    for source in _extended(header):
        for rule, level in _object(source.get("rules")).items():
            if rule not in book.rules:
                reason = f"its law is not here: judge with --extend {source.get('name')}"
                weight = Level(level) if level in set(Level) else Level.MUST
                yield Verdict(rule, weight, Outcome.INCONCLUSIVE, None, (), (), reason)


def _confined(rules: Mapping[str, Rule], header: Header) -> dict[str, Rule]:
    """The rules to which the run was confined, as far as they are here: naming one that is lost names no other."""
    lost = {str(name): None for source in _extended(header) for name in _object(source.get("rules"))}
    wanted = confined({**lost, **rules}, _only(header))
    return {name: rule for name, rule in wanted.items() if rule is not None}


@dataclass(frozen=True)
class Laid:
    """How verdicts are weighed: what excuses, by which rules, whether SHOULD counts, whether the run was `whole`."""

    known: Known
    rules: Mapping[str, Rule]
    strict: bool = False
    whole: bool = False


def _run(header: Header, exchanges: Sequence[Exchange], kept: Sequence[Verdict], *, finished: str, laid: Laid) -> Run:
    verdicts = laid.known.over([*judge(exchanges, _confined(laid.rules, header)), *kept])
    notes = laid.known.notes(verdicts, whole=laid.whole)
    decided = [verdict for verdict in verdicts if verdict.outcome is not Outcome.UNTESTABLE]
    outcomes = {outcome.value: count for outcome, count in sorted(counts(verdicts).items())}
    code = exit_of(decided, strict=laid.strict, stale=any(note.stale for note in notes))
    footer = Footer(outcomes, {}, finished, int(code), None, laid.known.dialect, notes)
    return Run(header, tuple(exchanges), tuple(verdicts), footer)
