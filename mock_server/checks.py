"""What is refused, and in which order: preflight → path and method → key → body → schema → model → room."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache

from mock_server import synthesis, validation
from mock_server.answer import Answer, Asked, Frame
from mock_server.asking import header, is_json, nested_deeper
from mock_server.policy import Policy
from mock_server.synthesis.prompt import whole_number
from mock_server.validation import Mode
from openapi import json_text, schema
from openapi.document import Document, Match
from openapi.json_text import Json
from openapi.schema import SchemaFault
from openapi.wire.exchange import Auth, Framing, Headers

INVALID = "invalid_request_error"
_PAGE = b"<!doctype html><title>relay</title><p>Nothing is served here.</p>\n"

Check = Callable[[Asked], Answer | None]


class Checks:
    """What a relay with this policy refuses, each check a refusal or None. `knows` says whether a model is known."""

    def __init__(self, document: Document, policy: Policy, mode: Mode, knows: Callable[[str], bool]) -> None:
        self.document = document
        self.policy = policy
        self.mode = mode
        self.knows = knows
        self.match = lru_cache(maxsize=256)(self._match)
        self._checks = tuple(self._enforced())

    def refusal(self, asked: Asked) -> Answer | None:
        """The first refusal; None where the request is to be answered."""
        for check in self._checks:
            refused = check(asked)
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
        if self._mode(asked) is not Mode.WARN or not self.policy.validate or asked.body is None:
            return answer
        found = self._faults(asked)
        return answer.adding(((validation.HEADER, validation.named(found)),)) if found else answer

    # --- what a request is ------------------------------------------------------------------------------------------

    def _match(self, method: str, path: str) -> Match | None:
        """The operation of a request; HEAD is as GET."""
        return self.document.match("GET" if method == "HEAD" and self.policy.head else method, path)

    def model_of(self, asked: Asked) -> str | None:
        """The model that a request names, in its path or in its body."""
        match = self.match(asked.method, asked.path)
        name: Json = match.params.get("model") if match else None
        name = asked.object.get("model") if name is None else name
        return name if isinstance(name, str) else None

    def _allowed(self, path: str) -> list[str]:
        methods = set(self.document.methods(path))
        if methods:
            methods |= {"HEAD"} if "GET" in methods and self.policy.head else set()
            methods |= {"OPTIONS"} if self.policy.preflight else set()
        return sorted(methods)

    def _request_schema(self, asked: Asked) -> str | None:
        match = self.match(asked.method, asked.path)
        return match.operation.request if match else None

    # --- the checks, each a refusal or None -------------------------------------------------------------------------

    def _enforced(self) -> Iterator[Check]:
        policy = self.policy
        if policy.preflight:
            yield self._preflight
        yield self._route
        if policy.check_key:
            yield self._key
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

    def _body(self, asked: Asked) -> Answer | None:
        if self._request_schema(asked) is None:
            return None
        if not asked.raw:
            return self.refuse(asked, 400, "The request has no body: send a JSON object.", code="invalid_json")
        coding = (header(asked.headers, "content-encoding") or "identity").strip().lower()
        if coding != "identity":
            return self.refuse(
                asked, 415, f"Content-Encoding {coding!r} is not understood.", code="unsupported_media_type"
            )
        if self.policy.media_type and not is_json(header(asked.headers, "content-type")):
            return self.refuse(asked, 415, "Content-Type must be application/json.", code="unsupported_media_type")
        return self._unreadable(asked) if asked.body is None else None

    def _unreadable(self, asked: Asked) -> Answer | None:
        """A refusal of what has no value; `null` has one, which the schema is for."""
        if nested_deeper(asked.raw, self.policy.max_depth):
            return self.refuse(
                asked, 413, f"JSON nested deeper than {self.policy.max_depth} levels.", code="request_too_large"
            )
        fault = json_text.read(asked.raw).fault
        return self.refuse(asked, 400, f"The body is {fault}.", code="invalid_json") if fault else None

    def _schema(self, asked: Asked) -> Answer | None:
        found = self._faults(asked) if self._mode(asked) is Mode.REJECT else ()
        if not found:
            return None
        text = "; ".join(fault.message for fault in found)
        told = ((validation.HEADER, validation.named(found)),)
        refusal = self.refuse(asked, 400, text, param=found[0].param, code="invalid_value", headers=told)
        explained = (header(asked.headers, validation.EXPLAINED) or "").lower() == "true"
        return _explaining(refusal, validation.records(found)) if explained else refusal

    def _faults(self, asked: Asked) -> Sequence[SchemaFault]:
        pointer = self._request_schema(asked)
        return schema.faults(self.document, pointer, asked.judged) if pointer else ()

    def _mode(self, asked: Asked) -> Mode:
        """What becomes of what the document forbids, as the request says or as it was started."""
        said = header(asked.headers, validation.CHOSEN)
        return Mode(said.strip().lower()) if said else self.mode

    def _model(self, asked: Asked) -> Answer | None:
        name = self.model_of(asked)
        return None if name is None or self.knows(name) else fresh(synthesis.unknown_model(name, asked.operation))

    def _room(self, asked: Asked) -> Answer | None:
        body = asked.object
        named = [body[name] for name in synthesis.LIMITS if name in body]
        wanted = max((whole_number(value) or 0 for value in named), default=0) if named else 0
        if wanted <= self.policy.context:
            return None
        return fresh(synthesis.no_room(wanted, self.policy.context, asked.operation))


def fresh(answer: Answer) -> Answer:
    """Without a request id, so that it gets one of its own."""
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != "x-request-id"))


def _explaining(refusal: Answer, records: list[Json]) -> Answer:
    """The refusal with a record of each fault in its error."""
    body = json_text.read(refusal.body).object
    error = body.get("error")
    told: dict[str, Json] = {**body, "error": {**error, "violations": records}} if isinstance(error, dict) else body
    return replace(refusal, frames=(replace(refusal.frames[0], data=json_text.write(told)),))
