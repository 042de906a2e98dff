"""A text that a regular expression accepts, for the simple ones: literals, classes, groups, alternatives, repeats.

What is not simple (look-around, back-references, inline flags) raises UnsupportedError. The caller checks what it gets.
"""

from collections.abc import Callable

CLASSES = {"d": "0123456789", "w": "abcdefghijklmnopqrstuvwxyz_", "s": " ", "D": "a", "W": "-", "S": "a"}
ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "f": "\f", "v": "\v"}
LONGEST = 100_000  # characters of one repeat
PRINTABLE = "".join(map(chr, range(0x20, 0x7F)))


class UnsupportedError(ValueError):
    """A construct that this generator does not know."""


def example(pattern: str, salt: int = 0, minimum: int = 0) -> str:
    """One text that the pattern finds a match in. `salt` varies it, open repeats reach for `minimum` characters."""
    reader = _Reader(pattern, salt, minimum)
    text = reader.alternatives()
    if reader.at < len(pattern):
        raise UnsupportedError(pattern)
    return text


class _Reader:
    """Recursive descent over the pattern; each method reads its construct and gives a text for it."""

    def __init__(self, pattern: str, salt: int, minimum: int) -> None:
        self.pattern = pattern
        self.salt = salt
        self.minimum = minimum
        self.at = 0

    def alternatives(self) -> str:
        options = [self._sequence()]
        while self._peek() == "|":
            self.at += 1
            options.append(self._sequence())
        return options[self.salt % len(options)]

    def _sequence(self) -> str:
        text = ""
        while self._peek() not in {"", "|", ")"}:
            text += self._repeated()
        return text

    def _repeated(self) -> str:
        make = self._atom()
        low, high = self._repeat()
        times = low if high is not None and high <= low else max(low, min(self.minimum, high or self.minimum))
        if low == 0 and times == 0 and high is None:
            times = self.salt % 2
        if times * len(make(self.salt)) > LONGEST:
            raise UnsupportedError(self.pattern)
        return "".join(make(self.salt + nth) for nth in range(times))

    def _repeat(self) -> tuple[int, int | None]:
        bounds: tuple[int, int | None] = (1, 1)
        match self._peek():
            case "*":
                bounds = (0, None)
            case "+":
                bounds = (1, None)
            case "?":
                bounds = (0, 1)
            case "{":
                end = self.pattern.find("}", self.at)
                bounds = _bounds(self.pattern[self.at + 1 : end])
                self.at = end
            case _:
                return bounds
        self.at += 1
        if self._peek() in {"?", "+"}:
            self.at += 1
        return bounds

    def _atom(self) -> Callable[[int], str]:
        sign = self._take()
        match sign:
            case "^" | "$":
                return lambda _: ""
            case "(":
                return self._group()
            case "[":
                return _among(self._class())
            case "\\":
                return self._escape()
            case ".":
                return _among("abcdefghij")
            case "*" | "+" | "?" | "{":
                raise UnsupportedError(self.pattern)
        return _among(sign)

    def _group(self) -> Callable[[int], str]:
        if self.pattern.startswith("?:", self.at):
            self.at += 2
        elif self._peek() == "?":
            raise UnsupportedError(self.pattern)
        text = self.alternatives()
        if self._take() != ")":
            raise UnsupportedError(self.pattern)
        return lambda _: text

    def _escape(self) -> Callable[[int], str]:
        sign = self._take()
        if sign in "bB":
            return lambda _: ""
        if sign in CLASSES or sign in ESCAPES or not sign.isalnum():
            return _among(CLASSES.get(sign) or ESCAPES.get(sign) or sign)
        raise UnsupportedError(self.pattern)

    def _class(self) -> str:
        negated = self._peek() == "^"
        self.at += negated
        members = ""
        while self._peek() != "]" or not members:
            members += self._member()
        self.at += 1
        rest = "".join(sign for sign in PRINTABLE if sign not in members) if negated else members
        return rest or "?"

    def _member(self) -> str:
        sign = self._take()
        if sign == "\\":
            name = self._take()
            return CLASSES.get(name) or ESCAPES.get(name) or name
        if self._peek() == "-" and self.pattern[self.at + 1 : self.at + 2] not in {"]", ""}:
            self.at += 1
            last = self._take()
            return "".join(map(chr, range(ord(sign), min(ord(last), ord(sign) + 100) + 1)))
        return sign

    def _peek(self) -> str:
        return self.pattern[self.at : self.at + 1]

    def _take(self) -> str:
        sign = self._peek()
        if not sign:
            raise UnsupportedError(self.pattern)
        self.at += 1
        return sign


def _among(signs: str) -> Callable[[int], str]:
    return lambda nth: signs[nth % len(signs)]


def _bounds(text: str) -> tuple[int, int | None]:
    low, comma, high = text.partition(",")
    if not (low or comma) or not (low + high).isdigit():
        raise UnsupportedError(text)
    least = int(low or 0)
    return (least, int(high) if high else None) if comma else (least, least)
