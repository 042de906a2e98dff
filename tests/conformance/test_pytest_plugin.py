"""The plugin in this environment: what costs nothing, what is wrong use, and what pytest shows of the suite."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import conformance.testing.hooks  # noqa: F401 - loaded before pytester notes which modules it takes away again
from conformance.fuzz.store import read_failures
from conformance.run import Run
from mock_server.process import running
from tests.system.command import ROOT, relayproof_, run_of
from tests.system.hostile import reply, said, sends, serving

pytest_plugins = ["pytester"]
KEY = "sk-relayproof-test-plugin-0123"
RULES = ("--relay-only", "chat.stream.done", "--relay-only", "sse.no-length", "--relay-repeats", "0")


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RELAYPROOF_API_KEY", KEY)


@pytest.fixture(scope="module")
def faulty() -> Iterator[str]:
    with running("--api-key", KEY, "--speed", "max", "--fault", "sse-content-length-on-stream") as base:
        yield base


def suite(pytester: pytest.Pytester, base: str, *words: str) -> pytest.RunResult:
    named = ("--relay-base-url", base, "--relay-model", "mock-chat", "--pyargs", "conformance", "-p", "no:schemathesis")
    return pytester.runpytest_subprocess(*named, *words)


def test_a_project_that_names_no_relay_pays_nothing(tmp_path: Path) -> None:
    (tmp_path / "test_mine.py").write_text("def test_mine(): pass\n", encoding="utf-8")
    code = (
        "import sys, pytest; before = set(sys.modules); code = pytest.main(['-q']); "
        "print(int(code), {name for name in set(sys.modules) - before if name.startswith('conformance')})"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "1 passed" in done.stdout
    loaded = set(re.findall(r"'([\w.]+)'", done.stdout.rstrip().rpartition("\n")[2]))
    assert loaded == {"conformance", "conformance.pytest_plugin"}


WRONG = {
    ("--relay-base-url", "relay.example"): "relay: 'relay.example' is no base URL",
    ("--relay-target", "nobody"): "relay: no target 'nobody'",
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-only", "chat.strem"): "relay: --relay-only chat.strem: no rule",
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-model", "cat=x"): "relay: --relay-model 'cat=x': no role 'cat'",
    (
        "--relay-base-url",
        "http://127.0.0.1:1",
        "--relay-api-key-env",
        "NO_KEY",
    ): "relay: the variable NO_KEY is not set",
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-extend", "no.py"): "relay: --relay-extend no.py: there is no",
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-baseline", "no.toml"): "relay: the baseline no.toml cannot be",
    ("--relay-suite",): "--relay-suite: whom to judge? give --relay-base-url",
    ("--relay-max-requests", "-1"): "error: argument --relay-max-requests: ",
    ("--relay-seed", "x"): "error: argument --relay-seed: 'x' is no whole number",
    ("--relay-fuzz",): "--relay-fuzz: whom to judge? give --relay-base-url",
    ("--relay-fuzz-cases", "x"): "error: argument --relay-fuzz-cases: 'x' is no whole number",
    ("--relay-fuzz-cases", "-1"): "error: argument --relay-fuzz-cases: -1 is not in the range 0<=x<=100000.",
    ("--relay-fuzz-cases", "999999999"): "relay-fuzz-cases: 999999999 is not in the range 0<=x<=100000.",
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-fuzz-cases", "0"): (
        "relay: --relay-fuzz-cases says how many --relay-fuzz draws besides: give --relay-fuzz too"
    ),
    ("--relay-base-url", "http://127.0.0.1:1", "--relay-only", "fuzz.x"): (
        "relay: --relay-only fuzz.x: no failure of such a name is stored in "
    ),
    ("--relay-timeout", "nan"): "error: argument --relay-timeout: 'nan' is no number of seconds",
    ("--relay-concurrency", "65"): "error: argument --relay-concurrency: '65' is not from 1 to 64",
}


@pytest.mark.parametrize(("words", "told"), WRONG.items(), ids=lambda given: given[-1])
def test_wrong_use_is_told_in_a_line(words: tuple[str, ...], told: str, pytester: pytest.Pytester) -> None:
    result = pytester.runpytest_inprocess(*words)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    lines = [line for line in result.errlines if told in line]
    assert len(lines) == 1, result.errlines
    assert "Traceback" not in "\n".join(result.errlines + result.outlines)


def test_a_should_is_xfailed_and_fails_where_it_is_strict(faulty: str, pytester: pytest.Pytester) -> None:
    mild = suite(pytester, faulty, *RULES, "-rx")
    counts = mild.parseoutcomes()
    assert mild.ret == 0
    assert set(counts) == {"passed", "xfailed"}
    mild.stdout.fnmatch_lines(["XFAIL *sse.no-length?chat.stream?*"])
    for more in (("--relay-strict",), ("--runxfail",)):
        strict = suite(pytester, faulty, *RULES, *more)
        assert strict.ret == 1
        assert strict.parseoutcomes() == {"passed": counts["passed"], "failed": counts["xfailed"]}


def test_what_a_baseline_waives_is_xfailed_with_its_reason(faulty: str, pytester: pytest.Pytester) -> None:
    text = '[[waiver]]\nrule = "sse.no-length"\nreason = "ticket 4711"\nexpires = "never"\n'
    pytester.path.joinpath("known.toml").write_text(text, encoding="utf-8")
    told = suite(pytester, faulty, *RULES, "--relay-strict", "--relay-baseline", "known.toml", "-rx")
    assert told.ret == 0
    assert "waived: ticket 4711" in re.sub(r"\s+", " ", told.stdout.str())


def test_the_run_is_kept_in_the_cache_or_where_it_is_wanted(faulty: str, pytester: pytest.Pytester) -> None:
    first = suite(pytester, faulty, *RULES, "-k", "chat.stream-usage")
    [kept] = pytester.path.glob(".pytest_cache/d/relayproof/*.jsonl")
    first.stdout.fnmatch_lines([f"run: {kept}"])
    run = run_of(kept)
    assert run.footer
    assert {exchange.probe for exchange in run.exchanges} == {"chat.whole", "chat.stream-usage"}
    assert run.header.command.startswith("pytest ")
    assert KEY not in kept.read_text(encoding="utf-8")
    suite(pytester, faulty, *RULES, "-k", "chat.stream-usage", "--relay-out", "deep/run.jsonl")
    assert run_of(pytester.path / "deep" / "run.jsonl").footer


def test_markers_are_known_and_select(faulty: str, pytester: pytest.Pytester) -> None:
    told = suite(pytester, faulty, *RULES, "--strict-markers", "-m", "should and sse", "--collect-only", "-q")
    names = [line for line in told.outlines if "::" in line]
    assert names
    assert all("sse.no-length[" in name for name in names)
    assert "@pytest.mark.must: relayproof: " in suite(pytester, faulty, "--markers").stdout.str()
    assert "relayproof: a rule" not in pytester.runpytest_subprocess("--markers").stdout.str()


def test_rules_of_a_users_own_are_items_too(pytester: pytest.Pytester) -> None:
    house = ROOT / "docs" / "house_rules.py"
    with serving(sends(said(200, reply()))) as server:
        told = suite(pytester, server.url, "--relay-extend", str(house), "-k", "acme.request-id and chat.whole", "-q")
    assert told.parseoutcomes()["failed"] == 1
    assert "without which support finds nothing" in told.stdout.str()


def interrupted_at(pytester: pytest.Pytester, lines: int) -> None:
    """Has pytest interrupted once so many lines of the run are there."""
    pytester.makeconftest(f"""
        import os, pathlib, signal, threading, time
        import pytest


        def interrupt():
            run = pathlib.Path("run.jsonl")
            while not run.exists() or run.read_text(encoding="utf-8").count("\\n") < {lines}:
                time.sleep(0.01)
            os.kill(os.getpid(), signal.SIGINT)


        @pytest.hookimpl(wrapper=True, tryfirst=True)
        def pytest_runtestloop():
            threading.Thread(target=interrupt, daemon=True).start()
            return (yield)
    """)


def test_an_interruption_leaves_a_run_that_can_be_read(pytester: pytest.Pytester) -> None:
    interrupted_at(pytester, 1)
    with running("--api-key", KEY, "--ttft", "60000") as base:
        told = suite(pytester, base, "-k", "chat.stream.done", "--relay-out", "run.jsonl")
    assert told.ret == pytest.ExitCode.INTERRUPTED
    assert run_of(pytester.path / "run.jsonl").footer is None
    told.stdout.fnmatch_lines(["this run did not end; *", "what was captured is in run.jsonl"])


def test_the_example_of_the_readme_runs(faulty: str, pytester: pytest.Pytester) -> None:
    section = (ROOT / "README.md").read_text(encoding="utf-8").partition("## In pytest\n")[2].partition("\n## ")[0]
    [example] = re.findall(r"```python\n(.*?)```", section, re.DOTALL)
    pytester.makepyfile(example)
    named = ("--relay-base-url", faulty, "--relay-model", "mock-chat", "--strict-markers")
    pytester.runpytest_subprocess(*named).assert_outcomes(passed=1)
    pytester.runpytest_subprocess(*named, "--relay-strict").assert_outcomes(failed=1)


def test_a_stale_baseline_is_red_where_it_is_strict(faulty: str, pytester: pytest.Pytester) -> None:
    text = '[[waiver]]\nrule = "chat.stream.done"\nreason = "old"\nexpires = 2001-01-01\n'
    pytester.path.joinpath("old.toml").write_text(text, encoding="utf-8")
    words = ("--relay-only", "chat.stream.done", "-k", "chat.stream-usage", "--relay-baseline", "old.toml")
    for more, code in (((), 0), (("--relay-strict",), 1)):
        told = suite(pytester, faulty, *words, *more)
        assert (told.ret, told.parseoutcomes()["passed"]) == (code, 1)
        told.stdout.fnmatch_lines(["baseline: expired: chat.stream.done: *"])


# --- generated probes -----------------------------------------------------------------------------------------------

FUZZ = ("--relay-only", "chat.limit", "--relay-repeats", "0", "--relay-out", "run.jsonl", "-q", "-W", "error")


@pytest.fixture(scope="module")
def rare() -> Iterator[str]:
    with running("--api-key", KEY, "--speed", "max", "--fault", "rare-limit-times-n") as base:
        yield base


def drawn_in(run: Run) -> list[tuple[str | None, bytes | None]]:
    return [(one.probe, one.request.body) for one in run.exchanges if (one.probe or "").startswith("fuzz.")]


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=" ".join)
def test_what_is_drawn_is_an_item_a_rule_asked_once(
    workers: tuple[str, ...], rare: str, pytester: pytest.Pytester
) -> None:
    told = suite(pytester, rare, "--relay-fuzz", "--relay-seed", "5", "-m", "fuzz", *FUZZ, *workers)
    assert (told.ret, told.parseoutcomes()["failed"], "passed" in told.parseoutcomes()) == (1, 1, False)
    told.stdout.fnmatch_lines(["*generated probes asked*", "FAILED *chat.limit?fuzz? - MUST fail: the limit was*"])
    assert "HypothesisSideeffectWarning" not in told.stdout.str() + told.stderr.str()
    run = run_of(pytester.path / "run.jsonl")
    assert run.header.seed == 5
    assert {one.probe for one in run.exchanges} - {probe for probe, _ in drawn_in(run)} == {"chat.whole"}
    assert run.footer
    assert run.footer.generated
    [found] = run.footer.generated.found
    assert f"{found.probe}:" in told.stdout.str(), "the smallest is shown"
    [kept] = pytester.path.glob(".pytest_cache/d/relayproof/*.failures.jsonl")
    assert [one.probe for one in read_failures(kept)] == [found.probe]
    assert KEY not in kept.read_text(encoding="utf-8")


@pytest.mark.parametrize("workers", [(), ("-n", "2")], ids=" ".join)
def test_where_nothing_is_drawn_it_is_said(workers: tuple[str, ...], rare: str, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own="def test_mine(): pass")
    told = pytester.runpytest_subprocess("test_own.py", "--relay-base-url", rare, "--relay-fuzz", *workers)
    said = "relay: nothing is drawn for --relay-fuzz: "
    assert told.ret == 0
    told.stdout.fnmatch_lines([f"{said}no item of the suite was selected: add --relay-suite, or --pyargs conformance"])
    words = ("--pyargs", "conformance", "--relay-base-url", rare, "--relay-only", "models.list", "--relay-fuzz")
    told = pytester.runpytest_subprocess(*words, *workers)
    told.stdout.fnmatch_lines([f"{said}no model is named for what requests are drawn for (chat, *"])


def test_a_stored_failure_is_asked_again_by_its_name(rare: str, pytester: pytest.Pytester) -> None:
    suite(pytester, rare, "--relay-fuzz", "-m", "fuzz", *FUZZ)
    [found] = read_failures(next(pytester.path.glob(".pytest_cache/d/relayproof/*.failures.jsonl")))
    again = suite(pytester, rare, "--relay-only", found.probe, "--relay-out", "again.jsonl", "-m", "fuzz", "-q")
    assert (again.ret, again.parseoutcomes()["failed"]) == (1, 1)
    again.stdout.fnmatch_lines(["FAILED *chat.limit?fuzz? - *"])
    assert {one.probe for one in run_of(pytester.path / "again.jsonl").exchanges} == {"chat.whole", found.probe}


def test_what_failed_is_asked_first_next_time_and_the_budget_is_that_of_the_session(
    rare: str, pytester: pytest.Pytester
) -> None:
    words = ("--relay-fuzz", "-m", "fuzz", *FUZZ, "--relay-max-requests", "90")
    suite(pytester, rare, *words)
    run = run_of(pytester.path / "run.jsonl")
    assert run.footer
    assert run.footer.generated
    [found] = run.footer.generated.found
    again = suite(pytester, rare, *words, "--relay-seed", "6")
    run = run_of(pytester.path / "run.jsonl")
    assert drawn_in(run)[0][0] == found.probe
    assert run.footer
    assert isinstance(sent := run.footer.spent["requests"], int)
    assert sent <= 90
    again.stdout.fnmatch_lines(["*left out by the budget*"])


def test_the_command_and_pytest_ask_the_same_for_a_seed(rare: str, pytester: pytest.Pytester) -> None:
    words = ("--relay-fuzz", "--relay-fuzz-cases", "3", "--relay-seed", "9", "--relay-max-requests", "150", *FUZZ)
    suite(pytester, rare, *words)
    how = ("--model", "mock-chat", "--only", "chat.limit", "--repeats", "0", "--quiet", "--out", "check.jsonl")
    same = ("--fuzz", "--fuzz-cases", "3", "--seed", "9", "--max-requests", "150")
    relayproof_("check", rare, *how, *same, RELAYPROOF_API_KEY=KEY)
    ours, theirs = (run_of(pytester.path / name) for name in ("run.jsonl", "check.jsonl"))
    assert sorted(map(str, drawn_in(ours))) == sorted(map(str, drawn_in(theirs))), "a file has them as they end"
    assert len(drawn_in(ours)) > 50


def test_an_interruption_amid_generated_probes_is_told_quietly(rare: str, pytester: pytest.Pytester) -> None:
    interrupted_at(pytester, 40)
    told = suite(pytester, rare, "--relay-fuzz", "-m", "fuzz", *FUZZ)
    assert told.ret == pytest.ExitCode.INTERRUPTED
    assert "Traceback" not in told.stdout.str() + told.stderr.str()
    assert "never retrieved" not in told.stdout.str() + told.stderr.str()
    told.stdout.fnmatch_lines(["what was captured is in run.jsonl"])


def test_what_a_check_would_end_with_is_not_told_as_pytests_own_code(rare: str, pytester: pytest.Pytester) -> None:
    told = suite(pytester, rare, "--relay-fuzz", "--relay-max-requests", "0", "-m", "fuzz", *FUZZ)
    assert told.ret == 0
    told.stdout.fnmatch_lines(["relayproof check would end with 4: *"])
    assert "\nexit 4" not in told.stdout.str()


def test_nothing_is_drawn_where_its_items_are_left_out(rare: str, pytester: pytest.Pytester) -> None:
    told = suite(pytester, rare, "--relay-fuzz", "-k", "chat.limit and not fuzz and chat.limit-stream", *FUZZ)
    assert told.ret == 0
    run = run_of(pytester.path / "run.jsonl")
    assert run.footer
    assert run.footer.generated is None
