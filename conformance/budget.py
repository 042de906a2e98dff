"""What a check may spend: reserved at its worst before a request goes out, settled by what the relay reported."""

from collections.abc import Iterator
from dataclasses import dataclass, field

from openapi.json_text import Json
from openapi.wire.exchange import Exchange

COUNTS = (  # of tokens read (those of a cache beside them), and of tokens written
    (("prompt_tokens",), "completion_tokens"),
    (("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"), "output_tokens"),
)
MAX_RECEIVED = 128 << 20  # body bytes of all answers; all of them are kept, in memory and in the run


@dataclass(slots=True)
class Budget:
    """Requests and tokens. A limit of None bounds nothing."""

    max_requests: int | None = None
    max_tokens: int | None = None
    requests: int = 0
    tokens: int = field(default=0)  # reserved and settled together
    prompt_tokens: int = 0  # as reported
    completion_tokens: int = 0
    received: int = 0  # body bytes

    @property
    def flooded(self) -> bool:
        """Whether the answers so far are more than we keep."""
        return self.received > MAX_RECEIVED

    def reserve(self, tokens: int) -> bool:
        """Whether one more request of so many tokens is within the limits; if so it is counted at once."""
        if self.flooded:
            return False
        if self.max_requests is not None and self.requests + 1 > self.max_requests:
            return False
        if self.max_tokens is not None and self.tokens + tokens > self.max_tokens:
            return False
        self.requests += 1
        self.tokens += tokens
        return True

    def refusal(self, tokens: int) -> str:
        """Why one more request of so many tokens would go over a limit."""
        if self.max_requests is not None and self.requests + 1 > self.max_requests:
            return f"the limit of {self.max_requests} requests does not allow it"
        left = (self.max_tokens or 0) - self.tokens
        return f"it may cost {tokens} tokens, and the limit of {self.max_tokens} leaves {left}"

    def settle(self, reserved: int, exchange: Exchange) -> None:
        """Gives back what was reserved and not used. Where nothing was reported, the reservation stands."""
        self.received += sum(len(read.data) for read in exchange.reads)
        usage = usage_of(exchange)
        if usage is None:
            if exchange.status is not None and exchange.status >= 400:
                self.tokens -= reserved
            return
        prompt, completion = usage
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.tokens += prompt + completion - reserved

    def spent(self) -> dict[str, Json]:
        return {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
        }


def usage_of(exchange: Exchange) -> tuple[int, int] | None:
    """Prompt and completion tokens as the answer reports them; None where there are none. Of a stream the last report
    of each count is taken: some protocols tell the one as it begins and the other as it ends."""
    counts: dict[str, int] = {}
    for payload in exchange.payloads if exchange.is_stream else (exchange.json,):
        for holder in (payload.object, payload.object.get("message")):
            usage = holder.get("usage") if isinstance(holder, dict) else None
            counts |= dict(_counts(usage if isinstance(usage, dict) else {}))
    for (prompt, *cached), completion in COUNTS:
        if prompt in counts and completion in counts:
            return counts[prompt] + sum(counts.get(name, 0) for name in cached), counts[completion]
    return None


def _counts(usage: dict[str, Json]) -> Iterator[tuple[str, int]]:
    for name, value in usage.items():
        if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
            yield name, value
