"""What stands on an error besides its envelope: headers that say what to do next, and a text that tells no secret."""

import re
from collections.abc import Iterator
from email.utils import parsedate_to_datetime

from conformance.answers import answered, error_answer, excerpt, intact, message_of
from conformance.asked import no_key, wrong_key
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, NotSeen, On, Remark, rule
from conformance.rules.errors import CODES, ours, own_envelope
from conformance.rules.transport import REQUEST_IDS
from openapi.wire.exchange import Exchange

LATER = {429, 503}
KEY = re.compile(r"\b(sk-[A-Za-z0-9_-]{20,}|AIza[0-9A-Za-z_-]{35})")
INNER = re.compile(
    r"(?<![\d.])(?:127|10)\.\d{1,3}\.\d{1,3}\.\d{1,3}(?![\d.])"
    r"|(?<![\d.])(?:192\.168|172\.(?:1[6-9]|2\d|3[01])|169\.254)\.\d{1,3}\.\d{1,3}(?![\d.])"
    r"|\bhttps?://[a-z0-9-]+(?::\d+)?(?=[/\s\"'\\]|$)"
    r"|\b[a-z0-9.-]+\.(?:internal|local|lan|svc|cluster\.local|localdomain)\b"
    r"|\bdial (?:tcp|udp)\b|\blookup [a-z0-9.-]+ on\b",
    re.IGNORECASE,
)
GLUED = re.compile(r"[(（]\s*request[ _-]?id\s*[:：]", re.IGNORECASE)
told = ours & ~On("a redirect", lambda exchange: 300 <= (exchange.status or 0) < 400)


@rule(
    "errors.www-authenticate",
    Level.SHOULD,
    cites="RFC 9110 section 11.6.1",
    on=ours & (no_key | wrong_key),
    occasion=On("a 401", lambda exchange: exchange.status == 401),
)
def www_authenticate(exchange: Exchange) -> Iterator[Remark]:
    """A 401 names a scheme by which to come again, in WWW-Authenticate."""
    if not (exchange.header("www-authenticate") or "").strip():
        yield Finding("no WWW-Authenticate on a 401", place="www-authenticate")


@rule(
    "errors.retry-after",
    Level.MAY,
    cites="RFC 6585 section 4; RFC 9110 section 15.6.4",
    on=ours,
    occasion=On("a 429 or 503", lambda exchange: exchange.status in LATER),
)
def retry_after(exchange: Exchange) -> Iterator[Remark]:
    """Who is to come later is told when, by Retry-After: clients that guess come all at once."""
    if exchange.header("retry-after") is None:
        yield Finding(f"no Retry-After on a {exchange.status}", place="retry-after")


@rule(
    "errors.retry-after-form",
    Level.SHOULD,
    cites="RFC 9110 section 10.2.3",
    on=ANYTHING,
    occasion=On("a Retry-After", lambda exchange: exchange.header("retry-after") is not None),
)
def retry_after_form(exchange: Exchange) -> Iterator[Remark]:
    """Retry-After is a whole number of seconds, or a date."""
    value = (exchange.header("retry-after") or "").strip()
    if not (value.isascii() and value.isdigit()) and not _is_date(value):
        yield Finding(f"expected seconds or a date, got {excerpt(value)!r}", place="retry-after")


def _is_date(value: str) -> bool:
    try:
        parsedate_to_datetime(value)
    except (ValueError, OverflowError):
        return False
    return True


@rule(
    "errors.rate-limit-headers",
    Level.MAY,
    cites="OpenAI, Rate limits in headers",
    on=ours,
    occasion=On("a 429", lambda exchange: exchange.status == 429),
)
def rate_limit_headers(exchange: Exchange) -> Iterator[Remark]:
    """A 429 tells the limit and what is left of it, by x-ratelimit-… or RateLimit."""
    if not any(name.lower().startswith(("x-ratelimit", "ratelimit")) for name, _ in exchange.headers):
        yield Finding("no x-ratelimit header on a 429", place="x-ratelimit")


@rule(
    "errors.request-id-unique",
    Level.SHOULD,
    cites="OpenAI API reference, Debugging requests",
    on=ours,
    given=answered,
    over=("one-refusal", "another-refusal"),
)
def request_id_unique(one: Exchange, other: Exchange) -> Iterator[Remark]:
    """Two answers have two request ids."""
    ids = [[exchange.header(name) for name in REQUEST_IDS] for exchange in (one, other)]
    if not any(ids[0]) or not any(ids[1]):
        yield NotSeen("there is no request id: see transport.request-id")
    for name, first, second in zip(REQUEST_IDS, *ids, strict=True):
        if first and first == second:
            yield Finding(f"{name} is {excerpt(first)!r} on both", place=name, exchange=other.id)


@rule("errors.no-upstream-key", Level.MUST, cites="OWASP API8:2023", on=told, occasion=error_answer)
def no_upstream_key(exchange: Exchange) -> Iterator[Remark]:
    """No error shows a key: one that is not the client's is that of the relay's own account upstream."""
    text = exchange.content.decode("utf-8", "replace")
    for where, found in (("body", text), *exchange.headers):
        key = KEY.search(found)
        if key:
            yield Finding(f"a key stands in the {where}: {key[0][:6]}… ({len(key[0])} characters)", place=where)


@rule("errors.no-inner-host", Level.MAY, cites="OWASP API8:2023", on=told, occasion=error_answer)
def no_inner_host(exchange: Exchange) -> Iterator[Remark]:
    """No error names a host or an address inside the operator's network."""
    for where, found in (("message", message_of(exchange)), ("location", exchange.header("location") or "")):
        inner = INNER.search(found)
        if inner:
            yield Finding(f"{inner[0]!r} in the {where}: {excerpt(found)}", place=where)


@rule("errors.message-stable", Level.MAY, cites="new-api issue 418", on=ours, occasion=error_answer)
def message_stable(exchange: Exchange) -> Iterator[Remark]:
    """The message is the same each time: a request id has a header of its own and is not glued to the text."""
    glued = len(GLUED.findall(message_of(exchange)))
    if glued:
        yield Finding(f"{glued} request ids in the message: {excerpt(message_of(exchange))}", place="/error/message")


@rule("errors.code", Level.MAY, cites=f"{CODES}", on=ours & ~own_envelope, occasion=error_answer, given=intact)
def code(exchange: Exchange) -> Iterator[Remark]:
    """An error whose message is in a language of the operator's has a code by which a program knows it."""
    match exchange.object.get("error"):
        case {"message": str(text), **rest}:
            named = isinstance(rest.get("code"), str) and rest["code"]
            if not named and not text.isascii():
                yield Finding(f"no code beside {excerpt(text)!r}", place="/error/code")
        case _:
            yield Inconclusive("there is no error object: see errors.envelope")
