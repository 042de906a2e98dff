"""What a session is told once a relay is named: where the suite is collected, when it is asked, and what it came to."""

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import conformance
from conformance.exit_code import Exit
from conformance.fuzz.prepare import undrawn
from conformance.report.escape import visible
from conformance.report.smallest import told
from conformance.report.summary import summarise
from conformance.rule import Level
from conformance.run import Run
from conformance.testing.asking import FUZZED, Asking
from conformance.testing.items import RelayFile, RelayItem
from conformance.testing.setup import SHARED, Setup

if TYPE_CHECKING:
    from xdist.workermanage import WorkerController

SUITE = Path(conformance.__file__).parent / "suite.py"
OF_ITSELF = {Exit.MISUSED, Exit.UNREACHABLE, Exit.OUR_FAULT}  # exit codes of a run that may have no item to show it


class Hooks:
    """Registered with pytest where a relay is named, and only there. `beside` collects the suite beside other tests."""

    def __init__(self, setup: Setup, config: pytest.Config, *, beside: bool) -> None:
        self.setup = setup
        self.beside = beside
        self.asking = Asking(setup)
        self.collected = False
        self.worker = hasattr(config, "workerinput")
        names = {level.value.lower(): f"a rule that {level.value} hold" for level in Level}
        names |= {rule.chapter: f"a rule of the chapter {rule.chapter}" for rule in setup.book.rules.values()}
        for role in {probe.role for probe in setup.book.probes.values() if probe.role}:
            names.setdefault(role.value, f"a probe of the role {role.value}")
        names.setdefault(FUZZED, "generated probes (--relay-fuzz)")
        for name, what in names.items():
            config.addinivalue_line("markers", f"{name}: relayproof: {what}")

    def pytest_report_header(self) -> str:
        target = self.setup.target
        return visible(f"relay: {target.name} at {target.base}")

    def pytest_collect_file(self, file_path: Path, parent: pytest.Collector) -> pytest.Collector | None:
        if file_path.name != SUITE.name or not file_path.samefile(SUITE):
            return None
        return self._suite(parent, file_path)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, session: pytest.Session, items: list[pytest.Item]) -> None:
        """Adds it here: among the arguments it would be left out where a folder of theirs holds their environment."""
        if self.beside and not self.collected:
            elsewhere = not SUITE.is_relative_to(session.config.rootpath)
            named = {"nodeid": "conformance/suite.py"} if elsewhere else {}
            items.extend(session.genitems(self._suite(session, SUITE, **named)))

    def _suite(self, parent: pytest.Collector, path: Path, **named: Any) -> RelayFile:  # noqa: ANN401
        self.collected = True
        suite: RelayFile = RelayFile.from_parent(parent, path=path, **named)
        suite.asking = self.asking
        return suite

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        """Asks outside of the item: no other plugin's time-out is meant for all probes together."""
        if isinstance(item, RelayItem):
            item.ask()
        return (yield)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        """The summary of failures has one line for each."""
        report = yield
        crash = getattr(report.longrepr, "reprcrash", None)
        if isinstance(item, RelayItem) and crash is not None:
            crash.message = crash.message.partition("\n")[0].removeprefix("Failed: ")
        return report

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: "WorkerController") -> None:
        node.workerinput[SHARED] = self.setup.shared()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """A run that came to nothing is red, also where no selected item says so."""
        run = None if self.worker else self.asking.told()
        if run is not None and exitstatus == 0 and (run.footer is None or run.footer.exit in OF_ITSELF):
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def _undrawn(self, run: Run | None) -> str | None:
        """Why --relay-fuzz drew nothing; None where it did, or what it drew was not selected."""
        setup = self.setup
        if not setup.fuzz or setup.again or self.worker or (run and run.header.plan.get("generated")):
            return None
        if run or self.collected:
            return undrawn(setup.plan, setup.target)
        return "no item of the suite was selected: add --relay-suite, or --pyargs conformance"

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        run = self.asking.told()
        if why := self._undrawn(run):
            terminalreporter.write_line(f"relay: nothing is drawn for --relay-fuzz: {why}")
        if run is None:
            if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and not self.collected:
                terminalreporter.write_line("relay: no rule was collected: add --relay-suite, or --pyargs conformance")
            return
        summary = summarise(run, self.setup.book.rules)
        terminalreporter.section(visible(f"relay {summary.relay}"))
        terminalreporter.write_line(summary.line)
        as_check = "" if summary.exit is None else f"relayproof check would end with {summary.exit}: "
        terminalreporter.write_line(f"{as_check}{summary.meaning}")  # pytest has a code of its own
        if run.footer and run.footer.note:
            terminalreporter.write_line(visible(run.footer.note))
        for line in told(run.footer.generated) if run.footer and run.footer.generated else ():
            terminalreporter.write_line(visible(line))
        for note in summary.notes:
            terminalreporter.write_line(visible(f"baseline: {note.kind.value}: {note.waiver}: {note.text}"))
        if run.footer is None:
            terminalreporter.write_line(f"what was captured is in {self.setup.out}")
            return
        spoken = ", ".join(f"{many} {what.replace('_', ' ')}" for what, many in run.footer.spent.items())
        terminalreporter.write_line(visible(spoken))
        terminalreporter.write_line(f"run: {self.setup.out}")

    def pytest_unconfigure(self) -> None:
        self.setup.loop.close()
        if self.setup.folder is not None and not self.worker:
            shutil.rmtree(self.setup.folder, ignore_errors=True)
