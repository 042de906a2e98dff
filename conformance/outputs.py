"""What a command tells of a run: a summary on the terminal, and the files that it was asked to write."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from conformance.rule import Rule
from conformance.run import Run
from conformance.target import ConfigurationError

NARROW, WIDE = 60, 140  # columns


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where to write what; None writes nothing."""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    json: Path | None = None

    def check(self) -> None:
        """Raises ConfigurationError for a path that cannot be written, before anything is sent."""
        for path in (self.html, self.junit, self.markdown, self.json):
            if path is not None:
                prepare(path)

    def write(self, run: Run, rules: Mapping[str, Rule], *, strict: bool = False) -> list[Path]:
        """Renders and writes; returns the paths written."""
        written: list[Path] = []
        for path, render in self._renderers(rules, strict=strict):
            path.write_text(render(run), encoding="utf-8")
            written.append(path)
        return written

    def _renderers(self, rules: Mapping[str, Rule], *, strict: bool) -> list[tuple[Path, Callable[[Run], str]]]:
        from conformance.report import html, json_out, junit, markdown  # noqa: PLC0415 - templates are slow to load

        known: list[tuple[Path | None, Callable[[Run], str]]] = [
            (self.html, lambda run: html.render(run, rules)),
            (self.junit, lambda run: junit.render(run, rules, strict=strict)),
            (self.markdown, lambda run: markdown.render(run, rules)),
            (self.json, lambda run: json_out.render(run, rules)),
        ]
        return [(path, render) for path, render in known if path is not None]


def prepare(path: Path) -> None:
    """Makes the folder of a file to be written. Raises ConfigurationError where it cannot be."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("a", encoding="utf-8"):
            pass
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise ConfigurationError(msg) from None


def show(run: Run, rules: Mapping[str, Rule], paths: Iterable[Path]) -> None:
    """Prints the summary, as wide as the terminal within reason, and what was written where."""
    from conformance.report import terminal  # noqa: PLC0415 - as above

    color = terminal.wants_color(is_terminal=sys.stdout.isatty(), environ=os.environ)
    width = max(NARROW, min(shutil.get_terminal_size((100, 24)).columns, WIDE))
    encoding = sys.stdout.encoding or "utf-8"  # an old code page has no ✗
    text = terminal.render(run, rules, width=width, color=color).encode(encoding, "backslashreplace").decode(encoding)
    try:
        click.echo(text, nl=False, color=color)
        for path in paths:
            click.echo(f"wrote {path}")
    except BrokenPipeError:  # who read us has seen enough: that decides no exit code
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
