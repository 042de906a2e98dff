"""Generated probes, the whole way: what hangs on a request that nobody would think of is found, and made small."""

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from conformance.fuzz.effort import Effort, cases
from conformance.fuzz.store import read_failures, write_failures
from conformance.rule import Level, Outcome
from conformance.run import Found, Run
from mock_server.faults import FAULTS
from mock_server.process import running
from proof.faulty import DRAWN, DRAWN_OTHERWISE, KEY, MODELS, Mocks, hunted, manner, mocks, trial
from proof.matrix import line
from tests.system.command import relayproof_, run_of

PLAIN = {"model", "messages", "max_tokens", "temperature", "seed"}
Body = dict[str, Any]
Shape = Callable[[Body], bool]


def beside(**members: Any) -> Shape:
    """The plain request, with these members beside it and no others."""
    return lambda body: (
        body.keys() == PLAIN | members.keys() and all(body[name] == one for name, one in members.items())
    )


def has(*names: str) -> Shape:
    return lambda body: body.keys() == PLAIN | {*names}


def text(body: Body) -> str:
    return "".join(str(one.get("content")) for one in body["messages"])


SMALLEST: dict[str, Shape] = {  # of the first finding
    "rare-500-schema-streamed-twice": lambda body: has("response_format", "n", "stream")(body) and body["n"] == 2,
    "rare-500-stop-and-logprobs": lambda body: has("logprobs", "stop")(body) and len(body["stop"]) == 1,
    "rare-500-nul": lambda body: has()(body) and text(body) == "\0",
    "rare-500-parts-of-a-tool": lambda body: has()(body) and [one["role"] for one in body["messages"]] == ["tool"],
    "rare-500-unknown-list": beside(relayproof_unknown=[]),
    "rare-500-n-of-an-object": beside(n={}),
    "rare-stop-lost-with-n": lambda body: has("n", "stop")(body) and body["n"] == 2,
    "rare-logprobs-lost-in-json": beside(response_format={"type": "json_object"}, logprobs=True),
    "rare-json-lost-beside-stop": has("response_format", "stop", "stream"),
    "rare-limit-of-one": lambda body: has()(body) and body["max_tokens"] == 1,
    "rare-limit-times-n": beside(n=2),
    "rare-stream-by-order": lambda body: has("stream")(body) and [*body].index("stream") < [*body].index("messages"),
    "rare-surrogate-ends-stream": lambda body: has("stream")(body) and len(text(body)) == 1,
    "rare-nested-arguments-as-text": lambda body: has("tools", "tool_choice")(body) and len(json.dumps(body)) < 500,
    "rare-third-choice-numbered-again": beside(n=3, stream=True),
    "rare-usage-lost-with-tools": lambda body: (
        has("stream", "stream_options", "tools")(body) and len(body["tools"]) == 1
    ),
    "rare-comma-forgiven": lambda body: not body,
    "rare-page-for-slash-in-model": lambda body: not body,
}
SEQUENCES: dict[str, tuple[list[str], Shape]] = {  # the moves that are left, and what the last request looks like
    "rare-500-own-answers-back": (
        ["result", "call"],
        lambda body: sum("annotations" in one for one in said(body)) == 2,
    ),
    "rare-json-cut-behind-streamed-call": (
        ["stream", "result"],
        lambda body: "stream" not in body and roles(body)[-1] == "tool",
    ),
    "rare-done-lost-behind-null": (
        ["call", "result", "call"],
        lambda body: body["stream"] and roles(body)[-1] == "user",
    ),
    "rare-third-round-arguments-twice": (["call", "proceed", "proceed"], lambda body: roles(body).count("tool") == 2),
    "rare-claude-end-lost-behind-streamed-call": (
        ["result"],
        lambda body: body["stream"] and len(body["messages"]) == 3,
    ),
    "rare-listed-model-cut": (["ListedModel"], lambda body: not body),
}
RARE = [name for name, fault in FAULTS.items() if fault.rare]


@pytest.fixture(scope="module")
def served() -> Iterator[Mocks]:
    with mocks(paced=False) as quick:
        yield quick


def said(body: Body) -> list[Body]:
    return [one for one in body["messages"] if one["role"] == "assistant"]


def roles(body: Body) -> list[str]:
    return [one["role"] for one in body["messages"]]


def found_in(run: Run) -> tuple[Found, ...]:
    assert run.footer
    assert run.footer.generated
    return run.footer.generated.found


def test_there_is_a_smallest_request_for_each_rare_fault_and_a_dozen_of_them() -> None:
    assert SMALLEST.keys() | SEQUENCES.keys() == set(RARE)
    assert len(RARE) >= 12
    assert len(SEQUENCES) >= 4


@pytest.mark.parametrize("fault", RARE)
def test_a_rare_fault_is_found_in_the_default_effort_and_made_small(served: Mocks, fault: str) -> None:
    run = asyncio.run(hunted(served.quick, manner(fault), drawn_for=DRAWN_OTHERWISE.get(fault, DRAWN)))
    assert trial(fault, 0, run).holds, line(trial(fault, 0, run))
    found = found_in(run)
    assert {one.identity.partition(" ")[0] for one in found} == set(FAULTS[fault].breaks)
    assert not any(one.flaky for one in found)
    asked = [one.request for one in run.exchanges if one.probe == found[0].probe]
    if fault in SMALLEST:
        assert SMALLEST[fault](asked[0].object), asked[0].body
        assert len(asked[0].body or b"") < 600
        return
    moves, shape = SEQUENCES[fault]
    assert [one.get("move") or one["link"] for one in moves_of(found[0])] == moves
    assert len(asked) == 1 + len([one for one in moves if one != "stream"]), "all of it was asked"
    assert shape(asked[-1].object), asked[-1].body


def moves_of(found: Found) -> list[Body]:
    data: Any = found.case["data"]
    return [*data["moves"]]


def requests(run: Run) -> list[tuple[str | None, bytes | None]]:
    return [(one.probe, one.request.body) for one in run.exchanges]


def test_the_good_mock_draws_no_finding_and_one_seed_the_same_however_many_at_a_time(served: Mocks) -> None:
    once, again = (asyncio.run(hunted(served.quick, seed=7, concurrency=many)) for many in (8, 2))
    assert [one for one in once.verdicts if one.outcome is Outcome.FAIL and one.level is not Level.MAY] == []
    assert [one for one in once.verdicts if one.outcome is Outcome.BROKEN] == []
    assert found_in(once) == ()
    assert requests(once) == requests(again)
    assert decided(once) == decided(again)
    assert len([one for one in once.verdicts if one.generated and one.outcome is Outcome.PASS]) > 5000


CHECK = ("--model", "mock-chat", "--model", "tools=mock-chat", "--quiet", "--repeats", "1")


def fuzz(base: str, *more: object, out: str = "run.jsonl") -> tuple[int, str]:
    told = relayproof_("check", base, *CHECK, "--fuzz", "--out", out, *more, RELAYPROOF_API_KEY=KEY)
    return told.code, told.text


def test_a_failure_is_stored_asked_first_and_told_as_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    only = ("--only", "chat.stop", "--only", "chat.answered")
    target = tmp_path / "mine.toml"
    target.write_text('name = "mine"\n[models]\nchat = "mock-chat"\n', encoding="utf-8")
    with running("--api-key", KEY, "--speed", "max", "--fault", "rare-stop-lost-with-n") as base:
        code, told = fuzz(base, "--target", target, *only)
        assert code == 1
        assert "chat.stop" in told
        stored = tmp_path / "reports" / "local" / "mine.failures.jsonl"
        assert KEY not in stored.read_text(encoding="utf-8")
        [failure] = found_in(run_of(tmp_path / "run.jsonl"))
        code, planned = fuzz(base, "--target", target, "--only", "chat.answered", "--dry-run")
        assert "0 of 1 stored failures come first" in planned
        assert "1 stored left open: its rule is not among those that are judged" in planned
        code, again_told = fuzz(base, "--target", target, *only, "--seed", 5)
        assert "asked first: 1 stored failure, 1 still failing" in again_told
        assert "stored before" in again_told
        again = run_of(tmp_path / "run.jsonl")
        drawn = [one.probe for one in again.exchanges if (one.probe or "").startswith("fuzz.")]
        assert drawn[0] == failure.probe
    with running("--api-key", KEY, "--speed", "max") as base:
        code, told = fuzz(base, "--target", target, *only)
        assert code == 0
        assert "mended: chat.stop fuzz.createChatCompletion" in told
        assert stored.read_text(encoding="utf-8") == ""
        judged = relayproof_("judge", "run.jsonl")
        assert judged.code == 0


def test_a_stored_failure_is_asked_again_by_its_name_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "mine.toml"
    target.write_text('name = "mine"\n[models]\nchat = "mock-chat"\nmessages = "mock-claude"\n', encoding="utf-8")
    stored = tmp_path / "reports" / "local" / "mine.failures.jsonl"
    words = ("--target", target, *CHECK, "--repeats", 0, "--out", "run.jsonl")

    def again(base: str, *only: str) -> tuple[int, str, Run]:
        told = relayproof_("check", base, *words, *(f"--only={word}" for word in only), RELAYPROOF_API_KEY=KEY)
        return told.code, told.text, run_of(tmp_path / "run.jsonl")

    with running("--api-key", KEY, "--speed", "max", "--fault", "rare-stop-lost-with-n") as base:
        fuzz(base, "--target", target, "--only", "chat.stop", "--only", "chat.answered")
        [failure] = read_failures(stored)
        other = replace(failure, identity="chat.n fuzz.createChatCompletion", probe="fuzz.createChatCompletion.other")
        other = replace(other, case={"kind": "of another version"})
        write_failures(stored, [other, failure])
        for name in (failure.probe, "fuzz.createChatCompletion"):
            code, told, run = again(base, name)
            assert code == 1
            assert failure.probe in told
            assert {one.probe for one in run.exchanges} == {"chat.whole", failure.probe}, "the control, and it alone"
            assert run.footer
            assert run.footer.generated
            assert run.footer.generated.tries <= 2, "nothing is made smaller"
        code, told, _ = again(base, "fuzz.createMessage")
        assert (code, "there are fuzz.createChatCompletion." in told) == (2, True)
        code, told, _ = again(base, "models.list", failure.probe)
        assert (code, "it cannot be asked" in told) == (2, True)
    with running("--api-key", KEY, "--speed", "max") as base:
        code, told, _ = again(base, failure.probe)
        assert code == 0
        assert "mended: chat.stop fuzz.createChatCompletion" in told
        assert [one.identity for one in read_failures(stored)] == [other.identity], "the others are kept"
        assert relayproof_("judge", "run.jsonl").code == 0


def test_a_hunt_with_nothing_to_draw_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = relayproof_("check", "http://127.0.0.1:1", "--fuzz", "--dry-run", RELAYPROOF_API_KEY=KEY)
    assert told.err.startswith("--fuzz: nothing is drawn: no model is named for what requests are drawn for (chat, ")
    words = ("--fuzz", "--dry-run", "--model", "mock-chat", "--only", "video")
    told = relayproof_("check", "http://127.0.0.1:1", *words, "--model", "video=sora-2", RELAYPROOF_API_KEY=KEY)
    assert "nothing is drawn" not in told.err
    told = relayproof_("check", "http://127.0.0.1:1", *words[:-1], "http.options", RELAYPROOF_API_KEY=KEY)
    assert told.err.startswith("--fuzz: nothing is drawn: what is drawn reaches none of the rules that are wanted")
    Path("relays.toml").write_text(
        "".join(f'[[target]]\nname = "{name}"\nbase_url = "http://127.0.0.1:1"\n' for name in "ab"), encoding="utf-8"
    )
    told = relayproof_("compare", "relays.toml", "--fuzz", "--dry-run", RELAYPROOF_API_KEY=KEY)
    assert [line.partition(": no model")[0] for line in told.err.splitlines()] == [
        f"{name}: --fuzz: nothing is drawn" for name in "ab"
    ]


def test_a_dry_run_tells_the_bound_and_the_run_keeps_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    target = tmp_path / "mine.toml"
    text = 'name = "mine"\nmax_cost = 0.02\ncurrency = "EUR"\n[models]\nchat = "mock-chat"\n'
    target.write_text(text + "[prices.mock-chat]\ninput = 1.0\noutput = 4\nrequest = 0.00001\n", encoding="utf-8")
    with running("--api-key", KEY, "--speed", "max") as base:
        code, told = fuzz(base, "--target", target, "--dry-run", "--max-requests", 400)
        assert code == 0
        assert re.search(r"\d generated probes \(\d+ of several requests\), \d+ requests, at most \d+,\d+ tokens", told)
        assert re.search(r"the limits leave room for \d+ of \d+ generated probes, if each costs the most", told)
        assert "limits 400 requests, 0.02 EUR" in told
        assert "never more than 400 requests" in told
        assert not (tmp_path / "run.jsonl").exists()
        code, told = fuzz(base, "--target", target, "--max-requests", 400)
    run = run_of(tmp_path / "run.jsonl")
    assert run.footer
    assert run.footer.generated
    assert run.footer.generated.left > 0
    assert "left out by the budget" in told
    assert code in {0, 4}
    spent = run.footer.spent
    assert isinstance(cost := spent["cost_at_most"], float)
    assert 0 < cost <= 0.02
    assert spent["currency"] == "EUR"
    assert isinstance(sent := spent["requests"], int)
    assert isinstance(bound := run.header.plan["bound_requests"], int)
    assert sent <= bound <= 400


def test_a_limit_on_cost_without_a_price_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    told = relayproof_("check", "http://127.0.0.1:9", "--model", "gpt-x", "--max-cost", "1.5", RELAYPROOF_API_KEY=KEY)
    assert told.code == 2
    assert "a limit on cost needs prices, and a target's [prices] has none of gpt-x" in told.line
    for amount in ("-1", "nan", "much"):
        assert relayproof_("check", "http://127.0.0.1:9", "--max-cost", amount, RELAYPROOF_API_KEY=KEY).code == 2


def test_videos_are_drawn_where_one_is_named_and_each_is_asked_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ("--model", "video=sora-2", "--only", "video.edit-refers", "--only", "video.link", "--fuzz", "--quiet")
    with running("--speed", "max", "--fault", "video-link-missing", "--api-key", KEY) as url:
        told = relayproof_("check", url, *words, "--out", "run.jsonl", RELAYPROOF_API_KEY=KEY)
    assert told.code == 1
    run = run_of(Path("run.jsonl"))
    asked = [(one.probe, one.step) for one in run.exchanges if (one.probe or "").startswith("fuzz.")]
    assert len(asked) == len({*asked}) > 3
    assert [one for one in run.verdicts if one.generated and one.rule == "video.link" and one.outcome is Outcome.FAIL]


CUT = 100  # requests: an end amid what is drawn, and a quarter of them are too few to make a sequence small


@pytest.fixture(scope="module")
def sequence(served: Mocks) -> Found:
    """A sequence that fails, as it was drawn."""
    fault = manner("rare-json-cut-behind-streamed-call")
    [found] = found_in(asyncio.run(hunted(served.quick, fault, seed=3)))
    [drawn] = [one for one in cases({role: MODELS[role] for role in DRAWN}, 3, Effort()) if one.name == found.drawn]
    assert drawn.kind == "talk"
    return replace(found, probe=drawn.name, case=drawn.record())


@pytest.mark.parametrize("phase", ["drawn", "made smaller"])
def test_the_same_seed_gives_the_same_requests_and_verdicts_where_the_budget_cuts_the_hunt(
    served: Mocks, sequence: Found, phase: str
) -> None:
    """However many requests are out at a time."""
    shrinks = phase == "made smaller"
    how = manner("rare-json-cut-behind-streamed-call" if shrinks else "")
    stored = (sequence,) if shrinks else ()
    once, again, third = (
        asyncio.run(hunted(served.quick, how, seed=3, stored=stored, concurrency=many, max_requests=CUT))
        for many in (8, 2, 8)
    )
    for other in (again, third):
        assert requests(once) == requests(other)
        assert decided(once) == decided(other)
        assert small(once) == small(other)
    told = once.footer.generated if once.footer else None
    assert told
    assert told.left > 0
    sent = once.footer.spent["requests"] if once.footer else None
    assert isinstance(sent, int)
    assert CUT - 4 <= sent <= CUT, "the rest of it is used"
    assert (told.tries > 0) == shrinks
    for found in found_in(once):
        assert 0 < found.tries < 60, "it was cut in the midst of that"
        assert len(moves_of(found)) < len(moves_of(sequence)) or len(str(found.case)) < len(str(sequence.case))
        assert not found.flaky
        assert [one for one in once.exchanges if one.probe == found.probe], "what is told is in the run"


def small(run: Run) -> list[tuple[Any, ...]]:
    """What was found, less its words: an answer tells the time in them."""
    return [(one.identity, one.probe, one.drawn, one.tries, one.case) for one in found_in(run)]


def decided(run: Run) -> list[tuple[str, str | None, Outcome]]:
    return [(one.rule, one.probe, one.outcome) for one in run.verdicts]
