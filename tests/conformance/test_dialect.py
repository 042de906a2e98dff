"""Dialects: each habit is known from somewhere, excuses what it names, and nothing beside it."""

import tomllib
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from conformance.dialect import MAX_PATTERN, Dialect, Habit, parse_dialect, read_dialect
from conformance.judge import judge
from conformance.known import Known
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from tests.conformance.exchanges import (
    DONE,
    WEATHER,
    chat_body,
    chunk,
    counted,
    failure,
    finish,
    got,
    head,
    request,
    role,
    stream,
    text,
)

NAMES = sorted(file.name[:-5] for file in (files("conformance") / "dialects").iterdir() if file.name.endswith(".toml"))
DIALECTS = {name: read_dialect(name) for name in NAMES}
HABITS = [(name, habit) for name, dialect in DIALECTS.items() for habit in dialect.habits]
GOOD = '[[habit]]\nlabel = "X-A"\nrules = ["usage.sum"]\nmeans = "m"\nsource = "s"\n'


def test_there_are_three() -> None:
    assert NAMES == ["litellm", "llama-server", "new-api"]


@pytest.mark.parametrize(("name", "habit"), HABITS, ids=[f"{name} {habit.label}" for name, habit in HABITS])
def test_each_habit_is_of_rules_that_there_are_and_says_how_it_looks(name: str, habit: Habit) -> None:
    assert habit.rules <= set(BOOK)
    assert habit.beside <= set(BOOK)
    assert habit.text.pattern
    assert habit.means.endswith(".")
    assert habit.label.startswith({"litellm": "LL-", "llama-server": "LS-", "new-api": "ND-"}[name])


def test_a_habit_beside_another_is_told_by_its_own_label() -> None:
    for name, habit in HABITS:
        if habit.beside:
            alone = [one for one in DIALECTS[name].habits if one.label == habit.label and not one.beside]
            assert habit.beside <= {rule for one in alone for rule in one.rules}, habit.label


def test_a_label_means_one_thing() -> None:
    meanings = {(name, habit.label, habit.means) for name, habit in HABITS}
    assert len(meanings) == len({(name, habit.label) for name, habit in HABITS})


# --- what they excuse -----------------------------------------------------------------------------------------------


def left(exchange: Exchange, name: str, probe: str | None = None) -> tuple[dict[str, str], set[str]]:
    """The labels of what a dialect excuses, by rule, and the rules that weigh and it does not excuse."""
    verdicts = Known(dialects=(DIALECTS[name],)).over(judge([replace(exchange, probe=probe)], BOOK))
    failed = [one for one in verdicts if one.outcome is Outcome.FAIL and one.level is not Level.MAY]
    excused = {one.rule: one.dialect.partition(":")[0] for one in failed if one.dialect is not None}
    return excused, {one.rule for one in failed if one.dialect is None}


BACKSLASHED = b"data: [DONE]\\n\\n"
LIMITED = (("content-type", "text/plain"),)
NO_MESSAGES = request({"model": "m"})
UNKNOWN = request(chat_body(model="no-such-model"))


def called(index: int, **more: Any) -> Exchange:
    """A stream in which one call has that index."""
    fragment = head(index=index, **more)
    return stream(role(), fragment, finish("tool_calls"), DONE, tools=[WEATHER], tool_choice="required")


def shouted(*more: str | bytes) -> Exchange:
    return stream(role(), text(), finish("STOP"), *(more or (DONE,)))


def renamed(**more: object) -> dict[str, object]:
    return {**text(), "id": "another", **more}


@pytest.mark.parametrize(
    ("name", "exchange", "probe", "excused"),
    [
        ("new-api", got(500, failure(), to=NO_MESSAGES), None,
         {"errors.missing-messages": "ND-500-VALIDATION", "errors.mistake-class": "ND-500-VALIDATION"}),
        ("new-api", got(503, failure(f"No available channel for model {UNKNOWN.object['model']}"), to=UNKNOWN), None,
         {"errors.unknown-model-404": "ND-503-MODEL"}),
        (
            "new-api",
            got(200, failure(), to=request(method="GET", path="/v1/models/no-such-model")),
            None,
            {"models.unknown": "ND-200-ERROR-MODEL", "errors.not-200": "ND-200-ERROR-MODEL"},
        ),
        (
            "new-api",
            stream(role(), text(), finish(), counted(), DONE),
            None,
            {"chat.stream.usage-unasked": "ND-USAGE-UNASKED"},
        ),
        (
            "new-api",
            stream(role(), text(), {**finish(), "usage": {"prompt_tokens": 0}}, DONE),
            "video.create",
            {"chat.stream.usage-unasked": "ND-USAGE-EVERY-CHUNK"},
        ),
        ("new-api", stream(role(), text(), DONE), None, {"chat.stream.finish-once": "ND-DONE-AFTER-TRUNC"}),
        (
            "new-api",
            stream(role(), text(), counted(), DONE, stream_options={"include_usage": True}),
            None,
            {"chat.stream.finish-once": "ND-DONE-AFTER-TRUNC", "chat.stream.usage-asked": "ND-DONE-AFTER-TRUNC"},
        ),
        (
            "new-api",
            called(1, function={"name": "get_weather", "arguments": "{}"}),
            None,
            {"tools.index": "ND-TOOL-INDEX-OFFSET"},
        ),
        (
            "new-api",
            got(429, b"", headers=LIMITED, kind=None),
            None,
            {"errors.content-type": "ND-429-EMPTY", "errors.envelope": "ND-429-EMPTY"},
        ),
        ("new-api", stream(role(), renamed(), finish(), DONE), "video.create", {"chat.stream.id": "ND-ID-CHANGES"}),
        ("new-api", shouted(), "video.create", {"chat.stream.finish-reason": "ND-STOP-UPPER"}),
        (
            "new-api",
            stream(role(), text(), finish(), BACKSLASHED),
            "video.create",
            {"sse.last-blank": "ND-LITERAL-BACKSLASH-DONE", "chat.stream.done": "ND-LITERAL-BACKSLASH-DONE"},
        ),
        (
            "new-api",
            got(400, {"error": {"message": "m", "type": "t", "code": 7}}),
            None,
            {"errors.envelope-members": "ND-ERROR-RELAXED"},
        ),
    ],
    ids=lambda value: ",".join(sorted(set(value.values()))) if isinstance(value, dict) else None,
)  # fmt: skip
def test_a_habit_is_excused(name: str, exchange: Exchange, probe: str | None, excused: dict[str, str]) -> None:
    assert left(exchange, name, probe) == (excused, set())


@pytest.mark.parametrize(
    ("name", "exchange", "probe", "rule"),
    [
        ("new-api", got(200, {"id": "x"}, to=NO_MESSAGES), None, "errors.missing-messages"),
        ("new-api", got(500, failure(), to=request(b"{")), None, "errors.bad-json"),
        ("new-api", got(500, failure(), to=request(b"{")), None, "errors.mistake-class"),
        ("new-api", got(500, failure(), to=UNKNOWN), None, "errors.unknown-model-404"),
        ("new-api", got(200, failure()), None, "errors.not-200"),
        ("new-api", stream(role(), renamed(), finish(), DONE), "chat.stream", "chat.stream.id"),
        ("new-api", stream(role(), renamed(), finish(), DONE), None, "chat.stream.id"),
        ("new-api", stream(role(), text(), {**finish(), "id": ""}, DONE), "video.create", "chat.stream.id"),
        ("new-api", shouted(), "chat.stream", "chat.stream.finish-reason"),
        ("new-api", stream(role(), text(), finish("FINISHED"), DONE), "video.create", "chat.stream.finish-reason"),
        ("new-api", stream(role(), text(), finish()), "video.create", "chat.stream.done"),
        ("new-api", stream(role(), text(), finish(), b"data: [DONE]"), "video.create", "sse.last-blank"),
        ("new-api", stream(role(), text(), finish(), finish(), DONE), None, "chat.stream.finish-once"),
        (
            "new-api",
            stream(role(), counted(), text(), finish(), DONE, stream_options={"include_usage": True}),
            None,
            "chat.stream.usage-asked",
        ),
        (
            "new-api",
            called(5),
            None,
            "tools.index",
        ),
        ("new-api", got(429, b"<html>", kind="text/html"), None, "errors.content-type"),
        ("new-api", got(400, b""), None, "errors.envelope"),
        ("new-api", got(400, {"error": {"message": "m", "type": "t", "param": 3, "code": None}}), None,
         "errors.envelope-members"),
        ("new-api", got(400, {"error": {"message": "m", "type": "t", "param": None}}), None, "errors.envelope-members"),
        ("llama-server", stream(role(), chunk(created=1.7e12), finish(), DONE), None, "chat.stream.created"),
        ("llama-server", got(400, {"error": {"message": "m", "type": "t", "param": None, "code": 7}}), None,
         "errors.envelope-members"),
        ("litellm", stream(role(), text(), DONE), None, "chat.stream.finish-once"),
        ("litellm", stream(text(), finish(), DONE), None, "chat.stream.role-first"),
        ("litellm", got(404, b"<html>", kind="text/html"), None, "errors.envelope"),
        ("litellm", got(500, {"detail": "x"}), None, "errors.envelope"),
    ],
)  # fmt: skip
def test_what_is_not_the_habit_still_fails(name: str, exchange: Exchange, probe: str | None, rule: str) -> None:
    excused, weighty = left(exchange, name, probe)
    assert rule in weighty
    assert rule not in excused


def test_strict_judging_knows_no_dialect() -> None:
    one = Verdict("errors.unknown-model-404", Level.SHOULD, Outcome.FAIL, None, ("e1",), (Finding("expected 404"),))
    assert Known().over([one]) == [one]


# --- files ----------------------------------------------------------------------------------------------------------


def test_a_dialect_of_a_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(
        'about = "ours"\n' + GOOD + 'where = ["chat.*"]\ntext = "^a"\nbeside = ["sse.json"]\n', encoding="utf-8"
    )
    found = read_dialect(str(path))
    assert isinstance(found, Dialect)
    (habit,) = found.habits
    assert (found.name, found.about, habit.said) == ("mine", "ours", "X-A: m")
    assert (habit.where, habit.text.pattern, habit.beside) == (
        ("chat.*",),
        "^a",
        frozenset({"sse.json"}),
    )


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "habit is not understood"),
        ("habit = 3", "habit is not understood"),
        ("habit = [3]", "habit 1: 3 is not understood; there are label, rules,"),
        (GOOD + "[x]", "x is not understood; there are about, a text, and"),
        ("about = 3\n" + GOOD, "about is not understood"),
        (GOOD + "fault = 'x'", "'fault' is not understood"),
        (GOOD.replace('"X-A"', "3"), "label = 3 is no text"),
        (GOOD.replace('means = "m"\n', ""), "means is missing"),
        (GOOD.replace('rules = ["usage.sum"]\n', ""), "rules is missing"),
        (GOOD.replace('["usage.sum"]', '"usage.sum"'), "rules = 'usage.sum' is no list of names"),
        (GOOD.replace('["usage.sum"]', "[]"), "rules = [] is no list of names"),
        (GOOD.replace('["usage.sum"]', "[3]"), "rules = [3] is no list of names"),
        (GOOD + "where = 'x'", "where = 'x' is no list of names"),
        (GOOD + "beside = 3", "beside = 3 is no list of names"),
        (GOOD + "text = '('", "text = '(' is no regular expression: "),
        (GOOD + "text = 3", "text = 3 is no regular expression"),
        (GOOD + f"text = '{'x' * (MAX_PATTERN + 1)}'", "of at most 300 characters"),
        (GOOD + "text = 'a{99999999999}'", "is no regular expression"),
        (GOOD + GOOD, "the habit 'X-A' stands twice"),
        ("[[habit", "is no TOML"),
    ],
)
def test_what_is_not_understood_is_refused(text: str, says: str) -> None:
    with pytest.raises(Exception, match="dialect") as caught:
        parse_dialect(text, "d")
    assert type(caught.value).__name__ == "ConfigurationError"
    assert says in str(caught.value)


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(Exception, match="no dialect 'newapi'; there are litellm, llama-server, new-api"):
        read_dialect("newapi")
    with pytest.raises(Exception, match=r"no dialect '\.\./targets/apistudio'"):
        read_dialect("../targets/apistudio")


def test_the_files_are_part_of_the_package() -> None:
    packaged = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))
    assert "conformance" in packaged["tool"]["hatch"]["build"]["targets"]["wheel"]["only-include"]
