"""A video by chat: progress and a link come out as text, and nothing of it is counted in tokens of the limit.

The shape is that of the relays that stream into `content` (task id, queue, percents, sid, cover, link).
"""

import re

from mock_server import media
from mock_server.synthesis.prompt import Prompt
from mock_server.synthesis.seed import digest
from mock_server.synthesis.turn import Turn
from openapi.wire.exchange import Headers

WORDS = ("sora", "veo", "kling", "video")  # in the name of a model that makes videos
SID = re.compile(r"\bs_[0-9a-f]{32}\b")


def is_video(model: str) -> bool:
    return any(word in model.lower() for word in WORDS)


def turns(prompt: Prompt, headers: Headers) -> list[Turn]:
    """One choice for each that was asked for; limits and stop sequences have no meaning here."""
    return [Turn(index, pieces=_pieces(prompt, index, headers)) for index in range(prompt.n)]


def _pieces(prompt: Prompt, index: int, headers: Headers) -> tuple[str, ...]:
    """The task, the wait, the progress, the result. An edit keeps the sid that the conversation names."""
    made = digest(prompt.seed, "video", index)
    earlier = SID.findall(prompt.conversation)
    sid = earlier[-1] if earlier else f"s_{made[:32]}"
    percents = [f"{percent}.." for percent in (36, 44, 61, 69, 81)]
    result = f"\n\n> 生成完成 ✅\n> sid: {sid}\n\n![cover]({media.ELSEWHERE}{made[32:48]}.webp)\n"
    return (
        f"> ID: `task_{made[:26]}`\n> 排队中",
        ".",
        ".",
        "\n> 生成中",
        ".",
        "\n\n>🏃 进度 ",
        *percents,
        result,
        f"[在线播放▶️]({media.link(headers, made[32:48])})",
    )
