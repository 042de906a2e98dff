"""Baselines, dialects and claims on the command line: from a red run to a green build, and back when it is stale."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from conformance.run import Stale
from mock_server.process import running
from tests.system.command import Told, relayproof_, run_of
from tests.system.hostile import reply, said, sends, serving

KEY = "sk-relayproof-test-known-0123"
ONLY = ("--only", "errors.unknown-model-404", "--only", "models.unknown", "--only", "errors.not-200")
TODAY = datetime.now(UTC).date()
LATER = (TODAY + timedelta(days=200)).isoformat()


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def relay() -> Iterator[str]:
    """One that answers an unknown model with 200 and an error, and else as it should."""
    with running("--api-key", KEY, "--speed", "max", "--fault", "models-unknown-200-error") as base:
        yield base


@pytest.fixture
def red(relay: str) -> Path:
    told = relayproof_("check", relay, "--quiet", "--out", "red.jsonl", RELAYPROOF_API_KEY=KEY)
    assert told.code == 1
    return Path("red.jsonl")


def write(run: Path, *more: str, to: str = "known.toml", expires: str = LATER) -> Told:
    return relayproof_("baseline", run, "--to", to, "--reason", "ticket 4711", "--expires", expires, *more)


def test_a_baseline_of_a_run_makes_the_next_check_green_and_says_what_it_excused(relay: str, red: Path) -> None:
    assert write(red, "--owner", "ops").code == 0
    words = ("--baseline", "known.toml", "--strict", "--out", "green.jsonl", "--json", "green.json")
    told = relayproof_("check", relay, "--quiet", *words, RELAYPROOF_API_KEY=KEY)
    assert "2 waived" in told.out
    assert f"waived: ticket 4711 (ops, until {LATER})" in told.out
    run = run_of(Path("green.jsonl"))
    excused = {one.rule: one.waived for one in run.verdicts if one.excused}
    assert set(excused) == {"models.unknown", "errors.not-200"}
    assert json.loads(Path("green.json").read_text(encoding="utf-8"))["known"]["waived"] == 2
    again = relayproof_("judge", "green.jsonl", "--baseline", "known.toml", "--out", "again.jsonl")
    assert {one.rule: one.waived for one in run_of(Path("again.jsonl")).verdicts if one.excused} == excused
    assert relayproof_("judge", "green.jsonl").code == 1
    assert "waived" in again.out


def test_a_baseline_is_the_same_each_time_and_added_to_without_touching_what_is_there(red: Path) -> None:
    assert write(red).out == "known.toml: 2 failures of 2 rules added, 0 were there\n"
    first = Path("known.toml").read_text(encoding="utf-8")
    write(red, to="other.toml")
    assert Path("other.toml").read_text(encoding="utf-8") == first.replace("known.toml", "other.toml")
    mine = first.replace("[[waiver]]", "# ours, do not touch\n[[waiver]]", 1).partition("\n\n[[waiver]]")[0]
    Path("known.toml").write_text(mine, encoding="utf-8")
    assert write(red).out == "known.toml: 1 failures of 1 rules added, 1 were there\n"
    added = Path("known.toml").read_text(encoding="utf-8")
    assert added.startswith(mine)
    assert write(red).out == "known.toml: 0 failures of 0 rules added, 2 were there\n"
    assert Path("known.toml").read_text(encoding="utf-8") == added


def test_a_stale_baseline_is_told_and_wrong_use_where_it_is_strict(red: Path) -> None:
    write(red, expires=(TODAY + timedelta(days=3)).isoformat())
    more = '\n[[waiver]]\nrule = "sse.jsonn"\nreason = "misspelt"\nexpires = "never"\n'
    path = Path("known.toml")
    path.write_text(path.read_text(encoding="utf-8") + more, encoding="utf-8")
    relayproof_("judge", red, "--baseline", path, "--out", "a.jsonl", "--junit", "a.xml", "--markdown", "a.md")
    notes = run_of(Path("a.jsonl")).footer
    assert notes
    assert [note.kind for note in notes.notes] == [Stale.EXPIRES_SOON, Stale.EXPIRES_SOON, Stale.UNUSED]
    assert "unused: sse.jsonn" in Path("a.md").read_text(encoding="utf-8")
    assert "baseline.unused" in Path("a.xml").read_text(encoding="utf-8")
    strict = relayproof_("judge", red, "--baseline", path, "--strict")
    assert "2 waived (2 expire within 3 days)" in strict.out
    assert "unused: sse.jsonn" in strict.out


def test_strict_ends_with_2_where_a_green_run_has_a_stale_baseline() -> None:
    with serving(sends(said(200, reply()))) as server:
        one = ("--model", "m", "--only", "chat.schema", "--only", "chat.whole", "--quiet", "--out", "good.jsonl")
        relayproof_("check", server.url, *one)
    line = '[[waiver]]\nrule = "chat.schema"\nreason = "old"\nexpires = 2001-01-01\n'
    Path("old.toml").write_text(line, encoding="utf-8")
    before, after = (
        relayproof_("judge", "good.jsonl", "--baseline", "old.toml", *strict) for strict in ((), ("--strict",))
    )
    assert relayproof_("judge", "good.jsonl", "--strict").code == 0
    assert (before.code, after.code) == (0, 2)
    assert "expired: chat.schema" in after.out


def test_a_dialect_excuses_habits(relay: str, red: Path) -> None:
    told = relayproof_("judge", red, "--dialect", "new-api", "--dialect", "new-api")
    assert "2 of dialect new-api" in told.out
    assert told.code != 1
    several = relayproof_("judge", red, "--dialect", "litellm", "--dialect", "new-api")
    assert "2 of dialect litellm, new-api" in several.out
    checked = relayproof_("check", relay, *ONLY, "--quiet", "--dialect", "new-api", RELAYPROOF_API_KEY=KEY)
    assert checked.code == 0
    assert "dialect: ND-200-ERROR-MODEL: " in checked.out


def test_claims_of_a_target_are_held_against_it() -> None:
    for claims, code in ((["n"], 1), (["stop"], 0)):
        Path("t.toml").write_text(f"claims = {json.dumps(claims)}\n[models]\nchat = 'mock-chat'\n", encoding="utf-8")
        with running("--api-key", KEY, "--speed", "max", "--fault", "claim-n-refused") as base:
            told = relayproof_(
                "check", base, "--target", "t.toml", "--only", "claims", "--quiet", RELAYPROOF_API_KEY=KEY
            )
        assert told.code == code, told.text
        assert ("claims.kept" in told.out) == (code == 1)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("claims = ['tool']", "claims tool, which no probe needs; there are"),
        ("claims = [3]", "claims holds 3; it is a list of names"),
        ("claims = 'n'", "claims = 'n' is not understood"),
        ("claims = ['n']\nunsupported = ['n']", "n stands in claims and in unsupported"),
        ("unsupported = [[]]", "unsupported holds []"),
        ("notes = " + "[" * 5000, "is no TOML"),
    ],
)
def test_claims_that_are_not_understood_are_refused(text: str, says: str) -> None:
    Path("t.toml").write_text(text, encoding="utf-8")
    told = relayproof_("check", "http://127.0.0.1:1", "--model", "m", "--target", "t.toml")
    assert (told.code, told.out) == (2, "")
    assert says in told.line


@pytest.mark.parametrize("command", ["check", "judge"])
@pytest.mark.parametrize(
    ("option", "content", "says"),
    [
        ("--baseline", b"[[waiver]]\nrule = 'x'\n", "waiver 1: reason is missing"),
        ("--baseline", b"\xff", "cannot be read"),
        ("--baseline", b"#" * 2_000_000, "is too large"),
        ("--baseline", None, "cannot be read"),
        ("--dialect", b"habit = 3", "habit is not understood"),
        ("--dialect", b"\xff", "cannot be read"),
        ("--dialect", None, "cannot be read"),
    ],
)
def test_a_file_that_is_not_understood_is_2_and_one_line(
    command: str, option: str, content: bytes | None, says: str
) -> None:
    if content is not None:
        Path("bad.toml").write_bytes(content)
    Path("run.jsonl").write_text("", encoding="utf-8")
    told = relayproof_(command, "http://127.0.0.1:1" if command == "check" else "run.jsonl", option, "bad.toml")
    assert (told.code, told.out) == (2, "")
    assert says in told.line
    assert told.line.startswith("relayproof: the ")


def test_an_unknown_dialect_is_2_with_those_that_there_are() -> None:
    told = relayproof_("check", "http://127.0.0.1:1", "--dialect", "new_api")
    assert told.code == 2
    assert "no dialect 'new_api'; there are litellm, llama-server, new-api" in told.line


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["none.jsonl", "--to", "b.toml", "--reason", "x", "--expires", "never"], "none.jsonl"),
        (["empty.jsonl", "--to", "b.toml", "--reason", "x", "--expires", "never"], "cannot be read as a run"),
        (["empty.jsonl", "--to", "b.toml", "--reason", "x"], "--expires"),
        (["empty.jsonl", "--to", "b.toml", "--reason", "x", "--expires", "soon"], "is no date like 2027-03-31"),
        (["empty.jsonl", "--to", "b.toml", "--reason", "x", "--expires", "2001-01-01"], "2001-01-01 is over"),
        (["empty.jsonl", "--to", "b.toml", "--expires", "never"], "--reason"),
        (["empty.jsonl", "--reason", "x", "--expires", "never"], "--to"),
    ],
)
def test_a_baseline_that_cannot_be_written_is_2_and_one_line(words: list[str], says: str) -> None:
    Path("empty.jsonl").write_text("", encoding="utf-8")
    told = relayproof_("baseline", *words)
    assert (told.code, told.out) == (2, "")
    assert says in told.line


def test_a_baseline_that_is_there_and_wrong_is_left_as_it_is(red: Path) -> None:
    Path("known.toml").write_text("waiver = 5\n", encoding="utf-8")
    told = write(red)
    assert (told.code, told.out) == (2, "")
    assert "waiver is not understood" in told.line
    assert Path("known.toml").read_text(encoding="utf-8") == "waiver = 5\n"
    assert write(red, to="red.jsonl/x.toml").code == 2
    assert write(red, "--owner", " ", to="blank.toml").code == 2
