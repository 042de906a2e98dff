"""A run as SARIF 2.1.0, for code scanning: a result for each place where a rule failed, at the line of its law.

    result            a failure by its identity (`rule probe place`), which is also its fingerprint from run to run
    level             MUST: error · SHOULD: warning · MAY: note
    suppression       what a baseline or a dialect excuses
    notification      a check of ours that broke; a rule that was not verified is a note, never a result
    location          where the rule's citation stands in the OpenAPI document, else the operation that was asked

Totals stand in `run.properties.outcomes`, as in the JSON output. Nothing that passed is a result: code scanning would
show it as an alert.
"""

import hashlib
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from conformance.identity import place_of as place_of_finding
from conformance.report.escape import visible
from conformance.report.summary import UNVERIFIED, Laws, Result, Summary, summarise
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Run
from openapi import document, source
from openapi.json_text import Json
from openapi.pointer import join

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
BASE = "RELAYPROOF"
LEVELS = {Level.MUST: "error", Level.SHOULD: "warning", Level.MAY: "note"}
TEXT = 1000
NAME = 300
MANY_PLACES = 100  # results of one rule

_CITED = re.compile(r"openapi#(/[^\s;,]+)")
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_OK = {0, 1, 4}


def render(run: Run, laws: Laws) -> str:
    """The JSON text, in ASCII."""
    return json.dumps(record(summarise(run, laws)), indent=2, allow_nan=False) + "\n"


def record(summary: Summary) -> dict[str, Json]:
    """What the text says."""
    failed = summary.of(Outcome.FAIL)
    numbers = {result.rule: number for number, result in enumerate(summary.results)}
    results = [_result(one, numbers[one.result.rule]) for result in failed for one in _places(summary.run, result)]
    header = summary.run.header
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "relayproof",
                        "semanticVersion": header.suite if re.fullmatch(r"\d+\.\d+\.\d+", header.suite) else "0.0.0",
                        "rules": [_descriptor(result) for result in summary.results],
                    }
                },
                "automationDetails": {"id": f"relayproof/{visible(summary.relay, NAME)}/"},
                "originalUriBaseIds": {BASE: {"description": {"text": "the folder of relayproof, with its document"}}},
                "invocations": [_invocation(summary)],
                "results": list(results),
                "properties": {
                    "relay": visible(summary.relay, NAME),
                    "document": visible(header.document, NAME),
                    "seed": header.seed,
                    "line": visible(summary.line, TEXT),
                    "outcomes": {
                        level.value: {outcome.value: summary.level(level)[outcome] for outcome in Outcome}
                        for level in Level
                    },
                },
            }
        ],
    }


def _descriptor(result: Result) -> dict[str, Json]:
    law = visible(result.law or "a rule that this version does not know", TEXT)
    cited = visible(result.cites or "—", TEXT)
    return {
        "id": visible(result.rule, NAME),
        "shortDescription": {"text": law},
        "fullDescription": {"text": law},
        "help": {"text": f"{law} It stands in: {cited}"},
        "defaultConfiguration": {"level": LEVELS[result.level]},
        "properties": {
            "tags": [visible(result.chapter, NAME), result.level.value],
            "level": result.level.value,
            "outcome": result.outcome.value,
        },
    }


@dataclass(frozen=True, slots=True)
class _Found:
    """What of one rule was found at one place, the first of it for all."""

    result: Result
    identity: str
    verdict: Verdict
    finding: Finding
    many: int
    place: source.Place


def _places(run: Run, result: Result) -> Iterator[_Found]:
    """The failures of a rule, each identity once."""
    first: dict[str, tuple[Verdict, Finding]] = {}
    counted: dict[str, int] = {}
    for verdict in result.deciding:
        for finding in verdict.findings or (Finding(""),):
            name = f"{verdict.rule} {place_of_finding(verdict, finding)}"
            first.setdefault(name, (verdict, finding))
            counted[name] = counted.get(name, 0) + 1
    for name, (verdict, finding) in list(first.items())[:MANY_PLACES]:
        yield _Found(result, name, verdict, finding, counted[name], _law_of(run, result, verdict))


def _law_of(run: Run, result: Result, verdict: Verdict) -> source.Place:
    """Where the law stands that was broken: its citation, else the operation that was asked, else the document."""
    cited = _CITED.search(result.cites)
    place = source.place_of(cited[1]) if cited else None
    if place is not None:
        return place
    asked = next(filter(None, map(run.exchange, verdict.exchanges)), None)
    match = document.load().match(asked.request.method, asked.request.path) if asked else None
    if match:
        operation = match.operation
        place = source.place_of(join(["paths", operation.path, operation.method.lower()]))
    return place or source.Place("openapi.yaml", 1)


def _result(found: _Found, number: int) -> dict[str, Json]:
    verdict, finding, result = found.verdict, found.finding, found.result
    said = finding.text or verdict.reason or result.law or result.outcome.value
    more = f" (+{found.many - 1} more at this place)" if found.many > 1 else ""
    flaky = f" [{result.flaky}]" if result.flaky else ""
    doubts = [one for one in result.doubts if one.startswith(f"{place_of_finding(verdict, finding)}: ")]
    flaky += "".join(f" [{visible(one, TEXT)}]" for one in doubts[:1])
    own = verdict.exchanges if finding.exchange is None else (finding.exchange,)
    properties: dict[str, Json] = {
        "probe": visible(verdict.probe, NAME) if verdict.probe is not None else None,
        "exchanges": [visible(name, NAME) for name in own],
        "at": finding.at,
        "place": visible(finding.place, NAME) or None,
    }
    record: dict[str, Json] = {
        "ruleId": visible(result.rule, NAME),
        "ruleIndex": number,
        "level": LEVELS[result.level],
        "message": {"text": visible(said, TEXT) + more + flaky},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": f"openapi/{found.place.file}", "uriBaseId": BASE},
                    "region": {"startLine": found.place.line},
                },
                "logicalLocations": [{"fullyQualifiedName": visible(found.identity, TEXT)}],
            }
        ],
        "partialFingerprints": {"identity/v1": hashlib.sha256(found.identity.encode(errors="replace")).hexdigest()},
        "properties": {name: value for name, value in properties.items() if value is not None},
    }
    excuses = (("waived", verdict.waived), ("dialect", verdict.dialect))
    known: list[Json] = [
        {"kind": "external", "justification": visible(f"{name}: {text}", TEXT)}
        for name, text in excuses
        if text is not None
    ]
    return record | ({"suppressions": known} if known else {})


def _invocation(summary: Summary) -> dict[str, Json]:
    header, footer = summary.run.header, summary.run.footer
    told: list[Json] = [_notification(summary, one) for one in summary.of(Outcome.BROKEN)]
    told += [_notification(summary, one) for outcome in UNVERIFIED for one in summary.of(outcome)]
    if footer and footer.note:
        told.append({"level": "error", "message": {"text": visible(footer.note, TEXT)}})
    record: dict[str, Json] = {
        "executionSuccessful": summary.exit in _OK and not summary.of(Outcome.BROKEN),
        "exitCodeDescription": summary.meaning,
        "toolExecutionNotifications": told,
    }
    more: dict[str, Json] = {
        "exitCode": summary.exit,
        "commandLine": visible(header.command, TEXT) or None,
        "startTimeUtc": header.started if _MOMENT.fullmatch(header.started) else None,
        "endTimeUtc": footer.finished if footer and _MOMENT.fullmatch(footer.finished) else None,
    }
    return record | {name: value for name, value in more.items() if value is not None}


def _notification(summary: Summary, result: Result) -> dict[str, Json]:
    broken = result.outcome is Outcome.BROKEN
    number = summary.results.index(result)
    text = f"{result.level.value} {result.outcome.value}: {result.said or 'no reason given'}"
    return {
        "level": "error" if broken else "note",
        "message": {"text": visible(text, TEXT)},
        "associatedRule": {"id": visible(result.rule, NAME), "index": number},
    }
