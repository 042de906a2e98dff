"""What a relay is said to have: claims that a target lists, held against the answers.

Whether what is claimed takes effect is for the rules on it: `chat.n`, `tools.called` and so on.
"""

from collections.abc import Iterator

from conformance.answers import answered, describe, replied
from conformance.asked import legal
from conformance.rule import Finding, Inconclusive, Level, On, Remark, rule
from openapi.wire.exchange import Exchange

TARGET = "the claims of the target"
# The key, the money, the wait, or a state of things: none of them speaks of the capability.
NOT_THE_CAPABILITY = {401, 402, 403, 408, 409, 429}
claimed = On("claimed capabilities", lambda exchange: bool(exchange.claims) and all(exchange.claims.values()))
unclaimed = On("a capability that is not claimed", lambda exchange: not all(exchange.claims.values()))


def _refused(exchange: Exchange) -> bool:
    status = exchange.status or 0
    return 400 <= status < 500 and status not in NOT_THE_CAPABILITY


def _served(exchange: Exchange) -> bool:
    """An answer, whole or streamed, and no error in the place of one."""
    return replied.holds(exchange) and not any(payload.object.get("error") for payload in exchange.payloads)


@rule("claims.kept", Level.MUST, cites=TARGET, on=legal & claimed, given=answered)
def kept(exchange: Exchange) -> Iterator[Remark]:
    """What a relay is said to have it does not refuse."""
    names = ", ".join(exchange.claims)
    if _refused(exchange):
        yield Finding(f"{names}: claimed and refused, {describe(exchange)}", place=names)
    elif not _served(exchange):
        yield Inconclusive(describe(exchange))


@rule("claims.more", Level.MAY, cites=TARGET, on=legal & unclaimed, given=answered)
def more(exchange: Exchange) -> Iterator[Remark]:
    """What a relay is not said to have it refuses; where it does not, the list of claims may be too short."""
    names = ", ".join(name for name, has in exchange.claims.items() if not has)
    if _served(exchange):
        yield Finding(f"{names}: not claimed and not refused, {describe(exchange)}", place=names)
    elif not _refused(exchange):
        yield Inconclusive(describe(exchange))
