"""The example of docs/extending.md, the whole way: checked, judged again with and without its file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.rule import Outcome
from mock_server.process import running
from tests.system.command import ROOT, Told, relayproof_, run_of
from tests.system.hostile import reply, said, sends, serving

HOUSE = ROOT / "docs" / "house_rules.py"
KEY = "sk-relayproof-test-house-0123"
ONLY = (
    "--only",
    "acme.request-id",
    "--only",
    "acme.tenant",
    "--quiet",
    "--model",
    "mock-chat",
    "--model",
    "tools=mock-chat",
)


@pytest.fixture(autouse=True)
def _in_a_folder_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def relay() -> Iterator[str]:
    with running("--api-key", KEY, "--speed", "max") as base:
        yield base


def check(base: str, *words: object) -> Told:
    return relayproof_("check", base, *ONLY, *words, RELAYPROOF_API_KEY=KEY)


def test_the_page_shows_the_file() -> None:
    [code] = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "extending.md").read_text("utf-8"), re.DOTALL)
    assert code == HOUSE.read_text(encoding="utf-8")


def test_the_example_judges_a_good_relay(relay: str) -> None:
    told = check(relay, "--extend", HOUSE, "--out", "good.jsonl")
    assert told.code == 0, told.text
    run = run_of(Path("good.jsonl"))
    judged = {verdict.rule: verdict.outcome for verdict in run.verdicts}
    assert judged == {"acme.request-id": Outcome.PASS, "acme.tenant": Outcome.PASS}
    assert {"acme.tenant", "chat.whole", "tools.required"} <= {verdict.probe for verdict in run.verdicts}
    assert str(ROOT) not in json.dumps(run.header.record()).replace(run.header.command, "")


def test_the_example_finds_a_relay_without_request_ids_and_is_needed_to_judge_again() -> None:
    with serving(sends(said(200, reply()))) as server:
        told = check(server.url, "--extend", HOUSE, "--out", "red.jsonl", "--html", "red.html")
    assert told.code == 1, told.text
    assert "expected an x-request-id, got ''" in told.out
    assert "without which support finds nothing" in Path("red.html").read_text(encoding="utf-8")
    again = relayproof_("judge", "red.jsonl", "--extend", HOUSE, "--out", "again.jsonl")
    assert again.code == 1
    assert run_of(Path("again.jsonl")).verdicts == run_of(Path("red.jsonl")).verdicts
    without = relayproof_("judge", "red.jsonl", "--out", "without.jsonl")
    assert without.code == 4, "what is not judged again is not green"
    assert "its law is not here: judge with --extend house_rules.py" in without.out
    left = {verdict.rule: verdict.outcome for verdict in run_of(Path("without.jsonl")).verdicts}
    assert left == {"acme.request-id": Outcome.INCONCLUSIVE, "acme.tenant": Outcome.INCONCLUSIVE}


def test_a_file_that_changed_since_is_told(relay: str) -> None:
    text = HOUSE.read_text(encoding="utf-8")
    Path("house.py").write_text(text, encoding="utf-8")
    assert check(relay, "--extend", "house.py", "--out", "run.jsonl").code == 0
    assert "house.py is not what" not in relayproof_("judge", "run.jsonl", "--extend", "house.py").text
    Path("house.py").write_text(text.replace("< 8", "< 800"), encoding="utf-8")
    told = relayproof_("judge", "run.jsonl", "--extend", "house.py")
    assert told.err == "house.py is not what it was when the run was made\n"
    assert told.code == 1


def test_a_check_of_the_user_that_raises_is_broken_and_says_where(relay: str) -> None:
    Path("house.py").write_text(HOUSE.read_text(encoding="utf-8").replace('or ""', "+ 1"), encoding="utf-8")
    told = check(relay, "--extend", "house.py")
    assert told.code == 5
    assert re.search(r"the check raised TypeError: .* \(house\.py:19\)", " ".join(told.out.split()))


def test_what_is_wrong_in_a_file_ends_with_2_before_anything_is_sent(relay: str) -> None:
    text = HOUSE.read_text(encoding="utf-8")
    Path("house.py").write_text(text.replace("acme.tenant", "chat.tenant"), encoding="utf-8")
    told = check(relay, "--extend", "house.py")
    assert (told.code, told.line.partition(": the rule")[0]) == (2, "relayproof: house.py:24")
    Path("house.py").write_text("import nothing_of_that_name\n", encoding="utf-8")
    assert relayproof_("judge", "none.jsonl", "--extend", "house.py").code == 2
    told = check(relay, "--extend", "house.py")
    assert told.line == "relayproof: house.py:1: ModuleNotFoundError: No module named 'nothing_of_that_name'"
