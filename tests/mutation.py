"""Mutants of the rules: small mistakes put into each check, to see whether the proof would notice.

    relayproof selftest --keep reports/local/kills        the evidence: a run of every fault, once
    python tests/mutation.py reports/local/kills          the mutants, judged on it offline: minutes, no socket

A mutant is killed where the stored runs turn red (a fault no longer breaks what it names, a variant is accused, a check
raises, a MUST of the good mock is left open), or else where the tests of its chapter do. What survives is printed.
"""

import argparse
import ast
import contextlib
import copy
import functools
import importlib
import io
import multiprocessing
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import CodeType, FrameType, ModuleType

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))

from conformance import rule as catalogue  # noqa: E402
from conformance import rules as chapters  # noqa: E402 - the path first
from conformance.judge import verdict  # noqa: E402
from conformance.rule import Level, Outcome, Rule  # noqa: E402
from mock_server.faults import FAULTS  # noqa: E402
from openapi.wire.exchange import Exchange  # noqa: E402
from tests.evidence import Case, Evidence, collect  # noqa: E402

SAID = {"Finding", "Inconclusive", "NotSeen"}  # what is told is no part of an outcome
PATIENCE = 20  # seconds; a mutant that runs longer is caught
TESTS = 60  # seconds
HONEST, OTHERS, ENOUGH = 3, 1, 120  # cases of a rule that passed: of a variant, of a fault, of all
SWAPS: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


@dataclass(frozen=True)
class Mutant:
    """One change of one module: the `number`th, in the statement of that place of its top level."""

    module: str
    number: int
    statement: int
    line: int
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.module.rpartition('.')[2]}.py:{self.line} {self.kind}: {self.text}"


# --- making them ----------------------------------------------------------------------------------------------------


class _Changes(ast.NodeVisitor):
    """Every change that can be made to a tree, each as a function on the node that stands at the same place."""

    def __init__(self) -> None:
        self.found: list[tuple[ast.AST, str, Callable[[ast.AST], ast.AST | None]]] = []

    def visit_Call(self, node: ast.Call) -> None:
        if not (isinstance(node.func, ast.Name) and node.func.id in SAID):
            self.generic_visit(node)

    def visit_keyword(self, node: ast.keyword) -> None:
        if node.arg not in {"cites", "place", "at", "mood", "maxsize"}:
            self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        if any(isinstance(one, ast.Call) and getattr(one.func, "id", "") == "rule" for one in node.decorator_list):
            self._add(node, "find nothing", _silenced)
        for one in (*node.decorator_list, *node.body):
            self.visit(one)  # no annotations, no defaults

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value:
            self.visit(node.value)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        pass

    def visit_If(self, node: ast.If) -> None:
        if ast.unparse(node.test) != "TYPE_CHECKING":
            self._add(node, "negate if", _negated)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._add(node, "negate if", _negated)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for at in range(len(node.ifs)):
            self._add(node, "drop a condition", functools.partial(_without, name="ifs", at=at))
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, (ast.Yield, ast.YieldFrom)):
            self._add(node, "delete yield", lambda one: ast.copy_location(ast.Pass(), one))
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        for at, operator in enumerate(node.ops):
            self._add(node, f"{type(operator).__name__} swapped", functools.partial(_swapped, at=at))
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        self._add(node, "and for or", _other_bool)
        for at in range(len(node.values)):
            self._add(node, "drop an operand", functools.partial(_without, name="values", at=at))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        match node.op:
            case ast.BitAnd():
                self._add(node, "drop an operand", lambda one: one.left)  # type: ignore[attr-defined]
                self._add(node, "drop an operand", lambda one: one.right)  # type: ignore[attr-defined]
            case ast.Add() | ast.Sub() if not _is_text(node):
                self._add(node, "plus for minus", _other_sign)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, (ast.Not, ast.Invert)):
            self._add(node, "drop not", lambda one: one.operand)  # type: ignore[attr-defined]
        self.generic_visit(node)

    def visit_Set(self, node: ast.Set) -> None:
        self._elements(node)

    def visit_Tuple(self, node: ast.Tuple) -> None:
        if isinstance(node.ctx, ast.Load) and all(isinstance(one, ast.Constant) for one in node.elts):
            self._elements(node)
        else:
            self.generic_visit(node)

    def _elements(self, node: ast.Set | ast.Tuple) -> None:
        for at in range(len(node.elts) if len(node.elts) > 1 else 0):
            self._add(node, "drop an element", functools.partial(_without, name="elts", at=at))

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, (int, float)) and not isinstance(node.value, bool):
            self._add(node, "one more", lambda one: ast.Constant(one.value + 1))  # type: ignore[attr-defined]
        elif isinstance(node.value, bool):
            self._add(node, "other truth", lambda one: ast.Constant(not one.value))  # type: ignore[attr-defined]

    def _add(self, node: ast.AST, kind: str, change: Callable[[ast.AST], ast.AST | None]) -> None:
        self.found.append((node, kind, change))


def _is_text(node: ast.BinOp) -> bool:
    return any(isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", None), str) for one in ast.walk(node))


def _silenced(node: ast.AST) -> None:
    assert isinstance(node, ast.FunctionDef)
    node.body = [*node.body[:1], *ast.parse("return\nyield").body]


def _negated(node: ast.AST) -> None:
    assert isinstance(node, (ast.If, ast.IfExp))
    node.test = ast.UnaryOp(ast.Not(), node.test)


def _without(node: ast.AST, name: str, at: int) -> None:
    del getattr(node, name)[at]


def _swapped(node: ast.AST, at: int) -> None:
    assert isinstance(node, ast.Compare)
    node.ops[at] = SWAPS[type(node.ops[at])]()


def _other_bool(node: ast.AST) -> None:
    assert isinstance(node, ast.BoolOp)
    node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()


def _other_sign(node: ast.AST) -> None:
    assert isinstance(node, ast.BinOp)
    node.op = ast.Sub() if isinstance(node.op, ast.Add) else ast.Add()


def mutants(module: ModuleType) -> Iterator[tuple[Mutant, ast.Module]]:
    """Each change of a module with the tree that has it."""
    source = Path(str(module.__file__)).read_text(encoding="utf-8")
    tree = ast.parse(source)
    changes = _Changes()
    changes.visit(tree)
    nodes = {id(node): at for at, node in enumerate(ast.walk(tree))}
    statements = {id(node): at for at, one in enumerate(tree.body) for node in ast.walk(one)}
    for number, (node, kind, change) in enumerate(changes.found):
        made = copy.deepcopy(tree)
        there = next(one for at, one in enumerate(ast.walk(made)) if at == nodes[id(node)])
        text = " ".join(ast.unparse(node).split())[:90] if not isinstance(node, ast.FunctionDef) else node.name
        line = getattr(node, "lineno", getattr(getattr(node, "target", node), "lineno", 0))
        instead = change(there)
        if instead is not None:
            _Replaced(there, instead).visit(made)
        yield Mutant(module.__name__, number, statements[id(node)], line, kind, text), ast.fix_missing_locations(made)


def rules_by_statement(tree: ast.Module) -> dict[int, set[str]]:
    """For each statement of a module the rules whose check or declaration uses it, directly or through others."""
    named: dict[str, int] = {}
    for at, one in enumerate(tree.body):
        match one:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                named[name] = at
            case ast.Assign(targets=targets):
                named.update(
                    {node.id: at for target in targets for node in ast.walk(target) if isinstance(node, ast.Name)}
                )
    uses = [
        {named[node.id] for node in ast.walk(one) if isinstance(node, ast.Name) and node.id in named}
        for one in tree.body
    ]
    reached: dict[int, set[str]] = {}
    for at, one in enumerate(tree.body):
        if isinstance(one, ast.FunctionDef):
            for call in one.decorator_list:
                if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "rule":
                    identifier = ast.literal_eval(call.args[0])
                    seen, left = set[int](), [at]
                    while left:
                        place = left.pop()
                        if place not in seen:
                            seen.add(place)
                            reached.setdefault(place, set()).add(str(identifier))
                            left += uses[place]
    return reached


class _Replaced(ast.NodeTransformer):
    def __init__(self, old: ast.AST, new: ast.AST) -> None:
        self.old, self.new = old, new

    def visit(self, node: ast.AST) -> ast.AST:
        return self.new if node is self.old else self.generic_visit(node)


# --- killing them ---------------------------------------------------------------------------------------------------


class Slow(BaseException):
    """A mutant took too long; of a kind that no check and no judge catches."""


def _late(_: int, __: FrameType | None) -> None:
    raise Slow


@contextlib.contextmanager
def limited(seconds: int) -> Iterator[None]:
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)


class Chapter:
    """One module of rules, whose code can be put in place and taken out again."""

    def __init__(self, name: str, evidence: Evidence) -> None:
        self.module = importlib.import_module(name)
        self.evidence = evidence
        self.tree = ast.parse(Path(str(self.module.__file__)).read_text(encoding="utf-8"))
        self.rules = [one.id for one in catalogue.declared().values() if one.check.__module__ == name]
        self.cases = {one: list(_telling(evidence.cases.get(one, []))) for one in self.rules}
        used = [exchange for cases in self.cases.values() for case in cases for exchange in case.exchanges]
        self.exchanges = list({id(exchange): exchange for exchange in (*used, *evidence.plain)}.values())
        self.right = compile(self.tree, str(self.module.__file__), "exec")
        self.users = rules_by_statement(self.tree)
        book = catalogue.declared()
        self.stale = {one for one in self.rules if self._of(book[one])}  # the rule has changed since, or its fault

    def place(self, code: CodeType) -> None:
        """Runs this code in the module. Raises whatever it raises."""
        for one in self.rules:
            catalogue._declared.pop(one, None)
        exec(code, self.module.__dict__)

    def mutated(self, tree: ast.Module) -> CodeType:
        return compile(tree, str(self.module.__file__), "exec")

    def caught(self, mutant: Mutant, tree: ast.Module) -> str:
        """How the evidence catches a mutant; empty where it does not."""
        users = self.users.get(mutant.statement, set()) - self.stale
        try:
            with limited(PATIENCE):
                self.place(self.mutated(tree))
                book = catalogue.declared()
                if any(one not in book for one in self.rules):
                    return "a rule is gone"
                return next(filter(None, (self._of(book[one]) for one in sorted(users))), "")
        except Slow:
            return "slow"
        except Exception as error:  # noqa: BLE001 - it cannot even be imported
            return f"import: {type(error).__name__}"
        finally:
            self._forget()
            self.place(self.right)

    def _of(self, rule: Rule) -> str:
        cases = self.cases[rule.id]
        named = {fault.id for fault in FAULTS.values() if rule.id in fault.breaks}
        failing = {fault for case in cases if case.outcome is Outcome.FAIL for fault in case.runs} & named
        seen: dict[int, Outcome | None] = {}

        def now(case: Case) -> Outcome | None:
            if id(case) not in seen:
                chosen = _steps(rule, case)
                applies = chosen and rule.on.holds(chosen[0]) and rule.speaks_of(chosen[0])
                seen[id(case)] = verdict(rule, *chosen).outcome if applies else None
            return seen[id(case)]

        for fault in sorted(failing):
            mine = [case for case in cases if fault in case.runs and case.outcome is Outcome.FAIL]
            if not any(now(case) is Outcome.FAIL for case in mine):
                return f"{fault} no longer breaks {rule.id}"
        weighs = rule.level is not Level.MAY
        for case in cases:
            if case.outcome is Outcome.FAIL:
                continue
            outcome = now(case)
            if outcome is Outcome.BROKEN:
                return f"{rule.id} raises"
            accused = sorted(case.runs - failing)
            if outcome is Outcome.FAIL and accused and (weighs or "good" in accused):
                return f"{rule.id} accuses {accused[0] or 'good'}"
        good = [case for case in cases if "good" in case.runs]
        was = any(case.outcome is Outcome.PASS for case in good)
        if rule.level is Level.MUST and was and not any(now(case) is Outcome.PASS for case in good):
            return f"{rule.id} is left open by the good mock"
        return "" if rule.over else self._elsewhere(rule, cases)

    def _elsewhere(self, rule: Rule, cases: Sequence[Case]) -> str:
        """Whether it accuses the good mock in answers of which it did not speak before."""
        known = {id(case.exchanges[0]) for case in cases}
        for exchange in self.evidence.plain:
            if id(exchange) not in known and rule.on.holds(exchange) and rule.speaks_of(exchange):
                outcome = verdict(rule, exchange).outcome
                if outcome is Outcome.BROKEN or (outcome is Outcome.FAIL and rule.level is not Level.MAY):
                    return f"{rule.id} speaks of what it must not"
        return ""

    def _forget(self) -> None:
        """Drops what code of the module derived from the exchanges."""
        name = self.module.__name__
        for exchange in self.exchanges:
            views = exchange._views
            for derive in [one for one in views if getattr(one, "__module__", "") == name]:
                del views[derive]


def _steps(rule: Rule, case: Case) -> tuple[Exchange, ...]:
    """The exchanges of a case in the order of the steps that the rule names; none where one of them is not there."""
    if not rule.over:
        return case.exchanges
    steps = {one.step: one for one in case.exchanges}
    return tuple(steps[name] for name in rule.over) if steps.keys() >= set(rule.over) else ()


def _telling(cases: Sequence[Case]) -> Iterator[Case]:
    """All cases that failed and all of the good mock; of the rest a few for each run: honest ones more than faults."""
    taken: Counter[str] = Counter()
    for case in cases:
        if case.outcome is Outcome.FAIL or "good" in case.runs:
            yield case
            continue
        run = min(case.runs)
        most = HONEST if run in FAULTS and FAULTS[run].honest else OTHERS
        if taken[run] < most and taken["all"] < ENOUGH:
            taken.update((run, "all"))
            yield case


def tested(chapter: Chapter, tree: ast.Module, tests: Sequence[str]) -> bool:
    """Whether the tests turn red, in a process of their own that has the mutant."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            import pytest  # noqa: PLC0415

            signal.signal(signal.SIGALRM, signal.SIG_DFL)
            signal.alarm(TESTS)
            chapter.place(chapter.mutated(tree))
            with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
                code = int(pytest.main(["-q", "-x", "-p", "no:cacheprovider", "-p", "no:randomly", *tests]))
        finally:
            os._exit(code)
    return os.waitpid(child, 0)[1] != 0


def tests_of(name: str) -> list[str]:
    """The tests of a chapter."""
    stem = name.rpartition(".")[2]
    folder = ROOT / "tests" / "conformance" / "rules"
    near = [folder / f"test_{stem}.py", *sorted(folder.glob(f"test_{stem.partition('_')[0]}*.py"))]
    found = list(dict.fromkeys(str(one) for one in near if one.exists()))
    return [*found, str(ROOT / "tests" / "conformance" / "test_recordings.py")]


evidence = functools.cache(collect)  # read once, before the processes fork

Row = tuple[Mutant, str]


def survey(
    name: str, folder: Path, part: tuple[int, int], sample: int, kind: str = "", *, with_tests: bool
) -> list[Row]:
    """What became of one part of the mutants of a module: how each was caught, or nothing."""
    chapter = Chapter(name, evidence(folder))
    if chapter.stale and not part[0]:
        print(
            f"kept runs are older than {', '.join(sorted(chapter.stale))}: judged by the tests alone", file=sys.stderr
        )
    told: list[Row] = []
    for mutant, tree in mutants(chapter.module):
        if mutant.number % part[1] != part[0] or (sample and mutant.number % sample) or kind not in mutant.kind:
            continue
        how = chapter.caught(mutant, tree)
        if not how and with_tests and tested(chapter, tree, tests_of(name)):
            how = "tests"
        told.append((mutant, how))
    return told


def modules() -> list[str]:
    names = {one.check.__module__ for one in catalogue.declared().values()}
    return sorted(
        names & {f"{chapters.__name__}.{Path(str(one)).stem}" for one in Path(chapters.__path__[0]).glob("*.py")}
    )


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, help="the runs that `relayproof selftest --keep` left")
    parser.add_argument("--module", action="append", help="only this chapter, by the name of its module")
    parser.add_argument("--sample", type=int, default=0, help="only every so-manieth mutant")
    parser.add_argument("--kind", default="", help="only mutants of this kind: 'find nothing' deletes a whole check")
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--no-tests", action="store_true", help="the stored runs alone")
    given = parser.parse_args()
    names = [one for one in modules() if not given.module or one.rpartition(".")[2] in given.module]
    started = time.monotonic()
    evidence(given.folder)
    if not given.no_tests:
        import pytest  # noqa: F401, PLC0415 - once, before the processes fork
    context = multiprocessing.get_context("fork")
    rows: list[Row] = []
    with context.Pool(given.jobs, maxtasksperchild=4) as pool:
        parts = 4
        waiting = [
            pool.apply_async(
                survey, (one, given.folder, (at, parts), given.sample, given.kind), {"with_tests": not given.no_tests}
            )
            for one in names
            for at in range(parts)
        ]
        for done, one in enumerate(waiting, 1):
            rows += one.get()
            print(
                f"{done}/{len(waiting)} parts, {len(rows)} mutants, {time.monotonic() - started:.0f} s", file=sys.stderr
            )
    return report(rows, time.monotonic() - started)


def report(rows: Sequence[Row], seconds: float) -> int:
    """Prints the table, the survivors first, and returns 0 where the score is above 95 %."""
    for mutant, how in sorted(rows, key=lambda row: (row[0].module, row[0].line)):
        if not how:
            print(f"survived  {mutant}")
    print(f"\n{'chapter':24} {'mutants':>8} {'by runs':>8} {'by tests':>8} {'survived':>8} {'score':>7}")
    counts: dict[str, Counter[str]] = {}
    for mutant, how in rows:
        kind = how if how in {"", "tests"} else "runs"
        for name in (mutant.module.rpartition(".")[2], "all"):
            counts.setdefault(name, Counter())[kind] += 1
    for name, count in sorted(counts.items(), key=lambda row: (row[0] == "all", row[0])):
        all_of = count.total()
        score = 1 - count[""] / all_of
        print(f"{name:24} {all_of:8} {count['runs']:8} {count['tests']:8} {count['']:8} {score:7.1%}")
    print(f"{seconds:.0f} s")
    return 0 if rows and counts["all"][""] < 0.05 * len(rows) else 1


if __name__ == "__main__":
    sys.exit(main())
