"""An answer of somebody else's client, of httpx or httpx2, as an exchange: with what it still holds, and no more.

Such a client joins the reads of a body, takes its codings off, and keeps no times: what is judged by those stays
inconclusive.
"""

from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from conformance.rule import Rule
from conformance.rules import sse_time
from conformance.target import base_of
from openapi.wire.clearing import cleared
from openapi.wire.exchange import Auth, Exchange, Headers, Read, Request
from openapi.wire.redaction import Redactor, mark
from openapi.wire.secrets import is_secret_header

NO_WIRE = "a client's response keeps no times, no framing and no chunks: ask by relay.post"
BY_THE_WIRE = {"sse.no-length", "sse.whole-events", "video.gap"}  # beside those of whole modules
UNDONE = {"content-encoding", "transfer-encoding", "content-length"}  # headers of a body that the client has decoded


class Asked(Protocol):
    """A request of httpx."""

    method: str
    url: Any
    headers: Any

    @property
    def content(self) -> bytes: ...


class Response(Protocol):
    """What httpx and httpx2 have in common."""

    status_code: int
    headers: Any

    @property
    def request(self) -> Any: ...  # noqa: ANN401 - each library's own
    @property
    def content(self) -> bytes: ...


def needs_wire(rule: Rule) -> bool:
    """Whether a rule looks at what a client's response has lost."""
    timed = getattr(rule.check, "__module__", "") == sse_time.__name__
    return rule.chapter == "transport" or timed or rule.id in BY_THE_WIRE


def exchange_of(response: Response, id: str, base: str, redactor: Redactor) -> Exchange:  # noqa: A002
    """The exchange, secrets out. Raises ValueError for a body that was not read, TypeError for what is no response."""
    if not hasattr(response, "status_code") or not hasattr(response, "request"):
        msg = f"expected an exchange, or a response of httpx, not {type(response).__name__}"
        raise TypeError(msg)
    try:
        content = bytes(response.content)
    except Exception as error:  # noqa: BLE001 - each library has its own
        msg = f"the body of the response is not there, read it first: {type(error).__name__}"
        raise ValueError(msg) from None
    headers = tuple(pair for pair in _headers(response) if pair[0] not in UNDONE)
    asked, keys = _request(response.request, base)
    exchange = Exchange(id, asked, response.status_code, headers, (Read(0.0, content),) if content else ())
    return cleared(cleared(exchange, Redactor(keys)), redactor)


def _request(asked: Asked, base: str) -> tuple[Request, list[str]]:
    """The request without its keys, and these."""
    url = urlsplit(str(asked.url))
    prefix = urlsplit(base_of(base)).path if base else ""
    path = url.path.removeprefix(prefix) or "/"
    headers = _headers(asked)
    secrets = [value.removeprefix("Bearer ") for name, value in headers if is_secret_header(name)]
    kept = tuple(
        (name, mark(0) if is_secret_header(name) else value) for name, value in headers if name != "authorization"
    )
    path += f"?{url.query}" if url.query else ""
    return Request(asked.method, path, kept, None if secrets else Auth.NONE, bytes(asked.content) or None), secrets


def _headers(of: Any) -> Headers:  # noqa: ANN401
    """The header fields, names in lower case."""
    raw: Any = getattr(of.headers, "raw", None)
    if raw is not None:
        return tuple((name.decode("latin-1").lower(), value.decode("latin-1")) for name, value in raw)
    assert isinstance(of.headers, Mapping)
    return tuple((str(name).lower(), str(value)) for name, value in of.headers.items())
