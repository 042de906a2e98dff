"""`relayproof scrub`: what looks like a secret in recordings and runs, told or taken out."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import click

from openapi.json_text import Json
from openapi.wire import secrets
from openapi.wire.redaction import MARK, SHORTEST, mark


@dataclass(frozen=True, slots=True)
class Found:
    """Where something looks like a secret. What it is, is not said."""

    line: int
    kind: str


def found_in(text: str) -> Iterator[Found]:
    """What looks like a secret in the lines of a recording or a run."""
    for number, line in enumerate(text.split("\n"), 1):
        for look in secrets.looks(line):
            yield Found(number, look.kind)
        for name, _ in _secret_headers(_value(line)):
            yield Found(number, f"the header {name}")


def scrubbed(text: str) -> str:
    """The same lines with a mark in place of each. A mark is as long as what it stands for, where that has room."""
    return "\n".join(map(_scrubbed, text.split("\n")))


def _scrubbed(line: str) -> str:
    for _, value in _secret_headers(_value(line)):
        for form in {json.dumps(value), json.dumps(value, ensure_ascii=False)}:
            line = line.replace(form, json.dumps(mark(len(value))))
    return secrets.hidden(line)


def _value(line: str) -> Json:
    try:
        value: Json = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return value


def _secret_headers(value: Json) -> Iterator[tuple[str, str]]:
    """The headers of a line that hold a secret by their names, and hold no mark: what stands under `headers`."""
    left: list[Json] = [value]
    while left:
        match left.pop():
            case dict() as one:
                yield from _secret(one.get("headers"))
                left += one.values()
            case list() as one:
                left += one


def _secret(headers: Json) -> Iterator[tuple[str, str]]:
    for pair in headers if isinstance(headers, list) else []:
        match pair:
            case [str(name), str(text)] if secrets.is_secret_header(name) and len(text) >= SHORTEST:
                if MARK not in text and text not in secrets.INVENTED:
                    yield name, text


@click.command()
@click.argument("paths", nargs=-1, required=True, metavar="PATH…", type=click.Path(exists=True, path_type=Path))
@click.option("--check", is_flag=True, help="Change nothing; exit code 1 where something is found.")
def scrub(paths: tuple[Path, ...], *, check: bool) -> None:
    """Take what looks like a secret out of recordings and runs, or tell of it.

    Exit codes: 0 nothing is left, 1 something was found with --check, 2 wrong use.
    """
    count = 0
    for path in [file for one in paths for file in _files(one)]:
        try:
            text = path.read_text(encoding="utf-8")
            found = list(found_in(text))
            if found and not check:
                path.write_text(scrubbed(text), encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            click.echo(f"relayproof: {path}: {getattr(error, 'strerror', None) or 'it is not UTF-8'}", err=True)
            sys.exit(2)
        count += len(found)
        for one in found:
            click.echo(f"{path}:{one.line}: {one.kind}" + ("" if check else ", taken out"))
    sys.exit(1 if check and count else 0)


def _files(path: Path) -> list[Path]:
    return sorted(one for one in path.rglob("*.jsonl*") if one.is_file()) if path.is_dir() else [path]
