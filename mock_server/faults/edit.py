"""Answers taken apart and put together again: events of a stream with their due times, the JSON of an answer.

Each decorator here turns a small change (of the events, of each chunk, of the body) into a change of a whole answer,
which leaves every answer alone that it is not about.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial, wraps

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.fault import Answering
from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse

Object = dict[str, Json]

CHAT = "createChatCompletion"
SENTINEL = "[DONE]"


@dataclass(frozen=True, slots=True)
class Event:
    """One item of a stream and when it is due, in seconds."""

    due: float
    item: sse.Item

    @property
    def data(self) -> str:
        return self.item.data if isinstance(self.item, sse.Message) else ""

    @property
    def is_done(self) -> bool:
        return self.data == SENTINEL

    @property
    def chunk(self) -> Object:
        """The data where it is a JSON object, each time a fresh one; else empty."""
        return json_text.read(self.data).object

    def saying(self, data: Json) -> "Event":
        """The same event with other data: text as it is, else as JSON."""
        text = data if isinstance(data, str) else json_text.write(data).decode()
        if isinstance(self.item, sse.Message):
            return replace(self, item=replace(self.item, data=text))
        return replace(self, item=sse.Message(text))

    @property
    def bytes(self) -> bytes:
        return sse.encode([self.item])


Events = list[Event]


def events(answer: Answer) -> Events:
    """The items of the body, each due with the frame that holds its last byte."""
    dues = _Dues(answer.frames)
    return [Event(dues.at(item.end), item) for item in sse.decode(answer.body)]


class _Dues:
    """When the byte before an offset is due; offsets may only grow."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = iter(frames)
        self._due, self._end = 0.0, 0

    def at(self, end: int) -> float:
        while self._end < end:
            frame = next(self._frames)
            self._due, self._end = max(self._due, frame.due), self._end + len(frame.data)
        return self._due


def with_frames(answer: Answer, frames: Iterable[Frame]) -> Answer:
    """The answer with another body, ending as long behind its last frame as it did."""
    made = tuple(frames)
    rest = max(0.0, answer.ended_at - _last_due(answer.frames))
    return replace(answer, frames=made, ended_at=_last_due(made) + rest)


def _last_due(frames: tuple[Frame, ...]) -> float:
    return max((frame.due for frame in frames), default=0.0)


# --- which answers, and what they are about -------------------------------------------------------------------------


VIDEO = ("sora", "veo", "kling", "video", "wan", "vidu")  # in the name of a model that makes videos


def is_video(asked: Asked) -> bool:
    model = asked.object.get("model")
    return isinstance(model, str) and any(word in model.lower() for word in VIDEO)


def header(headers: Iterable[tuple[str, str]], name: str) -> str:
    return next((value for key, value in headers if key.lower() == name), "")


def with_header(answer: Answer, name: str, value: str | None) -> Answer:
    """The answer with one header of that name, or none."""
    kept = tuple((key, one) for key, one in answer.headers if key.lower() != name)
    return replace(answer, headers=kept if value is None else (*kept, (name, value)))


def media_type(answer: Answer) -> str:
    return header(answer.headers, "content-type").partition(";")[0].strip().lower()


def is_stream(answer: Answer) -> bool:
    """Whether it is an event stream of whatever protocol, that can be read as it stands."""
    coded = header(answer.headers, "content-encoding")
    return answer.status == 200 and media_type(answer) == "text/event-stream" and not coded and bool(answer.body)


def is_chat_stream(asked: Asked, answer: Answer) -> bool:
    return _is_chat(asked, answer) and media_type(answer) == "text/event-stream"


def is_chat_whole(asked: Asked, answer: Answer) -> bool:
    return _is_chat(asked, answer) and media_type(answer) == "application/json"


def is_error(answer: Answer) -> bool:
    return answer.status >= 400 and media_type(answer) == "application/json"


def _is_chat(asked: Asked, answer: Answer) -> bool:
    coded = header(answer.headers, "content-encoding")
    return asked.operation == CHAT and answer.status == 200 and not coded and bool(answer.body)


# --- changes of a part, made changes of an answer -------------------------------------------------------------------


def on_frames(change: Callable[[Asked, list[Frame]], list[Frame]]) -> Answering:
    """A change of the bytes of a stream of whatever protocol, one frame an event."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        if not is_stream(answer):
            return answer
        return with_frames(answer, change(asked, [Frame(event.due, event.bytes) for event in events(answer)]))

    return bend


def on_events(change: Callable[[Asked, Events], Events]) -> Answering:
    """A change of the events of a chat stream."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        if not is_chat_stream(asked, answer):
            return answer
        before = events(answer)
        after = change(asked, list(before))
        return answer if after == before else with_frames(answer, (Frame(event.due, event.bytes) for event in after))

    return bend


def on_chunks(change: Callable[[Asked, Object, int], None]) -> Answering:
    """A change, in place, of each chunk of a chat stream; it is told the event's number."""

    @wraps(change)
    def each(asked: Asked, found: Events) -> Events:
        return [_changed(event, partial(change, asked), at) for at, event in enumerate(found)]

    return on_events(each)


def _changed(event: Event, change: Callable[[Object, int], None], at: int) -> Event:
    chunk = event.chunk
    if "choices" not in chunk:
        return event
    change(chunk, at)
    return event if chunk == event.chunk else event.saying(chunk)


def on_whole(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of a whole chat answer."""

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return on_json(answer, lambda body: change(asked, body)) if is_chat_whole(asked, answer) else answer

    return bend


def on_json(answer: Answer, change: Callable[[Object], None]) -> Answer:
    """The answer with its JSON object changed in place; other bodies stay as they are."""
    body = json_text.read(answer.body).object
    if not body:
        return answer
    change(body)
    return answer if body == json_text.read(answer.body).object else with_body(answer, json_text.write(body))


def with_body(answer: Answer, data: bytes) -> Answer:
    """The answer with these bytes in one frame, due when the last one was."""
    return with_frames(answer, [Frame(_last_due(answer.frames), data)])


def on_both(change: Callable[[Asked, Object], None]) -> Answering:
    """A change, in place, of each chunk of a chat stream and of a whole chat answer alike."""
    streamed = on_chunks(lambda asked, chunk, _: change(asked, chunk))
    whole = on_whole(change)

    @wraps(change)
    def bend(asked: Asked, answer: Answer) -> Answer:
        return whole(asked, streamed(asked, answer))

    return bend
