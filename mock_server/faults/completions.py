"""Text completions: the mistakes of chat made there too, and those of their own."""

from dataclasses import replace
from functools import wraps

from mock_server.answer import Answer, Asked
from mock_server.faults import deaf, honest_members, meaning, order
from mock_server.faults.chunks import choices, finishes, first_where
from mock_server.faults.edit import CHAT, Events, Object, on_both, on_chunks, on_events, with_body, with_header
from mock_server.faults.fault import Answering, Hearing, hears, honest, sends
from openapi.json_text import Json
from openapi.wire.exchange import Framing

COMPLETIONS = "createCompletion"
S = "completions.stream."


def of_text(bend: Answering) -> Answering:
    """A change of chat answers, made one of text completions: their envelopes, choices and ends are alike."""

    @wraps(bend)
    def bent(asked: Asked, answer: Answer) -> Answer:
        return bend(asked._replace(operation=CHAT), answer) if asked.operation == COMPLETIONS else answer

    bent.__doc__ = f"Text completions: {bend.__doc__}"
    return bent


def to_text(bend: Hearing) -> Hearing:
    """The same for what is heard."""

    @wraps(bend)
    def bent(asked: Asked) -> Asked:
        if asked.operation != COMPLETIONS:
            return asked
        return bend(asked._replace(operation=CHAT))._replace(operation=COMPLETIONS)

    bent.__doc__ = f"Text completions: {bend.__doc__}"
    return bent


# --- as of chat -----------------------------------------------------------------------------------------------------

HEARD: tuple[tuple[str, Hearing, str], ...] = (
    ("completions-n-ignored", deaf.n_ignored, "completions.n"),
    ("completions-stop-ignored", deaf.stop_ignored, "completions.stop"),
    ("completions-limit-ignored", deaf.limit_ignored, "completions.limit"),
    ("completions-logprobs-ignored", deaf.logprobs_ignored, "completions.logprobs"),
    ("completions-stream-forced", deaf.stream_forced, "completions.content-type"),
)
SENT: tuple[tuple[str, Answering, tuple[str, ...]], ...] = (
    ("completions-object-missing", meaning.object_missing, ("completions.schema",)),
    ("completions-model-upstream-name", meaning.model_upstream, ("completions.model",)),
    ("completions-stream-object-wrong", meaning.object_wrong, (S + "schema",)),
    ("completions-stream-finish-empty-string", order.finish_empty, (S + "finish-reason",)),
    ("completions-stream-finish-unknown", order.finish_unknown, (S + "finish-reason",)),
    ("completions-stream-id-changes", meaning.id_changes, (S + "id",)),
    ("completions-stream-created-changes", meaning.created_changes, (S + "created",)),
    (
        "completions-stream-index-shifted",
        meaning.index_shifted,
        (S + "index", "completions.n", "completions.prompts"),
    ),
    ("completions-stream-finish-duplicated", order.finish_duplicated, (S + "finish-once",)),
    ("completions-stream-finish-never-sent", order.finish_never, (S + "finish-once", S + "usage-asked")),
    (
        "completions-stream-truncated-clean-eof",
        order.truncated_clean,
        (S + "finish-once", S + "done", S + "usage-asked"),
    ),
    ("completions-stream-done-missing", order.done_missing, (S + "done",)),
    ("completions-stream-done-duplicated", order.done_duplicated, (S + "done-once",)),
    ("completions-stream-data-after-done", order.data_after_done, (S + "nothing-after-done",)),
    ("completions-stream-error-midstream", order.error_midstream, (S + "completes",)),
    ("completions-stream-usage-missing", meaning.usage_missing, (S + "usage-asked",)),
    ("completions-stream-usage-in-finish-chunk", meaning.usage_merged, (S + "usage-asked",)),
    ("completions-stream-usage-unrequested", meaning.usage_unasked, (S + "usage-unasked",)),
)
HONEST: tuple[tuple[str, Answering], ...] = (
    ("honest-completions-finish-with-text", honest_members.finish_with_text),
    ("honest-completions-unknown-members", honest_members.unknown_members),
    ("honest-completions-model-snapshot", honest_members.snapshot),
    ("honest-completions-prefilter", order.prefilter),
)

for _id, _heard, _rule in HEARD:
    hears(_id, _rule)(to_text(_heard))
for _id, _sent, _rules in SENT:
    sends(_id, *_rules)(of_text(_sent))
for _id, _sent in HONEST:
    honest(_id)(of_text(_sent))


# --- of their own ---------------------------------------------------------------------------------------------------


@sends("chat-legacy-completions-stream-502", "completions.answered", "errors.content-type", "errors.envelope")
def stream_502(asked: Asked, answer: Answer) -> Answer:
    """A streamed text completion is 502 behind the vendor's work: editors that fill in code get nothing, and pay."""
    if asked.operation != COMPLETIONS or not asked.streamed or answer.status != 200:
        return answer
    failed = with_body(replace(answer, status=502, framing=Framing.CONTENT_LENGTH), b"error parsing upstream body\n")
    return with_header(failed, "content-type", "text/plain")


@hears("completions-echo-ignored", "completions.echo")
@deaf.asking(COMPLETIONS)
def echo_ignored(body: Object) -> Object:
    """echo is lost: who scores a text finds only what follows it."""
    return {name: value for name, value in body.items() if name != "echo"}


@hears("completions-first-prompt-only", "completions.prompts")
@deaf.asking(COMPLETIONS)
def first_prompt(body: Object) -> Object:
    """Of several prompts the first is answered alone: a batch comes back short."""
    prompt = body.get("prompt")
    return {**body, "prompt": prompt[0]} if isinstance(prompt, list) and prompt else body


@sends("completions-logprobs-as-chat", "completions.logprobs")
@of_text
@on_both
def logprobs_as_chat(_: Asked, body: Object) -> None:
    """logprobs have the shape of chat: who reads tokens and token_logprobs finds nothing."""
    for choice in choices(body):
        if isinstance(choice.get("logprobs"), dict):
            choice["logprobs"] = {"content": _entries(choice["logprobs"])}


def _entries(told: Json) -> Json:
    match told:
        case {"tokens": list(tokens)}:
            return [{"token": one, "logprob": -0.1, "bytes": None, "top_logprobs": []} for one in tokens]
    return []


@sends("completions-stream-text-missing", S + "text")
@of_text
@on_chunks
def text_missing(_: Asked, chunk: Object, __: int) -> None:
    """The piece with finish_reason has no text: clients that append it print None, or crash."""
    for choice in choices(chunk):
        if choice.get("finish_reason"):
            choice.pop("text", None)


@sends("completions-stream-text-after-finish", S + "finish-last", S + "usage-asked")
@of_text
@on_events
def text_after_finish(_: Asked, found: Events) -> Events:
    """A choice goes on behind its finish_reason: what closed its buffer there loses the rest."""
    at = first_where(found, finishes)
    if at is None:
        return found
    chunk = found[at].chunk
    for choice in choices(chunk):
        choice.update(text=" and", finish_reason=None)
    return [*found[: at + 1], found[at].saying(chunk), *found[at + 1 :]]
