"""The rules about videos by chat."""

from dataclasses import replace
from typing import Any

import pytest

from conformance.rule import Outcome
from conformance.rules.video_chat import links_of
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    Case,
    Event,
    chapter,
    choice,
    chunk,
    cut,
    each,
    fails,
    failure,
    finish,
    moody,
    ours,
    passes,
    role,
    rules_of,
    silent,
    stream,
    text,
    undecided,
    unseen,
    whole,
)

MOVIE = "https://media.example/a.mp4"
OTHER = "https://media.example/b.mp4"
COVER = "https://media.example/a.webp"
PAGE = "https://media.example/view/1"
SID = "s_" + "0" * 32


def job(*texts: Any, reason: Any = "stop", step: float = 0.1, **asked: Any) -> Exchange:
    """The stream of a video job; what is no text is an event."""
    events: list[Event] = [text(one) if isinstance(one, str) else one for one in texts]
    return stream(role(), *events, finish(reason), DONE, model="sora-2", step=step, **asked)


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
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter("video")


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
