"""An event loop in a thread of its own: it may be asked from any test, whatever loop runs there or none."""

import asyncio
import threading
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from typing import Any, TypeVar

T = TypeVar("T")
PATIENCE = 5.0  # seconds that what was cancelled has for cleaning up


class Loop:
    """Started when it is first asked. What is entered into `kept` is left when it is closed."""

    def __init__(self) -> None:
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """The result, waited for by this thread. Who is interrupted meanwhile cancels it, and waits for its end: what
        it writes to is closed then."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._started())
        try:
            return future.result()
        except BaseException:
            if future.cancel():  # else it has ended, and this is its own
                with suppress(TimeoutError):
                    asyncio.run_coroutine_threadsafe(_cancelled(), self._loop).result(PATIENCE)
            raise

    def _started(self) -> asyncio.AbstractEventLoop:
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(target=self._serve, name="relayproof", daemon=True)
                self._thread.start()
        self._ready.wait()
        return self._loop

    def _serve(self) -> None:
        asyncio.run(self._main())

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._end = asyncio.Event()
        async with AsyncExitStack() as self.kept:
            self._ready.set()
            await self._end.wait()
            others = asyncio.all_tasks() - {asyncio.current_task()}
            for task in others:
                task.cancel()
            await asyncio.gather(*others, return_exceptions=True)

    def close(self) -> None:
        """Cancels what still runs, and waits for its end."""
        if self._thread is not None:
            self._loop.call_soon_threadsafe(self._end.set)
            self._thread.join()
            self._thread = None
            self._ready.clear()


async def _cancelled() -> None:
    """Waits for what was cancelled in this loop."""
    ending = [task for task in asyncio.all_tasks() if task.cancelling()]
    await asyncio.gather(*ending, return_exceptions=True)
