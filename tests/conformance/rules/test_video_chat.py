"""The rules about videos by chat."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.judge import judge
from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.rules.video_chat import link_to_fetch, links_of
from openapi.wire.exchange import Auth, Exchange, Request
from tests.conformance.exchanges import (
    DONE,
    Case,
    Event,
    chat_body,
    choice,
    chunk,
    cut,
    each,
    fails,
    failure,
    finish,
    got,
    moody,
    ours,
    passes,
    request,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    whole,
)
from tests.conformance.rules.steps import outcome_over, over

MOVIE = "https://media.example/a.mp4"
OTHER = "https://media.example/b.mp4"
COVER = "https://media.example/a.webp"
PAGE = "https://media.example/view/1"
SID = "s_" + "0" * 32


def job(*texts: Any, reason: Any = "stop", step: float = 0.1, **asked: Any) -> Exchange:
    """The stream of a video job; what is no text is an event."""
    events: list[Event] = [text(one) if isinstance(one, str) else one for one in texts]
    return stream(role(), *events, finish(reason), DONE, model="sora-2", step=step, **asked)


def ended_with(*events: Event) -> Exchange:
    return stream(role(), *events, DONE, model="sora-2")


def refused(status: int, message: str) -> Exchange:
    return got(status, failure(message), to=request(chat_body(model="sora-2", stream=True)))


def thought(content: str) -> dict[str, Any]:
    return chunk(choice({"reasoning_content": content}))


def output(*found: Any) -> dict[str, Any]:
    return chunk(choice({"output": list(found)}))


CASES = [
    passes("a Markdown link", "video.link", job(f"[在线播放▶️]({MOVIE})")),
    passes("a link beside its cover", "video.link", job(f"![cover]({COVER})\n[play]({MOVIE})")),
    passes("a video element", "video.link", job(f"```html\n<video src='{MOVIE}' controls></video>\n```")),
    passes("a bare URL", "video.link", job(f"done: {MOVIE}。")),
    passes("a member of its own", "video.link", job("done", output({"url": MOVIE}, {"url": 5}, 5))),
    passes("the same link twice", "video.link", job(f"{MOVIE} [here]({MOVIE})")),
    passes("links to data beside it", "video.link", job(f"[数据]({PAGE}) | [raw]({PAGE}2) {MOVIE}")),
    passes("one without an ending", "video.link", job(PAGE)),
    fails("two videos", "video.link", job(f"{MOVIE} {OTHER}"), says="2 links"),
    fails("none behind success", "video.link", job("进度 81% 生成完成 ✅"), says="生成完成"),
    moody("an answer in words", "video.link", job("What shall the dog look like?")),
    fails("in the thinking alone", "video.link", job("done", thought(MOVIE)), says="thinking"),
    undecided("several, none of them with an ending", "video.link", job(f"{PAGE} {PAGE}2"), says="which of 2 links"),
    moody("it failed", "video.link", job("❌ 生成失败")),
    moody("it says nothing", "video.link", job()),
    moody("an error", "video.link", stream(role(), text("x"), failure(), DONE, model="sora-2")),
    moody("no finish_reason", "video.link", stream(role(), text("10%"), DONE, model="sora-2")),
    undecided("we left", "video.link", ours(job("10%"))),
    silent("no video model", "video.link", stream(role(), DONE)),
    passes("it is taken", "video.accepted", job(MOVIE)),
    fails("no parts", "video.accepted", refused(400, "messages.content must be a string"), says="must be a string"),
    fails("an unknown role", "video.accepted", refused(422, "messages.1.role: Input should be 'user'")),
    undecided("its words are refused", "video.accepted", refused(400, "the prompt violates our policy")),
    undecided("a fault of the server", "video.accepted", refused(500, "messages")),
    silent("no video model", "video.accepted", stream(role(), DONE)),
    passes("before the end", "video.link-before-finish", job(f"[数据]({PAGE})", MOVIE)),
    passes("with the end", "video.link-before-finish", ended_with(chunk(choice({"content": MOVIE}, "stop")))),
    passes("again behind it", "video.link-before-finish", ended_with(text(MOVIE), finish(), text(MOVIE))),
    fails("behind it", "video.link-before-finish", ended_with(text(PAGE), finish(), text(MOVIE)), at=3, says=MOVIE),
    fails("cut in pieces", "video.link-before-finish", ended_with(finish(), text(MOVIE[:9]), text(MOVIE[9:])), at=2),
    moody("no link", "video.link-before-finish", job("done")),
    undecided("no end", "video.link-before-finish", ended_with(text(MOVIE)), says="no finish_reason"),
    passes("in content", "video.link-in-content", job(MOVIE)),
    passes("in a member of its own", "video.link-in-content", job(output({"url": MOVIE}))),
    fails("in the thinking", "video.link-in-content", job("done", thought(MOVIE)), says=MOVIE),
    moody("no link", "video.link-in-content", job("done")),
    passes("it grows", "video.progress", job("进度 36..", "44..", "61..", "100%")),
    passes("it stands still", "video.progress", job(thought("**Progress**: 27% (x)\n"), thought("27% "), "95.5％")),
    passes("percents of a link", "video.progress", job("50%", "https://x.example/a%20b10%.mp4")),
    passes("percents of the prompt, repeated", "video.progress", job('```json\n{"zoom":"90%"}\n```', "10%")),
    fails("it falls", "video.progress", job("97% ", "5%"), says="from 97 to 5"),
    fails("beyond the end", "video.progress", job("140%"), says="140"),
    unseen("none", "video.progress", job("排队中... v1.5")),
    passes("steadily", "video.gap", job("10%", "20%", step=29.0)),
    fails("late", "video.gap", job(step=31.0), at=0, says="31.0 s"),
    fails("a long silence", "video.gap", replace(job(), reads=job().reads[:1], ended_at=90.0), at=1, says="89.9 s"),
    undecided("nothing came", "video.gap", ours(stream(model="sora-2"))),
    passes("a silence that we ended", "video.gap", ours(job("10%"))),
    passes("in words", "video.failure-visible", job("❌ 生成失败: policy")),
    passes("by an error", "video.failure-visible", stream(role(), failure(), DONE, model="sora-2")),
    passes("by its finish_reason", "video.failure-visible", job(reason="content_filter")),
    fails("nothing", "video.failure-visible", job(), at=3, says="no text and no error"),
    fails("in the thinking alone", "video.failure-visible", job(thought("failed")), at=4, says="outside the thinking"),
    fails("not even a choice", "video.failure-visible", stream(DONE, model="sora-2"), at=1),
    unseen("it succeeded", "video.failure-visible", job(MOVIE)),
    undecided("cut", "video.failure-visible", cut(job())),
    passes("stop", "video.max-tokens", job(MOVIE, max_tokens=1000)),
    fails("length", "video.max-tokens", job("x", reason="length", max_tokens=1000)),
    undecided("no choice", "video.max-tokens", whole({"id": "x"}, model="sora-2", max_tokens=9)),
    passes("of a choice that is not the first", "video.max-tokens", stream(role(1), DONE, model="veo-3", max_tokens=9)),
    silent("none asked for", "video.max-tokens", job(MOVIE)),
    passes("one", "video.task-id", job("> ID: `task_01abc`")),
    fails("none", "video.task-id", job("x")),
    passes("one", "video.sid", job(f"sid: {SID}")),
    fails("none", "video.sid", job("sid: s_1")),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def test_each_rule_passes_and_fails_here() -> None:
    ours = {name for name in BOOK if name.startswith("video.") and not BOOK[name].over}
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == ours


OTHER_SID = "s_" + "1" * 32
EDITS = {
    "the same video": (job(f"sid: {SID}"), job(f'{{"sid":"{SID}"}}', f"sid: {OTHER_SID}"), Outcome.PASS),
    "another video": (job(f"sid: {SID}"), job(f"sid: {OTHER_SID}"), Outcome.FAIL),
    "none in the first": (job(MOVIE), job(f"sid: {OTHER_SID}"), Outcome.INCONCLUSIVE),
    "none in the second": (job(f"sid: {SID}"), job(MOVIE), Outcome.INCONCLUSIVE),
}


@pytest.mark.parametrize(("create", "edit", "outcome"), EDITS.values(), ids=EDITS)
def test_an_edit_refers_to_the_video_before(create: Exchange, edit: Exchange, outcome: Outcome) -> None:
    steps = {"create": replace(create, probe="video.edit"), "edit": replace(edit, probe="video.edit")}
    assert outcome_over("video.edit-refers", steps) is outcome


def media(status: int | None, kind: str | None, body: bytes = b"", error: str | None = None) -> Exchange:
    """What a link led to."""
    return got(status, body, kind=kind, to=Request("GET", MOVIE, (), Auth.NONE), error=error)


MP4, WEBM = b"\0\0\0\x20ftypisom", b"\x1a\x45\xdf\xa3\x9f"
LED_TO: dict[str, tuple[Exchange, Outcome]] = {
    "a video": (media(206, "video/mp4"), Outcome.PASS),
    "a video, whole": (media(200, "Video/WebM; codecs=vp9"), Outcome.PASS),
    "a playlist": (media(200, "application/vnd.apple.mpegurl"), Outcome.PASS),
    "bytes of a video": (media(206, "application/octet-stream", MP4), Outcome.PASS),
    "bytes of a video, no type": (media(206, None, WEBM), Outcome.PASS),
    "bytes": (media(206, "binary/octet-stream", b"\1\2\3"), Outcome.INCONCLUSIVE),
    "nothing": (media(200, None), Outcome.INCONCLUSIVE),
    "a page that says bytes": (media(200, "application/octet-stream", b"\n<!DOCTYPE html>"), Outcome.FAIL),
    "an error that says bytes": (media(200, "application/octet-stream", b'{"error":1}'), Outcome.FAIL),
    "a page": (media(200, "text/html", MP4), Outcome.FAIL),
    "a picture": (media(206, "image/webp"), Outcome.FAIL),
    "not there": (media(404, "text/html"), Outcome.FAIL),
    "for a key": (media(401, "application/json"), Outcome.FAIL),
    "gone": (media(410, None), Outcome.FAIL),
    "not for us": (media(403, "text/html"), Outcome.INCONCLUSIVE),
    "not now": (media(503, "text/html"), Outcome.INCONCLUSIVE),
    "a redirect to nowhere": (media(302, None, error="redirected, and the link holds a user"), Outcome.INCONCLUSIVE),
    "nobody": (media(None, None, error="no connection: refused"), Outcome.INCONCLUSIVE),
}


@pytest.mark.parametrize(("found", "outcome"), LED_TO.values(), ids=LED_TO)
def test_a_link_leads_to_a_video(found: Exchange, outcome: Outcome) -> None:
    steps = {"video": replace(job(MOVIE), probe="video.create"), "media": replace(found, probe="video.create")}
    verdict = over("video.link-type", steps)
    assert verdict.outcome is outcome
    assert {one.exchange for one in verdict.findings} <= {"e1-media"}
    assert found.error is None or found.error in (verdict.reason or "")


def test_what_a_link_leads_to_is_judged_by_no_other_rule() -> None:
    page = replace(media(500, "text/html", b"<html>"), id="e1-media", step="media", probe="video.create")
    assert list(judge([page], BOOK)) == []


@pytest.mark.parametrize(
    ("answer", "link"),
    [
        (job(MOVIE), MOVIE),
        (job(f"![cover]({COVER})", f"[play]({MOVIE})", MOVIE), MOVIE),
        (job("> ID: `task_01abc`", f"[play]({PAGE})"), PAGE),
        (job("50%", output({"url": MOVIE})), MOVIE),
        (job(f"{MOVIE} {OTHER}"), ""),
        (job("50%", f"[a]({PAGE}) [b]({PAGE}2)"), ""),
        (job(f"I make no videos, but see {PAGE}"), ""),
        (job("50%", f"❌ 生成失败: see {PAGE}"), ""),
        (job("50%"), ""),
        (job(thought(MOVIE)), ""),
        (stream(role(), text(MOVIE), model="sora-2"), ""),
        (stream(DONE, model="sora-2"), ""),
        (refused(400, MOVIE), ""),
    ],
)
def test_which_link_is_fetched(answer: Exchange, link: str) -> None:
    assert link_to_fetch(answer) == link


@pytest.mark.parametrize(
    ("said", "links"),
    [
        ("", []),
        (f"{COVER}", []),
        (f"![x]({PAGE})", []),
        (f"![x]({PAGE}) [y]({PAGE}2)", [f"{PAGE}2"]),
        (f"看，{MOVIE}，好", [MOVIE]),
        (f"{MOVIE}?sig=a%20b&x=1#t", [f"{MOVIE}?sig=a%20b&x=1#t"]),
        ("HTTPS://X.EXAMPLE/A.MP4", ["HTTPS://X.EXAMPLE/A.MP4"]),
    ],
)
def test_links_are_found_in_every_notation(said: str, links: list[str]) -> None:
    assert links_of(said) == links
