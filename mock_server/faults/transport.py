"""HTTP beneath the answers: how bodies end, what frames them, where requests are sent on to."""

import re
from collections.abc import Callable
from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.edit import (
    is_chat_stream,
    is_chat_whole,
    with_frames,
    with_header,
)
from mock_server.faults.fault import sends
from openapi.wire.exchange import End, Framing

_SIZE = re.compile(rb"[0-9a-f]+\r\n")


def _cut(answer: Answer, end: End) -> Answer:
    """The first 70 % of the body, and then that end."""
    left = len(answer.body) * 7 // 10
    frames: list[Frame] = []
    for frame in answer.frames:
        frames.append(replace(frame, data=frame.data[:left]))
        left -= len(frame.data)
        if left <= 0:
            break
    due = frames[-1].due if frames else 0.0
    return replace(answer, frames=tuple(frames), end=end, ended_at=due)


@sends("tx-chunked-body-cut", "transport.body-complete")
def body_cut(asked: Asked, answer: Answer) -> Answer:
    """The connection closes in mid-stream without the last chunk: some clients raise, others take it for the end."""
    return _cut(answer, End.TRUNCATED) if is_chat_stream(asked, answer) else answer


@sends("tx-reset", "transport.body-complete")
def reset(asked: Asked, answer: Answer) -> Answer:
    """The connection is reset in mid-stream: clients raise, and pools lose a connection."""
    return _cut(answer, End.RESET) if is_chat_stream(asked, answer) else answer


@sends("tx-no-answer", "transport.answered")
def no_answer(asked: Asked, answer: Answer) -> Answer:
    """The connection is reset before a status line: a client cannot know whether the request was carried out."""
    if not is_chat_stream(asked, answer):
        return answer
    return _on_wire(replace(with_frames(answer, []), end=End.RESET, ended_at=answer.frames[0].due), lambda _: b"")


@sends("tx-length-too-large", "transport.body-complete")
def length_too_large(asked: Asked, answer: Answer) -> Answer:
    """More bytes are announced than come: clients wait for the rest, and then raise."""
    if not is_chat_whole(asked, answer) or answer.framing is not Framing.CONTENT_LENGTH:
        return answer
    return replace(with_header(answer, "content-length", str(len(answer.body) + 64)), end=End.TRUNCATED)


@sends("tx-chunk-size-unreadable", "transport.framing")
def chunk_size(asked: Asked, answer: Answer) -> Answer:
    """The size of the last chunk is no number: strict clients raise behind a whole answer."""
    if not is_chat_stream(asked, answer):
        return answer
    return _on_wire(answer, lambda piece: b"-" + piece if piece == b"0\r\n\r\n" else piece)


@sends("tx-two-lengths", "transport.framing")
def two_lengths(asked: Asked, answer: Answer) -> Answer:
    """Two lengths are announced that differ: a proxy and a client may disagree where the answer ends."""
    if not is_chat_whole(asked, answer) or answer.framing is not Framing.CONTENT_LENGTH:
        return answer
    end = b"content-length: %d\r\n\r\n" % (len(answer.body) + 7)
    return _on_wire(answer, lambda piece: piece[:-2] + end if piece.startswith(b"HTTP/") else piece)


def _on_wire(answer: Answer, wire: Callable[[bytes], bytes]) -> Answer:
    before = answer.wire
    return replace(answer, wire=wire if before is None else lambda piece: wire(before(piece)))


@sends("tx-gzip-announced-only", "transport.content-encoding")
def gzip_announced(asked: Asked, answer: Answer) -> Answer:
    """The body is declared as gzip and is not: clients raise, or show nothing."""
    return with_header(answer, "content-encoding", "gzip") if is_chat_whole(asked, answer) else answer


@sends("tx-redirect-elsewhere", "transport.redirect")
def redirect(asked: Asked, answer: Answer) -> Answer:
    """The request is sent on to another host: clients drop the key or the body on the way, or do not follow."""
    if not is_chat_stream(asked, answer):
        return answer
    moved = with_frames(replace(answer, status=302, framing=Framing.CONTENT_LENGTH, ended_at=0.0), [])
    moved = with_header(with_header(moved, "content-type", None), "location", f"https://elsewhere.example{asked.path}")
    return replace(moved, ended_at=answer.frames[0].due)


@sends("tx-request-id-missing", "transport.request-id")
def request_id_missing(_: Asked, answer: Answer) -> Answer:
    """No header names the request: nobody can ask the relay what became of it."""
    kept = tuple((name, value) for name, value in answer.headers if "request-id" not in name.lower())
    return answer if kept == answer.headers else replace(answer, headers=kept)
