"""Which requests a rule is for. A condition that is absent asks nothing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from mock_server.answer import Asked
from mock_server.asking import header, keys_of
from mock_server.synthesis import prompt
from openapi.json_text import Json

SYSTEM = {"system", "developer"}


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
        return next(self.misses(asked), None) is None

    def misses(self, asked: Asked) -> Iterator[Miss]:
        """The conditions that do not hold. Of a key it is not said what was there."""
        yield from self._plain(asked)
        for name, glob in self.header:
            value = header(asked.headers, name)
            if value is None or not fnmatchcase(value, glob):
                yield Miss(f"header {name}", glob, "" if value is None else "another")
        if self.key is not None and not any(fnmatchcase(key, self.key) for key in keys_of(asked.headers)):
            yield Miss("key", "the one of the rule", "another")
        if self.text or self.system or self.turn is not None or self.tool_result is not None:
            yield from self._conversation(prompt.read(asked))

    def _conversation(self, said: prompt.Prompt) -> Iterator[Miss]:
        if self.text and not self.text.found_in(said.last_user):
            yield Miss("text", self.text.written, _short(said.last_user))
        if self.system:
            told = "\n".join(prompt.content_text(one) for one in said.messages if one.get("role") in SYSTEM)
            told = told or prompt.text(said.body.get("system"))
            if not self.system.found_in(told):
                yield Miss("system", self.system.written, _short(told))
        turns = sum(one.get("role") == "user" for one in said.messages)
        if self.turn is not None and turns != self.turn:
            yield Miss("turn", str(self.turn), str(turns))
        if self.tool_result is not None and _ends_in_result(said) is not self.tool_result:
            yield Miss("tool_result", _write(self.tool_result), _write(not self.tool_result))

    def _plain(self, asked: Asked) -> Iterator[Miss]:
        body = asked.object
        model = body.get("model")
        if self.operation is not None and asked.operation != self.operation:
            yield Miss("operation", self.operation, asked.operation or asked.path.partition("?")[0][:60])
        if self.model is not None and not (isinstance(model, str) and fnmatchcase(model, self.model)):
            yield Miss("model", self.model, _short(model))
        if self.stream is not None and asked.streamed is not self.stream:
            yield Miss("stream", _write(self.stream), _write(asked.streamed))
        if self.tools is not None and bool(body.get("tools")) is not self.tools:
            yield Miss("tools", _write(self.tools), _write(not self.tools))
        if self.n is not None and (n := body.get("n") or 1) != self.n:
            yield Miss("n", _write(self.n), _write(n))
        if self.format is not None and (kind := _format(body)) != self.format:
            yield Miss("format", self.format, kind)


ANY = When()


def _ends_in_result(said: prompt.Prompt) -> bool:
    """In chat by its role, with Claude by the blocks of the last message."""
    if said.tool_results:
        return True
    last = said.messages[-1] if said.messages else {}
    return any(part.get("type") == "tool_result" for part in prompt.objects(last.get("content")))


def _format(body: dict[str, Json]) -> str:
    return prompt.text(prompt.member(body.get("response_format"), "type")) or "text"


def _write(value: Json) -> str:
    return str(value).lower() if isinstance(value, bool) else _short(value)


def _short(value: Json, limit: int = 60) -> str:
    text = "" if value is None else " ".join(str(value).split())
    return text if len(text) <= limit else text[: limit - 1] + "…"
