"""When the pieces of an answer are due, in seconds since the request came in."""

from itertools import accumulate

from mock_server.synthesis.seed import number

FIRST = 0.02
WHOLE = 0.05
LONGEST = 4.0  # however many pieces there are


def dues(count: int, seed: str) -> list[float]:
    """`count` times: the first at 0.02 s, then one every 5 to 20 ms, closer where the whole would take too long."""
    steps = [0.005 + number(16, seed, "pace", at % 64) / 1000 for at in range(count - 1)]
    ratio = min(1.0, LONGEST / (sum(steps) or 1.0))
    return [round(due, 6) for due in accumulate((FIRST, *(step * ratio for step in steps)))]
