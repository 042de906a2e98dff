"""A tokenizer that is simple and deterministic: a word with the blank before it, up to three digits, one CJK character,
one mark. Counts of usage, limits and the pieces of a stream all come from it."""

import re

_CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
_TOKEN = re.compile(rf" ?[^\W\d_{_CJK}]{{1,12}}| ?\d{{1,3}}|\r?\n+|[ \t]+|.", re.DOTALL)


def split(text: str) -> tuple[str, ...]:
    """Tokens that join to the text."""
    return tuple(_TOKEN.findall(text))


def count(text: str) -> int:
    return len(split(text))


def is_chinese(text: str) -> bool:
    """Whether the text has a Chinese character in it."""
    return re.search("[\u3400-\u9fff]", text) is not None
