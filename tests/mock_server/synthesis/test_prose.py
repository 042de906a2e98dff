"""What is said: what the prompt asks for, else text that is long enough."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_server.synthesis import tokens

Body = dict[str, Any]


def say(content: object, model: str = "mock-chat") -> Body:
    return {"model": model, "messages": [{"role": "user", "content": content}]}


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("Count from 1 to 5", "1, 2, 3, 4, 5"),
        ("Please count to three.", "1, 2, 3"),
        ("Count down from 3 to 1", "3, 2, 1"),
        ("从1数到4", "1, 2, 3, 4"),
        ("Repeat exactly: foo bar", "foo bar"),
        ('Echo the text "a b"', "a b"),
        ("Reply with the single word pong.", "pong"),
        ("请回复：你好", "你好"),
    ],
)
def test_easy_wishes_are_met(whole: Callable[[Body], Body], prompt: str, said: str) -> None:
    assert whole(say(prompt))["choices"][0]["message"]["content"] == said


def test_other_prompts_get_enough_text(whole: Callable[[Body], Body]) -> None:
    for prompt in ("Tell me a story", "hi", "", "讲一个故事"):
        assert whole(say(prompt))["usage"]["completion_tokens"] >= 40


def test_words_that_were_asked_for_are_about_that_many(whole: Callable[[Body], Body]) -> None:
    text = whole(say("Write an essay of 400 words"))["choices"][0]["message"]["content"]
    assert 350 <= len(text.split()) <= 600


def test_chinese_is_answered_in_chinese(whole: Callable[[Body], Body]) -> None:
    assert tokens.is_chinese(whole(say("你好吗？"))["choices"][0]["message"]["content"])


def test_a_picture_is_spoken_of(whole: Callable[[Body], Body]) -> None:
    parts = [
        {"type": "text", "text": "What is it?"},
        {"type": "image_url", "image_url": {"url": "https://x.example/a.png"}},
    ]
    assert "picture" in whole(say(parts))["choices"][0]["message"]["content"]


@given(st.text())
def test_tokens_join_to_the_text(text: str) -> None:
    assert "".join(tokens.split(text)) == text


def test_a_chinese_character_is_a_token() -> None:
    assert tokens.split("你好, world 123!") == ("你", "好", ",", " world", " 123", "!")


def test_a_video_ends_in_one_link(whole: Callable[[Body], Body]) -> None:
    choice = whole({**say("a cat", "sora-2"), "max_tokens": 3, "stop": "task"})["choices"][0]
    text = choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    assert text.count(".mp4") == 1
    assert "task_" in text
    assert "sid: s_" in text


def test_an_edit_of_a_video_keeps_its_sid(whole: Callable[[Body], Body]) -> None:
    sid = "s_" + "0a" * 16
    body = say("make it blue", "sora-2")
    body["messages"].insert(0, {"role": "assistant", "content": f"> sid: {sid}"})
    assert f"sid: {sid}" in whole(body)["choices"][0]["message"]["content"]
