"""What a relay has, found out by requests that cannot be billed: lists, ids that nobody has, and bodies that nobody can
read.

A path that cannot be there is asked too, as the control: an answer that looks like its answer says that a path is not
there, another one that it is. Where the control decides nothing, nothing is said. None of this is judged: a relay may
have as little as it wants.
"""

import asyncio
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from conformance.answers import describe, message_of
from conformance.budget import Budget
from conformance.gate import Gate
from conformance.probe import JSON_TYPE
from conformance.target import Target
from conformance.transport import Link, Transport, UnreachableError, connected
from openapi.wire.exchange import Auth, Exchange, Request

NOWHERE = "/v1/relayproof-nothing-is-here"
NOBODY = "relayproof-nobody"  # an id that nothing has
BROKEN = b"{"  # no JSON: nothing in it can be asked for, nothing of it can be billed
WIDTH = 4  # requests at a time
AT_ONCE = {"GET", "POST"}  # other methods may change something
BUSY = {429, 502, 503, 504}


class Presence(StrEnum):
    """Whether an operation is there."""

    DRAWN_ROLES = "there"
    ABSENT = "not there"
    UNKNOWN = "cannot be told"


@dataclass(frozen=True, slots=True)
class Found:
    """One operation of the document or of the platforms' documentation: `POST /v1/embeddings`. `why` is the answer."""

    operation: str
    presence: Presence
    why: str


@dataclass(frozen=True, slots=True)
class Discovery:
    """What was found. `halt` says why nothing could be: not reached, or the key refused. `models` are those listed."""

    found: tuple[Found, ...]
    models: tuple[str, ...]
    requests: int
    halt: str | None = None

    def has(self, operation: str) -> Presence:
        known: Mapping[str, Presence] = {one.operation: one.presence for one in self.found}
        return known.get(operation, Presence.UNKNOWN)


async def discover(
    target: Target, link: Link, operations: Iterable[str], *, watch: Callable[[str], None] = lambda _: None
) -> Discovery:
    """Asks for each operation once, within the target's limit of requests. Raises ConfigurationError."""
    asked = [name for name in dict.fromkeys(operations) if _askable(name)]
    budget = Budget(target.max_requests, target.max_tokens)
    async with connected(link) as transport:
        session = _Session(transport, budget, watch)
        try:
            listed = await session.ask("GET /v1/models")
        except UnreachableError as error:
            return Discovery((), (), budget.requests, f"the relay could not be reached: {error}")
        if listed is not None and listed.status in {401, 403}:
            return Discovery((), (), budget.requests, f"the relay refused the key: {describe(listed)}")
        controls = {method: await session.ask(f"{method} {NOWHERE}") for method in sorted(AT_ONCE)}
        answers = await asyncio.gather(*(session.ask(name) for name in asked))
    found = [_found(name, one, controls[name.split()[0]]) for name, one in zip(asked, answers, strict=True)]
    return Discovery(tuple(found), tuple(_models(listed)), budget.requests)


class _Session:
    def __init__(self, transport: Transport, budget: Budget, watch: Callable[[str], None]) -> None:
        self._transport = transport
        self._budget = budget
        self._watch = watch
        self._gate = Gate(WIDTH)
        self._first = True

    async def ask(self, operation: str) -> Exchange | None:
        """The answer; None where the budget does not allow to ask, or no connection came. Raises UnreachableError for
        the first request alone."""
        async with self._gate.inside():
            if not self._budget.reserve(0):
                return None
            first, self._first = self._first, False
            self._watch(operation)
            try:
                return await self._transport.send(_request(operation))
            except UnreachableError:
                if first:
                    raise
                return None


def _askable(operation: str) -> bool:
    method, _, path = operation.partition(" ")
    return method in AT_ONCE and path.startswith("/") and not re.search(r"[?…\s]", path)


def _request(operation: str) -> Request:
    method, _, path = operation.partition(" ")
    path = re.sub(r"\{[^}]*\}", NOBODY, path)
    if method == "GET":
        return Request(method, path, (), Auth.VALID, None)
    return Request(method, path, JSON_TYPE, Auth.VALID, BROKEN)


def _found(operation: str, answer: Exchange | None, control: Exchange | None) -> Found:
    why = "was not asked: the limit on requests, or no connection" if answer is None else describe(answer)
    return Found(operation, presence(operation, answer, control), why)


def presence(operation: str, answer: Exchange | None, control: Exchange | None) -> Presence:
    """What an answer says, beside that to a path that cannot be there."""
    if answer is None or control is None or answer.status is None or control.status is None:
        return Presence.UNKNOWN
    if answer.status in BUSY or 300 <= answer.status < 400:
        return Presence.UNKNOWN
    missing = control.status in {404, 405} or (control.status < 400 and _is_page(control))
    if answer.status == control.status and _looks(answer) == _looks(control):
        return Presence.ABSENT if missing else Presence.UNKNOWN
    if answer.status in {405, 501}:
        return Presence.ABSENT
    if answer.status == 404 and "{" not in operation:
        return Presence.UNKNOWN  # unlike the control, and still not found
    return Presence.DRAWN_ROLES if missing else Presence.UNKNOWN


def _is_page(answer: Exchange) -> bool:
    return (answer.header("content-type") or "").startswith("text/html")


def _looks(answer: Exchange) -> str:
    """What an answer says, less its path and whatever numbers it has."""
    text = message_of(answer) or answer.body[:2000].decode("utf-8", "replace")
    text = text.replace(answer.request.path, "PATH").replace(answer.request.path.strip("/"), "PATH")
    return re.sub(r"[0-9a-fA-F-]{6,}|\d+", "#", text)


def _models(listed: Exchange | None) -> Sequence[str]:
    match listed.object if listed is not None and listed.status == 200 else {}:
        case {"data": [*models]}:
            return [name for one in models if isinstance(one, dict) and isinstance(name := one.get("id"), str) and name]
    return []
