"""Pointers into JSON values (RFC 6901).

A pointer is the empty string (the whole value) or a series of ``/token``, in which ``~1`` stands for ``/`` and
``~0`` for ``~``.
"""

from collections.abc import Sequence

from openapi.json_text import Json


class DocumentError(ValueError):
    """The OpenAPI files are not what they must be.

    ``file`` names the file as seen from the folder of the document, ``pointer`` the place in it.
    """

    def __init__(self, file: str, pointer: str, text: str) -> None:
        super().__init__(f"{file}#{pointer}: {text}")
        self.file = file
        self.pointer = pointer
        self.text = text


def escape(token: str) -> str:
    """One token as it stands in a pointer."""
    return token.replace("~", "~0").replace("/", "~1")


def join(tokens: Sequence[str | int]) -> str:
    """The pointer made of these tokens; array indexes may be integers."""
    return "".join(f"/{escape(str(token))}" for token in tokens)


def split(pointer: str) -> list[str]:
    """The tokens of a pointer. Raises ValueError where it neither is empty nor begins with a slash."""
    if not pointer:
        return []
    if not pointer.startswith("/"):
        raise ValueError(f"a JSON pointer begins with a slash: {pointer!r}")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer[1:].split("/")]


def at(value: Json, pointer: str) -> Json:
    """What stands at the pointer. Raises KeyError, with the pointer, where nothing does."""
    for token in split(pointer):
        try:
            value = _step(value, token)
        except (LookupError, ValueError):
            raise KeyError(pointer) from None
    return value


def follow(value: Json, pointer: str) -> str:
    """Where the chain of local ``$ref`` that begins at the pointer ends: the pointer itself where there is none.

    Raises KeyError where nothing stands there, ValueError for a chain that leads back to itself.
    """
    seen: list[str] = []
    while isinstance(node := at(value, pointer), dict) and isinstance(ref := node.get("$ref"), str):
        if pointer in seen:
            raise ValueError(f"a $ref that leads back to itself: {pointer}")
        seen.append(pointer)
        pointer = ref.removeprefix("#")
    return pointer


def _step(value: Json, token: str) -> Json:
    if isinstance(value, dict):
        return value[token]
    if isinstance(value, list) and token.isascii() and token.isdigit():
        return value[int(token)]
    raise KeyError(token)
