"""Several OpenAPI files become one document without external references.

Three kinds of target, told apart by where the target stands:

====================================  ===============================================================
the root file                         the reference becomes local: ``#/components/responses/Error``
a file below ``schemas/``             the schema moves to ``#/components/schemas/<Name>``, where Name is the first
                                      token of the pointer, or the file's stem where there is no pointer
any other file (paths, examples)      its content is put in the place of the reference
====================================  ===============================================================

Schemas may refer to each other in circles; what is put in place may not. Data stay as they are: a ``$ref`` below
``value``, ``default``, ``const``, ``enum`` or a schema's ``examples`` is text of an example, not a reference.
"""

from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from openapi.json_text import Json
from openapi.pointer import DocumentError, at, escape, follow, split
from openapi.yaml_subset import YamlError, read

_DATA = frozenset({"const", "dataValue", "default", "enum", "example", "value"})
_NAMES = frozenset(
    {"$defs", "callbacks", "content", "dependentSchemas", "encoding", "examples", "headers", "links", "parameters"}
    | {"pathItems", "paths", "patternProperties", "properties", "requestBodies", "responses", "schemas"}
    | {"securitySchemes", "variables", "webhooks"}
)


class _Place(NamedTuple):
    file: Path
    pointer: str

    def child(self, token: str | int) -> "_Place":
        return _Place(self.file, f"{self.pointer}/{escape(str(token))}")


def bundle(root: Path) -> dict[str, Json]:
    """The document whose root file is given, as one JSON object. Raises DocumentError with the file and pointer."""
    return _Bundler(root.resolve()).run()


class _Bundler:
    def __init__(self, root: Path) -> None:
        self._root = root
        self._paths: dict[tuple[Path, str], Path] = {}
        self._files: dict[Path, Json] = {}
        self._schemas: dict[str, Json] = {}
        self._origins: dict[str, _Place] = {}
        self._moved: set[_Place] = set()
        self._links: list[tuple[_Place, str]] = []
        self._inlining: list[_Place] = []

    def run(self) -> dict[str, Json]:
        start = _Place(self._root, "")
        document = self._copy(self._node(start, start), start)
        if not isinstance(document, dict):
            raise self._error(start, "the document must be an object")
        self._add_schemas(document, start)
        for place, pointer in self._links:
            self._check(document, place, pointer)
        return document

    def _add_schemas(self, document: dict[str, Json], start: _Place) -> None:
        components = document.setdefault("components", {})
        own = components.setdefault("schemas", {}) if isinstance(components, dict) else None
        if not isinstance(components, dict) or not isinstance(own, dict):
            raise self._error(start.child("components"), "must be an object")
        for name in own.keys() & self._schemas.keys():
            if own[name] != self._schemas[name]:
                raise self._clash(name, start.child("components").child("schemas").child(name))
        components["schemas"] = dict(sorted({**own, **self._schemas}.items()))

    def _check(self, document: dict[str, Json], place: _Place, pointer: str) -> None:
        try:
            follow(document, pointer)
        except KeyError:
            raise self._error(place, f"dangling $ref: nothing stands at #{pointer}") from None
        except ValueError as error:
            raise self._error(place, str(error)) from None

    def _copy(self, node: Json, place: _Place, named: bool = False) -> Json:
        """The node with its references rewritten; ``named``: its keys are names chosen by the author."""
        if isinstance(node, list):
            return [self._copy(item, place.child(index)) for index, item in enumerate(node)]
        if not isinstance(node, dict):
            return node
        if not named and isinstance(node.get("$ref"), str):
            return self._follow(node, place)
        return {
            key: child
            if not named and _is_data(key, child)
            else self._copy(child, place.child(key), named=not named and key in _NAMES)
            for key, child in node.items()
        }

    def _follow(self, node: dict[str, Json], place: _Place) -> Json:
        target = self._target(str(node["$ref"]), place)
        beside = {key: self._copy(child, place.child(key)) for key, child in node.items() if key != "$ref"}
        if target.file != self._root and not target.file.is_relative_to(self._root.parent / "schemas"):
            return self._inline(target, place, beside)
        pointer = target.pointer if target.file == self._root else self._move(target, place)
        self._links.append((place, pointer))
        return {"$ref": f"#{pointer}", **beside}

    def _target(self, ref: str, place: _Place) -> _Place:
        name, _, fragment = ref.partition("#")
        if fragment and not fragment.startswith("/"):
            raise self._error(place, f"the fragment of a $ref must be a JSON pointer: {ref}")
        file = self._paths.get((place.file, name)) if name else place.file
        if file is None:
            file = self._paths[place.file, name] = (place.file.parent / unquote(name)).resolve()
            if "://" in ref or not file.is_relative_to(self._root.parent):
                raise self._error(place, f"a $ref must stay inside the document's folder: {ref}")
        return _Place(file, unquote(fragment))

    def _inline(self, target: _Place, place: _Place, beside: dict[str, Json]) -> Json:
        if target in self._inlining:
            raise self._error(place, "a $ref in a circle, which only schemas may make")
        self._inlining.append(target)
        found = self._copy(self._node(target, place), target)
        self._inlining.pop()
        return {**found, **beside} if isinstance(found, dict) else found

    def _move(self, target: _Place, place: _Place) -> str:
        tokens = split(target.pointer) or [target.file.stem]
        origin = _Place(target.file, f"/{escape(tokens[0])}" if target.pointer else "")
        self._register(tokens[0], origin, place)
        return "/components/schemas" + "".join(f"/{escape(token)}" for token in tokens)

    def _register(self, name: str, origin: _Place, place: _Place) -> None:
        if origin in self._moved:
            return
        self._moved.add(origin)
        first = self._origins.setdefault(name, origin)
        node = self._node(origin, place)
        if first != origin and self._node(first, place) != node:
            raise self._clash(name, origin)
        schema = self._copy(node, origin)
        self._schemas.setdefault(name, schema)

    def _node(self, target: _Place, place: _Place) -> Json:
        if target.file not in self._files:
            self._files[target.file] = self._read(target.file, place)
        try:
            return at(self._files[target.file], target.pointer)
        except (KeyError, ValueError):
            where = f"{self._relative(target.file)}#{target.pointer}"
            raise self._error(place, f"dangling $ref: nothing stands at {where}") from None

    def _read(self, file: Path, place: _Place) -> Json:
        try:
            return read(file.read_text(encoding="utf-8"))
        except OSError as error:
            raise self._error(place, f"cannot read {self._relative(file)}: {error.strerror}") from error
        except ValueError as error:
            text = str(error) if isinstance(error, YamlError) else "is not UTF-8"
            raise DocumentError(self._relative(file), "", f"bad YAML: {text}") from error

    def _clash(self, name: str, place: _Place) -> DocumentError:
        other = self._origins[name]
        where = f"{self._relative(other.file)}#{other.pointer}"
        return self._error(place, f"the schema {name} has another content at {where}")

    def _error(self, place: _Place, text: str) -> DocumentError:
        return DocumentError(self._relative(place.file), place.pointer, text)

    def _relative(self, file: Path) -> str:
        folder = self._root.parent
        return file.relative_to(folder).as_posix() if file.is_relative_to(folder) else file.name


def _is_data(key: str, child: Json) -> bool:
    return key in _DATA or (key == "examples" and isinstance(child, list))
