"""A request may say which relay it wants: faults and a seed by header, and each combination has turns of its own."""

import json
from pathlib import Path

import pytest

from mock_server.answer import Answer
from mock_server.faults import FAULTS
from mock_server.library import RECORDINGS, Library, Turns, load
from mock_server.manners import Relays, UnknownMannerError
from mock_server.options import Conduct
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Framing, Headers

DOCUMENT = document.load()
KEY: Headers = (("authorization", "Bearer k"), ("content-type", "application/json"))
HELLO: dict[str, Json] = {"model": "mock-chat", "messages": [{"role": "user", "content": "Tell me of the sea."}]}


def answer(relays: Relays, *headers: tuple[str, str], **more: Json) -> Answer:
    relay = relays.of(headers)
    raw = json.dumps({**HELLO, **more}).encode()
    return relay.answer(relay.asked("POST", "/v1/chat/completions", (*KEY, *headers), raw))


@pytest.fixture
def relays() -> Relays:
    return Relays(DOCUMENT, Library([], DOCUMENT))


def words(made: Answer) -> str:
    return str(json.loads(made.body)["choices"][0]["message"]["content"])


def test_without_a_header_the_relay_is_as_it_was_started(relays: Relays) -> None:
    assert relays.of(KEY) is relays.usual


@pytest.mark.parametrize("mode", ["nonsense", "", "warn,off"])
def test_a_way_to_validate_that_is_none_is_refused(relays: Relays, mode: str) -> None:
    with pytest.raises(UnknownMannerError, match="X-Relay-Validate: expected "):
        relays.of((*KEY, ("X-Relay-Validate", mode)))
    assert answer(relays, ("X-Relay-Validate", " WARN ")).status == 200


def test_a_fault_by_header_is_for_that_request_alone(relays: Relays) -> None:
    bad = answer(relays, ("X-Relay-Fault", "chat-stream-done-missing"), stream=True)
    assert b"[DONE]" not in bad.body
    assert b"[DONE]" in answer(relays, stream=True).body


def test_several_faults_come_after_those_that_it_was_started_with() -> None:
    relays = Relays(DOCUMENT, Library([], DOCUMENT), Conduct(faults=(FAULTS["honest-crlf"],)))
    both = relays.of((("x-relay-fault", "honest-slow, chat-stream-done-missing"),))
    assert [fault.id for fault in both.faults] == ["honest-crlf", "honest-slow", "chat-stream-done-missing"]
    assert relays.of((("x-relay-fault", "honest-slow,chat-stream-done-missing"),)) is both


@pytest.mark.parametrize(
    "headers", [(("x-relay-fault", "no-such"),), (("x-relay-seed", "-1"),), (("x-relay-seed", ""),)]
)
def test_what_is_not_known_is_refused(relays: Relays, headers: Headers) -> None:
    with pytest.raises(UnknownMannerError):
        relays.of(headers)


def test_equal_seeds_say_the_same_and_others_something_else(relays: Relays) -> None:
    said = [words(answer(relays, ("x-relay-seed", seed))) for seed in ("1", "1", "2", "3", "0")]
    assert said[0] == said[1]
    assert len(set(said)) == 4
    assert said[4] == words(answer(relays))


def test_a_seed_says_the_same_whole_and_streamed(relays: Relays) -> None:
    seed = ("x-relay-seed", "5")
    streamed = answer(relays, seed, stream=True)
    chunks = [json.loads(line[6:]) for line in streamed.body.decode().splitlines() if line.startswith("data: {")]
    assert "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in chunks) == words(answer(relays, seed))


def test_a_seed_varies_members_pieces_and_pauses_and_loses_nothing(relays: Relays) -> None:
    plain, one, other = (
        answer(relays, *([("x-relay-seed", seed)] if seed else []), stream=True) for seed in ("", "1", "2")
    )
    assert plain.framing is Framing.CHUNKED
    assert len({tuple(len(frame.data) for frame in made.frames) for made in (plain, one, other)}) == 3
    orders = {tuple(json.loads(made.body.decode().splitlines()[0][6:])) for made in (plain, one, other)}
    assert len(orders) > 1
    for made in (one, other):
        dues = [frame.due for frame in made.frames]
        assert dues == sorted(dues)
        assert made.ended_at >= dues[-1]


def test_a_recording_keeps_its_bytes_under_a_seed() -> None:
    library = load(RECORDINGS, DOCUMENT)
    name = next(name for name, exchange in library.recordings.items() if exchange.is_stream)
    relays = Relays(DOCUMENT, library)
    pick = ("x-relay-recording", name)
    assert answer(relays, pick, ("x-relay-seed", "4")).body == answer(relays, pick).body


def test_a_request_is_counted_by_each_relay_for_itself(relays: Relays) -> None:
    once = ("x-relay-fault", "honest-429-then-well")
    again = (once, ("x-relay-seed", "9"))
    assert [answer(relays, once).status for _ in range(4)] == [429, 200, 429, 200]
    assert [answer(relays, *again).status for _ in range(2)] == [429, 200]
    assert [answer(relays, once, n=2).status for _ in range(2)] == [429, 200]


def test_counts_are_forgotten_rather_than_kept_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mock_server.ledger.MOST", 2)
    turns = Turns()
    assert [turns.count(part) for part in ("a", "a", "b", "a", "a")] == [1, 2, 1, 1, 2]
    turns.reset()
    assert turns.count("a") == 1


def test_the_folder_of_recordings_is_there() -> None:
    assert Path(RECORDINGS).is_dir()
