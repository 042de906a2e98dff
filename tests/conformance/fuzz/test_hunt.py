"""The phase that asks generated probes: what is made smaller, what is left alone, and what is told of it."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from conformance import plan as planning
from conformance.budget import Spend
from conformance.fuzz.case import Case
from conformance.fuzz.hunt import AGAIN, ALL_TRIES, TRIES, Hunt, Hunter
from conformance.plan import SMALLEST
from conformance.price import FREE
from conformance.probe import Planned, Role
from conformance.probes import PROBES
from conformance.probes.chat import ask
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Found, Generated
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
    sent: list[tuple[str, bool]] = field(default_factory=list)
    seen: list[Verdict] = field(default_factory=list)

    async def all(self, probes: Sequence[Planned], repeat: int = 1) -> None:
        for one in probes:
            self.seen += await self.verdicts(one, kept=True)

    async def verdicts(self, planned: Planned, *, kept: bool) -> list[Verdict]:
        self.sent.append((planned.probe.id, kept))
        self.room -= 1
        failed = self.fails(planned.probe.request("m").object)
        found = (Finding("500"),) if failed else ()
        outcome = Outcome.FAIL if failed else Outcome.PASS
        return [Verdict("chat.answered", Level.MUST, outcome, planned.probe.id, (f"e{planned.number}",), found)]

    def part(self, share: float) -> Spend:
        return int(self.room * share), 0, FREE

    def fitting(self, probes: Sequence[Planned], kept: Spend) -> int:
        return max(0, min(len(probes), self.room - kept[0]))


def hunted(
    asked: Asked, *cases: Case, stored: tuple[Found, ...] = (), before: Sequence[Verdict] = (), excuse: bool = False
) -> Generated:
    target = Target("t", "http://127.0.0.1:1", models=ROLES)
    plan = planning.plan(target, BOOK, {"chat.whole": PROBES["chat.whole"]})
    named = {one.name: one for one in cases}
    plan = planning.with_generated(plan, target, (one.probe for one in cases))
    assert [one.number for one in plan.generated] == [*range(2 + SMALLEST, 2 + SMALLEST + len(cases))]

    def judged() -> list[Verdict]:
        waived = "known" if excuse else None
        return [*before, *(replace(one, waived=waived) for one in asked.seen)]

    hunter = Hunter(Hunt(named, stored, ROLES), plan, asked, judged, lambda: False)
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
    asked = Asked(lambda _: False, room=2)
    told = hunted(asked, PLAIN, TWO, THREE)
    assert (told.asked, told.left, asked.room) == (2, 1, 0)
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
    assert (hunted(asked, THREE, *MANY, PLAIN).left, asked.room) == (0, 1)


def test_what_fails_only_in_the_rest_is_told_too_and_once() -> None:
    late = Asked(several, room=60)
    told = hunted(late, *MANY, case(user="y" * 40), *[case(user="z" * at) for at in range(1, 9)], THREE)
    [found] = told.found
    assert (found.identity, found.flaky) == (IDENTITY, False)
    assert late.room >= 0


def test_what_there_is_no_room_to_ask_again_is_not_called_flaky() -> None:
    [found] = hunted(Asked(several, room=1), THREE).found
    assert (found.flaky, found.tries, found.probe) == (False, 0, THREE.name)


def test_tries_have_an_end_in_all() -> None:
    many = [case(n=2, user="x" * at) for at in range(1, 30)]
    told = hunted(Asked(several), *many)
    assert told.tries <= ALL_TRIES


def failure(drawn: Case, *, flaky: bool = False) -> Found:
    return Found(IDENTITY, Level.MUST, "500", drawn.name, drawn.name, 1, drawn.record(), flaky)


def test_a_stored_failure_is_asked_first_and_mended_where_it_passes() -> None:
    asked = Asked(lambda _: False)
    told = hunted(asked, PLAIN, TWO, stored=(failure(TWO),))
    assert asked.sent[0][0] == TWO.name
    assert told.mended == (IDENTITY,)
    assert hunted(Asked(several), PLAIN, TWO, stored=(failure(TWO),)).mended == ()
    assert hunted(Asked(lambda _: False), TWO, stored=(failure(TWO, flaky=True),)).mended == ()
    assert hunted(Asked(lambda _: False), PLAIN, stored=(failure(TWO),)).mended == ()  # it was not asked
