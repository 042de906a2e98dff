"""Request → Answer: what a right relay does, in the order in which it does it.

    deafness of faults → picked or equal recording, or a video of ours → preflight → path and method → key → body
      → schema → model → recording by features → synthesis → request id and CORS → faults of the answer
      → gzip where it is taken

Synchronous, and without state: whose turn it is among equal recordings, and how often a request came, is in a ledger.
"""

import gzip
import re
from collections.abc import Callable
from dataclasses import replace
from functools import partial, reduce
from random import Random

from mock_server import media, synthesis
from mock_server.answer import Answer, Asked, Frame, Says
from mock_server.asking import header, kind_of_key, nested_deeper
from mock_server.checks import Checks, fresh
from mock_server.faults import Fault
from mock_server.latency import retimed
from mock_server.ledger import Ledger
from mock_server.library import PICK, Library, Turns
from mock_server.options import PLAIN, Conduct
from mock_server.policy import Policy
from mock_server.replay import answer_of
from mock_server.script import Play, Script
from mock_server.variation import varied
from openapi import json_text
from openapi.document import Document
from openapi.json_text import JsonText
from openapi.wire.exchange import Framing, Headers

GZIP = re.compile(r"(^|,)\s*gzip\s*(?!\s*;\s*q=0(\.0*)?\s*(,|$))", re.IGNORECASE)
WORTH_IT = 256  # bytes of a body below which nobody compresses
STRICT = "x-relay-strict"
NUMBERS = Random()  # noqa: S311 - for request ids, which are no secret; seeded by the system in each process
NO_TEXT = JsonText(None)
SPOKEN = {"createChatCompletion", "createCompletion", "createMessage", "createEmbedding"}  # what a model answers


class Relay:
    """A relay: the document, the recordings, and how it behaves.

    Faults compose in their order: each hears what the one before left of the request, and each is given the request as
    it was sent with the answer that the one before left.
    """

    def __init__(
        self, document: Document, library: Library, conduct: Conduct = PLAIN, ledger: Ledger | None = None
    ) -> None:
        self.script = conduct.script or Script()
        self.latency = conduct.latency
        self.strict = conduct.strict
        self.library = library
        self.seed = conduct.seed
        self.faults = conduct.faults
        self.plain = not self.faults and not self.seed  # nothing is wrong with it, and nothing varied
        self.policy = reduce(_enforced, self.faults, conduct.policy)
        self.api_key = conduct.api_key
        self.turns = Turns(ledger, " ".join((*(fault.id for fault in self.faults), str(self.seed))))
        names = (*synthesis.MODELS, *library.models, *self.script.models, *(name for name, _ in conduct.aliases))
        self.known_models = dict.fromkeys(names)  # in this order; and any other `mock-…`
        self.checks = Checks(document, self.policy, conduct.mode, self.knows)

    def answer(self, asked: Asked, play: Play | None = None) -> Answer:
        """The answer to a request that was read whole, as a script plays it where it does."""
        if self.plain:
            return dressed(asked, self.settled(asked, play))
        return self._finish(asked, partial(self._played, play) if play else self._decide)

    def settled(self, asked: Asked, play: Play | None = None) -> Answer:
        """What a plain relay decides, less what each answer has for itself (`dressed`)."""
        answer = self.checks.warned(asked, self._played(play, asked) if play else self._decide(asked))
        return _compressed(answer) if _may_compress(asked, answer) else answer

    def settles(self, asked: Asked, play: Play | None = None) -> bool:
        """Whether it will decide the same of this request again: no turn is taken for it, by recordings or rules."""
        if not self.plain or not (play.settled if play else not self.script.is_for(asked)):
            return False
        return (play is not None and play.answers) or len(self.library.equal(asked)) < 2

    def heard(self, asked: Asked) -> Asked:
        """The request as far as it is heard."""
        return reduce(lambda request, fault: fault.asked(request) if fault.asked else request, self.faults, asked)

    def bend(self, asked: Asked, answer: Answer) -> Answer:
        """What somebody else answered, as this relay would send it."""
        answer = varied(asked, answer) if self.seed else answer
        return reduce(lambda made, fault: fault.answer(asked, made) if fault.answer else made, self.faults, answer)

    def too_large(self, asked: Asked) -> Answer:
        """The answer to a request whose body was not read, because it is larger than the policy allows."""
        return self._finish(asked, self.checks.too_large)

    def asked(self, method: str, path: str, headers: Headers, raw: bytes) -> Asked:
        """The record of a request. A body that is nested too deeply to be read has no value."""
        match = self.checks.match(method, path)
        text = json_text.read(raw) if raw and not nested_deeper(raw, self.policy.max_depth) else NO_TEXT
        operation = match.operation.id if match else None
        auth = kind_of_key(headers, self.api_key)
        turn = self.turns.count(method, path, auth.value, raw) if self.faults else 1
        return Asked(method, path, operation, headers, raw, text.value, auth, self.seed, turn, text=text)

    # --- the order of things ----------------------------------------------------------------------------------------

    def _finish(self, asked: Asked, decide: Callable[[Asked], Answer]) -> Answer:
        heard = self.heard(asked)
        answer = self.bend(asked, dressed(asked, self.checks.warned(heard, decide(heard))))
        return _compressed(answer) if _may_compress(asked, answer) else answer

    def _decide(self, asked: Asked) -> Answer:
        known = self._picked(asked) or self._equal(asked) or media.answer(asked) or self.checks.refusal(asked)
        if known:
            return known
        similar = self.library.similar(asked)
        if similar:
            return similar.view(answer_of)
        if asked.operation in SPOKEN and self._is_strict(asked):
            return self._nothing(asked)
        return retimed(asked, self._made(asked), self.latency, asked.under_way)

    def _played(self, play: Play, asked: Asked) -> Answer:
        """What a rule of the script says; a rule without an answer of its own leaves that to the relay."""
        rule = play.rule
        answer = self._picked(asked) or self.checks.refusal(asked) or self._scripted(play, asked)
        answer = (
            answer
            or self._equal(asked)
            or retimed(asked, self._made(asked), rule.latency.over(self.latency), asked.under_way)
        )
        return reduce(_with_field, rule.headers, answer) if rule.headers else answer

    def _scripted(self, play: Play, asked: Asked) -> Answer | None:
        rule = play.rule
        if play.recording:
            exchange = self.library.named(play.recording)
            return exchange.view(answer_of) if exchange else None
        if rule.failure:
            told = rule.failure
            usual = synthesis.failure_of(told.status)
            return fresh(
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
        made = self._made(asked._replace(says=Says(rule.reply, rule.calls)))
        return retimed(asked, made, rule.latency.over(self.latency), asked.under_way)

    def knows(self, model: str) -> bool:
        """Whether there is a model of this name."""
        return model.startswith("mock-") or model in self.known_models or self.script.knows(model)

    def _is_strict(self, asked: Asked) -> bool:
        said = header(asked.headers, STRICT)
        return self.strict if said is None else said.strip().lower() in {"true", "1", "yes"}

    def _nothing(self, asked: Asked) -> Answer:
        """What a strict mock says where nobody recorded or scripted an answer: what came near, and why it is not it."""
        near = [*self.library.closest(asked), *self.script.near(asked)]
        text = "Nothing was recorded or scripted for this request." + "".join(f" Near: {one}." for one in near)
        return self.checks.refuse(asked, 404, text, code="no_recording")

    def _picked(self, asked: Asked) -> Answer | None:
        name = header(asked.headers, PICK)
        if name is None:
            return None
        exchange = self.library.named(name)
        if exchange:
            return exchange.view(answer_of)
        near = ", ".join(self.library.near(name)) or "none is named like it"
        return self.checks.refuse(
            asked, 404, f"No recording {name!r}; near: {near}", param="X-Relay-Recording", code="not_found"
        )

    def _equal(self, asked: Asked) -> Answer | None:
        equals = self.library.equal(asked)
        return self.turns.take(equals).view(answer_of) if equals else None

    def _made(self, asked: Asked) -> Answer:
        named = self.checks.model_of(asked)
        names = (*self.known_models, *((named,) if named else ()))
        heard = asked._replace(method="GET") if asked.method == "HEAD" else asked
        return fresh(synthesis.answer(heard, names))


def _enforced(policy: Policy, fault: Fault) -> Policy:
    """What is left of a policy under a fault."""
    return fault.policy(policy) if fault.policy else policy


def _with_field(answer: Answer, field: tuple[str, str]) -> Answer:
    """The answer with a header, in place of one of that name."""
    kept = tuple(pair for pair in answer.headers if pair[0].lower() != field[0].lower())
    return replace(answer, headers=(*kept, field))


def dressed(asked: Asked, answer: Answer) -> Answer:
    """The answer with the fields that are its own."""
    added = own(asked, answer)
    return answer.adding(added) if added else answer


def own(asked: Asked, answer: Answer) -> Headers:
    """The fields that every answer has for itself, each where a recording does not have it."""
    names, added = answer.names, Headers()
    if "x-request-id" not in names:
        added = (("x-request-id", f"req_{NUMBERS.randbytes(16).hex()}"),)
    if header(asked.headers, "origin") is not None and "access-control-allow-origin" not in names:
        added += (("access-control-allow-origin", "*"),)
    return added


def _may_compress(asked: Asked, answer: Answer) -> bool:
    """Whole JSON, where the client said that it takes gzip (RFC 9110 section 12.5.3)."""
    if answer.recorded or answer.wire is not None or answer.framing is not Framing.CONTENT_LENGTH:
        return False
    taken = GZIP.search(header(asked.headers, "accept-encoding") or "")
    plain = header(answer.headers, "content-encoding") is None
    return bool(taken) and plain and len(answer.body) >= WORTH_IT


def _compressed(answer: Answer) -> Answer:
    body = gzip.compress(answer.body, compresslevel=1, mtime=0)
    fields = (("content-encoding", "gzip"), ("vary", "accept-encoding"))
    return replace(answer, headers=(*answer.headers, *fields), frames=(Frame(answer.frames[-1].due, body),))
