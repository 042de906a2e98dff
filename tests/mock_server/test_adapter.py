"""What a request leaves behind: an entry with the right moment, and nothing of the recordings of before."""

import gc
import json
import math
import weakref
from time import sleep

import pytest

from mock_server.adapter import Adapter
from mock_server.head import Head
from mock_server.journal import Journal
from mock_server.library import RECORDINGS, load
from mock_server.manners import Relays
from mock_server.options import Options
from mock_server.replay import Pace
from openapi import document

DOCUMENT = document.load()
BODY = json.dumps({"model": "mock-chat", "messages": [{"role": "user", "content": "hello"}]}).encode()
USUAL = ((b"authorization", b"Bearer k"), (b"content-type", b"application/json"))


def adapter() -> Adapter:
    return Adapter(Relays(DOCUMENT, load(RECORDINGS, DOCUMENT)), Options(pace=Pace(math.inf)))


def head(served: Adapter, *fields: tuple[bytes, bytes]) -> Head:
    scope = {"method": "POST", "path": "/v1/chat/completions", "headers": [*USUAL, *fields]}
    return served.heads.read(scope)


@pytest.mark.parametrize("field", [(b"user-agent", b"one"), (b"x-relay-fault", b"chat-id-missing")])
def test_recordings_that_were_replaced_are_forgotten(field: tuple[bytes, bytes]) -> None:
    served = adapter()
    for _ in range(3):
        served.directly(head(served, field), BODY, lambda *_: None)
    before = weakref.ref(served.relays.usual.library)
    served.relays.borrow(load(RECORDINGS, DOCUMENT))
    served.directly(head(served), BODY, lambda *_: None)
    gc.collect()
    assert before() is None
    assert served.journal.count == 4
    assert [len(entry.faults) for entry in served.journal.entries()] == [field[0] == b"x-relay-fault"] * 3 + [0]


def test_an_answer_counts_from_before_a_client_can_have_it() -> None:
    served, told = adapter(), list[float]()

    def number(ago: float) -> int:
        told.append(ago)
        return len(told)

    served.journal = Journal(10, number=number)
    served.directly(head(served), BODY, lambda *_: sleep(0.05))
    assert told[0] >= 0.05
