"""What is counted and billed."""

from mock_server.answer import Asked
from mock_server.faults.edit import Object, is_video, on_both
from mock_server.faults.fault import sends
from openapi.json_text import Json

HIDDEN = 7552  # tokens of a system prompt that nobody sent


def _usage(body: Object) -> Object:
    usage = body.get("usage")
    return usage if isinstance(usage, dict) else {}


def _count(value: Json) -> int:
    return value if isinstance(value, int) else 0


@sends("chat-hidden-prompt-inflation", "usage.prompt", "usage.prompt-overhead")
@on_both
def prompt_inflated(_: Asked, body: Object) -> None:
    """Seven thousand prompt tokens are counted on each request that nobody sent: each word costs like a page."""
    usage = _usage(body)
    if "prompt_tokens" in usage:
        usage["prompt_tokens"] = _count(usage["prompt_tokens"]) + HIDDEN
        usage["total_tokens"] = _count(usage.get("total_tokens")) + HIDDEN
        usage["prompt_tokens_details"] = {"cached_tokens": HIDDEN}


@sends("usage-prompt-inflated", "usage.prompt-grows", "usage.prompt", "usage.prompt-overhead")
@on_both
def prompt_inflated_in_proportion(_: Asked, body: Object) -> None:
    """Twenty times the prompt tokens are counted: a long conversation costs a fortune."""
    usage = _usage(body)
    prompt = 20 * _count(usage.get("prompt_tokens"))
    if prompt:
        usage.update(prompt_tokens=prompt, total_tokens=prompt + _count(usage.get("completion_tokens")))


@sends("usage-prompt-constant", "usage.prompt-grows")
@on_both
def prompt_constant(_: Asked, body: Object) -> None:
    """Each prompt costs nine tokens, however long it is: budgets never fill, until the bill comes."""
    usage = _usage(body)
    if "prompt_tokens" in usage:
        usage.update(prompt_tokens=9, total_tokens=9 + _count(usage.get("completion_tokens")))


@sends("chat-usage-swapped", "usage.swapped", "usage.completion", "usage.details", "usage.prompt-grows", "chat.limit")
@on_both
def usage_swapped(asked: Asked, body: Object) -> None:
    """The two counts are swapped: what is written costs more than what is read, so the price is wrong either way."""
    usage = _usage(body)
    if "prompt_tokens" in usage and not is_video(asked):
        usage.update(prompt_tokens=usage.get("completion_tokens"), completion_tokens=usage["prompt_tokens"])


@sends("usage-last-message-alone", "usage.longer-prompt")
@on_both
def last_message_alone(asked: Asked, body: Object) -> None:
    """Of a conversation the last message alone is counted: whoever talks on is told that it costs less."""
    usage, messages = _usage(body), asked.object.get("messages")
    if "prompt_tokens" in usage and isinstance(messages, list) and len(messages) > 2 and not is_video(asked):
        usage.update(prompt_tokens=3, total_tokens=3 + _count(usage.get("completion_tokens")))


@sends("usage-unknown-field-counted", "same.unknown-field")
@on_both
def unknown_field_counted(asked: Asked, body: Object) -> None:
    """The tokens of the whole body are counted, members that no model reads among them."""
    usage = _usage(body)
    if "prompt_tokens" in usage and any(name.startswith("relayproof") for name in asked.object):
        more = _count(usage["prompt_tokens"]) + 5
        usage.update(prompt_tokens=more, total_tokens=more + _count(usage.get("completion_tokens")))


@sends("usage-by-member-order", "same.member-order")
@on_both
def by_member_order(asked: Asked, body: Object) -> None:
    """The messages are counted where they come first; behind the parameters something is counted twice."""
    usage, names = _usage(body), list(asked.object)
    if (
        "prompt_tokens" in usage
        and {"model", "messages"} <= {*names}
        and names.index("messages") < names.index("model")
    ):
        twice = 2 * _count(usage["prompt_tokens"])
        usage.update(prompt_tokens=twice, total_tokens=twice + _count(usage.get("completion_tokens")))


@sends("chat-usage-cached-tokens-missing", "usage.cached-told")
@on_both
def cached_missing(_: Asked, body: Object) -> None:
    """prompt_tokens_details is missing: clients that read cached_tokens crash, or show a cost ten times too high."""
    _usage(body).pop("prompt_tokens_details", None)
