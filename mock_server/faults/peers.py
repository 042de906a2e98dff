"""Plain defects by which suites of this kind have been compared, where no other module has them."""

from mock_server.answer import Asked
from mock_server.faults.chunks import choices
from mock_server.faults.edit import Object, is_video, on_both, on_chunks, on_whole
from mock_server.faults.fault import sends

PROMPT, COMPLETION = 12, 30  # times too much


@sends("chat-object-wrong", "chat.schema")
@on_whole
def object_wrong(_: Asked, body: Object) -> None:
    """A whole chat answer is labelled as a text completion: clients that choose a type by it choose wrongly."""
    body["object"] = "text_completion"


@sends("chat-created-text", "chat.schema")
@on_whole
def created_text(_: Asked, body: Object) -> None:
    """`created` is a text: typed clients refuse the answer."""
    body["created"] = str(body.get("created"))


@sends("chat-finish-reason-missing", "chat.schema")
@on_whole
def finish_missing(_: Asked, body: Object) -> None:
    """No choice of a whole answer says why it ended: agents cannot tell an answer from a piece of one."""
    for choice in choices(body):
        choice.pop("finish_reason", None)


@sends(
    "chat-stream-choice-index-missing",
    "chat.stream.schema",
    "chat.stream.finish-once",
    "chat.stream.usage-asked",
)
@on_chunks
def index_missing(asked: Asked, chunk: Object, __: int) -> None:
    """The choices of chunks have no index: SDKs that gather several choices crash."""
    for choice in () if is_video(asked) else choices(chunk):
        choice.pop("index", None)


@sends("usage-multiplied", "usage.prompt", "usage.prompt-grows", "usage.completion", "chat.limit")
@on_both
def usage_multiplied(_: Asked, body: Object) -> None:
    """Twelve times the tokens of the prompt and thirty times those of the answer are counted: users pay for them."""
    usage = body.get("usage")
    if isinstance(usage, dict):
        prompt, completion = usage.get("prompt_tokens"), usage.get("completion_tokens")
        if isinstance(prompt, int) and isinstance(completion, int):
            prompt, completion = prompt * PROMPT, completion * COMPLETION
            usage.update(prompt_tokens=prompt, completion_tokens=completion, total_tokens=prompt + completion)
