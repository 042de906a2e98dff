"""Secrets out of evidence, as it is kept: each is replaced by a mark, which is evidence in its turn.

A mark is as long as what it replaces, where that has room for it, so that lengths and chunk sizes stay true.
"""

import base64
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate

from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse

MARK = "[relayproof:key"  # what every mark begins with
LONGEST = 10_000  # characters of a text that is looked for as a pattern
Path = tuple[str | int, ...]
_URL_SAFE = str.maketrans("+/", "-_")
SHORTEST = 6  # characters; a shorter key would stand in every text by chance


def mark(length: int) -> str:
    """The mark for a secret of so many characters."""
    return MARK + "*" * max(length - len(MARK) - 1, 0) + "]"


class Redactor:
    """Takes secrets out of text and bytes, also where characters are percent-encoded or escaped as in JSON, or all of a
    secret stands in Base64, with whatever is coded along with it."""

    def __init__(self, secrets: Iterable[str]) -> None:
        ordered = sorted({secret for secret in secrets if len(secret) >= SHORTEST}, key=len, reverse=True)
        spelled = ["".join(map(_spellings, secret)) for secret in ordered]
        words = sorted({word for secret in ordered for word in coded(secret)}, key=len, reverse=True)
        pattern = "|".join([*spelled, *map(re.escape, words)]) or "(?!)"
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
        marks = [(found.start(), found.end(), mark(len(found[0])).encode()) for found in self._bytes.finditer(whole)]
        return _spliced(pieces, whole, marks)

    def events(self, pieces: Sequence[bytes]) -> list[bytes]:
        """Pieces of one event stream without the secrets that its events spell together, as the deltas of a chat do."""
        whole = b"".join(pieces)
        strands: dict[Path, list[tuple[sse.Message, str]]] = {}
        for message in sse.decode(whole):
            if isinstance(message, sse.Message):
                for path, text in texts_of(json_text.read(message.data).value):
                    strands.setdefault(path, []).append((message, text))
        edits: dict[tuple[int, int], bytes] = {}
        for parts in strands.values():
            if not self._text.search("".join(text for _, text in parts)):
                continue
            cleaned = self.pieces([text.encode("utf-8", "surrogatepass") for _, text in parts])
            for (message, text), clean in zip(parts, cleaned, strict=True):
                if clean != text.encode("utf-8", "surrogatepass"):
                    edits |= _rewritten(whole, message, text, clean.decode("utf-8", "surrogatepass"))
        return _spliced(pieces, whole, sorted((start, end, data) for (start, end), data in edits.items()))


def _spliced(pieces: Sequence[bytes], whole: bytes, edits: Sequence[tuple[int, int, bytes]]) -> list[bytes]:
    """The pieces with other bytes in place of some of the whole: those go to the piece in which the place begins."""
    ends = list(accumulate(len(piece) for piece in pieces))
    made = [bytearray() for _ in pieces]
    place = 0  # the piece that holds the next byte
    position = 0
    for start, end, data in [*edits, (len(whole), len(whole), b"")]:
        if start < position:  # inside of what was just replaced
            continue
        while position < start:
            while ends[place] <= position:
                place += 1
            until = min(start, ends[place])
            made[place] += whole[position:until]
            position = until
        if data:
            while ends[place] <= position:
                place += 1
            made[place] += data
        position = end
    return [bytes(piece) for piece in made]


def texts_of(value: Json) -> Iterator[tuple[Path, str]]:
    """The texts in a JSON value, each with its path: an item of a list is known by its index, where it has one."""
    left: list[tuple[Path, Json]] = [((), value)]
    while left:
        path, value = left.pop()
        match value:
            case str():
                yield path, value
            case dict():
                left += [((*path, name), item) for name, item in value.items()]
            case list():
                left += [((*path, _index(item, number)), item) for number, item in enumerate(value)]


def _index(item: Json, number: int) -> int:
    index = item.get("index") if isinstance(item, dict) else None
    return index if isinstance(index, int) else number


def _rewritten(whole: bytes, message: sse.Message, old: str, new: str) -> dict[tuple[int, int], bytes]:
    """Where a JSON string stands in an event, and what is to stand there; of a very long one nothing is kept."""
    if len(old) > LONGEST:
        return {(message.start, message.end): f'data: "{mark(0)}"\n\n'.encode()}
    literal = rf'(?<=[\[{{:, ])"{"".join(map(_spellings, old))}"'
    pattern = re.compile(literal.encode("utf-8", "surrogatepass"))
    return {found.span(): json.dumps(new).encode() for found in pattern.finditer(whole, message.start, message.end)}


def coded(secret: str) -> Iterator[str]:
    """What Base64 makes of a secret wherever it begins among the bytes that are coded, less what its neighbours bear
    on, in both alphabets (RFC 4648 sections 4 and 5); hexadecimal digits; and UTF-16 and UTF-32 in either order."""
    if len(secret) < SHORTEST:
        return
    data = secret.encode("utf-8", "surrogatepass")
    yield from ("\0".join(secret), "\0\0\0".join(secret), data.hex(), data.hex().upper())
    for before in range(3):
        word = base64.b64encode(bytes(before) + data)
        whole = word[(0, 2, 3)[before] : (before + len(data)) * 8 // 6].decode()
        yield from (whole, whole.translate(_URL_SAFE))


def _spellings(character: str) -> str:
    """A pattern of the ways in which a character is written."""
    percent = "".join(f"%{byte:02x}" for byte in character.encode("utf-8", "surrogatepass"))
    units = character.encode("utf-16-be", "surrogatepass")
    escaped = "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
    plain = {character, json.dumps(character, ensure_ascii=False)[1:-1], character.replace("/", "\\/")}
    return f"(?:{'|'.join(map(re.escape, sorted(plain)))}|(?i:{re.escape(percent)}|{re.escape(escaped)}))"
