"""Videos by chat: the link, the progress, the silence while the job runs.

The pauses here are of real time; `--speed` shortens them with all others, and a shortened silence is none.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import wraps

from mock_server import media
from mock_server.answer import Answer, Asked, Frame
from mock_server.faults.chunks import (
    choices,
    content,
    deltas,
    finishes,
    first_where,
    text_chunk,
    without_spans,
)
from mock_server.faults.edit import (
    Events,
    Object,
    is_chat_stream,
    is_video,
    on_chunks,
    on_events,
)
from mock_server.faults.fault import sends
from mock_server.synthesis import error

SID = r"s_[0-9a-f]{32}"
LINK = r"https?://[^\s\"'<>()\[\]`]+"
OTHER_LINK = "\n[备用](https://media.example/0f0f0f0f.mp4)\n"
TEXTS = ("content", "reasoning_content", "reasoning")
GAP = 65.0  # seconds
PAGE = b"<!doctype html><title>video</title><p>Log in to watch.</p>\n"


def on_video(change: Callable[[Events], Events]) -> Callable[[Asked, Events], Events]:
    """A change of the streams of video models alone."""

    @wraps(change)
    def bend(asked: Asked, found: Events) -> Events:
        return change(found) if is_video(asked) else found

    return bend


def _last_text(found: Events) -> int | None:
    """The number of the event with the last text: the result of the job."""
    return next((at for at in range(len(found) - 1, -1, -1) if content(found[at])), None)


def _before_result(found: Events, *texts: str) -> Events:
    """The stream with more texts before its result."""
    at = _last_text(found)
    if at is None:
        return found
    like = next(event for event in found if content(event))
    return [
        *found[:at],
        *(replace(like, due=found[at].due).saying(text_chunk(like.chunk, text)) for text in texts),
        *found[at:],
    ]


@sends("video-link-missing", "video.link")
@on_events
@on_video
def link_missing(found: Events) -> Events:
    """The job is done and no link comes: the video was paid for and cannot be fetched."""
    return without_spans(found, LINK)


@sends("video-two-links", "video.link")
@on_events
@on_video
def two_links(found: Events) -> Events:
    """Two different videos are linked: a client does not know which one it asked for."""
    return _before_result(found, OTHER_LINK)


@sends("video-link-in-reasoning", "video.link-in-content", "video.link")
@on_events
@on_video
def link_in_reasoning(found: Events) -> Events:
    """The link stands in the reasoning alone, which clients fold away: the user sees no video."""
    at = _last_text(found)
    if at is None:
        return found
    chunk = found[at].chunk
    for said in deltas(chunk):
        said["reasoning_content"], said["content"] = content(found[at]), None
    return [*without_spans(found[:at], LINK), found[at].saying(chunk), *found[at + 1 :]]


@sends("video-progress-falls", "video.progress")
@on_events
@on_video
def progress_falls(found: Events) -> Events:
    """The progress falls from 97 % to 5 %: a client that shows a bar, or waits for it to grow, gives up."""
    return _before_result(found, "\n> 进度 97%\n", "\n> 进度 5%\n")


@sends("video-progress-beyond", "video.progress")
@on_events
@on_video
def progress_beyond(found: Events) -> Events:
    """The progress goes to 140 %: bars overflow."""
    return _before_result(found, "\n> 进度 140%\n")


@sends("video-failure-silent", "video.failure-visible", "video.task-id", "video.sid")
@on_chunks
def failure_silent(asked: Asked, chunk: Object, _: int) -> None:
    """The job fails and the answer is empty: the user learns nothing, and pays."""
    for said in deltas(chunk) if is_video(asked) else ():
        for name in TEXTS:
            if said.get(name):
                said[name] = ""


@sends("video-finish-upper-case", "chat.stream.finish-reason")
@on_chunks
def finish_upper(asked: Asked, chunk: Object, _: int) -> None:
    """finish_reason is STOP: clients that wait for `stop` wait for ever, typed ones refuse the chunk."""
    for choice in choices(chunk) if is_video(asked) else ():
        if choice.get("finish_reason"):
            choice["finish_reason"] = "STOP"


@sends("video-max-tokens-cuts", "video.max-tokens")
@on_chunks
def max_tokens(asked: Asked, chunk: Object, _: int) -> None:
    """max_tokens is applied to a video: the answer says that it was cut off, and clients ask for the rest."""
    for choice in choices(chunk) if is_video(asked) and asked.object.get("max_tokens") else ():
        if choice.get("finish_reason"):
            choice["finish_reason"] = "length"


@sends("video-silent-gap", "video.gap")
@on_events
@on_video
def silent_gap(found: Events) -> Events:
    """Nothing comes for 65 seconds in mid-job, not even a comment: proxies on the way close the connection."""
    at = first_where(found, finishes)
    middle = (len(found) if at is None else at) // 2
    return [*found[:middle], *(replace(event, due=event.due + GAP) for event in found[middle:])]


@sends("video-task-id-missing", "video.task-id")
@on_events
@on_video
def task_id_missing(found: Events) -> Events:
    """No task is named: a user whose connection broke cannot ask for the video."""
    return without_spans(found, r"`?task_\w+`?")


@sends("video-sid-missing", "video.sid")
@on_events
@on_video
def sid_missing(found: Events) -> Events:
    """No sid is named: the video cannot be changed by a later request."""
    return without_spans(found, SID)


@sends("video-link-after-finish", "video.link-before-finish", "chat.stream.finish-last")
@on_events
@on_video
def link_after_finish(found: Events) -> Events:
    """The link comes behind finish_reason: clients that stop reading there never see the video."""
    at, end = _last_text(found), first_where(found, finishes)
    if at is None or end is None or at >= end:
        return found
    late = replace(found[at], due=found[end].due)
    return [*found[:at], *found[at + 1 : end + 1], late, *found[end + 1 :]]


@sends("video-parts-refused", "video.accepted", "claims.kept")
def parts_refused(asked: Asked, answer: Answer) -> Answer:
    """A picture beside the text is refused, though it is documented: a video from a picture cannot be had."""
    messages = asked.object.get("messages")
    contents = [one.get("content") for one in messages if isinstance(one, dict)] if isinstance(messages, list) else []
    if not is_video(asked) or not is_chat_stream(asked, answer) or all(isinstance(one, str) for one in contents):
        return answer
    text = "field messages.content must be a string"
    return error(400, text, type="invalid_request_error", param="messages", code="invalid_value")


@sends("video-edit-forgets", "video.edit-refers")
@on_events
def edit_forgets(asked: Asked, found: Events) -> Events:
    """Only the last message of a conversation is read: an edit makes a new video, which has nothing of the first."""
    messages = asked.object.get("messages")
    if not is_video(asked) or not isinstance(messages, list) or len(messages) < 2:
        return found
    return _before_result(without_spans(found, SID), f"\n> sid: s_{'f' * 32}\n")


def _with_our_link(asked: Asked, answer: Answer) -> Answer:
    """A video's stream with its link to a video of the mock, where a recording has one of its own."""

    def relinked(asked: Asked, found: Events) -> Events:
        ours = any(media.PATH in content(event) for event in found)
        if ours or not is_video(asked):
            return found
        return _before_result(without_spans(found, LINK), f"\n[播放]({media.link(asked.headers, 'ours')})\n")

    return on_events(relinked)(asked, answer)


@sends("video-link-html", "video.link-type")
def link_html(asked: Asked, answer: Answer) -> Answer:
    """The link leads to a page: players show nothing, and scripts save HTML under the name of a video."""
    if asked.path.startswith(media.PATH):
        return Answer(200, (("content-type", "text/html; charset=utf-8"),), (Frame(0.0, PAGE),))
    return _with_our_link(asked, answer)


@sends("video-link-404", "video.link-type")
def link_lost(asked: Asked, answer: Answer) -> Answer:
    """The link leads nowhere: the video was made and paid for, and nobody can have it."""
    if asked.path.startswith(media.PATH):
        return error(404, "no such file", type="invalid_request_error", code="not_found")
    return _with_our_link(asked, answer)
