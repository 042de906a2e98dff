"""What is drawn: the same for a seed, within bounds, each request once, and mistakes that are mistakes."""

import os
import subprocess
import sys
from dataclasses import replace
from itertools import islice, repeat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st
from hypothesis.internal.conjecture import providers

import relayproof
from conformance.asked import bad_json, legal
from conformance.fuzz import described, drawn, models
from conformance.fuzz.bounds import CHOICES, LIMIT, bounded
from conformance.fuzz.case import Case, is_legal, read_case
from conformance.fuzz.effort import BARREN, Effort, cases
from conformance.fuzz.kinds import KINDS, SEQUENCES
from conformance.fuzz.mistakes import mistakes
from conformance.fuzz.plain import PLAIN, ROLES
from conformance.probe import MODEL, Planned, Role
from conformance.rules.errors import mistyped_member
from conformance.rules.mistakes import malformed, no_request
from openapi.wire.exchange import Exchange

MODELS = dict.fromkeys((*ROLES.values(), Role.TOOLS), "m")
SMALL = Effort(
    random=6, combinations=20, unicode=36, conversations=12, schemas=8, relations=12, turns=3, talks=8, coverage=40
)
ROOT = Path(relayproof.__file__).parent
NAMES = """
from tests.conformance.fuzz.test_effort import MODELS, SMALL
from conformance.fuzz.effort import cases
print(" ".join(case.name for case in cases(MODELS, 3, SMALL)))
"""


@pytest.fixture(scope="module")
def made() -> list[Case]:
    return cases(MODELS, 3, SMALL)


def asked(case: Case) -> list[Exchange]:
    return list(Planned(1, case.probe, "m").unanswered())


def test_the_same_seed_gives_the_same_requests_in_any_process(made: list[Case]) -> None:
    """Whatever modules are loaded, whose constants hypothesis draws, and however hashes fall."""
    said = subprocess.run(
        [sys.executable, "-c", "import mock_server.relay, proof.faulty\n" + NAMES],
        cwd=ROOT,
        env={**os.environ, "PYTHONHASHSEED": "17", "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout.split() == [case.name for case in made]


def test_another_seed_gives_others(made: list[Case]) -> None:
    assert {case.name for case in made} != {case.name for case in cases(MODELS, 4, SMALL)}


def test_constants_of_modules_are_left_out_where_hypothesis_keeps_them() -> None:
    assert callable(providers._get_local_constants)
    assert providers.CONSTANTS_CACHE.cache is not None
    assert len(drawn.drawn(st.integers(), 0, 20)) == 20


def test_each_request_once_for_its_operation_and_every_kind(made: list[Case]) -> None:
    assert len({case.name for case in made}) == len(made)
    assert {case.operation for case in made} == {*ROLES, models.LIST, models.RETRIEVE}
    assert {case.kind for case in made} == {*KINDS, *SEQUENCES} - {"edit"}  # of videos, which are named
    assert {case.operation for case in made if case.kind == "talk"} == {"createChatCompletion", "createMessage"}
    assert {case.role for case in cases({Role.CHAT: "m"}, 0, SMALL)} == {Role.CHAT}


def test_a_case_is_read_as_it_was_written(made: list[Case]) -> None:
    assert [read_case(case.record()) for case in made] == made
    with pytest.raises(ValueError, match="no case of kind"):
        read_case({"kind": "x", "operation": "createEmbedding", "role": "chat", "data": {}})


def test_no_request_may_cost_more_than_its_bounds(made: list[Case]) -> None:
    for case in made:
        for exchange in asked(case):
            prompt, written = case.probe.worst(exchange.request)
            assert written <= 300 * CHOICES
            assert prompt <= 7000
            body = exchange.request.object
            limits = [body[name] for name in ("max_tokens", "max_completion_tokens") if name in body]
            assert all(isinstance(limit, int) and 1 <= limit <= LIMIT for limit in limits), body
            if body and "messages" in body and case.operation != "countMessageTokens":
                assert limits, body
            assert not {"reasoning_effort", "service_tier", "audio"} & body.keys() or not legal.holds(exchange)


@pytest.mark.parametrize(
    "body",
    [
        {"max_tokens": 0},
        {"max_tokens": "5"},
        {"max_tokens": True},
        {
            "messages": [
                {"role": "user", "content": [{"type": "image_url", "image_url": {"url": "https://x.example/"}}]}
            ]
        },
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"user": "x" * 6001},
    ],
    ids=str,
)
def test_what_no_limit_holds_is_not_asked(body: Any) -> None:
    plain = PLAIN["createChatCompletion"]
    assert isinstance(plain, dict)
    case = Case("one", "createChatCompletion", Role.CHAT, {"body": {**plain, **body}})
    assert bounded(case, {Role.CHAT: "m"}) is None


def test_limits_are_set_and_choices_few() -> None:
    def held(**members: Any) -> Any:
        body = {"model": "x", "messages": [], **members}
        case = bounded(Case("one", "createChatCompletion", Role.CHAT, {"body": body}), {Role.CHAT: "m"})
        assert case
        return case.body

    assert held()["max_tokens"] == LIMIT
    assert held(max_tokens=None) == held()
    assert held(max_completion_tokens=10**6)["max_completion_tokens"] == LIMIT
    assert held(n=128)["n"] == CHOICES
    assert (held(n=129)["n"], held(n=129)["max_tokens"]) == (129, 1)
    assert held()["model"] == MODEL


def test_of_several_prompts_the_limit_is_shared() -> None:
    plain = PLAIN["createCompletion"]
    assert isinstance(plain, dict)
    for prompts, n, most in ((["a"] * 3, 4, 66), (["a"] * 3, None, 200), ("a", 4, 200), (["a"] * 900, 1, 1)):
        body: Any = {**plain, "prompt": prompts, "n": n, "max_tokens": 500}
        case = bounded(Case("one", "createCompletion", Role.COMPLETIONS, {"body": body}), {Role.COMPLETIONS: "m"})
        assert case
        assert isinstance(case.body, dict)
        assert case.body["max_tokens"] == most


@pytest.mark.parametrize("operation", [name for name in ROLES if name != "countMessageTokens"])
def test_a_mistake_is_told_as_one_by_a_rule(operation: str) -> None:
    plain = PLAIN[operation]
    assert isinstance(plain, dict)
    told = malformed | no_request | mistyped_member | bad_json
    for case in mistakes(operation, ROLES[operation], plain):
        held = bounded(case, MODELS)
        assert held
        [exchange] = asked(held)
        assert not legal.holds(exchange)
        assert told.holds(exchange), exchange.request.body


def test_schemathesis_gives_legal_and_illegal_bodies() -> None:
    covered = described.coverage("createChatCompletion", Role.CHAT)
    verdicts = [is_legal("createChatCompletion", case.body) for case in covered if case.raw is None]
    assert sum(verdicts) > 100
    assert len(verdicts) - sum(verdicts) > 300
    first, second = (list(islice(described.random_cases("createEmbedding", Role.EMBEDDINGS, 1), 4)) for _ in range(2))
    assert first == second
    assert len({case.name for batch in first for case in batch}) > 10


def test_as_many_random_ones_are_drawn_as_were_wanted_new_and_within_bounds() -> None:
    roles, told = {Role.EMBEDDINGS: "m"}, list[tuple[str, int]]()
    few, many = Effort(coverage=20), Effort(coverage=20, random=50)
    made = cases(roles, 3, many, lambda operation, so_far: told.append((operation, so_far)))
    assert len({case.name for case in made}) == len(made) == len(cases(roles, 3, few)) + 50
    assert told[-1] == ("createEmbedding", 50)
    assert len(told) > 1
    fewer = cases(roles, 3, replace(many, random=7))
    assert {case.name for case in fewer} <= {case.name for case in made}, "a seed draws the same ones first"


def test_where_draws_bring_nothing_new_they_end(monkeypatch: pytest.MonkeyPatch) -> None:
    case = Case("one", "createEmbedding", Role.EMBEDDINGS, {"body": {**PLAIN["createEmbedding"], "user": "x"}})  # type: ignore[dict-item]
    monkeypatch.setattr(described, "random_cases", lambda *_: repeat([case, case]))
    told: list[int] = []
    cases({Role.EMBEDDINGS: "m"}, 3, Effort(random=10**5), lambda _, so_far: told.append(so_far))
    assert told == [1] * (1 + BARREN)


def test_a_configuration_in_the_working_directory_is_somebody_elses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "schemathesis.toml").write_text("no such = [", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    described._operations.cache_clear()
    assert described.coverage("createEmbedding", Role.EMBEDDINGS)


def test_videos_are_drawn_where_one_is_named_few_and_legal(made: list[Case]) -> None:
    assert not any(case.role is Role.VIDEO for case in made)
    named = [case for case in cases({Role.VIDEO: "sora-2"}, 3, SMALL) if case.role is Role.VIDEO]
    assert {case.kind for case in named} == {"one", "edit"}
    assert 4 <= len(named) <= 2 * SMALL.videos
    for case in named:
        assert case.probe.needs == {"video_edit"}
        assert is_legal(case.operation, case.body)
        assert case.probe.names in {(), ("create", "edit")}
