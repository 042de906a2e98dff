"""The bytes of the event stream: lines, encodings, JSON texts, and what the head says of them."""

import json
import zlib
from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.chunks import (
    deltas,
    empty_chunk,
    middle_text,
    text_chunk,
)
from mock_server.faults.edit import (
    Event,
    Events,
    Object,
    header,
    is_stream,
    is_video,
    on_both,
    on_events,
    on_frames,
    with_frames,
    with_header,
)
from mock_server.faults.fault import sends
from openapi import json_text
from openapi.wire import sse
from openapi.wire.exchange import End, Framing

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


@sends("sse-raw-cr-in-data", "sse.json")
@on_frames
def raw_cr(_: Asked, frames: list[Frame]) -> list[Frame]:
    """A carriage return stands in the JSON as it is: to a right parser the line ends there, and the JSON is cut."""
    at = next((at for at, frame in enumerate(frames) if b'"object"' in frame.data), None)
    if at is None:
        return frames
    cut = frames[at].data.replace(b'"object"', b'"a\rb":0,"object"')
    return [*frames[:at], replace(frames[at], data=frames[at].data + cut), *frames[at + 1 :]]


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


@sends(
    "sse-last-event-unterminated",
    "sse.last-blank",
    "chat.stream.done",
    "completions.stream.done",
    "messages.stream.ends",
)
@on_frames
def last_unterminated(_: Asked, frames: list[Frame]) -> list[Frame]:
    """The last event has no blank line behind it: right parsers throw it away, and `[DONE]` is never seen."""
    return [*frames[:-1], replace(frames[-1], data=frames[-1].data.rstrip(b"\n") + b"\n")]


@sends("sse-done-literal-backslash", "sse.last-blank", "chat.stream.done", "completions.stream.done")
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


@sends("sse-bare-cr", "sse.line-ends")
@on_frames
def bare_cr(_: Asked, frames: list[Frame]) -> list[Frame]:
    """Lines end in CR alone, as WHATWG allows: parsers that wait for LF show nothing until the end."""
    return [replace(frame, data=frame.data.replace(b"\n", b"\r")) for frame in frames]


@sends("sse-mixed-line-ends", "sse.line-ends")
@on_frames
def mixed_ends(_: Asked, frames: list[Frame]) -> list[Frame]:
    """A line ends in LF, the blank line behind it in CRLF: some parsers hold an event back for the next."""
    return [replace(frame, data=frame.data.removesuffix(b"\n") + b"\r\n") for frame in frames]


@sends("sse-bom", "sse.bom")
@on_frames
def bom(_: Asked, frames: list[Frame]) -> list[Frame]:
    """The stream begins with a byte order mark: parsers that look for `data:` lose the first event."""
    return [replace(frame, data=sse.BOM + frame.data) if at == 0 else frame for at, frame in enumerate(frames)]


@sends("sse-multi-line-data", "sse.multi-line")
@on_events
def multi_line(_: Asked, found: Events) -> Events:
    """The JSON is printed with indents, a `data:` field for each line: parsers that go line by line raise."""
    return [
        event.saying(json.dumps(event.chunk, ensure_ascii=True, indent=1)) if event.chunk else event for event in found
    ]


@sends("sse-comment-blank-line-after-id", "sse.id-and-comment")
@on_events
def ids(_: Asked, found: Events) -> Events:
    """Events have an id, and comments stand in blocks of their own: some SDKs dispatch these as empty events."""
    out: Events = []
    for at, event in enumerate(found):
        if isinstance(event.item, sse.Message):
            out += [replace(event, item=sse.Comment(" ping")), replace(event, item=sse.Silent())]
            event = replace(event, item=replace(event.item, id=str(at), retry=3000))  # noqa: PLW2901
        out.append(event)
    return out


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


@sends("sse-mojibake", "sse.mojibake")
@on_both
def mojibake(_: Asked, body: Object) -> None:
    """Text is read as Latin-1 and encoded once more: every Chinese word and every emoji is shown as rubbish."""
    for said in deltas(body):
        text = said.get("content")
        if isinstance(text, str):
            said["content"] = text.encode("utf-8", "surrogatepass").decode("latin-1")


# --- what the head says ---------------------------------------------------------------------------------------------


@sends("sse-content-type-wrong", "sse.content-type")
def content_type_wrong(asked: Asked, answer: Answer) -> Answer:
    """A stream is declared as application/json: browsers and SDKs do not read it as events."""
    return with_header(answer, "content-type", "application/json") if is_stream(answer) else answer


@sends("sse-charset-wrong", "sse.charset")
def charset_wrong(asked: Asked, answer: Answer) -> Answer:
    """The stream is declared as Latin-1: a client that believes it shows every accent and every Chinese word broken."""
    if not is_stream(answer):
        return answer
    return with_header(answer, "content-type", "text/event-stream; charset=iso-8859-1")


@sends("sse-content-length-on-stream", "sse.no-length")
def length_announced(asked: Asked, answer: Answer) -> Answer:
    """The length of a live stream is announced, so it was buffered or guessed: words do not come as they are made."""
    return replace(answer, framing=Framing.CONTENT_LENGTH) if is_stream(answer) else answer


@sends("sse-no-cache-control", "sse.cache-control")
def cache_control_missing(asked: Asked, answer: Answer) -> Answer:
    """Nothing forbids caches to keep a stream."""
    return with_header(answer, "cache-control", None) if is_stream(answer) else answer


@sends("sse-no-x-accel-buffering", "sse.accel-buffering")
def accel_missing(asked: Asked, answer: Answer) -> Answer:
    """Proxies in front are not asked to pass a stream on at once: behind nginx it stutters, or hangs."""
    return with_header(answer, "x-accel-buffering", None) if is_stream(answer) else answer


# --- time -----------------------------------------------------------------------------------------------------------

SILENCE = 31.0  # seconds


@sends("sse-buffered-whole", "sse.incremental")
@on_frames
def buffered(_: Asked, frames: list[Frame]) -> list[Frame]:
    """The stream is held back until it is whole: nothing is shown for as long as the answer is made."""
    return [replace(frame, due=frames[-1].due) for frame in frames]


@sends("tx-gzip-stream-not-flushed", "sse.gzip-flushed")
def gzip_unflushed(asked: Asked, answer: Answer) -> Answer:
    """A stream is compressed and never flushed: it comes in blocks of many seconds."""
    if not is_stream(answer) or "gzip" not in header(asked.headers, "accept-encoding"):
        return answer
    squeeze = zlib.compressobj(wbits=31)
    frames = [replace(frame, data=squeeze.compress(frame.data)) for frame in answer.frames]
    frames[-1] = replace(frames[-1], data=frames[-1].data + squeeze.flush())
    return with_frames(with_header(answer, "content-encoding", "gzip"), frames)


@sends("sse-no-keepalive", "sse.silence")
@on_events
def no_keepalive(asked: Asked, found: Events) -> Events:
    """Nothing comes for 31 seconds while the model thinks, not even a comment: proxies in front give up."""
    return found if is_video(asked) else [replace(event, due=event.due + SILENCE) for event in found]


@sends("sse-left-open", "sse.close")
def left_open(asked: Asked, answer: Answer) -> Answer:
    """The connection stays open behind `[DONE]`: clients that read to the end wait for ever."""
    return replace(answer, end=End.TIMEOUT) if is_stream(answer) else answer


@sends("sse-network-split-mid-line", "sse.whole-events")
def split(asked: Asked, answer: Answer) -> Answer:
    """The body comes in pieces of one to seven bytes, cut within lines and within characters: who takes
    each for an event gets halves."""
    if not is_stream(answer):
        return answer
    frames: list[Frame] = []
    for frame in answer.frames:
        start = 0
        while start < len(frame.data):
            size = 1 + len(frames) * 5 % 7
            frames.append(replace(frame, data=frame.data[start : start + size]))
            start += size
    return with_frames(answer, frames)
