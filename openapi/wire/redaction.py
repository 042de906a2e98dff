"""Secrets out of evidence, as it is kept: each is replaced by a mark, which is evidence in its turn.

A mark is as long as what it replaces, where that has room for it, so that lengths and chunk sizes stay true.
"""

import json
import re
from collections.abc import Iterable, Sequence
from itertools import accumulate

MARK = "[relayproof:key"  # what every mark begins with
SHORTEST = 6  # characters; a shorter key would stand in every text by chance


def mark(length: int) -> str:
    """The mark for a secret of so many characters."""
    return MARK + "*" * max(length - len(MARK) - 1, 0) + "]"


class Redactor:
    """Takes secrets out of text and bytes, also where characters of it are percent-encoded or escaped as in JSON."""

    def __init__(self, secrets: Iterable[str]) -> None:
        ordered = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        pattern = "|".join("".join(map(_spellings, secret)) for secret in ordered) or "(?!)"
        self._text = re.compile(pattern)
        self._bytes = re.compile(pattern.encode())

    def text(self, value: str) -> str:
        return self._text.sub(lambda found: mark(len(found[0])), value)

    def data(self, value: bytes) -> bytes:
        return self._bytes.sub(lambda found: mark(len(found[0])).encode(), value)

    def found_in(self, value: bytes) -> bool:
        return self._bytes.search(value) is not None

    def pieces(self, pieces: Sequence[bytes]) -> list[bytes]:
        """Pieces of one body with the secrets out, also where one is split over pieces: its mark goes to the first."""
        whole = b"".join(pieces)
        ends = list(accumulate(len(piece) for piece in pieces))
        cleaned = [bytearray() for _ in pieces]
        place = 0  # the piece that holds the next byte
        position = 0
        for found in [*self._bytes.finditer(whole), None]:
            stop = found.start() if found else len(whole)
            while position < stop:
                while ends[place] <= position:
                    place += 1
                until = min(stop, ends[place])
                cleaned[place] += whole[position:until]
                position = until
            if found:
                while ends[place] <= position:
                    place += 1
                cleaned[place] += mark(len(found[0])).encode()
                position = found.end()
        return [bytes(piece) for piece in cleaned]


def _spellings(character: str) -> str:
    """A pattern of the ways in which a character is written."""
    percent = "".join(f"%{byte:02x}" for byte in character.encode())
    units = character.encode("utf-16-be")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    plain = {character, json.dumps(character, ensure_ascii=False)[1:-1], character.replace("/", "\\/")}
    return f"(?:{'|'.join(map(re.escape, sorted(plain)))}|(?i:{re.escape(percent)}|{re.escape(escaped)}))"
