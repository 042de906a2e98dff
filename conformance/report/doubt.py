"""What is to be known of a finding of a generated probe beside what was found: whether it comes each time, and whether
a smaller request was looked for."""

from conformance.report.texts import ENGLISH
from conformance.run import Found, Short

UNASKED = {Short.DEAR, Short.OPEN, Short.END}  # who says so has not seen it fail again


def doubt(found: Found) -> tuple[str, int] | None:
    """The key of a text of `generated`, and its number; None where it failed each time and nothing smaller does."""
    if found.flaky:
        return "flaky", found.tries
    if found.flaky is None or found.short in UNASKED:
        return f"unknown.{found.short or 'open'}", found.tries
    return (f"short.{found.short}", found.tries) if found.short else None


def doubted(found: Found) -> str:
    """The same in words, empty for None."""
    key = doubt(found)
    return ENGLISH[f"generated.{key[0]}"].replace("{n}", f"{key[1]:,}") if key else ""
