"""Rules and probes of a user's own: from a file, or from a module that an installed package names by an entry point.

    relayproof check … --extend house_rules.py
    relayproof check … --extend acme              # [project.entry-points.relayproof] acme = "acme.relay_rules"

They are loaded where they are named, and never because they are there. `@rule` declares a rule as in our own book, and
PROBES holds the rows. An id begins with a chapter of its own, so that neither side can take the other's names, now or
later. What is wrong in such a file is told with its line.
"""

import hashlib
import importlib.util
import re
import sys
import traceback
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.machinery import ModuleSpec
from importlib.metadata import entry_points
from pathlib import Path
from types import ModuleType
from typing import NoReturn

from conformance.probe import Planned, Probe, Role
from conformance.probes import PROBES
from conformance.rule import GENERATED, Level, On, Rule, declaring_into
from conformance.rules import BOOK
from conformance.target import ConfigurationError
from openapi.json_text import Json

GROUP = "relayproof"
ID = re.compile(r"[a-z][a-z0-9_-]*(\.[a-z0-9][a-z0-9_-]*)+")
OURS = frozenset(
    {name.partition(".")[0] for name in (*BOOK, *PROBES)}
    | {role.value for role in Role}
    | {GENERATED.rstrip("."), "run"}
)


@dataclass(frozen=True, slots=True)
class Source:
    """One file: its name, `sha256:` and the hash of its bytes, and what it declares."""

    name: str
    digest: str
    rules: Mapping[str, Rule]
    probes: Mapping[str, Probe]

    def record(self) -> dict[str, Json]:
        """What a run remembers of it."""
        levels: dict[str, Json] = {rule.id: rule.level.value for rule in self.rules.values()}
        return {"name": self.name, "digest": self.digest, "rules": levels, "probes": list(self.probes)}


@dataclass(frozen=True, slots=True)
class Extension:
    """What several files add to the book and to the probes; without any these are our own."""

    sources: tuple[Source, ...] = ()
    rules: Mapping[str, Rule] = field(default_factory=lambda: BOOK)
    probes: Mapping[str, Probe] = field(default_factory=lambda: PROBES)

    @property
    def record(self) -> tuple[dict[str, Json], ...]:
        return tuple(source.record() for source in self.sources)


def load(words: Sequence[str]) -> Extension:
    """What these files (`….py`) and entry points declare, beside our own. Raises ConfigurationError, with file and line
    where it is the file's fault."""
    sources: list[Source] = []
    rules, probes = dict(BOOK), dict(PROBES)
    for word in dict.fromkeys(words):
        source = _source(_spec(word))
        for kind, name in _names(source):
            if name in (rules if kind == "rule" else probes):
                _refuse(source.name, f"another file has a {kind} {name!r} too")
        rules |= source.rules
        probes |= source.probes
        sources.append(source)
    return Extension(tuple(sources), rules, probes)


def _names(source: Source) -> list[tuple[str, str]]:
    return [*(("rule", name) for name in source.rules), *(("probe", name) for name in source.probes)]


def _refuse(where: str, why: str) -> NoReturn:
    msg = f"{where}: {why}"
    raise ConfigurationError(msg)


def _spec(word: str) -> ModuleSpec:
    """The file that is meant."""
    path = Path(word)
    if word.endswith(".py") or path.is_file():
        if not path.is_file():
            _refuse(f"--extend {word}", "there is no such file")
        spec = importlib.util.spec_from_file_location(f"relayproof_extension_{path.stem}", path.resolve())
    else:
        spec = _named(word)
    if spec is None or spec.loader is None or not spec.origin:
        _refuse(f"--extend {word}", "it is no file of Python")
    return spec


def _named(word: str) -> ModuleSpec | None:
    known = {point.name: point.module for point in entry_points(group=GROUP)}
    if word not in known:
        there = ", ".join(sorted(known)) or "none is installed"
        _refuse(f"--extend {word}", f"neither a file that ends with .py nor an entry point of {GROUP!r} ({there})")
    try:
        return importlib.util.find_spec(known[word])
    except ImportError as error:
        _refuse(f"--extend {word}", f"its entry point {known[word]} cannot be imported: {error}")


def _source(spec: ModuleSpec) -> Source:
    """Runs the file, as new each time: its rules go nowhere but here."""
    path = Path(spec.origin or "")
    declared: dict[str, Rule] = {}
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses of the file look for it
    try:
        with declaring_into(declared):
            assert spec.loader
            spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # noqa: BLE001 - whatever it raises is told with its line
        _refuse(_line(error, path), f"{type(error).__name__}: {_said(error)}")
    for rule in declared.values():
        _check_rule(rule, path)
    probes = _probes(module, path)
    _try(declared.values(), [*PROBES.values(), *probes.values()], path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    return Source(path.name, f"sha256:{digest}", declared, probes)


def _said(error: BaseException) -> str:
    text = error.msg if isinstance(error, SyntaxError) else str(error)
    return "".join(one if one.isprintable() else "\N{REPLACEMENT CHARACTER}" for one in " ".join(text.split()))[:300]


def _line(error: BaseException, path: Path) -> str:
    """`file:line` of what a file raised, as far as it is known."""
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return f"{path.name}:{error.lineno}"
    lines = [frame.lineno for frame in traceback.extract_tb(error.__traceback__) if frame.filename == str(path)]
    return f"{path.name}:{lines[-1]}" if lines else path.name


def _check_rule(rule: Rule, path: Path) -> None:
    code = getattr(rule.check, "__code__", None)
    where = f"{path.name}:{code.co_firstlineno}" if code else path.name
    _check_name("rule", rule.id, where)
    kinds = ((rule.level, Level, "a Level"), *((one, On, "an On") for one in (rule.on, rule.occasion, rule.given)))
    for value, kind, said in kinds:
        if not isinstance(value, kind):
            _refuse(where, f"the rule {rule.id!r}: {value!r:.60} is not {said}")
    if not isinstance(rule.over, tuple) or not all(isinstance(step, str) for step in rule.over):
        _refuse(where, f"the rule {rule.id!r}: over={rule.over!r:.60} is no tuple of names")


def _check_name(kind: str, name: object, where: str) -> None:
    if not isinstance(name, str) or not ID.fullmatch(name):
        _refuse(where, f"{name!r:.60} is no name of a {kind}: expected one like acme.greeting")
    chapter = name.partition(".")[0]
    if chapter in OURS:
        _refuse(where, f"the {kind} {name!r}: {chapter!r} is a name of the suite's own; begin with one of yours")


def _probes(module: ModuleType, path: Path) -> dict[str, Probe]:
    rows = getattr(module, "PROBES", ())
    if not isinstance(rows, list | tuple):
        _refuse(path.name, f"PROBES is no list of probes: {rows!r:.60}")
    found: dict[str, Probe] = {}
    for row in rows:
        if not isinstance(row, Probe):
            _refuse(path.name, f"PROBES holds {row!r:.60}, which is no Probe")
        _check_name("probe", row.id, path.name)
        if row.id in found:
            _refuse(path.name, f"the probe {row.id!r} stands twice")
        try:
            row.tokens("m")
        except Exception as error:  # noqa: BLE001 - as in `_source`
            _refuse(path.name, f"the probe {row.id!r} cannot be asked: {type(error).__name__}: {_said(error)}")
        found[row.id] = row
    return found


def _try(rules: Iterable[Rule], probes: Iterable[Probe], path: Path) -> None:
    """Asks each rule of each probe whether it applies, as a plan does: what it raises there is told here."""
    planned = [Planned(0, probe, "m") for probe in probes]
    for rule in rules:
        try:
            for one in planned:
                any(one.reaches({rule.id: rule}))
        except Exception as error:  # noqa: BLE001 - as in `_source`
            _refuse(
                _line(error, path),
                f"the rule {rule.id!r}, on={rule.on.name!r:.60}: {type(error).__name__}: {_said(error)}",
            )
