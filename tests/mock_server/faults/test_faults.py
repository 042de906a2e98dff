"""Every fault: changes something, always the same, and nothing that it is not about."""

import re
from itertools import pairwise

import pytest

from mock_server.answer import Answer, Asked
from mock_server.faults import FAULTS, Fault
from mock_server.faults.fault import sends
from mock_server.policy import Policy
from mock_server.replay import answer_of
from openapi import document
from openapi.wire.exchange import Auth, Exchange

Pair = tuple[Asked, Answer]

ALL = [pytest.param(fault, id=fault.id) for fault in FAULTS.values()]
COMMON = [pytest.param(fault, id=fault.id) for fault in FAULTS.values() if not fault.rare]  # tests/system/test_fuzz.py
SENDING = [pytest.param(fault, id=fault.id) for fault in FAULTS.values() if fault.answer]


def bent(fault: Fault, asked: Asked, answer: Answer) -> tuple[Asked, Policy, Answer]:
    heard = fault.asked(asked) if fault.asked else asked
    policy = fault.policy(Policy()) if fault.policy else Policy()
    return heard, policy, fault.answer(asked, answer) if fault.answer else answer


def on_wire(answer: Answer) -> tuple[object, ...]:
    """What a client can see of an answer."""
    pieces = [b"HTTP/1.1 200 OK\r\ndate: now\r\n\r\n", answer.body, b"0\r\n\r\n"]
    wired = [answer.wire(piece) for piece in pieces] if answer.wire else pieces
    return answer.status, answer.headers, answer.frames, answer.framing, answer.end, answer.ended_at, wired


@pytest.mark.parametrize("fault", COMMON)
def test_it_changes_something(fault: Fault, pairs: list[Pair], liberties: list[Pair]) -> None:
    pairs = [*pairs, *liberties]
    changed = [bent(fault, asked, answer) for asked, answer in pairs]
    assert any(
        heard != asked or policy != Policy() or on_wire(sent) != on_wire(answer)
        for (heard, policy, sent), (asked, answer) in zip(changed, pairs, strict=True)
    )


@pytest.mark.parametrize("fault", ALL)
def test_it_is_always_the_same(fault: Fault, pairs: list[Pair]) -> None:
    for asked, answer in pairs:
        once, again = bent(fault, asked, answer), bent(fault, asked, answer)
        assert once[:2] == again[:2]
        assert on_wire(once[2]) == on_wire(again[2])


@pytest.mark.parametrize("fault", ALL)
def test_it_says_what_it_is(fault: Fault) -> None:
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", fault.id)
    assert re.fullmatch(r"\S.+[^.]\.", fault.text)
    assert bool(fault.breaks) is not fault.honest
    assert len(set(fault.breaks)) == len(fault.breaks)
    assert sum(bend is not None for bend in (fault.asked, fault.policy, fault.answer)) == 1


@pytest.mark.parametrize("fault", SENDING)
def test_nothing_is_due_before_what_precedes_it(fault: Fault, pairs: list[Pair]) -> None:
    for asked, answer in pairs:
        sent = bent(fault, asked, answer)[2]
        dues = [frame.due for frame in sent.frames]
        assert all(due <= later for due, later in pairwise([*dues, sent.ended_at]))


def test_all_work_on_recordings(recording: tuple[str, Exchange]) -> None:
    _, exchange = recording
    request = exchange.request
    match = document.load().match(request.method, request.path)
    operation = match.operation.id if match else None
    raw = request.body or b""
    asked = Asked(request.method, request.path, operation, request.headers, raw, request.json.value, Auth.VALID)
    answer = answer_of(exchange)
    for fault in FAULTS.values():
        sent = bent(fault, asked, answer)[2]
        assert all(frame.due <= later.due for frame, later in pairwise(sent.frames)), fault.id


def test_two_faults_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="chat-stream-done-missing"):
        sends("chat-stream-done-missing")(lambda _, answer: answer)
