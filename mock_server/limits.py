"""What a relay lets in: so many requests and tokens in a time, so many at once, for each key, each model, or all.

    rpm=60,tpm=90000               60 requests and 90,000 tokens a minute for each key, refilled evenly
    rpm=3,per=model                for each model, whoever asks
    requests=2/1s,concurrent=4     2 at once and 2 a second, never more than 4 under way

Every POST with a key that is let in counts. Tokens are reserved as the request looks (`cost.py`), and settled when its
answer is over. What is told, and when to come again, is what the buckets say.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from hashlib import blake2b

from mock_server import cost, duration, synthesis
from mock_server.answer import Answer, Asked
from mock_server.asking import keys_of
from mock_server.bucket import Rate
from mock_server.checks import fresh
from mock_server.duration import SECOND, DurationError
from mock_server.ledger import State, Want
from mock_server.synthesis.messages import COUNT, MESSAGE
from openapi.wire.exchange import Headers

COUNTED = "bucket "  # how names in the ledger begin
MINUTE = 60 * SECOND
LARGEST = 10**9
PER = ("key", "model")
WORDS = ("rpm", "tpm", "requests", "tokens", "concurrent", "per")
_AMOUNT = re.compile(r"(\d{1,10})(?:/(.+))?", re.ASCII)


class LimitError(ValueError):
    """Words that say no limit; the message says which, in a line."""


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit as it was written. `per` names what each has a bucket of its own."""

    text: str
    requests: Rate | None = None
    tokens: Rate | None = None
    concurrent: int | None = None
    per: tuple[str, ...] = ("key",)

    def named(self, source: str, asked: Asked) -> str:
        """The name of the bucket of a request, in which no key can be read."""
        who = ",".join(keys_of(asked.headers)[:1]) if "key" in self.per else ""
        model = asked.object.get("model") if "model" in self.per else None
        of = blake2b(repr((who, model)).encode("utf-8", "replace"), digest_size=12).hexdigest()
        return f"{COUNTED}{source} {self.text} {of}"


def limit(text: str) -> Limit:
    """One limit from its words. Raises LimitError."""
    said: dict[str, str] = {}
    for word in filter(None, (word.strip() for word in text.split(","))):
        name, _, value = word.partition("=")
        if name not in WORDS or not value:
            raise LimitError(f"{word[:60]!r} says no limit: expected {', '.join(f'{one}=…' for one in WORDS)}")
        if name in said:
            raise LimitError(f"{name} is said twice")
        said[name] = value
    for one, other in (("rpm", "requests"), ("tpm", "tokens")):
        if one in said and other in said:
            raise LimitError(f"{one} and {other} are both about {other}")
    if not set(said) - {"per"}:
        raise LimitError(f"{text[:60]!r} limits nothing: say rpm=60, tpm=90000, requests=2/1s or concurrent=4")
    return Limit(
        text,
        _rate(said, "requests", "rpm"),
        _rate(said, "tokens", "tpm"),
        _amount("concurrent", said["concurrent"])[0] if "concurrent" in said else None,
        _per(said.get("per", "key")),
    )


def _rate(said: dict[str, str], name: str, a_minute: str) -> Rate | None:
    if a_minute in said:
        return Rate(_amount(a_minute, said[a_minute])[0], MINUTE)
    if name not in said:
        return None
    amount, span = _amount(name, said[name], spans=True)
    return Rate(amount, span or MINUTE)


def _amount(name: str, value: str, *, spans: bool = False) -> tuple[int, int | None]:
    found = _AMOUNT.fullmatch(value)
    if not found or not 0 < int(found[1]) <= LARGEST or (found[2] and not spans):
        like = ", or one like 2/1s" if spans else ""
        raise LimitError(f"{name}: expected a number above 0{like}, got {value[:40]!r}")
    try:
        span = duration.parse(found[2]) if found[2] else None
    except DurationError as error:
        raise LimitError(f"{name}: {error}") from error
    if span == 0:
        raise LimitError(f"{name}: expected a time above 0, got {value[:40]!r}")
    return int(found[1]), span


def _per(value: str) -> tuple[str, ...]:
    names = () if value == "all" else tuple(value.split("+"))
    if any(name not in PER for name in names):
        raise LimitError(f"per: expected key, model, key+model or all, got {value[:40]!r}")
    return names


# --- one request before them ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Need:
    """What a request needs of one bucket, or of the places: `kind` is requests, tokens or concurrent."""

    kind: str
    want: Want

    @property
    def never(self) -> bool:
        """Whether it is larger than the bucket."""
        _, amount, _, cost_, _ = self.want
        return cost_ > amount


def needs(limits: Sequence[tuple[str, Limit]], asked: Asked) -> list[Need]:
    """What a request needs of all limits, each with where it is from."""
    return [need for source, one in limits for need in _needs(one, one.named(source, asked), asked)]


def _needs(one: Limit, name: str, asked: Asked) -> Iterator[Need]:
    if one.requests:
        yield Need("requests", (f"{name} requests", one.requests.amount, one.requests.period, 1, False))
    if one.tokens:
        wanted = cost.estimated(asked.object)
        yield Need("tokens", (f"{name} tokens", one.tokens.amount, one.tokens.period, wanted, True))
    if one.concurrent:
        yield Need("concurrent", (f"{name} concurrent", one.concurrent, 0, 1, False))


def headers(asked: Asked, found: Sequence[tuple[Need, State]], now: datetime) -> Headers:
    """What is left of requests and of tokens, in the words of the protocol; of several buckets of the emptiest."""
    told: list[tuple[str, str]] = []
    for kind in ("requests", "tokens"):
        of_kind = [(state[0], -state[2], need.want[1]) for need, state in found if need.kind == kind]
        if of_kind:
            left, full, amount = min(of_kind)
            told += _claude(kind, amount, left, -full, now) if _is_claude(asked) else _openai(kind, amount, left, -full)
    return tuple(told)


def refused(asked: Asked, found: Sequence[tuple[Need, State]], told: Headers) -> Answer:
    """429 in the envelope of the protocol, with the time after which the request would be let in."""
    short = next((pair for pair in found if pair[0].never), None) or max(found, key=lambda pair: _lacks(*pair))
    need, (left, _, _) = short
    wait = max(_lacks(*pair) for pair in found)
    _, amount, period, wanted, _ = need.want
    name = asked.object.get("model")
    where = f" for {name[:80]}" if isinstance(name, str) else ""
    span = duration.written(period)
    if need.never:
        text = f"Request too large{where}: the limit is {amount} {need.kind} in {span}, requested {wanted}."
        again: Headers = (("x-should-retry", "false"),)  # it would never be let in
    elif need.kind == "concurrent":
        text = f"Rate limit reached{where}: {amount} requests are under way, and no more are let in at once."
        again = _again(asked, max(wait, SECOND))
    else:
        text = f"Rate limit reached{where} on {need.kind}: the limit is {amount} in {span}, {left} are left, "
        text += f"requested {wanted}. Please try again in {duration.written(wait)}."
        again = _again(asked, wait)
    made = synthesis.error(
        429, text, type=need.kind, code="rate_limit_exceeded", headers=(*told, *again), operation=asked.operation
    )
    return fresh(made)


def _lacks(need: Need, state: State) -> int:
    """Microseconds until this one would let it in. When a place is free nobody knows."""
    return state[1] if need.want[2] else int(state[0] == 0)


def _again(asked: Asked, wait: int) -> Headers:
    """Whole seconds, as HTTP has it (RFC 9110 section 10.2.3), and milliseconds for the SDKs that read them."""
    seconds = ("retry-after", str(max(1, -(-wait // SECOND))))
    return (seconds,) if _is_claude(asked) else (seconds, ("retry-after-ms", str(max(1, -(-wait // 1000)))))


def _openai(kind: str, amount: int, left: int, full: int) -> Headers:
    return (
        (f"x-ratelimit-limit-{kind}", str(amount)),
        (f"x-ratelimit-remaining-{kind}", str(left)),
        (f"x-ratelimit-reset-{kind}", duration.written(full)),
    )


def _claude(kind: str, amount: int, left: int, full: int, now: datetime) -> Headers:
    reset = (now + timedelta(microseconds=full + SECOND - 1)).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    name = f"anthropic-ratelimit-{kind}"
    return (f"{name}-limit", str(amount)), (f"{name}-remaining", str(left)), (f"{name}-reset", reset)


def _is_claude(asked: Asked) -> bool:
    return asked.operation in {MESSAGE, COUNT}
