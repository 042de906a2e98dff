"""How many requests are out at a time: fewer as soon as the relay asks for it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


class Gate:
    """Lets so many in at once, in the order in which they come: relays that are asked in step wait for each other at
    the same probes. `narrow` halves that for a relay that says 429: no check should overload one."""

    def __init__(self, width: int) -> None:
        self.width = width
        self._inside = 0
        self._queue: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def inside(self, *, ahead: bool = False) -> AsyncIterator[None]:
        """A place; `ahead` of all who wait, for what goes on with something that has begun."""
        turn = asyncio.get_running_loop().create_future()
        if ahead:
            self._queue.appendleft(turn)
        else:
            self._queue.append(turn)
        self._let_in()
        try:
            await turn
            yield
        finally:
            if turn.done() and not turn.cancelled():  # let in, though it may have been given up just then
                self._inside -= 1
            self._let_in()

    def narrow(self) -> None:
        self.width = max(self.width // 2, 1)

    def _let_in(self) -> None:
        while self._queue and self._inside < self.width:
            turn = self._queue.popleft()
            if not turn.done():
                self._inside += 1
                turn.set_result(None)
