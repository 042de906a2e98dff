"""How many requests are out at a time."""

import asyncio

from conformance.gate import Gate


def most_inside(width: int, narrows: int) -> int:
    """The most that are inside at once of 40 that all want in."""
    inside = most = 0

    async def pass_through(gate: Gate) -> None:
        nonlocal inside, most
        async with gate.inside():
            inside += 1
            most = max(most, inside)
            await asyncio.sleep(0)
            inside -= 1

    async def all_of_them() -> None:
        gate = Gate(width)
        for _ in range(narrows):
            gate.narrow()
        await asyncio.gather(*(pass_through(gate) for _ in range(40)))

    asyncio.run(all_of_them())
    return most


def test_as_many_as_it_is_wide_go_in_at_once() -> None:
    assert most_inside(6, 0) == 6


def test_it_narrows_by_half_and_never_closes() -> None:
    assert most_inside(6, 1) == 3
    assert most_inside(6, 9) == 1


def test_who_is_inside_stays_when_it_narrows() -> None:
    async def narrow_while_inside() -> int:
        gate = Gate(2)
        async with gate.inside():
            gate.narrow()
            gate.narrow()
        async with gate.inside():
            return gate.width

    assert asyncio.run(narrow_while_inside()) == 1


def test_each_goes_in_as_it_came_and_who_has_begun_ahead_of_all() -> None:
    order: list[int] = []

    async def pass_through(gate: Gate, number: int, *, ahead: bool = False) -> None:
        async with gate.inside(ahead=ahead):
            order.append(number)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        gate = Gate(2)
        async with asyncio.TaskGroup() as group:
            for number in range(8):
                group.create_task(pass_through(gate, number))
            await asyncio.sleep(0)
            group.create_task(pass_through(gate, 99, ahead=True))

    asyncio.run(all_of_them())
    assert [one for one in order if one != 99] == list(range(8))
    assert order.index(99) <= 4


def test_who_gives_up_waiting_takes_no_place() -> None:
    async def story() -> bool:
        gate = Gate(1)

        async def wait() -> None:
            async with gate.inside():
                pass

        async with gate.inside():
            waiting = asyncio.create_task(wait())
            await asyncio.sleep(0)
            waiting.cancel()
        granted = asyncio.create_task(wait())
        await asyncio.sleep(0)  # let in, and given up before it knows
        granted.cancel()
        await asyncio.gather(waiting, granted, return_exceptions=True)
        async with asyncio.timeout(1), gate.inside():
            return True

    assert asyncio.run(story())
