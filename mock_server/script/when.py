"""Which requests a rule is for. A condition that is absent asks nothing."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import translate
from functools import cached_property

from mock_server.answer import Asked
from mock_server.asking import header, keys_of
from mock_server.synthesis import prompt
from openapi.json_text import Json

SYSTEM = {"system", "developer"}
WILDCARDS = frozenset("*?[")


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a request is not meant: the condition, what it asks, and what was there."""

    name: str
    expected: str
    got: str

    @property
    def text(self) -> str:
        return f"{self.name} is {self.got or 'not there'}, not {self.expected}"


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a text, or a regular expression where it was written /between slashes/."""

    written: str
    pattern: re.Pattern[str] | None = None

    def found_in(self, text: str) -> bool:
        return bool(self.pattern.search(text)) if self.pattern else self.written in text


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition: whether it holds for a request, and what was there instead. Of a key that is not said."""

    name: str
    expected: str
    holds: Callable[[Asked], bool]
    got: Callable[[Asked], str]


@dataclass(frozen=True)
class When:
    """The conditions of a rule; all of them must hold.

    `model`, `key` and headers are globs (`gpt-*`); `text` is of the last message of the user, `system` of the system's;
    `turn` counts the messages of the user; `tool_result` says whether the conversation ends in one.
    """

    operation: str | None = None
    model: str | None = None
    stream: bool | None = None
    tools: bool | None = None
    n: int | None = None
    format: str | None = None
    text: Text | None = None
    system: Text | None = None
    header: tuple[tuple[str, str], ...] = ()
    key: str | None = None
    turn: int | None = None
    tool_result: bool | None = None

    def holds(self, asked: Asked) -> bool:
        for condition in self.conditions:  # noqa: SIM110 - each request comes here, and a generator weighs as much
            if not condition.holds(asked):
                return False
        return True

    def misses(self, asked: Asked) -> Iterator[Miss]:
        """The conditions that do not hold."""
        for one in self.conditions:
            if not one.holds(asked):
                yield Miss(one.name, one.expected, one.got(asked))

    @cached_property
    def conditions(self) -> tuple[Condition, ...]:
        """Those that ask something, the quick ones first."""
        found = (
            _operation(self.operation),
            _model(self.model),
            _is("stream", self.stream, lambda asked: asked.streamed),
            _is("tools", self.tools, lambda asked: bool(asked.object.get("tools"))),
            _is("n", self.n, lambda asked: asked.object.get("n") or 1),
            _is("format", self.format, _format),
            *(_header(name, glob) for name, glob in self.header),
            _key(self.key),
            _says("text", self.text, lambda asked: prompt.read(asked).last_user),
            _says("system", self.system, _system),
            _is("turn", self.turn, _turns),
            _is("tool_result", self.tool_result, _ends_in_result),
        )
        return tuple(filter(None, found))


ANY = When()

# --- the conditions, each None where nothing is asked ---------------------------------------------------------------


def _operation(wanted: str | None) -> Condition | None:
    if wanted is None:
        return None
    return Condition(
        "operation",
        wanted,
        lambda asked: asked.operation == wanted,
        lambda asked: asked.operation or asked.path.partition("?")[0][:60],
    )


def _model(glob: str | None) -> Condition | None:
    if glob is None:
        return None
    fits = _glob(glob)

    def holds(asked: Asked) -> bool:
        model = asked.object.get("model")
        return isinstance(model, str) and fits(model)

    return Condition("model", glob, holds, lambda asked: _short(asked.object.get("model")))


def _is(name: str, wanted: Json, of: Callable[[Asked], Json]) -> Condition | None:
    if wanted is None:
        return None
    return Condition(name, _write(wanted), lambda asked: of(asked) == wanted, lambda asked: _write(of(asked)))


def _header(name: str, glob: str) -> Condition:
    fits = _glob(glob)

    def holds(asked: Asked) -> bool:
        value = header(asked.headers, name)
        return value is not None and fits(value)

    return Condition(
        f"header {name}", glob, holds, lambda asked: "" if header(asked.headers, name) is None else "another"
    )


def _key(glob: str | None) -> Condition | None:
    if glob is None:
        return None
    fits = _glob(glob)
    return Condition(
        "key", "the one of the rule", lambda asked: any(map(fits, keys_of(asked.headers))), lambda _: "another"
    )


def _says(name: str, wanted: Text | None, of: Callable[[Asked], str]) -> Condition | None:
    if wanted is None:
        return None
    return Condition(name, wanted.written, lambda asked: wanted.found_in(of(asked)), lambda asked: _short(of(asked)))


# --- what a request says --------------------------------------------------------------------------------------------


def _system(asked: Asked) -> str:
    said = prompt.read(asked)
    told = "\n".join(prompt.content_text(one) for one in said.messages if one.get("role") in SYSTEM)
    return told or prompt.text(said.body.get("system"))


def _turns(asked: Asked) -> int:
    return sum(one.get("role") == "user" for one in prompt.read(asked).messages)


def _ends_in_result(asked: Asked) -> bool:
    """In chat by its role, with Claude by the blocks of the last message."""
    said = prompt.read(asked)
    if said.tool_results:
        return True
    last = said.messages[-1] if said.messages else {}
    return any(part.get("type") == "tool_result" for part in prompt.objects(last.get("content")))


def _format(asked: Asked) -> str:
    return prompt.text(prompt.member(asked.object.get("response_format"), "type")) or "text"


def has_wildcard(glob: str) -> bool:
    """Whether it may fit another text than itself."""
    return not WILDCARDS.isdisjoint(glob)


def _glob(glob: str) -> Callable[[str], bool]:
    """Whether a text fits, as `fnmatchcase` has it."""
    if not has_wildcard(glob):
        return glob.__eq__
    match = re.compile(translate(glob)).match
    return lambda text: match(text) is not None


def _write(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else _short(value)


def _short(value: Json, limit: int = 60) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
