"""JSON text by RFC 8259: read strictly, told why not, never raising."""

import json
import re
from collections import Counter
from dataclasses import InitVar, dataclass, field
from math import isinf
from typing import Final, NoReturn

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]

LONGEST_NUMBER = 1000  # digits: RFC 8259 section 9 lets a reader set a limit, and sums of long ones cannot be written
PLAIN_DEPTH = 200  # levels of nesting that any reader takes
_MANY_DIGITS = re.compile(rf"[0-9]{{{LONGEST_NUMBER}}}")
_BLANK = " \t\n\r"  # RFC 8259 section 2


@dataclass(slots=True)
class JsonText:
    """What a text says. `fault` tells what a strict reader refuses; `readable` whether there is a value all the same.
    Nobody changes it; it is not frozen, because that doubles the cost of what each event of a stream needs.

    Repeated names are readable (the last one counts) and a fault: RFC 8259 section 4 leaves their meaning open.

    `plain` is what `source`, the text of the value, shows without a look at the value: that it has at most 200 levels
    of nesting and no lone surrogate. It is false where no source tells, and where the source leaves it open.
    """

    value: Final[Json]
    fault: Final[str | None] = None
    readable: Final[bool] = True
    source: InitVar[str | None] = None
    plain: bool = field(init=False, repr=False, compare=False)

    def __post_init__(self, source: str | None) -> None:
        self.plain = source is not None and _is_plain(source)

    @property
    def object(self) -> dict[str, Json]:
        """The value where it is an object, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}


def read(text: str | bytes) -> JsonText:
    """The value of a JSON text. Bytes are UTF-8 (RFC 8259 section 8.1)."""
    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
    except UnicodeDecodeError as error:
        return JsonText(None, f"not UTF-8 at byte {error.start}", readable=False)
    bare = text.strip(_BLANK)
    if len(bare) > LONGEST_NUMBER and _MANY_DIGITS.search(bare):
        return _read_again(text)
    try:
        value, end = _STRICT.raw_decode(bare)
    except (ValueError, RecursionError):
        return _read_again(text)
    return JsonText(value, source=text) if end == len(bare) else _read_again(text)


def _read_again(text: str) -> JsonText:
    """The same for a text that is not right in all: told why."""
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return value

    try:
        value: Json = json.loads(
            text, object_pairs_hook=members, parse_float=_finite, parse_int=_whole, parse_constant=_no_constant
        )
    except json.JSONDecodeError as error:
        return JsonText(None, f"not JSON: {error.msg} at character {error.pos}", readable=False)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return JsonText(None, f"not JSON: {reason}", readable=False)
    return JsonText(value, f"two members named {repeated[0][:40]!r}" if repeated else None, source=text)


def write(value: Json) -> bytes:
    """The compact UTF-8 text of a value, members in their order.

    Raises ValueError for NaN and infinities, and for nesting that is too deep.
    """
    try:
        return _COMPACT.encode(value).encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8; its escape is legal JSON
        return _ESCAPED.encode(value).encode()
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None


_COMPACT = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"), allow_nan=False)
_ESCAPED = json.JSONEncoder(separators=(",", ":"), allow_nan=False)


def in_order(value: Json) -> str:
    """The JSON text of a value with the members in the order of their names: the same for equal objects."""
    return _IN_ORDER.encode(value)


_IN_ORDER = json.JSONEncoder(sort_keys=True)


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        msg = f"{digits[:40]} is beyond what a double holds"
        raise ValueError(msg)
    return number


def _whole(digits: str) -> int:
    count = len(digits.lstrip("-"))
    if count > LONGEST_NUMBER:
        msg = f"a number of {count} digits is more than we read"
        raise ValueError(msg)
    return int(digits)


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)


def _once(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
    value = dict(pairs)
    if len(value) != len(pairs):
        msg = "a name stands twice"
        raise ValueError(msg)
    return value


_STRICT = json.JSONDecoder(object_pairs_hook=_once, parse_float=_finite, parse_constant=_no_constant)


def _is_plain(text: str) -> bool:
    """Brackets, which come in pairs, bound the depth; a surrogate comes by its escape where the text is Unicode."""
    return (
        (len(text) <= 2 * PLAIN_DEPTH or text.count("[") + text.count("{") <= PLAIN_DEPTH)
        and ("\\u" not in text or ("\\ud" not in text and "\\uD" not in text))
        and (text.isascii() or is_unicode(text))
    )


def is_unicode(text: str) -> bool:
    """Whether a text can be written as UTF-8: whether it has no lone surrogate."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
