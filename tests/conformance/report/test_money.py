"""What was planned, spent and allowed, and what answers report of it."""

from dataclasses import replace

from conformance.report.money import money, used
from openapi.json_text import Json
from openapi.wire.exchange import Read
from tests.conformance.report.made import recorded, small_run

WHOLE = recorded("litellm/chat-basic", "e1", "chat.whole")


def test_planned_spent_and_limits_stand_beside_each_other() -> None:
    run = small_run()
    plan: dict[str, Json] = {"requests": 9, "max_tokens": 700, "limits": {"requests": 300, "tokens": None}}
    told = money(replace(run, header=replace(run.header, plan=plan)))
    assert (told.planned_requests, told.planned_tokens) == (9, 700)
    assert (told.requests, told.prompt, told.completion) == (5, 4213, 877)
    assert (told.capped, told.max_requests, told.max_tokens) == (True, 300, None)


def test_a_run_that_did_not_end_spent_nothing_that_is_known() -> None:
    told = money(replace(small_run(), footer=None))
    assert (told.requests, told.prompt, told.capped) == (None, None, False)


def test_tokens_are_those_that_answers_report_and_silence_is_counted() -> None:
    (one,) = used([WHOLE, replace(WHOLE, id="e2", reads=(Read(0.1, WHOLE.content.replace(b'"usage"', b'"used"')),))])
    usage = WHOLE.object["usage"]
    assert isinstance(usage, dict)
    assert (one.operation, one.requests, one.reported, one.silent) == ("createChatCompletion", 2, 1, 1)
    assert (one.prompt, one.completion) == (usage["prompt_tokens"], usage["completion_tokens"])
    assert one.characters > 0


def test_refusals_are_requests_that_used_nothing() -> None:
    (one,) = used([recorded("litellm/err-no-auth", "e3", "errors.no-key")])
    assert (one.requests, one.reported, one.silent, one.characters) == (1, 0, 0, 0)


def test_tokens_are_counted_where_an_answer_lists_them_and_reports_their_sum() -> None:
    listed = recorded("llama-server/chat-logprobs", "e2", "chat.logprobs")
    unsaid = recorded("llama-server/chat-logprobs-stream", "e3", "chat.logprobs-stream")  # lists them, and no usage
    (one,) = used([WHOLE, listed, unsaid])
    assert one.counted == one.counted_of > 0
    assert one.counted < one.completion
