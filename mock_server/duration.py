"""Spans of time as people write them, in microseconds: 500ms, 10s, 1.5m, 2h; a number alone is seconds."""

import re

SECOND = 1_000_000
UNITS = {"ms": 1000, "s": SECOND, "m": 60 * SECOND, "h": 3600 * SECOND}
LONGEST = 366 * 24 * UNITS["h"]
_SPAN = re.compile(r"(\d{1,12}(?:\.\d{1,6})?)(ms|s|m|h)?", re.ASCII)


class DurationError(ValueError):
    """What is no span of time; the message says so in a line."""


def parse(text: str) -> int:
    """Microseconds. Raises DurationError."""
    found = _SPAN.fullmatch(text.strip())
    span = round(float(found[1]) * UNITS[found[2] or "s"]) if found else -1
    if not 0 <= span <= LONGEST:
        msg = f"{text[:40]!r} is no time: expected one like 500ms, 10s, 2m or 1h"
        raise DurationError(msg)
    return span


def written(span: int) -> str:
    """As OpenAI writes what is left until a limit is whole again: 0s, 120ms, 7.66s, 6m0s, 1h2m3s. Never less than it is
    by more than a millisecond."""
    millis = -(-span // 1000)
    if 0 < millis < 1000:
        return f"{millis}ms"
    seconds, millis = divmod(millis, 1000)
    minutes, seconds = divmod(seconds, 60)
    hours, minutes = divmod(minutes, 60)
    tail = f"{seconds}.{millis:03}".rstrip("0") + "s" if millis else f"{seconds}s"
    return (f"{hours}h" if hours else "") + (f"{minutes}m" if hours or minutes else "") + tail
