"""HTTP around the answers: methods, paths, browsers, and the liberties that a request may take."""

import re
from collections.abc import Callable
from dataclasses import replace

from mock_server.answer import Answer, Asked
from mock_server.faults.edit import header, is_chat_stream, with_frames, with_header
from mock_server.faults.fault import Answering, allows, sends
from mock_server.policy import Policy
from mock_server.synthesis import error
from openapi.wire.exchange import Framing

SMALL = 1 << 20  # bytes
CHATS = "/v1/chat/completions"


def refused(status: int, message: str) -> Answer:
    return error(status, message, type="invalid_request_error", code="refused")


def _is_preflight(asked: Asked) -> bool:
    return asked.method == "OPTIONS" and header(asked.headers, "access-control-request-method") != ""


# --- methods --------------------------------------------------------------------------------------------------------


@allows("head-request-refused", "http.head")
def head_refused(policy: Policy) -> Policy:
    """HEAD is 405: monitors take the relay for down."""
    return replace(policy, head=False)


@allows("method-404", "http.method")
def method_404(policy: Policy) -> Policy:
    """A wrong method is 404, as in new-api: a client takes the path for missing."""
    return replace(policy, methods=False)


@sends("allow-missing", "http.allow")
def allow_missing(_: Asked, answer: Answer) -> Answer:
    """405 does not say which methods there are."""
    return with_header(answer, "allow", None) if answer.status == 405 else answer


# --- browsers -------------------------------------------------------------------------------------------------------


@sends("cors-options-refused", "http.preflight")
def options_refused(asked: Asked, answer: Answer) -> Answer:
    """A browser's preflight is asked for a key, which it never has: no web page can use the relay."""
    return refused(401, "No API key was sent.") if _is_preflight(asked) else answer


@sends("cors-stainless-headers-refused", "http.preflight-sdk")
def sdk_refused(asked: Asked, answer: Answer) -> Answer:
    """A fixed list of headers is allowed, without those of the official SDKs: these do not work in any browser."""
    if not _is_preflight(asked):
        return answer
    return with_header(answer, "access-control-allow-headers", "authorization, content-type")


@sends("cors-preflight-post-missing", "http.preflight-allows")
def headers_missing(asked: Asked, answer: Answer) -> Answer:
    """The header with the key is not allowed: a browser drops every request."""
    if not _is_preflight(asked):
        return answer
    names = header(answer.headers, "access-control-allow-headers").split(",")
    kept = ", ".join(name.strip() for name in names if name.strip() != "authorization")
    return with_header(answer, "access-control-allow-headers", kept)


@sends("cors-headers-star", "http.preflight-star")
def headers_star(asked: Asked, answer: Answer) -> Answer:
    """All headers are allowed by `*`, which does not cover Authorization: strict browsers refuse."""
    return with_header(answer, "access-control-allow-headers", "*") if _is_preflight(asked) else answer


@sends("cors-origin-twice", "http.cors-answer")
def origin_twice(asked: Asked, answer: Answer) -> Answer:
    """The relay and the proxy before it both allow the origin: a browser that reads two values refuses the answer."""
    if _is_preflight(asked) or not header(answer.headers, "access-control-allow-origin"):
        return answer
    return replace(answer, headers=(*answer.headers, ("access-control-allow-origin", "*")))


@sends("options-500", "http.options")
def options_500(asked: Asked, answer: Answer) -> Answer:
    """OPTIONS alone is a fault of the server."""
    alone = asked.method == "OPTIONS" and not _is_preflight(asked)
    return error(500, "not implemented", type="server_error") if alone else answer


# --- paths ----------------------------------------------------------------------------------------------------------


def _moved(answer: Answer, status: int, location: str) -> Answer:
    moved = with_frames(replace(answer, status=status, framing=Framing.CONTENT_LENGTH), [])
    return with_header(with_header(moved, "content-type", None), "location", location)


@sends("tx-trailing-slash-redirect", "http.trailing-slash")
def slash_moved(asked: Asked, answer: Answer) -> Answer:
    """A path with a slash behind it is moved by 301: clients go on with GET, and what they posted is lost."""
    return _moved(answer, 301, CHATS) if asked.path == f"{CHATS}/" else answer


@sends("tx-double-slash", "http.double-slash")
def double_moved(asked: Asked, answer: Answer) -> Answer:
    """A path with a doubled slash is moved by 301: a base URL that ends in a slash does not work."""
    return _moved(answer, 301, CHATS) if asked.path.startswith("//") else answer


# --- liberties of a request -----------------------------------------------------------------------------------------


def where(name: str, pattern: str) -> Callable[[Answering], Answering]:
    """A change for requests one of whose headers of that name matches."""

    def limited(change: Answering) -> Answering:
        def bend(asked: Asked, answer: Answer) -> Answer:
            lines = (value for key, value in asked.headers if key.lower() == name)
            return change(asked, answer) if any(re.search(pattern, line) for line in lines) else answer

        bend.__doc__ = change.__doc__
        return bend

    return limited


@sends("auth-scheme-lower-refused", "http.scheme-case")
@where("authorization", "^bearer ")
def lower_refused(_: Asked, __: Answer) -> Answer:
    """The scheme of a key must be spelled Bearer: clients that write it small are refused with the right key."""
    return refused(401, "Incorrect API key.")


@sends("auth-name-case", "http.key-name-case")
def name_refused(asked: Asked, answer: Answer) -> Answer:
    """The header with the key must be spelled as the relay's own clients spell it."""
    names = {name for name, _ in asked.headers}
    return refused(401, "Incorrect API key.") if "AUTHORIZATION" in names else answer


@sends("auth-twice-500", "http.key-twice", "errors.unknown-model-404", "errors.mistake-class")
def twice_500(asked: Asked, answer: Answer) -> Answer:
    """The header with the key, sent twice, breaks the relay: a template that many have copied sends it so."""
    lines = [name for name, _ in asked.headers if name.lower() == "authorization"]
    return error(500, "index out of range", type="server_error") if len(lines) > 1 else answer


@sends("content-type-charset-refused", "http.media-type-parameter")
@where("content-type", "charset")
def charset_refused(_: Asked, __: Answer) -> Answer:
    """`application/json; charset=utf-8` is refused: half of all clients cannot send anything."""
    return refused(415, "Content-Type must be application/json.")


@sends("content-type-case-refused", "http.media-type-case")
@where("content-type", "^Application/")
def case_refused(_: Asked, __: Answer) -> Answer:
    """A media type in capitals is refused, as in new-api."""
    return refused(415, "Content-Type must be application/json.")


@sends("body-whitespace-refused", "http.body-whitespace")
def whitespace_refused(asked: Asked, answer: Answer) -> Answer:
    """A body is taken for no JSON because white space stands before it."""
    return refused(415, "The body is no JSON.") if asked.raw[:1].isspace() else answer


@sends("body-gzip-refused", "http.body-gzip")
@where("content-encoding", "identity")  # what is left of gzip that was undone
def gzip_refused(_: Asked, __: Answer) -> Answer:
    """A compressed request is refused."""
    return refused(415, "Content-Encoding is not understood.")


@sends("tx-expect-100", "http.expect")
@where("expect", "100-continue")
def expect_refused(_: Asked, __: Answer) -> Answer:
    """`Expect: 100-continue` is refused with 417: curl cannot send a large body."""
    return refused(417, "Expectation failed.")


@sends("tx-body-limit-small", "http.body-limit")
def limit_small(asked: Asked, answer: Answer) -> Answer:
    """More than a megabyte is refused: one picture is too much."""
    return refused(413, "The body is too large.") if len(asked.raw) > SMALL else answer


@sends("error-413-misreported", "http.too-large")
def too_large_misreported(asked: Asked, answer: Answer) -> Answer:
    """A body that is too large is told as a path that is not there: nobody finds the cause."""
    return refused(404, f"Cannot POST {asked.path}") if len(asked.raw) > SMALL else answer


@sends("stream-accept-406", "http.accept", "claims.kept")
def accept_406(asked: Asked, answer: Answer) -> Answer:
    """A stream is refused to clients that accept application/json, which SDKs send whatever they ask for."""
    return refused(406, "Only text/event-stream.") if is_chat_stream(asked, answer) else answer
