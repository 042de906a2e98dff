"""What a command tells of a run: a summary on the terminal, and the files that it was asked to write."""

import os
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TextIO

import click

if TYPE_CHECKING:
    from conformance.rule import Rule
    from conformance.run import Run

NARROW, WIDE = 60, 140  # columns


FILE = click.Path(dir_okay=False, path_type=Path, allow_dash=True)
STDOUT = Path("-")
FORMATS = {
    "html": "a page",
    "junit": "JUnit XML",
    "markdown": "a job summary",
    "sarif": "SARIF 2.1.0",
    "json": "verdicts as JSON",
    "badge": "a badge (.svg, or .json for shields.io)",
}


LANGUAGES = ("en", "zh")

lang = click.option(
    "--lang", default="en", show_default=True, type=click.Choice(LANGUAGES), help="Language that a page opens in."
)


def stop(message: str, code: int = 2) -> NoReturn:
    """Ends a command with a line that says why."""
    click.echo(f"relayproof: {message}", err=True)
    sys.exit(code)


def writing(command: Callable[..., None]) -> Callable[..., None]:
    """The options that say which report is written where."""
    command = lang(command)
    for name, what in reversed(FORMATS.items()):
        command = click.option(f"--{name}", type=FILE, metavar="F", help=f"Write {what} to F.")(command)
    return command


@dataclass(frozen=True, slots=True)
class Outputs:
    """Where to write what; None writes nothing, and `-` is standard output."""

    html: Path | None = None
    junit: Path | None = None
    markdown: Path | None = None
    sarif: Path | None = None
    json: Path | None = None
    badge: Path | None = None
    lang: str = "en"

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> "Outputs":
        """As the options of a command line have it."""
        return cls(**{name: given[name] for name in FORMATS}, lang=given["lang"])

    @property
    def named(self) -> dict[str, Path]:
        """The path of each format that is wanted."""
        known = {name: getattr(self, name) for name in FORMATS}
        return {name: path for name, path in known.items() if path is not None}

    @property
    def piped(self) -> bool:
        """Whether standard output is for a program."""
        return STDOUT in self.named.values()

    def check(self) -> None:
        """Raises ConfigurationError for a path that cannot be written, before anything is sent."""
        from conformance.target import ConfigurationError  # noqa: PLC0415 - a command loads what it needs

        paths = list(self.named.values())
        if paths.count(STDOUT) > 1:
            msg = "only one format can go to standard output"
            raise ConfigurationError(msg)
        for path in paths:
            if path != STDOUT:
                prepare(path)

    def write(self, run: "Run", rules: Mapping[str, "Rule"], *, of: Path, strict: bool = False) -> list[Path]:
        """Renders and writes; returns the paths of the files written. `of` is the file that the run is in."""
        from conformance.report import html  # noqa: PLC0415 - as below

        for name, path in self.named.items():
            if name == "html":
                put(path, html.render(run, rules, language=self.lang, names=[of.name]))
            else:
                put(path, _render(name, path, run, rules, strict=strict))
        return [path for path in self.named.values() if path != STDOUT]


def _render(name: str, path: Path, run: "Run", rules: Mapping[str, "Rule"], *, strict: bool) -> str:
    from conformance.report import badge, json_out, junit, markdown, sarif  # noqa: PLC0415 - slow to load

    match name:
        case "junit":
            return junit.render(run, rules, strict=strict)
        case "markdown":
            return markdown.render(run, rules)
        case "sarif":
            return sarif.render(run, rules)
        case "json":
            return json_out.render(run, rules)
    return badge.endpoint(run, rules) if path.suffix == ".json" else badge.render(run, rules)


def put(path: Path, text: str) -> None:
    """Writes a report to its file, or to standard output."""
    if path == STDOUT:
        with _heard():
            click.echo(text, nl=False)
    else:
        path.write_text(text, encoding="utf-8")


@contextmanager
def _heard() -> Iterator[None]:
    """Who reads us may have seen enough: that decides no exit code."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def prepare(path: Path) -> None:
    """Makes the folder of a file to be written. Raises ConfigurationError where it cannot be. A file that was not there
    is not there afterwards: who is interrupted leaves none that is empty."""
    from conformance.target import ConfigurationError  # noqa: PLC0415

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = not path.exists()
        with path.open("a", encoding="utf-8"):
            pass
        if fresh:
            path.resolve().unlink()  # of a link that led nowhere, what it leads to
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror or error}"
        raise ConfigurationError(msg) from None


def safe(name: str) -> str:
    """The name of a relay as a part of a file's name."""
    return "".join(c if c.isalnum() or c in "-." else "-" for c in name)[:60].strip("-.") or "relay"


def show(run: "Run", rules: Mapping[str, "Rule"], paths: Iterable[Path], *, piped: bool = False) -> None:
    """Prints the summary and what was written where; to standard error where standard output is for a program."""
    from conformance.report import terminal  # noqa: PLC0415 - as above

    written = [f"wrote {path}\n" for path in paths]
    tell(lambda **screen: terminal.render(run, rules, **screen), written, piped=piped)


def tell(render: Callable[..., str], written: Iterable[str] = (), *, piped: bool = False) -> None:
    """Prints what `render` makes of the screen there is: as wide as it within reason, and on a terminal not higher."""
    from conformance.report import terminal  # noqa: PLC0415

    out: TextIO = sys.stderr if piped else sys.stdout
    lines = list(written)
    size = shutil.get_terminal_size((100, 24))
    screen = {
        "width": max(NARROW, min(size.columns, WIDE)),
        "height": size.lines - len(lines) - 1 if out.isatty() else None,  # the prompt needs a line
        "color": terminal.wants_color(is_terminal=out.isatty(), environ=os.environ),
    }
    encoding = out.encoding or "utf-8"  # an old code page has no ✗
    text = render(**screen).encode(encoding, "backslashreplace").decode(encoding)
    with _heard():
        click.echo(text + "".join(lines), nl=False, color=bool(screen["color"]), err=piped)
