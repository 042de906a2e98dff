"""What the rules say of every recording: of real software, read by eye, and of what is authored from documents."""

import tomllib
from pathlib import Path

import pytest

from conformance.judge import judge
from conformance.rule import Level, Outcome, Verdict
from conformance.rules import BOOK
from openapi.wire.exchange import Exchange
from openapi.wire.jsonl import read_recording
from tests.conftest import name_of, recordings

TABLE = tomllib.loads((Path(__file__).parent / "data" / "recordings.toml").read_text(encoding="utf-8"))
FAILS: dict[str, dict[str, str]] = TABLE["fails"]


def weighty(exchange: Exchange) -> list[Verdict]:
    return [verdict for verdict in judge([exchange], BOOK) if verdict.level is not Level.MAY]


def test_each_recording_fails_what_the_table_says_and_no_more(recording: tuple[str, Exchange]) -> None:
    name, exchange = recording
    found = weighty(exchange)
    assert [verdict for verdict in found if verdict.outcome is Outcome.BROKEN] == []
    told = {verdict.rule: verdict.findings for verdict in found if verdict.outcome is Outcome.FAIL}
    assert set(told) == set(FAILS.get(name, ())), told


def test_each_recording_stands_in_the_table_once() -> None:
    listed = [*FAILS, *TABLE["clean"]]
    assert sorted(listed) == sorted(name_of(path) for path in recordings())


def test_the_table_names_rules_that_weigh_and_says_why() -> None:
    rows = [(rule, why) for rules in FAILS.values() for rule, why in rules.items()]
    assert {rule for rule, _ in rows if BOOK[rule].level is Level.MAY} == set()
    assert all(why for _, why in rows)


@pytest.mark.parametrize("source", ["litellm", "llama-server"])
def test_a_real_server_is_right_in_most(source: str) -> None:
    """Rules that real servers pass: so a grammar that forbids what they do is seen here."""
    passed = set[str]()
    for path in recordings():
        if name_of(path).startswith(f"{source}/chat-"):
            exchange = read_recording(path.read_text(encoding="utf-8"), name_of(path)).exchange
            passed |= {verdict.rule for verdict in weighty(exchange) if verdict.outcome is Outcome.PASS}
    order = {rule for rule in BOOK if rule.startswith("chat.stream.") and BOOK[rule].level is Level.MUST}
    assert order - passed <= {"chat.stream.usage-asked"}
