"""A run is read from its file, packed or not, and what is no run is told in a line."""

import gzip
from dataclasses import replace
from pathlib import Path

import pytest

from conformance import stored
from conformance.extend import load
from conformance.fuzz.case import Case
from conformance.fuzz.hunt import Hunt
from conformance.fuzz.store import read_failures
from conformance.known import Known
from conformance.probe import Role
from conformance.probes.chat import ask
from conformance.run import Header, Run, Short, lines_of
from conformance.stored import stored_run, storing
from conformance.target import ConfigurationError
from tests.conformance.exchanges import role, stream, text
from tests.conformance.report.made import small_run

TEXT = "".join(f"{line}\n" for line in lines_of(small_run())).encode()


def test_packed_and_unpacked_are_the_same_run(tmp_path: Path) -> None:
    plain, packed = tmp_path / "r.jsonl", tmp_path / "r.jsonl.gz"
    plain.write_bytes(TEXT)
    packed.write_bytes(gzip.compress(TEXT, mtime=0))
    assert stored_run(plain).verdicts == stored_run(packed).verdicts == small_run().verdicts


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("r.jsonl", b"hello\n"),
        ("r.jsonl", b"\xff"),
        ("r.jsonl.gz", b"hello\n"),
        ("r.jsonl.gz", gzip.compress(TEXT, mtime=0)[:-20]),
        ("r.jsonl.gz", gzip.compress(TEXT, mtime=0)[:30] + b"xx" + gzip.compress(TEXT, mtime=0)[32:]),
        ("r.jsonl.gz", gzip.compress(b"\xff", mtime=0)),
        ("r.jsonl.gz", b""),
    ],
)
def test_what_is_no_run_is_told(tmp_path: Path, name: str, data: bytes) -> None:
    (tmp_path / name).write_bytes(data)
    with pytest.raises(ConfigurationError, match="cannot be read as a run") as caught:
        stored_run(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_a_bomb_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stored, "MOST", 100)
    (tmp_path / "r.jsonl.gz").write_bytes(gzip.compress(TEXT, mtime=0))
    with pytest.raises(ConfigurationError, match="more than 100 bytes"):
        stored_run(tmp_path / "r.jsonl.gz")


HEADER = Header({"name": "m"}, "sha256:0", "0.1", 7, "2026-01-01T00:00:00Z", {"probes": 9, "generated": 3})
CASE = Case("one", "createChatCompletion", Role.CHAT, {"body": ask("Say hello.", 16, stream=True)})


@pytest.mark.parametrize("ends", [KeyboardInterrupt, SystemExit, RuntimeError])
def test_what_failed_before_a_check_was_stopped_is_stored(tmp_path: Path, ends: type[BaseException]) -> None:
    out, failures = tmp_path / "r.jsonl", tmp_path / "failures.jsonl"
    cut = replace(stream(role(), text()), id="e158", probe=CASE.name)
    out.write_text("".join(f"{line}\n" for line in lines_of(Run(HEADER, (cut,), ()))), encoding="utf-8")
    hunt = Hunt({CASE.name: CASE}, (), {Role.CHAT: "m"})
    with pytest.raises(ends), storing(out, hunt, failures, Known(), load(())):
        raise ends
    found = {one.identity: one for one in read_failures(failures)}
    one = found["chat.stream.done fuzz.createChatCompletion"]
    assert (one.case, one.flaky, one.short) == (CASE.record(), None, Short.END)


def test_a_check_that_wrote_no_run_stores_nothing_and_hides_no_error(tmp_path: Path) -> None:
    for hunt in (None, Hunt({})):
        with pytest.raises(ZeroDivisionError), storing(tmp_path / "r.jsonl", hunt, tmp_path / "f", Known(), load(())):
            raise ZeroDivisionError
        assert not (tmp_path / "f").exists()
