"""What is secret in what goes over a wire: headers, cookies, queries, members of bodies, and texts that look like keys.

presented   the secrets that one request carries, to be taken out wherever they come again (`redaction.Redactor`)
looks       what looks like a secret in a text, by its form alone
hidden      a text without either
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

from openapi.json_text import Json
from openapi.wire.exchange import Headers
from openapi.wire.redaction import SHORTEST, Redactor, mark

HEADER_PARTS = ("auth", "key", "token", "secret", "cookie", "password", "credential", "signature")
HARMLESS = frozenset({"www-authenticate", "idempotency-key"})
HOLDING = frozenset({"x-portkey-config"})  # a configuration with the keys of providers in it
PRODUCTS = ("portkey",)  # a name with such a word in it
MEMBERS = re.compile(
    r"(?:^|[_-])(?:api[_-]?key|access[_-]?key|secret|password|passwd|credential|auth|authorization|bearer"
    r"|(?:access|refresh|auth|session|id|bearer|api)[_-]?token)s?$|^(?:key|token|sig|signature)$",
    re.IGNORECASE,
)
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
    if lower in HARMLESS or "ratelimit" in lower:
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
    found |= set(_of_members(body))
    return frozenset(value for value in found if len(value) >= SHORTEST)


def redactor(headers: Headers, path: str = "", body: Json = None, more: Iterable[str] = ()) -> Redactor:
    """What takes the secrets of a request out of all that is kept of it and of its answer."""
    return Redactor([*presented(headers, path, body), *more])


def shown_headers(headers: Headers, taken: Redactor) -> Headers:
    """The headers as they may be kept: of a secret one the mark alone."""
    return tuple((name, mark(0) if is_secret_header(name) else hidden(taken.text(value))) for name, value in headers)


def _of_headers(headers: Headers) -> Iterator[str]:
    for name, value in headers:
        if not is_secret_header(name):
            continue
        if "cookie" in name.lower():
            for part in value.split(";"):
                yield part.partition("=")[2].strip()
            continue
        yield value.strip()
        scheme, _, rest = value.strip().partition(" ")
        if rest:
            yield rest.strip()
        yield from (word for word in re.split(r",\s*|\s+", rest or scheme) if len(word) >= SHORTEST)


def _of_members(value: Json) -> Iterator[str]:
    """The texts of members that are named like secrets, at any depth."""
    left: list[tuple[str, Json]] = [("", value)]
    while left:
        name, one = left.pop()
        match one:
            case str() if name and MEMBERS.search(name):
                yield one
            case dict():
                left += one.items()
            case list():
                left += [(name, item) for item in one]
