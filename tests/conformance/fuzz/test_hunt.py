"""The phase that asks generated probes: what is made smaller, what is left alone, and what is told of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from itertools import accumulate
from typing import Any

import pytest

from conformance import plan as planning
from conformance.budget import Spend
from conformance.fuzz import smaller
from conformance.fuzz.case import Case
from conformance.fuzz.hunt import Hunt, Hunter
from conformance.fuzz.prepare import room_for, room_in
from conformance.fuzz.smaller import AGAIN, ALL_TRIES, TRIES
from conformance.plan import SMALLEST
from conformance.price import FREE
from conformance.probe import Planned, Role
from conformance.probes import PROBES
from conformance.probes.chat import ask
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Earlier, Found, Generated, Short
from conformance.target import Target

CHAT = "createChatCompletion"
ROLES = {Role.CHAT: "m", Role.VIDEO: "m"}
IDENTITY = f"chat.answered fuzz.{CHAT}"


def case(**members: Any) -> Case:
    return Case("one", CHAT, Role.CHAT, {"body": ask("Count to 30, please.", 60, **members)})


PLAIN, TWO, THREE = case(), case(n=2, stop=["8"], logprobs=True), case(n=3, user="relayproof")


@dataclass
class Asked:
    """A check that asks nothing: `fails` says of a request whether it fails, `room` how many requests there are."""

    fails: Callable[[dict[str, Any]], bool]
    room: int = 10**6
    takes: int = 1  # requests that one really takes, where it is sent again
    by_steps: bool = False  # or as many as it has steps
    says: Outcome = Outcome.PASS  # of what does not fail
    places: tuple[str, ...] = ("",)  # where in the answer it fails
    sent_of: dict[int, int] = field(default_factory=dict)  # requests that a probe of so many steps takes
    sent: list[tuple[str, bool]] = field(default_factory=list)
    seen: list[Verdict] = field(default_factory=list)

    def became(self, outcome: Outcome) -> bool:
        """Whether that is a failure; else it is what is said."""
        self.says = outcome
        return outcome is Outcome.FAIL

    async def all(self, probes: Sequence[Planned], repeat: int = 1) -> None:
        for one in probes:
            self.seen += (await self.verdicts(one, kept=True))[0]

    async def verdicts(self, planned: Planned, *, kept: bool) -> tuple[list[Verdict], int]:
        self.sent.append((planned.probe.id, kept))
        self.room -= len(planned.probe.steps) if self.by_steps else self.takes
        failed = self.fails(planned.probe.request("m").object)
        found = tuple(Finding("500", place=place) for place in self.places) if failed else ()
        outcome = Outcome.FAIL if failed else self.says
        verdict = Verdict("chat.answered", Level.MUST, outcome, planned.probe.id, (f"e{planned.number}",), found)
        return [verdict], self.sent_of.get(len(planned.probe.steps), 1)

    def part(self, share: float) -> Spend:
        return int(self.room * share), 0, FREE

    def fitting(self, probes: Sequence[Planned], kept: Spend) -> int:
        sizes = accumulate(len(one.probe.steps) if self.by_steps else 1 for one in probes)
        return sum(size <= self.room - kept[0] for size in sizes)


def hunted(
    asked: Asked,
    *cases: Case,
    stored: tuple[Found, ...] = (),
    before: Sequence[Verdict] = (),
    excuse: bool = False,
    halt: str | None = None,
) -> Generated:
    target = Target("t", "http://127.0.0.1:1", models=ROLES)
    plan = planning.plan(target, BOOK, {"chat.whole": PROBES["chat.whole"]})
    named = {one.name: one for one in cases}
    plan = planning.with_generated(plan, target, (one.probe for one in cases))
    assert [one.number for one in plan.generated] == [*range(2 + SMALLEST, 2 + SMALLEST + len(cases))]

    def judged() -> list[Verdict]:
        waived = "known" if excuse else None
        return [*before, *(replace(one, waived=waived) for one in asked.seen)]

    hunter = Hunter(Hunt(named, stored, ROLES), plan, asked, judged, lambda: halt)
    return asyncio.run(hunter.run())


def several(body: dict[str, Any]) -> bool:
    return bool(body.get("n", 1) > 1)


def test_one_finding_is_made_smaller_once_however_many_probes_show_it() -> None:
    asked = Asked(several)
    told = hunted(asked, PLAIN, TWO, THREE)
    assert (told.drawn, told.asked, told.left) == (3, 3, 0)
    [found] = told.found
    assert (found.identity, found.drawn, found.flaky) == (IDENTITY, THREE.name, False)  # it began with the smaller one
    assert found.case["data"] == {"body": {**ask("Say hello.", 16), "n": 2}}  # type: ignore[dict-item]
    assert asked.sent[-1] == (found.probe, True)
    assert told.tries == found.tries == sum(not kept for _, kept in asked.sent) < TRIES


def test_a_video_that_fails_is_told_as_it_was_drawn_and_asked_once() -> None:
    asked, video = Asked(lambda _: True), replace(TWO, role=Role.VIDEO)
    told = hunted(asked, video)
    [found] = told.found
    assert (found.probe, found.drawn, found.tries, told.tries) == (video.name, video.name, 0, 0)
    assert asked.sent == [(video.name, True)]


def test_what_does_not_fail_again_is_flaky_and_left_as_it_was() -> None:
    calls = iter([True, False, True, False, True])
    told = hunted(Asked(lambda _: next(calls)), TWO)
    [found] = told.found
    assert found.flaky
    assert (found.probe, found.drawn, told.tries) == (TWO.name, TWO.name, AGAIN)


def test_what_the_fixed_probes_show_or_a_baseline_excuses_is_not_made_smaller() -> None:
    shown = Verdict("chat.answered", Level.MUST, Outcome.FAIL, "chat.whole", ("e1",), (Finding("500"),))
    assert hunted(Asked(several), TWO, before=[shown]).found == ()
    assert hunted(Asked(several), TWO, excuse=True).found == ()
    assert hunted(Asked(lambda _: False), TWO).found == ()


def test_what_the_budget_leaves_out_is_counted_and_the_rest_of_it_is_not_overdrawn() -> None:
    asked = Asked(lambda _: False, room=4)
    told = hunted(asked, PLAIN, TWO, THREE)
    assert (told.asked, told.left, asked.room) == (2, 1, AGAIN), "what fails could be asked again"
    asked = Asked(several, room=4)
    assert hunted(asked, TWO).tries <= 3
    assert asked.room >= 0
    assert hunted(Asked(several, room=0), TWO) == Generated(1, 0, 1, 0)


MANY = [case(user="x" * at) for at in range(1, 38)]


def test_a_quarter_is_kept_until_it_is_known_what_fails_and_then_there_for_the_rest() -> None:
    asked = Asked(several, room=40)
    told = hunted(asked, THREE, *MANY, PLAIN)
    [found] = told.found
    first = [kept for _, kept in asked.sent].index(False)
    assert first == 30, "probes before the first try"
    assert (found.flaky, found.tries) == (False, told.tries)
    assert 0 < told.tries <= 10
    asked = Asked(lambda _: False, room=40)
    assert (hunted(asked, THREE, *MANY, PLAIN).left, asked.room) == (1, AGAIN)


@pytest.mark.parametrize("at", [0, 10, 14, 15, 17, 18])
def test_what_is_asked_last_is_asked_again_where_it_fails(at: int) -> None:
    """A quarter of what is left is kept each time, and never less than it takes to ask again."""
    asked = Asked(lambda body: body.get("user") == "late", room=20)
    told = hunted(asked, *MANY[:at], case(user="late"), *MANY[at:])
    assert asked.room >= 0
    assert [(one.flaky, one.tries >= AGAIN) for one in told.found] == ([(False, True)] if at < 18 else [])


def test_what_is_cheaper_behind_a_dear_one_does_not_take_what_asks_it_again() -> None:
    dear = replace(case(n=2), kind="forms")
    for room in range(12, 40):
        asked = Asked(several, room=room, by_steps=True)
        told = hunted(asked, dear, *MANY)
        assert [one.flaky for one in told.found] == [False], room
        assert asked.room >= 0


def test_requests_are_counted_as_they_were_sent() -> None:
    drawn = replace(case(n=2), kind="forms")
    assert (
        hunted(Asked(several, sent_of={4: 2}), drawn).tries == hunted(Asked(several, sent_of={4: 4}), drawn).tries - 4
    )


def test_what_fails_only_in_the_rest_is_told_too_and_once() -> None:
    late = Asked(several, room=60)
    told = hunted(late, *MANY, case(user="y" * 40), *[case(user="z" * at) for at in range(1, 9)], THREE)
    [found] = told.found
    assert (found.identity, found.flaky) == (IDENTITY, False)
    assert late.room >= 0


def test_what_there_is_no_room_to_ask_again_is_neither_flaky_nor_steady(monkeypatch: pytest.MonkeyPatch) -> None:
    [found] = hunted(Asked(several, room=4, takes=3), THREE).found
    assert (found.flaky, found.short, found.tries, found.probe) == (None, Short.BUDGET, 0, THREE.name)
    monkeypatch.setattr(smaller, "ALL_TRIES", 1)
    [found] = hunted(Asked(several), THREE).found
    assert (found.flaky, found.short) == (None, Short.TRIES)
    [found] = hunted(Asked(lambda _: True), replace(TWO, role=Role.VIDEO)).found
    assert (found.flaky, found.short) == (None, Short.DEAR)


def test_all_findings_are_asked_again_before_one_is_made_smaller() -> None:
    """What shrinking the first would take of the budget is then not missing."""
    both = Asked(several, room=9, places=("/a", "/b"))
    found = hunted(both, THREE).found
    assert [one.flaky for one in found] == [False, False]
    assert Short.BUDGET in {one.short for one in found}


def test_where_no_smaller_one_was_looked_for_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(smaller, "TRIES", 4)
    [found] = hunted(Asked(several), THREE).found
    assert (found.flaky, found.short, found.tries) == (False, Short.TRIES, 4)
    monkeypatch.undo()
    [found] = hunted(Asked(several), THREE).found
    assert found.short is None


def test_where_nothing_more_is_sent_it_is_said_and_not_the_budget() -> None:
    told = hunted(Asked(several), PLAIN, halt="the relay could not be reached")
    assert (told.asked, told.left, told.stopped) == (0, 1, "the relay could not be reached")
    assert hunted(Asked(several, room=2), PLAIN, TWO).stopped is None


def test_tries_have_an_end_in_all() -> None:
    many = [case(n=2, user="x" * at) for at in range(1, 30)]
    told = hunted(Asked(several), *many)
    assert told.tries <= ALL_TRIES


def failure(drawn: Case, *, flaky: bool | None = False) -> Found:
    return Found(IDENTITY, Level.MUST, "500", drawn.name, drawn.name, 1, drawn.record(), flaky)


def test_a_stored_failure_is_asked_first_and_mended_where_it_passes() -> None:
    asked = Asked(lambda _: False)
    told = hunted(asked, PLAIN, TWO, stored=(failure(TWO),))
    assert asked.sent[0][0] == TWO.name
    assert told.mended == (IDENTITY,)
    assert hunted(Asked(several), PLAIN, TWO, stored=(failure(TWO),)).mended == ()
    assert hunted(Asked(lambda _: False), TWO, stored=(failure(TWO, flaky=True),)).mended == ()
    assert hunted(Asked(lambda _: False), PLAIN, stored=(failure(TWO),)).mended == ()  # it was not asked


def test_of_each_stored_failure_it_is_told_what_became_of_it() -> None:
    assert hunted(Asked(several), TWO, stored=(failure(TWO),)).earlier == Earlier(1, (IDENTITY,))
    for flaky in (True, None):
        told = hunted(Asked(lambda _: False), TWO, stored=(failure(TWO, flaky=flaky),))
        assert (told.mended, told.earlier) == ((), Earlier(1, (), (IDENTITY,))), "it is not known to fail each time"
    assert hunted(Asked(lambda _: False), TWO, stored=(failure(TWO),)).earlier == Earlier(1)
    assert hunted(Asked(lambda _: False), TWO).earlier is None


def test_of_a_stored_failure_that_was_not_asked_it_is_told_why() -> None:
    def why(asked: Asked, *cases: Case, halt: str | None = None) -> str:
        earlier = hunted(asked, *cases, stored=(failure(TWO),), halt=halt).earlier
        assert earlier
        return earlier.open[IDENTITY]

    assert why(Asked(several, room=0), TWO) == "the budget left it out"
    assert why(Asked(several), TWO, halt="out of quota") == "out of quota"
    assert why(Asked(several), PLAIN) == "the relay does not know its model"
    undecided = Asked(lambda _: False, says=Outcome.INCONCLUSIVE)
    assert why(undecided, TWO) == "what came does not decide it"


def test_where_nothing_can_be_drawn_what_is_stored_is_told_all_the_same() -> None:
    hunt = Hunt({}, (failure(TWO),), ROLES, {}, {IDENTITY: "no model is named for tools"})
    plan = planning.plan(Target("t", "http://127.0.0.1:1", models=ROLES), BOOK, {"chat.whole": PROBES["chat.whole"]})
    told = asyncio.run(Hunter(hunt, plan, Asked(several), list, lambda: None).run())
    assert told.earlier == Earlier(1, open={IDENTITY: "no model is named for tools"})


def test_what_is_asked_again_and_decides_nothing_is_not_flaky() -> None:
    outcomes = iter([Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE])
    asked = Asked(lambda _: asked.became(next(outcomes)))
    [found] = hunted(asked, TWO).found
    assert (found.flaky, found.short, found.probe) == (None, Short.OPEN, TWO.name)


def test_where_the_smallest_does_not_fail_at_last_it_is_flaky_and_what_failed_is_shown() -> None:
    sure = Asked(several)
    tries = hunted(sure, TWO).tries
    asked = Asked(lambda body: several(body) and len(asked.sent) < tries + 2)  # the first, the tries, and the last
    told = hunted(asked, TWO)
    assert asked.sent == sure.sent
    [found] = told.found
    assert (found.flaky, found.probe, found.case) == (True, TWO.name, TWO.record())


def test_the_limits_bound_what_is_drawn_and_a_dry_run_knows_it() -> None:
    target = Target("t", "http://127.0.0.1:1", models=ROLES)
    plan = planning.plan(target, BOOK, {"chat.whole": PROBES["chat.whole"]})
    assert room_for(plan, target, 10**5) == 10**5
    limited = replace(target, max_requests=plan.requests + 40)
    assert (room_for(plan, limited, 10**5), room_for(plan, limited, 7)) == (40, 7)
    assert room_for(plan, replace(target, max_requests=0), 7) == 0
    plan = planning.with_generated(plan, target, (one.probe for one in MANY))
    assert room_in(target, plan) == len(plan.generated) == len(MANY)
    assert room_in(replace(target, max_requests=plan.requests + 20), plan) == 15
    assert room_in(replace(target, max_requests=0), plan) == 0
