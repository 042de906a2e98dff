"""Every rule is proven able to fail, and nobody honest fails: faults over a real socket, judged by the real suite.

The machinery is that of `relayproof selftest` (proof/faulty.py): one mock plays all faults, a second one those in time.
"""

import asyncio
from collections.abc import Iterator

import pytest

from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.run import outcome_of
from mock_server.faults import FAULTS
from proof.faulty import ALSO_IN_TIME, GOOD, IN_TIME, STREAMS, Mocks, judged, manner, mocks, tried
from proof.matrix import line

QUICK = [
    name  # rare ones are in test_fuzz.py
    for name, fault in FAULTS.items()
    if name not in IN_TIME and name not in ALSO_IN_TIME and not fault.rare
]


@pytest.fixture(scope="module")
def served() -> Iterator[Mocks]:
    with mocks() as both:
        yield both


def test_each_rule_is_named_by_a_fault() -> None:
    named = {name for fault in FAULTS.values() for name in fault.breaks}
    assert set(BOOK) - named == set()
    assert named - set(BOOK) == set()


def test_a_fault_that_is_not_honest_names_a_rule() -> None:
    assert [fault.id for fault in FAULTS.values() if bool(fault.breaks) == fault.honest] == []


@pytest.mark.parametrize("fault", QUICK)
def test_a_fault_breaks_the_rules_that_it_names_and_no_other(served: Mocks, fault: str) -> None:
    trial = asyncio.run(tried(served, fault))
    assert trial.holds, line(trial)


@pytest.mark.waits
@pytest.mark.parametrize("fault", [*IN_TIME, *(name for name in ALSO_IN_TIME if name != GOOD)])
def test_what_is_wrong_in_time_is_told_and_what_only_takes_time_is_not(served: Mocks, fault: str) -> None:
    trial = asyncio.run(tried(served, fault))
    assert trial.holds, line(trial)


def test_the_good_mock_draws_no_finding_and_every_must_is_verified(served: Mocks) -> None:
    trial = asyncio.run(tried(served, GOOD))
    assert trial.holds, line(trial)
    assert trial.failed == set()


@pytest.mark.waits
def test_a_compressed_stream_that_is_flushed_is_verified(served: Mocks) -> None:
    run = asyncio.run(judged(served.paced, manner("honest-gzip"), only=STREAMS.only, idle=STREAMS.idle))
    outcomes = {name: outcome_of(verdicts) for name, verdicts in run.by_rule().items()}
    assert outcomes["sse.gzip-flushed"] is Outcome.PASS
    assert outcomes["sse.incremental"] is Outcome.PASS
