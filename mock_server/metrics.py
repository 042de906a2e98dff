"""What a mock counts, in the text format of Prometheus. No label comes from a request as it stands."""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterator

from mock_server.journal import Done
from mock_server.respond import Sent

FIRST_BYTE = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)  # seconds
LATENESS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5)
TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Histogram:
    """Counts by upper bounds, in seconds."""

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def add(self, value: float) -> None:
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value

    def lines(self, name: str, help_: str) -> Iterator[str]:
        yield f"# HELP {name} {help_}"
        yield f"# TYPE {name} histogram"
        total = 0
        for bound, count in zip((*self.bounds, None), self.counts, strict=True):
            total += count
            yield f'{name}_bucket{{le="{"+Inf" if bound is None else bound}"}} {total}'
        yield f"{name}_sum {self.sum:.9g}"
        yield f"{name}_count {total}"


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
        self.requests[done.asked.operation or "other", done.answer.status] += 1
        if done.faults:
            self.faults.update(done.faults)
        self.bytes += sent.size
        self.left += sent.left
        if sent.first is not None:
            self.first_byte.add(sent.first)
        self.lateness.add(sent.late)

    def text(self, under_way: int) -> str:
        """The exposition."""
        return "\n".join(self._lines(under_way)) + "\n"

    def _lines(self, under_way: int) -> Iterator[str]:
        yield "# HELP relayproof_requests_total Requests that were answered."
        yield "# TYPE relayproof_requests_total counter"
        for (operation, status), count in sorted(self.requests.items()):
            yield f'relayproof_requests_total{{operation="{operation}",status="{status}"}} {count}'
        yield "# HELP relayproof_faults_total Requests that got a fault."
        yield "# TYPE relayproof_faults_total counter"
        for fault, count in sorted(self.faults.items()):
            yield f'relayproof_faults_total{{fault="{fault}"}} {count}'
        for name, value, kind, help_ in (
            ("relayproof_sent_bytes_total", self.bytes, "counter", "Bytes that were sent."),
            ("relayproof_clients_left_total", self.left, "counter", "Answers whose client left before the end."),
            ("relayproof_answers_under_way", under_way, "gauge", "Answers that are being sent."),
        ):
            yield f"# HELP {name} {help_}"
            yield f"# TYPE {name} {kind}"
            yield f"{name} {value}"
        yield from self.first_byte.lines("relayproof_first_byte_seconds", "From a request to the first byte.")
        yield from self.lateness.lines("relayproof_lateness_seconds", "The worst lateness of an answer.")
        yield from self.pieces.lines(
            "relayproof_piece_lateness_seconds", "The lateness of each piece that was waited for."
        )
