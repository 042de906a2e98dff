"""The OpenAPI document: read, resolved, indexed.

``load()`` gives the document of this package as a frozen record; everything else of the project asks that record what
an operation is called, which path is whose, and where the schema of an answer stands.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from openapi.bundle import bundle
from openapi.json_text import Json
from openapi.operation import ROOT_FILE, Media, Operation, operations
from openapi.pointer import DocumentError, at, follow, join
from openapi.template import Template, compile_template

__all__ = ["Document", "DocumentError", "Json", "Match", "Media", "Operation", "load"]


@dataclass(frozen=True, slots=True)
class Match:
    """The operation that a request is for, and the parameters in its path, percent-decoded."""

    operation: Operation
    params: dict[str, str]


@dataclass(frozen=True, eq=False)
class Document:
    """One OpenAPI document.

    ``bundle`` is the whole as one JSON object without external references, not to be changed; ``digest`` is
    ``sha256:<hex>`` of its canonical text, so that a report can name the document that it was judged by.
    """

    bundle: Mapping[str, Any] = field(repr=False)
    digest: str
    operations: tuple[Operation, ...] = field(repr=False)
    _templates: tuple[tuple[Template, Mapping[str, Operation]], ...] = field(repr=False)

    def operation(self, operation_id: str) -> Operation:
        """The operation of this id. Raises KeyError, with the ids there are."""
        for operation in self.operations:
            if operation.id == operation_id:
                return operation
        known = ", ".join(sorted(operation.id for operation in self.operations))
        raise KeyError(f"no operation {operation_id!r}; there are {known}")

    def match(self, method: str, path: str) -> Match | None:
        """The operation of a request, where the document has one. The most concrete template wins.

        ``path`` may be percent-encoded and may carry a query string, which is left out of account.
        """
        for methods, params in self._matching(path):
            if method.upper() in methods:
                return Match(methods[method.upper()], params)
        return None

    def methods(self, path: str) -> tuple[str, ...]:
        """The methods that the document knows on this path, sorted; none where it does not know the path."""
        return tuple(sorted({method for methods, _ in self._matching(path) for method in methods}))

    def resolve(self, pointer: str) -> Json:
        """What stands at a pointer of the bundle (``#`` in front is allowed), a chain of ``$ref`` followed.

        Raises KeyError where nothing stands there.
        """
        return at(self._root, follow(self._root, pointer.removeprefix("#")))

    def _matching(self, path: str) -> Iterator[tuple[Mapping[str, Operation], dict[str, str]]]:
        for template, methods in self._templates:
            params = template.match(path)
            if params is not None:
                yield methods, params

    @property
    def _root(self) -> Json:
        return dict(self.bundle)


def load(root: Path | None = None) -> Document:
    """The document of this package, read once, or the one whose root file, or folder with openapi.yaml, is given.

    Raises DocumentError, with file and pointer, for a missing file, bad YAML, a dangling or circular ``$ref``, two
    schemas of one name, an operationId that is missing or used twice.
    """
    return _own() if root is None else _read(root)


@lru_cache(maxsize=1)
def _own() -> Document:
    return _read(Path(__file__).parent)


def _read(root: Path) -> Document:
    whole = bundle(root / ROOT_FILE if root.is_dir() else root)
    found = tuple(operations(whole))
    _refuse_twins(found)
    return Document(whole, _digest(whole), found, _index(found))


def _refuse_twins(found: tuple[Operation, ...]) -> None:
    seen: dict[str, Operation] = {}
    for operation in found:
        first = seen.setdefault(operation.id, operation)
        if first is not operation:
            where = join(["paths", operation.path, operation.method.lower(), "operationId"])
            text = f"the operationId {operation.id} stands at {first.method} {first.path} already"
            raise DocumentError(ROOT_FILE, where, text)


def _digest(whole: dict[str, Json]) -> str:
    text = json.dumps(whole, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"


def _index(found: tuple[Operation, ...]) -> tuple[tuple[Template, Mapping[str, Operation]], ...]:
    paths: dict[str, dict[str, Operation]] = {}
    for operation in found:
        paths.setdefault(operation.path, {})[operation.method] = operation
    templates = sorted((compile_template(path) for path in paths), key=lambda template: template.rank)
    return tuple((template, paths[template.path]) for template in templates)
