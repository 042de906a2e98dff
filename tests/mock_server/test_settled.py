"""What is remembered of requests is bounded: also by what their answers weigh."""

import pytest

from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import Fields
from mock_server.library import Library
from mock_server.relay import Relay
from mock_server.settled import HEAVIEST, LONGEST, Decision, Settled
from openapi import document
from openapi.wire.exchange import Auth

RELAY = Relay(document.load(), Library([], document.load()))


def known(body: bytes, answer: Answer, second: int | None) -> bool:
    """Whether a decision is found again."""
    settled, key = Settled(), ("POST", "/", Fields(), body)
    settled.find(RELAY, key, 1)
    settled.keep(key, Decision(Asked("POST", "/", None, (), body, None, Auth.NONE), answer, second))
    return settled.find(RELAY, key, 1) is not None


@pytest.mark.parametrize(
    ("body", "frames", "second", "kept"),
    [
        (b"{}", (Frame(0.0, b"x" * 1000),), 1, True),
        (b"x" * (LONGEST + 1), (Frame(0.0, b"x"),), 1, False),
        (b"{}", (Frame(0.0, b"x" * HEAVIEST),), 1, False),
        (b"{}", (Frame(0.0, b""),) * (HEAVIEST // 100), 1, False),
        (b"{}", (Frame(0.0, b"x" * HEAVIEST),), None, True),
    ],
    ids=["small", "a long request", "a long answer", "an answer of many pieces", "a recorded one"],
)
def test_what_weighs_little_is_remembered(
    body: bytes, frames: tuple[Frame, ...], second: int | None, *, kept: bool
) -> None:
    assert known(body, Answer(200, (), frames), second) is kept
