"""The rules about Claude's messages: what an answer must be and do, streamed and whole."""

from dataclasses import replace
from typing import Any

from conformance.asked import UNKNOWN_MODEL
from conformance.judge import judge
from conformance.rule import Outcome
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.claude import (
    PATH,
    STOP,
    USAGE,
    WEATHER,
    ask,
    block,
    body,
    call,
    delta,
    end,
    ending,
    failure,
    good,
    message,
    said,
    spoken,
    start,
    told,
    used,
)
from tests.conformance.exchanges import (
    Case,
    answer,
    chat_body,
    each,
    fails,
    got,
    moody,
    passes,
    request,
    rules_of,
    silent,
    undecided,
    unseen,
)

M = "messages."
ANY = {"tools": [WEATHER], "tool_choice": {"type": "any"}}
NAMED = {"tools": [WEATHER], "tool_choice": {"type": "tool", "name": "get_weather"}}
NONE = {"tools": [WEATHER], "tool_choice": {"type": "none"}}
AUTO: dict[str, Any] = {"tools": [WEATHER]}
SERVERS = {"tools": [{"type": "web_search_20250305", "name": "web_search"}]}
LONG = "word " * 400
COUNT = f"{PATH}/count_tokens"
REFUSED = {"type": "error", "error": {"type": "not_found_error", "message": "no"}}
OPENAI = {"error": {"type": "x", "message": "no", "param": None, "code": None}}


def calls(*content: dict[str, Any], reason: Any = "tool_use", **asked: Any) -> Exchange:
    return told(message(*(content or (used(),)), reason=reason), **(asked or AUTO))


def count(status: int = 200, answer: Any = None) -> Exchange:
    asked = {name: value for name, value in body().items() if name != "max_tokens"}
    return got(status, {"input_tokens": 5} if answer is None else answer, to=request(asked, path=COUNT))


CASES = [
    passes("an answer", M + "answered", told()),
    fails("a fault of the server", M + "answered", got(500, b"x", to=ask())),
    undecided("overloaded", M + "answered", got(529, REFUSED, to=ask())),
    silent("an illegal request", M + "answered", got(500, b"x", to=request({"model": "m"}, path=PATH))),
    silent("a chat", M + "answered", got(500, b"x")),
    passes("JSON", M + "content-type", told()),
    fails("events", M + "content-type", replace(good(), request=ask())),
    silent("a stream was asked for", M + "content-type", good()),
    passes("a message", M + "schema", told()),
    passes("of nothing", M + "schema", told(message() | {"content": []})),
    passes("a block of another day", M + "schema", told(message({"type": "server_tool_use", "id": 5}))),
    fails("no type", M + "schema", told(message(type=None))),
    fails("a text as content", M + "schema", told(message() | {"content": "Hi"})),
    fails("a text block without text", M + "schema", told(message({"type": "text"})), says="/content/0: expected text"),
    fails("a call without a name, which nobody asked for", M + "schema", told(message(used(name=None)))),
    passes("a call without a name has a rule of its own", M + "schema", calls(used(name=None))),
    passes("usage has a rule of its own", M + "schema", told(message(usage=None))),
    passes("and so has stop_reason", M + "schema", told(message(reason="stop"))),
    undecided("an error with 200", M + "schema", told(REFUSED)),
    passes("the same", M + "model", told()),
    passes("a snapshot", M + "model", told(message(model="claude-x-20250929"), model="claude-x")),
    fails("another", M + "model", good(model="claude-x"), says="by 'm'"),
    undecided("none", M + "model", told(message(model=None))),
    passes("a reason", M + "stop-reason", told()),
    passes("in a stream", M + "stop-reason", good()),
    passes("in the second of two", M + "stop-reason", spoken(start(), ending(None), ending(), STOP)),
    fails("null", M + "stop-reason", told(message(reason=None)), says="/stop_reason"),
    fails("none", M + "stop-reason", told({k: v for k, v in message().items() if k != "stop_reason"})),
    fails("OpenAI's", M + "stop-reason", good(reason="stop"), at=4, says="/delta/stop_reason"),
    fails("null to the end", M + "stop-reason", spoken(start(), *block(), ending(None), STOP), at=6),
    undecided("no end", M + "stop-reason", spoken(start(), *block())),
    undecided("an error", M + "stop-reason", spoken(start(), failure(), STOP)),
    passes("counts", M + "usage", told()),
    passes("in a stream", M + "usage", good()),
    fails("none", M + "usage", told({k: v for k, v in message().items() if k != "usage"}), says="expected usage"),
    fails("a text", M + "usage", told(message(usage=USAGE | {"output_tokens": "2"}))),
    fails("zeros", M + "usage", told(message(usage={"input_tokens": 0, "output_tokens": 0})), says="counts nothing"),
    fails("none at the start", M + "usage", spoken(start(usage=None), *block(), ending(), STOP), at=0),
    fails("none at the end", M + "usage", spoken(start(), *block(), ending(tokens=None), STOP), at=4),
    passes("it was cut", M + "max-tokens", told(message(reason="max_tokens"))),
    fails("too many are counted", M + "max-tokens", told(message(usage=USAGE | {"output_tokens": 90})), says="90"),
    fails("too many are there", M + "max-tokens", told(message(said(LONG), usage={})), says="at least 100"),
    fails("in a stream", M + "max-tokens", good(*block(LONG))),
    moody("it ended by itself", M + "max-tokens", told()),
    undecided("no reason", M + "max-tokens", told(message(reason=None))),
    undecided("an error came", M + "max-tokens", spoken(start(), failure())),
    undecided("a block was not begun", M + "max-tokens", good(delta(), end())),
    undecided("the content is no list", M + "max-tokens", told(message() | {"content": "Hi"})),
    passes("one ended it", M + "stop-sequences", told(message(reason="stop_sequence", stop_sequence="x"),
           stop_sequences=["x", ""])),
    fails("it runs on", M + "stop-sequences", told(message(said("axb")), stop_sequences=["x"]), says="axb"),
    fails("unnamed", M + "stop-sequences", told(message(reason="stop_sequence"), stop_sequences=["x"]), says="null"),
    moody("not written", M + "stop-sequences", told(stop_sequences=["x"])),
    undecided("no reason", M + "stop-sequences", told(message(reason=None), stop_sequences=["x"])),
    silent("none asked", M + "stop-sequences", told()),
    silent("an empty one", M + "stop-sequences", told(stop_sequences=[""])),
    passes("signed", M + "thinking-signature", told(message({"type": "thinking", "thinking": "x", "signature": "s"}))),
    fails("unsigned", M + "thinking-signature", told(message({"type": "thinking", "thinking": "x"})), says="block 0"),
    unseen("no thinking", M + "thinking-signature", told()),
    # --- tools
    passes("an id", M + "tool-id", calls()),
    passes("two", M + "tool-id", calls(used(), used(id="toolu_2"))),
    fails("none", M + "tool-id", calls(used(id="")), says="1 calls have no id"),
    fails("the same", M + "tool-id", good(*call("{}"), *call("{}", index=1), reason="tool_use", **AUTO)),
    unseen("no call", M + "tool-id", told(**AUTO)),
    silent("no tools", M + "tool-id", told(message(used()))),
    silent("the vendor's own tools", M + "tool-id", told(message(used()), **SERVERS)),
    passes("declared", M + "tool-name", calls()),
    fails("another", M + "tool-name", calls(used(name="x.get_weather")), says="was not declared"),
    passes("an object", M + "tool-input", calls()),
    passes("pieces of one", M + "tool-input", good(*call('{"city":', '"Rome"}'), reason="tool_use", **AUTO)),
    passes("no piece is no input", M + "tool-input", good(*call("", ""), reason="tool_use", **AUTO)),
    fails("a text", M + "tool-input", calls(used("{}")), says="'get_weather'"),
    fails("half an object", M + "tool-input", good(*call('{"city":'), reason="tool_use", **AUTO)),
    fails("a list", M + "tool-input", good(*call("[]"), reason="tool_use", **AUTO)),
    moody("cut", M + "tool-input", good(*call('{"city":'), reason="max_tokens", **AUTO)),
    undecided("no reason", M + "tool-input", spoken(start(), *call('{"city":'), ending(None), STOP, **AUTO)),
    passes("it fits", M + "tool-input-schema", calls()),
    fails("a member is missing", M + "tool-input-schema", calls(used({"town": "Rome"})), says="get_weather"),
    undecided("of another tool", M + "tool-input-schema", calls(used(name="x"))),
    undecided("no object", M + "tool-input-schema", calls(used("x"))),
    undecided("no schema", M + "tool-input-schema",
              calls(tools=[{"name": "get_weather", "input_schema": {"type": "object", "properties": 5}}])),
    passes("tool_use", M + "tool-stop", calls()),
    passes("cut behind the call", M + "tool-stop", calls(reason="max_tokens")),
    fails("end_turn", M + "tool-stop", calls(reason="end_turn"), says="'end_turn'"),
    fails("tool_use without a call", M + "tool-stop", told(message(reason="tool_use"), **AUTO)),
    undecided("no reason", M + "tool-stop", calls(reason=None)),
    unseen("neither", M + "tool-stop", told(**AUTO)),
    passes("any", M + "tool-forced", calls(**ANY)),
    passes("the named one", M + "tool-forced", calls(**NAMED)),
    fails("chatter", M + "tool-forced", told(**ANY), says="Hi"),
    fails("another", M + "tool-forced", calls(used(name="x"), **NAMED), says="of 'get_weather'"),
    moody("cut before", M + "tool-forced", told(message(reason="max_tokens"), **ANY)),
    undecided("no reason", M + "tool-forced", told(message(reason=None), **ANY)),
    silent("auto", M + "tool-forced", told(**AUTO)),
    passes("no call", M + "tool-none", told(**NONE)),
    fails("a call", M + "tool-none", calls(**NONE), says="get_weather"),
    silent("auto", M + "tool-none", calls()),
    # --- around the model
    passes("Claude's", M + "error-envelope", got(404, REFUSED, to=ask())),
    passes("of the count", M + "error-envelope", count(404, REFUSED)),
    passes("of another method", M + "error-envelope", got(405, REFUSED, to=request(method="GET", path=PATH))),
    fails("OpenAI's", M + "error-envelope", got(401, OPENAI, to=ask(model=UNKNOWN_MODEL)), says="{}"),
    undecided("none at all", M + "error-envelope", got(401, {"error": "no"}, to=ask())),
    undecided("a page", M + "error-envelope", got(502, b"<html>", kind="text/html", to=ask())),
    unseen("no error", M + "error-envelope", told()),
    silent("on a path of OpenAI", M + "error-envelope", got(401, OPENAI)),
    passes("a count", M + "count-tokens", count()),
    fails("404", M + "count-tokens", count(404, REFUSED)),
    fails("a fault of the server", M + "count-tokens", count(500, REFUSED)),
    fails("no count", M + "count-tokens", count(200, {"tokens": 5})),
    undecided("try later", M + "count-tokens", count(529, REFUSED)),
    undecided("not with this key", M + "count-tokens", count(401, REFUSED)),
]  # fmt: skip


@each(CASES)
def test_what_the_rule_says(case: Case) -> None:
    case.check()


def together(rule: str, **steps: Exchange) -> tuple[Outcome, str]:
    """What a rule over several exchanges says of these."""
    named = [replace(one, id=f"e1-{name}", probe="p", step=name) for name, one in steps.items()]
    [found] = judge(named, {rule: BOOK[rule]})
    return found.outcome, found.findings[0].text if found.findings else found.reason or ""


def both(api_key: Exchange, bearer: Exchange) -> tuple[Outcome, str]:
    return together(M + "keys", **{"api-key": api_key, "bearer": bearer})


def refused(status: int = 401) -> Exchange:
    return got(status, REFUSED, to=ask())


def test_a_key_is_taken_in_both_headers() -> None:
    assert both(told(), told()) == (Outcome.PASS, "")
    assert both(refused(), told())[0] is Outcome.FAIL
    assert "in x-api-key" in both(refused(403), told())[1]
    assert "in a bearer" in both(told(), refused())[1]


def test_where_the_key_is_refused_in_both_it_is_the_key() -> None:
    assert both(refused(), refused())[0] is Outcome.INCONCLUSIVE
    assert both(refused(), refused(429))[0] is Outcome.INCONCLUSIVE
    assert both(refused(429), told())[0] is Outcome.INCONCLUSIVE
    assert both(told(), refused(429))[0] is Outcome.INCONCLUSIVE


def agrees(counted: Any, usage: Any) -> Outcome:
    whole = told(message(usage=usage))
    return together(M + "count-tokens-agrees", whole=whole, count=count(200, {"input_tokens": counted}))[0]


def test_a_count_agrees_with_what_is_billed() -> None:
    assert agrees(100, {"input_tokens": 90, "output_tokens": 1}) is Outcome.PASS
    assert agrees(100, {"input_tokens": 1, "cache_read_input_tokens": 99, "output_tokens": 1}) is Outcome.PASS
    assert agrees(3, {"input_tokens": 11, "output_tokens": 1}) is Outcome.PASS
    assert agrees(48, {"input_tokens": 728, "output_tokens": 1}) is Outcome.FAIL
    assert agrees("x", {"input_tokens": 728, "output_tokens": 1}) is Outcome.INCONCLUSIVE
    assert agrees(48, {"input_tokens": 0, "output_tokens": 1}) is Outcome.INCONCLUSIVE


def test_a_finding_says_where_it_is_without_numbers() -> None:
    [found] = judge([told(message(said(), {"type": "text"}))], {M + "schema": BOOK[M + "schema"]})
    assert [one.place for one in found.findings] == ["/content/*"]


def test_each_rule_passes_and_fails_here() -> None:
    of_several = {M + "keys", M + "count-tokens-agrees"}
    chapter = {name for name in BOOK if name.startswith(M) and not name.startswith(M + "stream.")} - of_several
    assert rules_of(CASES, Outcome.PASS) == rules_of(CASES, Outcome.FAIL) == chapter


def test_a_chat_is_none_of_its_business() -> None:
    own = {name: rule for name, rule in BOOK.items() if name.startswith(M)}
    assert list(judge([got(200, answer(), to=request(chat_body(stream=True)))], own)) == []
