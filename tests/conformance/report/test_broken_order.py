"""The state in which a stream left its grammar, for each protocol that has one."""

from dataclasses import replace

from conformance.report.broken_order import breaks
from openapi.wire.exchange import Exchange, Read
from tests.conformance.report.made import recorded

CHAT = recorded("litellm/chat-stream", "e1", "chat.stream")
CLAUDE = recorded("litellm/messages-stream", "e2", "messages.stream")
TEXT = recorded("litellm/completions-stream", "e3", "completions.stream")


def kept(exchange: Exchange, count: int, *more: bytes) -> Exchange:
    """The stream cut behind so many events, and what comes instead of the rest."""
    content = exchange.content[: exchange.messages[count - 1].end] if count else b""
    return replace(exchange, reads=(Read(0.1, content), *(Read(0.2, data) for data in more)))


def test_a_right_stream_leaves_no_grammar() -> None:
    assert [breaks(one) for one in (CHAT, CLAUDE, TEXT)] == [(), (), ()]


def test_the_end_that_comes_too_early_stands_behind_the_last_event() -> None:
    (one,) = breaks(kept(CHAT, 3))
    assert (one.event, one.state, one.got) == (3, "within the answer", None)
    assert "finish_reason" in one.expected


def test_what_came_and_what_could_have() -> None:
    (one,) = breaks(kept(CHAT, 2, b"data: [DONE]\n\n"))
    assert (one.event, one.state, one.got) == (2, "within the answer", "[DONE]")
    (text,) = breaks(kept(TEXT, 2, b"data: [DONE]\n\n"))
    assert text.got == "[DONE]"


def test_claudes_events_have_their_own_grammar() -> None:
    told = breaks(kept(CLAUDE, 2))
    assert told
    assert all(one.got is None and one.event == 2 for one in told)


def test_what_is_no_stream_has_no_order() -> None:
    assert breaks(recorded("litellm/chat-basic", "e1", "chat.whole")) == ()
    assert breaks(replace(kept(CHAT, 2), status=500)) == ()
