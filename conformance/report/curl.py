"""A request as a curl command that a reader can run, with the key as `$RELAYPROOF_API_KEY`.

What stands in a run file may have been written by anybody, so every word is quoted for a POSIX shell, and a body that
cannot be copied from a page without loss (not UTF-8, or with hidden characters) goes through base64.
"""

import base64
import shlex

from conformance.report.escape import HIDDEN, visible
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Request
from openapi.wire.redaction import MARK

KEY = "RELAYPROOF_API_KEY"
MAX_BODY = 4096  # bytes; a longer body is taken from the run file

_ITS_OWN = {"host", "content-length", "connection", "accept-encoding", "user-agent", "authorization", "x-api-key"}
_KEYS = {Auth.VALID: f"${KEY}", Auth.WRONG: "a-wrong-key"}


def command(request: Request, base_url: Json) -> str:
    """The command in lines that a shell joins. The base URL may end in `/v1`, as a target's may."""
    words = [f"curl --no-buffer{_method(request)} {_quoted(_url(str(base_url or ''), request.path))}"]
    words += [f'--header "{_key_header(request)}{_KEYS[request.auth]}"'] if request.auth in _KEYS else []
    words += [f"--header {_quoted(f'{name}: {value}')}" for name, value in _headers(request)]
    body = request.body
    if body is None:
        return _joined(words)
    if len(body) > MAX_BODY:
        return _joined([*words, f"--data-binary @body  # the {len(body):,} bytes of the run file"])
    text = _copyable(body)
    if text is not None:
        return _joined([*words, f"--data-binary {shlex.quote(text)}"])
    encoded = base64.b64encode(body).decode("ascii")
    return f"printf %s '{encoded}' | base64 -d | " + _joined([*words, "--data-binary @-"])


def _key_header(request: Request) -> str:
    """The header in which the key went out."""
    return "x-api-key: " if MARK in (request.header("x-api-key") or "") else "Authorization: Bearer "


def _method(request: Request) -> str:
    match request.method:
        case "GET":
            return ""
        case "POST" if request.body is not None:
            return ""
        case "HEAD":
            return " --head"
    return f" --request {_quoted(request.method)}"


def _url(base: str, path: str) -> str:
    if path.startswith(("https://", "http://")):
        return path  # of a link, which is anywhere
    base = base.rstrip("/")
    return (base.removesuffix("/v1") if path.startswith("/v1") else base) + path


def _headers(request: Request) -> list[tuple[str, str]]:
    return [(name, value) for name, value in request.headers if name.lower() not in _ITS_OWN]


def _quoted(text: str) -> str:
    return shlex.quote(visible(text, 2000))


def _copyable(body: bytes) -> str | None:
    """The text of a body that survives the clipboard, with its line ends."""
    try:
        text = body.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return None if HIDDEN.search(text.replace("\n", "")) or text.startswith("@") else text


def _joined(words: list[str]) -> str:
    return " \\\n  ".join(words)
