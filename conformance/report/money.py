"""What a run cost: what it planned at most, what it spent, what it was held to, and what the relay says it used.

Tokens are those that answers report. They are counted where an answer lists them itself (logprobs that spell its whole
text): which tokenizer a relay's model has is not known from outside, so that a count of ours would accuse on a guess.
What shows without one is told: answers that report nothing, and the characters of text that one token reported stands
for.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from conformance.answers import replied, reply_of
from conformance.asked import operation_of
from conformance.budget import usage_of
from conformance.rules.usage import tokens_listed
from conformance.run import Run
from openapi.json_text import Json
from openapi.wire.exchange import Exchange


@dataclass(frozen=True, slots=True)
class Used:
    """What the answers of one operation report. `silent` are answers of 200 with text in them and no usage; `counted`
    are the tokens that logprobs list, `counted_of` those that the same answers report."""

    operation: str
    requests: int
    reported: int
    prompt: int
    completion: int
    silent: int
    characters: int
    counted: int = 0
    counted_of: int = 0


@dataclass(frozen=True, slots=True)
class Money:
    """One run. None where it does not say."""

    planned_requests: int | None
    planned_tokens: int | None
    requests: int | None
    prompt: int | None
    completion: int | None
    max_requests: int | None
    max_tokens: int | None
    capped: bool  # whether the run says which limits it had
    used: tuple[Used, ...]


def money(run: Run) -> Money:
    """What a run planned, spent and was held to. A run of before limits were written says nothing of them."""
    plan, spent = run.header.plan, run.footer.spent if run.footer else {}
    limits = plan.get("limits")
    held = limits if isinstance(limits, dict) else {}
    return Money(
        planned_requests=_count(plan.get("requests")),
        planned_tokens=_count(plan.get("max_tokens")),
        requests=_count(spent.get("requests")),
        prompt=_count(spent.get("prompt_tokens")),
        completion=_count(spent.get("completion_tokens")),
        max_requests=_count(held.get("requests")),
        max_tokens=_count(held.get("tokens")),
        capped=isinstance(limits, dict),
        used=tuple(used(run.exchanges)),
    )


def used(exchanges: Iterable[Exchange]) -> list[Used]:
    """What the answers report, by operation, the dearest first."""
    grouped: dict[str, list[Exchange]] = {}
    for exchange in exchanges:
        grouped.setdefault(operation_of(exchange) or "", []).append(exchange)
    told = [_used(name, group) for name, group in grouped.items()]
    return sorted(told, key=lambda one: (-one.prompt - one.completion, one.operation))


def _used(name: str, group: list[Exchange]) -> Used:
    reports = [(exchange, usage_of(exchange)) for exchange in group]
    counted = [usage for _, usage in reports if usage is not None]
    said = [(exchange, usage, len(_text(exchange))) for exchange, usage in reports]
    listed = [(_listed(exchange), usage[1]) for exchange, usage in reports if usage is not None]
    return Used(
        operation=name,
        requests=len(group),
        reported=len(counted),
        prompt=sum(prompt for prompt, _ in counted),
        completion=sum(completion for _, completion in counted),
        silent=sum(1 for _, usage, characters in said if usage is None and characters),
        characters=sum(characters for _, usage, characters in said if usage is not None),
        counted=sum(tokens for tokens, _ in listed),
        counted_of=sum(completion for tokens, completion in listed if tokens),
    )


def _listed(exchange: Exchange) -> int:
    """The tokens that an answer lists, where it lists those of each choice; else 0."""
    if exchange.status != 200 or not replied.holds(exchange):
        return 0
    listed = [tokens_listed(choice) for choice in reply_of(exchange).choices.values()]
    return sum(listed) if listed and all(listed) else 0


def _text(exchange: Exchange) -> str:
    """What the choices of an answer say, reasoning included; empty where it is another protocol's, or a failure."""
    if exchange.status != 200 or not replied.holds(exchange):
        return ""
    choices = reply_of(exchange).choices.values()
    return "".join(part for choice in choices for part in (choice.content, choice.reasoning, choice.refusal))


def _count(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None
