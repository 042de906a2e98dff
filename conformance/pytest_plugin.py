"""The suite as pytest items, and a fixture for contract tests of your own; in the wheel. Translation only.

    pytest --pyargs conformance --relay-base-url https://relay.example/v1 --relay-model gpt-4o-mini

    def test_our_prompt(relay):                      # pytest --relay-base-url …
        answer = relay.post("/v1/chat/completions", json={"model": relay.model, "messages": […], "max_tokens": 50})
        relay.check(answer)                          # our rules, as assertions

Nothing is imported, collected or sent unless a relay is named.
"""

import argparse
import math
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from conformance.testing.relay import Relay
    from conformance.testing.setup import Setup

SETUP: "pytest.StashKey[Setup]" = pytest.StashKey()


def _count(text: str) -> int:
    if not text.isascii() or not text.isdigit():
        msg = f"{text!r} is no whole number from 0"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        msg = f"{text[:40]!r} is no whole number"
        raise argparse.ArgumentTypeError(msg) from None


def _cases(text: str) -> int:
    if not 0 <= _whole(text) <= 100_000:
        msg = f"{text} is not in the range 0<=x<=100000."
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _at_a_time(text: str) -> int:
    if not 1 <= _count(text) <= 64:
        msg = f"{text!r} is not from 1 to 64"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def _money(text: str) -> Decimal:
    try:
        found = Decimal(text)
    except InvalidOperation:
        found = Decimal("nan")
    if not (found.is_finite() and found >= 0):
        msg = f"{text!r} is no amount of money"
        raise argparse.ArgumentTypeError(msg)
    return found


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not (math.isfinite(seconds) and seconds > 0):
        msg = f"{text!r} is no number of seconds"
        raise argparse.ArgumentTypeError(msg)
    return seconds


MANY: dict[str, Any] = {"action": "append", "default": []}
OPTIONS: tuple[tuple[str, str, str, str, dict[str, Any]], ...] = (  # option, name in the setup, metavar, help, more
    ("base-url", "base_url", "URL", "The relay, with or without a final /v1.", {}),
    ("target", "target_name", "NAME|FILE.toml", "A known relay, or a file that describes one.", {}),
    ("model", "models", "[ROLE=]NAME", "A model and what it is named for; a bare name is for chat. Repeatable.", MANY),
    ("api-key-env", "api_key_env", "VAR", "The variable that holds the key. Default: RELAYPROOF_API_KEY.", {}),
    (
        "only",
        "only",
        "RULE|SURFACE",
        "Only rules (or probes) of this id or chapter, or fuzz.… stored. Repeatable.",
        MANY,
    ),
    ("extend", "extensions", "FILE.py|NAME", "Rules and probes of your own, too. Repeatable.", MANY),
    ("baseline", "baseline", "FILE.toml", "Excuse what it waives: xfailed.", {"type": Path}),
    ("dialect", "dialects", "NAME|FILE.toml", "Excuse the habits of a family: xfailed. Repeatable.", MANY),
    ("max-requests", "max_requests", "N", "Never send more requests, in all workers together.", {"type": _count}),
    ("max-tokens", "max_tokens", "N", "Never cause more tokens, at their worst.", {"type": _count}),
    ("max-cost", "max_cost", "N", "Never cause more cost, in the currency of the target's prices.", {"type": _money}),
    ("timeout", "timeout", "S", "Seconds for an answer (120; video 1800).", {"type": _seconds}),
    ("idle-timeout", "idle_timeout", "S", "Seconds of silence (60; video 300).", {"type": _seconds}),
    ("header", "headers", "K:V", "One more header on each request. Repeatable.", MANY),
    ("proxy", "proxy", "URL", "A proxy; HTTP_PROXY and its like count otherwise.", {}),
    ("ca-file", "ca_file", "F", "Certificates to trust.", {}),
    ("concurrency", "concurrency", "N", "Requests at a time (16).", {"type": _at_a_time, "default": 16}),
    ("repeats", "repeats", "N", "Make a failing probe again, so often at most (5).", {"type": _count, "default": 5}),
    (
        "fuzz-cases",
        "cases",
        "N",
        "With --relay-fuzz, and only with it: N random ones for each operation that has a body.",
        {"type": _cases},
    ),
    ("seed", "seed", "N", "Seed of what is drawn (0).", {"type": _whole, "default": 0}),
    (
        "out",
        "out",
        "RUN.jsonl",
        "The run, for report and judge. Default: in pytest's cache.",
        {"type": Path},
    ),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("relay", "conformance of an AI relay (relayproof)")
    for name, given, metavar, what, more in OPTIONS:
        group.addoption(f"--relay-{name}", dest=f"relay_{given}", metavar=metavar, help=what, **more)
    fuzz = "Draw requests from the document too: one item more for each rule that they reach."
    group.addoption("--relay-fuzz", dest="relay_fuzz", action="store_true", help=fuzz)
    strict = "SHOULD counts as MUST, and what the model left open as not verified."
    group.addoption("--relay-strict", dest="relay_strict", action="store_true", help=strict)
    suite = "Collect the suite beside your own tests, as --pyargs conformance does alone."
    group.addoption("--relay-suite", dest="relay_suite", action="store_true", help=suite)
    always = "collect the suite wherever a relay is named (--relay-suite)"
    parser.addini("relay_suite", always, type="bool", default=False)


def pytest_configure(config: pytest.Config) -> None:
    suite = config.getoption("relay_suite")
    wanted = "--relay-suite" if suite else "--relay-fuzz" if config.getoption("relay_fuzz") else None
    if not config.getoption("relay_base_url") and not config.getoption("relay_target_name"):
        if wanted:
            raise pytest.UsageError(f"{wanted}: whom to judge? give --relay-base-url, or --relay-target")
        return
    from conformance.testing.hooks import Hooks  # noqa: PLC0415 - only where a relay is named
    from conformance.testing.setup import setup  # noqa: PLC0415

    made = config.stash[SETUP] = setup(config)
    config.pluginmanager.register(Hooks(made, config, beside=suite or config.getini("relay_suite")), "relayproof-hooks")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    meant = any(str(word).startswith("conformance") for word in config.invocation_params.args)
    if meant and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and SETUP not in config.stash:
        terminalreporter.write_line("relay: none is named: give --relay-base-url, or --relay-target")


@pytest.fixture(scope="session")
def relay(pytestconfig: pytest.Config) -> "Relay":
    """The relay of `--relay-base-url`, to be asked within the budget and held to our rules: `post`, `get`, `request`,
    `check`, for tests in async functions `apost`, `aget`, `arequest`. Without a relay the test is skipped."""
    made = pytestconfig.stash.get(SETUP, None)
    if made is None:
        pytest.skip("no relay is named: --relay-base-url, or --relay-target")
    from conformance.testing.relay import Relay  # noqa: PLC0415

    return Relay(made)
