"""What docs/ci.md and action.yml tell a CI to do is done here: their own commands, in bash, against the mock."""

import json
import os
import re
import subprocess
from importlib.resources import files
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mock_server.process import running
from tests.system.command import ROOT, environment

KEY = "sk-ci-0123456789"
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
YAML = re.compile(r"^## (\w+)\n+```yaml\n(.*?)```", re.DOTALL | re.MULTILINE)
SNIPPETS = {
    title.lower(): yaml.safe_load(text)
    for title, text in YAML.findall((ROOT / "docs" / "ci.md").read_text(encoding="utf-8"))
}
FAULT = "chat-stream-done-missing"


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


def bash(script: str, **env: str) -> subprocess.CompletedProcess[str]:
    path = f"{ROOT / '.venv' / 'bin'}:{os.environ['PATH']}"
    known = environment({"PATH": path, "RELAYPROOF_API_KEY": KEY, **env})
    words = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script]
    return subprocess.run(words, env=known, capture_output=True, text=True, timeout=110, check=False)


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        ("github-actions", ACTION),
        ("github-workflows", {("on" if key is True else key): value for key, value in SNIPPETS["github"].items()}),
        ("gitlab-ci", SNIPPETS["gitlab"]),
    ],
    ids=["action.yml", "a workflow of GitHub", "a job of GitLab"],
)
def test_it_is_valid_by_the_schema_of_its_ci(schema: str, value: Any) -> None:
    text = files("check_jsonschema").joinpath("builtin_schemas", "vendor", f"{schema}.json").read_text(encoding="utf-8")
    rules = json.loads(text)
    validator = jsonschema.validators.validator_for(rules)(rules)
    assert [error.message for error in validator.iter_errors(value)] == []


# --- the action -------------------------------------------------------------------------------------------------------


def value_of(expression: str, inputs: dict[str, str], outputs: dict[str, str]) -> str:
    """What GitHub puts in the place of an expression, of those that we use."""
    given = {**{f"inputs.{name}": value for name, value in inputs.items()}}
    given |= {f"steps.check.outputs.{name}": value for name, value in outputs.items()}
    return re.sub(r"\$\{\{ *([\w.-]+) *\}\}", lambda found: given[found[1]], expression)


def act(**given: str) -> tuple[int, str]:
    """Runs the steps of the action as GitHub does, but for the installation; the code of the job and its summary."""
    inputs = {name: one.get("default", "") for name, one in ACTION["inputs"].items()} | given
    outputs: dict[str, str] = {}
    summary, output = Path("summary"), Path("output")
    summary.write_text("", encoding="utf-8")
    for step in ACTION["runs"]["steps"]:
        if step["name"] == "Install" or (step.get("if") == "inputs.previous != ''" and not inputs["previous"]):
            continue
        output.write_text("", encoding="utf-8")
        env = {name: value_of(value, inputs, outputs) for name, value in step.get("env", {}).items()}
        done = bash(step["run"], GITHUB_STEP_SUMMARY=str(summary), GITHUB_OUTPUT=str(output), **env)
        assert KEY not in done.stdout + done.stderr
        outputs |= dict(line.split("=", 1) for line in output.read_text(encoding="utf-8").splitlines())
        if done.returncode:
            return done.returncode, summary.read_text(encoding="utf-8")
    return 0, summary.read_text(encoding="utf-8")


def test_the_action_installs_what_stands_beside_it() -> None:
    (install,) = (step for step in ACTION["runs"]["steps"] if step["name"] == "Install")
    done = bash(f"python3() {{ printf '%s\\n' \"$@\"; }}\n{install['run']}", GITHUB_ACTION_PATH=str(ROOT))
    *_, constraints, package = done.stdout.splitlines()
    assert Path(constraints).is_file()
    assert (Path(package) / "pyproject.toml").is_file()


def test_the_action_says_what_is_broken_and_what_changed() -> None:
    models = "mock-chat\n\ntools=mock-chat\n"
    with running("--speed", "max", "--api-key", KEY) as base:
        given = {
            "base-url": base,
            "models": models,
            "arguments": "--only chat.stream --only models --quiet --repeats 0",
        }
        code, summary = act(**given)
        assert code == 0
        assert summary.startswith("## ✅ ")
        os.rename("relayproof-report/run.jsonl", "previous.jsonl")  # noqa: PTH104
        given["arguments"] += f" --header X-Relay-Fault:{FAULT}"
        code, summary = act(**given, previous="previous.jsonl")
    assert code == 1
    assert summary.startswith("## ❌ ")
    assert "1 newly broken" in summary
    told = {path.name for path in Path("relayproof-report").iterdir()}
    assert told == {
        "run.jsonl", "page.html", "junit.xml", "relayproof.sarif", "summary.md", "badge.json", "change.md",
    }  # fmt: skip
    assert not any(KEY in path.read_text(encoding="utf-8") for path in Path("relayproof-report").iterdir())


def test_the_action_ends_with_the_code_of_the_check_where_there_is_no_report() -> None:
    assert act(**{"base-url": "nonsense", "models": "m"}) == (2, "")
    assert act(**{"base-url": "http://127.0.0.1:1", "models": "m", "previous": "missing.jsonl"})[0] == 3


# --- GitLab -----------------------------------------------------------------------------------------------------------


def test_the_job_of_gitlab_runs_and_says_what_changed() -> None:
    job = SNIPPETS["gitlab"]["relay"]
    Path(".relay/bin").mkdir(parents=True)
    Path(".relay/bin/relayproof").symlink_to(ROOT / ".venv" / "bin" / "relayproof")
    script = "\n".join(job["script"]).replace("gpt-4o-mini", "mock-chat")
    with running("--speed", "max", "--api-key", KEY) as base:
        first = bash(script, RELAY=base)
        assert first.returncode == 0, first.stderr
        assert not Path("report/change.md").exists()
        second = bash(script.replace("--quiet", f"--quiet --header X-Relay-Fault:{FAULT}"), RELAY=base)
    assert second.returncode == 1
    assert Path(job["artifacts"]["reports"]["junit"]).read_text(encoding="utf-8").startswith("<?xml")
    assert "**newly broken** | chat.stream.done" in Path("report/change.md").read_text(encoding="utf-8")
    assert KEY not in first.stdout + first.stderr + second.stdout + second.stderr


def test_what_the_documentation_calls_exists() -> None:
    text = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    for option in set(re.findall(r"`(--[a-z]+)`", text)):
        told = [bash(f"relayproof {command} --help").stdout for command in ("check", "compare", "history")]
        assert any(option in one for one in told), option
    assert SNIPPETS["github"]["jobs"]["relay"]["steps"][2]["with"].keys() <= ACTION["inputs"].keys()
