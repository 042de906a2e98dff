"""How many requests are out at a time."""

import asyncio

from conformance.gate import Gate


def most_inside(width: int, narrows: int) -> int:
    """The most that are inside at once of 40 that all want in."""
    inside = most = 0

    async def pass_through(gate: Gate) -> None:
        nonlocal inside, most
        async with gate:
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
        async with gate:
            gate.narrow()
            gate.narrow()
        async with gate:
            return gate.width

    assert asyncio.run(narrow_while_inside()) == 1
