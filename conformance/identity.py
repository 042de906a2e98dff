"""What a failure is called: `rule probe place`, equal from run to run, so that a baseline finds it again.

    chat.stream.schema chat.n-stream /choices/*/index

The hash of a generated probe is left out, since the next run draws other ones, and what no probe of ours made is `-`.
The patterns here are those of a baseline and of a dialect: `*` is anything but a slash or a blank, `**` anything.
"""

import re
from functools import lru_cache

from conformance.rule import GENERATED, Finding, Verdict

NOBODY = "-"


def probe_of(verdict: Verdict) -> str:
    """The name of its probe as it is in every run."""
    name = verdict.probe
    if name is None:
        return NOBODY
    return ".".join(name.split(".")[:2]) if name.startswith(GENERATED) else name


def place_of(verdict: Verdict, found: Finding) -> str:
    """The probe, and the place in the answer where there is one."""
    return f"{probe_of(verdict)} {found.place}".rstrip(" ")


def identities(verdict: Verdict) -> tuple[str, ...]:
    """The names of what a verdict found, each once; of one that found nothing the name of the verdict."""
    found = verdict.findings or (Finding(""),)
    return tuple(dict.fromkeys(f"{verdict.rule} {place_of(verdict, one)}" for one in found))


@lru_cache(maxsize=4096)
def _parts(pattern: str) -> tuple[str, ...]:
    return tuple(re.findall(r"\*\*|[\s\S]", pattern))


def fits(pattern: str, name: str) -> bool:
    """Whether the whole of a name fits a pattern, in time of the product of their lengths."""
    if pattern == name or "*" not in pattern:
        return pattern == name
    ends = {0}  # where in the name the part of the pattern so far may end
    for part in _parts(pattern):
        if part == "**":
            ends = set(range(min(ends), len(name) + 1))
        elif part == "*":
            ends = _grown(name, ends)
        else:
            ends = {end + 1 for end in ends if name[end : end + 1] == part}
        if not ends:
            return False
    return len(name) in ends


def _grown(name: str, ends: set[int]) -> set[int]:
    """Where what one `*` takes may end: from each place on to the next slash or blank."""
    grown: set[int] = set()
    for start in sorted(ends):
        if start not in grown:
            stop = next((place for place in range(start, len(name)) if name[place] in "/ "), len(name))
            grown.update(range(start, stop + 1))
    return grown


def at(pattern: str, verdict: Verdict, found: Finding) -> bool:
    """Whether a finding is where a pattern says: at that probe, at that place in the answer, or at both."""
    return any(fits(pattern, name) for name in (probe_of(verdict), found.place, place_of(verdict, found)))
