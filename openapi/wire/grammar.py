"""A protocol's order as a table, and the dozen lines that read it.

    GRAMMAR = Grammar(start, accepting, {(state, symbol): next state, …}, {symbol: state, …})

A missing edge is a violation, which is told and not raised: the walk goes on from the state in which that symbol always
leaves a stream (`resume`), so that one mistake is told once and what follows it is judged on its own. One table has
four readers: the suite recognises with it, the mock checks its recordings with it, tests walk it, the docs draw it.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Generic, TypeVar

S = TypeVar("S", bound=Enum)  # states
Y = TypeVar("Y", bound=Enum)  # symbols


@dataclass(frozen=True, slots=True)
class Violation(Generic[S, Y]):
    """Where a stream left its grammar: the symbol's number, the state, what came (None: the end), what could have."""

    index: int
    state: S
    got: Y | None
    expected: tuple[Y, ...]


@dataclass(frozen=True)
class Grammar(Generic[S, Y]):
    """States, edges, and where a symbol without an edge leads."""

    start: S
    accepting: frozenset[S]
    edges: Mapping[tuple[S, Y], S]
    resume: Mapping[Y, S]

    def expected(self, state: S) -> tuple[Y, ...]:
        """The symbols that may come in a state, in the order of the table."""
        return tuple(symbol for (origin, symbol) in self.edges if origin is state)

    def walk(self, symbols: Iterable[Y], *, ended: bool = True) -> tuple[Violation[S, Y], ...]:
        """What is out of order. `ended` tells whether the stream ended by itself: else nothing is said of its end."""
        violations: list[Violation[S, Y]] = []
        state, index = self.start, -1
        for index, symbol in enumerate(symbols):
            after = self.edges.get((state, symbol))
            if after is None:
                violations.append(Violation(index, state, symbol, self.expected(state)))
                after = self.resume.get(symbol, state)
            state = after
        if ended and state not in self.accepting:
            violations.append(Violation(index + 1, state, None, self.expected(state)))
        return tuple(violations)
