"""`check --discover`: a target file on standard output that a check takes as it is."""

from pathlib import Path

import pytest

from conformance.target import read_target
from mock_server.process import running
from tests.system.command import relayproof_, run_of
from tests.system.hostile import error, sends, serving

KEY = {"RELAYPROOF_API_KEY": "sk-discover-0123456789"}


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def test_what_it_prints_is_a_target_that_passes() -> None:
    with running("--speed", "max", "--api-key", KEY["RELAYPROOF_API_KEY"]) as base:
        told = relayproof_("check", base, "--discover", **KEY)
        assert told.code == 0, told.text
        Path("found.toml").write_text(told.out, encoding="utf-8")
        target = read_target("found.toml")
        assert {role.value for role in target.models} >= {"chat", "tools", "messages", "completions", "embeddings"}
        assert "video" not in target.models
        assert "POST /v1/rerank" in target.absent
        assert "POST /v1/chat/completions" not in target.absent
        check = relayproof_(
            "check", "--target", "found.toml", "--only", "embeddings", "--out", "r.jsonl", "--quiet", **KEY
        )
    assert check.code == 0, check.text
    run = run_of(Path("r.jsonl"))
    assert "POST /v1/rerank" in run.header.relay["absent"]  # type: ignore[operator]
    told_of = {line[16:].split("  ")[0]: line[:15].strip() for line in told.err.splitlines()}
    assert told_of["POST /v1/embeddings"] == "there"
    assert told_of["POST /v1/rerank"] == "not there"
    assert KEY["RELAYPROOF_API_KEY"] not in told.text


def test_no_model_reads_a_word() -> None:
    with running("--speed", "max") as base:
        import json  # noqa: PLC0415
        import urllib.request  # noqa: PLC0415

        relayproof_("check", base, "--discover", "--quiet", **KEY)
        with urllib.request.urlopen(f"{base}/__relay__/journal?limit=1000") as answer:
            heard = json.load(answer)
    entries = heard["entries"] if isinstance(heard, dict) else heard
    posts = [entry for entry in entries if entry["method"] == "POST"]
    assert len(posts) > 20
    assert all(entry["status"] >= 400 for entry in posts)


def test_nobody_there_and_a_refused_key_are_3_and_a_dry_run_asks_nothing() -> None:
    assert relayproof_("check", "http://127.0.0.1:1", "--discover", **KEY).code == 3
    with serving(sends(error(401, "no"))) as server:
        told = relayproof_("check", server.url, "--discover", **KEY)
        assert told.code == 3
        assert "refused the key" in told.line
    with serving(sends(error(401, "no"))) as server:
        told = relayproof_("check", server.url, "--discover", "--dry-run", **KEY)
        assert server.heard == []
    assert "POST /v1/chat/completions" in told.out.splitlines()
