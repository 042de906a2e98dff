"""What is refused, and in which order: preflight → path and method → key, by the head alone, and found out once for
the heads that many requests have in common; then body → schema → model → room."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import NamedTuple

from mock_server import synthesis, validation
from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import Fields, header, media_of, nested_deeper
from mock_server.policy import Policy
from mock_server.synthesis.prompt import whole_number
from mock_server.validation import Mode
from openapi import json_text, schema
from openapi.document import Document, Match
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Auth, Framing, Headers

INVALID = "invalid_request_error"
REJECT, WARN = Mode.REJECT, Mode.WARN  # as globals, which cost a tenth (`replay.py`)
_LIMITS = frozenset(synthesis.LIMITS)
_PAGE = b"<!doctype html><title>relay</title><p>Nothing is served here.</p>\n"


class Opening(NamedTuple):
    """What the head of a request decides, whatever its body: the refusal of itself, and of any body that comes with it.
    `schema` is where that of the body is in the document, `model` what its path names, `mode` what becomes of a body
    that the document forbids."""

    mode: Mode
    schema: str | None
    model: str | None
    refusal: Answer | None
    unsupported: Answer | None


HeadCheck = Callable[[Asked], Answer | None]
Check = Callable[[Asked, Opening], Answer | None]


class Checks:
    """What a relay with this policy refuses, each check a refusal or None. `knows` says whether a model is known."""

    def __init__(self, document: Document, policy: Policy, mode: Mode, knows: Callable[[str], bool]) -> None:
        self.document = document
        self.policy = policy
        self.mode = mode
        self.knows = knows
        self.match = lru_cache(maxsize=256)(self._match)
        self._mark = object()  # what fields know it by: they may outlive it, and must not hold its recordings
        self._of_head = tuple(self._enforced_of_head())
        self._of_body = tuple(self._enforced_of_body())

    def refusal(self, asked: Asked) -> Answer | None:
        """The first refusal; None where the request is to be answered."""
        opening = self._opening(asked)
        if opening.refusal:
            return opening.refusal
        for check in self._of_body:
            refused = check(asked, opening)
            if refused is not None:
                return refused
        return None

    def too_large(self, asked: Asked) -> Answer:
        return self.refuse(
            asked, 413, f"The body is larger than {self.policy.max_body} bytes.", code="request_too_large"
        )

    def refuse(
        self, asked: Asked, status: int, text: str, *, code: str, param: str | None = None, headers: Headers = ()
    ) -> Answer:
        """A refusal in the envelope of the path's protocol, whatever the method."""
        found = (self.match(method, asked.path) for method in (asked.method, *self.document.methods(asked.path)))
        name = next((match.operation.id for match in found if match), None)
        told = synthesis.error(status, text, type=INVALID, param=param, code=code, headers=headers, operation=name)
        return fresh(told)

    def warned(self, asked: Asked, answer: Answer) -> Answer:
        """With a header that tells what would have been refused, where that is wanted."""
        opening = self._opening(asked)
        if opening.mode is not WARN or not self.policy.validate or asked.body is None:
            return answer
        found = self._faults(asked, opening)
        return answer.adding(((validation.HEADER, validation.named(found)),)) if found else answer

    # --- what a request is ------------------------------------------------------------------------------------------

    def _match(self, method: str, path: str) -> Match | None:
        """The operation of a request; HEAD is as GET."""
        return self.document.match("GET" if method == "HEAD" and self.policy.head else method, path)

    def model_of(self, asked: Asked) -> str | None:
        """The model that a request names, in its path or in its body."""
        return _named(asked, self._opening(asked))

    def _opening(self, asked: Asked) -> Opening:
        """Made once for the fields that many requests have in common."""
        fields = asked.headers
        if not isinstance(fields, Fields):
            return self._opened(asked)
        of = self._mark, asked.method, asked.path, asked.auth
        known = fields.decided
        if known is None or known[0] != of:
            known = fields.decided = of, self._opened(asked)
        opening: Opening = known[1]
        return opening

    def _opened(self, asked: Asked) -> Opening:
        match = self.match(asked.method, asked.path)
        schema, model = (match.operation.request, match.params.get("model")) if match else (None, None)
        refusal = next(filter(None, (check(asked) for check in self._of_head)), None)
        return Opening(self._mode(asked), schema, model, refusal, self._unsupported(asked) if schema else None)

    def _allowed(self, path: str) -> list[str]:
        methods = set(self.document.methods(path))
        if methods:
            methods |= {"HEAD"} if "GET" in methods and self.policy.head else set()
            methods |= {"OPTIONS"} if self.policy.preflight else set()
        return sorted(methods)

    # --- the checks, each a refusal or None -------------------------------------------------------------------------

    def _enforced_of_head(self) -> Iterator[HeadCheck]:
        policy = self.policy
        if policy.preflight:
            yield self._preflight
        yield self._route
        if policy.check_key:
            yield self._key

    def _enforced_of_body(self) -> Iterator[Check]:
        policy = self.policy
        yield self._body
        if policy.validate:
            yield self._schema
        if policy.check_model:
            yield self._model
        yield self._room

    def _preflight(self, asked: Asked) -> Answer | None:
        """CORS (Fetch, 3.2.2): browsers ask without a key."""
        if asked.method != "OPTIONS":
            return None
        methods = self._allowed(asked.path)
        wanted = header(asked.headers, "access-control-request-method")
        if wanted is None:
            return Answer(204, (("allow", ", ".join(methods)),), framing=Framing.NONE) if methods else None
        names = header(asked.headers, "access-control-request-headers") or "authorization, content-type"
        fields = (
            ("access-control-allow-origin", "*"),
            ("access-control-allow-methods", ", ".join(methods or [wanted])),
            ("access-control-allow-headers", names),
            ("access-control-max-age", "600"),
        )
        return Answer(204, fields, framing=Framing.NONE)

    def _route(self, asked: Asked) -> Answer | None:
        if self.match(asked.method, asked.path):
            return None
        path = asked.path.partition("?")[0]
        allowed = self._allowed(asked.path)
        if allowed and self.policy.methods:
            text = f"{asked.method} is not allowed on {path}, {' and '.join(allowed)} are"
            headers = (("allow", ", ".join(allowed)),)
            return self.refuse(asked, 405, text, code="method_not_allowed", headers=headers)
        if self.policy.known_paths:
            return self.refuse(asked, 404, f"Invalid URL ({asked.method} {path})", code="not_found")
        return Answer(200, (("content-type", "text/html; charset=utf-8"),), (Frame(0.0, _PAGE),))

    def _key(self, asked: Asked) -> Answer | None:
        if asked.auth is Auth.VALID:
            return None
        text = "No API key was sent" if asked.auth is Auth.NONE else "Incorrect API key"
        text += ": send it as `Authorization: Bearer KEY`."
        return self.refuse(asked, 401, text, code="invalid_api_key", headers=(("www-authenticate", "Bearer"),))

    def _unsupported(self, asked: Asked) -> Answer | None:
        """A refusal of any body that comes under this head."""
        coding, is_json = media_of(asked.headers)
        if coding != "identity":
            return self.refuse(
                asked, 415, f"Content-Encoding {coding!r} is not understood.", code="unsupported_media_type"
            )
        if self.policy.media_type and not is_json:
            return self.refuse(asked, 415, "Content-Type must be application/json.", code="unsupported_media_type")
        return None

    def _body(self, asked: Asked, opening: Opening) -> Answer | None:
        if opening.schema is None:
            return None
        if not asked.raw:
            return self.refuse(asked, 400, "The request has no body: send a JSON object.", code="invalid_json")
        return opening.unsupported or (self._unreadable(asked) if asked.body is None else None)

    def _unreadable(self, asked: Asked) -> Answer | None:
        """A refusal of what has no value; `null` has one, which the schema is for."""
        if nested_deeper(asked.raw, self.policy.max_depth):
            return self.refuse(
                asked, 413, f"JSON nested deeper than {self.policy.max_depth} levels.", code="request_too_large"
            )
        fault = json_text.read(asked.raw).fault
        return self.refuse(asked, 400, f"The body is {fault}.", code="invalid_json") if fault else None

    def _schema(self, asked: Asked, opening: Opening) -> Answer | None:
        found = self._faults(asked, opening) if opening.mode is REJECT else ()
        if not found:
            return None
        text = "; ".join(fault.message for fault in found)
        told = ((validation.HEADER, validation.named(found)),)
        refusal = self.refuse(asked, 400, text, param=found[0].param, code="invalid_value", headers=told)
        explained = (header(asked.headers, validation.EXPLAINED) or "").lower() == "true"
        return _explaining(refusal, validation.records(found)) if explained else refusal

    def _faults(self, asked: Asked, opening: Opening) -> Sequence[SchemaFault]:
        return schema.faults(self.document, opening.schema, asked.judged) if opening.schema else ()

    def _mode(self, asked: Asked) -> Mode:
        """What becomes of what the document forbids, as the request says or as it was started."""
        said = header(asked.headers, validation.CHOSEN)
        return Mode(said.strip().lower()) if said else self.mode

    def _model(self, asked: Asked, opening: Opening) -> Answer | None:
        name = _named(asked, opening)
        return None if name is None or self.knows(name) else fresh(synthesis.unknown_model(name, asked.operation))

    def _room(self, asked: Asked, _: Opening) -> Answer | None:
        body = asked.object
        if _LIMITS.isdisjoint(body):
            return None
        wanted = max(whole_number(body.get(name)) or 0 for name in _LIMITS)
        if wanted <= self.policy.context:
            return None
        return fresh(synthesis.no_room(wanted, self.policy.context, asked.operation))


def _named(asked: Asked, opening: Opening) -> str | None:
    name = asked.object.get("model") if opening.model is None else opening.model
    return name if isinstance(name, str) else None


def fresh(answer: Answer) -> Answer:
    """Without a request id, so that it gets one of its own."""
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != "x-request-id"))


def _explaining(refusal: Answer, records: list[Json]) -> Answer:
    """The refusal with a record of each fault in its error."""
    body = json_text.read(refusal.body).object
    error = body.get("error")
    told: dict[str, Json] = {**body, "error": {**error, "violations": records}} if isinstance(error, dict) else body
    return replace(refusal, frames=(replace(refusal.frames[0], data=json_text.write(told)),))
