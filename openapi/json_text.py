"""JSON text by RFC 8259: read strictly, told why not, never raising."""

import json
from collections import Counter
from dataclasses import dataclass
from math import isinf
from typing import NoReturn

Json = None | bool | int | float | str | list["Json"] | dict[str, "Json"]


@dataclass(frozen=True, slots=True)
class JsonText:
    """What a text says. `fault` tells what a strict reader refuses; `readable` whether there is a value all the same.

    Repeated names are readable (the last one counts) and a fault: RFC 8259 section 4 leaves their meaning open.
    """

    value: Json
    fault: str | None = None
    readable: bool = True

    @property
    def object(self) -> dict[str, Json]:
        """The value where it is an object, else an empty one."""
        return self.value if isinstance(self.value, dict) else {}


def read(text: str | bytes) -> JsonText:
    """The value of a JSON text. Bytes are UTF-8 (RFC 8259 section 8.1)."""
    repeated: list[str] = []

    def members(pairs: list[tuple[str, Json]]) -> dict[str, Json]:
        value = dict(pairs)
        if len(value) != len(pairs):
            repeated.extend(name for name, count in Counter(name for name, _ in pairs).items() if count > 1)
        return value

    try:
        if isinstance(text, bytes):
            text = text.decode("utf-8")
        value: Json = json.loads(text, object_pairs_hook=members, parse_float=_finite, parse_constant=_no_constant)
    except UnicodeDecodeError as error:
        return JsonText(None, f"not UTF-8 at byte {error.start}", readable=False)
    except json.JSONDecodeError as error:
        return JsonText(None, f"not JSON: {error.msg} at character {error.pos}", readable=False)
    except (ValueError, RecursionError) as error:
        reason = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        return JsonText(None, f"not JSON: {reason}", readable=False)
    return JsonText(value, f"two members named {repeated[0][:40]!r}" if repeated else None)


def write(value: Json) -> bytes:
    """The compact UTF-8 text of a value, members in their order.

    Raises ValueError for NaN and infinities, and for nesting that is too deep.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        return text.encode("utf-8")
    except UnicodeEncodeError:  # a lone surrogate has no UTF-8; its escape is legal JSON
        return json.dumps(value, separators=(",", ":"), allow_nan=False).encode()
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None


def _finite(digits: str) -> float:
    number = float(digits)
    if isinf(number):
        msg = f"{digits[:40]} is beyond what a double holds"
        raise ValueError(msg)
    return number


def _no_constant(name: str) -> NoReturn:
    msg = f"{name} is no JSON number"
    raise ValueError(msg)
