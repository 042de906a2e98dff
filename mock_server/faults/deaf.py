"""What was asked has no effect: the relay takes a parameter and loses it on the way."""

import re
from collections.abc import Callable
from functools import wraps

from mock_server.answer import Asked
from mock_server.faults.edit import (
    CHAT,
)
from mock_server.faults.fault import Hearing, hears
from openapi import json_text
from openapi.json_text import Json

CROSSED = ("marigold-4417", "juniper-9052")  # words of two requests that come at once


def without(asked: Asked, *names: str) -> Asked:
    """The request as if these parameters had not been sent."""
    return hearing(asked, {name: value for name, value in asked.object.items() if name not in names})


def hearing(asked: Asked, body: dict[str, Json]) -> Asked:
    """The request with another body; anything but a chat request stays as it is."""
    if asked.operation != CHAT or not asked.object or body == asked.object:
        return asked
    return asked._replace(body=body, raw=json_text.write(body))


def asking(operation: str) -> Callable[[Callable[[dict[str, Json]], dict[str, Json]]], Hearing]:
    """A change of the body of requests for one operation, made a change of what is heard."""

    def decorate(change: Callable[[dict[str, Json]], dict[str, Json]]) -> Hearing:
        @wraps(change)
        def bend(asked: Asked) -> Asked:
            body = change(asked.object) if asked.operation == operation else asked.object
            return asked if body == asked.object else asked._replace(body=body, raw=json_text.write(body))

        return bend

    return decorate


@hears("param-n-ignored", "chat.n")
def n_ignored(asked: Asked) -> Asked:
    """Whatever n is, one choice comes: a client that picks the best of several has nothing to pick from."""
    return without(asked, "n")


@hears("param-stop-ignored", "chat.stop", "chat.stop-effect")
def stop_ignored(asked: Asked) -> Asked:
    """Stop sequences are lost: the text runs on past them, which breaks agents that parse up to a mark."""
    return without(asked, "stop")


@hears("param-limit-ignored", "chat.limit", "chat.limit-effect")
def limit_ignored(asked: Asked) -> Asked:
    """No limit holds: the answer is as long as it likes, and is paid for."""
    return without(asked, "max_tokens", "max_completion_tokens")


@hears("param-max-completion-tokens-ignored", "chat.limit")
def new_limit_ignored(asked: Asked) -> Asked:
    """The newer name of the limit is lost, which newer SDKs send alone."""
    return without(asked, "max_completion_tokens")


@hears("param-response-format-ignored", "chat.json-object", "chat.json-schema")
def format_ignored(asked: Asked) -> Asked:
    """response_format is lost: prose comes where JSON was asked for, and the client's parser fails."""
    return without(asked, "response_format")


@hears("param-json-schema-loosened", "chat.json-schema")
def schema_ignored(asked: Asked) -> Asked:
    """json_schema becomes json_object: the answer is JSON of some other shape than the client's types."""
    match asked.object.get("response_format"):
        case {"type": "json_schema"}:
            return hearing(asked, {**asked.object, "response_format": {"type": "json_object"}})
    return asked


@hears("param-logprobs-ignored", "chat.logprobs")
def logprobs_ignored(asked: Asked) -> Asked:
    """logprobs is lost: a client that weighs tokens finds null."""
    return without(asked, "logprobs", "top_logprobs")


@hears("param-silently-ignored", "chat.n", "chat.logprobs")
def silently_ignored(asked: Asked) -> Asked:
    """What the vendor behind it has not is dropped without a word: n, logprobs, logit_bias, seed."""
    return without(asked, "n", "logprobs", "top_logprobs", "logit_bias", "seed")


@hears("param-seed-ignored", "chat.seed")
def seed_ignored(asked: Asked) -> Asked:
    """Each request gets a seed of the relay's own, here the user's: no answer can be had again."""
    user = asked.object.get("user")
    if not isinstance(user, str):
        return asked
    return hearing(asked, {**asked.object, "seed": sum(user.encode())})


@hears("tool-parallel-flag-ignored", "tools.parallel")
def parallel_ignored(asked: Asked) -> Asked:
    """parallel_tool_calls false is lost: an agent that takes one step at a time gets two."""
    return without(asked, "parallel_tool_calls")


@hears("chat-answers-crossed", "same.own-answer")
def crossed(asked: Asked) -> Asked:
    """Two answers at the same time change places: each client reads what another one asked for."""
    one, other = CROSSED
    swapped = {one: other, other: one}
    messages = json_text.write(asked.object.get("messages")).decode()
    text = re.sub("|".join(CROSSED), lambda found: swapped[found[0]], messages)
    return hearing(asked, {**asked.object, "messages": json_text.read(text).value})


@hears("tool-choice-none-ignored", "tools.none")
def none_ignored(asked: Asked) -> Asked:
    """tool_choice none is taken for required: a function is called that the client said must not be."""
    if asked.object.get("tool_choice") != "none" or not asked.object.get("tools"):
        return asked
    return hearing(asked, {**asked.object, "tool_choice": "required"})


@hears("tool-choice-forced-ignored", "tools.called")
def forced_ignored(asked: Asked) -> Asked:
    """A required or named tool is not called: the client waits for a call and gets chatter."""
    choice = asked.object.get("tool_choice")
    if choice != "required" and not isinstance(choice, dict):
        return asked
    return hearing(asked, {**asked.object, "tool_choice": "none"})


@hears("sse-stream-true-json-returned", "sse.content-type")
def stream_ignored(asked: Asked) -> Asked:
    """stream true is lost: one JSON object comes late and at once, and an SDK iterates over nothing."""
    return without(asked, "stream", "stream_options") if asked.streamed else asked


@hears("sse-stream-false-sse-returned", "chat.content-type")
def stream_forced(asked: Asked) -> Asked:
    """Events come where one JSON object was asked for: the client's JSON parser stops at `data:`."""
    whole = asked.object.get("stream") in (None, False)  # what is no boolean at all stays a mistake
    return hearing(asked, {**asked.object, "stream": True}) if whole else asked
