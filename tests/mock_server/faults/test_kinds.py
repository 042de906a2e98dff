"""What single faults do to an answer, told by readers that know nothing of faults."""

import json
from typing import Any

import pytest

from mock_server import synthesis
from mock_server.answer import Answer, Asked
from mock_server.faults import FAULTS
from openapi import json_text
from openapi.wire import sse
from openapi.wire.exchange import End, Framing
from openapi.wire.streams import chat

Pair = tuple[Asked, Answer]


def send(fault: str, pair: Pair) -> Answer:
    bend = FAULTS[fault].answer
    assert bend
    return bend(*pair)


def messages(answer: Answer) -> list[sse.Message]:
    return [item for item in sse.decode(answer.body) if isinstance(item, sse.Message)]


def violations(answer: Answer) -> list[tuple[str, str]]:
    """State and symbol of each place where choice 0 leaves the grammar."""
    said: list[chat.Said] = []
    for number, message in enumerate(messages(answer)):
        said += chat.classify(number, message, json_text.read(message.data))
    walked = chat.GRAMMAR.walk(one.symbol for one in chat.project(said, 0))
    return [(one.state.name, one.got.name if one.got else "end") for one in walked]


def asked_for(stream: Pair, **more: Any) -> Pair:
    asked, _ = stream
    body = {**asked.object, **more}
    heard = asked._replace(body=body, raw=json.dumps(body).encode())
    return heard, synthesis.answer(heard, now=1_700_000_000)


@pytest.mark.parametrize(
    ("fault", "found"),
    [
        ("chat-stream-done-missing", [("COUNTED", "end")]),
        ("chat-stream-done-duplicated", [("DONE", "DONE")]),
        ("chat-stream-truncated-clean-eof", [("OPEN", "end")]),
        ("chat-stream-finish-duplicated", [("FINISHED", "FINISH")]),
        ("chat-stream-role-missing", [("START", "DELTA")]),
        ("chat-stream-data-after-done", [("DONE", "BARE")]),
        ("sse-error-midstream-then-done", []),
        ("sse-error-event-no-terminal", []),
        ("chat-stream-id-changes", []),
    ],
)
def test_where_the_stream_leaves_its_grammar(stream: Pair, fault: str, found: list[tuple[str, str]]) -> None:
    assert violations(send(fault, stream)) == found


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        ("sse-repeated-names", "two members"),
        ("sse-json-nan", "NaN"),
        ("sse-invalid-json-chunk", "not JSON"),
        ("sse-missing-blank-line", "not JSON"),
        ("sse-comment-reemitted-as-data", "not JSON"),
    ],
)
def test_one_event_is_no_right_json(stream: Pair, fault: str, told: str) -> None:
    texts = [json_text.read(message.data) for message in messages(send(fault, stream)) if message.data != "[DONE]"]
    [bad] = [text.fault for text in texts if text.fault]
    assert told in bad


@pytest.mark.parametrize("fault", ["sse-bad-utf8", "sse-utf8-cut"])
def test_the_body_is_not_utf8(stream: Pair, fault: str) -> None:
    with pytest.raises(UnicodeDecodeError):
        send(fault, stream).body.decode()


@pytest.mark.parametrize("fault", ["sse-last-event-unterminated", "sse-done-literal-backslash"])
def test_the_last_event_is_not_dispatched(stream: Pair, fault: str) -> None:
    *_, last = sse.decode(send(fault, stream).body)
    assert isinstance(last, sse.Truncated)


@pytest.mark.parametrize("fault", ["sse-plain-json-error-in-stream", "sse-html-in-stream"])
def test_lines_stand_outside_of_fields(stream: Pair, fault: str) -> None:
    assert any(isinstance(item, sse.Silent) and item.unknown for item in sse.decode(send(fault, stream).body))
    assert len(messages(send(fault, stream))) == len(messages(stream[1]))


@pytest.mark.parametrize(("fault", "end"), [("tx-chunked-body-cut", End.TRUNCATED), ("tx-reset", End.RESET)])
def test_the_body_is_cut(stream: Pair, fault: str, end: End) -> None:
    cut = send(fault, stream)
    assert cut.end is end
    assert len(cut.body) == len(stream[1].body) * 7 // 10
    assert cut.ended_at == cut.frames[-1].due


def test_a_redirect_has_no_body(stream: Pair) -> None:
    sent = send("tx-redirect-elsewhere", stream)
    assert (sent.status, sent.body, sent.framing) == (302, b"", Framing.CONTENT_LENGTH)
    assert dict(sent.headers)["location"].startswith("https://elsewhere.example/")


def test_a_silent_gap_is_longer_than_a_minute(stream: Pair) -> None:
    sent = send("video-silent-gap", asked_for(stream, model="sora-2"))
    assert max(later.due - frame.due for frame, later in zip(sent.frames, sent.frames[1:], strict=False)) > 60


@pytest.mark.parametrize("fault", ["video-link-missing", "video-task-id-missing", "video-sid-missing"])
def test_something_is_missing_from_the_text_of_a_video(stream: Pair, fault: str) -> None:
    gone = {"video-link-missing": "https://", "video-task-id-missing": "task_", "video-sid-missing": "sid: s_"}[fault]
    pair = asked_for(stream, model="sora-2")
    assert gone.encode() in pair[1].body
    assert gone.encode() not in send(fault, pair).body


def test_an_echoed_key_stands_in_a_header(stream: Pair) -> None:
    assert dict(send("key-echoed-in-header", stream).headers)["x-upstream-authorization"] == "sk-secret-0123456789"


def test_a_refused_stream_is_an_event_with_200(stream: Pair) -> None:
    sent = send("sse-200-committed-before-upstream-known", (stream[0], synthesis.unknown_model("nobody")))
    error, done = messages(sent)
    assert sent.status == 200
    assert json.loads(error.data)["error"]["code"] == "model_not_found"
    assert done.data == "[DONE]"


@pytest.mark.parametrize(
    ("fault", "end"),
    [
        ("tx-chunked-body-cut", End.TRUNCATED),
        ("tx-reset", End.RESET),
        ("tx-no-answer", End.RESET),
        ("tx-rst-poisons-pool", End.RESET),
        ("tx-chunk-size-unreadable", End.COMPLETE),
        ("tx-redirect-elsewhere", End.COMPLETE),
        ("sse-left-open", End.TIMEOUT),
        ("sse-buffered-whole", End.COMPLETE),
        ("sse-bare-cr", End.COMPLETE),
    ],
)
@pytest.mark.parametrize("operation", ["createMessage", "createCompletion", "createChatCompletion"])
def test_what_is_beneath_a_stream_is_wrong_in_each_protocol(
    pairs: list[Pair], operation: str, fault: str, end: End
) -> None:
    streams = [one for one in pairs if one[0].operation == operation and one[0].streamed and one[1].status == 200]
    assert streams
    for asked, answer in streams:
        bent = send(fault, (asked, answer))
        assert bent != answer
        assert bent.end is end
