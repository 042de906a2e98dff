"""What the document says of one operation, as frozen records made from the bundle.

Pointers are into the bundle and name the schema itself: where a media type refers to ``#/components/schemas/X``, the
pointer is ``/components/schemas/X``.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from openapi.json_text import Json
from openapi.link import Link
from openapi.pointer import DocumentError, at, escape, follow, join

ROOT_FILE = "openapi.yaml"
_METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Media:
    """One body that an operation may answer with.

    ``status`` is written as in the document: ``200``, ``4XX`` or ``default``. ``pointer`` leads to the schema of the
    body; of an event stream, to the schema of the JSON in an event's data. ``stream`` names the grammar (``x-stream``).
    """

    status: str
    media_type: str
    pointer: str
    stream: str | None = None


@dataclass(frozen=True, slots=True)
class Operation:
    """One method on one path template. ``request`` leads to the schema of a JSON body, ``examples`` are such bodies,
    ``links`` what may be asked next."""

    id: str
    method: str
    path: str
    summary: str
    request: str | None
    media: tuple[Media, ...]
    examples: Mapping[str, Json] = field(hash=False)
    links: tuple[Link, ...] = ()

    @property
    def stream(self) -> str | None:
        """The grammar of the streamed answer, where the operation has one."""
        return next((media.stream for media in self.media if media.stream), None)

    def media_for(self, status: int, media_type: str) -> Media | None:
        """What the document says of an answer: its exact status first, then the range (``4XX``), then ``default``.

        Parameters and case of the media type do not count.
        """
        wanted = media_type.partition(";")[0].strip().lower()
        for key in (str(status), f"{status // 100}XX", "default"):
            described = [media for media in self.media if media.status.upper() == key.upper()]
            if described:
                return next((media for media in described if media.media_type == wanted), None)
        return None


def operations(bundle: Json) -> Iterator[Operation]:
    """The operations in the order of the document. Raises DocumentError for an operation without an id."""
    for path, item in _members(bundle, "/paths"):
        for method in _METHODS:
            if isinstance(item, dict) and method in item:
                yield _operation(bundle, path, method)


def _operation(bundle: Json, path: str, method: str) -> Operation:
    here = join(["paths", path, method])
    identifier = _text(bundle, here, "operationId")
    if not identifier:
        raise DocumentError(ROOT_FILE, here, "the operation has no operationId")
    body = _beneath(bundle, here, "requestBody", "content", _JSON)
    return Operation(
        id=identifier,
        method=method.upper(),
        path=path,
        summary=_text(bundle, here, "summary"),
        request=_beneath(bundle, body, "schema"),
        media=tuple(_answers(bundle, f"{here}/responses")),
        examples=MappingProxyType(dict(_examples(bundle, _beneath(bundle, body, "examples")))),
        links=tuple(_links(bundle, f"{here}/responses")),
    )


def _answers(bundle: Json, responses: str) -> Iterator[Media]:
    for status, _ in _members(bundle, responses):
        content = _beneath(bundle, responses, status, "content")
        for media_type, media in _members(bundle, content) if content else ():
            pointer = _schema(bundle, f"{content}/{escape(media_type)}")
            stream = media.get("x-stream") if isinstance(media, dict) else None
            if pointer:
                yield Media(status, media_type.lower(), pointer, stream if isinstance(stream, str) else None)


def _links(bundle: Json, responses: str) -> Iterator[Link]:
    for status, _ in _members(bundle, responses):
        links = _beneath(bundle, responses, status, "links")
        for name, _ in _members(bundle, links) if links else ():
            match at(bundle, follow(bundle, f"{links}/{escape(name)}")):
                case {"operationId": str(operation), "parameters": dict(parameters)}:
                    yield Link(name, status, operation, MappingProxyType(parameters))


def _schema(bundle: Json, media: str) -> str | None:
    """The schema of a body, or of the JSON in the data of an event where the media type has ``itemSchema``."""
    item = _beneath(bundle, media, "itemSchema")
    data = _beneath(bundle, item, "properties", "data")
    return (data and _content_schema(bundle, data)) or item or _beneath(bundle, media, "schema")


def _content_schema(bundle: Json, data: str) -> str | None:
    own = _beneath(bundle, data, "contentSchema")
    if own:
        return own
    for keyword in ("anyOf", "oneOf", "allOf"):
        branches = at(bundle, data)
        branches = branches.get(keyword) if isinstance(branches, dict) else None
        for index in range(len(branches) if isinstance(branches, list) else 0):
            found = _content_schema(bundle, follow(bundle, f"{data}/{keyword}/{index}"))
            if found:
                return found
    return None


def _examples(bundle: Json, examples: str | None) -> Iterator[tuple[str, Json]]:
    for name, _ in _members(bundle, examples) if examples else ():
        example = at(bundle, follow(bundle, f"{examples}/{escape(name)}"))
        if isinstance(example, dict) and ("value" in example or "dataValue" in example):
            yield name, example.get("value", example.get("dataValue"))


def _beneath(bundle: Json, pointer: str | None, *tokens: str) -> str | None:
    """The pointer to what stands below by these tokens, each ``$ref`` on the way followed; None where nothing does."""
    if pointer is None:
        return None
    for token in tokens:
        node = at(bundle, pointer)
        if not isinstance(node, dict) or token not in node:
            return None
        pointer = follow(bundle, f"{pointer}/{escape(token)}")
    return pointer


def _members(bundle: Json, pointer: str) -> list[tuple[str, Json]]:
    try:
        node = at(bundle, pointer)
    except KeyError:
        return []
    return list(node.items()) if isinstance(node, dict) else []


def _text(bundle: Json, pointer: str, key: str) -> str:
    node = at(bundle, pointer)
    value = node.get(key) if isinstance(node, dict) else None
    return value if isinstance(value, str) else ""
