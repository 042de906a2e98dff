"""The journal by itself: its bounds, whatever comes."""

import asyncio
import json

from hypothesis import given
from hypothesis import strategies as st

from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import Fields
from mock_server.journal import SHOWN, Done, Entry, Filter, Journal
from mock_server.respond import Sent
from openapi.wire.exchange import Auth


def made(size: int = 10, path: str = "/v1/models", *, frames: int = 1) -> tuple[float, Done, Sent]:
    asked = Asked("GET", path, None, (), b"", None, Auth.VALID)
    answer = Answer(200, (), (Frame(0.0, b"x" * size), *(Frame(0.0, b""),) * (frames - 1)))
    return 0.0, Done(asked, answer), Sent(size, 0.0, 0.0, 0.0, left=False)


@given(st.lists(st.integers(0, 300), max_size=60), st.integers(1, 20), st.integers(1, 1000))
def test_it_never_holds_more_than_it_may_and_always_the_last(sizes: list[int], most: int, most_bytes: int) -> None:
    journal = Journal(most, most_bytes)
    for size in sizes:
        journal.add(*made(size))
        kept = list(journal.entries())
        assert len(kept) <= most
        assert len(kept) == 1 or sum(one.sent.size for one in kept) <= most_bytes
        assert kept[-1].number == journal.count
        assert [one.number for one in kept] == list(range(kept[0].number, journal.count + 1))


def test_what_came_in_many_pieces_weighs_more() -> None:
    journal = Journal(9, 9000)
    for frames in (1, 1, 40):
        journal.add(*made(10, frames=frames))
    assert len(list(journal.entries())) == 3
    journal.add(*made(10, frames=40))
    assert [one.number for one in journal.entries()] == [4]


def test_a_long_body_is_shown_in_part_and_its_length_told() -> None:
    whole = Entry(1, *made(SHOWN + 5)).whole()["response"]
    assert isinstance(whole, dict)
    assert isinstance(whole["body"], dict)
    assert (whole["body"]["bytes"], len(str(whole["body"]["begins"]))) == (SHOWN + 5, SHOWN)


def test_what_a_body_weighs_as_a_value_is_not_kept_and_it_is_read_all_the_same() -> None:
    raw = b'{"model":"mock-chat","stream":true,"api_key":"hush-0123456789","x":[' + b"{}," * 3000 + b"{}]}"
    asked = Asked("POST", "/", None, Fields([("a", "b" * 500)]), raw, json.loads(raw), Auth.VALID)
    journal = Journal(5, len(raw) + 1000)
    for _ in range(2):
        journal.add(0.0, Done(asked, Answer(200, ())), Sent(0, None, None, 0.0, left=False))
    (entry,) = journal.entries(Filter(model="mock-*"))
    assert entry.done.asked.body is None
    assert (entry.line()["model"], entry.line()["stream"]) == ("mock-chat", True)
    assert "hush" not in json.dumps(entry.whole())


def test_several_wait_at_once_each_for_its_own() -> None:
    async def story() -> tuple[int, int, int]:
        journal = Journal(9)
        one = asyncio.create_task(journal.wait(Filter(path="/a"), 1, 5.0))
        two = asyncio.create_task(journal.wait(Filter(path="/b"), 2, 5.0))
        none = asyncio.create_task(journal.wait(Filter(path="/c"), 1, 0.05))
        await asyncio.sleep(0)
        for path in ("/b", "/a", "/b"):
            journal.add(*made(path=path))
        return len(await one), len(await two), len(await none)

    assert asyncio.run(story()) == (1, 2, 0)
