"""Parts of chunks and of whole answers, and places in a stream of them."""

import re
from collections.abc import Callable, Iterator

from mock_server.answer import Asked
from mock_server.faults.edit import Event, Events, Object, is_video
from openapi.json_text import Json

SHAPED = ("tools", "functions", "response_format", "logprobs", "stop")


def is_plain(asked: Asked) -> bool:
    """Whether a text was asked for, and nothing that bears on its shape."""
    return not (asked.object.keys() & set(SHAPED) or is_video(asked))


def objects(value: Json) -> list[Object]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def choices(body: Object) -> list[Object]:
    return objects(body.get("choices"))


def deltas(chunk: Object) -> Iterator[Object]:
    """What each choice of a chunk (its delta) or of a whole answer (its message) says."""
    for choice in choices(chunk):
        said = choice.get("delta", choice.get("message"))
        if isinstance(said, dict):
            yield said


def tool_calls(body: Object) -> list[Object]:
    """The calls, or fragments of calls, of all choices."""
    return [call for said in deltas(body) for call in objects(said.get("tool_calls"))]


def finishes(chunk: Object) -> bool:
    return any(choice.get("finish_reason") for choice in choices(chunk))


def has_text(chunk: Object) -> bool:
    return any(isinstance(said.get("content"), str) and said["content"] for said in deltas(chunk))


def first_where(found: Events, test: Callable[[Object], bool]) -> int | None:
    """The number of the first event whose chunk passes the test."""
    return next((at for at, event in enumerate(found) if test(event.chunk)), None)


def middle_text(found: Events) -> int | None:
    """The number of an event in the middle of the text that does nothing but carry text."""
    texts = [at for at, event in enumerate(found) if has_text(event.chunk) and not finishes(event.chunk)]
    texts = [at for at in texts if not any(said.get("role") for said in deltas(found[at].chunk))] or texts
    return texts[len(texts) // 2] if texts else None


def empty_chunk(like: Object, delta: Object | None = None) -> Object:
    """A chunk with the envelope of another that says nothing, or this, in that one's first choice."""
    index = next((choice.get("index") for choice in choices(like)), 0)
    choice: Object = {"index": index, "delta": delta or {}, "finish_reason": None}
    return {**{name: value for name, value in like.items() if name != "usage"}, "choices": [choice]}


def text_chunk(like: Object, text: str) -> Object:
    """A chunk with the envelope of another that says a text, in that one's first choice."""
    return empty_chunk(like, {"content": text})


def without_spans(found: Events, pattern: str) -> Events:
    """The stream without the matches of a pattern in the joined text of its content, however chunks cut them."""
    texts = [content(event) for event in found]
    joined = "".join(texts)
    gone = {at for match in re.finditer(pattern, joined) for at in range(*match.span())}
    out: Events = []
    start = 0
    for event, text in zip(found, texts, strict=True):
        kept = "".join(sign for at, sign in enumerate(text, start) if at not in gone)
        start += len(text)
        out.append(event if kept == text else event.saying(_with_content(event.chunk, kept)))
    return out


def content(event: Event) -> str:
    """The text of the first choice that says any in this event."""
    return next((text for said in deltas(event.chunk) if isinstance(text := said.get("content"), str)), "")


def _with_content(chunk: Object, text: str) -> Object:
    said = next(said for said in deltas(chunk) if isinstance(said.get("content"), str))
    said["content"] = text
    return chunk
