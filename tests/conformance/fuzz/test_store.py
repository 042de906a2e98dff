"""Failures on disk: written, read back, asked first, and left out once they are mended."""

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.fuzz.hunt import stored_cases
from conformance.fuzz.store import failures_after, read_failures, write_failures
from conformance.probe import Role
from conformance.rule import Level
from conformance.run import Found, Generated
from conformance.target import ConfigurationError
from openapi.json_text import Json

BODY: Json = {"model": "{model}", "messages": [{"role": "user", "content": "龙\ud83d"}], "max_tokens": 16}
CASE: dict[str, Json] = {"kind": "one", "operation": "createChatCompletion", "role": "chat", "data": {"body": BODY}}
FOUND = Found("chat.answered fuzz.createChatCompletion", Level.MUST, "500", "fuzz.x.1", "fuzz.x.2", 9, CASE)
OTHER = replace(FOUND, identity="chat.stop fuzz.createChatCompletion", flaky=True)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "failures.jsonl"
    assert read_failures(path) == ()
    write_failures(path, [FOUND, OTHER])
    assert read_failures(path) == (FOUND, OTHER)


@pytest.mark.parametrize("text", ["{", "[]\n", '{"identity":1}\n', '{"a":"\xff"}'])
def test_a_file_that_is_none_is_told_in_a_line(tmp_path: Path, text: str) -> None:
    path = tmp_path / "failures.jsonl"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigurationError, match="remove the file, or mend it"):
        read_failures(path)


def test_what_is_mended_is_left_out_and_what_was_found_now_is_last() -> None:
    again = replace(FOUND, text="502")
    assert failures_after([FOUND, OTHER], Generated(1, 1, 0, 0, (again,))) == [OTHER, again]
    assert failures_after([FOUND, OTHER], Generated(1, 1, 0, 0, (), (FOUND.identity,))) == [OTHER]
    assert failures_after([FOUND], Generated(1, 0, 1, 0)) == [FOUND]


def test_a_stored_case_is_held_to_the_bounds_and_to_the_roles_of_today() -> None:
    roles = {Role.CHAT: "m"}
    assert [case.body for case in stored_cases([FOUND], roles)] == [BODY]
    dear: Json = {"model": "m", "messages": [], "max_tokens": 10**6}
    [held] = stored_cases([replace(FOUND, case={**CASE, "data": {"body": dear}})], roles)
    assert isinstance(held.body, dict)
    assert held.body["max_tokens"] == 200
    unknown = [
        replace(FOUND, case=CASE | more) for more in ({"kind": "x"}, {"operation": "x"}, {"role": "x"}, {"data": 5})
    ]
    assert stored_cases(unknown, roles) == []
    assert stored_cases([replace(FOUND, case=CASE | {"role": "messages"})], roles) == []
