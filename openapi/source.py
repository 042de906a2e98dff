"""Where in the files of the document something stands that a pointer into the bundle names: file and line.

What a report says about a rule leads to the text of the law, in the file that its author wrote.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote

import yaml

from openapi.operation import ROOT_FILE
from openapi.pointer import split

FOLDER = Path(__file__).parent
_LOADER: type[yaml.SafeLoader] | type[yaml.CSafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True, slots=True)
class Place:
    """A line of a file. ``file`` is as seen from the folder of the document, ``line`` counts from 1."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class _At:
    file: Path
    line: int
    node: yaml.Node


def place_of(pointer: str, root: Path | None = None) -> Place | None:
    """Where that stands which a pointer into the bundle names; None where nothing does.

    ``root`` is the root file of the document, ours unless said. Schemas that the bundle gathers from files of their
    own are found there, and references on the way are followed.
    """
    start = (root or FOLDER / ROOT_FILE).resolve()
    try:
        found = _walk(_top(start), split(pointer), start)
    except (OSError, ValueError, yaml.YAMLError):
        return None
    return Place(found.file.relative_to(start.parent).as_posix(), found.line) if found else None


def _walk(at: _At, tokens: list[str], root: Path) -> _At | None:
    found: _At | None = at
    if tokens[:2] == ["components", "schemas"] and len(tokens) > 2:
        found, tokens = _schema(tokens[2], root), tokens[3:]
    for token in tokens:
        found = _child(_followed(found, root), token) if found else None
    return found


def _schema(name: str, root: Path) -> _At | None:
    """A schema of the bundle: in the root file, else a member of a file below `schemas/`, else such a file itself."""
    own: _At | None = _top(root)
    for token in ("components", "schemas", name):
        own = _child(own, token) if own else None
    if own:
        return own
    files = sorted((root.parent / "schemas").rglob("*.yaml"))
    tops = [_top(file) for file in files]
    members = (_child(top, name) for top in tops)
    return next(filter(None, members), None) or next((top for top in tops if top.file.stem == name), None)


def _followed(at: _At, root: Path) -> _At:
    """What a reference leads to, where there is one. What stands beside it is looked at first by nobody here."""
    for _ in range(20):  # a chain that leads back to itself is refused when the document is read
        ref = _child(at, "$ref")
        if ref is None or not isinstance(ref.node, yaml.ScalarNode):
            return at
        name, _, pointer = ref.node.value.partition("#")
        file = (at.file.parent / unquote(name)).resolve() if name else at.file
        found = _walk(_top(file), split(unquote(pointer)), root)
        if found is None:
            return at
        at = found
    return at


def _child(at: _At, token: str) -> _At | None:
    for key, line, node in _members(at.node):
        if key == token:
            return _At(at.file, line, node)
    return None


def _members(node: yaml.Node) -> Iterator[tuple[str, int, yaml.Node]]:
    match node:
        case yaml.MappingNode():
            for key, value in node.value:
                yield str(key.value), key.start_mark.line + 1, value
        case yaml.SequenceNode():
            for number, item in enumerate(node.value):
                yield str(number), item.start_mark.line + 1, item


@lru_cache(maxsize=64)
def _top(file: Path) -> _At:
    node = yaml.compose(file.read_text(encoding="utf-8"), Loader=_LOADER)
    if node is None:
        msg = f"{file.name} is empty"
        raise ValueError(msg)
    return _At(file, 1, node)
