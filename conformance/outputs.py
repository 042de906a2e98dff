"""The files that a command was asked to write, each by one renderer: `--html F`, `--junit F`, …"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from conformance.rule import Rule
from conformance.run import Run
from conformance.target import ConfigurationError


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
