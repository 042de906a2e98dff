"""The command: a lazy table of sub-commands, each loaded from the package that owns it.

What needs both halves lives here, and runs the mock as a process of its own.
"""

import importlib
import os
import sys
from io import TextIOWrapper
from pathlib import Path
from typing import NoReturn

import click

from conformance.interrupts import interruptible, interruption

COMMANDS = {
    "demo": ("relayproof:demo", "Start the mock, judge it, write the report: no key, no network."),
    "serve": ("mock_server.cli:serve", "Serve a relay on this machine: recordings, synthesis, faults."),
    "check": ("conformance.cli:check", "Judge a relay against the document."),
    "judge": ("conformance.cli:judge", "Judge again, offline, what was captured."),
    "baseline": ("conformance.baseline_cli:baseline", "Write what a run failed to a baseline."),
    "record": ("conformance.record_cli:record", "Record a live relay, or an exchange of a run."),
    "explain": ("mock_server.explain:explain", "Say what a code of a refused request means."),
    "scrub": ("mock_server.scrub:scrub", "Take what looks like a secret out of recordings and runs."),
    "compare": ("conformance.compare_cli:compare", "Relays side by side: asked together, or stored runs joined."),
    "history": ("conformance.history_cli:history", "Follow relays over their stored runs."),
    "report": ("conformance.report_cli:report", "Render a run: HTML, JUnit, Markdown, JSON."),
    "rules": ("proof.cli:rules", "Print the rule book, with what kills each rule."),
    "selftest": ("proof.cli:selftest", "Prove the suite: play every fault, and see it found."),
    "spec": ("openapi.cli:spec", "Print the bundled OpenAPI document."),
}


class Lazy(click.Group):
    """Sub-commands that are imported when they are called: help must not wait for all of them."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in COMMANDS.items()])


def _version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415

        try:
            click.echo(f"relayproof {version('relayproof')}")
        except PackageNotFoundError:  # run from a checkout
            click.echo("relayproof, unreleased")
        ctx.exit()


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_version, help="Show the version and exit."
)
def cli() -> None:
    """Conformance tests and a byte-exact mock server for AI relays."""


@click.command()
@click.option(
    "--out", "folder", type=click.Path(file_okay=False, path_type=Path), help="Folder for the run and its page."
)
def demo(folder: Path | None) -> None:
    """Start the mock, judge it, write the report: no key, no network."""
    from conformance import cli as suite  # noqa: PLC0415
    from conformance import plan as planning  # noqa: PLC0415
    from conformance.check import Options  # noqa: PLC0415
    from conformance.outputs import Outputs, show  # noqa: PLC0415
    from conformance.probe import Role  # noqa: PLC0415
    from conformance.probes import PROBES  # noqa: PLC0415
    from conformance.rules import BOOK  # noqa: PLC0415
    from conformance.target import ConfigurationError, Target  # noqa: PLC0415
    from conformance.transport import Link  # noqa: PLC0415
    from mock_server.process import running  # noqa: PLC0415

    folder = folder or suite.LOCAL_RUNS
    models = {
        Role.CHAT: "mock-chat",
        Role.TOOLS: "mock-chat",
        Role.REASONING: "mock-reasoner",
        Role.VISION: "mock-chat",
        Role.VIDEO: "sora-2",
        Role.MESSAGES: "mock-claude",
        Role.COMPLETIONS: "mock-instruct",
        Role.EMBEDDINGS: "text-embedding-3-small",
    }
    out = folder / "demo.jsonl"
    outputs = Outputs(html=folder / "demo.html", junit=folder / "demo.xml", markdown=folder / "demo.md")
    try:
        outputs.check()
        with running("--speed", "max", "--api-key", DEMO_KEY) as base:
            target = Target("the mock of relayproof", base, models=models)
            the_plan = planning.plan(target, BOOK, PROBES)
            options = Options(concurrency=8, command="relayproof demo")
            run = suite.run_to(out, target, Link(base, DEMO_KEY), the_plan, options)
    except (ConfigurationError, RuntimeError) as error:
        click.echo(f"relayproof: {error}", err=True)
        sys.exit(2)
    show(run, BOOK, [out, *outputs.write(run, BOOK, of=out)])
    sys.exit(run.footer.exit if run.footer else 5)


DEMO_KEY = "sk-relayproof-demo-0123456789"


def main() -> None:
    """The console script. Whatever goes wrong ends in one line and a code of its own: 2 wrong use, 130 Ctrl-C, 143
    SIGTERM, 5 our own fault, with the traceback on demand."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # a console of another code page
    try:
        with interruptible():
            sys.exit(cli(standalone_mode=False))
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        sys.exit(2)
    except click.ClickException as error:
        _end(" ".join(error.format_message().split()), error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        _end(*interruption())
    except Exception as error:
        if os.environ.get("RELAYPROOF_DEBUG"):
            raise
        cause = _first(error)
        text = " ".join(str(cause).split())[:300]
        _end(f"our own fault: {type(cause).__name__}: {text} (RELAYPROOF_DEBUG=1 shows where)", 5)


def _end(message: str, code: int) -> NoReturn:
    click.echo(f"relayproof: {message}", err=True)
    sys.exit(code)


def _first(error: BaseException) -> BaseException:
    """The error itself, where tasks that ran together put it into a group."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


if __name__ == "__main__":
    main()
