"""Before a request is decided: is the relay down, and is there room for one more."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count

from mock_server import limits
from mock_server.answer import Answer, Asked
from mock_server.hours import Hours
from mock_server.ledger import Ledger
from mock_server.limits import Limit
from mock_server.outage import Outage
from openapi.wire.exchange import Auth, Headers

EVERYBODY = 1 << 40  # places of which there are enough
START = "start"  # where limits are from that hold for all requests


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a request was let in with: the lease of what it holds, and what its answer tells of what is left."""

    lease: str
    headers: Headers

    def on(self, answer: Answer) -> Answer:
        """The answer with it, in place of what somebody else was told."""
        names = {name for name, _ in self.headers}
        kept = tuple(pair for pair in answer.headers if pair[0].lower() not in names)
        return replace(answer, headers=(*kept, *self.headers))


class Gate:
    """What stands before every request, and asks the ledger. `owner` is whose leases they are."""

    def __init__(
        self,
        ledger: Ledger,
        hours: Hours,
        limited: Sequence[Limit] = (),
        outages: Sequence[Outage] = (),
        owner: str = "",
    ) -> None:
        self.ledger = ledger
        self.hours = hours
        self.limited = [(f"{START} {number}", one) for number, one in enumerate(limited)]
        self.outages = tuple(outages)
        self.idle = not self.limited and not self.outages  # all are let in, and no answer tells a limit
        self._leases = (f"{owner} {number}" for number in count())

    def down(self, asked: Asked, outages: Sequence[Outage]) -> Answer | None:
        """What is answered while the relay is down."""
        now = self.hours.now()
        return next(filter(None, (one.answer(asked, now) for one in outages)), None)

    def enter(self, asked: Asked, limited: Sequence[tuple[str, Limit]], held: Ticket | None = None) -> Ticket | Answer:
        """A ticket for what a request takes, with what it `held` before, or a refusal: then nothing is taken."""
        wanted = limits.needs(limited, asked)
        lease = held.lease if held else next(self._leases)
        admitted, states = self.ledger.admit(lease, [need.want for need in wanted], self.hours.now())
        found = list(zip(wanted, states, strict=True))
        told = limits.headers(asked, found, datetime.now(UTC))
        if not admitted:
            return limits.refused(asked, found, told)
        mine = {name for name, _ in told}
        before = tuple(pair for pair in held.headers if pair[0] not in mine) if held else ()
        return Ticket(lease, (*before, *told))

    def join(self, held: Ticket | None) -> tuple[Ticket, int]:
        """A ticket that also counts as under way, and how many then are, in all workers."""
        ticket = held or Ticket(next(self._leases), ())
        _, ((left, _, _),) = self.ledger.admit(ticket.lease, [("under way", EVERYBODY, 0, 1, False)], 0)
        return ticket, EVERYBODY - left

    def leave(self, ticket: Ticket, used: int | None) -> None:
        """The request is over; `used` tokens, None where nobody said."""
        self.ledger.settle(ticket.lease, used, self.hours.now())

    def forget(self) -> None:
        """All buckets are full."""
        self.ledger.forget(limits.COUNTED)


def counts(asked: Asked) -> bool:
    """Whether limits hold for a request: it asks for work, with a key that is let in."""
    return asked.method == "POST" and asked.auth is Auth.VALID
