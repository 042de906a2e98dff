"""Where a stream left the grammar of its protocol: in which state, by what, and what could have come instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from conformance.answers import out_of_order
from conformance.asked import chat, completions
from conformance.rules import messages_answers
from openapi.wire.exchange import Exchange
from openapi.wire.grammar import Grammar
from openapi.wire.streams import chat as chat_stream
from openapi.wire.streams import messages as messages_stream


@dataclass(frozen=True, slots=True)
class Break:
    """`event` is its number, that behind the last where the stream ended too early; `got` is None there."""

    event: int
    state: str
    got: str | None
    expected: tuple[str, ...]


def breaks(exchange: Exchange) -> tuple[Break, ...]:
    """The breaks of a stream of 200, in order; none for a protocol without a grammar."""
    if exchange.status != 200 or not exchange.is_stream:
        return ()
    return tuple(sorted(_breaks(exchange), key=lambda one: one.event))


def _breaks(exchange: Exchange) -> Iterator[Break]:
    end = len(exchange.messages)
    if chat.holds(exchange) or completions.holds(exchange):
        for fault in out_of_order(exchange):
            yield _break(chat_stream.GRAMMAR, end if fault.event is None else fault.event, fault.state, fault.got)
    elif messages_answers.messages.holds(exchange):
        for told in messages_answers.out_of_order(exchange):
            yield _break(messages_stream.GRAMMAR, end if told.event is None else told.event, told.state, told.got)


def _break(grammar: Grammar[Any, Any], event: int, state: Any, got: Any) -> Break:  # noqa: ANN401 - any protocol's
    came = None if got is None else str(got.value)
    return Break(event, str(state.value), came, tuple(str(one.value) for one in grammar.expected(state)))
