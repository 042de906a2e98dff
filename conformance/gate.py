"""How many requests are out at a time: fewer as soon as the relay asks for it."""

import asyncio


class Gate:
    """Lets so many in at once. `narrow` halves that for a relay that says 429: no check should overload one."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._inside = 0
        self._changed = asyncio.Condition()

    async def __aenter__(self) -> None:
        async with self._changed:
            await self._changed.wait_for(lambda: self._inside < self.width)
            self._inside += 1

    async def __aexit__(self, *_: object) -> None:
        async with self._changed:
            self._inside -= 1
            self._changed.notify()

    def narrow(self) -> None:
        self.width = max(self.width // 2, 1)
