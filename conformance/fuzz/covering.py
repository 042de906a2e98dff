"""Combinations of which any few values meet in some row: a covering array, made greedily.

Faults that hang on parameters hang on one, two or three of them (Kuhn, Wallace, Gallo: Software fault interactions,
2004), so that a hundred rows stand for thousands of combinations. The same seed gives the same rows.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from random import Random

STRENGTH = 3  # parameters whose values all meet
UNUSUAL = 0.5  # how often a value is drawn, and not the usual one taken
TRIES = 24  # rows drawn, of which the one with the most new meetings is taken


def covering(
    choices: Mapping[str, Sequence[str]], seed: int, rows: int, strength: int = STRENGTH
) -> list[dict[str, str]]:
    """So many rows, or fewer where everything has met: each a value for each parameter, the most telling first.

    The first value of a parameter is its usual one, which half of all have that are not drawn to meet another."""
    random = Random(seed)  # noqa: S311 - it draws tests, no secrets
    names = sorted(choices)
    open_ = {
        meeting for some in combinations(names, min(strength, len(names))) for meeting in _meetings_of(some, choices)
    }
    made: list[dict[str, str]] = []
    while open_ and len(made) < rows:
        wanted = random.choice(sorted(open_))
        drawn = [_row(names, choices, random) | (dict(wanted) if at % 2 else {}) for at in range(TRIES)]
        best = max(drawn, key=lambda row: len(open_.intersection(_meetings(row, strength))))
        open_.difference_update(_meetings(best, strength))
        made.append(best)
    return made


Meeting = tuple[tuple[str, str], ...]


def _row(names: Sequence[str], choices: Mapping[str, Sequence[str]], random: Random) -> dict[str, str]:
    return {name: random.choice(choices[name]) if random.random() < UNUSUAL else choices[name][0] for name in names}


def _meetings(row: Mapping[str, str], strength: int) -> Iterator[Meeting]:
    return combinations(sorted(row.items()), min(strength, len(row)))


def _meetings_of(names: Sequence[str], choices: Mapping[str, Sequence[str]]) -> Iterator[Meeting]:
    if not names:
        yield ()
        return
    for value in choices[names[0]]:
        for rest in _meetings_of(names[1:], choices):
            yield ((names[0], value), *rest)
