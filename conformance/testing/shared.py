"""What several processes share: a lock, and one budget for all of them, kept in a file."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import IO, Any

from conformance.budget import Budget, Spend

LIMITS = tuple(one.name for one in fields(Budget) if one.name.startswith("max_"))


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Alone, among all processes that lock this file. A process that dies lets go."""
    with path.open("a+b") as file:
        lock, unlock = _locking(file)
        lock()
        try:
            yield
        finally:
            unlock()


def _locking(file: IO[bytes]) -> tuple[Callable[[], object], Callable[[], object]]:
    if os.name == "nt":
        import msvcrt  # noqa: PLC0415 - of this system alone

        windows: Any = msvcrt

        def wait() -> None:
            file.seek(0)
            windows.locking(file.fileno(), windows.LK_LOCK, 1)

        def leave() -> None:
            file.seek(0)
            windows.locking(file.fileno(), windows.LK_UNLCK, 1)

        return wait, leave
    import fcntl  # noqa: PLC0415

    return (lambda: fcntl.flock(file, fcntl.LOCK_EX)), (lambda: fcntl.flock(file, fcntl.LOCK_UN))


@dataclass
class SharedBudget(Budget):
    """A budget that every process with the same file draws on: what one reserves is gone for all."""

    path: Path = Path()

    def reserve(self, *asked: Any, **more: Any) -> bool:  # noqa: ANN401 - whatever a budget is asked
        with self._held():
            return Budget.reserve(self, *asked, **more)

    def settle(self, *asked: Any, **more: Any) -> None:  # noqa: ANN401
        with self._held():
            Budget.settle(self, *asked, **more)

    def part(self, *asked: Any, **more: Any) -> Spend:  # noqa: ANN401
        with self._held():
            return Budget.part(self, *asked, **more)

    def fitting(self, *asked: Any, **more: Any) -> int:  # noqa: ANN401
        with self._held():
            return Budget.fitting(self, *asked, **more)

    @contextmanager
    def _held(self) -> Iterator[None]:
        """The counts as they are in the file, and back into it, with nobody else between."""
        with locked(self.path.with_suffix(".lock")):
            if self.path.exists():
                for name, text in json.loads(self.path.read_text(encoding="utf-8")).items():
                    setattr(self, name, type(getattr(self, name))(text))
            yield
            fresh = self.path.with_suffix(".new")
            fresh.write_text(json.dumps(self._counts()), encoding="utf-8")
            fresh.replace(self.path)

    def _counts(self) -> dict[str, str]:
        """What is counted, whole numbers or money, as text: nothing is rounded."""
        named = (one.name for one in fields(Budget) if one.name not in LIMITS)
        return {name: str(getattr(self, name)) for name in named}


@dataclass
class Drawn(Budget):
    """The budget of one who draws on another, which others draw on too: it counts what is its own."""

    source: Budget = field(default_factory=Budget)

    @classmethod
    def on(cls, source: Budget) -> "Drawn":
        return cls(**{name: getattr(source, name) for name in LIMITS}, source=source)

    def reserve(self, *asked: Any, **more: Any) -> bool:  # noqa: ANN401
        return self.source.reserve(*asked, **more) and Budget.reserve(self, *asked, **more)

    def refusal(self, *asked: Any, **more: Any) -> str:  # noqa: ANN401
        return self.source.refusal(*asked, **more)

    def part(self, *asked: Any, **more: Any) -> Spend:  # noqa: ANN401
        return self.source.part(*asked, **more)

    def fitting(self, *asked: Any, **more: Any) -> int:  # noqa: ANN401
        return self.source.fitting(*asked, **more)

    def settle(self, *asked: Any, **more: Any) -> None:  # noqa: ANN401
        self.source.settle(*asked, **more)
        Budget.settle(self, *asked, **more)
