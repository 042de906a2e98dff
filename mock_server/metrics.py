"""What a mock counts, in the text format of Prometheus. No label comes from a request as it stands.

Metrics ──out──► JSON ──added_up──► of all workers ──exposition──► text
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from mock_server.journal import Done
from mock_server.respond import Sent
from openapi.json_text import Json

FIRST_BYTE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
LATENESS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
TYPE = "text/plain; version=0.0.4; charset=utf-8"

Counts = Any
"""What `Metrics.out` gives: lists of labels with a number behind, numbers, and histograms."""


class Histogram:
    """Counts by upper bounds, in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def out(self) -> Json:
        return {"bounds": list(self.bounds), "counts": list(self.counts), "sum": self.sum}


class Metrics:
    """The counts of one process since it began, or since they were set back."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        self.requests: Counter[tuple[str, int]] = Counter()
        self.faults: Counter[str] = Counter()
        self.bytes = 0
        self.left = 0
        self.first_byte = Histogram(FIRST_BYTE)
        self.lateness = Histogram(LATENESS)
        self.pieces = Histogram(LATENESS)

    def add(self, done: Done, sent: Sent) -> None:
        self.requests[done.asked.operation or "other", done.common.status] += 1
        if done.faults:
            self.faults.update(done.faults)
        size, first, _, late, left = sent
        self.bytes += size
        self.left += left
        if first is not None:
            self.first_byte.add(first)
        self.lateness.add(late)

    def out(self, under_way: int) -> Json:
        """As JSON, to be added up and read."""
        return {
            "requests": [[operation, status, count] for (operation, status), count in self.requests.items()],
            "faults": [[fault, count] for fault, count in self.faults.items()],
            "bytes": self.bytes,
            "left": self.left,
            "under_way": under_way,
            "first_byte": self.first_byte.out(),
            "lateness": self.lateness.out(),
            "pieces": self.pieces.out(),
        }


def added_up(several: Sequence[Counts]) -> Counts:
    """The counts of several processes as if they were one."""
    first = several[0]
    made = {name: sum(one[name] for one in several) for name in ("bytes", "left", "under_way")}
    for name in ("requests", "faults"):
        total: Counter[tuple[Any, ...]] = Counter()
        for *labels, count in (row for one in several for row in one[name]):
            total[tuple(labels)] += count
        made[name] = [[*labels, count] for labels, count in total.items()]
    for name in ("first_byte", "lateness", "pieces"):
        made[name] = {
            "bounds": first[name]["bounds"],
            "counts": [sum(counts) for counts in zip(*(one[name]["counts"] for one in several), strict=True)],
            "sum": sum(one[name]["sum"] for one in several),
        }
    return made


def exposition(counts: Counts) -> str:
    """The text of them."""
    return "\n".join(_lines(counts)) + "\n"


def _lines(counts: Counts) -> Iterator[str]:
    yield "# HELP relayproof_requests_total Requests that were answered."
    yield "# TYPE relayproof_requests_total counter"
    for operation, status, count in sorted(counts["requests"]):
        yield f'relayproof_requests_total{{operation="{operation}",status="{status}"}} {count}'
    yield "# HELP relayproof_faults_total Requests that got a fault."
    yield "# TYPE relayproof_faults_total counter"
    for fault, count in sorted(counts["faults"]):
        yield f'relayproof_faults_total{{fault="{fault}"}} {count}'
    for name, value, kind, help_ in (
        ("relayproof_sent_bytes_total", counts["bytes"], "counter", "Bytes that were sent."),
        ("relayproof_clients_left_total", counts["left"], "counter", "Answers whose client left before the end."),
        ("relayproof_answers_under_way", counts["under_way"], "gauge", "Answers that are being sent."),
    ):
        yield f"# HELP {name} {help_}"
        yield f"# TYPE {name} {kind}"
        yield f"{name} {value}"
    yield from _histogram("relayproof_first_byte_seconds", "From a request to the first byte.", counts["first_byte"])
    yield from _histogram("relayproof_lateness_seconds", "The worst lateness of an answer.", counts["lateness"])
    yield from _histogram(
        "relayproof_piece_lateness_seconds", "The lateness of each piece that was waited for.", counts["pieces"]
    )


def _histogram(name: str, help_: str, told: Counts) -> Iterator[str]:
    yield f"# HELP {name} {help_}"
    yield f"# TYPE {name} histogram"
    total = 0
    for bound, count in zip((*told["bounds"], None), told["counts"], strict=True):
        total += count
        yield f'{name}_bucket{{le="{"+Inf" if bound is None else bound}"}} {total}'
    yield f"{name}_sum {told['sum']:.9g}"
    yield f"{name}_count {total}"
