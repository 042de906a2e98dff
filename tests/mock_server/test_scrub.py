"""What looks like a secret in a file is told by its place and kind, and taken out."""

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from mock_server.library import RECORDINGS
from mock_server.scrub import found_in, scrub, scrubbed
from openapi.wire.jsonl import read_recording
from openapi.wire.redaction import mark
from openapi.wire.secrets import NOBODYS

KEY = "sk-planted-0123456789abcdef"
SECRETS = {
    "an API key": KEY,
    "a Google key": "AIza" + "a" * 35,
    "an AWS key": "AKIA0123456789ABCDEF",
    "a GitHub token": "ghp_" + "a" * 36,
    "a JSON web token": "eyJhbGciOiJI.eyJzdWIiOiIx.SflKxwRJSMeK",
    "a bearer's token": "Bearer abcdef0123456789abcdef",
}


@pytest.mark.parametrize("kind", SECRETS)
def test_each_kind_is_found_and_taken_out(kind: str) -> None:
    text = f'{{"a": 1}}\n{{"text": "said {SECRETS[kind]} then"}}\n'
    assert {(one.line, one.kind) for one in found_in(text)} >= {(2, kind)}
    clean = scrubbed(text)
    assert SECRETS[kind].split()[-1] not in clean
    assert list(found_in(clean)) == []
    assert clean.startswith('{"a": 1}\n')


def test_headers_that_hold_secrets_are_known_by_their_names() -> None:
    line = '{"response": {"headers": [["Set-Cookie", "s=short1"], ["X-RateLimit-Limit-Tokens", "100000"]]}}'
    assert [one.kind for one in found_in(line)] == ["the header Set-Cookie"]
    assert "short1" not in scrubbed(line)
    assert "100000" in scrubbed(line)


def test_a_pair_is_a_header_only_among_headers() -> None:
    line = '{"told": [["authorization", "it was not asked for"]], "response": {"headers": [["x-api-key", "abcd1234"]]}}'
    assert [one.kind for one in found_in(line)] == ["the header x-api-key"]
    assert "it was not asked for" in scrubbed(line)


def test_what_a_probe_presents_as_nobody_is_no_secret_and_any_other_is() -> None:
    line = '{{"headers": [["authorization", "{}"]]}}'
    assert list(found_in(line.format(NOBODYS))) == []
    assert [one.kind for one in found_in(line.format("Basic cmVhbDpvbmU="))] == ["the header authorization"]


def test_marks_are_no_secrets() -> None:
    assert list(found_in(f'{{"headers": [["authorization", "Bearer {mark(30)}"]]}}')) == []


def test_the_recordings_of_the_tree_are_clean() -> None:
    result = CliRunner().invoke(scrub, ["--check", str(RECORDINGS)])
    assert (result.exit_code, result.output) == (0, "")


@given(st.text(max_size=60))
def test_what_was_scrubbed_is_clean(text: str) -> None:
    assert list(found_in(scrubbed(f"{text} {KEY} {text}"))) == []


def test_a_recording_is_still_one_and_as_long(tmp_path: Path) -> None:
    source = (RECORDINGS / "litellm" / "chat-stream.jsonl").read_text(encoding="utf-8")
    before = read_recording(source, "x").exchange
    planted = source.replace('{"end"', f'[9.0,": {KEY}\\n\\n"]\n{{"end"')
    (tmp_path / "one.jsonl").write_text(planted, encoding="utf-8")
    runner = CliRunner()
    told = runner.invoke(scrub, ["--check", str(tmp_path)])
    assert (told.exit_code, KEY in told.output, "an API key" in told.output) == (1, False, True)
    assert runner.invoke(scrub, [str(tmp_path)]).exit_code == 0
    assert runner.invoke(scrub, ["--check", str(tmp_path)]).exit_code == 0
    after = read_recording((tmp_path / "one.jsonl").read_text(encoding="utf-8"), "x").exchange
    assert len(after.body) == len(before.body) + len(KEY) + 4


def test_what_cannot_be_read_is_wrong_use(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_bytes(b"\xff")
    for arguments in ([str(tmp_path)], [], [str(tmp_path / "nowhere")]):
        assert CliRunner().invoke(scrub, arguments).exit_code == 2
