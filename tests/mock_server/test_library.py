"""Which recording answers: by name, by equality in turn, by features, and never against what was asked."""

import json
from pathlib import Path

import pytest

from mock_server.answer import Asked
from mock_server.library import RECORDINGS, Library, LibraryError, Turns, load
from openapi import document, json_text
from openapi.json_text import Json
from openapi.wire.exchange import Auth, End, Exchange, Framing, Headers, Read, Request
from openapi.wire.jsonl import Recording, write_recording

DOCUMENT = document.load()
JSON: Headers = (("Content-Type", "application/json"),)
CHAT = "/v1/chat/completions"
BUILT_IN = load(RECORDINGS, DOCUMENT)
SEED = BUILT_IN.recordings["authored/seq-1-create-video"].request.object


def recording(name: str, body: Json = None, *, raw: bytes | None = None, **known: object) -> Recording:
    request = Request(
        str(known.get("method", "POST")),
        str(known.get("path", CHAT)),
        JSON,
        known.get("auth"),  # type: ignore[arg-type]
        raw if raw is not None else json_text.write(body),
    )
    status = known.get("status", 200)
    exchange = Exchange(name, request, status=status, reads=(Read(0.1, name.encode()),))  # type: ignore[arg-type]
    return Recording("authored", "a test", exchange)


def library(*recordings: Recording, borrowed: bool = False) -> Library:
    return Library(recordings, DOCUMENT, borrowed=borrowed)


def asked(body: Json = None, *, raw: bytes | None = None, headers: Headers = JSON, **known: object) -> Asked:
    sent = raw if raw is not None else json_text.write(body)
    operation, auth = known.get("operation", "createChatCompletion"), known.get("auth", Auth.VALID)
    path, method = str(known.get("path", CHAT)), str(known.get("method", "POST"))
    return Asked(method, path, operation, headers, sent, json_text.read(sent).value, auth)  # type: ignore[arg-type]


def names(found: tuple[Exchange, ...]) -> list[str]:
    return [exchange.id for exchange in found]


# --- loading ---------------------------------------------------------------------------------------------------------


def test_names_are_paths_without_suffix_in_the_order_of_the_paths(tmp_path: Path) -> None:
    for path in ("b/one.jsonl", "a/two.jsonl", "a/deep/er.jsonl", "top.jsonl"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(write_recording(recording(path, {"x": 1})))
    (tmp_path / "notes.txt").write_text("no recording")
    assert list(load(tmp_path, DOCUMENT).recordings) == ["a/deep/er", "a/two", "b/one", "top"]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("", "head line"),
        ("{}\n{}\n", "line 1"),
        (write_recording(recording("x", {})).replace("[0.1", "[oops"), "line 2"),
        (
            write_recording(recording("x", {})).replace('"headers":[],', '"headers":[["a","b\\r\\nc: d"]],'),
            "no header field",
        ),
        (write_recording(recording("x", {})).replace("complete", "sudden"), "line 3"),
    ],
)
def test_a_bad_file_is_named_with_its_line(tmp_path: Path, text: str, place: str) -> None:
    (tmp_path / "bad.jsonl").write_text(text)
    with pytest.raises(LibraryError, match=rf"bad\.jsonl: .*{place}"):
        load(tmp_path, DOCUMENT)


def test_a_file_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    (tmp_path / "bad.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(LibraryError, match=r"bad\.jsonl"):
        load(tmp_path, DOCUMENT)


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="no such folder"):
        load(tmp_path / "nowhere", DOCUMENT)


# --- equality --------------------------------------------------------------------------------------------------------


def test_equal_json_values_are_equal_whatever_their_text() -> None:
    found = library(recording("a", {"model": "m", "n": 1, "t": 0.5}))
    assert names(found.equal(asked(raw=b' {"t": 5e-1,\n "n": 1.0, "model": "\\u006d"} '))) == ["a"]


@pytest.mark.parametrize("body", [{"n": True}, {"n": 2}, {"n": 1, "m": 1}, {}, {"n": "1"}, [1]])
def test_other_json_values_are_not_equal(body: Json) -> None:
    assert library(recording("a", {"n": 1})).equal(asked(body)) == ()


def test_a_body_that_is_no_json_is_equal_by_its_text() -> None:
    found = library(recording("a", raw=b'{"model":'))
    assert names(found.equal(asked(raw=b'{"model":'))) == ["a"]
    assert found.equal(asked(raw=b'{"model": ')) == ()


def test_method_path_query_and_media_type_count() -> None:
    found = library(recording("a", {}, path="/v1/nowhere?x=1"))
    assert names(found.equal(asked({}, path="/v1/nowhere?x=1", operation=None))) == ["a"]
    assert found.equal(asked({}, path="/v1/nowhere?x=2")) == ()
    assert found.equal(asked({}, path="/v1/nowhere")) == ()
    assert found.equal(asked({}, path="/v1/nowhere?x=1", method="PUT")) == ()
    assert found.equal(asked({}, path="/v1/nowhere?x=1", headers=(("content-type", "text/plain"),))) == ()


def test_parameters_of_the_media_type_and_other_headers_do_not_count() -> None:
    headers = (("content-type", "Application/JSON; charset=utf-8"), ("x-other", "1"))
    assert library(recording("a", {})).equal(asked({}, headers=headers))


@pytest.mark.parametrize("kind", Auth)
def test_a_recording_of_a_kind_of_key_answers_that_kind_alone(kind: Auth) -> None:
    found = library(recording("a", {}, auth=kind), recording("any", {}))
    for sent in Auth:
        assert names(found.equal(asked({}, auth=sent))) == (["a", "any"] if sent is kind else ["any"])


def test_equal_ones_answer_in_turn() -> None:
    equals = library(recording("a", {}), recording("b", {})).equal(asked({}))
    turns = Turns()
    assert [turns.take(equals).id for _ in range(3)] == ["a", "b", "a"]
    turns.reset()
    assert turns.take(equals).id == "a"


def test_borrowed_recordings_leave_requests_without_a_body_to_the_mock() -> None:
    listing = recording("a", raw=b"", method="GET", path="/v1/models")
    question = asked(raw=b"", method="GET", path="/v1/models", operation="listModels")
    assert library(listing).equal(question)
    assert not library(listing, borrowed=True).equal(question)
    assert BUILT_IN.borrowed


def test_near_names_are_found_by_case_and_by_spelling() -> None:
    assert BUILT_IN.near("lite/chat-stop")[0].endswith("/chat-stop")
    assert "authored/seq-8-truncated" in BUILT_IN.near("authored/seq-8")


# --- models ----------------------------------------------------------------------------------------------------------


def test_models_are_those_that_were_asked_for_with_success() -> None:
    found = library(recording("a", {"model": "good"}), recording("b", {"model": "bad"}, status=404))
    assert found.models == ("good",)


def test_a_model_that_its_own_path_refuses_is_unknown_unless_it_is_listed() -> None:
    refused = recording("b", raw=b"", method="GET", path="/v1/models/x", status=404)
    assert library(recording("a", {"model": "x"}), refused).models == ()
    listing = recording("c", raw=b"", method="GET", path="/v1/models")
    listed = Exchange("c", listing.exchange.request, 200, reads=(Read(0.1, b'{"data":[{"id":"x"}]}'),))
    assert library(recording("a", {"model": "x"}), refused, Recording("authored", "", listed)).models == ("x",)


def test_the_built_in_models() -> None:
    assert set(BUILT_IN.models) == {"smollm2", "sora-2", "e5"}


# --- features --------------------------------------------------------------------------------------------------------

IMAGE: Json = [{"type": "text", "text": "x"}, {"type": "image_url", "image_url": {"url": "https://cdn.example.com/a"}}]


def video(**members: Json) -> dict[str, Json]:
    return {"model": "sora-2", "stream": True, "messages": [{"role": "user", "content": "a cat"}], **members}


def similar(body: dict[str, Json]) -> str | None:
    found = BUILT_IN.similar(asked(body))
    return found.id if found else None


@pytest.mark.parametrize(
    "members",
    [
        {},
        {"max_tokens": 1000},
        {"n": 1, "temperature": 1, "response_format": {"type": "text"}, "tools": []},
        {"messages": [{"role": "user", "content": IMAGE}]},
        {"messages": [{"role": role, "content": "no id"} for role in ("user", "assistant", "user")]},
    ],
)
def test_a_video_gets_the_first_sequence(members: dict[str, Json]) -> None:
    assert similar(video(**members)) == "authored/seq-1-create-video"


def test_usage_that_is_asked_for_is_told() -> None:
    assert similar(video(stream_options={"include_usage": True})) == "authored/seq-3-percent-with-usage"


def test_an_edit_of_the_recorded_video_gets_the_recorded_edit() -> None:
    earlier = BUILT_IN.recordings["authored/seq-1-edit-video"].request.object["messages"]
    assert isinstance(earlier, list)
    history: list[Json] = [*earlier[:2], {"role": "user", "content": "another wish"}]
    assert similar(video(messages=history)) == "authored/seq-1-edit-video"


@pytest.mark.parametrize(
    "members",
    [
        {"model": "sora-2-pro"},
        {"model": "smollm2"},
        {"stream": False},
        {"n": 2},
        {"tools": [{"type": "function", "function": {"name": "f"}}]},
        {"response_format": {"type": "json_object"}},
        {"logprobs": True},
        {"messages": [{"role": "user", "content": f"change s_{'0' * 32}"}]},
        {"messages": "none"},
        {"model": None},
    ],
)
def test_no_recording_answers_against_what_was_asked(members: dict[str, Json]) -> None:
    assert similar(video(**members)) is None


def test_the_seed_is_equal_to_the_first_sequence() -> None:
    equal = BUILT_IN.equal(asked(raw=json.dumps(SEED, indent=2).encode()))
    assert names(equal) == ["authored/seq-1-create-video"]


def test_a_failed_or_cut_video_stands_in_for_none(tmp_path: Path) -> None:
    whole = BUILT_IN.recordings["authored/seq-1-create-video"]
    for end, status in ((End.TRUNCATED, 200), (End.COMPLETE, 500)):
        cut = Exchange("a", whole.request, status, whole.headers, whole.reads, end, framing=Framing.CHUNKED)
        assert library(Recording("authored", "", cut)).similar(asked(video())) is None
