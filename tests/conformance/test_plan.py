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
FULL = {Role.CHAT: "m", Role.TOOLS: "m", Role.REASONING: "r", Role.VISION: "v", Role.VIDEO: "sora-2"}


def planned(models: dict[Role, str], *only: str, unsupported: Sequence[str] = ()) -> Plan:
    target = Target("t", "http://127.0.0.1:1", models=models, unsupported=frozenset(unsupported))
    return planning.plan(target, RULES, PROBES, only)


def ids(plan: Plan) -> list[str]:
    return [one.probe.id for one in plan.probes]


def reasons(plan: Plan) -> dict[str, str | None]:
    return {one.rule: one.reason for one in plan.skipped}


def test_every_rule_is_reached_by_a_probe() -> None:
    found = planned(FULL)
    reached = {one.id for probe in found.probes for one in probe.reaches(RULES)}
    assert set(RULES) - reached == set()
    assert found.skipped == ()


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
        if one.probe.role and "messages" in body:
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
    }
    assert not {"chat.n", "chat.n-stream", "chat.logprobs"} & set(ids(found))


def test_a_rule_that_no_probe_can_reach_says_so() -> None:
    lonely = {
        "a.b": replace(RULES["usage.sum"], id="a.b", on=~rule.ANYTHING),
    }
    found = planning.plan(Target("t", "http://x", models=FULL), lonely, PROBES)
    assert reasons(found) == {"a.b": "no probe of this version reaches it"}


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
