"""A script: which rule is for which request, whose turn it is, and what is told of a mistake in the file."""

import json
import re
from contextlib import suppress
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from mock_server.answer import Answer
from mock_server.library import RECORDINGS, Library, load
from mock_server.manners import Relays, UnknownMannerError
from mock_server.options import Conduct
from mock_server.script import ScriptError, read
from mock_server.script.reading import load as load_script
from openapi import document
from openapi.json_text import Json
from openapi.wire.exchange import Headers

ROOT = Path(__file__).parent.parent.parent.parent
DOCUMENT = document.load()
LIBRARY = load(RECORDINGS, DOCUMENT)
EMPTY = Library([], DOCUMENT)
KEY: Headers = (("authorization", "Bearer k"), ("content-type", "application/json"))
TOOL: Json = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}


def relays(script: str, library: Library = EMPTY, *, strict: bool = False) -> Relays:
    return Relays(DOCUMENT, library, Conduct(script=read(script), strict=strict))


def ask(served: Relays, text: Json = "hello", *headers: tuple[str, str], path: str = "", **more: Json) -> Answer:
    messages: Json = text if isinstance(text, list) else [{"role": "user", "content": text}]
    raw = json.dumps({"model": "gpt-4o", "messages": messages, **more}).encode()
    relay = served.of((*KEY, *headers))
    relay, asked, play = served.cast(relay, relay.asked("POST", path or "/v1/chat/completions", (*KEY, *headers), raw))
    return relay.answer(asked, play)


def said(answer: Answer) -> str:
    return str(json.loads(answer.body)["choices"][0]["message"]["content"])


def error(answer: Answer) -> dict[str, Json]:
    found = json.loads(answer.body)["error"]
    assert isinstance(found, dict)
    return found


REPLY = "[{when: {model: 'gpt-*'}, reply: 'One. Two. Three.'}]"


def test_a_reply_obeys_the_request() -> None:
    served = relays(REPLY)
    assert said(ask(served)) == "One. Two. Three."
    assert said(ask(served, stop="Two")) == "One. "
    cut = json.loads(ask(served, max_tokens=2).body)
    assert (cut["choices"][0]["finish_reason"], cut["usage"]["completion_tokens"]) == ("length", 2)
    several = json.loads(ask(served, n=2).body)
    assert [choice["message"]["content"] for choice in several["choices"]] == ["One. Two. Three."] * 2
    assert b"[DONE]" in ask(served, stream=True).body


def test_a_reply_speaks_every_protocol() -> None:
    served = relays(REPLY)
    message = json.loads(ask(served, path="/v1/messages", max_tokens=50).body)
    assert message["content"][0]["text"] == "One. Two. Three."
    raw = json.dumps({"model": "gpt-4o", "prompt": "hello"}).encode()
    relay, asked, play = served.cast(served.usual, served.usual.asked("POST", "/v1/completions", KEY, raw))
    assert json.loads(relay.answer(asked, play).body)["choices"][0]["text"] == "One. Two. Three."


def test_a_model_of_the_script_is_known_and_others_are_not() -> None:
    served = relays("[{when: {model: gpt-4o}, reply: hi}]")
    assert ask(served).status == 200
    assert ask(served, model="gpt-5").status == 404
    listed = json.loads(served.usual.answer(served.usual.asked("GET", "/v1/models", KEY, b"")).body)
    assert "gpt-4o" in {one["id"] for one in listed["data"]}


def test_calls_are_those_of_the_script() -> None:
    served = relays("[{when: {model: gpt-4o}, tool_calls: [{name: get_weather, arguments: {city: Rome}}]}]")
    choice = json.loads(ask(served, tools=[TOOL]).body)["choices"][0]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"][0]["function"] == {"name": "get_weather", "arguments": '{"city":"Rome"}'}


def test_an_error_is_what_the_script_says_and_else_what_its_status_usually_says() -> None:
    served = relays("[{when: {text: a}, status: 429, headers: {Retry-After: '7'}}, {status: 418, error: {code: tea}}]")
    limited = ask(served, "a", model="mock-chat")
    assert (limited.status, error(limited)["code"]) == (429, "rate_limit_exceeded")
    assert ("Retry-After", "7") in limited.headers
    other = ask(served, model="mock-chat")
    assert (other.status, error(other)["code"], error(other)["type"]) == (418, "tea", "invalid_request_error")
    claude = json.loads(ask(served, "a", model="mock-claude", path="/v1/messages", max_tokens=5).body)
    assert claude["error"]["type"] == "rate_limit_error"


def test_recordings_answer_in_turn_and_then_as_is_said() -> None:
    names = "[litellm/chat-basic, llama-server/chat-basic]"
    bodies = [LIBRARY.recordings[name].body for name in ("litellm/chat-basic", "llama-server/chat-basic")]
    for then, third in (("last", bodies[1]), ("cycle", bodies[0])):
        served = relays(f"[{{when: {{model: gpt-4o}}, recording: {names}, then: {then}}}]", LIBRARY)
        assert [ask(served).body for _ in range(3)] == [*bodies, third]
    served = relays(f"[{{when: {{model: gpt-4o}}, recording: {names}, then: miss}}, {{reply: over}}]", LIBRARY)
    assert [ask(served).body for _ in range(2)] == bodies
    assert said(ask(served)) == "over"


def test_turns_are_counted_for_each_session() -> None:
    served = relays("[{when: {model: gpt-4o}, reply: first, times: 1}, {when: {model: gpt-4o}, reply: later}]")
    assert [said(ask(served)) for _ in range(2)] == ["first", "later"]
    assert said(ask(served, "hello", ("X-Relay-Session", "b"))) == "first"
    served.reset()
    assert said(ask(served)) == "first"


def test_a_rule_sets_in_later_and_by_chance() -> None:
    served = relays("[{when: {model: gpt-4o}, reply: late, after: 2, times: 1}, {when: {model: gpt-4o}, reply: usual}]")
    assert [said(ask(served)) for _ in range(4)] == ["usual", "usual", "late", "usual"]
    served = relays("[{when: {model: gpt-4o}, reply: x, probability: 0.5}, {when: {model: gpt-4o}, reply: y}]")
    found = [said(ask(served)) for _ in range(40)]
    assert 5 < found.count("x") < 35


def test_faults_of_a_rule_are_for_its_requests_alone() -> None:
    served = relays("[{when: {text: cut}, faults: [chat-stream-done-missing*1]}]")
    assert b"[DONE]" not in ask(served, "cut", model="mock-chat", stream=True).body
    assert b"[DONE]" in ask(served, "cut", model="mock-chat", stream=True).body
    assert b"[DONE]" in ask(served, "no", model="mock-chat", stream=True).body


def test_faults_are_wanted_behind_a_model_and_in_a_key() -> None:
    served = Relays(DOCUMENT, EMPTY)
    cut = ask(served, model="mock-chat+chat-stream-done-missing+honest-crlf", stream=True)
    assert b"[DONE]" not in cut.body
    assert b"\r\n" in cut.body
    assert b'"model":"mock-chat"' in cut.body
    with pytest.raises(UnknownMannerError, match="the model mock-chat"):
        ask(served, model="mock-chat+no-such")
    assert b"gpt+no-such" in ask(served, model="gpt+no-such").body  # which may be the name of a model
    foreign = served.usual.asked("POST", "/v1/chat/completions", KEY, b'{"model": "gpt+chat-stream-done-missing"}')
    assert served.cast(served.usual, foreign)[1].object["model"] == "gpt"  # as a proxy passes it on
    key = (("authorization", "Bearer sk-fault-chat-stream-done-missing"),)
    relay = served.of(key)
    assert [fault.id for fault in relay.faults] == ["chat-stream-done-missing"]
    assert Relays(DOCUMENT, EMPTY, Conduct(api_key="k")).of(key).faults == ()


CONDITIONS: list[tuple[str, dict[str, Json], dict[str, Json]]] = [
    ("operation: createChatCompletion", {}, {"path": "/v1/messages", "max_tokens": 5}),
    ("model: 'gpt-4*'", {}, {"model": "mock-chat"}),
    ("stream: true", {"stream": True}, {}),
    ("stream: false", {}, {"stream": True}),
    ("tools: true", {"tools": [TOOL]}, {}),
    ("n: 2", {"n": 2}, {}),
    ("format: json_object", {"response_format": {"type": "json_object"}}, {}),
    ("text: 'hell'", {}, {"text": "bye"}),
    ("text: '/^h.llo$/'", {}, {"text": "hello!"}),
    ("system: short", {"text": [{"role": "system", "content": "be short"}, {"role": "user", "content": "x"}]}, {}),
    ("turn: 1", {}, {"text": [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]}),
    ("tool_result: false", {}, {"text": [{"role": "tool", "content": "b", "tool_call_id": "c"}]}),
    ("key: 'k*'", {}, {"key": "z"}),
    ("header: {X-Tenant: 'a*'}", {"tenant": "abc"}, {}),
    ("header: {X-Tenant: 'a*'}", {"tenant": "abc"}, {"tenant": "b"}),
]


@pytest.mark.parametrize(("condition", "meant", "other"), CONDITIONS, ids=lambda one: str(one)[:40])
def test_each_condition_lets_its_requests_in_and_no_others(
    condition: str, meant: dict[str, Json], other: dict[str, Json]
) -> None:
    rule = read(f"[{{when: {{{condition}}}, reply: yes it is}}]").rules[0]

    def asked(members: dict[str, Json]) -> bool:
        more = dict(members)
        text, path, key, tenant = (more.pop(name, None) for name in ("text", "path", "key", "tenant"))
        messages: Json = text if isinstance(text, list) else [{"role": "user", "content": text or "hello"}]
        raw = json.dumps({"model": "gpt-4o", "messages": messages, **more}).encode()
        headers = (("authorization", f"Bearer {key or 'k1'}"), *((("x-tenant", str(tenant)),) if tenant else ()))
        usual = Relays(DOCUMENT, EMPTY).usual
        return rule.when.holds(usual.asked("POST", str(path or "/v1/chat/completions"), headers, raw))

    assert asked(meant)
    assert not asked(other)


def test_a_strict_mock_says_what_was_near_and_why_it_is_not_it() -> None:
    served = relays("[{name: mine, when: {model: gpt-4o, text: bye}, reply: x}]", LIBRARY, strict=True)
    told = error(ask(served, model="mock-chat", temperature=0.5))
    assert told["code"] == "no_recording"
    assert "mine: model is mock-chat, not gpt-4o; text is hello, not bye" in str(told["message"])
    assert "messages differs" in str(told["message"])
    assert ask(served, "hello", ("X-Relay-Strict", "false"), model="mock-chat").status == 200
    assert ask(relays("[]"), "hello", ("X-Relay-Strict", "true"), model="mock-chat").status == 404


def test_a_key_is_told_nowhere() -> None:
    served = relays("[{when: {key: sk-secret-one}, reply: x}]", strict=True)
    told = str(error(ask(served, model="mock-chat"))["message"])
    assert "key is another" in told
    assert "secret" not in told


WRONG = [
    ("{}", "expected a list of rules"),
    ("[1]", "rule 1: expected a rule as an object"),
    ("- {when: {modle: x}, reply: a}", "rule 1: when: 'modle' is unknown; did you mean model?"),
    ("- {reply: a}\n- {replay: a}", "rule 2: 'replay' is unknown; did you mean reply?"),
    ("- {reply: a, status: 400}", "it has reply and status"),
    ("- {when: {model: x}}", "it does nothing"),
    ("- {error: {code: x}, reply: a}", "error needs a status"),
    ("- {status: 200}", "status: expected 400 to 599"),
    ("- {status: 400, error: {kind: x}}", "'kind' is unknown"),
    ("- {reply: 5}", "reply: expected a text, got '5'; numbers and dates need quotes"),
    ("- {reply: a, times: -1}", "times: expected a whole number"),
    ("- {reply: a, times: yes}", "times: expected a whole number"),
    ("- {reply: a, probability: 2}", "probability: expected a number from 0 to 1"),
    ("- {reply: a, when: {stream: 1}}", "when: stream: expected true or false"),
    ("- {reply: a, when: {text: '/(/'}}", "when: text: /(/ is no regular expression"),
    ("- {recording: a, then: stop}", "then: expected last, cycle or miss"),
    ("- {recording: []}", "recording: expected the name of a recording"),
    ("- {faults: [no-such]}", "faults: no fault is named 'no-such'"),
    ("- {latency: {ttft: fast}}", "latency: 'fast' is no time"),
    ("- {latency: {tft: 1}}", "latency: 'tft' is unknown; did you mean ttft?"),
    ('- {headers: {"a:b": c}}', "headers: no header field can say 'a:b'"),
    ("- {tool_calls: {arguments: {}}}", "tool_calls: expected a text"),
    ("- [", "not YAML"),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_mistake_is_told_with_its_place(text: str, told: str) -> None:
    with pytest.raises(ScriptError) as raised:
        read(text, "my.yaml")
    assert str(raised.value).startswith("my.yaml: ")
    assert told in str(raised.value)
    assert "\n" not in str(raised.value)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 600) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["when", "model", "text", "reply", "status", "error", "faults", "latency", "ttft", "headers"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=12,
)


@given(st.lists(VALUES, max_size=3))
def test_whatever_a_file_says_it_is_a_script_or_one_line(value: list[Json]) -> None:
    with suppress(ScriptError):
        ask(Relays(DOCUMENT, EMPTY, Conduct(script=read(yaml.safe_dump(value, allow_unicode=True)))))


def test_a_file_that_is_not_there_or_no_text_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "b.yaml").write_bytes(b"\xff\xfe")
    for name, told in (("a.yaml", "No such file"), ("b.yaml", "not UTF-8")):
        with pytest.raises(ScriptError, match=told):
            load_script(tmp_path / name)


def test_the_example_does_what_it_says() -> None:
    served = Relays(DOCUMENT, LIBRARY, Conduct(script=load_script(ROOT / "docs" / "script.yaml")))
    assert b"Paris" in ask(served, "The weather?", model="mock-chat", tools=[TOOL]).body
    assert said(ask(served, "hello there")) == "Hello! How can I help you today?"
    assert [ask(served, "x", model="gpt-busy").status for _ in range(3)] == [429, 429, 200]
    two: Json = [{"role": "user", "content": "a"}, {"role": "user", "content": "b"}]
    assert ask(served, two, model="gpt-scripted").body == LIBRARY.recordings["llama-server/chat-basic"].body
    cut = [b"[DONE]" in ask(served, "x", model="gpt-shaky", stream=True).body for _ in range(60)]
    assert 0 < cut.count(False) < 20


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        ("{limit: rpm=0}", "rule 1: limit: rpm: expected a number above 0"),
        ("{limit: {rpm: 1, pre: key}}", "limit: 'pre=key' says no limit"),
        ("{limit: []}", "limit: expected its words"),
        ("{outage: {for: 10s, every: 5s}}", "outage: "),
        ("{outage: {for: 10s, as: 404}}", "outage: as: expected 503"),
    ],
)
def test_a_wrong_limit_or_outage_is_told_with_its_place(rule: str, told: str) -> None:
    with pytest.raises(ScriptError, match=re.escape(told)):
        read(f"[{rule}]")


@pytest.mark.parametrize("text", ["[" * 100_000, "[" * 101 + "]" * 101, "{a: " * 101, "- " * 101 + "a"])
def test_a_script_that_is_nested_too_deeply_is_refused_and_ends_no_process(text: str) -> None:
    with pytest.raises(ScriptError, match="nested deeper than 100 levels"):
        read(text)


def test_what_is_told_of_a_script_is_one_line_whatever_it_quotes() -> None:
    text = "- {when: {text: " + json.dumps("/(a\n\n" + "b" * 999 + "/") + "}, reply: x}"
    with pytest.raises(ScriptError) as told:
        read(text)
    assert len(str(told.value).splitlines()) == 1
    assert len(str(told.value)) < 300


@pytest.mark.parametrize("last", ["- *a9", "- {when: {text: *a9}, reply: x}", "- {reply: *a9}", "- &b [*b]"])
def test_aliases_of_aliases_are_refused_at_once(last: str) -> None:
    lines = ["&a0 [lol, lol, lol]", *(f"&a{at} [{', '.join([f'*a{at - 1}'] * 9)}]" for at in range(1, 10))]
    with pytest.raises(ScriptError, match="more than 100000 values"):
        read(f"- [{', '.join(lines)}]\n{last}")
