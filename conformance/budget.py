"""What a check may spend: reserved at its worst before a request goes out, settled by what the relay reported."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from decimal import Decimal

from conformance.price import FREE, Price
from openapi.json_text import Json
from openapi.wire.exchange import Exchange

COUNTS = (  # of tokens read (those of a cache beside them), and of tokens written
    (("prompt_tokens",), "completion_tokens"),
    (("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"), "output_tokens"),
)
Spend = tuple[int, int, Decimal]  # requests, tokens and money
NOTHING: Spend = (0, 0, FREE)
UNPAID = {501, 503, 529}  # nobody was asked: not implemented, nowhere to send it, overloaded
MOST_TOKENS = 10**12  # of one answer: what tells more tells nothing, and the reservation stands
MAX_RECEIVED = 128 << 20  # body bytes of all answers; all of them are kept, in memory and in the run


@dataclass(slots=True)
class Budget:
    """Requests, tokens and money. A limit of None bounds nothing."""

    max_requests: int | None = None
    max_tokens: int | None = None
    max_cost: Decimal | None = None
    requests: int = 0
    tokens: int = field(default=0)  # reserved and settled together
    cost: Decimal = FREE  # likewise
    prompt_tokens: int = 0  # as reported
    completion_tokens: int = 0
    received: int = 0  # body bytes

    @property
    def flooded(self) -> bool:
        """Whether the answers so far are more than we keep."""
        return self.received > MAX_RECEIVED

    def reserve(self, tokens: int, cost: Decimal = FREE) -> bool:
        """Whether one more request of so many tokens is within the limits; if so it is counted at once."""
        if self.flooded or not self._allows(1, tokens, cost):
            return False
        self.requests += 1
        self.tokens += tokens
        self.cost += cost
        return True

    def _allows(self, requests: int, tokens: int, cost: Decimal) -> bool:
        """Whether so much more is within the limits."""
        return (
            (self.max_requests is None or self.requests + requests <= self.max_requests)
            and (self.max_tokens is None or self.tokens + tokens <= self.max_tokens)
            and (self.max_cost is None or self.cost + cost <= self.max_cost)
        )

    def part(self, share: float) -> Spend:
        """A part of what is left now, nothing of what has no limit."""
        much = Decimal(str(share))
        return (
            0 if self.max_requests is None else int((self.max_requests - self.requests) * much),
            0 if self.max_tokens is None else int((self.max_tokens - self.tokens) * much),
            FREE if self.max_cost is None else (self.max_cost - self.cost) * much,
        )

    def fitting(self, wanted: Iterable[Spend], kept: Spend = NOTHING) -> int:
        """How many of these fit one after the other into what is left, less what is kept for later."""
        requests, tokens, cost = kept
        count = 0
        for one in wanted:
            requests, tokens, cost = requests + one[0], tokens + one[1], cost + one[2]
            if self.flooded or not self._allows(requests, tokens, cost):
                break
            count += 1
        return count

    def refusal(self, tokens: int, cost: Decimal = FREE) -> str:
        """Why one more request of so many tokens would go over a limit."""
        if self.max_requests is not None and self.requests + 1 > self.max_requests:
            return f"the limit of {self.max_requests} requests does not allow it"
        if self.max_cost is not None and self.cost + cost > self.max_cost:
            return f"it may cost {cost:f}, and the limit of {self.max_cost:f} leaves {self.max_cost - self.cost:f}"
        left = (self.max_tokens or 0) - self.tokens
        return f"it may cost {tokens} tokens, and the limit of {self.max_tokens} leaves {left}"

    def settle(self, reserved: int, exchange: Exchange, cost: Decimal = FREE, price: Price | None = None) -> None:
        """Gives back what was reserved and not used. Where nothing was reported, the reservation stands, unless the
        request was refused: whoever failed in the middle of it may have been paid all the same."""
        self.received += sum(len(read.data) for read in exchange.reads)
        usage = usage_of(exchange)
        if usage is None:
            status = exchange.status or 0
            if 400 <= status < 500 or status in UNPAID:
                self.tokens -= reserved
                self.cost -= cost
            return
        prompt, completion = usage
        self.prompt_tokens += prompt
        self.completion_tokens += completion
        self.tokens += prompt + completion - reserved
        self.cost += (price.of(prompt, completion) if price else FREE) - cost

    def spent(self, currency: str = "") -> dict[str, Json]:
        """For the run: requests, tokens as reported, tokens and money as they count against the limits."""
        told: dict[str, Json] = {
            "requests": self.requests,
            "prompt_tokens": self.prompt_tokens,
            "completion_tokens": self.completion_tokens,
            "tokens_at_most": self.tokens,
        }
        return told | ({"cost_at_most": float(self.cost), "currency": currency} if currency else {})


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
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_TOKENS:
            yield name, value
