"""`relayproof record` against a live relay: each answer becomes a recording that is served and judged again."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_server.process import running
from openapi.wire.jsonl import read_recording
from tests.system.command import relayproof_

KEY = "sk-planted-0123456789abcdef"


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with running("--speed", "max", "--api-key", KEY) as base:
        yield base


def test_probes_of_an_operation_become_recordings(url: str, tmp_path: Path) -> None:
    only = ("--only", "listModels", "--only", "chat.stream")
    done = relayproof_("record", url, "--model", "mock-chat", *only, "--to", tmp_path, RELAYPROOF_API_KEY=KEY)
    assert done.code == 0, done.err
    names = {path.stem for path in tmp_path.glob("*.jsonl")}
    assert {"models.list", "chat.stream"} <= names
    assert not any(name.startswith("errors") and "models" not in name for name in names)
    text = "".join(path.read_text(encoding="utf-8") for path in tmp_path.iterdir())
    assert KEY not in text
    stream = read_recording((tmp_path / "chat.stream.jsonl").read_text(encoding="utf-8"), "x").exchange
    assert (stream.status, stream.is_stream, bool(stream.chunks)) == (200, True, True)
    judged = relayproof_("judge", str(tmp_path / "chat.stream.jsonl"))
    assert judged.code == 0, judged.out
    with running("--recordings", str(tmp_path), "--speed", "max"):
        pass


def test_a_dry_run_sends_nothing(tmp_path: Path) -> None:
    done = relayproof_(
        "record",
        "http://127.0.0.1:9",
        "--model",
        "m",
        "--only",
        "chat.stream",
        "--dry-run",
        "--to",
        str(tmp_path / "x"),
    )
    assert (done.code, "nothing was sent" in done.out, (tmp_path / "x").exists()) == (0, True, False)


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["http://127.0.0.1:9", "--only", "no.such"], "nothing to ask"),
        ([], "whom to judge"),
        (["http://127.0.0.1:9", "--exchange", "e1"], "--exchange ID goes with --from"),
    ],
)
def test_wrong_use_is_2_and_one_line(words: list[str], told: str, tmp_path: Path) -> None:
    done = relayproof_("record", *words, "--to", str(tmp_path))
    assert done.code == 2
    assert told in done.err, done.err


def test_nobody_there_is_3(tmp_path: Path) -> None:
    done = relayproof_("record", "http://127.0.0.1:9", "--only", "models.list", "--to", tmp_path)
    assert (done.code, "not be reached" in done.err, list(tmp_path.iterdir())) == (3, True, [])
