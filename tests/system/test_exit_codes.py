"""Every exit code is reached by the command line, a crash of our own included, each as a process of its own."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from mock_server.process import running
from tests.system.command import ROOT, environment, started
from tests.system.hostile import error, hangs, reply, said, sends, serving

NOBODY = "http://127.0.0.1:1"
ONE = ("--model", "m", "--only", "chat.whole", "--quiet")
KEY = "sk-exit-0123456789"
RAISES = "conformance.cli._check = lambda given: 1 // 0"
BROKEN_RULE = """
import dataclasses
from conformance.rules import chat
from conformance import rule, rules
broken = dataclasses.replace(rules.BOOK["chat.schema"], check=lambda exchange: [][0])
rules.BOOK = {**rules.BOOK, "chat.schema": broken}
"""


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def ended(*words: object) -> tuple[int, str, str]:
    with started(*words, RELAYPROOF_API_KEY=KEY) as process:
        out, err = process.communicate(timeout=60)
    assert "Traceback" not in out + err
    return process.returncode, out, err


def sabotaged(before: str, words: Sequence[str]) -> tuple[int, str, str]:
    """The command in a process in which something of ours is broken."""
    here = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\nimport conformance.cli, relayproof"
    command = [sys.executable, "-c", f"{here}\n{before}\nrelayproof.main()", *words]
    done = subprocess.run(command, env=environment({}), capture_output=True, text=True, timeout=60, check=False)
    assert "Traceback" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_0_every_must_verified() -> None:
    with serving(sends(said(200, reply()))) as server:
        assert ended("check", server.url, *ONE, "--out", "r.jsonl")[0] == 0
    assert ended("judge", "r.jsonl")[0] == 0
    assert ended("report", "r.jsonl")[0] == 0
    assert ended("history", "r.jsonl")[0] == 0


def test_1_a_must_is_broken() -> None:
    with running("--speed", "max", "--api-key", KEY, "--fault", "chat-object-wrong") as url:
        words = ("--model", "mock-chat", "--only", "chat.whole", "--quiet")
        assert ended("check", url, *words, "--out", "r.jsonl")[0] == 1
    assert ended("judge", "r.jsonl")[0] == 1
    assert ended("compare", "r.jsonl", "r.jsonl")[0] == 1
    assert ended("report", "r.jsonl")[0] == 0  # it tells, and judges nobody


@pytest.mark.parametrize(
    "words",
    [
        ("check",),
        ("check", NOBODY, "--model", "nonsense="),
        ("judge", "missing.jsonl"),
        ("compare", "missing.toml"),
        ("history", "missing"),
        ("report", "missing.jsonl"),
        ("nonsense",),
    ],
    ids=" ".join,
)
def test_2_wrong_use_is_one_line(words: tuple[str, ...]) -> None:
    code, out, err = ended(*words)
    assert (code, out) == (2, "")
    assert len(err.splitlines()) == 1


def test_3_not_reached_or_the_key_refused() -> None:
    assert ended("check", NOBODY, *ONE)[0] == 3
    with serving(sends(error(401, "no"))) as server:
        assert ended("check", server.url, *ONE)[0] == 3
    Path("t.toml").write_text(
        f'[[target]]\nname = "a"\nbase_url = "{NOBODY}"\n[target.models]\nchat = "m"\n'
        f'[[target]]\nname = "b"\nbase_url = "{NOBODY}"\n[target.models]\nchat = "m"\n',
        encoding="utf-8",
    )
    assert ended("compare", "t.toml", "--quiet")[0] == 3


def test_4_musts_were_left_open() -> None:
    with serving(sends(said(200, reply()))) as server:
        words = (*ONE, "--only", "chat.stream-false", "--max-requests", "1", "--out", "r.jsonl")
        assert ended("check", server.url, *words)[0] == 4
    assert ended("compare", "r.jsonl", "r.jsonl")[0] == 4


def test_5_our_own_fault_is_told_and_is_nobody_elses() -> None:
    code, out, err = sabotaged(RAISES, ["check", NOBODY])
    assert (code, out) == (5, "")
    assert err.startswith("relayproof: our own fault: ZeroDivisionError: ")
    assert len(err.splitlines()) == 1
    with serving(sends(said(200, reply()))) as server:
        code, out, _ = sabotaged(BROKEN_RULE, ["check", server.url, *ONE, "--out", "r.jsonl"])
    assert code == 5
    assert "chat.schema" in out
    assert "IndexError" in out
    assert ended("compare", "r.jsonl", "r.jsonl")[0] == 5


@pytest.mark.parametrize(
    ("number", "code", "how"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_130_and_143_an_end_from_outside(number: signal.Signals, code: int, how: str) -> None:
    Path("old.xml").write_text("of an earlier run", encoding="utf-8")
    words = ("--out", "r.jsonl", "--html", "new.html", "--json", "below/new.json", "--junit", "old.xml")
    with serving(hangs) as server, started("check", server.url, *ONE, *words) as process:
        until = time.monotonic() + 30
        while not server.heard and time.monotonic() < until:
            time.sleep(0.01)
        os.kill(process.pid, number)
        out, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert [path.name for path in sorted(Path().rglob("*.*"))] == ["old.xml", "r.jsonl"], "no report that is empty"
    assert Path("old.xml").read_text(encoding="utf-8") == "of an earlier run"
    assert err == f"relayproof: {how}; what was captured is in r.jsonl\n"
    assert out == ""


def test_143_also_where_ctrl_c_is_ignored_as_in_a_job_of_the_background() -> None:
    deaf = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)"
    here = f"import sys\nsys.path.insert(0, {str(ROOT)!r})\n{deaf}\nimport relayproof\nrelayproof.main()"
    with serving(hangs) as server:
        command = [sys.executable, "-c", here, "check", server.url, *ONE, "--out", "r.jsonl"]
        with subprocess.Popen(command, env=environment({}), stderr=subprocess.PIPE, text=True) as process:
            until = time.monotonic() + 30
            while not server.heard and time.monotonic() < until:
                time.sleep(0.01)
            os.kill(process.pid, signal.SIGINT)
            os.kill(process.pid, signal.SIGTERM)
            _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert err == "relayproof: terminated; what was captured is in r.jsonl\n"


def test_143_of_a_demo_and_its_mock_is_gone() -> None:
    with started("demo", "--out", ".") as process:
        until = time.monotonic() + 30
        while not Path("demo.jsonl").exists() and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(0.2)
        os.kill(process.pid, signal.SIGTERM)
        _, err = process.communicate(timeout=30)
    assert process.returncode == 143
    assert err.endswith("relayproof: terminated; what was captured is in demo.jsonl\n")
