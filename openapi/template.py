"""Path templates (OpenAPI 3.2, "Path Templating"): ``/v1/models/{model}`` against the path of a request.

A parameter stands for one non-empty segment. One is greedy: ``{model}`` in the last segment takes the rest of the path,
because the names of models contain slashes (``org/name``), which clients send bare as well as percent-encoded.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

_PARAMETER = re.compile(r"\{([^{}]+)\}")
_GREEDY = "model"


@dataclass(frozen=True, slots=True)
class Template:
    """A compiled path template: one pattern a segment, and whether the last takes the rest of the path."""

    path: str
    segments: tuple[re.Pattern[str], ...]
    names: tuple[str, ...]
    greedy: bool

    @property
    def rank(self) -> tuple[int, ...]:
        """Sorts the concrete before the templated, segment by segment: 0 is a literal, the more the vaguer."""
        return tuple(_vagueness(segment) for segment in self.path.split("/"))

    def match(self, path: str) -> dict[str, str] | None:
        """The parameters of a request path, percent-decoded, or None. A query string is left out of account."""
        parts = [unquote(part) for part in path.partition("?")[0].split("/")]
        if self.greedy and len(parts) > len(self.segments) and "" not in parts[len(self.segments) - 1 :]:
            keep = len(self.segments) - 1
            parts[keep:] = ["/".join(parts[keep:])]
        if len(parts) != len(self.segments):
            return None
        found = [pattern.fullmatch(part) for pattern, part in zip(self.segments, parts, strict=True)]
        values = [value for match in found if match for value in match.groups()]
        return dict(zip(self.names, values, strict=True)) if all(found) else None


def compile_template(path: str) -> Template:
    """The template of one key of ``paths``."""
    segments = path.split("/")
    last = _PARAMETER.findall(segments[-1])
    return Template(
        path,
        tuple(re.compile(_pattern(segment), re.DOTALL) for segment in segments),
        tuple(_PARAMETER.findall(path)),
        greedy=bool(last) and last[-1] == _GREEDY,
    )


def fill(path: str, params: Mapping[str, str], safe: str = "") -> str:
    """A path template with its parameters in it, percent-encoded but for what is `safe`."""
    for name, value in params.items():
        path = path.replace(f"{{{name}}}", quote(value, safe=safe, errors="surrogatepass"))
    return path


def _pattern(segment: str) -> str:
    """Literals as they are, a group for each parameter: re.split puts the names at the odd places."""
    pieces = _PARAMETER.split(segment)
    return "".join("(.+)" if index % 2 else re.escape(piece) for index, piece in enumerate(pieces))


def _vagueness(segment: str) -> int:
    if not _PARAMETER.search(segment):
        return 0
    return 1 if _PARAMETER.sub("", segment) else 2
