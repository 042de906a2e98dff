"""What trials prove, and that the reports in the tree are of this catalogue."""

from dataclasses import replace
from pathlib import Path

import pytest

import proof.matrix
from conformance.rule import Level, Outcome, Verdict
from conformance.rules import BOOK
from conformance.run import Footer, Header, Run
from mock_server.faults import FAULTS
from proof.faulty import GOOD, Trial, manner, trial
from proof.matrix import is_honest, killed, line, markdown, proven, summary
from proof.peers import defects
from proof.peers import markdown as peers
from tests.system.command import relayproof_

REPORTS = Path(proof.matrix.__file__).parent.parent / "reports"
MUST = frozenset(name for name, rule in BOOK.items() if rule.level is Level.MUST)
NONE: frozenset[str] = frozenset()
FAULT = "chat-stream-done-missing"


def as_named(name: str, seed: int = 0) -> Trial:
    """A trial in which a fault broke what it names."""
    named = frozenset(FAULTS[name].breaks) if name else NONE
    return Trial(name, seed, named, NONE, MUST - named, 1 if named & MUST else 0, 1 if named else 0)


ALL = [as_named(name) for name in (GOOD, *FAULTS)]


def test_a_fault_that_breaks_what_it_names_holds() -> None:
    one = as_named(FAULT)
    assert one.holds
    assert line(one) == f"ok   {FAULT}: broke chat.stream.done"


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        (replace(as_named(FAULT), failed=NONE), "NAMED, yet not broken: chat.stream.done"),
        (
            replace(as_named(FAULT), failed=frozenset({"chat.stream.done", "chat.n"}), told=(("chat.n", "seen 1"),)),
            "NOT NAMED, yet broken: chat.n; chat.n: 'seen 1'",
        ),
        (replace(as_named(FAULT), broken=frozenset({"chat.n"})), "check raised: chat.n"),
        (replace(as_named(FAULT), exit=0), "exit code 0, not 1"),
        (replace(as_named(GOOD), passed=MUST - {"chat.n"}), "left open: chat.n"),
        (replace(as_named("honest-crlf"), left=3), "left open: 3 generated probes"),
        (replace(as_named(GOOD), exit=4), "exit code 4, not 0"),
        (replace(as_named("honest-crlf"), exit=1), "exit code 1, though no MUST is named"),
        (replace(as_named("honest-crlf", 3), failed=frozenset({"chat.n"})), "(seed 3): broke nothing; NOT NAMED"),
    ],
)
def test_what_does_not_hold_is_told(changed: Trial, told: str) -> None:
    assert not changed.holds
    assert line(changed).startswith("BAD  ")
    assert told in line(changed)
    assert not proven([changed], whole=False)


def test_a_tolerance_is_told_and_no_more() -> None:
    one = replace(as_named("honest-crlf"), failed=frozenset({"transport.request-id"}))
    assert BOOK["transport.request-id"].level is Level.MAY
    assert one.holds


def test_all_rules_killed_is_a_proof_and_one_left_is_none() -> None:
    assert proven(ALL)
    assert not proven([one for one in ALL if "chat.seed" not in one.named])
    assert all(killed(ALL).values())


def test_the_summary_names_the_killers_and_what_is_wrong() -> None:
    bad = replace(as_named(FAULT), failed=NONE)
    told = "\n".join(summary([bad]))
    assert "MUST   chat.stream.done: KILLED BY NOTHING" in told
    assert line(bad) in told
    assert "0 of 1 faults broke exactly what they name" in told
    assert "chat.n" not in "\n".join(summary([as_named(FAULT)], whole=False))


def test_the_matrix_lists_every_rule_fault_and_variant() -> None:
    page = markdown(ALL)
    assert [name for name in (*BOOK, *FAULTS) if f"`{name}`" not in page] == []
    assert "**nothing**" not in page


def test_the_matrix_in_the_tree_is_of_this_catalogue_and_proves_it() -> None:
    """`make proof` makes it anew."""
    page = (REPORTS / "kill-matrix.md").read_text(encoding="utf-8")
    assert [name for name in (*BOOK, *FAULTS) if f"| `{name}` |" not in page] == []
    assert "**nothing**" not in page
    assert "**no**" not in page
    for name, fault in FAULTS.items():
        row = next(one for one in page.splitlines() if one.startswith(f"| `{name}` |"))
        assert fault.text.replace("|", "\\|").replace("<", "&lt;") in row, name
        assert [rule for rule in fault.breaks if f"`{rule}`" not in row] == [], name


def test_the_comparison_in_the_tree_finds_all() -> None:
    """`make proof` makes it anew."""
    page = (REPORTS / "peers.md").read_text(encoding="utf-8")
    assert "relayproof found **34 of 34**" in page
    assert "on the good relay it found 0 and ended with 0" in " ".join(page.split())
    assert [row.fault for row in defects()[1] if f"| `{row.fault}` |" not in page] == []


def test_the_comparison_says_what_only_strict_makes_red() -> None:
    page = peers(ALL)
    assert "| another model in the echo | **found**, exit with `--strict` | `chat.model` |" in page
    assert "| no `[DONE]` | **found**, exit | `chat.stream.done` |" in page
    missed = [replace(one, failed=NONE, exit=0, strict=0) if one.fault == "chat-id-missing" else one for one in ALL]
    assert "| id missing | – |  |" in peers(missed)


def test_a_trial_joins_the_runs_of_a_fault() -> None:
    def run(exit_code: int, *outcomes: tuple[str, Outcome]) -> Run:
        verdicts = tuple(Verdict(rule, BOOK[rule].level, outcome, "p", ("e1",)) for rule, outcome in outcomes)
        return Run(Header({}, "", "", 0, ""), (), verdicts, Footer({}, {}, "", exit_code))

    joined = trial(FAULT, 2, run(1, ("chat.n", Outcome.PASS)), run(0, ("chat.n", Outcome.FAIL)))
    assert (joined.failed, joined.passed) == (frozenset({"chat.n"}), NONE)
    assert (joined.exit, joined.seed) == (1, 2)
    assert trial(GOOD, 0, run(0, ("chat.n", Outcome.BROKEN))).broken == {"chat.n"}


def test_a_manner_is_headers() -> None:
    assert manner(GOOD) == ()
    assert manner(FAULT, 7) == (("x-relay-fault", FAULT), ("x-relay-seed", "7"))
    assert is_honest(GOOD)
    assert is_honest("honest-crlf")
    assert not is_honest(FAULT)


@pytest.mark.parametrize("words", [("--fault", "chat-stream-done-mising"), ("--rule", "chat.stream.dun")])
def test_what_the_selftest_does_not_know_is_2_with_its_neighbours(words: tuple[str, str]) -> None:
    told = relayproof_("selftest", *words)
    assert told.code == 2
    assert "did you mean chat" in told.line


def test_honest_ones_alone_are_told_without_faults() -> None:
    honest = [as_named("honest-crlf"), as_named("honest-crlf", 1)]
    assert list(summary(honest, whole=False)) == ["", "1 honest variants over 2 seeds: 2 of 2 clean"]
    bad = replace(honest[1], left=3)
    assert list(summary([honest[0], bad], whole=False))[-1] == "1 honest variants over 2 seeds: 1 of 2 clean"


def test_a_selftest_by_generated_probes() -> None:
    told = relayproof_("selftest", "--fuzz", "completions", "--fault", "honest-crlf", "--seeds", "2")
    assert told.code == 0, told.text
    assert told.out.splitlines()[-1] == "1 honest variants over 2 seeds: 2 of 2 clean"


DRAWN_ROLES = "chat, completions, embeddings, messages, video, and tools beside chat"


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--fuzz", "chat", "--rule", "tools"), "--fuzz plays honest variants alone: --rule names faults"),
        (("--fuzz", "chat", "--fault", FAULT), f"--fuzz plays honest variants alone: --fault {FAULT} is none"),
        (("--honest", "--rule", "tools"), "--honest plays honest variants alone: --rule names faults"),
        (("--fuzz", "chat", "--markdown", "m.md"), "--markdown and --peers tell what kills a rule"),
        (("--fuzz", "vision"), f"nothing is drawn for vision (roles with generated probes: {DRAWN_ROLES})"),
        (("--fuzz", "tools"), f"nothing is drawn for tools (roles with generated probes: {DRAWN_ROLES})"),
    ],
    ids=str,
)
def test_a_selftest_that_contradicts_itself_is_2_and_plays_nothing(words: tuple[str, ...], says: str) -> None:
    told = relayproof_("selftest", *words)
    assert (told.code, told.out) == (2, "")
    assert told.line.endswith(says)


def test_a_selftest_of_one_fault_and_one_variant(tmp_path: Path) -> None:
    told = relayproof_(
        "selftest", "--fault", FAULT, "--fault", "honest-crlf", "--seeds", "2", "--jobs", "1", "--keep", tmp_path
    )
    assert told.code == 0, told.text
    assert told.out.splitlines()[0] == f"MUST   chat.stream.done: {FAULT}"
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{FAULT}.0.0.jsonl",
        "honest-crlf.0.0.jsonl",
        "honest-crlf.1.0.jsonl",
    ]
