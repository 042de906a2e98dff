"""One process that plays many relays: a request may say by header which faults it wants, and which seed.

    X-Relay-Fault: chat-stream-done-missing, honest-slow      X-Relay-Seed: 7

Each combination is a relay of its own, with turns of its own, made when it is first asked for.
"""

from collections.abc import Sequence
from functools import lru_cache

from mock_server.asking import header
from mock_server.faults import FAULTS, Fault
from mock_server.library import Library
from mock_server.policy import RIGHT, Policy
from mock_server.relay import Relay
from openapi.document import Document
from openapi.wire.exchange import Headers

FAULT = "x-relay-fault"
SEED = "x-relay-seed"
KEPT = 1024  # relays


class UnknownMannerError(ValueError):
    """A header that asks for a fault that there is not, or for a seed that is no number."""


class Relays:
    """The relays of one process. `faults` and `seed` are those of a request that names none; more faults come after."""

    def __init__(
        self,
        document: Document,
        library: Library,
        *,
        policy: Policy = RIGHT,
        faults: Sequence[Fault] = (),
        api_key: str | None = None,
        seed: int = 0,
    ) -> None:
        self.seed = seed
        self.usual = Relay(document, library, policy=policy, faults=faults, api_key=api_key, seed=seed)

        def make(names: tuple[str, ...], seed: int) -> Relay:
            more = [FAULTS[name] for name in names]
            return Relay(document, library, policy=policy, faults=[*faults, *more], api_key=api_key, seed=seed)

        self._made = lru_cache(maxsize=KEPT)(make)

    def of(self, headers: Headers) -> Relay:
        """The relay that a request asks for. Raises UnknownMannerError."""
        wanted, seed = header(headers, FAULT), header(headers, SEED)
        if wanted is None and seed is None:
            return self.usual
        names = tuple(name for word in (wanted or "").split(",") if (name := word.strip()))
        unknown = next((name for name in names if name not in FAULTS), None)
        if unknown is not None:
            msg = f"X-Relay-Fault: no fault is named {unknown!r}"
            raise UnknownMannerError(msg)
        if seed is not None and not (seed.isascii() and seed.isdigit()):
            msg = "X-Relay-Seed: expected a whole number"
            raise UnknownMannerError(msg)
        return self._made(names, self.seed if seed is None else int(seed[:18]))
