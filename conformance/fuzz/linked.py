"""What the document links behind an answer: asked with the values that the relay itself told.

A link is read from the document by its name. It names one entry of a list; a move says which entry is meant, and where
the list has none the sequence ends.
"""

from collections.abc import Mapping, Sequence
from functools import partial

from conformance.answers import intact, json_answer
from conformance.probe import Step
from openapi import document
from openapi.json_text import Json
from openapi.link import Link
from openapi.template import fill
from openapi.wire.exchange import Exchange


def links_of(operation: str) -> dict[str, Link]:
    """The links to what is asked by its path alone, by name."""
    book = document.load()
    return {
        link.name: link
        for link in book.operation(operation).links
        if book.operation(link.operation).method == "GET" and link.status == "200"
    }


def steps(operation: str, data: Mapping[str, Json]) -> tuple[Step, ...]:
    """The first request, and one for each move."""
    told = data.get("moves")
    walked = [_step(operation, at, move) for at, move in enumerate(told if isinstance(told, list) else [])]
    return (Step("first", data.get("body")), *(step for step in walked if step))


def walks(operation: str, told: Json) -> bool:
    """Whether each move is one along a link of the operation."""
    return isinstance(told, list) and bool(told) and all(_step(operation, 0, move) for move in told)


def _step(operation: str, at: int, move: Json) -> Step | None:
    match move:
        case {"link": str(name), "item": int(item)} if name in links_of(operation) and item >= 0:
            link = links_of(operation)[name]
            return Step(f"linked-{at:02}", path=partial(_path, link, item))
    return None


def _path(link: Link, item: int, sofar: Sequence[Exchange]) -> str:
    """The path that an entry of the first answer leads to, empty where it leads nowhere."""
    first = sofar[0]
    told = link.values(first.json.value, item) if json_answer.holds(first) and intact.holds(first) else None
    named = {name: value for name, value in (told or {}).items() if isinstance(value, str) and value}
    if not told or named != told or any({".", ".."} & set(name.split("/")) for name in named.values()):
        return ""  # dots would lead out of the relay's own paths, with the key
    return fill(document.load().operation(link.operation).path, named, safe="/")  # names with slashes go bare as well
