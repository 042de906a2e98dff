"""What is secret in what goes over a wire: headers, cookies, queries, members of bodies, and texts that look like keys.

given       the secrets that an answer brings of its own
presented   the secrets that one request carries, to be taken out wherever they come again (`redaction.Redactor`)
looks       what looks like a secret in a text, by its form alone
hidden      a text without either
"""

import base64
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from openapi import json_text
from openapi.json_text import Json
from openapi.wire import sse
from openapi.wire.exchange import Headers
from openapi.wire.redaction import MARK, SHORTEST, Redactor, mark

HEADER_PARTS = ("auth", "key", "token", "secret", "cookie", "password", "credential", "signature")
HARMLESS = frozenset({"www-authenticate", "idempotency-key", "access-control-allow-credentials"})  # named so only
HOLDING = frozenset({"x-portkey-config"})  # a configuration with the keys of providers in it
PRODUCTS = ("portkey",)  # a name with such a word in it
MEASURES = ("spend", "limit", "budget", "count", "remaining", "reset", "usage", "duration")  # `x-litellm-key-spend`
MEMBERS = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|access[_-]?key|secret|password|passwd|credential|auth|authorization|bearer"
    r"|(?:access|refresh|auth|session|id|bearer|api)[_-]?token)s?$|^(?:key|token|sig|signature)$",
    re.IGNORECASE,
)
GIVEN = re.compile(  # in an answer, where a `token` is a word, a `key` is a name and a `signature` is a thought's
    r"(?:^|[_-])(?:api[_-]?key|access[_-]?key|secret|password|passwd|credential|authorization"
    r"|(?:access|refresh|auth|session|id|bearer|api)[_-]?token)s?$",
    re.IGNORECASE,
)
DEEPEST = 3  # texts within texts that are JSON
NOBODYS = "Basic cmVsYXlwcm9vZjp3cm9uZw=="  # relayproof:wrong, for a probe that asks by a scheme that no relay takes
INVENTED = frozenset({NOBODYS})  # what we present ourselves and opens nothing
FORMS = {
    "an API key": r"\b(?:sk|pk|rk)-[A-Za-z0-9][A-Za-z0-9_-]{15,}",
    "a Google key": r"\bAIza[0-9A-Za-z_-]{35}",
    "an AWS key": r"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b",
    "a GitHub token": r"\bgh[pousr]_[A-Za-z0-9]{30,}",
    "a Slack token": r"\bxox[abprs]-[A-Za-z0-9-]{10,}",
    "a JSON web token": r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}",
    "a bearer's token": r"(?i:\bbearer\s+)[A-Za-z0-9._~+/-]{16,}=*",
}
LOOKS = re.compile("|".join(f"(?P<f{at}>{form})" for at, form in enumerate(FORMS.values())))
KINDS = tuple(FORMS)


@dataclass(frozen=True, slots=True)
class Look:
    """What looks like a secret: its kind, and where it stands in the text."""

    kind: str
    start: int
    end: int


def is_secret_header(name: str) -> bool:
    """Whether the value of a header is a secret, by the header's name."""
    lower = name.lower()
    if lower in HARMLESS or "ratelimit" in lower or lower.rpartition("-")[2] in MEASURES:
        return False
    for product in PRODUCTS:
        lower = lower.replace(product, "")
    return name.lower() in HOLDING or any(part in lower for part in HEADER_PARTS)


def looks(text: str) -> Iterator[Look]:
    """What looks like a secret. No mark of ours does: it begins with a bracket."""
    for found in LOOKS.finditer(text):
        yield Look(KINDS[int((found.lastgroup or "f0")[1:])], found.start(), found.end())


def hidden(text: str) -> str:
    """The text with a mark for whatever looks like a secret."""
    return LOOKS.sub(lambda found: mark(len(found[0])), text)


def hidden_bytes(data: bytes) -> bytes:
    """The same of bytes, of whatever encoding."""
    return hidden(data.decode("latin-1")).encode("latin-1")


def presented(headers: Headers, path: str = "", body: Json = None) -> frozenset[str]:
    """The secrets of one request: in its headers, cookies, query and body, each also without its scheme."""
    found = set(_of_headers(headers))
    found |= {value for name, value in parse_qsl(path.partition("?")[2]) if MEMBERS.search(name)}
    found |= set(_of_members(body, MEMBERS))
    return frozenset(value for value in found if len(value) >= SHORTEST)


def given(headers: Headers, content: bytes, *, stream: bool) -> frozenset[str]:
    """The secrets that an answer gives: its cookies, headers that hold one, and members that are named like one."""
    found = set(_of_headers(headers))
    messages = sse.decode(content) if stream else []
    texts = [one.data for one in messages if isinstance(one, sse.Message)] if stream else [content]
    for text in texts:
        found |= set(_of_members(json_text.read(text).value, GIVEN))
    return frozenset(value for value in found if len(value) >= SHORTEST and MARK not in value)


def redactor(headers: Headers, path: str = "", body: Json = None, more: Iterable[str] = ()) -> Redactor:
    """What takes the secrets of a request out of all that is kept of it and of its answer."""
    return Redactor([*presented(headers, path, body), *more])


def shown_headers(headers: Headers, taken: Redactor) -> Headers:
    """The headers as they may be kept: of a secret one the mark alone."""
    return tuple((name, mark(0) if is_secret_header(name) else hidden(taken.text(value))) for name, value in headers)


def _of_headers(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        lower = name.lower()
        if not is_secret_header(lower):
            continue
        if "cookie" in lower:
            parts = value.split(";")[:1] if lower == "set-cookie" else value.split(";")  # then come its attributes
            yield from (part.partition("=")[2].strip(' "') for part in parts)
            continue
        yield value.strip()
        scheme, _, rest = value.strip().partition(" ")
        if rest:
            yield rest.strip()
        if scheme.lower() == "basic":
            yield from _of_basic(rest)
        yield from (word for word in re.split(r",\s*|\s+", rest or scheme) if len(word) >= SHORTEST)


def _of_basic(coded: str) -> Iterator[str]:
    """What stands in credentials of the scheme Basic: user and password together, and the password."""
    try:
        pair = base64.b64decode(coded.strip(), validate=True).decode("utf-8", "replace")
    except ValueError:
        return
    yield pair
    yield pair.partition(":")[2]


def _of_members(value: Json, names: re.Pattern[str]) -> Iterator[str]:
    """The texts of members that are named like secrets, at any depth, also in texts that are JSON themselves."""
    left: list[tuple[str, Json, int]] = [("", value, 0)]
    while left:
        name, one, depth = left.pop()
        match one:
            case str():
                if name and names.search(name):
                    yield one
                elif depth < DEEPEST and one[:1] in {"{", "["}:
                    left.append((name, json_text.read(one).value, depth + 1))
            case dict():
                left += [(key, item, depth) for key, item in one.items()]
            case list():
                left += [(name, item, depth) for item in one]
