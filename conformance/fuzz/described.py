"""schemathesis as a source of requests: what the document gives as examples, what covers its schemas, and random ones.

It generates, and nothing more: no request goes out by it, and no check of its own is run.
"""

import warnings
from collections.abc import Iterator
from functools import lru_cache
from itertools import count
from typing import Any

from conformance.fuzz.case import Case, of_bytes
from conformance.fuzz.drawn import drawn, no_constants_of_ours
from conformance.probe import Role
from openapi import document, json_text
from openapi.json_text import Json

AT_ONCE = 8  # random cases that are drawn together


@lru_cache(maxsize=1)
def _operations() -> dict[str, Any]:
    """Its own records of our operations, by id."""
    import schemathesis  # noqa: PLC0415 - a quarter of a second

    # With a configuration of our own it reads no schemathesis.toml of the working directory, which is somebody else's.
    loaded = schemathesis.openapi.from_dict(dict(document.load().bundle), config=schemathesis.Config())
    found: list[Any] = [one.ok() for one in loaded.get_all_operations()]  # type: ignore[union-attr]
    return {str(one.definition.raw["operationId"]): one for one in found}


def examples(operation: str, role: Role) -> list[Case]:
    """The examples of the document."""
    return [_case(operation, role, body) for body in document.load().operation(operation).examples.values()]


def coverage(operation: str, role: Role) -> list[Case]:
    """A case for each thing that the schema of the body says, kept and broken."""
    from schemathesis.generation.modes import GenerationMode  # noqa: PLC0415

    one = _operations()[operation]
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]
    with warnings.catch_warnings(), no_constants_of_ours():
        warnings.simplefilter("ignore")
        config = one.schema.config.generation_for(operation=one)
        made = one.schema.iter_coverage_cases(one, generation_modes=modes, generation_config=config)
        return list(_of_bodies(operation, role, made))


def random_cases(operation: str, role: Role, seed: int) -> Iterator[list[Case]]:
    """Cases without end, some at a time, legal and illegal in turn; the same one may come again."""
    from schemathesis.generation.modes import GenerationMode  # noqa: PLC0415

    one = _operations()[operation]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        modes = [one.as_strategy(generation_mode=mode) for mode in GenerationMode]
    for number in count():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            halves = [drawn(mode, f"{seed}.{number}", AT_ONCE // len(modes)) for mode in modes]
        made = [case for pair in zip(*halves, strict=False) for case in pair]
        yield list(_of_bodies(operation, role, made))


def _of_bodies(operation: str, role: Role, made: Any) -> Iterator[Case]:  # noqa: ANN401 - of a library without types
    """Those that differ by their body alone: methods, headers and paths have rows of their own."""
    method = document.load().operation(operation).method
    for one in made:
        if one.method.upper() != method or one.media_type not in {"application/json", None}:
            continue
        if isinstance(one.body, bytes):
            yield of_bytes(operation, role, one.body)
        elif one.body is None or isinstance(one.body, bool | int | float | str | list | dict):
            case = _case(operation, role, one.body)
            if _is_writable(case.body):
                yield case


def _case(operation: str, role: Role, body: Json) -> Case:
    return Case("one", operation, role, {"body": body})


def _is_writable(body: Json) -> bool:
    try:
        json_text.write(body)
    except (ValueError, TypeError):
        return False
    return True
