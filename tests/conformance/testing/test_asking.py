"""What a session asks for its selected items, and where each verdict is shown."""

from dataclasses import replace

from conformance import plan as planning
from conformance.fuzz.case import Case
from conformance.identity import NOBODY
from conformance.plan import Plan
from conformance.probe import Role
from conformance.probes import PROBES
from conformance.probes.chat import ask
from conformance.rule import Level, Outcome, Rule, Verdict
from conformance.rules import BOOK
from conformance.run import Footer, Header, Run
from conformance.target import Target
from conformance.testing.asking import FUZZED, answered, cut, pairs

HEADER = Header({"name": "m", "base_url": "http://relay.example"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z")
TARGET = Target("m", "http://127.0.0.1", models={Role.CHAT: "m", Role.TOOLS: "m"})
PLAN: Plan = planning.plan(TARGET, BOOK, PROBES)
CASES = [
    Case("one", "createChatCompletion", Role.CHAT, {"body": ask("Say hello.", 16, stream=stream)})
    for stream in (False, True)
]
DRAWN: Plan = planning.with_generated(PLAN, TARGET, (case.probe for case in CASES))


def run(*verdicts: Verdict, exit: int = 0, note: str | None = None) -> Run:  # noqa: A002
    return Run(HEADER, (), verdicts, Footer({}, {}, "2026-01-01T00:00:09Z", exit, note))


def verdict(rule: str, probe: str | None, outcome: Outcome, reason: str | None = None) -> Verdict:
    return Verdict(rule, Level.MUST, outcome, probe, (), (), reason)


def test_every_rule_of_a_target_has_an_item_skipped_ones_too() -> None:
    assert {rule for rule, _ in pairs(PLAN)} == {rule for rule in BOOK if BOOK[rule].chapter != "claims"}
    assert ("video.link", NOBODY) in pairs(PLAN) or any(pair[1] == NOBODY for pair in pairs(PLAN))
    assert len(pairs(PLAN)) > 5000


def test_all_of_it_is_the_plan_itself() -> None:
    assert cut(PLAN, pairs(PLAN)) is PLAN


def test_a_part_asks_its_probes_and_their_controls() -> None:
    part = cut(PLAN, [("tools.head", "tools.named-stream"), ("chat.stream.done", "chat.stream")])
    assert {one.probe.id for one in part.probes} == {
        *("chat.whole", "chat.stream", "tools.required", "tools.named-stream")
    }
    assert set(part.rules) == {"tools.head", "chat.stream.done"}
    assert (part.only, part.skipped) == (("chat.stream.done", "tools.head"), ())
    numbers = {one.probe.id: one.number for one in PLAN.probes}
    assert all(numbers[one.probe.id] == one.number for one in part.probes), "exchanges keep their names"
    assert planning.confined(BOOK, part.only).keys() == part.rules.keys(), "judged again by the same rules"


def test_a_verdict_that_no_plan_foresaw_is_shown_and_one_that_was_left_out_is_not() -> None:
    done: Rule = BOOK["chat.stream.done"]
    wanted = [(done.id, "chat.stream")]
    seen = run(
        verdict(done.id, "chat.stream", Outcome.PASS),
        verdict(done.id, "of.another.answer", Outcome.FAIL),
        verdict(done.id, "chat.stop-stream", Outcome.FAIL),
    )
    told = answered(seen, wanted, set(pairs(PLAN)))
    found = told.result(done, wanted[0])
    assert found
    assert (found.outcome, len(found.verdicts)) == (Outcome.FAIL, 2)


def test_what_could_not_be_asked_is_told_by_the_first_of_each_reason() -> None:
    rule: Rule = BOOK["chat.stream.done"]
    probes = ("chat.stream", "chat.stop-stream", "chat.n-stream", "chat.limit-stream")
    wanted = [(rule.id, probe) for probe in probes]
    reasons = ("spent", "spent", "unknown model")
    left = [verdict(rule.id, probe, Outcome.UNTESTABLE, why) for probe, why in zip(probes[:3], reasons, strict=True)]
    told = answered(run(*left, verdict(rule.id, probes[3], Outcome.PASS)), wanted, set(pairs(PLAN)))
    assert [told.speaks(pair) for pair in wanted] == [True, False, True, None]


def test_a_run_that_reached_nobody_is_told_once() -> None:
    rule: Rule = BOOK["chat.stream.done"]
    wanted = [(rule.id, probe) for probe in ("chat.stream", "chat.stop-stream", "chat.n-stream")]
    left = verdict(rule.id, "chat.stream", Outcome.INCONCLUSIVE, "401"), verdict(rule.id, "chat.n-stream", Outcome.PASS)
    for seen in (run(*left, exit=3, note="refused the key"), replace(run(*left), footer=None)):
        told = answered(seen, wanted, set(pairs(PLAN)))
        assert told.lost
        assert [told.speaks(pair) for pair in wanted] == [True, False, None]


# --- generated probes -----------------------------------------------------------------------------------------------


def test_a_rule_that_generated_probes_reach_has_one_item_for_all_of_them() -> None:
    drawn = {rule for rule, probe in pairs(DRAWN) if probe == FUZZED}
    assert {"chat.stream.done", "chat.schema", "errors.envelope"} <= drawn
    assert "tools.head" not in drawn
    assert pairs(DRAWN).keys() - pairs(PLAN).keys() == {(rule, FUZZED) for rule in drawn}
    assert cut(DRAWN, pairs(DRAWN)) is DRAWN


def test_a_part_asks_what_was_drawn_for_its_rules_behind_the_controls() -> None:
    part = cut(DRAWN, [("chat.stream.done", FUZZED)])
    assert [one.probe.id for one in part.generated] == [CASES[1].name]
    assert [one.probe.id for one in part.probes] == ["chat.whole"]
    assert set(part.rules) == {"chat.stream.done"}
    assert cut(DRAWN, [("chat.stream.done", "chat.stream")]).generated == ()


def test_what_was_drawn_is_told_where_it_was_selected_and_nowhere_else() -> None:
    rule: Rule = BOOK["chat.stream.done"]
    seen = run(verdict(rule.id, CASES[1].name, Outcome.FAIL), verdict(rule.id, "chat.stream", Outcome.PASS))
    both = [(rule.id, "chat.stream"), (rule.id, FUZZED)]
    told = answered(seen, both, set(pairs(DRAWN)))
    assert [found.outcome for pair in both if (found := told.result(rule, pair))] == [Outcome.PASS, Outcome.FAIL]
    told = answered(seen, both[:1], set(pairs(DRAWN)))
    assert (found := told.result(rule, both[0]))
    assert found.outcome is Outcome.PASS
