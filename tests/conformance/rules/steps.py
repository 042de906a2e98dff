"""What a rule over several steps says of their exchanges."""

from collections.abc import Mapping
from dataclasses import replace

from conformance.judge import judge
from conformance.rule import Outcome, Verdict
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange


def over(rule: str, steps: Mapping[str, Exchange]) -> Verdict:
    """The verdict of one rule on exchanges that are the steps of one probe, by their names."""
    made = [
        replace(exchange, id=f"e1-{name}", step=name, probe=exchange.probe or "chat.steps")
        for name, exchange in steps.items()
    ]
    found = list(judge(made, {rule: BOOK[rule]}))
    assert len(found) == 1, found
    return found[0]


def outcome_over(rule: str, steps: Mapping[str, Exchange]) -> Outcome:
    return over(rule, steps).outcome
