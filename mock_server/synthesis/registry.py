"""Operation id → the function that answers it."""

from collections.abc import Callable, Sequence

from mock_server.answer import Answer, Asked

Synthesis = Callable[[Asked, Sequence[str], int], Answer]

OPERATIONS: dict[str, Synthesis] = {}


def operation(identifier: str) -> Callable[[Synthesis], Synthesis]:
    """Register a function as the answer of an operation. Raises ValueError for the second one of that id."""

    def register(make: Synthesis) -> Synthesis:
        if identifier in OPERATIONS:
            msg = f"two syntheses of {identifier}"
            raise ValueError(msg)
        OPERATIONS[identifier] = make
        return make

    return register
