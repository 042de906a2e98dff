"""The plugin in somebody else's project: the wheel beside other plugins, in an environment made by `make foreign`."""

import os
import subprocess
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from mock_server.process import running
from mock_server.testing import MockRelay
from mock_server.testing.relay import over_http
from tests.system.command import ROOT, environment, relayproof_, run_of

PROJECT = ROOT / "tests" / "system" / "foreign"
PYTHON = ROOT / ".venv" / "foreign" / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
KEY = "sk-relayproof-test-foreign-0"
OURS = 10  # tests of the project
PLUGINS = ("asyncio-", "httpx-", "respx-", "randomly-", "timeout-", "xdist-", "anyio-", "relayproof-")
FEW = ("--relay-only", "chat.stream.done", "--relay-only", "chat.stream.finish-once", "--relay-only", "sse.event-names")
ALONE = ("--pyargs", "conformance", *FEW)
BY_NAME = ("-p", "conformance.pytest_plugin", "-p", "mock_server.pytest_plugin")
WORKERS = pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=" ".join)

pytestmark = pytest.mark.skipif(not PYTHON.exists(), reason="its environment is not there: make foreign")


@dataclass(frozen=True)
class Told:
    code: int
    out: str
    cases: dict[str, str]  # the id of each item → passed, failure, error, skipped or xfailed

    @property
    def counted(self) -> Counter[str]:
        return Counter(self.cases.values())


@contextmanager
def relay(*serve: str) -> Iterator[MockRelay]:
    with running("--api-key", KEY, "--speed", "max", *serve) as base:
        yield MockRelay(base, over_http(base))


@pytest.fixture(scope="module")
def good() -> Iterator[MockRelay]:
    with relay() as mock:
        yield mock


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A copy: pytest leaves caches."""
    for file in (*PROJECT.glob("*.py"), PROJECT / "pyproject.toml"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def pytest_(project: Path, mock: MockRelay | None, *words: str, **env: str) -> Told:
    """Their pytest in their folder. JUnit has to add up, whatever it says."""
    named = ("--relay-base-url", mock.base_url, "--relay-model", "mock-chat") if mock else ()
    junit = project / "junit.xml"
    done = subprocess.run(
        [str(PYTHON), "-m", "pytest", "-v", "-rA", f"--junitxml={junit}", *named, *words],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=110,
        check=False,
        env=environment({"RELAYPROOF_API_KEY": KEY, **env}),
    )
    assert "INTERNALERROR" not in done.stdout + done.stderr, done.stdout + done.stderr
    return Told(done.returncode, done.stdout + done.stderr, _cases(junit) if junit.exists() else {})


def _cases(junit: Path) -> dict[str, str]:
    suite = next(ET.parse(junit).getroot().iter("testsuite"))
    found: dict[str, str] = {}
    for case in suite.iter("testcase"):
        told = next((one for one in case if one.tag in {"failure", "error", "skipped"}), None)
        kind = "passed" if told is None else "xfailed" if told.get("type") == "pytest.xfail" else told.tag
        found[case.get("name", "")] = kind
    tags = Counter(
        {"xfailed": "skipped", "failure": "failures", "error": "errors"}.get(one, one) for one in found.values()
    )
    assert int(suite.get("tests", "-1")) == len(found)
    assert [int(suite.get(name, "-1")) for name in ("failures", "errors", "skipped")] == [
        tags[name] for name in ("failures", "errors", "skipped")
    ]
    return found


def test_help_shows_the_options_and_the_plugins_are_there(project: Path) -> None:
    told = pytest_(project, None, "--help")
    for option in (
        "base-url=URL",
        "target=NAME|FILE.toml",
        "model=[ROLE=]NAME",
        "max-requests=N",
        "max-cost=N",
        "strict",
        "baseline",
        "fuzz",
        "fuzz-cases=N",
        "seed=N",
        "out",
        "suite",
    ):
        assert f"--relay-{option}" in told.out
    assert "relay_suite" in told.out
    header = pytest_(project, None, "-k", "nothing_to_do").out
    assert [name for name in PLUGINS if name not in header] == []


def test_without_a_relay_nothing_is_asked_and_their_contract_tests_are_skipped(project: Path) -> None:
    told = pytest_(project, None)
    assert (told.code, told.counted) == (0, Counter(passed=2, skipped=OURS - 2)), told.out
    assert "no relay is named: --relay-base-url" in told.out
    nothing = pytest_(project, None, "--pyargs", "conformance")
    assert nothing.code == pytest.ExitCode.NO_TESTS_COLLECTED
    assert "relay: none is named" in nothing.out


@pytest.mark.parametrize(
    "more",
    [("-o", "asyncio_mode=auto"), ("-p", "conformance.pytest_plugin", "-n", "2", "--dist", "worksteal")],
    ids=" ".join,
)
def test_a_relay_alone_runs_their_own_tests(more: tuple[str, ...], project: Path, good: MockRelay) -> None:
    good.journal.clear()
    told = pytest_(project, good, *more)
    assert (told.code, told.counted) == (0, Counter(passed=OURS)), told.out
    assert len(good.journal) == 10, "what the tests ask, and no probe"


@WORKERS
def test_the_suite_beside_their_tests_asks_once(workers: tuple[str, ...], project: Path, good: MockRelay) -> None:
    good.journal.clear()
    told = pytest_(
        project, good, "--relay-suite", "--relay-only", "chat.stream.done", *workers, "--relay-out", "run.jsonl"
    )
    assert told.code == 0, told.out
    assert told.cases["chat.stream.done[chat.stream]"] == "passed"
    run = run_of(project / "run.jsonl")
    assert len(good.journal) == len(run.exchanges) + 10
    assert told.counted["passed"] == len({(one.rule, one.probe) for one in run.verdicts}) + OURS
    assert f"{len(run.exchanges)} requests" in told.out


@WORKERS
def test_a_fault_fails_its_rule_and_no_other(workers: tuple[str, ...], project: Path) -> None:
    with relay("--fault", "chat-stream-done-missing") as mock:
        told = pytest_(project, mock, *ALONE, *workers, "--relay-out", "run.jsonl")
    assert told.code == 1
    failed = {name.partition("[")[0] for name, kind in told.cases.items() if kind == "failure"}
    assert failed == {"chat.stream.done"}
    assert told.counted["error"] == 0
    for evidence in (
        "expected [DONE], the stream ended",
        "stands in: OpenAI API reference",
        "curl --no-buffer",
        "◀ chat.str",
    ):
        assert evidence in told.out
    assert KEY not in told.out + (project / "run.jsonl").read_text(encoding="utf-8")
    kinds = {"pass": "passed", "fail": "failure"}
    for verdict in run_of(project / "run.jsonl").verdicts:
        assert told.cases[f"{verdict.rule}[{verdict.probe}]"] == kinds.get(verdict.outcome.value, "skipped")
    assert relayproof_("judge", project / "run.jsonl").code == 1
    assert relayproof_("report", project / "run.jsonl").code == 0


def test_what_is_left_out_is_not_asked(project: Path, good: MockRelay) -> None:
    good.journal.clear()
    told = pytest_(project, good, *ALONE, "-m", "must and chat", "-k", "finish-once and chat.stop-stream")
    assert told.cases == {"chat.stream.finish-once[chat.stop-stream]": "passed"}, told.out
    assert len(good.journal) == 2, "the control of its role, and its own probe"
    good.journal.clear()
    assert pytest_(project, good, *ALONE, "--collect-only").code == 0
    assert len(good.journal) == 0


def test_an_item_is_run_again_by_its_name(project: Path, good: MockRelay) -> None:
    name = "chat.stream.done[chat.stream]"
    assert pytest_(project, good, "--pyargs", f"conformance.suite::{name}").cases == {name: "passed"}


@WORKERS
def test_the_budget_is_one_for_all_workers(workers: tuple[str, ...], project: Path, good: MockRelay) -> None:
    good.journal.clear()
    theirs = ("--deselect", "test_window.py::test_an_answer_of_our_own_client")
    told = pytest_(project, good, "--relay-suite", *FEW, "--relay-max-requests", "30", *theirs, *workers)
    assert told.code == 1
    assert 20 <= len(good.journal) <= 30
    assert "the limit of 30 requests does not allow it" in told.out
    assert told.counted["passed"] > 0


def test_who_is_not_reached_is_told_once_and_nothing_is_green(project: Path) -> None:
    nobody = MockRelay("http://127.0.0.1:1", over_http("http://127.0.0.1:1"))
    told = pytest_(project, nobody, *ALONE)
    assert told.code == 1
    assert (told.counted["error"], told.counted["passed"], told.counted["failure"]) == (1, 0, 0)
    assert "the relay could not be reached" in told.out


def test_a_time_out_of_another_plugin_is_meant_for_a_test_and_not_for_all_probes(project: Path) -> None:
    with relay("--ttft", "1500") as mock:
        told = pytest_(project, mock, *ALONE, "-k", "chat.stream.done", "--timeout", "1")
    assert told.code == 0, told.out
    assert told.counted["passed"] > 3
