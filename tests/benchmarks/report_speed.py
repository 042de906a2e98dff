"""What the page of many runs costs: `python -m tests.benchmarks.report_speed [RULES RELAYS EXCHANGES]` (300 5 500).

The exchanges are recordings of a real relay, spread over the relays; a third of the rules fail at some relay, each with
many findings. Prints the seconds, the memory of the whole process at its peak, and the bytes of the page.

Aim: under 3 s, 300 MB and 1 MB. `tests/conformance/report/test_html.py` holds the bytes, and loosely the rest.
"""

import re
import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

from conformance.report import html
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Run
from tests.conformance.report.made import HEADER, ended, recorded

NAMES = ("chat-stream", "chat-n2-stream", "chat-basic", "err-no-auth", "chat-tools-forced-stream", "chat-logprobs")
OUTCOMES = (Outcome.PASS, Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE, Outcome.PASS, Outcome.SKIPPED)


def several(rules: int, relays: int, exchanges: int) -> list[Run]:
    """Runs of so many relays, which share so many exchanges, each judged by so many rules, those of the book first."""
    names = [*BOOK, *(f"later.rule-{number}" for number in range(rules))][:rules]
    return [_run(relay, names, exchanges // relays) for relay in range(relays)]


def _run(relay: int, names: list[str], count: int) -> Run:
    asked = tuple(recorded(f"litellm/{NAMES[n % len(NAMES)]}", f"e{n}", f"chat.probe-{n}") for n in range(count))
    verdicts = [
        _verdict(name, OUTCOMES[(number + relay * (number % 3)) % len(OUTCOMES)], number % count, probe)
        for number, name in enumerate(names)
        for probe in range(3)
    ]
    header = replace(HEADER, relay={**HEADER.relay, "name": f"relay number {relay}"})
    return ended(Run(header, asked, tuple(verdicts)))


def _verdict(name: str, outcome: Outcome, exchange: int, probe: int) -> Verdict:
    level = BOOK[name].level if name in BOOK else Level.MUST
    if outcome is Outcome.SKIPPED:
        return Verdict(name, level, outcome, None, (), (), "no model is named for completions")
    told = "expected something else than what was seen here, in an answer of some length, number"
    found = tuple(Finding(f"{told} {n}", n, f"/choices/*/{n}") for n in range(8)) if outcome is Outcome.FAIL else ()
    reason = "not a tool call: the answer was 200 text/event-stream" if outcome is Outcome.INCONCLUSIVE else None
    return Verdict(name, level, outcome, f"chat.probe-{exchange}-{probe}", (f"e{exchange}",), found, reason)


def peak() -> int:
    """The most MB that this process ever held. Linux tells it of the program alone; the usual count begins with what
    the process held before it became this program."""
    status = Path("/proc/self/status")
    if status.exists():
        told = re.search(r"VmHWM:\s+(\d+) kB", status.read_text(encoding="ascii"))
        if told:
            return int(told[1]) // 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    rules, relays, exchanges = map(int, sys.argv[1:] or ("300", "5", "500"))
    runs = several(rules, relays, exchanges)
    start = time.perf_counter()
    page = html.render(runs, BOOK)
    taken = time.perf_counter() - start
    memory = peak()
    size = len(page.encode())
    print(f"{rules} rules, {relays} relays, {exchanges} exchanges: {taken:.2f} s, {memory} MB, {size:,} bytes")


if __name__ == "__main__":
    main()
