"""One budget for all processes of a session, whatever draws on it."""

import json
import multiprocessing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.budget import Budget
from conformance.price import FREE
from conformance.testing.shared import Drawn, SharedBudget, locked
from openapi.wire.exchange import Exchange, Read, Request

ASKED = Request("POST", "/v1/chat/completions")


def answered(prompt: int, completion: int) -> Exchange:
    body = json.dumps({"usage": {"prompt_tokens": prompt, "completion_tokens": completion}}).encode()
    return Exchange("e1", ASKED, 200, (("content-type", "application/json"),), (Read(0.0, body),))


def spend(path: Path, many: int) -> int:
    """How many of so many requests were allowed to one process; each costs less than was reserved."""
    drawn = Drawn.on(SharedBudget(100, 1000, path=path))
    allowed = 0
    for _ in range(many):
        if drawn.reserve(20):
            drawn.settle(20, answered(5, 5))
            allowed += 1
    assert drawn.requests == allowed
    return allowed


def test_processes_together_spend_no_more_than_one_may(tmp_path: Path) -> None:
    path = tmp_path / "budget.json"
    with multiprocessing.get_context("spawn").Pool(3) as pool:
        allowed = pool.starmap(spend, [(path, 60)] * 3)
    counts = json.loads(path.read_text(encoding="utf-8"))
    assert int(counts["requests"]) == sum(allowed)
    assert int(counts["tokens"]) == 10 * sum(allowed) <= 1000
    assert sum(allowed) >= 97, "only what might have cost more than was left was refused"


def test_what_fits_is_told_by_what_all_have_spent_and_kept(tmp_path: Path) -> None:
    one, other = (Drawn.on(SharedBudget(8, 100, path=tmp_path / "budget.json")) for _ in range(2))
    wanted = [(1, 10, FREE)] * 12
    assert one.fitting(wanted) == 8
    assert other.part(0.25) == (2, 25, FREE)
    assert one.fitting(wanted, other.part(0.25)) == 6
    assert other.reserve(70)
    assert one.fitting(wanted) == 3
    assert one.part(0.5) == (3, 15, FREE)


STEPS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 50), st.integers(0, 60)), max_size=30)


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(STEPS, st.integers(0, 12), st.integers(0, 300))
def test_a_shared_budget_allows_what_one_budget_would(
    tmp_path: Path, steps: list[tuple[int, int, int]], requests: int, tokens: int
) -> None:
    path = tmp_path / "budget.json"
    path.unlink(missing_ok=True)
    one = Budget(requests, tokens)
    workers = [Drawn.on(SharedBudget(requests, tokens, path=path)) for _ in range(3)]
    for worker, reserved, used in steps:
        allowed = one.reserve(reserved)
        assert workers[worker].reserve(reserved) == allowed
        if not allowed:
            assert workers[worker].refusal(reserved) == one.refusal(reserved)
        else:
            answer = answered(0, min(reserved, used))
            one.settle(reserved, answer)
            workers[worker].settle(reserved, answer)
    assert sum(worker.requests for worker in workers) == one.requests <= requests
    assert sum(worker.tokens for worker in workers) == one.tokens <= tokens


def test_who_dies_lets_go(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with pytest.raises(RuntimeError), locked(lock):
        raise RuntimeError
    with locked(lock):
        assert lock.exists()
