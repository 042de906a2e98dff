"""Request → Answer: what a right relay does, in the order in which it does it.

    deafness of faults → picked or equal recording, or a video of ours → preflight → path and method → key → body
      → schema → model → recording by features → synthesis → request id and CORS → faults of the answer
      → gzip where it is taken

Synchronous, and without state but for whose turn it is among equal recordings, and how often a request came.
"""

import gzip
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import lru_cache, partial, reduce
from secrets import token_hex

from mock_server import media, synthesis, validation
from mock_server.answer import Answer, Asked, Frame, Says
from mock_server.asking import header, is_json, kind_of_key, nested_deeper
from mock_server.faults import Fault
from mock_server.latency import USUAL, Latency, retimed
from mock_server.library import PICK, Library, Turns
from mock_server.policy import RIGHT, Policy
from mock_server.remember import remembered
from mock_server.replay import answer_of
from mock_server.script import Play, Script
from mock_server.synthesis.prompt import whole_number
from mock_server.validation import Mode
from mock_server.variation import varied
from openapi import json_text, schema
from openapi.document import Document, Match
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Exchange, Framing, Headers

GZIP = re.compile(r"(^|,)\s*gzip\s*(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
WORTH_IT = 256  # bytes of a body below which nobody compresses
INVALID = "invalid_request_error"
STRICT = "x-relay-strict"
SPOKEN = {"createChatCompletion", "createCompletion", "createMessage", "createEmbedding"}  # what a model answers
_PAGE = b"<!doctype html><title>relay</title><p>Nothing is served here.</p>\n"

Check = Callable[[Asked], Answer | None]


class Relay:
    """A relay: the document, the recordings, what it enforces, how it is wrong, and the one key that it takes if any.

    Faults compose in their order: each hears what the one before left of the request, and each is given the request as
    it was sent with the answer that the one before left.
    """

    def __init__(
        self,
        document: Document,
        library: Library,
        *,
        policy: Policy = RIGHT,
        faults: Sequence[Fault] = (),
        api_key: str | None = None,
        seed: int = 0,
        script: Script | None = None,
        latency: Latency | None = None,
        strict: bool = False,
        mode: Mode = Mode.REJECT,
    ) -> None:
        self.document = document
        self.mode = mode
        self.script = script or Script()
        self.latency = latency or USUAL
        self.strict = strict
        self.library = library
        self.seed = seed
        self.faults = tuple(faults)
        self.policy = reduce(lambda kept, fault: fault.policy(kept) if fault.policy else kept, self.faults, policy)
        self.api_key = api_key
        self.turns = Turns()
        names = (*synthesis.MODELS, *library.models, *self.script.models)
        self.known_models = tuple(dict.fromkeys(names))  # and any other `mock-…`
        self._read = remembered(json_text.read)
        self._find = lru_cache(maxsize=256)(document.match)

    def answer(self, asked: Asked, play: Play | None = None) -> Answer:
        """The answer to a request that was read whole, as a script plays it where it does."""
        if play is not None:
            return self._finish(asked, partial(self._played, play))
        return dressed(asked, self.settled(asked)) if self.plain else self._finish(asked, self._decide)

    @property
    def plain(self) -> bool:
        """Whether nothing is wrong with it, and nothing varied."""
        return not self.faults and not self.seed

    def settled(self, asked: Asked) -> Answer:
        """What a plain relay decides, less what each answer has for itself (`dressed`)."""
        answer = self._warned(asked, self._decide(asked))
        return _compressed(answer) if self._may_compress(asked, answer) else answer

    def settles(self, asked: Asked) -> bool:
        """Whether it will decide the same of this request again: no turn is taken for it, by recordings or rules."""
        return self.plain and not self.script.is_for(asked) and len(self.library.equal(asked)) < 2

    def bend(self, asked: Asked, answer: Answer) -> Answer:
        """What somebody else answered, as this relay would send it."""
        answer = varied(asked, answer) if self.seed else answer
        return reduce(lambda made, fault: fault.answer(asked, made) if fault.answer else made, self.faults, answer)

    def too_large(self, asked: Asked) -> Answer:
        """The answer to a request whose body was not read, because it is larger than the policy allows."""
        return self._finish(asked, self._refuse_size)

    def asked(self, method: str, path: str, headers: Headers, raw: bytes) -> Asked:
        """The record of a request. A body that is nested too deeply to be read has no value."""
        match = self._match(method, path)
        body = self._read(raw).value if raw and not nested_deeper(raw, self.policy.max_depth) else None
        operation = match.operation.id if match else None
        auth = kind_of_key(headers, self.api_key)
        turn = self.turns.count(method, path, auth.value, raw) if self.faults else 1
        return Asked(method, path, operation, headers, raw, body, auth, self.seed, turn)

    # --- the order of things ----------------------------------------------------------------------------------------

    def _finish(self, asked: Asked, decide: Callable[[Asked], Answer]) -> Answer:
        heard = reduce(lambda request, fault: fault.asked(request) if fault.asked else request, self.faults, asked)
        answer = self.bend(asked, dressed(asked, self._warned(heard, decide(heard))))
        return _compressed(answer) if self._may_compress(asked, answer) else answer

    def _may_compress(self, asked: Asked, answer: Answer) -> bool:
        """Whole JSON, where the client said that it takes gzip (RFC 9110 section 12.5.3)."""
        taken = GZIP.search(header(asked.headers, "accept-encoding") or "")
        plain = not answer.recorded and answer.wire is None and header(answer.headers, "content-encoding") is None
        return bool(taken) and plain and answer.framing is Framing.CONTENT_LENGTH and len(answer.body) >= WORTH_IT

    def _decide(self, asked: Asked) -> Answer:
        known = self._picked(asked) or self._equal(asked) or media.answer(asked) or self._refused(asked)
        if known:
            return known
        similar = self.library.similar(asked)
        if similar:
            return _recorded(similar)
        if asked.operation in SPOKEN and self._is_strict(asked):
            return self._nothing(asked)
        return retimed(asked, self._made(asked), self.latency, asked.under_way)

    def _played(self, play: Play, asked: Asked) -> Answer:
        """What a rule of the script says; a rule without an answer of its own leaves that to the relay."""
        rule = play.rule
        answer = self._picked(asked) or self._refused(asked) or self._scripted(play, asked)
        answer = (
            answer
            or self._equal(asked)
            or retimed(asked, self._made(asked), rule.latency.over(self.latency), asked.under_way)
        )
        return reduce(_with_field, rule.headers, answer)

    def _scripted(self, play: Play, asked: Asked) -> Answer | None:
        rule = play.rule
        if play.recording:
            exchange = self.library.named(play.recording)
            return _recorded(exchange) if exchange else None
        if rule.failure:
            told = rule.failure
            usual = synthesis.failure_of(told.status)
            return _fresh(
                synthesis.error(
                    told.status,
                    told.message or usual.message,
                    type=told.type or usual.type,
                    param=told.param,
                    code=told.code or usual.code,
                    operation=asked.operation,
                )
            )
        if rule.reply is None and not rule.calls:
            return None
        made = self._made(replace(asked, says=Says(rule.reply, rule.calls)))
        return retimed(asked, made, rule.latency.over(self.latency), asked.under_way)

    def _refused(self, asked: Asked) -> Answer | None:
        return next(filter(None, (check(asked) for check in self._checks(asked))), None)

    def _is_strict(self, asked: Asked) -> bool:
        said = header(asked.headers, STRICT)
        return self.strict if said is None else said.strip().lower() in {"true", "1", "yes"}

    def _nothing(self, asked: Asked) -> Answer:
        """What a strict mock says where nobody recorded or scripted an answer: what came near, and why it is not it."""
        near = [*self.library.closest(asked), *self.script.near(asked)]
        text = "Nothing was recorded or scripted for this request." + "".join(f" Near: {one}." for one in near)
        return self._refuse(asked, 404, text, code="no_recording")

    def _checks(self, asked: Asked) -> Iterator[Check]:
        policy = self.policy
        if policy.preflight:
            yield self._preflight
        yield self._route
        if policy.check_key:
            yield self._key
        yield self._body
        if policy.validate and self._mode(asked) is Mode.REJECT:
            yield self._schema
        if policy.check_model:
            yield self._model
        yield self._room

    def _picked(self, asked: Asked) -> Answer | None:
        name = header(asked.headers, PICK)
        if name is None:
            return None
        exchange = self.library.named(name)
        if exchange:
            return _recorded(exchange)
        near = ", ".join(self.library.near(name)) or "none is named like it"
        return self._refuse(
            asked, 404, f"No recording {name!r}; near: {near}", param="X-Relay-Recording", code="not_found"
        )

    def _equal(self, asked: Asked) -> Answer | None:
        equals = self.library.equal(asked)
        return _recorded(self.turns.take(equals)) if equals else None

    def _made(self, asked: Asked) -> Answer:
        named = self._model_of(asked)
        names = (*self.known_models, *((named,) if named else ()))
        return _fresh(synthesis.answer(replace(asked, method=_as_get(asked.method)), names))

    # --- the checks, each a refusal or None -------------------------------------------------------------------------

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
        if self._match(asked.method, asked.path):
            return None
        path = asked.path.partition("?")[0]
        allowed = self._allowed(asked.path)
        if allowed and self.policy.methods:
            text = f"{asked.method} is not allowed on {path}, {' and '.join(allowed)} are"
            headers = (("allow", ", ".join(allowed)),)
            return self._refuse(asked, 405, text, code="method_not_allowed", headers=headers)
        if self.policy.known_paths:
            return self._refuse(asked, 404, f"Invalid URL ({asked.method} {path})", code="not_found")
        return Answer(200, (("content-type", "text/html; charset=utf-8"),), (Frame(0.0, _PAGE),))

    def _key(self, asked: Asked) -> Answer | None:
        if asked.auth is Auth.VALID:
            return None
        text = "No API key was sent" if asked.auth is Auth.NONE else "Incorrect API key"
        text += ": send it as `Authorization: Bearer KEY`."
        return self._refuse(asked, 401, text, code="invalid_api_key", headers=(("www-authenticate", "Bearer"),))

    def _body(self, asked: Asked) -> Answer | None:
        if self._request_schema(asked) is None:
            return None
        if not asked.raw:
            return self._refuse(asked, 400, "The request has no body: send a JSON object.", code="invalid_json")
        coding = (header(asked.headers, "content-encoding") or "identity").strip().lower()
        if coding != "identity":
            return self._refuse(
                asked, 415, f"Content-Encoding {coding!r} is not understood.", code="unsupported_media_type"
            )
        if self.policy.media_type and not is_json(header(asked.headers, "content-type")):
            return self._refuse(asked, 415, "Content-Type must be application/json.", code="unsupported_media_type")
        if nested_deeper(asked.raw, self.policy.max_depth):
            return self._refuse(
                asked, 413, f"JSON nested deeper than {self.policy.max_depth} levels.", code="request_too_large"
            )
        text = json_text.read(asked.raw) if asked.body is None else None
        return (
            self._refuse(asked, 400, f"The body is {text.fault}.", code="invalid_json") if text and text.fault else None
        )

    def _schema(self, asked: Asked) -> Answer | None:
        pointer = self._request_schema(asked)
        found = schema.faults(self.document, pointer, asked.body) if pointer else ()
        if not found:
            return None
        text = "; ".join(fault.message for fault in found)
        told = ((validation.HEADER, validation.named(found)),)
        refusal = self._refuse(asked, 400, text, param=found[0].param, code="invalid_value", headers=told)
        explained = (header(asked.headers, validation.EXPLAINED) or "").lower() == "true"
        return _explaining(refusal, validation.records(found)) if explained else refusal

    def _mode(self, asked: Asked) -> Mode:
        """What becomes of what the document forbids, as the request says or as it was started."""
        said = (header(asked.headers, validation.CHOSEN) or "").strip().lower()
        return Mode(said) if said in set(Mode) else self.mode

    def _warned(self, asked: Asked, answer: Answer) -> Answer:
        """With a header that tells what would have been refused, where that is wanted."""
        if self._mode(asked) is not Mode.WARN or not self.policy.validate or asked.body is None:
            return answer
        pointer = self._request_schema(asked)
        found = schema.faults(self.document, pointer, asked.body) if pointer else ()
        return answer.adding(((validation.HEADER, validation.named(found)),)) if found else answer

    def _model(self, asked: Asked) -> Answer | None:
        name = self._model_of(asked)
        known = name is None or name.startswith("mock-") or name in self.known_models or self.script.knows(name)
        return None if known or name is None else _fresh(synthesis.unknown_model(name, asked.operation))

    def _room(self, asked: Asked) -> Answer | None:
        wanted = max(filter(None, (whole_number(asked.object.get(name)) for name in synthesis.LIMITS)), default=0)
        if wanted <= self.policy.context:
            return None
        return _fresh(synthesis.no_room(wanted, self.policy.context, asked.operation))

    def _refuse_size(self, asked: Asked) -> Answer:
        return self._refuse(
            asked, 413, f"The body is larger than {self.policy.max_body} bytes.", code="request_too_large"
        )

    def _refuse(
        self, asked: Asked, status: int, text: str, *, code: str, param: str | None = None, headers: Headers = ()
    ) -> Answer:
        """A refusal in the envelope of the path's protocol, whatever the method."""
        found = (self._match(method, asked.path) for method in (asked.method, *self.document.methods(asked.path)))
        name = next((match.operation.id for match in found if match), None)
        told = synthesis.error(status, text, type=INVALID, param=param, code=code, headers=headers, operation=name)
        return _fresh(told)

    # --- what a request is ------------------------------------------------------------------------------------------

    def _match(self, method: str, path: str) -> Match | None:
        return self._find(_as_get(method) if self.policy.head else method, path)

    def _allowed(self, path: str) -> list[str]:
        methods = set(self.document.methods(path))
        if methods:
            methods |= {"HEAD"} if "GET" in methods and self.policy.head else set()
            methods |= {"OPTIONS"} if self.policy.preflight else set()
        return sorted(methods)

    def _request_schema(self, asked: Asked) -> str | None:
        match = self._match(asked.method, asked.path)
        return match.operation.request if match else None

    def _model_of(self, asked: Asked) -> str | None:
        """The model that a request names, in its path or in its body."""
        match = self._match(asked.method, asked.path)
        name: Json = match.params.get("model") if match else None
        name = asked.object.get("model") if name is None else name
        return name if isinstance(name, str) else None


def _recorded(exchange: Exchange) -> Answer:
    return exchange.view(answer_of)


def _fresh(answer: Answer) -> Answer:
    """Without a request id, so that it gets one of its own."""
    return replace(answer, headers=tuple(pair for pair in answer.headers if pair[0].lower() != "x-request-id"))


def _explaining(refusal: Answer, records: list[Json]) -> Answer:
    """The refusal with a record of each fault in its error."""
    body = json_text.read(refusal.body).object
    error = body.get("error")
    told: dict[str, Json] = {**body, "error": {**error, "violations": records}} if isinstance(error, dict) else body
    return replace(refusal, frames=(replace(refusal.frames[0], data=json_text.write(told)),))


def _with_field(answer: Answer, field: tuple[str, str]) -> Answer:
    """The answer with a header, in place of one of that name."""
    kept = tuple(pair for pair in answer.headers if pair[0].lower() != field[0].lower())
    return replace(answer, headers=(*kept, field))


def dressed(asked: Asked, answer: Answer) -> Answer:
    """The fields that every answer has, each where a recording does not have it itself."""
    added: list[tuple[str, str]] = []
    if "x-request-id" not in answer.names:
        added.append(("x-request-id", f"req_{token_hex(16)}"))
    if "access-control-allow-origin" not in answer.names and header(asked.headers, "origin") is not None:
        added.append(("access-control-allow-origin", "*"))
    return answer.adding(tuple(added))


def _compressed(answer: Answer) -> Answer:
    body = gzip.compress(answer.body, compresslevel=1, mtime=0)
    fields = (("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return replace(answer, headers=(*answer.headers, *fields), frames=(Frame(answer.frames[-1].due, body),))


def _as_get(method: str) -> str:
    return "GET" if method == "HEAD" else method
