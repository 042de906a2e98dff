"""HTTP around the answers: methods, paths, browsers, and the liberties that a request may take.

What a request may take liberties with (the case of a scheme, a parameter of its media type, white space) is asked
twice, plainly and with the liberty, for a model that nobody has: so it costs nothing, and the same answer to both shows
that the relay has read the second as far as its model.
"""

from collections.abc import Iterator

from conformance.answers import answered, describe, error_answer, message_of
from conformance.asked import keyed, legal, streamed
from conformance.rule import ANYTHING, Finding, Inconclusive, Level, NotSeen, On, Remark, on, rule
from openapi import document
from openapi.wire.exchange import Exchange

FETCH = "Fetch standard"
TRY_LATER = {429, 503, 529}
REFUSED = {401, 402, 403}  # the key, not the request
MOVED = {301, 302, 303}  # on which clients turn POST into GET
SDK = "x-stainless"


def _path(exchange: Exchange) -> str:
    return exchange.request.path.partition("?")[0]


def _methods(path: str) -> set[str]:
    """The methods that the document has on a path, HEAD for GET."""
    found = set(document.load().methods(path))
    return found | ({"HEAD"} if "GET" in found else set())


def _asked(exchange: Exchange, name: str) -> str:
    """A header of the request in lower case, empty where it is absent."""
    return (exchange.request.header(name) or "").lower()


def _names(value: str | None) -> set[str]:
    """The members of a list field, in lower case."""
    return {part.strip().lower() for part in (value or "").split(",")} - {""}


# --- methods --------------------------------------------------------------------------------------------------------


@on("HEAD where GET is served")
def head_of_get(exchange: Exchange) -> bool:
    return exchange.request.method == "HEAD" and "HEAD" in _methods(_path(exchange))


@on("a path of the document with a method that it has not")
def wrong_method(exchange: Exchange) -> bool:
    methods = _methods(_path(exchange))
    return bool(methods) and exchange.request.method not in methods | {"OPTIONS", "HEAD"}


@rule("http.head", Level.MAY, cites="RFC 9110 section 9.3.2", on=head_of_get & keyed)
def head(exchange: Exchange) -> Iterator[Remark]:
    """HEAD is answered like GET, less the body: monitors ask so whether a relay is up."""
    if exchange.status in REFUSED | TRY_LATER:
        yield Inconclusive(describe(exchange))
    elif exchange.status != 200:
        yield Finding(f"expected 200, got {exchange.status}")


@rule("http.method", Level.SHOULD, cites="RFC 9110 section 15.5.6", on=wrong_method & keyed)
def method(exchange: Exchange) -> Iterator[Remark]:
    """A method that a path does not know is answered 405."""
    if exchange.status in REFUSED | TRY_LATER or (exchange.status or 0) < 300:
        yield Inconclusive(describe(exchange))
    elif exchange.status != 405:
        yield Finding(f"expected 405 to {exchange.request.method}, {describe(exchange)}")


@rule(
    "http.allow",
    Level.SHOULD,
    cites="RFC 9110 sections 10.2.1 and 15.5.6",
    on=wrong_method,
    occasion=On("a 405", lambda exchange: exchange.status == 405),
)
def allow(exchange: Exchange) -> Iterator[Remark]:
    """A 405 says in Allow which methods there are, and the one that it refuses is none of them."""
    allowed = exchange.header("allow")
    if allowed is None:
        yield Finding("405 without Allow", place="allow")
    elif exchange.request.method.lower() in _names(allowed):
        yield Finding(f"405 to {exchange.request.method}, and Allow: {allowed}", place="allow")


# --- browsers -------------------------------------------------------------------------------------------------------


@on("a preflight")
def preflight(exchange: Exchange) -> bool:
    return exchange.request.method == "OPTIONS" and bool(_asked(exchange, "access-control-request-method"))


@on("headers of an SDK")
def of_sdk(exchange: Exchange) -> bool:
    return SDK in _asked(exchange, "access-control-request-headers")


@on("an Origin")
def with_origin(exchange: Exchange) -> bool:
    return bool(_asked(exchange, "origin")) and exchange.request.method != "OPTIONS"


options_alone = On("OPTIONS", lambda exchange: exchange.request.method == "OPTIONS") & ~preflight


def _origin_fault(exchange: Exchange) -> str | None:
    """Why a browser of the request's origin may not read the answer (Fetch, CORS check)."""
    said = [value for name, value in exchange.headers if name.lower() == "access-control-allow-origin"]
    origin = exchange.request.header("origin")
    if len(said) > 1:
        return f"Access-Control-Allow-Origin stands {len(said)} times"
    if not said or said[0] not in {"*", origin}:
        return f"expected Access-Control-Allow-Origin * or {origin!r}, got {said[0] if said else None!r}"
    return None


def _opened(exchange: Exchange) -> bool:
    return exchange.status is not None and 200 <= exchange.status < 300 and _origin_fault(exchange) is None


opened = On("a preflight that opens the relay", _opened)


@rule("http.preflight", Level.MUST, cites=f"{FETCH}, CORS-preflight fetch", on=preflight & ~of_sdk, given=answered)
def preflight_answered(exchange: Exchange) -> Iterator[Remark]:
    """A browser's question before a request, which never has a key, is answered 2xx."""
    if exchange.status in TRY_LATER:
        yield Inconclusive(describe(exchange))
    elif not 200 <= (exchange.status or 0) < 300:
        yield Finding(f"expected 2xx, {describe(exchange)}")


@rule("http.preflight-allows", Level.SHOULD, cites=f"{FETCH}, CORS-preflight fetch", on=preflight & ~of_sdk)
def preflight_allows(exchange: Exchange) -> Iterator[Remark]:
    """The answer to it allows the origin, POST, and the headers that were named."""
    if not 200 <= (exchange.status or 0) < 300:
        yield Inconclusive("it was refused: see http.preflight")
        return
    fault = _origin_fault(exchange)
    if fault:
        yield Finding(fault, place="access-control-allow-origin")
    wanted = _asked(exchange, "access-control-request-method")
    methods = _names(exchange.header("access-control-allow-methods"))
    if wanted not in methods | {"get", "head", "post"} and "*" not in methods:  # these three need no leave
        yield Finding(f"{wanted.upper()} is not among {sorted(methods)}", place="access-control-allow-methods")
    missing = _not_allowed(exchange)
    if missing:
        yield Finding(f"not allowed: {', '.join(missing)}", place="access-control-allow-headers")


def _not_allowed(exchange: Exchange) -> list[str]:
    """The headers that were asked for and are not allowed; `*` is taken for all of them, as most browsers do."""
    allowed = _names(exchange.header("access-control-allow-headers"))
    return [] if "*" in allowed else sorted(_names(_asked(exchange, "access-control-request-headers")) - allowed)


@rule(
    "http.preflight-sdk",
    Level.MUST,
    cites=f"{FETCH}, CORS-preflight fetch",
    on=preflight,
    given=answered,
    over=("browser", "sdk"),
)
def preflight_sdk(browser: Exchange, sdk: Exchange) -> Iterator[Remark]:
    """A relay that is open to browsers takes the headers that the official SDKs send, x-stainless-… among them."""
    if not _opened(browser) or _not_allowed(browser):
        yield NotSeen("the relay is not open to browsers: see http.preflight and http.preflight-allows")
    elif sdk.status in TRY_LATER:
        yield Inconclusive(describe(sdk))
    elif not _opened(sdk):
        text = f"refused with the headers of an SDK: {_origin_fault(sdk) or describe(sdk)}"
        yield Finding(text, place="access-control-allow-origin", exchange=sdk.id)
    elif missing := _not_allowed(sdk):
        yield Finding(f"not allowed: {', '.join(missing)}", place="access-control-allow-headers", exchange=sdk.id)


@rule(
    "http.preflight-star",
    Level.MAY,
    cites=f"{FETCH}, CORS non-wildcard request-header name",
    on=preflight,
    occasion=opened,
)
def preflight_star(exchange: Exchange) -> Iterator[Remark]:
    """Authorization is allowed by its name: `*` does not cover it, nor anything where credentials are allowed."""
    allowed = _names(exchange.header("access-control-allow-headers"))
    if "*" in allowed and "authorization" not in allowed:
        with_credentials = _names(exchange.header("access-control-allow-credentials")) == {"true"}
        also = ", beside Access-Control-Allow-Credentials: true" if with_credentials else ""
        yield Finding(f"Access-Control-Allow-Headers: *{also}", place="access-control-allow-headers")


@rule("http.cors-answer", Level.SHOULD, cites=f"{FETCH}, CORS check", on=with_origin, given=answered)
def cors_answer(exchange: Exchange) -> Iterator[Remark]:
    """An answer to a page of another origin, a refusal too, lets the page read it, and says so once."""
    fault = _origin_fault(exchange)
    if fault:
        yield Finding(f"{exchange.status}: {fault}", place="access-control-allow-origin")


@rule("http.options", Level.MAY, cites="RFC 9110 section 9.3.7", on=options_alone, given=answered)
def options(exchange: Exchange) -> Iterator[Remark]:
    """OPTIONS alone is answered 2xx, or as a method that is not there."""
    if exchange.status in TRY_LATER:
        yield Inconclusive(describe(exchange))
    elif exchange.status not in {404, 405, 501} and not 200 <= (exchange.status or 0) < 300:
        yield Finding(f"expected 2xx, 404 or 405, {describe(exchange)}")


# --- paths ----------------------------------------------------------------------------------------------------------


@on("a trailing slash")
def trailing_slash(exchange: Exchange) -> bool:
    path = _path(exchange)
    return path.endswith("/") and exchange.request.method in document.load().methods(path.rstrip("/"))


@on("a doubled slash")
def double_slash(exchange: Exchange) -> bool:
    path = _path(exchange)
    return "//" in path and bool(document.load().methods(path.replace("//", "/")))


odd_path = trailing_slash | double_slash


@rule("http.trailing-slash", Level.SHOULD, cites="RFC 9110 section 15.4", on=trailing_slash, given=answered)
def slash_behind(exchange: Exchange) -> Iterator[Remark]:
    """A path with a slash behind it is served, not found, or moved by 307 or 308: 301 and 302 lose what was posted."""
    if exchange.status in MOVED:
        yield Finding(f"{exchange.status} to {exchange.header('location')!r}: clients go on with GET and no body")


@rule("http.double-slash", Level.MAY, cites="RFC 9110 section 15.4", on=double_slash, given=answered)
def slash_twice(exchange: Exchange) -> Iterator[Remark]:
    """A path with a doubled slash, from a base URL that ends in one, is served or refused as JSON."""
    if exchange.status in MOVED:
        yield Finding(f"{exchange.status} to {exchange.header('location')!r}")
    elif exchange.media_type != "application/json":
        yield Finding(f"{exchange.status} as {exchange.header('content-type')!r}")


# --- liberties of a request -----------------------------------------------------------------------------------------


def _reads_model(exchange: Exchange) -> bool:
    """Whether an answer shows that the relay has read the request as far as its model."""
    return exchange.status == 200 or (error_answer.holds(exchange) and "model" in message_of(exchange).lower())


def _as_usual(usual: Exchange, other: Exchange) -> Iterator[Remark]:
    """The liberty changes nothing: it gets the answer that the plain request got."""
    if not _reads_model(usual):
        yield Inconclusive(f"the plain request was not read as far as its model: {describe(usual)}")
    elif other.status != usual.status and other.status in TRY_LATER | {402}:
        yield Inconclusive(describe(other))
    elif other.status != usual.status or not _reads_model(other):
        yield Finding(f"plainly {usual.status}, so {describe(other)}", place="status", exchange=other.id)


@rule(
    "http.scheme-case",
    Level.SHOULD,
    cites="RFC 9110 section 11.1",
    on=ANYTHING,
    given=answered,
    over=("usual", "wrong", "bearer-lower"),
)
def scheme_case(usual: Exchange, wrong: Exchange, lower: Exchange) -> Iterator[Remark]:
    """The scheme of a key is Bearer in any case."""
    if wrong.status != 401:
        yield Inconclusive(f"a wrong key is not told from a right one: {describe(wrong)}")
    else:
        yield from _as_usual(usual, lower)


@rule(
    "http.key-name-case",
    Level.MAY,
    cites="RFC 9110 section 5.1",
    on=ANYTHING,
    given=answered,
    over=("usual", "wrong", "key-name-case"),
)
def key_name_case(usual: Exchange, wrong: Exchange, upper: Exchange) -> Iterator[Remark]:
    """The name of the header with the key is written in any case."""
    yield from scheme_case(usual, wrong, upper)


@rule(
    "http.key-twice",
    Level.SHOULD,
    cites="RFC 9110 section 15.6; Apifox template",
    on=ANYTHING,
    given=answered,
    over=("usual", "key-twice"),
)
def key_twice(usual: Exchange, twice: Exchange) -> Iterator[Remark]:
    """The same key twice, as a template that many have copied sends it, is let in or refused, and breaks nothing."""
    if twice.status != usual.status and (twice.status or 0) >= 500 and twice.status not in TRY_LATER:
        yield Finding(f"plainly {usual.status}, so {describe(twice)}", place="status", exchange=twice.id)


@rule(
    "http.media-type-parameter",
    Level.MUST,
    cites="RFC 9110 section 8.3.1",
    on=ANYTHING,
    given=answered,
    over=("usual", "charset"),
)
def media_type_parameter(usual: Exchange, charset: Exchange) -> Iterator[Remark]:
    """`Content-Type: application/json; charset=utf-8` is JSON: half of all clients say it so."""
    yield from _as_usual(usual, charset)


@rule(
    "http.media-type-case",
    Level.SHOULD,
    cites="RFC 9110 section 8.3.1",
    on=ANYTHING,
    given=answered,
    over=("usual", "type-case"),
)
def media_type_case(usual: Exchange, upper: Exchange) -> Iterator[Remark]:
    """A media type is written in any case."""
    yield from _as_usual(usual, upper)


@rule(
    "http.body-whitespace",
    Level.SHOULD,
    cites="RFC 8259 section 2",
    on=ANYTHING,
    given=answered,
    over=("usual", "spaces"),
)
def body_whitespace(usual: Exchange, spaces: Exchange) -> Iterator[Remark]:
    """White space around the JSON of a request means nothing."""
    yield from _as_usual(usual, spaces)


@rule("http.body-gzip", Level.MAY, cites="RFC 9110 section 8.4", on=ANYTHING, given=answered, over=("usual", "gzip"))
def body_gzip(usual: Exchange, packed: Exchange) -> Iterator[Remark]:
    """A request may be compressed with gzip."""
    yield from _as_usual(usual, packed)


@rule("http.expect", Level.MAY, cites="RFC 9110 section 10.1.1", on=ANYTHING, given=answered, over=("usual", "expect"))
def expect(usual: Exchange, expecting: Exchange) -> Iterator[Remark]:
    """`Expect: 100-continue`, which curl sends with large bodies, is no reason to refuse."""
    yield from _as_usual(usual, expecting)


@rule(
    "http.body-limit", Level.MAY, cites="RFC 9110 section 15.5.14", on=ANYTHING, given=answered, over=("usual", "large")
)
def body_limit(_: Exchange, large: Exchange) -> Iterator[Remark]:
    """A request of a megabyte, which one picture makes, is taken."""
    if large.status == 413:
        text = f"{len(large.request.body or b''):,} bytes are too large: {describe(large)}"
        yield Finding(text, place="status", exchange=large.id)


@rule(
    "http.too-large",
    Level.SHOULD,
    cites="RFC 9110 section 15.5.14",
    on=ANYTHING,
    given=answered,
    over=("usual", "large"),
)
def too_large(usual: Exchange, large: Exchange) -> Iterator[Remark]:
    """A request that is too large is told so, by 413, and not as another mistake."""
    if large.status != 413:
        yield from _as_usual(usual, large)


@on("stream true, and application/json accepted alone")
def accepts_json(exchange: Exchange) -> bool:
    usual = "application/json" if exchange.probe else ""  # what the transport says where a probe does not
    return (_asked(exchange, "accept") or usual) == "application/json"


@rule("http.accept", Level.MUST, cites="RFC 9110 section 12.5.1", on=streamed & legal & accepts_json, given=answered)
def accept(exchange: Exchange) -> Iterator[Remark]:
    """A stream is not refused because of `Accept: application/json`, which SDKs send whatever they ask for."""
    if exchange.status == 406:
        yield Finding(f"expected a stream, {describe(exchange)}")
    elif exchange.status != 200:
        yield Inconclusive(describe(exchange))
