"""When a failing probe was made often enough: Wald's sequential test of always against now and then.

A failure is what was observed; the question is only whether to call it flaky. One pass settles it. Without one, a rule
that fails in no more than SELDOM of all cases would go unnoticed with a chance of less than ERROR once NEEDED repeats
have failed in a row; the first failure, by which the probe was chosen, does not count.
"""

from dataclasses import dataclass
from math import ceil, log

from conformance.rule import Outcome

SELDOM = 0.5  # the rate of failure up to which "fails" without "now and then" would mislead
ERROR = 0.05  # the chance to call such a rule systematic
NEEDED = ceil(log(ERROR) / log(SELDOM))  # repeats in a row that must fail


@dataclass(frozen=True, slots=True)
class Trial:
    """What the repeats of one failing rule said so far."""

    failed: int = 0
    passed: int = 0

    @property
    def open(self) -> bool:
        """Whether another repeat can still teach something: the rate of a flaky rule is told from NEEDED repeats."""
        return self.failed + self.passed < NEEDED

    def seen(self, outcome: Outcome) -> "Trial":
        """The same with one more outcome; what decides nothing does not count."""
        return Trial(self.failed + (outcome is Outcome.FAIL), self.passed + (outcome is Outcome.PASS))
