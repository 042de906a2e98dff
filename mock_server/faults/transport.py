"""HTTP beneath the answers: how bodies end, what frames them, where requests are sent on to."""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace

from mock_server.answer import Answer, Asked, Frame, Wire
from mock_server.faults.edit import (
    header,
    is_chat_whole,
    is_stream,
    with_body,
    with_frames,
    with_header,
)
from mock_server.faults.fault import sends
from openapi.wire import http1_out
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
    return _cut(answer, End.TRUNCATED) if is_stream(answer) else answer


@sends("tx-reset", "transport.body-complete")
def reset(asked: Asked, answer: Answer) -> Answer:
    """The connection of a stream is reset in the middle: clients raise, and pools lose a connection."""
    return _cut(answer, End.RESET) if is_stream(answer) else answer


@sends("tx-no-answer", "transport.answered")
def no_answer(asked: Asked, answer: Answer) -> Answer:
    """The connection is reset before the status line of a stream: a client cannot know whether the request was carried
    out."""
    if not is_stream(answer):
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
    if not is_stream(answer):
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
    if not is_stream(answer):
        return answer
    moved = with_frames(replace(answer, status=302, framing=Framing.CONTENT_LENGTH, ended_at=0.0), [])
    moved = with_header(with_header(moved, "content-type", None), "location", f"https://elsewhere.example{asked.path}")
    return replace(moved, ended_at=answer.frames[0].due)


@sends("tx-request-id-missing", "transport.request-id")
def request_id_missing(_: Asked, answer: Answer) -> Answer:
    """No header names the request: nobody can ask the relay what became of it."""
    kept = tuple((name, value) for name, value in answer.headers if "request-id" not in name.lower())
    return answer if kept == answer.headers else replace(answer, headers=kept)


# --- the head -------------------------------------------------------------------------------------------------------


def _in_head(answer: Answer, change: Wire) -> Answer:
    """The answer with its head changed as bytes."""
    return _on_wire(answer, lambda piece: change(piece) if piece.startswith(b"HTTP/") else piece)


def _with_line(answer: Answer, line: bytes) -> Answer:
    """The answer with one more line in its head, as it stands."""
    return _in_head(answer, lambda head: head[:-2] + line + b"\r\n\r\n")


@sends("tx-space-before-colon", "transport.framing")
def space_before_colon(asked: Asked, answer: Answer) -> Answer:
    """A field has a space before its colon: a proxy may read another name than a client, and strict ones refuse it."""
    return _with_line(answer, b"x-relay : a") if is_chat_whole(asked, answer) else answer


@sends("tx-header-folded", "transport.head-syntax")
def header_folded(asked: Asked, answer: Answer) -> Answer:
    """A field is folded over two lines, which was given up in 2014: some clients read it as two, some refuse it."""
    return _with_line(answer, b"x-relay: a\r\n b") if is_chat_whole(asked, answer) else answer


@sends("tx-bare-lf", "transport.head-syntax")
def bare_lf(asked: Asked, answer: Answer) -> Answer:
    """Lines of the head end in LF alone: a proxy may see another head than a client."""
    return _in_head(answer, lambda head: head.replace(b"\r\n", b"\n")) if is_chat_whole(asked, answer) else answer


@sends("tx-content-type-twice", "transport.singletons")
def content_type_twice(asked: Asked, answer: Answer) -> Answer:
    """Two parties on the way declare the media type: some clients join both to one that nobody knows."""
    if not is_chat_whole(asked, answer):
        return answer
    return replace(answer, headers=(*answer.headers, ("content-type", header(answer.headers, "content-type"))))


@sends("tx-length-and-chunks", "transport.length-and-coding")
def length_and_chunks(asked: Asked, answer: Answer) -> Answer:
    """A length is announced beside chunks: what a proxy cuts by the one, a client reads by the other."""
    if not is_chat_whole(asked, answer) or answer.framing is not Framing.CONTENT_LENGTH:
        return answer
    return _with_line(replace(answer, framing=Framing.CHUNKED), b"content-length: %d" % len(answer.body))


@sends("tx-date-missing", "transport.date")
def date_missing(asked: Asked, answer: Answer) -> Answer:
    """An answer does not say when it was made."""
    if not is_chat_whole(asked, answer):
        return answer
    return _in_head(answer, lambda head: re.sub(rb"\r\ndate:[^\r]*", b"", head))


@sends("tx-header-text", "transport.header-text")
def header_text(asked: Asked, answer: Answer) -> Answer:
    """A header holds a Chinese text: Node and browsers hand it over garbled, or raise."""
    return with_header(answer, "x-relay-note", "余额不足") if is_chat_whole(asked, answer) else answer


# --- the body -------------------------------------------------------------------------------------------------------


@sends("tx-bytes-behind-end", "transport.surplus")
def bytes_behind(asked: Asked, answer: Answer) -> Answer:
    """More bytes come than were announced: the next answer on the connection begins with them."""
    if not is_chat_whole(asked, answer) or answer.framing is not Framing.CONTENT_LENGTH:
        return answer
    body = answer.body
    return _on_wire(answer, lambda piece: piece + b"{}" if piece == body else piece)


@sends("head-with-body", "transport.no-body")
def head_with_body(asked: Asked, answer: Answer) -> Answer:
    """HEAD is answered with the body of GET: the next answer on the connection begins with it."""
    body = answer.body
    return _in_head(answer, lambda head: head + body) if asked.method == "HEAD" and body else answer


@sends("options-204-with-body", "transport.no-body", "transport.no-content")
def no_content_with_body(asked: Asked, answer: Answer) -> Answer:
    """A 204 announces a body and has one: some clients wait for it, to others it is the next answer."""
    if answer.status != 204:
        return answer
    return _in_head(_with_line(answer, b"content-length: 2"), lambda head: head + b"{}")


@sends("tx-close-delimited", "transport.close-delimited")
def close_delimited(_: Asked, answer: Answer) -> Answer:
    """Nothing but the end of the connection tells where the body ends: one that was cut looks whole."""
    return replace(answer, framing=Framing.CLOSE) if answer.framing is Framing.CHUNKED else answer


@sends("tx-gzip-unasked", "transport.coding-unasked")
def gzip_unasked(asked: Asked, answer: Answer) -> Answer:
    """A body is compressed for a client that takes none compressed."""
    if not is_chat_whole(asked, answer):
        return answer
    return with_header(with_body(answer, gzip.compress(answer.body, mtime=0)), "content-encoding", "gzip")


@sends("tx-json-leading-whitespace", "transport.leading-whitespace")
def leading_whitespace(asked: Asked, answer: Answer) -> Answer:
    """Blanks come before the JSON to keep the connection: the status is settled before the answer is known."""
    if not is_chat_whole(asked, answer):
        return answer
    return with_frames(answer, [Frame(answer.frames[0].due, b"  \n"), *answer.frames])


# --- the connection, and what stands before the relay ---------------------------------------------------------------


@sends("tx-rst-poisons-pool", "transport.reuse")
def reset_behind(asked: Asked, answer: Answer) -> Answer:
    """The connection is reset behind a whole stream, unannounced: the next request of a client's pool fails."""
    if not is_stream(answer) or answer.framing is not Framing.CHUNKED:
        return answer
    last = http1_out.chunk(answer.frames[-1].data)

    def wire(piece: bytes) -> bytes:
        if piece.startswith(b"HTTP/"):
            return piece.replace(b"connection: close\r\n", b"")
        return piece + http1_out.LAST_CHUNK if piece == last else piece

    return _on_wire(replace(answer, end=End.RESET), wire)


LONG = 1000  # tokens of an answer that takes its time


@sends("tx-nonstream-524", "transport.gateway-timeout")
def gateway_timeout(asked: Asked, answer: Answer) -> Answer:
    """A long answer that is not streamed dies at the CDN: the client gets a page, and pays for what it never sees."""
    limit = asked.object.get("max_tokens")
    if not is_chat_whole(asked, answer) or not isinstance(limit, int) or limit < LONG:
        return answer
    page = b"<!DOCTYPE html><title>524: A timeout occurred</title>"
    return with_header(with_body(replace(answer, status=524), page), "content-type", "text/html")
