"""The bytes of the event stream: lines, encodings, JSON texts, and what the head says of them."""

from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.chunks import (
    empty_chunk,
    middle_text,
    text_chunk,
)
from mock_server.faults.edit import (
    Event,
    Events,
    is_chat_stream,
    on_events,
    on_frames,
    with_header,
)
from mock_server.faults.fault import sends
from openapi import json_text
from openapi.wire import sse
from openapi.wire.exchange import Framing

MARK = "\ue000"  # stands in a text where bytes will
PAGE = b"<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>\n\n"
ERROR = b'{"error":{"message":"upstream timeout","type":"upstream_error","param":null,"code":"timeout"}}\n\n'


def _behind_middle(found: Events, *texts: str) -> Events:
    """The stream with more events in the middle of its text, which take nothing away from it."""
    at = middle_text(found)
    return found if at is None else [*found[: at + 1], *(found[at].saying(text) for text in texts), *found[at + 1 :]]


def _empty(found: Events) -> str:
    """The JSON of one more chunk, which says nothing."""
    at = middle_text(found)
    return "" if at is None else json_text.write(empty_chunk(found[at].chunk)).decode()


# --- JSON texts -----------------------------------------------------------------------------------------------------


@sends("sse-invalid-json-chunk", "sse.json")
@on_events
def json_cut(_: Asked, found: Events) -> Events:
    """One chunk's JSON is cut off: parsers raise in mid-answer."""
    return _behind_middle(found, _empty(found)[:-3])


@sends("sse-repeated-names", "sse.json")
@on_events
def json_repeated(_: Asked, found: Events) -> Events:
    """One chunk has its members twice: which of them count differs from client to client."""
    data = _empty(found)
    return _behind_middle(found, f"{data[:-1]},{data[1:]}")


@sends("sse-json-nan", "sse.json")
@on_events
def json_nan(_: Asked, found: Events) -> Events:
    """One chunk has NaN, which is no JSON: strict parsers raise in mid-answer."""
    return _behind_middle(found, _empty(found)[:-1] + ',"score":NaN}')


@sends("sse-missing-blank-line", "sse.json")
@on_events
def blank_missing(_: Asked, found: Events) -> Events:
    """The blank line between two events is lost: a right parser joins both to one text that is no JSON."""
    data = _empty(found)
    return _behind_middle(found, f"{data}\n{data}")


@sends("sse-comment-reemitted-as-data", "sse.json")
@on_events
def comment_as_data(_: Asked, found: Events) -> Events:
    """A vendor's keep-alive comment is passed on as data: every client's JSON parser raises."""
    return _behind_middle(found, ": OPENROUTER PROCESSING")


# --- lines ----------------------------------------------------------------------------------------------------------


@sends("sse-plain-json-error-in-stream", "sse.framed")
@on_frames
def bare_json(_: Asked, frames: list[Frame]) -> list[Frame]:
    """An error stands in the stream as bare JSON, without `data:`: no client ever sees it."""
    return _inserted(frames, ERROR)


@sends("sse-html-in-stream", "sse.framed")
@on_frames
def bare_html(_: Asked, frames: list[Frame]) -> list[Frame]:
    """A proxy's error page is mixed into the stream: no client ever sees it."""
    return _inserted(frames, PAGE)


def _inserted(frames: list[Frame], data: bytes) -> list[Frame]:
    at = len(frames) // 2
    return [*frames[:at], Frame(frames[at].due, data), *frames[at:]] if frames else frames


@sends("sse-last-event-unterminated", "sse.last-blank", "chat.stream.done")
@on_frames
def last_unterminated(_: Asked, frames: list[Frame]) -> list[Frame]:
    """The last event has no blank line behind it: right parsers throw it away, and `[DONE]` is never seen."""
    return [*frames[:-1], replace(frames[-1], data=frames[-1].data.rstrip(b"\n") + b"\n")]


@sends("sse-done-literal-backslash", "sse.last-blank", "chat.stream.done")
@on_frames
def done_literal(_: Asked, frames: list[Frame]) -> list[Frame]:
    r"""The line ends behind `[DONE]` are sent as backslash and n, an error of quoting: the event never ends."""
    if not frames[-1].data.startswith(b"data: [DONE]"):
        return frames
    return [*frames[:-1], replace(frames[-1], data=rb"data: [DONE]\n\n")]


@sends("sse-event-lines-in-chat", "sse.event-names")
@on_events
def event_names(_: Asked, found: Events) -> Events:
    """Each event is named `message`: clients that sort by name know only the nameless ones."""
    return [
        replace(event, item=replace(event.item, event="message")) if isinstance(event.item, sse.Message) else event
        for event in found
    ]


# --- encodings ------------------------------------------------------------------------------------------------------


@sends("sse-bad-utf8", "sse.utf8")
@on_frames
def utf8_bad(asked: Asked, frames: list[Frame]) -> list[Frame]:
    """A text is sent in Latin-1: strict decoders raise, others show a mark of replacement."""
    return _spoiled(asked, frames, "é".encode("latin-1"))


@sends("sse-utf8-cut", "sse.utf8")
@on_frames
def utf8_cut(asked: Asked, frames: list[Frame]) -> list[Frame]:
    """A character is cut between two tokens, and each half is sent in JSON of its own: the text is damaged."""
    return _spoiled(asked, frames, "中".encode()[:2])


def _spoiled(asked: Asked, frames: list[Frame], data: bytes) -> list[Frame]:
    """The frames with one more text in the middle, of these bytes; JSON that was asked for is left whole."""
    found = [Event(frame.due, item) for frame in frames for item in sse.decode(frame.data)[:1]]
    at = middle_text(found)
    if at is None or asked.object.get("response_format"):
        return frames
    spoiled = found[at].saying(text_chunk(found[at].chunk, MARK)).bytes.replace(MARK.encode(), data)
    return [*frames[: at + 1], replace(frames[at], data=spoiled), *frames[at + 1 :]]


# --- what the head says ---------------------------------------------------------------------------------------------


@sends("sse-content-type-wrong", "sse.content-type")
def content_type_wrong(asked: Asked, answer: Answer) -> Answer:
    """A stream is declared as application/json: browsers and SDKs do not read it as events."""
    return with_header(answer, "content-type", "application/json") if is_chat_stream(asked, answer) else answer


@sends("sse-charset-wrong", "sse.charset")
def charset_wrong(asked: Asked, answer: Answer) -> Answer:
    """The stream is declared as Latin-1: a client that believes it shows every accent and every Chinese word broken."""
    if not is_chat_stream(asked, answer):
        return answer
    return with_header(answer, "content-type", "text/event-stream; charset=iso-8859-1")


@sends("sse-content-length-on-stream", "sse.no-length")
def length_announced(asked: Asked, answer: Answer) -> Answer:
    """The length of a live stream is announced, so it was buffered or guessed: words do not come as they are made."""
    return replace(answer, framing=Framing.CONTENT_LENGTH) if is_chat_stream(asked, answer) else answer
