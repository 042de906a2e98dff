"""One item a rule and probe, one a rule for all that was drawn, and how pytest shows what became of it.

    pass                        passed
    fail of a MUST              FAILED, with the law, the findings, the wire and a curl
    fail of a SHOULD or a MAY   xfailed: told, and decides nothing (SHOULD with --relay-strict: FAILED)
    fail that is excused        xfailed, with the waiver or the habit
    untestable                  ERROR for the first of each reason, the others skipped: the probe could not be made
    inconclusive of a MUST      ERROR where no other probe decided the rule and more than the model stood in the way, as
                                exit code 4 has it
    other inconclusive          skipped, and so is what generated probes left open: nobody had planned on them
    not-seen, skipped           skipped, with the reason
    broken                      ERROR: our check raised, which is no word on the relay

So nothing is green that was not verified, and a relay FAILED only where something was found. Where it was not reached,
one ERROR says so, and whatever is open is skipped. With --runxfail what is xfailed is FAILED.
"""

from collections.abc import Iterator
from dataclasses import replace
from enum import StrEnum
from inspect import getsourcefile
from pathlib import Path
from typing import Any, NoReturn

import pytest

from conformance.report.escape import visible
from conformance.report.failure import failure, headline
from conformance.report.junit import kind
from conformance.report.summary import Result
from conformance.rule import Outcome, Rule
from conformance.run import Run
from conformance.testing.asking import FUZZED, Asking, Pair, pairs


class Fate(StrEnum):
    """What pytest calls it."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    SKIPPED = "skipped"
    XFAILED = "xfailed"


KINDS = {None: Fate.PASSED, "failure": Fate.FAILED, "error": Fate.ERROR, "skipped": Fate.SKIPPED}


def fate(
    result: Result, whole: Result, *, strict: bool = False, speaks: bool | None = None, planned: bool = True
) -> Fate:
    """How a result is shown, `whole` being that of its rule over all probes. `speaks` says of what could not be made
    whether this item tells the reason; what was drawn nobody had `planned` on."""
    shown = KINDS[kind(result, strict=strict)]
    if not planned and result.outcome in {Outcome.INCONCLUSIVE, Outcome.UNTESTABLE}:
        return Fate.SKIPPED
    if result.outcome is Outcome.FAIL and shown is Fate.SKIPPED:
        return Fate.XFAILED
    if speaks is not None:
        return Fate.ERROR if speaks else Fate.SKIPPED
    if result.outcome is Outcome.INCONCLUSIVE and shown is Fate.ERROR:
        return KINDS[kind(whole, strict=strict)] if whole.outcome is Outcome.INCONCLUSIVE else Fate.SKIPPED
    return shown


class RelayFile(pytest.File):
    """Stands for the suite: `conformance/suite.py`."""

    asking: Asking

    def collect(self) -> "Iterator[RelayItem]":
        plan = self.asking.setup.plan
        roles = {one.probe.id: one.probe.role for one in plan.probes}
        for pair, rule in pairs(plan).items():
            item: RelayItem = RelayItem.from_parent(self, name="{}[{}]".format(*pair), pair=pair, rule=rule)
            role = roles.get(pair[1])
            more = (FUZZED,) if pair[1] == FUZZED else (role.value,) if role else ()
            for name in dict.fromkeys((rule.level.value.lower(), rule.chapter, *more)):
                item.add_marker(name)
            yield item


class RelayItem(pytest.Item):
    """One rule on what one probe was answered."""

    def __init__(self, *, pair: Pair, rule: Rule, **named: Any) -> None:  # noqa: ANN401 - as pytest hands it on
        super().__init__(**named)
        self.pair = pair
        self.rule = rule

    @property
    def drawn(self) -> bool:
        """Whether it stands for all that was drawn for its rule."""
        return self.pair[1] == FUZZED

    @property
    def asking(self) -> Asking:
        assert isinstance(self.parent, RelayFile)
        return self.parent.asking

    def ask(self) -> None:
        """Asks for all items of the session, if nobody did yet."""
        if self.asking.answered is None:
            self.asking.ask([item.pair for item in self.session.items if isinstance(item, RelayItem)])

    def setup(self) -> None:
        """An error here is no word on the relay."""
        self.ask()
        answered = self.asking.answered
        assert answered
        result, speaks, planned = answered.result(self.rule, self.pair), answered.speaks(self.pair), not self.drawn
        if result is None:
            why = answered.lost or ("nothing came of it" if planned else "the budget left out what was drawn for it")
            self._unverified(f"not verified: {why}", red=speaks is not False and (planned or answered.lost is not None))
        self.result, strict = result, self.asking.setup.options.strict
        self.fate = fate(result, answered.whole(self.rule), strict=strict, speaks=speaks, planned=planned)
        self.user_properties += [("level", result.level.value), ("outcome", result.outcome.value)]
        if self.fate is Fate.ERROR:
            self._unverified(self._told(), red=True)
        if self.fate is Fate.SKIPPED:
            self._unverified(headline(result), red=False)

    def _unverified(self, why: str, *, red: bool) -> NoReturn:
        if red:
            pytest.fail(why, pytrace=False)
        raise pytest.skip.Exception(why, _use_item_location=True)

    def runtest(self) -> None:
        if self.fate is Fate.XFAILED:
            pytest.xfail(headline(self.result))
        if self.fate is not Fate.PASSED:  # also what --runxfail does not let be expected
            pytest.fail(self._told(), pytrace=False)

    def _told(self) -> str:
        run = self.asking.answered and self.asking.answered.run
        assert run
        told = failure([_smallest(self.result, run)], run.exchanges, run.header.relay.get("base_url"))
        return f"{headline(self.result)}\n\n{told}\n\nrun: {visible(str(self.asking.setup.out))}"

    def reportinfo(self) -> tuple[Path, int, str]:
        """Where the law stands."""
        code = getattr(self.rule.check, "__code__", None)
        file = getsourcefile(self.rule.check) if code else None
        line = code.co_firstlineno - 1 if code else 0
        return Path(file) if file else self.path, line, "{} by {}".format(*self.pair)


def _smallest(result: Result, run: Run) -> Result:
    """Of what was drawn, the smallest that shows a failure: all that led there would fill pages."""
    generated = run.footer.generated if run.footer else None
    small = {one.probe for one in generated.found} if generated else set()
    shown = tuple(one for one in result.verdicts if one.outcome is Outcome.FAIL and one.probe in small)
    return replace(result, verdicts=shown) if shown else result
