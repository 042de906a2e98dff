"""A run as one JSON object, for programs: the same run gives the same bytes."""

import json
import math
import re
from collections.abc import Mapping

from conformance.identity import identities
from conformance.report.summary import Laws, Result, Summary, summarise
from conformance.rule import Level, Outcome, Verdict
from conformance.run import Run
from openapi.json_text import Json

_SURROGATE = re.compile("[\ud800-\udfff]")


def render(run: Run, laws: Laws) -> str:
    """The JSON text, indented. Members keep the order of `record`."""
    return text_of(record(summarise(run, laws)))


def text_of(told: dict[str, Json]) -> str:
    """JSON as reports write it: what JSON has no word for is null, a lone surrogate is an escape."""
    text = json.dumps(_finite(told), ensure_ascii=False, indent=2, allow_nan=False)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def about(summary: Summary) -> dict[str, Json]:
    """Of which run it is, and how that ended."""
    header, footer = summary.run.header, summary.run.footer
    return {
        "relay": dict(header.relay),
        "document": header.document,
        "suite": header.suite,
        "seed": header.seed,
        "started": header.started,
        "finished": footer.finished if footer else None,
        "exit": summary.exit,
    }


def record(summary: Summary) -> dict[str, Json]:
    """What the text says. `exit`, `finished` and `spent` are null where the run did not end."""
    footer = summary.run.footer
    return {
        **about(summary),
        "outcomes": {level.value: _outcomes(summary, level) for level in Level},
        "spent": dict(footer.spent) if footer else None,
        "known": {
            "waived": sum(result.excuse == "waived" for result in summary.known),
            "dialect": sum(result.excuse == "dialect" for result in summary.known),
            "flaky": summary.flaky,
        },
        "dialect": footer.dialect if footer else None,
        "notes": [note.record() for note in summary.notes],
        "rules": [_rule(result) for result in summary.results],
        "verdicts": [_verdict(verdict) for verdict in summary.run.verdicts],
        **({"generated": _finite(footer.generated.record())} if footer and footer.generated else {}),
    }


def _verdict(verdict: Verdict) -> dict[str, Json]:
    """Its line in the run, and what its failures are called from run to run."""
    line = verdict.record()
    return line | {"identities": list(identities(verdict))} if verdict.outcome is Outcome.FAIL else line


def _outcomes(summary: Summary, level: Level) -> dict[str, Json]:
    counted = summary.level(level)
    return {outcome.value: counted[outcome] for outcome in Outcome}


def _rule(result: Result) -> dict[str, Json]:
    return {
        "rule": result.rule,
        "level": result.level.value,
        "outcome": result.outcome.value,
        "law": result.law,
        "cites": result.cites,
        "probes": list(result.probes),
        "excuse": result.excuse,
    }


def _finite(value: Json) -> Json:
    """The value with null for what JSON cannot write: 1e999 reads as infinity."""
    match value:
        case float() if not math.isfinite(value):
            return None
        case Mapping():
            return {key: _finite(member) for key, member in value.items()}
        case list():
            return [_finite(member) for member in value]
    return value
