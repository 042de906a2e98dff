"""Which probes a target gets, and what becomes of the rules that none of them reaches."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from conformance import plan as planning
from conformance import rule
from conformance.plan import Plan
from conformance.probe import Role
from conformance.probes import PROBES
from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.target import ConfigurationError, Target

RULES = BOOK
FULL = {
    Role.CHAT: "m",
    Role.TOOLS: "m",
    Role.REASONING: "r",
    Role.VISION: "v",
    Role.VIDEO: "sora-2",
    Role.COMPLETIONS: "t",
    Role.EMBEDDINGS: "e",
    Role.MESSAGES: "c",
}


def planned(
    models: dict[Role, str], *only: str, unsupported: Sequence[str] = (), claims: frozenset[str] | None = None
) -> Plan:
    target = Target("t", "http://127.0.0.1:1", models=models, unsupported=frozenset(unsupported), claims=claims)
    return planning.plan(target, RULES, PROBES, only)


def ids(plan: Plan) -> list[str]:
    return [one.probe.id for one in plan.probes]


def reasons(plan: Plan) -> dict[str, str | None]:
    return {one.rule: one.reason for one in plan.skipped}


def test_every_rule_is_reached_by_a_probe() -> None:
    found = planning.plan(Target("t", "http://127.0.0.1:1", models=FULL), RULES, PROBES, fetch_media=True)
    reached = {one.id for probe in found.probes for one in probe.reaches(RULES)}
    assert {name for name in set(RULES) - reached if not name.startswith("claims.")} == set()
    assert found.skipped == ()


# --- claims ---------------------------------------------------------------------------------------------------------

NEEDS = frozenset(need for probe in PROBES.values() for need in probe.needs)


def test_claims_bring_the_rules_on_claims() -> None:
    found = planned(FULL, claims=NEEDS - {"n"})
    reached = {one.id for probe in found.probes for one in probe.reaches(RULES)}
    assert {name for name in RULES if name.startswith("claims.")} <= reached


def test_what_is_not_claimed_is_asked_once_and_judged_by_the_rules_on_claims_alone() -> None:
    found = planned(FULL, claims=NEEDS - {"n"})
    (one,) = (probe for probe in found.probes if not all(probe.claims.values()))
    assert (one.probe.id, one.claims) == ("chat.n", {"n": False})
    assert [rule.id for rule in one.reaches(RULES)] == ["claims.more"]
    assert reasons(found)["chat.n"] == "the target does not claim n"


def test_a_probe_of_several_needs_is_asked_only_where_all_are_claimed() -> None:
    several = {probe.id for probe in PROBES.values() if len(probe.needs) > 1}
    assert "embeddings.dimensions-base64" in several
    assert several <= set(ids(planned({**FULL, **dict.fromkeys(Role, "m")}, claims=NEEDS)))
    assert "embeddings.dimensions-base64" not in ids(planned(FULL, claims=NEEDS - {"base64"}))
    assert "embeddings.dimensions" in ids(planned(FULL, claims=NEEDS - {"base64"}))


def test_a_video_is_too_dear_to_see_what_is_not_claimed() -> None:
    assert "video.edit" in ids(planned(FULL, claims=NEEDS))
    assert "video.edit" not in ids(planned(FULL, claims=NEEDS - {"video_edit"}))


def test_what_is_said_not_to_be_there_is_not_asked_at_all() -> None:
    found = planned(FULL, unsupported=["n"], claims=NEEDS - {"n"})
    assert not {"chat.n", "chat.n-stream", "completions.n"} & set(ids(found))


def test_keys_are_checked_whatever_is_claimed() -> None:
    found = planned(FULL, claims=frozenset())
    assert "errors.no-key" in ids(found)
    assert next(one for one in found.probes if one.probe.id == "errors.no-key").claims == {}


def test_without_a_list_nothing_is_claimed_or_left_unclaimed() -> None:
    assert {tuple(one.claims) for one in planned(FULL).probes} == {()}
    assert not any(name.startswith("claims.") for name in reasons(planned(FULL)))


def test_claims_that_reach_no_rule_say_so() -> None:
    assert reasons(planned(FULL, claims=frozenset()))["claims.kept"] == planning.OF_CLAIMS
    assert reasons(planned(FULL, claims=NEEDS))["claims.more"] == planning.OF_CLAIMS


def test_a_claim_that_no_probe_needs_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match=r"claims nn, tols, which no probe needs; there are .*\bn\b.*stop"):
        planned(FULL, claims=frozenset({"n", "tols", "nn"}))


def test_a_full_target_gets_all_probes_in_order() -> None:
    found = planned(FULL)
    assert ids(found) == list(PROBES)
    assert [one.number for one in found.probes] == list(range(1, len(PROBES) + 1))
    assert found.rules == RULES
    assert found.tokens == sum(one.probe.tokens(one.model) for one in found.probes) > 0


def test_each_probe_asks_for_the_model_of_its_role() -> None:
    for one in planned(FULL).probes:
        assert one.model == (FULL[one.probe.role] if one.probe.role else "")
        body = one.probe.request(one.model).object
        if one.probe.role and "messages" in body and not one.probe.free:
            assert body["model"] == one.model


def test_without_a_model_only_what_needs_none_is_asked() -> None:
    found = planned({})
    assert {PROBES[name].role for name in ids(found)} == {None}
    assert reasons(found)["chat.stream.done"] == "no model is named for chat"
    assert reasons(found)["tools.head"] == "no model is named for tools"
    assert reasons(found)["video.link"] == "no model is named for video"
    assert {(one.outcome, one.probe, one.exchanges) for one in found.skipped} == {(Outcome.SKIPPED, None, ())}
    assert all(one.level is RULES[one.rule].level for one in found.skipped)


def test_what_a_target_does_not_claim_is_skipped_with_the_reason() -> None:
    found = planned(FULL, unsupported=["n", "logprobs"])
    assert reasons(found) == {
        "chat.n": "the target does not claim n",
        "chat.logprobs": "the target does not claim logprobs",
        "chat.logprobs-details": "the target does not claim logprobs",
        "completions.n": "the target does not claim n",
        "completions.logprobs": "the target does not claim logprobs",
        "video.link-type": "links are fetched with --fetch-media only",
    }
    assert not {"chat.n", "chat.n-stream", "chat.logprobs"} & set(ids(found))


def test_a_rule_that_no_probe_can_reach_says_so() -> None:
    lonely = {
        "a.b": replace(RULES["usage.sum"], id="a.b", on=~rule.ANYTHING),
    }
    found = planning.plan(Target("t", "http://x", models=FULL), lonely, PROBES)
    assert reasons(found) == {"a.b": "no probe of this version reaches it"}


def test_links_are_fetched_where_the_user_wants_it() -> None:
    target = Target("t", "http://127.0.0.1:1", models=FULL)
    asked = planning.plan(target, RULES, PROBES, fetch_media=True)
    left = planning.plan(target, RULES, PROBES)
    assert "video.link-type" not in reasons(asked)
    assert reasons(left)["video.link-type"] == "links are fetched with --fetch-media only"
    assert reasons(planned({Role.CHAT: "m"}))["video.link-type"] == "no model is named for video"
    fetching = [one.probe for one in asked.probes if any(step.link for step in one.probe.steps)]
    assert [probe.id for probe in fetching] == ["video.create", "video.create-with-image"]
    assert asked.requests == left.requests + len(fetching)
    assert asked.tokens == left.tokens
    assert [one.probe.step for one in left.probes if one.probe.id == "video.create"] == [None]
    assert ids(asked) == ids(left)


def test_a_role_without_rules_is_idle() -> None:
    assert planned({Role.CHAT: "m", Role.RERANK: "x"}).idle_roles == (Role.RERANK,)
    assert planned(FULL).idle_roles == ()


def test_only_a_rule_asks_the_probes_that_reach_it() -> None:
    found = planned(FULL, "usage.sum")
    assert list(found.rules) == ["usage.sum"]
    assert {"chat.whole", "chat.stream-usage", "tools.named"} < set(ids(found))
    assert "models.list" not in ids(found)
    assert found.skipped == ()


def test_only_a_chapter_without_a_model_is_skipped_aloud() -> None:
    found = planned({Role.CHAT: "m"}, "tools")
    assert found.probes == ()
    assert set(reasons(found)) == {name for name in RULES if name.startswith("tools.")}


def test_only_a_probe_asks_it_behind_its_control_and_judges_it_by_all() -> None:
    found = planned(FULL, "chat.stream-usage")
    assert ids(found) == ["chat.whole", "chat.stream-usage"]
    assert found.rules == RULES
    assert found.skipped == ()


def test_only_a_name_of_both_asks_every_probe_that_reaches_the_rule() -> None:
    found = planned(FULL, "chat.n")
    assert ids(found) == ["chat.whole", "chat.n", "chat.n-stream"]
    assert list(found.rules) == ["chat.n"]


def test_only_a_surface_asks_and_judges_it() -> None:
    found = planned(FULL, "models")
    assert set(ids(found)) == {"chat.whole", *(name for name in PROBES if name.startswith("models."))}
    assert set(found.rules) == {name for name in RULES if name.startswith("models.")}


def test_only_a_probe_and_a_rule_loses_neither() -> None:
    found = planned({Role.CHAT: "m"}, "models.list", "usage.sum", "tools.none")
    assert {"models.list", "chat.whole"} < set(ids(found))
    assert set(reasons(found)) == {"tools.none"}


def test_a_word_is_a_whole_part_of_a_name() -> None:
    assert set(planned(FULL, "chat.stream.").rules) == {name for name in RULES if name.startswith("chat.stream.")}
    with pytest.raises(ConfigurationError):
        planned(FULL, "chat.strea")


@pytest.mark.parametrize("only", [["nothing"], ["chat.n", "nothing"], ["nothing", "video"]])
def test_a_word_that_names_nothing_is_refused(only: list[str]) -> None:
    with pytest.raises(ConfigurationError, match="--only nothing: no rule, surface or probe"):
        planned(FULL, *only)


def test_a_probe_that_the_target_cannot_get_is_refused_by_name() -> None:
    with pytest.raises(ConfigurationError, match=r"--only video\.create: no rule, surface or probe of this target"):
        planned({Role.CHAT: "m"}, "video.create")


def test_a_probe_that_could_not_be_made_leaves_its_rules_untestable() -> None:
    _, one = planned(FULL, "chat.stream-usage").probes
    found = planning.untestable(one, RULES, "the budget was spent")
    assert {verdict.rule for verdict in found} == {rule.id for rule in one.reaches(RULES)}
    assert {(verdict.outcome, verdict.reason, verdict.probe) for verdict in found} == {
        (Outcome.UNTESTABLE, "the budget was spent", "chat.stream-usage")
    }
