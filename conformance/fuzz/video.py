"""Chat-format video: histories that refer to an earlier answer, and a change of a video that was just made.

Dear: drawn only where a video model is named, few of them, and what fails is not made smaller.
"""

from collections.abc import Iterator

from hypothesis import strategies as st

from conformance.fuzz.case import Case
from conformance.fuzz.drawn import drawn
from conformance.probe import MODEL, Role
from conformance.probes.video_chat import CHANGE
from openapi.json_text import Json

CHAT = "createChatCompletion"
LINK = "https://files.example/v/earlier.mp4"
PROMPTS = ("A cat walks over a piano.", "一只猫走过钢琴。🎹", "A cat\nwalks over “a piano”; then it sleeps.")
EARLIER = (  # how relays have written an answer with its link: a client sends it back as it came
    f"[Download]({LINK})",
    f"> Progress: 100%\n\n![video]({LINK})",
    f'<video src="{LINK}" controls></video>',
    f"进度 100%\n\n视频链接：{LINK}",
    LINK,
)


def histories(seed: int, count: int) -> Iterator[Case]:
    """A change of a video whose making is told in the messages before, each as a client may write it."""
    for body in drawn(_histories(), seed, count):
        yield Case("one", CHAT, Role.VIDEO, {"body": body})


def edits(seed: int, count: int) -> Iterator[Case]:
    """A video, and a change of it that takes up the whole of its answer."""
    for prompt in drawn(st.sampled_from(PROMPTS), seed, count):
        messages: list[Json] = [{"role": "user", "content": prompt}]
        yield Case("edit", CHAT, Role.VIDEO, {"body": {"model": MODEL, "messages": messages, "stream": True}})


@st.composite
def _histories(draw: st.DrawFn) -> dict[str, Json]:
    messages: list[Json] = []
    for _ in range(draw(st.integers(1, 2))):
        messages.append({"role": "user", "content": draw(_said(PROMPTS))})
        messages.append({"role": "assistant", "content": draw(_said(EARLIER))})
    messages.append({"role": "user", "content": draw(_said((CHANGE, "让它下雨，其余不变。")))})
    return {"model": MODEL, "messages": messages, "stream": True}


def _said(texts: tuple[str, ...]) -> st.SearchStrategy[Json]:
    """A text as it is, or in a part."""
    one = st.sampled_from(texts)
    return st.one_of(one, one.map(lambda text: [{"type": "text", "text": text}]))
