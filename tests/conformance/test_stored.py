"""A run is read from its file, packed or not, and what is no run is told in a line."""

import gzip
from pathlib import Path

import pytest

from conformance import stored
from conformance.run import lines_of
from conformance.stored import stored_run
from conformance.target import ConfigurationError
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
