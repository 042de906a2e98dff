"""Video by chat completions: progress and the link arrive as text (chat-format sora-2 and its like).

No vendor specifies this form. The laws are what every documented family keeps, and what a client needs to find the
video: relay-specific habits are told, never failed.
"""

import re
from collections.abc import Iterator
from itertools import pairwise

from conformance.answers import (
    chunks_of,
    complete,
    describe,
    ended,
    event_stream,
    excerpt,
    message_of,
    reply_of,
    said_of,
    whole_reply,
)
from conformance.asked import chat, legal, streamed, video, with_limit
from conformance.rule import MEDIA, Finding, Inconclusive, Level, NotSeen, Remark, rule
from openapi.wire.exchange import Exchange
from openapi.wire.streams.chat import Symbol

SOURCE = "openapi, examples of chat-format video"
URL = re.compile(r"https?://[^\s<>\"'`)\]}\\，。；！、）】》]+", re.IGNORECASE)
FENCE = re.compile(r"```.*?(```|$)", re.DOTALL)  # the prompt as some relays repeat it
IMAGE = re.compile(r"!\[[^\]]*\]\([^)]*\)")
PICTURE = re.compile(r"\.(webp|png|jpe?g|gif|avif)(\?|#|$)", re.IGNORECASE)
MOVIE = re.compile(r"\.(mp4|mov|webm|m3u8|mkv)(\?|#|$)", re.IGNORECASE)
FAILURE = re.compile(
    r"失败|错误|违规|❌|fail|error|violat|refus|reject|denied|blocked|policy|unable|cannot", re.IGNORECASE
)
PERCENT = re.compile(r"(?<![\d.])(\d{1,3}(?:\.\d+)?)\s*(?:%|％|\.\.(?!\.))")
SID = re.compile(r"\bs_[0-9a-f]{32}\b")
TASK = re.compile(r"\btask_\w+")
SHAPE = re.compile(
    r"unmarshal|expected|invalid (type|format|request body)|must be|should be|unsupported (content|type|message)"
    r"|not support|content|messages|image_url|role|字段|格式|类型|不支持",
    re.IGNORECASE,
)  # of a refusal that is about the request's form
LOST = {401, 404, 410}  # nobody who has only the link gets it; what a CDN says to us alone (403, 429, 503) is less
VIDEO_TYPES = {
    "application/mp4",  # RFC 4337
    "application/vnd.apple.mpegurl",  # RFC 8216, playlists of HTTP Live Streaming
    "application/x-mpegurl",
    "audio/mpegurl",
    "application/dash+xml",
}
BYTES = {"application/octet-stream", "binary/octet-stream"}  # of storage that was told no type; the bytes have to tell
SNIFFED = 64
EBML = bytes.fromhex("1a45dfa3")  # WebM and Matroska; MP4 and QuickTime have `ftyp` behind a length (ISO/IEC 14496-12)
WORDS = (b"<", b"{")  # HTML, XML, JSON
FIRST_BYTE = 30.0  # seconds
SILENCE = 60.0  # seconds; proxies cut at about a hundred

job = chat & legal & video
streamed_job = job & streamed


def links_of(text: str) -> list[str]:
    """The URLs of videos in a text, each once: by their ending, else what is no cover picture."""
    urls = list(dict.fromkeys(URL.findall(text)))
    movies = [url for url in urls if MOVIE.search(url)]
    if movies:
        return movies
    covers = {url for image in IMAGE.findall(text) for url in URL.findall(image)}
    return [url for url in urls if url not in covers and not PICTURE.search(url)]


def _texts(exchange: Exchange) -> tuple[str, str]:
    """The content and the thinking of the answer's first choice."""
    choice = reply_of(exchange).choices.get(0)
    return (choice.content, choice.reasoning) if choice else ("", "")


def _output_urls(exchange: Exchange) -> list[str]:
    """What some relays send as `delta.output[].url`."""
    urls: list[str] = []
    for payload in exchange.payloads:
        match payload.object:
            case {"choices": [{"delta": {"output": [*outputs]}}]}:
                found = [one.get("url") for one in outputs if isinstance(one, dict)]
                urls += [url for url in found if isinstance(url, str) and url]
    return urls


def _failed(exchange: Exchange) -> bool:
    content, reasoning = _texts(exchange)
    return any(said.symbol is Symbol.ERROR for said in said_of(exchange)) or bool(FAILURE.search(content + reasoning))


@rule("video.accepted", Level.MUST, cites=SOURCE, on=streamed_job)
def accepted(exchange: Exchange) -> Iterator[Remark]:
    """A prompt as text, as text and picture, and as a conversation with the earlier answer in it are each taken."""
    if exchange.status in {400, 415, 422} and SHAPE.search(message_of(exchange)):
        yield Finding(f"the form of the request is documented, {describe(exchange)}")
    elif exchange.status != 200:
        yield Inconclusive(describe(exchange))


@rule("video.link", Level.MUST, cites=SOURCE, on=streamed_job, given=ended)
def link(exchange: Exchange) -> Iterator[Remark]:
    """The content of a job that succeeded has exactly one link to a video, in any of the notations in use."""
    content, reasoning = _texts(exchange)
    links = list(dict.fromkeys([*links_of(content), *_output_urls(exchange)]))
    movies = [url for url in links if MOVIE.search(url)]
    if len(movies) > 1:
        yield Finding(f"{len(movies)} links to videos: {excerpt(' '.join(movies))}")
    elif len(links) > 1:
        yield Inconclusive(f"which of {len(links)} links is the video, none says: {excerpt(' '.join(links))}")
    elif links:
        return
    elif links_of(reasoning):
        yield Finding(f"the only link stands in the thinking: {links_of(reasoning)[0]}")
    elif _failed(exchange) or not content.strip() or not _finished(exchange):
        yield Inconclusive("the job failed or did not end: see video.failure-visible", mood=True)
    elif not any(sign.search(content + reasoning) for sign in (PERCENT, TASK, SID)):
        yield Inconclusive(f"no sign of a job, the model may have answered in words: {excerpt(content)}", mood=True)
    else:
        yield Finding(f"no link to a video in {excerpt(content)}")


def _finished(exchange: Exchange) -> bool:
    choice = reply_of(exchange).choices.get(0)
    return bool(choice and choice.finish)


def link_to_fetch(exchange: Exchange) -> str:
    """The one link to the video that a job made, empty where there is none, or nothing says which: what a model links
    to in words, or a relay beside a failure, is no video."""
    if exchange.status != 200 or not _finished(exchange):
        return ""
    content, reasoning = _texts(exchange)
    links = list(dict.fromkeys([*links_of(content), *_output_urls(exchange)]))
    movies = [url for url in links if MOVIE.search(url)]
    a_job = any(sign.search(content + reasoning) for sign in (PERCENT, TASK, SID)) and not _failed(exchange)
    found = movies or (links if a_job else [])
    return found[0] if len(found) == 1 else ""


@rule("video.link-type", Level.SHOULD, cites="RFC 9110 section 8.3", on=streamed_job, over=("video", MEDIA))
def link_type(_: Exchange, media: Exchange) -> Iterator[Remark]:
    """The link leads to a video: who asks for its first bytes without a key gets 200 or 206 and the media type of a
    video. Asked with --fetch-media only; what keeps us out, and others not, decides nothing."""
    kind, start = media.media_type, media.content[:SNIFFED]
    if media.status in LOST:
        yield Finding(f"{_linked(media)} is answered with {media.status}", exchange=media.id)
    elif media.status not in {200, 206}:
        yield Inconclusive(f"{_linked(media)}: {media.error or describe(media)}")
    elif kind.startswith("video/") or kind in VIDEO_TYPES:
        return
    elif kind not in {"", *BYTES}:
        yield Finding(f"{_linked(media)} is {kind}, no video", place="content-type", exchange=media.id)
    elif start.lstrip().lower().startswith(WORDS):
        yield Finding(f"{_linked(media)} is no video: {excerpt(start.decode('utf-8', 'replace'))}", exchange=media.id)
    elif not (start[4:8] == b"ftyp" or start.startswith(EBML)):
        yield Inconclusive(f"{_linked(media)} has the media type {kind or '(none)'}, and its first bytes tell no more")


def _linked(media: Exchange) -> str:
    return excerpt(media.request.path)


@rule("video.link-in-content", Level.SHOULD, cites=SOURCE, on=streamed_job, given=ended)
def link_in_content(exchange: Exchange) -> Iterator[Remark]:
    """The link stands in content and not in the thinking alone, where clients do not look."""
    content, reasoning = _texts(exchange)
    if links_of(content) or _output_urls(exchange):
        return
    if links_of(reasoning):
        yield Finding(f"the link stands in reasoning_content alone: {links_of(reasoning)[0]}")
    else:
        yield Inconclusive("there is no link: see video.link", mood=True)


@rule("video.link-before-finish", Level.SHOULD, cites=SOURCE, on=streamed_job, given=event_stream)
def link_before_finish(exchange: Exchange) -> Iterator[Remark]:
    """The link comes before finish_reason or with it: clients stop reading there."""
    texts, finish = _content_by_event(exchange)
    final = links_of("".join(texts.values()))
    if not final:
        yield Inconclusive("there is no link in content: see video.link", mood=True)
    if finish is None:
        yield Inconclusive("no finish_reason came: see chat.stream.finish-once")
        return
    before = links_of("".join(text for event, text in texts.items() if event <= finish))
    if final and not any(link in final or MOVIE.search(link) for link in before):
        late = next(event for event, text in texts.items() if event > finish and text)
        yield Finding(f"the link comes behind finish_reason: {final[0]}", late)


def _content_by_event(exchange: Exchange) -> tuple[dict[int, str], int | None]:
    """The content of the first choice by event number, and the event of its finish_reason."""
    texts: dict[int, str] = {}
    finish = None
    for event, chunk in chunks_of(exchange):
        match chunk.get("choices"):
            case [{"delta": {"content": str(content)}}, *_]:
                texts[event] = content
        match chunk.get("choices"):
            case [{"finish_reason": str(reason)}, *_] if reason and finish is None:
                finish = event
    return texts, finish


@rule("video.progress", Level.SHOULD, cites=SOURCE, on=streamed_job, given=event_stream)
def progress(exchange: Exchange) -> Iterator[Remark]:
    """Progress never falls and stays between 0 and 100 percent."""
    content, reasoning = _texts(exchange)
    percents = [float(text) for text in PERCENT.findall(f"{reasoning}\n{URL.sub('', FENCE.sub('', content))}")]
    if not percents:
        yield NotSeen("no percent was told")
    for before, after in pairwise(percents):
        if after < before:
            yield Finding(f"progress fell from {before:g} to {after:g} percent")
    if any(percent > 100 for percent in percents):
        yield Finding(f"progress of {max(percents):g} percent")


@rule(
    "video.gap", Level.SHOULD, cites="Cloudflare error 524: 100 s without a byte", on=streamed_job, given=event_stream
)
def gap(exchange: Exchange) -> Iterator[Remark]:
    """The first byte comes within 30 s and no silence is longer than 60 s: proxies cut at about 100 s."""
    times = [read.at for read in exchange.reads if read.data] + (
        [exchange.ended_at] if complete.holds(exchange) else []
    )
    if not times:
        yield Inconclusive("nothing came until we left")
    elif times[0] > FIRST_BYTE:
        yield Finding(f"the first byte came after {times[0]:.1f} s", 0)
    for before, after in pairwise(times):
        if after - before > SILENCE:
            event = sum(exchange.arrival(message.end) <= before for message in exchange.messages)
            yield Finding(f"nothing came for {after - before:.1f} s", event)


@rule("video.failure-visible", Level.SHOULD, cites=SOURCE, on=streamed_job, given=ended)
def failure_visible(exchange: Exchange) -> Iterator[Remark]:
    """A job that fails says so, by an error or in its text: an answer that ends is never empty."""
    content, reasoning = _texts(exchange)
    if links_of(content + reasoning) or _output_urls(exchange):
        yield NotSeen("the job succeeded")
    elif not content.strip() and not _told(exchange):
        text = "no text outside the thinking" if reasoning.strip() else "no text"
        yield Finding(f"the answer ended with no link, {text} and no error", len(exchange.messages))


def _told(exchange: Exchange) -> bool:
    """An error, or a finish_reason that says it."""
    choice = reply_of(exchange).choices.get(0)
    return any(said.symbol is Symbol.ERROR for said in said_of(exchange)) or bool(
        choice and "content_filter" in choice.finish
    )


@rule("video.max-tokens", Level.SHOULD, cites=SOURCE, on=job & with_limit, given=whole_reply)
def max_tokens(exchange: Exchange) -> Iterator[Remark]:
    """max_tokens means nothing for a video and does not cut the answer."""
    choice = reply_of(exchange).choices.get(0)
    if choice and "length" in choice.finish:
        yield Finding("the answer ended with finish_reason length")


@rule("video.task-id", Level.MAY, cites=SOURCE, on=streamed_job, given=ended)
def task_id(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the task, so that a client that lost the stream can ask for it."""
    if not TASK.search("".join(_texts(exchange))):
        yield Finding("no task id in the answer")


@rule("video.sid", Level.MAY, cites=SOURCE, on=streamed_job, given=ended)
def sid(exchange: Exchange) -> Iterator[Remark]:
    """The answer names the sid that a later edit refers to."""
    if not SID.search("".join(_texts(exchange))):
        yield Finding("no sid in the answer")


@rule("video.edit-refers", Level.MAY, cites=SOURCE, on=streamed_job, given=ended, over=("create", "edit"))
def edit_refers(create: Exchange, edit: Exchange) -> Iterator[Remark]:
    """An edit names the sid of the video that the conversation is about; who reads the last message alone makes a new
    video, and bills it."""
    first, second = (set(SID.findall("".join(_texts(one)))) for one in (create, edit))
    if not first:
        yield Inconclusive("the first answer names no sid: see video.sid", mood=True)
    elif not second:
        yield Inconclusive("the second answer names no sid", mood=True)
    elif not first & second:
        told = f"the first video was {' '.join(sorted(first))}, the edit names {' '.join(sorted(second))}"
        yield Finding(told, exchange=edit.id)
