"""Several runs as one JSON object, for programs: the same runs give the same bytes.

`differences` are the rules in which one relay fails and another is verified: structure alone, never speed, which stands
beside them with its test. `unmatched` are those in which one fails and no other was verified.
"""

from collections.abc import Sequence

from conformance.report.comparison import Comparison, Relay, Row, compare
from conformance.report.json_out import about, text_of
from conformance.report.matrix import earnest, unmatched
from conformance.report.speed import Speed, speeds
from conformance.report.summary import Laws
from conformance.rule import Level, Outcome
from conformance.run import Run
from openapi.json_text import Json


def render(runs: Sequence[Run], laws: Laws) -> str:
    """The JSON text, indented."""
    return text_of(record(compare(runs, laws)))


def record(comparison: Comparison) -> dict[str, Json]:
    """What the text says. `outcomes` stand in the order of `relays`; `changes` lead from the first run to the last."""
    return {
        "relays": [_relay(relay) for relay in comparison.relays],
        "ranked": [comparison.relays[number].label for number in comparison.ranked],
        "differences": [_difference(row) for row in earnest(comparison)],
        "unmatched": [_difference(row) for row in unmatched(comparison)],
        "changes": [
            {"rule": row.rule, "level": row.level.value, "change": what.value} for what, row in comparison.changes()
        ],
        "speed": [_speed(comparison, one) for one in speeds(comparison)],
        "rules": [{"rule": row.rule, "level": row.level.value, "outcomes": list(row.words)} for row in comparison.rows],
    }


def _relay(relay: Relay) -> dict[str, Json]:
    return {
        "label": relay.label,
        **about(relay.summary),
        "line": relay.summary.line,
        "outcomes": {
            level.value: {outcome.value: relay.summary.level(level)[outcome] for outcome in Outcome} for level in Level
        },
    }


def _difference(row: Row) -> dict[str, Json]:
    return {
        "rule": row.rule,
        "level": row.level.value,
        "law": row.law,
        "outcomes": list(row.words),
        "places": [[*sorted(cell.places)] for cell in row.cells],
    }


def _speed(comparison: Comparison, one: Speed) -> dict[str, Json]:
    return {
        "measure": one.measure,
        "fast": comparison.relays[one.fast].label,
        "slow": comparison.relays[one.slow].label,
        "pairs": one.pairs,
        "medians": [round(one.fast_median, 6), round(one.slow_median, 6)],
        "ratio": round(one.ratio, 4),
        "interval": [round(one.low, 4), round(one.high, 4)],
        "p": float(f"{one.p:.3g}"),
        "differs": one.differs,
        "together": one.together,
    }
