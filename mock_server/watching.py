"""What is served follows its files: recordings and the script are read again when they change on disk."""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mock_server.library import LibraryError
from mock_server.script import ScriptError

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Follow:
    """A folder, or with a `name` one file in it, and what reads it again. That may raise LibraryError or ScriptError:
    then all stays as it was."""

    folder: Path
    read: Callable[[], object]
    name: str | None = None

    def concerns(self, paths: Iterable[str]) -> bool:
        return self.name is None or any(Path(path).name == self.name for path in paths)


async def watch(follows: Iterable[Follow]) -> None:
    """Follows these until it is cancelled."""
    await asyncio.gather(*map(_follow, follows))


async def _follow(follow: Follow) -> None:
    from watchfiles import awatch  # noqa: PLC0415 - compiled, for this alone

    # the folder of a file, since an editor puts another file in the place of the one that it read
    async for changes in awatch(follow.folder, recursive=follow.name is None, step=100):
        if follow.concerns(path for _, path in changes):
            try:
                follow.read()
            except (LibraryError, ScriptError) as error:
                logger.warning("not read again: %s", error)
            else:
                logger.warning("read again: %s", follow.folder / (follow.name or ""))
