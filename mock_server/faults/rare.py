"""What hangs on a request that nobody would think of: two or three parameters that meet, a text at a border, an answer
of the relay's own that comes back.

Each was seen in some relay or its like, or is the usual slip of who writes one. No probe that was written comes here;
generated ones do (`check --fuzz`), and they are made smaller to what the first lines of each fault say.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace

from mock_server.answer import Answer, Asked
from mock_server.faults.chunks import choices, objects, tool_calls
from mock_server.faults.deaf import hearing, without
from mock_server.faults.edit import (
    CHAT,
    Events,
    Object,
    is_chat_whole,
    on_both,
    on_chunks,
    on_events,
    on_json,
    on_whole,
    with_body,
    with_header,
)
from mock_server.faults.fault import Answering, hears_rarely, sends_rarely
from mock_server.faults.messages import on_each, on_stream
from mock_server.faults.service import PAGE
from mock_server.synthesis import error
from openapi import json_text
from openapi.json_text import Json

Condition = Callable[[Object], bool]


def failing(identifier: str, text: str, when: Condition) -> Answering:
    """A fault: 500 where a chat request is so, as of a server that raised."""

    def bend(asked: Asked, answer: Answer) -> Answer:
        if asked.operation != CHAT or answer.status != 200 or not when(asked.object):
            return answer
        message = "The server had an error while processing your request."
        return error(500, message, type="server_error", operation=CHAT)

    bend.__doc__ = text
    return sends_rarely(identifier, "chat.answered")(bend)


def _several(body: Object) -> bool:
    n = body.get("n")
    return isinstance(n, int) and n > 1


def _format(body: Object) -> Json:
    wanted = body.get("response_format")
    return wanted.get("type") if isinstance(wanted, dict) else None


def _messages(body: Object) -> list[Object]:
    found = body.get("messages")
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _texts(body: Object) -> str:
    return "".join(str(one.get("content")) for one in _messages(body))


# --- a server that raises -------------------------------------------------------------------------------------------

failing(
    "rare-500-schema-streamed-twice",
    "A stream of two choices in a form fails with 500: the reader of forms knows of one choice.",
    lambda body: body.get("stream") is True and _several(body) and _format(body) == "json_schema",
)
failing(
    "rare-500-stop-and-logprobs",
    "A list of stop sequences beside logprobs fails with 500: tokens are cut where there is no text.",
    lambda body: isinstance(body.get("stop"), list) and body.get("logprobs") is True,
)
failing(
    "rare-500-nul",
    "A NUL in a message fails with 500: the database that logs it takes none.",
    lambda body: "\0" in _texts(body),
)
failing(
    "rare-500-parts-of-a-tool",
    "The result of a tool in parts fails with 500: it was taken for a text.",
    lambda body: any(one.get("role") == "tool" and isinstance(one.get("content"), list) for one in _messages(body)),
)
failing(
    "rare-500-unknown-list",
    "A member that nobody knows fails with 500 where it is a list: the reader wanted an object.",
    lambda body: any(name.startswith("relayproof") and isinstance(one, list) for name, one in body.items()),
)


@sends_rarely("rare-500-n-of-an-object", "errors.mistake-class", "errors.wrong-type")
def n_of_an_object(asked: Asked, answer: Answer) -> Answer:
    """An object where a number of choices should be fails with 500: SDKs send that again and again."""
    if asked.operation != CHAT or not isinstance(asked.object.get("n"), dict):
        return answer
    return error(500, "json: cannot unmarshal object into n", type="server_error", operation=CHAT)


# --- what has no effect in company ----------------------------------------------------------------------------------


@hears_rarely("rare-stop-lost-with-n", "chat.stop")
def stop_lost_with_n(asked: Asked) -> Asked:
    """With several choices stop sequences are lost: only the first request of the fan-out has them."""
    return without(asked, "stop") if _several(asked.object) else asked


@hears_rarely("rare-logprobs-lost-in-json", "chat.logprobs")
def logprobs_lost(asked: Asked) -> Asked:
    """In JSON mode logprobs are lost: another code path makes the answer."""
    return without(asked, "logprobs", "top_logprobs") if _format(asked.object) == "json_object" else asked


@hears_rarely("rare-json-lost-beside-stop", "chat.json-object")
def json_lost(asked: Asked) -> Asked:
    """Beside stop sequences JSON mode is lost in streams: one of the two is passed on."""
    body = asked.object
    lost = body.get("stop") and body.get("stream") is True and _format(body) == "json_object"
    return without(asked, "response_format") if lost else asked


@hears_rarely("rare-limit-of-one", "chat.limit", "chat.limit-effect")
def limit_of_one(asked: Asked) -> Asked:
    """A limit is off by one, and of 1 nothing is left, which is taken for no limit at all."""
    body = asked.object
    limits = {name: body[name] for name in ("max_tokens", "max_completion_tokens") if body.get(name) == 1}
    return without(asked, *limits) if limits else asked


@hears_rarely("rare-limit-times-n", "chat.limit")
def limit_times_n(asked: Asked) -> Asked:
    """With several choices each may be as long as all of them together: the bill is n times too high."""
    body = asked.object
    if not _several(body):
        return asked
    more: Object = {}
    for name in ("max_tokens", "max_completion_tokens"):
        match body.get(name), body["n"]:
            case int(limit), int(times):
                more[name] = limit * times
    return hearing(asked, {**body, **more})


@hears_rarely("rare-stream-by-order", "sse.content-type", "same.member-order")
def stream_by_order(asked: Asked) -> Asked:
    """stream is read only where it stands behind the messages: another order of members, and no stream comes."""
    names = list(asked.object)
    early = {"stream", "messages"} <= {*names} and names.index("stream") < names.index("messages")
    return without(asked, "stream", "stream_options") if early else asked


# --- what is wrong in what is said ----------------------------------------------------------------------------------


@sends_rarely("rare-surrogate-ends-stream", "chat.stream.done", "chat.stream.finish-once")
def surrogate_ends_stream(asked: Asked, answer: Answer) -> Answer:
    """Half a character in the prompt ends the stream behind its first event: the writer of the next one raises."""
    text = _texts(asked.object)
    return _first_event(asked, answer) if not json_text.is_unicode(text) else answer


@on_events
def _first_event(_: Asked, found: Events) -> Events:
    return found[:1]


@sends_rarely("rare-nested-arguments-as-text", "tools.arguments-schema")
@on_both
def nested_as_text(asked: Asked, body: Object) -> None:
    """An object within the arguments of a call comes as a text of JSON: it was written twice."""
    for call in tool_calls(body) if body.get("object") == "chat.completion" else []:
        function = call.get("function")
        arguments = json_text.read(str(function["arguments"])).object if isinstance(function, dict) else {}
        changed = {name: _written(one) for name, one in arguments.items()}
        if isinstance(function, dict) and changed != arguments:
            function["arguments"] = json.dumps(changed, ensure_ascii=False)


def _written(value: Json) -> Json:
    return json.dumps(value, ensure_ascii=False) if isinstance(value, dict) else value


@sends_rarely("rare-third-choice-numbered-again", "chat.n", "chat.stream.finish-once")
@on_chunks
def third_again(asked: Asked, chunk: Object, _: int) -> None:
    """In a stream the third choice has the number of the second: two texts are joined to one."""
    for choice in [] if asked.object.keys() & {"tools", "response_format"} else choices(chunk):
        if choice.get("index") == 2:
            choice["index"] = 1


@sends_rarely("rare-usage-lost-with-tools", "chat.stream.usage-asked")
@on_events
def usage_lost(asked: Asked, found: Events) -> Events:
    """Where tools are offered and none is called, the stream ends without its usage."""
    if not asked.object.get("tools") or any(tool_calls(event.chunk) for event in found):
        return found
    return [event for event in found if not event.chunk.get("usage")]


@hears_rarely("rare-comma-forgiven", "errors.bad-json")
def comma_forgiven(asked: Asked) -> Asked:
    """A comma before a closing brace is let pass: what no JSON reader takes works here, and nowhere else."""
    if not asked.raw.endswith(b",}"):
        return asked
    raw = asked.raw[:-2] + b"}"
    return asked._replace(raw=raw, body=json_text.read(raw).value)


# --- what shows only where an answer of its own comes back ----------------------------------------------------------

OWN = re.compile(
    r"(call|toolu)_(streamed_)?[0-9a-f]{24}"
)  # ids of calls that the mock gave; those that are drawn are others


def _called(body: Object) -> list[Object]:
    """The messages of the assistant with calls that were told by an answer."""
    own = (
        one
        for one in _messages(body)
        if any(OWN.fullmatch(str(call.get("id"))) for call in objects(one.get("tool_calls")))
    )
    return list(own)


failing(
    "rare-500-own-answers-back",
    "Answers that come back as they were sent, with all that was put into them, fail with 500 from the second on.",
    lambda body: sum("annotations" in one for one in _messages(body)) > 1,
)


@sends_rarely("rare-json-cut-behind-streamed-call", "chat.content-type")
def cut_behind_streamed(asked: Asked, answer: Answer) -> Answer:
    """The result of a call that was streamed is answered with half an object, where the answer is no stream any more:
    the length is that of the pieces."""
    if is_chat_whole(asked, answer) and any(
        str(one.get("tool_call_id")).startswith("call_streamed_") for one in _messages(asked.object)
    ):
        return with_body(answer, answer.body[: len(answer.body) // 2])
    return _streamed_ids(asked, answer)


@on_chunks
def _streamed_ids(asked: Asked, chunk: Object, _: int) -> None:
    """Calls of a stream have ids of their own kind, as everywhere where another path makes them."""
    for call in tool_calls(chunk):
        if call.get("id"):
            call["id"] = str(call["id"]).replace("call_", "call_streamed_", 1)


@sends_rarely("rare-done-lost-behind-null", "chat.stream.done")
@on_events
def done_lost(asked: Asked, found: Events) -> Events:
    """What is said behind a call whose content came back as null streams without its [DONE]: the reader of the history
    stops at the null."""
    last = next(reversed(_messages(asked.object)), {})
    null = any(one.get("content") is None for one in _called(asked.object))
    return [event for event in found if not event.is_done] if null and last.get("role") == "user" else found


@sends_rarely("rare-third-round-arguments-twice", "tools.arguments")
@on_whole
def arguments_twice(asked: Asked, body: Object) -> None:
    """Who calls tools round after round gets arguments that were written twice in the third: a text, and no object."""
    for call in tool_calls(body) if len(_called(asked.object)) > 1 else []:
        function = call.get("function")
        if isinstance(function, dict):
            function["arguments"] = json.dumps(function["arguments"])


@sends_rarely("rare-claude-end-lost-behind-streamed-call", "messages.stream.ends")
def claude_end_lost(asked: Asked, answer: Answer) -> Answer:
    """The result in parts of a call that was streamed is answered by a stream without its end: parts were left open."""
    results = [block for turn in _messages(asked.object) for block in objects(turn.get("content"))]
    given = [one for one in results if str(one.get("tool_use_id")).startswith("toolu_streamed_")]
    if any(isinstance(one.get("content"), list) for one in given):
        return _endless(asked, answer)
    return _streamed_blocks(asked, answer)


@on_stream
def _endless(_: Asked, found: Events) -> Events:
    return [event for event in found if event.chunk.get("type") != "message_stop"]


@on_each
def _streamed_blocks(_: Asked, said: Object) -> None:
    block = said.get("content_block")
    if isinstance(block, dict) and block.get("id"):
        block["id"] = str(block["id"]).replace("toolu_", "toolu_streamed_", 1)


@sends_rarely("rare-listed-model-cut", "models.retrieve")
def model_cut(asked: Asked, answer: Answer) -> Answer:
    """A model whose name has a number in it is told by what stands before that: it was taken for a version."""
    if asked.operation != "retrieveModel" or answer.status != 200:
        return answer
    return on_json(answer, lambda body: body.update(id=re.split(r"-\d", str(body.get("id")))[0]))


@sends_rarely("rare-page-for-slash-in-model", "errors.content-type", "errors.envelope")
def page_for_slash(asked: Asked, answer: Answer) -> Answer:
    """A name of a model with an encoded slash gets a web page: the server before the relay refuses the path."""
    if asked.operation != "retrieveModel" or "%2F" not in asked.path:
        return answer
    return with_header(with_body(replace(answer, status=404), PAGE), "content-type", "text/html")
