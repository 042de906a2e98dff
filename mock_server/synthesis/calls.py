"""Which tools the mock calls, and with what."""

import re
from dataclasses import dataclass

from mock_server.synthesis import instances, tokens, values
from mock_server.synthesis.errors import UnanswerableError
from mock_server.synthesis.prompt import Prompt, member, objects, text
from mock_server.synthesis.seed import digest
from openapi import json_text
from openapi.json_text import Json

HEAD_TOKENS = 4  # that a call costs beside its arguments

_WORD = re.compile(r"[a-z]{4,}|[\u3400-\u9fff]{2}")
_COMMON = {"this", "that", "with", "from", "have", "your", "what", "when", "which", "given", "into", "about", "them"}
_TWO_THINGS = re.compile(r"\b(?:and|both|two|each)\b|[和与、及]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Call:
    """One call of a function; `arguments` is JSON text."""

    id: str
    name: str
    arguments: str

    @property
    def pieces(self) -> tuple[str, ...]:
        """The arguments as the tokens in which they are streamed."""
        return tokens.split(self.arguments)

    @property
    def tokens(self) -> int:
        return HEAD_TOKENS + len(self.pieces)


def calls(prompt: Prompt, index: int) -> tuple[Call, ...]:
    """The calls of choice `index`; empty where the answer is text.

    Raises UnanswerableError for a forced function that was not declared, and for parameters that are no schema.
    """
    if prompt.says:
        return tuple(_scripted(prompt, index, at, *call) for at, call in enumerate(prompt.says.calls))
    wanted = _wanted(prompt)
    if prompt.body.get("parallel_tool_calls") is False:
        wanted = wanted[:1]
    return tuple(_call(prompt, index, at, function, nth) for at, (function, nth) in enumerate(wanted))


def _wanted(prompt: Prompt) -> list[tuple[dict[str, Json], int]]:
    """Functions, each with the number of the thing in the prompt that the call is about."""
    functions = prompt.functions
    choice = prompt.body.get("tool_choice")
    if isinstance(choice, dict) and choice.get("type") == "allowed_tools":
        functions, choice = _allowed(functions, choice)
    name = text(member(member(choice, "function"), "name"))
    if name:
        return [(_declared(functions, name), 0)]
    if choice == "none" or not functions:
        return []
    if choice == "required":
        return _about(prompt, functions) or [(functions[0], 0)]
    return [] if prompt.tool_results else _about(prompt, functions)


def _allowed(functions: list[dict[str, Json]], choice: dict[str, Json]) -> tuple[list[dict[str, Json]], Json]:
    allowed = choice.get("allowed_tools")
    names = {member(member(one, "function"), "name") for one in objects(member(allowed, "tools"))}
    return [one for one in functions if one.get("name") in names], member(allowed, "mode")


def _declared(functions: list[dict[str, Json]], name: str) -> dict[str, Json]:
    for function in functions:
        if function.get("name") == name:
            return function
    raise UnanswerableError(f"tool_choice names the function {name!r}, which is not in tools", "tool_choice")


def _about(prompt: Prompt, functions: list[dict[str, Json]]) -> list[tuple[dict[str, Json], int]]:
    """The functions that the prompt is about; one that takes a place is called for each place."""
    fitting = [function for function in functions if _is_about(prompt.last_user, function)]
    if not fitting:
        return []
    if len(fitting) > 1 and _TWO_THINGS.search(prompt.last_user):
        return [(function, 0) for function in fitting]
    best = max(fitting, key=lambda function: _score(prompt.last_user, function))
    several = _takes_place(best) and _TWO_THINGS.search(prompt.last_user)
    return [(best, nth) for nth in range(max(1, len(values.places(prompt.last_user)) if several else 1))]


def _is_about(asked: str, function: dict[str, Json]) -> bool:
    return text(function.get("name")) in asked or _score(asked, function) > 0


def _score(asked: str, function: dict[str, Json]) -> int:
    """How many words of the function's name and description the prompt has."""
    told = f"{text(function.get('name')).replace('_', ' ')} {text(function.get('description'))}".lower()
    if "weather" in told or "天气" in told:
        told += " weather temperature forecast 天气 气温"
    return len((_words(told) & _words(asked)) - _COMMON)


def _words(said: str) -> set[str]:
    lower = said.lower()
    pairs = {lower[at : at + 2] for at in range(len(lower)) if tokens.is_chinese(lower[at : at + 1])}
    return set(re.findall(r"[a-z]{4,}", lower)) | {pair for pair in pairs if _WORD.fullmatch(pair)}


def _takes_place(function: dict[str, Json]) -> bool:
    properties = member(function.get("parameters"), "properties")
    return isinstance(properties, dict) and any(values.PLACE_NAMES.search(name) for name in properties)


def _call(prompt: Prompt, index: int, at: int, function: dict[str, Json], nth: int) -> Call:
    name = text(function.get("name"))
    identifier = f"call_{digest(prompt.seed, 'call', index, at)[:24]}"
    return Call(identifier, name, _arguments(prompt, function, nth))


def _scripted(prompt: Prompt, index: int, at: int, name: str, arguments: Json) -> Call:
    return Call(f"call_{digest(prompt.seed, 'call', index, at)[:24]}", name, json_text.write(arguments).decode())


def _arguments(prompt: Prompt, function: dict[str, Json], nth: int) -> str:
    schema = function.get("parameters")
    if not isinstance(schema, dict) or not schema:
        return "{}"
    try:
        value = instances.instance({"type": "object", **schema}, prompt.last_user, nth)
    except UnanswerableError as error:
        message = f"the parameters of {text(function.get('name'))!r}: {error}"
        raise UnanswerableError(message, "tools", "invalid_function_parameters") from error
    return json_text.write(value).decode()
