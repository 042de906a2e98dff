"""The evidence of a self-test, deduplicated: which rule said what of which exchanges, in the runs of which faults.

Runs that `relayproof selftest --keep DIR` left are 5 MB each and nearly all alike: a fault touches a few answers. What
differs only in ids, times and the fault that was asked for is one case here, where the rules said the same of it.
"""

import hashlib
import pickle
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from conformance.judge import last_attempts
from conformance.rule import Outcome
from conformance.rules import BOOK
from conformance.run import Run, read_run
from openapi.wire.exchange import Exchange

VARIES = re.compile(rb"[0-9a-fA-F]{12,}|\d{9,}")
DROPPED = {"date", "x-request-id", "x-relay-fault", "x-relay-seed"}
IN_TIME = {"sse.incremental", "sse.gzip-flushed", "sse.silence", "sse.close", "video.gap", "transport.answered"}


@dataclass(frozen=True)
class Case:
    """One rule on exchanges that are alike in all that it looks at, what it said, and the runs that hold them."""

    rule: str
    exchanges: tuple[Exchange, ...] = field(repr=False)
    outcome: Outcome
    runs: frozenset[str]


@dataclass(frozen=True)
class Evidence:
    """All cases by rule, and for each run (`fault` or `good`) the rules that it failed and those that it passed."""

    cases: dict[str, list[Case]]
    failed: dict[str, frozenset[str]]
    passed: dict[str, frozenset[str]]
    plain: tuple[Exchange, ...] = field(repr=False)  # the good mock's, to see what else a rule may speak of


def collect(folder: Path) -> Evidence:
    """The evidence of all runs in a folder; kept beside them, and made anew where one of them is newer."""
    kept, files = folder / "evidence.pickle", sorted(folder.glob("*.jsonl"))
    if kept.exists() and all(one.stat().st_mtime < kept.stat().st_mtime for one in files):
        found = pickle.loads(kept.read_bytes())
        assert isinstance(found, Evidence)
        return found
    made = _collected(files)
    kept.write_bytes(pickle.dumps(made))
    return made


def _collected(files: Sequence[Path]) -> Evidence:
    known: dict[bytes, Exchange] = {}
    seen: dict[tuple[str, tuple[bytes, ...], Outcome], set[str]] = {}
    failed: dict[str, frozenset[str]] = {}
    passed: dict[str, frozenset[str]] = {}
    plain: tuple[Exchange, ...] = ()
    for path in files:
        fault = path.name.partition(".")[0]
        run = read_run(path.read_text(encoding="utf-8"))
        of_run = dict(_keyed(run, known))
        if fault == "good" and not plain:
            plain = tuple(known[key] for key in of_run.values())
        for verdict in run.verdicts:
            keys = tuple(of_run[one] for one in verdict.exchanges if one in of_run)
            if keys and verdict.rule in BOOK:
                seen.setdefault((verdict.rule, keys, verdict.outcome), set()).add(fault)
        for outcome, table in ((Outcome.FAIL, failed), (Outcome.PASS, passed)):
            of_outcome = frozenset(one.rule for one in run.verdicts if one.outcome is outcome)
            table[fault] = table.get(fault, frozenset()) | of_outcome
    cases: dict[str, list[Case]] = {}
    for (rule, keys, outcome), runs in seen.items():
        exchanges = tuple(known[key] for key in keys)
        cases.setdefault(rule, []).append(Case(rule, exchanges, outcome, frozenset(runs)))
    return Evidence(cases, failed, passed, plain)


def _keyed(run: Run, known: dict[bytes, Exchange]) -> Iterator[tuple[str, bytes]]:
    """The id of each exchange with the key of what it is alike to, which is put among the known."""
    said: dict[str, list[str]] = {}
    timed: set[str] = set()
    for verdict in run.verdicts:
        for name in verdict.exchanges:
            said.setdefault(name, []).append(f"{verdict.rule} {verdict.outcome}")
            if verdict.rule in IN_TIME and verdict.outcome is Outcome.FAIL:
                timed.add(name)
    for exchange in last_attempts(run.exchanges):
        text = "\n".join(sorted(said.get(exchange.id, [])))
        key = _key(exchange, text + (exchange.sent + exchange.id if exchange.id in timed else ""))
        known.setdefault(key, replace(exchange))
        yield exchange.id, key


def _key(exchange: Exchange, said: str) -> bytes:
    request = exchange.request
    headers = [pair for pair in exchange.headers if pair[0].lower() not in DROPPED]
    asked = [pair for pair in request.headers if pair[0].lower() not in DROPPED]
    parts = (
        (exchange.probe, exchange.step, sorted(exchange.claims.items()), request.method, request.path, asked),
        (request.auth, exchange.status, exchange.end, exchange.framing, exchange.error, exchange.reused, headers),
        (exchange.oddities, said),
    )
    hashed = hashlib.blake2b(repr(parts).encode(), digest_size=16)
    for body in (request.body or b"", exchange.content):
        hashed.update(levelled(body) + b"\0")
    return hashed.digest()


def levelled(body: bytes) -> bytes:
    """The body with each number and hash that varies from run to run as its length and its turn: equal ones stay so."""
    turns: dict[bytes, int] = {}
    return VARIES.sub(lambda found: b"<%d #%d>" % (len(found[0]), turns.setdefault(found[0], len(turns))), body)
