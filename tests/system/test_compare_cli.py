"""Relays side by side, the whole way: two equal mocks show no difference, one fault shows exactly its own."""

import json
import os
import signal
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from conformance.check import check
from mock_server.process import running
from tests.system.command import Told, relayproof_, run_of, started
from tests.system.hostile import hangs, reply, said, sends, serving

KEY = {"RELAYPROOF_API_KEY": "sk-compare-0123456789"}
NOBODY = "http://127.0.0.1:1"
FAULT = "chat-stream-done-missing"
MODELS = '[target.models]\nchat = "mock-chat"\ntools = "mock-chat"\n'


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def targets(bases: Mapping[str, str], more: str = "", models: str = MODELS) -> Path:
    tables = (f'[[target]]\nname = "{name}"\nbase_url = "{base}"\n{more}{models}' for name, base in bases.items())
    path = Path("targets.toml")
    path.write_text("\n".join(tables), encoding="utf-8")
    return path


def mocks(stack: ExitStack, *faults: str | None) -> list[str]:
    key = ("--speed", "max", "--api-key", KEY["RELAYPROOF_API_KEY"])
    return [stack.enter_context(running(*key, *(("--fault", fault) if fault else ()))) for fault in faults]


def compared(told: Told, name: str = "c.json") -> dict[str, Any]:
    assert "Traceback" not in told.text
    found = json.loads(Path(name).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_equal_mocks_do_not_differ_and_a_fault_shows_exactly_its_own() -> None:
    with ExitStack() as stack:
        one, two, faulty = mocks(stack, None, None, FAULT)
        path = targets({"one": one, "two": two, "faulty": faulty, "dead": NOBODY})
        told = relayproof_("compare", path, "--out", "runs", "--json", "c.json", "--quiet", "--repeats", "0", **KEY)
    assert told.code == 1, told.text
    found = compared(told)
    assert [(one["rule"], one["outcomes"]) for one in found["differences"]] == [
        ("chat.stream.done", ["pass", "pass", "fail", "untestable"])
    ]
    assert found["unmatched"] == []
    assert [relay["exit"] for relay in found["relays"]] == [0, 0, 1, 3]
    assert found["ranked"] == ["one", "two", "faulty", "dead"]
    runs = {path.stem: run_of(path) for path in Path("runs").iterdir()}
    assert sorted(runs) == ["1-one", "2-two", "3-faulty", "4-dead"]
    told = relayproof_("compare", "runs/1-one.jsonl", "runs/2-two.jsonl", "--json", "d.json")
    assert told.code == 0, told.text
    again = compared(told, "d.json")
    assert (again["differences"], again["unmatched"], again["changes"]) == ([], [], [])
    assert "They differ in 0 rules" in told.out


def lead(paths: Sequence[Path]) -> int:
    """How many probes the one relay was ahead of the other at most, as they began."""
    began = [{e.probe: e.sent for e in reversed(run_of(path).exchanges) if e.repeat == 1} for path in paths]
    moments = sorted((sent, number) for number, probes in enumerate(began) for sent in probes.values())
    counted, most = [0, 0], 0
    for _, number in moments:
        counted[number] += 1
        most = max(most, abs(counted[0] - counted[1]))
    return most


def test_a_fast_relay_and_a_slow_one_are_asked_in_step(monkeypatch: pytest.MonkeyPatch) -> None:
    with running("--speed", "max") as fast, running("--ttft", "60", "--itl", "0") as slow:
        path = targets({"fast": fast, "slow": slow})
        words = ("--only", "chat", "--only", "errors", "--repeats", "0", "--concurrency", "4", "--quiet")
        relayproof_("compare", path, *words, "--out", "in-step", **KEY)
        monkeypatch.setattr("conformance.several.PATIENCE", 0.0)  # nobody waits for anybody
        relayproof_("compare", path, *words, "--out", "apart", **KEY)
    assert lead(sorted(Path("in-step").iterdir())) <= 5  # as many as may be under way, and the one that is met
    assert lead(sorted(Path("apart").iterdir())) > 10


def test_a_relay_that_hangs_holds_nobody_up_for_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("conformance.several.PATIENCE", 0.2)
    with ExitStack() as stack:
        (one,) = mocks(stack, None)
        stuck = stack.enter_context(serving(hangs))
        path = targets({"one": one, "stuck": stuck.url}, models='[target.models]\nchat = "mock-chat"\n')
        words = ("--only", "chat.whole", "--timeout", "1", "--out", "runs", "--json", "c.json", "--quiet")
        told = relayproof_("compare", path, *words, **KEY)
    assert told.code == 4, told.text
    assert [relay["exit"] for relay in compared(told)["relays"]] == [0, 4]


def test_a_key_goes_to_its_own_host_alone() -> None:
    with serving(sends(said(200, reply()))) as one, serving(sends(said(200, reply()))) as two:
        Path("t.toml").write_text(
            f'[[target]]\nname = "one"\nbase_url = "{one.url}"\nkey_env = "ONE"\n[target.models]\nchat = "m"\n'
            f'[[target]]\nname = "two"\nbase_url = "{two.url}"\nkey_env = "TWO"\n[target.models]\nchat = "m"\n',
            encoding="utf-8",
        )
        env = {"ONE": "sk-one-0123456789", "TWO": "sk-two-0123456789"}
        relayproof_("compare", "t.toml", "--only", "chat.whole", "--out", "runs", "--quiet", **env)
        assert {heard.key for heard in one.heard} == {"sk-one-0123456789"}
        assert {heard.key for heard in two.heard} == {"sk-two-0123456789"}
    assert not any("sk-one" in path.read_text() or "sk-two" in path.read_text() for path in Path("runs").iterdir())


def test_the_same_requests_are_drawn_for_all() -> None:
    with ExitStack() as stack:
        one, two = mocks(stack, None, None)
        path = targets({"one": one, "two": two}, models='[target.models]\nchat = "mock-chat"\n')
        words = ("--fuzz", "--seed", "5", "--only", "chat.whole", "--repeats", "0", "--out", "runs", "--quiet")
        told = relayproof_("compare", path, *words, "--json", "c.json", **KEY)
    assert compared(told)["differences"] == []
    runs = [run_of(path) for path in sorted(Path("runs").iterdir())]
    drawn = [{e.probe: e.request.body for e in run.exchanges if (e.probe or "").startswith("fuzz.")} for run in runs]
    assert len(drawn[0]) > 10
    assert drawn[0] == drawn[1]


def test_a_target_has_headers_of_its_own() -> None:
    with serving(sends(said(200, reply()))) as one, serving(sends(said(200, reply()))) as two:
        path = targets({"one": one.url}, 'headers = { x-provider = "openai" }\n')
        Path("two.toml").write_text(f'base_url = "{two.url}"\nmodels = {{ chat = "m" }}\n', encoding="utf-8")
        words = ("--only", "chat.whole", "--out", "runs", "--quiet")
        relayproof_("compare", path, "two.toml", *words, **KEY)
        assert {value for heard in one.heard for value in heard.headers("x-provider")} == {"openai"}
        assert not any(heard.headers("x-provider") for heard in two.heard)
    targets({"one": NOBODY}, 'headers = { "bad name" = "x" }\n')
    told = relayproof_("compare", path, "two.toml", **KEY)
    assert "the target one, headers: expected NAME:VALUE" in told.line


def test_each_relay_has_a_budget_of_its_own() -> None:
    with serving(sends(said(200, reply()))) as one, serving(sends(said(200, reply()))) as two:
        path = targets({"one": one.url, "two": two.url}, "max_requests = 3\n")
        told = relayproof_("compare", path, "--out", "runs", "--quiet", "--json", "-", **KEY)
        assert [len(server.heard) for server in (one, two)] == [3, 3]
        targets({"one": one.url, "two": two.url}, "max_requests = 3\n")
        assert relayproof_("compare", path, "--max-requests", "2", "--out", "r", "--quiet", **KEY).code in {1, 4}
        assert [len(server.heard) for server in (one, two)] == [5, 5]
    assert json.loads(told.out)["relays"]
    assert told.err.splitlines()[0].startswith("1 ")  # the summary makes room for the program that reads


def test_a_fault_of_ours_at_one_relay_is_5_and_the_others_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def breaks(target: Any, *words: Any, **named: Any) -> Any:
        run = await check(target, *words, **named)
        if target.name == "two":
            raise RuntimeError("two\nlines")
        return run

    monkeypatch.setattr("conformance.several.check", breaks)
    with serving(sends(said(200, reply()))) as one, serving(sends(said(200, reply()))) as two:
        path = targets({"one": one.url, "two": two.url})
        told = relayproof_("compare", path, "--only", "chat.whole", "--out", "runs", "--quiet", **KEY)
    assert told.code == 5
    assert told.line == "relayproof: two: our own fault: RuntimeError: two lines"


WRONG: dict[str, str] = {
    "no-host.toml": '[[target]]\nname = "a"\n',
    "twice.toml": '[[target]]\nname = "a"\nbase_url = "http://127.0.0.1:1"\n' * 2,
    "beside.toml": 'name = "x"\n[[target]]\nname = "a"\n',
    "no-list.toml": 'target = "a"\n',
    "no-key.toml": '[[target]]\nname = "a"\nbase_url = "https://a.invalid"\n[[target]]\nbase_url = "https://b.invalid"\n',
    "one-key.toml": "".join(
        f'[[target]]\nname = "{name}"\nbase_url = "https://{name}.invalid"\nkey_env = "ONE"\n' for name in "ab"
    ),
    "local-key.toml": '[[target]]\nname = "a"\nbase_url = "https://a.invalid"\nkey_env = "RELAYPROOF_API_KEY"\n'
    '[[target]]\nname = "b"\nbase_url = "http://127.0.0.1:1"\n',
    "concurrency.toml": '[[target]]\nbase_url = "http://127.0.0.1:1"\nconcurrency = 0\n',
    "alone.toml": '[[target]]\nname = "a"\nbase_url = "http://127.0.0.1:1"\n',
    "no-run.jsonl": "hello\n",
}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        ([], "Missing argument 'FILES...'"),
        (["missing.toml"], "missing.toml"),
        (["no-host.toml"], "names no host"),
        (["twice.toml"], "a is the name of 2"),
        (["beside.toml"], "[[target]] tables and nothing else"),
        (["no-list.toml"], "[[target]] tables and nothing else"),
        (["no-key.toml"], "the target a names no key_env"),
        (["one-key.toml"], "ONE is the key of a.invalid: b needs another"),
        (["local-key.toml"], "RELAYPROOF_API_KEY is the key of a.invalid: b needs another"),
        (["concurrency.toml"], "concurrency is one or more"),
        (["alone.toml", "--quiet"], "one relay alone"),
        (["no-run.jsonl", "no-run.jsonl"], "no-run.jsonl cannot be read as a run"),
        (["alone.toml", "--only", "nonsense"], "--only nonsense"),
        (["alone.toml", "--json", "-", "--markdown", "-"], "only one format can go to standard output"),
        (["alone.toml", "--json", "/dev/null/x"], "cannot write /dev/null/x"),
        (["alone.toml", "--out", "/dev/null/x"], "cannot write /dev/null/x"),
    ],
)
def test_wrong_use_is_2_and_one_line(words: list[str], says: str) -> None:
    for name, text in WRONG.items():
        Path(name).write_text(text, encoding="utf-8")
    told = relayproof_("compare", *words, ONE="sk-one-0123456789", **KEY)
    assert (told.code, told.out) == (2, "")
    assert says in told.line


def test_a_dry_run_sends_nothing() -> None:
    with serving(sends(said(200, reply()))) as one:
        path = targets({"one": one.url, "two": one.url})
        told = relayproof_("compare", path, "--dry-run", **KEY)
        assert one.heard == []
    assert told.code == 0
    assert [line.split()[0] for line in told.out.splitlines()] == ["one", "two"]
    assert all("nothing was sent" in line for line in told.out.splitlines())
    assert not Path("reports").exists()


@pytest.mark.parametrize(
    ("number", "code", "how"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")]
)
def test_interrupted_it_leaves_what_was_captured(number: signal.Signals, code: int, how: str) -> None:
    with serving(hangs) as one:
        path = targets({"one": one.url, "two": one.url})
        with started("compare", path, "--out", "runs", "--quiet", **KEY) as process:
            while len(one.heard) < 2 and process.poll() is None:
                pass
            os.kill(process.pid, number)
            _, err = process.communicate(timeout=30)
    assert process.returncode == code
    assert err == f"relayproof: {how}; what was captured is in runs\n"
    assert len([run_of(path) for path in Path("runs").iterdir()]) == 2


def test_of_an_old_and_a_new_run_of_one_relay_the_new_one_decides() -> None:
    with running("--speed", "max", "--api-key", KEY["RELAYPROOF_API_KEY"]) as base:
        words = ("check", base, "--model", "mock-chat", "--only", "chat.stream", "--quiet", "--repeats", "0")
        relayproof_(*words, "--out", "good.jsonl", **KEY)
        relayproof_(*words, "--out", "bad.jsonl", "--header", f"X-Relay-Fault: {FAULT}", **KEY)
    told = relayproof_("compare", "good.jsonl", "bad.jsonl", "--markdown", "c.md")
    assert told.code == 1
    comment = Path("c.md").read_text(encoding="utf-8")
    assert comment.startswith("<!-- relayproof -->\n### ❌ ")
    assert "1 newly broken" in comment
    assert "**newly broken** | chat.stream.done | MUST | pass | fail |" in comment
    told = relayproof_("compare", "bad.jsonl", "good.jsonl")
    assert "mended" in told.out
    later = run_of(Path("good.jsonl"))
    text = Path("good.jsonl").read_text(encoding="utf-8")
    Path("later.jsonl").write_text(text.replace(later.header.started, "2099-01-01T00:00:00Z"), encoding="utf-8")
    assert relayproof_("compare", "bad.jsonl", "later.jsonl").code == 0


def test_history_follows_a_relay_over_the_files_of_a_folder() -> None:
    with serving(sends(said(200, reply()))) as server:
        for name in ("a", "b"):
            words = ("check", server.url, "--model", "m", "--only", "chat.whole", "--quiet")
            relayproof_(*words, "--out", f"runs/{name}.jsonl")
    Path("runs/no-run.jsonl").write_text("hello\n", encoding="utf-8")
    told = relayproof_("history", "runs", "--html", "h.html", "--json", "h.json")
    assert told.code == 0
    assert "2 runs" in told.out
    assert told.line.startswith("left out: runs/no-run.jsonl cannot be read as a run")
    (relay,) = json.loads(Path("h.json").read_text(encoding="utf-8"))["relays"]
    assert len(relay["runs"]) == 2
    assert "<svg" in Path("h.html").read_text(encoding="utf-8")
    assert "1 run" in relayproof_("history", "runs", "--last", "1").out
    assert relayproof_("history", "runs/a.jsonl", "--relay", relay["name"]).code == 0


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["empty"], "no run is there"),
        (["empty", "--relay", "x"], "no run is there of x"),
        (["missing"], "missing"),
        (["empty", "--html", "/dev/null/x"], "cannot write"),
    ],
)
def test_a_history_of_nothing_is_2(words: list[str], says: str) -> None:
    Path("empty").mkdir()
    told = relayproof_("history", *words)
    assert told.code == 2
    assert says in told.line


def test_a_limit_on_money_holds_for_each_relay_or_is_refused() -> None:
    path = targets({"one": NOBODY, "two": NOBODY}, "max_cost = 0.5\n")
    told = relayproof_("compare", path, "--dry-run", **KEY)
    assert (told.code, "a limit on cost needs prices" in told.line) == (2, True)
    path = targets({"one": NOBODY, "two": NOBODY})
    assert relayproof_("compare", path, "--dry-run", "--max-cost", "0.5", **KEY).code == 2
    priced = targets({"one": NOBODY, "two": NOBODY}, models=f'{MODELS}[target.prices."*"]\noutput = 1\n')
    assert relayproof_("compare", priced, "--dry-run", "--max-cost", "0.5", **KEY).code == 0
