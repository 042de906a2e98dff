"""`make fuzz`: every reader under a guided search, and hostile clients against a mock and a proxy, for so many seconds.

`python run.py SECONDS [FOLDER]`. The folder keeps the corpora, which the next run goes on from, and what was found.
Exit code 1 where something was.
"""

import resource
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from time import monotonic

sys.path.insert(0, str(Path(__file__).parent.parent.parent))

from tests.fuzz.properties import PROPERTIES
from tests.fuzz.storm import Watched, crowd, seeds, slope, storm, watched

GUIDED = Path(__file__).parent / "guided.py"
ROUND = 100  # connections
CROWD = 10_000  # connections at once
CROWDS = 6
LEAKED = 2000  # bytes a connection; one that is never forgotten weighs five times as much
SPARE = 200  # descriptors
HEAVIER = 16.0  # megabytes by which a process may grow behind its first third
SERVED = ("--speed", "max", "--journal", "50")


def search(seconds: float, folder: Path, found: list[str]) -> None:
    """Each property for its share of the time."""
    share = max(int(seconds / len(PROPERTIES)), 1)
    for name in PROPERTIES:
        words = [sys.executable, str(GUIDED), name, str(share), str(folder / name)]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", check=False)
        lines = done.stderr.splitlines()
        figures = [line.partition("stat::")[2].strip() for line in lines if "stat::number_of_exec" in line]
        print(f"{name}: {' '.join(figures) or 'no figures'}", flush=True)
        if done.returncode:
            found.append(f"{name}: exit code {done.returncode}: {' '.join(lines[-40:])[:3000]}")


def besiege(seconds: float, targets: Sequence[tuple[str, Watched]], found: list[str]) -> int:
    """Drawn connections against each in turn, until the time is over; how many there were."""
    until, count = monotonic() + seconds, 0
    for number in seeds():
        name, served = targets[count // ROUND % len(targets)]
        try:
            storm(served, ROUND, number)
        except Exception as error:  # noqa: BLE001 - told, with its notes, and the siege goes on
            found.append(f"{name}, seed {number}: {error!r} {getattr(error, '__notes__', '')}"[:3000])
        count += ROUND
        served.weigh()
        if monotonic() > until or len(found) > 20:
            return count
    return count


def inspect(name: str, served: Watched, found: list[str]) -> None:
    """What is left to be said of a process behind all that."""
    weights, late = served.weights, served.weights[len(served.weights) // 3 :]
    if len(late) > 2:
        hours = (late[-1][0] - late[0][0]) / 3600
        grown = slope(weights) * hours
        print(f"{name}: {weights[0][1]:.0f} MB at first, {weights[-1][1]:.0f} at last, {grown:+.1f} behind a third")
        if grown > HEAVIER:
            found.append(f"{name}: {grown:.1f} MB more behind its first third")
    if served.opened:
        found.append(f"{name} opened what it may not: {served.opened[:5]}")
    if "Traceback" in served.said:
        found.append(f"{name} raised: {served.said[-3000:]}")
    if served.process.poll() is not None:
        found.append(f"{name} ended with {served.process.returncode}")


def gather(served: Watched, found: list[str]) -> None:
    """Crowd after crowd: memory comes back late, so what counts is that it stops growing."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    most = min(CROWD, (hard if soft != resource.RLIM_INFINITY else CROWD) - SPARE)
    before, crowds = served.megabytes, [crowd(served, most, 2.0) for _ in range(CROWDS)]
    weights = [weight for _, weight in crowds]
    print(f"crowds of {crowds[0][0]}: {before:.0f} MB before, with them {' '.join(f'{one:.0f}' for one in weights)}")
    leak = most * LEAKED * (CROWDS // 2) / 1e6
    if weights[-1] - weights[CROWDS // 2 - 1] > leak:
        found.append(f"crowds weigh more and more: {weights} MB")


def main() -> None:
    seconds = float(sys.argv[1])
    folder = Path(sys.argv[2]) if len(sys.argv) > 2 else Path(tempfile.gettempdir()) / "relayproof-fuzz"
    folder.mkdir(parents=True, exist_ok=True)
    found: list[str] = []
    searching = threading.Thread(target=search, args=(seconds, folder, found))
    searching.start()
    with tempfile.TemporaryDirectory() as kept, watched(*SERVED) as mock:
        proxied = ("--record-from", mock.url, "--to", kept, *SERVED)
        with watched(*proxied, allowed=(kept,)) as proxy:
            try:
                gather(mock, found)
            except (OSError, AssertionError) as error:
                found.append(f"a crowd: {error!r}")
            count = besiege(seconds, [("mock", mock), ("mock", mock), ("proxy", proxy)], found)
            print(f"{count} hostile connections", flush=True)
            searching.join()
            for name, served in (("mock", mock), ("proxy", proxy)):
                inspect(name, served, found)
    for one in found:
        print(f"FOUND {one}", file=sys.stderr)
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
