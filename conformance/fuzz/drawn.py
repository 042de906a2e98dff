"""hypothesis as a source of values: so many of a strategy, the same for the same seed, wherever it runs."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants
from hypothesis.strategies import SearchStrategy

T = TypeVar("T")


def drawn(strategy: SearchStrategy[T], seed: int | str, count: int) -> list[T]:
    """At most so many values; a strategy that has fewer gives fewer."""
    found: list[T] = []

    @seeded(seed)
    @settings(
        max_examples=count,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def keep(value: T) -> None:
        found.append(value)

    with no_constants_of_ours():
        keep()
    return found


@contextmanager
def no_constants_of_ours() -> Iterator[None]:
    """hypothesis also draws the constants of whatever local modules are loaded, and keeps what it made of them: then a
    seed would not be enough."""
    usual = providers._get_local_constants  # noqa: SLF001 - it has no switch; a test guards this
    nothing = Constants()
    providers._get_local_constants = lambda: nothing  # noqa: SLF001
    providers.CONSTANTS_CACHE.cache.clear()
    try:
        yield
    finally:
        providers.CONSTANTS_CACHE.cache.clear()
        providers._get_local_constants = usual  # noqa: SLF001
