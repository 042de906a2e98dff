"""What a request looks like in tokens, and what its answer says that it cost."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server import synthesis
from mock_server.answer import Answer, Asked, Frame
from mock_server.cost import estimated, told
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Headers

STREAM: Headers = (("content-type", "text/event-stream"),)
WHOLE: Headers = (("content-type", "application/json"),)


def said(headers: Headers, body: str, status: int = 200) -> int | None:
    return told(Answer(status, headers, (Frame(0.0, body.encode()),)))


def test_the_prompt_and_the_most_that_may_be_answered() -> None:
    hello: dict[str, Json] = {"messages": [{"role": "user", "content": "Hello there"}]}
    assert estimated(hello) == 5
    assert estimated({**hello, "max_tokens": 10}) == 15
    assert estimated({**hello, "max_completion_tokens": 10, "n": 3}) == 35
    assert estimated({"input": ["a b", "c"]}) == 3
    assert estimated({"prompt": [1, 2, 3]}) == 3
    picture: Json = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}
    assert estimated({"messages": [{"role": "user", "content": [picture]}]}) == 3
    assert estimated({}) == 1


def nested(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    names = st.sampled_from(["content", "text", "n", "role"])
    return st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3)


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5), nested)


@given(st.dictionaries(st.sampled_from(["messages", "prompt", "input", "n", "max_tokens", "tools"]), JSON))
def test_no_body_is_too_odd(body: dict[str, Json]) -> None:
    assert estimated(body) >= 1


def test_the_usage_of_an_answer() -> None:
    assert said(WHOLE, '{"usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}}') == 7
    assert said(WHOLE, '{"usage": {"input_tokens": 3, "output_tokens": 4}}') == 7
    assert said(WHOLE, '{"usage": null}') is None
    assert said(WHOLE, 'not JSON with "usage"') is None
    assert said(WHOLE, '{"error": {}}', 429) == 0
    assert said(STREAM, 'data: {"usage": null}\n\ndata: {"usage": {"total_tokens": 9}}\n\ndata: [DONE]\n\n') == 9
    assert said(STREAM, "data: {}\n\n") is None
    begins = 'data: {"type": "message_start", "message": {"usage": {"input_tokens": 5, "output_tokens": 1}}}\n\n'
    ends = 'data: {"type": "message_delta", "usage": {"output_tokens": 8}}\n\n'
    assert said(STREAM, begins + ends) == 13
    assert said(STREAM, 'data: {"response": {"usage": {"input_tokens": 1, "output_tokens": 2}}}\n\n') == 3


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("operation", ["createChatCompletion", "createCompletion", "createMessage", "createEmbedding"])
def test_what_the_mock_makes_up_tells_what_it_cost(operation: str, *, streamed: bool) -> None:
    hello: Json = [{"role": "user", "content": "Hello"}]
    body: dict[str, Json] = {"model": "mock-chat", "messages": hello, "prompt": "Hello", "input": "Hello"}
    body |= {"max_tokens": 9, "stream": streamed, "stream_options": {"include_usage": True}}
    asked = Asked("POST", "/", operation, (), b"", body, Auth.VALID)
    assert 1 <= (told(synthesis.answer(asked, now=1)) or 0) <= 9 + 9
