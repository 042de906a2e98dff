"""Every recording of the tree comes back as it was recorded, byte for byte and chunk for chunk."""

from dataclasses import replace

import pytest

from mock_server.library import PICK, RECORDINGS, load
from mock_server.replay import HOP_BY_HOP
from openapi import document
from openapi.wire import sse
from openapi.wire.exchange import Auth, End, Exchange, Headers
from openapi.wire.streams import chat
from tests.mock_server.wire import Wire, encode

MADE_ANEW = HOP_BY_HOP | {"date", "content-length"}
AUTHORED = load(RECORDINGS / "authored", document.load()).recordings
SEQUENCES = sorted(AUTHORED)


def end_to_end(headers: Headers) -> set[tuple[str, str]]:
    return {(name.lower(), value) for name, value in headers if name.lower() not in MADE_ANEW}


def key(exchange: Exchange) -> str | None:
    return None if exchange.request.auth is Auth.NONE else "any-key"


def test_replay_over_a_socket_is_byte_exact(recording: tuple[str, Exchange], mock: str) -> None:
    name, exchange = recording
    request = replace(exchange.request, headers=(*exchange.request.headers, (PICK, name)))
    with Wire(mock) as wire:
        wire.send(encode(request, key(exchange)))
        seen = wire.answer(request.method)
    assert seen.status == exchange.status
    assert seen.body == exchange.body
    assert seen.chunks == (exchange.chunks or ())
    assert end_to_end(exchange.headers) <= end_to_end(seen.head.headers)
    assert seen.reader.framing is exchange.framing
    ours = exchange.end is End.CLIENT_ABORTED
    assert (seen.end, seen.reader.fault) == (End.TRUNCATED if ours else exchange.end, None)


def exchange_of(start: str) -> Exchange:
    (name,) = (name for name in SEQUENCES if name.startswith(start))
    return AUTHORED[name]


@pytest.mark.parametrize("number", range(1, 9))
def test_all_documented_sequences_are_there(number: int) -> None:
    assert any(name.startswith(f"seq-{number}-") for name in SEQUENCES)


@pytest.mark.parametrize("name", ["seq-1-create", "seq-1-edit", "seq-3", "seq-6"])
def test_right_streams_obey_the_grammar(name: str) -> None:
    exchange = exchange_of(name)
    said = [
        said.symbol
        for index, (message, payload) in enumerate(zip(exchange.messages, exchange.payloads, strict=True))
        for said in chat.classify(index, message, payload)
    ]
    assert chat.GRAMMAR.walk(said) == ()


def content(exchange: Exchange) -> str:
    return chat.fold(exchange.payloads).choices[0].content


def test_the_first_sequence_spells_the_prompt_and_one_video() -> None:
    exchange = exchange_of("seq-1-create")
    text = content(exchange)
    assert exchange.request.object["model"] == "sora-2"
    assert "many tennis balls are flying around in zero gravity" in text
    assert text.count(".mp4") == 1
    assert 120 < exchange.ended_at < 180


def test_the_edit_names_the_video_that_it_edits() -> None:
    first, edit = content(exchange_of("seq-1-create")), content(exchange_of("seq-1-edit"))
    sid = first.rpartition("sid: ")[2].split()[0]
    assert f'"sid": "{sid}"' in edit
    assert exchange_of("seq-1-edit").request.object["messages"][1]["content"] == first  # type: ignore[index,call-overload]


def test_the_second_changes_its_id_and_shouts_its_end() -> None:
    exchange = exchange_of("seq-2")
    assert len({str(payload.object.get("id")) for payload in exchange.payloads[:-1]}) == 9
    assert chat.fold(exchange.payloads).choices[0].finish == ["STOP"]


def test_the_third_counts_up_and_tells_usage() -> None:
    reply = chat.fold(exchange_of("seq-3").payloads)
    assert [int(part.partition(".")[0]) for part in reply.choices[0].content.split("进度:")[1:]] == [12, 36, 58, 79, 95]
    assert reply.usage


def test_the_fifth_never_dispatches_its_sentinel() -> None:
    exchange = exchange_of("seq-5")
    assert exchange.body.endswith(rb"data: [DONE]\n\n")
    assert isinstance(exchange.items[-1], sse.Truncated)


def test_the_sixth_stays_awake_by_comments() -> None:
    comments = [item for item in exchange_of("seq-6").items if isinstance(item, sse.Comment)]
    assert [comment.text for comment in comments] == [" PING"] * 8


def test_the_seventh_fails_within_the_stream() -> None:
    assert "error" in exchange_of("seq-7").payloads[1].object


def test_the_eighth_ends_within_a_character() -> None:
    exchange = exchange_of("seq-8")
    assert exchange.end is End.TRUNCATED
    with pytest.raises(UnicodeDecodeError, match="unexpected end of data"):
        exchange.body.decode()


@pytest.mark.parametrize("name", SEQUENCES)
def test_nothing_real_is_named(name: str) -> None:
    for host in AUTHORED[name].body.split(b"https://")[1:]:
        assert host.startswith((b"cdn.example.com/", b"data.example.com/"))
