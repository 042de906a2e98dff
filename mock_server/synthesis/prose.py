"""What the mock says when words are wanted: it fits the prompt a little, and is long enough for limits to bite."""

import re

from mock_server.synthesis import tokens
from mock_server.synthesis.prompt import Prompt
from mock_server.synthesis.seed import number

ENGLISH = (
    "A relay stands between a client and a model, and passes on what each has to say.",
    "The river bends twice before it meets the sea, and the town lies in the second bend.",
    "Most of the work is done early, while the streets are quiet and the light is still soft.",
    "Small steps, taken one after another, lead further than a single leap in the dark.",
    "Every part has one task, and each of them can be tested on its own.",
    "In spring the hills turn green, and the paths between the farms are dry again.",
    "Good measurements are written down at once, together with the time at which they were made.",
    "What is simple to explain is often simple to build, though not always quick to find.",
    "The oldest house in the village has a blue door and a bench beside it.",
    "In short, begin with what is known, and keep the rest for a second look.",
)
CHINESE = (
    "中转站位于客户端与模型之间，把双方的话原样传递。",
    "河流在入海之前转了两个弯，小镇就坐落在第二个弯上。",
    "清晨的街道十分安静，光线也很柔和，适合做细致的工作。",
    "一步一步地走，往往比一次冒险的跳跃走得更远。",
    "每个部件只负责一件事，因此可以单独测试。",
    "春天来了，山坡变绿，田间的小路也重新干燥起来。",
    "容易解释的东西通常也容易实现，只是未必容易想到。",
    "总之，先从已知的部分开始，其余的留待下一步。",
)
WORDS = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
NUMBERS = {word: value for value, word in enumerate(WORDS, 1)}
MAX_COUNT = 500
MAX_WORDS = 2000
MAX_ECHO = 4000  # characters that are said again

_NUMBER = rf"(\d{{1,4}}|{'|'.join(NUMBERS)})"
_COUNT = re.compile(
    rf"\bcount\D{{0,20}}?(?:\b{_NUMBER}\b)?\W*(?:up )?(?:to|through|until)\W+{_NUMBER}\b", re.IGNORECASE
)
_COUNT_CHINESE = re.compile(r"从?\s*(\d{1,4})?\s*数到\s*(\d{1,4})")
_ECHO = re.compile(
    r"(?:\b(?:repeat|echo|say|print|write|output|reply|respond|answer)\b|重复|复述|请说|请回复|请输出|只回复|回答)"
    r"[^:：\"“「`\n]{0,60}?"
    r"(?:[:：]\s*(?P<rest>\S[^\n]*)|[\"“「`](?P<quoted>[^\"”」`]+)[\"”」`])",
    re.IGNORECASE,
)
_ONE_WORD = re.compile(
    r"\b(?:say|with|print)\s+(?:(?:exactly|only|just|the|single|one|word)\s+)*(\w+)[.!]?\s*$", re.IGNORECASE
)
_WORDS = re.compile(r"\b(\d{1,5})\s+words\b", re.IGNORECASE)


def compose(prompt: Prompt, index: int) -> str:
    """The text of choice `index`, before stop sequences and limits. Choices differ unless the temperature is 0."""
    asked = prompt.last_user
    told = _count(asked) or _echo(asked)
    if told and not prompt.tool_results:
        return told
    variant = 0 if prompt.cold else index
    return _opening(prompt) + _filler(prompt, variant)


def think(prompt: Prompt) -> str:
    """What a reasoning model thinks before it speaks."""
    if tokens.is_chinese(prompt.last_user):
        return "先弄清楚用户的问题，再给出简短的回答。"
    return "The user wants an answer. I look at what was asked, and then say it in a few sentences."


def _opening(prompt: Prompt) -> str:
    chinese = tokens.is_chinese(prompt.last_user)
    if prompt.tool_results:
        quoted = "; ".join(prompt.tool_results)[:MAX_ECHO]
        return f"根据工具的结果：{quoted}。" if chinese else f"According to the tool: {quoted}. "
    if prompt.pictures:
        return "图片中是一处安静的风景，色彩柔和。" if chinese else "The picture shows a quiet scene in soft colours. "
    return ""


def _filler(prompt: Prompt, variant: int) -> str:
    chinese = tokens.is_chinese(prompt.last_user)
    bank, joint = (CHINESE, "") if chinese else (ENGLISH, " ")
    start, steps = number(len(bank), prompt.seed) + 3 * variant, range(_length(prompt.last_user))
    if prompt.salt:  # many texts, so that two requests get the same by no chance
        return joint.join(bank[number(len(bank), prompt.seed, variant, step)] for step in steps)
    sentences = [bank[(start + step) % len(bank)] for step in steps]
    return joint.join(sentences)


def _length(asked: str) -> int:
    """How many sentences: four, or as many as the words that were asked for take."""
    found = _WORDS.search(asked)
    words = min(int(found[1]), MAX_WORDS) if found else 0
    return max(4, -(-words // 14))


def _count(asked: str) -> str:
    found = _COUNT.search(asked) or _COUNT_CHINESE.search(asked)
    if not found:
        return ""
    first, last = (_value(found[1]) if found[1] else 1), _value(found[2])
    step = 1 if first <= last else -1
    return ", ".join(str(one) for one in list(range(first, last + step, step))[:MAX_COUNT])


def _value(word: str) -> int:
    return int(word) if word.isdigit() else NUMBERS[word.lower()]


def _echo(asked: str) -> str:
    found = _ECHO.search(asked)
    if found:
        return (found["quoted"] or found["rest"])[:MAX_ECHO].strip().strip('"“”「」`')
    one = _ONE_WORD.search(asked)
    return one[1] if one else ""
