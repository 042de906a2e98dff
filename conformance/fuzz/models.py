"""What is asked of the models: those that the relay lists, along the document's links, and names that nobody has.

A name may have whatever an URL can carry, but for control characters, which a server in front may refuse by right. Of
what is answered the rules on models and on errors say what is wrong: a name that nobody has may be refused as the relay
likes, in the envelope; where it is answered it is that model.
"""

from collections.abc import Iterator

from hypothesis import strategies as st

from conformance.fuzz.case import Case
from conformance.fuzz.drawn import drawn
from conformance.fuzz.linked import links_of
from conformance.probe import Role
from openapi.json_text import Json

LIST, RETRIEVE = "listModels", "retrieveModel"
FURTHER = 400  # entries of a list that are drawn from
LONGEST = 1000  # bytes of a name, far from what any server takes for too long a line
PIECES = (
    *("gpt", "4.1", "龙", "🐉", "é", "a\u0301", "\u200b", "ﷺ", " ", "/", "//", ".", "..", "-", "_", ":", "@", "+"),
    *("%", "%2F", "?", "#", "&", "=", ";", ",", '"', "'", "\\", "<b>", "{model}", "*", "~"),
)


def listed(seed: int, count: int) -> Iterator[Case]:
    """The list, and some entries of it: the first two, and others as far as there are any."""
    for name in links_of(LIST):
        for at in drawn(st.sets(st.integers(2, FURTHER), max_size=3), seed, count):
            moves: list[Json] = [{"link": name, "item": item} for item in (0, 1, *sorted(at))]
            yield Case("links", LIST, Role.CHAT, {"body": None, "moves": moves})
        first: list[Json] = [{"link": name, "item": item} for item in range(8)]
        yield Case("links", LIST, Role.CHAT, {"body": None, "moves": first})


def unheard(seed: int, count: int) -> Iterator[Case]:
    """Names that nobody has: each piece alone within one, then mixtures, and one that is long."""
    alone = [f"relayproof{piece}x" for piece in PIECES]
    mixed = drawn(st.lists(st.sampled_from(PIECES), min_size=2, max_size=6).map("".join), seed, count)
    names = [*alone, *(f"relayproof{name}x" for name in mixed)]
    for name in ("x" * LONGEST, *names[:count]):
        yield Case("one", RETRIEVE, Role.CHAT, {"body": None, "params": {"model": name}})
