"""Several checks keep in step, and nobody holds the others up for long."""

import asyncio
from collections.abc import Sequence

from conformance.pace import Company

SOON = 0.05  # seconds


async def walk(company: Company, who: str, probes: Sequence[str], told: list[str], *, slow: float = 0.0) -> None:
    for probe in probes:
        await asyncio.sleep(slow)
        await company.member(who).meet(probe)
        told.append(f"{who}{probe}")
    company.leave(who)


def walked(*walks: tuple[str, str, float], plans: dict[str, str] | None = None, patience: float = 5.0) -> list[str]:
    told: list[str] = []

    async def all_of_them() -> None:
        company = Company(plans or {who: probes for who, probes, _ in walks}, patience)
        await asyncio.gather(*(walk(company, who, probes, told, slow=slow) for who, probes, slow in walks))

    asyncio.run(asyncio.wait_for(all_of_them(), 10))
    return told


def test_each_probe_goes_to_all_before_the_next_goes_to_anybody() -> None:
    told = walked(("a", "123", 0.0), ("b", "123", 0.01), ("c", "123", 0.003))
    assert [{name[1] for name in told[at : at + 3]} for at in (0, 3, 6)] == [{"1"}, {"2"}, {"3"}]


def test_a_probe_that_the_other_does_not_plan_waits_for_nobody() -> None:
    told = walked(("a", "123", 0.0), ("b", "13", 0.02))
    assert told.index("a2") < told.index("b3")
    assert {"a1", "b1"} == set(told[:2])


def test_who_has_left_is_not_waited_for() -> None:
    told = walked(("a", "1234", 0.0), ("b", "1", 0.0), plans={"a": "1234", "b": "1234"}, patience=60)
    assert told[2:] == ["a2", "a3", "a4"]


def test_who_is_late_is_waited_for_once() -> None:
    async def timed() -> float:
        company = Company({"a": "12345", "b": "12345"}, SOON)
        told: list[str] = []
        began = asyncio.get_running_loop().time()
        await walk(company, "a", "12345", told)  # b never comes
        return asyncio.get_running_loop().time() - began

    assert SOON * 0.8 <= asyncio.run(timed()) < 3 * SOON


def test_who_is_slow_and_comes_is_waited_for() -> None:
    told = walked(("a", "1234", 0.0), ("b", "1234", 0.06), patience=0.1)
    assert [{name[1] for name in told[at : at + 2]} for at in (0, 2, 4, 6)] == [{"1"}, {"2"}, {"3"}, {"4"}]


def test_who_has_caught_up_is_waited_for_again() -> None:
    async def work() -> None:
        company = Company({"a": "123", "b": "123"}, SOON)
        await company.member("a").meet("1")  # b is late
        await company.member("a").meet("2")
        await company.member("b").meet("1")
        await company.member("b").meet("2")
        came = asyncio.create_task(company.member("b").meet("3"))  # the first to be there
        await asyncio.sleep(0)
        assert not came.done()
        await company.member("a").meet("3")
        await came

    asyncio.run(work())


def test_a_probe_of_no_plan_meets_nobody() -> None:
    async def work() -> None:
        company = Company({"a": "1", "b": "1"}, 60)
        await asyncio.wait_for(company.member("a").meet("drawn"), 5)
        company.member("a").skip("drawn")

    asyncio.run(work())


def test_what_is_skipped_is_not_waited_for() -> None:
    async def work() -> None:
        company = Company({"a": "1", "b": "1"}, 60)
        waiting = asyncio.create_task(company.member("a").meet("1"))
        await asyncio.sleep(0)
        company.member("b").skip("1")
        await asyncio.wait_for(waiting, 5)

    asyncio.run(work())
