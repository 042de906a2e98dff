"""What one rule says of several exchanges: the steps of a probe, in the order in which the rule names them.

agree("two seeds", "chat.seed", whole(), whole(), whole())      a row of a table of cases
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from conformance.judge import judge
from conformance.rule import Outcome, Verdict
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import Case


def together(rule: str, exchanges: Sequence[Exchange]) -> Verdict | None:
    """The verdict on the exchanges, each a step of one probe; None where the rule does not speak of such requests."""
    named = zip(BOOK[rule].over, exchanges, strict=False)
    steps = [replace(one, id=f"e1-{name}", probe="probe", step=name) for name, one in named]
    return next(judge(steps, {rule: BOOK[rule]}), None)


@dataclass(frozen=True)
class Group(Case):
    """Several exchanges and what one rule must say of them. `step` is the one that a finding is about."""

    exchanges: tuple[Exchange, ...] = ()
    step: str = ""

    def check(self) -> None:
        found = together(self.rule, self.exchanges)
        if found is None:
            assert self.outcome is None
            return
        told = (found.findings, found.reason)
        assert found.outcome is self.outcome, told
        assert found.mood is self.mood, told
        assert self.says in (found.findings[0].text if found.findings else found.reason or ""), told
        if found.findings:
            assert found.findings[0].exchange == f"e1-{self.step}"
            assert found.findings[0].place


def _group(outcome: Outcome | None, name: str, rule: str, exchanges: tuple[Exchange, ...]) -> Group:
    return Group(name, rule, exchanges[0], outcome, exchanges=exchanges)


def agree(name: str, rule: str, *exchanges: Exchange) -> Group:
    """They pass."""
    return _group(Outcome.PASS, name, rule, exchanges)


def clash(name: str, rule: str, *exchanges: Exchange, step: str, says: str = "") -> Group:
    """They fail, for what stands in this step."""
    return replace(_group(Outcome.FAIL, name, rule, exchanges), step=step, says=says)


def open_(name: str, rule: str, *exchanges: Exchange, says: str = "", mood: bool = False) -> Group:
    """They decide nothing."""
    return replace(_group(Outcome.INCONCLUSIVE, name, rule, exchanges), says=says, mood=mood)


def unheard(name: str, rule: str, *exchanges: Exchange) -> Group:
    """What the rule is about never came."""
    return _group(Outcome.NOT_SEEN, name, rule, exchanges)


def out_of(name: str, rule: str, *exchanges: Exchange) -> Group:
    """The rule is about other requests."""
    return _group(None, name, rule, exchanges)
