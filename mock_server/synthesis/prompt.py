"""What a chat request asks for, read once into a record. Never raises: what is of the wrong type is as if absent."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from mock_server.answer import Asked, Says
from mock_server.synthesis import tokens
from mock_server.synthesis.seed import digest
from openapi.json_text import Json

MAX_CHOICES = 128
MAX_TOP_LOGPROBS = 20
PER_MESSAGE = 3  # tokens that the frame of a message costs
PER_PICTURE = 85  # tokens that OpenAI counts for a picture of low detail
PICTURES = ("image_url", "input_image")
NO_EFFECT = ("stream", "stream_options", "user")  # on what is said; they shape how, and say for whom


@dataclass(frozen=True)
class Prompt:
    """One request for chat. The properties are what was asked for, with defaults where nothing was."""

    body: dict[str, Json]
    salt: int = 0  # other words for the same request
    says: Says | None = None

    @cached_property
    def seed(self) -> str:
        """The digest of all that bears on the answer's words: equal for the whole and the streamed answer."""
        heard = {name: value for name, value in self.body.items() if name not in NO_EFFECT}
        return digest(heard, self.salt) if self.salt else digest(heard)

    @property
    def model(self) -> str:
        return text(self.body.get("model"))

    @cached_property
    def messages(self) -> list[dict[str, Json]]:
        return objects(self.body.get("messages"))

    @cached_property
    def last_user(self) -> str:
        """The text of the last message of the user."""
        return next((content_text(one) for one in reversed(self.messages) if one.get("role") == "user"), "")

    @cached_property
    def conversation(self) -> str:
        """The texts of all messages."""
        return "\n".join(content_text(one) for one in self.messages)

    @cached_property
    def tool_results(self) -> list[str]:
        """The results at the end of the conversation: with any, it is the model's turn to use them."""
        results: list[str] = []
        for one in reversed(self.messages):
            if one.get("role") not in {"tool", "function"}:
                break
            results.insert(0, content_text(one))
        return results

    @cached_property
    def pictures(self) -> int:
        return sum(part.get("type") in PICTURES for one in self.messages for part in objects(one.get("content")))

    @property
    def n(self) -> int:
        return min(max(whole_number(self.body.get("n")) or 1, 1), MAX_CHOICES)

    @property
    def limit(self) -> int | None:
        """The most tokens of the answer, those of reasoning included."""
        limits = (whole_number(self.body.get(name)) for name in ("max_completion_tokens", "max_tokens"))
        return min((limit for limit in limits if limit is not None and limit >= 0), default=None)

    @property
    def stops(self) -> list[str]:
        match self.body.get("stop"):
            case str(one):
                return [one] if one else []
            case list(several):
                return [one for one in several if isinstance(one, str) and one]
        return []

    @property
    def logprobs(self) -> bool:
        return self.body.get("logprobs") is True

    @property
    def top_logprobs(self) -> int:
        return min(max(whole_number(self.body.get("top_logprobs")) or 0, 0), MAX_TOP_LOGPROBS)

    @property
    def cold(self) -> bool:
        """Temperature 0: the choices are all alike."""
        return self.body.get("temperature") == 0 and self.body.get("temperature") is not False

    @property
    def format(self) -> str:
        """text, json_object or json_schema."""
        return text(member(self.body.get("response_format"), "type")) or "text"

    @property
    def schema(self) -> Json:
        """The schema of json_schema; without one, any object."""
        return member(member(self.body.get("response_format"), "json_schema"), "schema") or {"type": "object"}

    @cached_property
    def functions(self) -> list[dict[str, Json]]:
        """The declared functions that have a name."""
        declared = (one.get("function") for one in objects(self.body.get("tools")))
        return [one for one in declared if isinstance(one, dict) and text(one.get("name"))]

    @property
    def streamed(self) -> bool:
        return self.body.get("stream") is True

    @property
    def include_usage(self) -> bool:
        return member(self.body.get("stream_options"), "include_usage") is True

    @cached_property
    def tokens(self) -> int:
        """What the prompt costs."""
        texts = (content_text(one) for one in self.messages)
        spent = sum(PER_MESSAGE + tokens.count(one) for one in texts) + PER_PICTURE * self.pictures
        return spent + sum(tokens.count(str(one)) for one in self.functions)


def read(asked: Asked) -> Prompt:
    return Prompt(asked.object, asked.seed, asked.says)


def content_text(message: dict[str, Json]) -> str:
    """The text of a message: its content, or the text parts of it. A lone surrogate is no character."""
    found = "\n".join(_texts(message.get("content")))
    return found if found.isascii() else found.encode("utf-8", "replace").decode()


def _texts(content: Json) -> Iterator[str]:
    if isinstance(content, str):
        yield content
    for part in objects(content):
        if isinstance(part.get("text"), str):
            yield text(part["text"])


def text(value: Json) -> str:
    return value if isinstance(value, str) else ""


def whole_number(value: Json) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def member(value: Json, name: str) -> Json:
    return value.get(name) if isinstance(value, dict) else None


def objects(value: Json) -> list[dict[str, Json]]:
    return (
        [one for one in value if isinstance(one, dict)]
        if isinstance(value, Sequence) and not isinstance(value, str)
        else []
    )
