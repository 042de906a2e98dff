"""Honest variants of bytes and headers: unusual and legal, each known to have broken a client. They break no rule.

What WHATWG HTML 9.2.6 lets a stream look like, where a network may cut it, and what HTTP leaves open.
"""

import zlib
from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.edit import (
    header,
    is_chat_stream,
    is_chat_whole,
    on_frames,
    with_frames,
    with_header,
)
from mock_server.faults.fault import honest
from openapi.wire.exchange import Framing

LATER = 0.03  # seconds

# --- lines ----------------------------------------------------------------------------------------------------------


@honest("honest-crlf")
@on_frames
def crlf(_: Asked, frames: list[Frame]) -> list[Frame]:
    """Lines end in CRLF."""
    return [replace(frame, data=frame.data.replace(b"\n", b"\r\n")) for frame in frames]


@honest("honest-no-space")
@on_frames
def no_space(_: Asked, frames: list[Frame]) -> list[Frame]:
    """No space stands behind the colon of a field."""
    return [
        replace(frame, data=b"data:" + frame.data.removeprefix(b"data: "))
        if frame.data.startswith(b"data: ")
        else frame
        for frame in frames
    ]


@honest("honest-keep-alive")
@on_frames
def keep_alive(_: Asked, frames: list[Frame]) -> list[Frame]:
    """A comment (`: PING`) and a blank line stand before each event."""
    return [replace(frame, data=b": PING\n\n" + frame.data) for frame in frames]


# --- network pieces and times ---------------------------------------------------------------------------------------


@honest("honest-slow")
def slow(_: Asked, answer: Answer) -> Answer:
    """Each piece comes 30 ms later than the one before it did."""
    frames = [replace(frame, due=frame.due + LATER * at) for at, frame in enumerate(answer.frames, 1)]
    last = frames[-1].due if frames else answer.ended_at
    return replace(answer, frames=tuple(frames), ended_at=max(last, answer.ended_at), first_byte=None)


@honest("honest-chunked-json")
def chunked_json(asked: Asked, answer: Answer) -> Answer:
    """A whole answer comes in two chunks of HTTP, without a length."""
    if not is_chat_whole(asked, answer) or answer.framing is not Framing.CONTENT_LENGTH:
        return answer
    due, body = answer.frames[-1].due, answer.body
    half = len(body) // 2
    return with_frames(replace(answer, framing=Framing.CHUNKED), [Frame(due, body[:half]), Frame(due, body[half:])])


@honest("honest-gzip")
def gzipped(_: Asked, answer: Answer) -> Answer:
    """The body is compressed and flushed with every piece, as a proxy in front does for all."""
    if not answer.body or header(answer.headers, "content-encoding"):
        return answer
    squeeze = zlib.compressobj(wbits=31)
    frames = [replace(one, data=squeeze.compress(one.data) + squeeze.flush(zlib.Z_SYNC_FLUSH)) for one in answer.frames]
    frames[-1] = replace(frames[-1], data=frames[-1].data + squeeze.flush())
    return with_frames(with_header(answer, "content-encoding", "gzip"), frames)


# --- headers --------------------------------------------------------------------------------------------------------


@honest("honest-header-case")
def header_case(_: Asked, answer: Answer) -> Answer:
    """Names of headers are in capitals (RFC 9110 section 5.1: they have no case)."""
    return replace(answer, headers=tuple((name.upper(), value) for name, value in answer.headers))


@honest("honest-media-type-case")
def media_type_case(asked: Asked, answer: Answer) -> Answer:
    """The media type is written in capitals (RFC 9110 section 8.3.1: it has no case)."""
    if not is_chat_stream(asked, answer):
        return answer
    return with_header(answer, "content-type", "Text/Event-Stream")


@honest("honest-charset-utf8")
def charset(asked: Asked, answer: Answer) -> Answer:
    """The charset is named, and is UTF-8."""
    kind = header(answer.headers, "content-type")
    if not (is_chat_stream(asked, answer) or is_chat_whole(asked, answer)) or "charset" in kind:
        return answer
    return with_header(answer, "content-type", f"{kind}; charset=UTF-8")


@honest("honest-headers-extra")
def headers_extra(_: Asked, answer: Answer) -> Answer:
    """Headers of proxies and of rate limits stand beside the others."""
    extra = (("via", "1.1 relay"), ("x-ratelimit-remaining-requests", "99"), ("x-new-api-version", "v0.9"))
    return replace(answer, headers=(*answer.headers, *extra))
