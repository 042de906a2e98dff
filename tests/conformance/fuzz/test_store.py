"""Failures on disk: written, read back, asked first, and left out once they are mended."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.fuzz.hunt import readable
from conformance.fuzz.store import failures_after, read_failures, write_failures
from conformance.probe import Role
from conformance.rule import Level
from conformance.run import Found, Generated
from conformance.target import ConfigurationError
from openapi import document
from openapi.json_text import Json
from openapi.wire.jsonl import dump

BODY: Json = {"model": "{model}", "messages": [{"role": "user", "content": "龙\ud83d"}], "max_tokens": 16}
CASE: dict[str, Json] = {"kind": "one", "operation": "createChatCompletion", "role": "chat", "data": {"body": BODY}}
FOUND = Found("chat.answered fuzz.createChatCompletion", Level.MUST, "500", "fuzz.x.1", "fuzz.x.2", 9, CASE)
OTHER = replace(FOUND, identity="chat.stop fuzz.createChatCompletion", flaky=True)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "failures.jsonl"
    assert read_failures(path) == ()
    write_failures(path, [FOUND, OTHER])
    assert read_failures(path) == (FOUND, OTHER)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line 2: not JSON: Expecting property name enclosed in double quotes at character 1"),
        ("[]\n", "line 2: it is no object"),
        ('{"identity":1}\n', "line 2: it has no 'level'"),
        ('{"a":"\xff"}', "line 2: not UTF-8 at byte 6"),
        (dump(FOUND.record() | {"level": "x"}), "line 2: 'x' is not a valid Level"),
        (dump(FOUND.record() | {"tries": "x"}), "line 2: a whole number, not 'x'"),
    ],
    ids=str,
)
def test_a_file_that_is_none_is_told_by_its_line_and_what_is_wrong(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "failures.jsonl"
    path.write_bytes(f"{dump(FOUND.record())}\n{text}".encode("latin-1"))
    with pytest.raises(ConfigurationError) as error:
        read_failures(path)
    assert str(error.value) == f"the failures in {path} cannot be read ({told}): remove the file, or mend it"


def test_what_is_mended_is_left_out_and_what_was_found_now_is_last() -> None:
    again = replace(FOUND, text="502")
    assert failures_after([FOUND, OTHER], Generated(1, 1, 0, 0, (again,))) == [OTHER, again]
    assert failures_after([FOUND, OTHER], Generated(1, 1, 0, 0, (), (FOUND.identity,))) == [OTHER]
    assert failures_after([FOUND], Generated(1, 0, 1, 0)) == [FOUND]


def test_a_stored_case_is_held_to_the_bounds_and_to_the_roles_of_today() -> None:
    roles = {Role.CHAT: "m"}
    cases, unasked = readable([FOUND], roles)
    assert ([case.body for case in cases.values()], unasked) == ([BODY], {})
    dear: Json = {"model": "m", "messages": [], "max_tokens": 10**6}
    [held] = readable([replace(FOUND, case={**CASE, "data": {"body": dear}})], roles)[0].values()
    assert isinstance(held.body, dict)
    assert held.body["max_tokens"] == 200


EVERY = [one.id for one in document.load().operations]
TOOLED: Json = {"body": {**BODY, "tools": [{"type": "function", "function": {"name": "f"}}]}}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"kind": "x"}, "this version cannot ask it: no case of kind 'x'"),
        ({"operation": "x"}, f"this version cannot ask it: no operation 'x'; there are {', '.join(sorted(EVERY))}"),
        ({"role": "x"}, "this version cannot ask it: 'x' is not a valid Role"),
        ({"data": 5}, "this version cannot ask it: no case of kind 'one'"),
        ({"role": "messages"}, "no model is named for messages"),
        ({"data": TOOLED}, "no model is named for tools"),
        ({"kind": "talk", "data": {"body": BODY, "moves": [{"move": "fly"}]}}, "it is no such request as is drawn"),
        ({"data": {"body": {**BODY, "max_tokens": 0}}}, "it is no such request as is drawn"),  # type: ignore[dict-item]
    ],
    ids=str,
)
def test_of_a_stored_case_that_cannot_be_asked_it_is_told_why(more: dict[str, Json], why: str) -> None:
    assert readable([replace(FOUND, case=CASE | more)], {Role.CHAT: "m"}) == ({}, {FOUND.identity: why})
