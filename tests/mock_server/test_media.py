"""The mock serves the videos that it links to: to anybody, in parts, and nothing else from there."""

import json
from collections.abc import Callable

import pytest

from mock_server import media
from mock_server.answer import Answer
from mock_server.faults import FAULTS
from mock_server.library import RECORDINGS, Library
from mock_server.media import MOVIE, link
from mock_server.options import Conduct
from mock_server.relay import Relay
from openapi import document
from openapi.wire.exchange import Headers
from openapi.wire.jsonl import read_recording

VIDEO = "/__relay__/media/0af.mp4"
JOB = json.dumps({"model": "sora-2", "stream": True, "messages": [{"role": "user", "content": "A cat."}]}).encode()
SIZE = len(MOVIE)


def ask(path: str = VIDEO, method: str = "GET", *headers: tuple[str, str], raw: bytes = b"", fault: str = "") -> Answer:
    faults = (FAULTS[fault],) if fault else ()
    made = Relay(document.load(), Library((), document.load()), Conduct(faults=faults, api_key="k"))
    return made.answer(made.asked(method, path, headers, raw))


def said(answer: Answer) -> tuple[int, dict[str, str], bytes]:
    kept = {name: value for name, value in answer.headers if name != "x-request-id"}
    return answer.status, kept, answer.body


def test_a_video_is_there_for_who_has_no_key() -> None:
    status, headers, body = said(ask())
    assert (status, headers, body) == (200, {"content-type": "video/mp4", "accept-ranges": "bytes"}, MOVIE)
    assert MOVIE[4:8] == b"ftyp"
    assert ask(f"{VIDEO}?download=1").body == MOVIE
    assert said(ask(VIDEO, "HEAD"))[:2] == (200, headers)


def test_a_video_is_an_iso_file_whose_boxes_fill_it() -> None:
    boxes, at = [], 0
    while at < SIZE:
        length = int.from_bytes(MOVIE[at : at + 4], "big")
        boxes.append(MOVIE[at + 4 : at + 8])
        at += length
    assert at == SIZE
    assert [boxes[0], boxes[-1]] == [b"ftyp", b"mdat"]
    assert b"moov" in boxes


@pytest.mark.parametrize(
    ("wanted", "status", "place", "body"),
    [
        ("bytes=0-1023", 206, f"bytes 0-{SIZE - 1}/{SIZE}", MOVIE),
        ("bytes=0-0", 206, f"bytes 0-0/{SIZE}", MOVIE[:1]),
        ("bytes=4-7", 206, f"bytes 4-7/{SIZE}", b"ftyp"),
        ("bytes=800-", 206, f"bytes 800-{SIZE - 1}/{SIZE}", MOVIE[800:]),
        ("bytes=-5", 206, f"bytes {SIZE - 5}-{SIZE - 1}/{SIZE}", MOVIE[-5:]),
        ("bytes=-99999", 206, f"bytes 0-{SIZE - 1}/{SIZE}", MOVIE),
        ("bytes=-0", 416, f"bytes */{SIZE}", b""),
        (f"bytes={SIZE}-", 416, f"bytes */{SIZE}", b""),
        ("bytes=9-8", 416, f"bytes */{SIZE}", b""),
        ("bytes=-", 200, None, MOVIE),
        ("bytes=0-1,4-5", 200, None, MOVIE),
        ("lines=0-1", 200, None, MOVIE),
    ],
)
def test_a_part_of_a_video(wanted: str, status: int, place: str | None, body: bytes) -> None:
    got = said(ask(VIDEO, "GET", ("range", wanted), ("accept-encoding", "gzip")))
    assert (got[0], got[1].get("content-range"), got[2]) == (status, place, body)
    assert "content-encoding" not in got[1]


@pytest.mark.parametrize(
    ("path", "method"),
    [("/__relay__/media/", "GET"), ("/__relay__/media/../a.mp4", "GET"), (f"{VIDEO}/x", "GET"), (VIDEO, "POST")],
)
def test_nothing_else_is_served_there(path: str, method: str) -> None:
    assert ask(path, method).status == 404


# --- links ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("host", ["127.0.0.1:8787", "[::1]:8787", "mock.example"])
def test_a_link_is_of_the_name_under_which_we_were_found(host: str) -> None:
    assert link((("host", host),), "0af") == f"http://{host}/__relay__/media/0af.mp4"


@pytest.mark.parametrize("headers", [(), (("host", ""),), (("host", "a/b"),), (("host", "a) b"),)])
def test_without_a_name_a_link_leads_elsewhere(headers: Headers) -> None:
    assert link(headers, "0af") == "https://media.example/0af.mp4"


def video(fault: str = "", make: Callable[..., Answer] = ask) -> str:
    headers = (("host", "h:1"), ("authorization", "Bearer k"), ("content-type", "application/json"))
    return make("/v1/chat/completions", "POST", *headers, raw=JOB, fault=fault).body.decode()


def test_a_video_that_is_made_up_is_linked_here() -> None:
    [told] = {part.partition(".mp4")[0] for part in video().split("http://h:1")[1:]}
    assert ask(f"{told}.mp4").body == MOVIE


@pytest.mark.parametrize(("fault", "status"), [("video-link-html", 200), ("video-link-404", 404)])
def test_a_link_that_leads_to_no_video(fault: str, status: int) -> None:
    assert "http://h:1/__relay__/media/" in video(fault)
    assert video(fault).count(".mp4") == 1
    answer = ask(fault=fault)
    assert (answer.status, dict(answer.headers)["content-type"] == "video/mp4") == (status, False)


@pytest.mark.parametrize("fault", ["video-link-html", "video-link-404"])
def test_such_a_fault_links_here_where_a_recording_does_not(fault: str) -> None:
    source = RECORDINGS / "authored" / "seq-1-create-video.jsonl"
    recording = read_recording(source.read_text(encoding="utf-8"), "one")
    book = document.load()

    def recorded(path: str, method: str, *headers: tuple[str, str], raw: bytes, fault: str) -> Answer:
        made = Relay(book, Library((recording,), book), Conduct(faults=(FAULTS[fault],), api_key="k"))
        return made.answer(made.asked(method, path, headers, raw))

    text = video(fault, recorded)
    assert text.count(".mp4") == 1
    assert f"http://h:1{media.PATH}ours.mp4" in text
