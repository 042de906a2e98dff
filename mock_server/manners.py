"""One process that plays many relays: a request may say by header which faults it wants, and which seed.

    X-Relay-Fault: chat-stream-done-missing, honest-slow      X-Relay-Seed: 7

or by its model (`mock-chat+FAULT`) or its key (`sk-fault-FAULT`, where any is let in), and a script may say it for it.
All of them are wishes (`wish.py`). Each combination of faults and seed is a relay of its own, with turns of its own,
made when it is first asked for.
"""

from dataclasses import replace
from functools import lru_cache

from mock_server import library as recordings
from mock_server.answer import Asked
from mock_server.asking import KEYED, Fields, header, keys_of
from mock_server.faults import FAULTS
from mock_server.ledger import Book, Ledger
from mock_server.library import Library
from mock_server.options import PLAIN, Conduct
from mock_server.relay import Relay
from mock_server.script import Play, Script
from mock_server.script import rule as rules
from mock_server.validation import CHOSEN, Mode
from mock_server.wish import Granting, WishError, wishes
from openapi import json_text
from openapi.document import Document
from openapi.wire.exchange import Headers

FAULT = "x-relay-fault"
SEED = "x-relay-seed"
BEHIND = "+"  # between a model and the faults that are wanted of it
KEPT = 1024  # relays


class UnknownMannerError(ValueError):
    """A request that asks for a fault that there is not, or for a seed that is no number."""


class Relays:
    """The relays of one process. The `conduct` is that of a request that names none; more faults come after. In two
    steps, since what a relay enforces is needed before a body is read: `of` by the headers, `cast` by all of the
    request."""

    def __init__(
        self, document: Document, library: Library, conduct: Conduct = PLAIN, ledger: Ledger | None = None
    ) -> None:
        self.seed = conduct.seed
        self.wanted = conduct.wanted
        self.ledger = ledger or Book()
        self.grants = Granting(conduct.seed, self.ledger)
        self._keyed = conduct.api_key is None
        self._slots = conduct.latency.slots is not None
        self._library = library
        self._aliases = dict(conduct.aliases)

        def make(names: tuple[str, ...], seed: int) -> Relay:
            faults = (*conduct.faults, *(FAULTS[name] for name in names))
            return Relay(
                document, self._library, replace(conduct, faults=faults, seed=seed, script=self.script), self.ledger
            )

        self._made = lru_cache(maxsize=KEPT)(make)
        self._take_up(conduct.script or Script(seed=conduct.seed))

    def perform(self, script: Script) -> None:
        """This script from now on."""
        self.ledger.forget(rules.COUNTED)
        self._take_up(script)
        self._anew()

    def _take_up(self, script: Script) -> None:
        self.script = script
        self.crowded = self._slots or any(rule.latency.slots for rule in script.rules)
        self._made.cache_clear()
        self.usual = self._made((), self.seed)

    def borrow(self, library: Library) -> None:
        """These recordings from now on."""
        self._library = library
        self._anew()

    def _anew(self) -> None:
        self.ledger.forget(recordings.COUNTED)
        self._made.cache_clear()
        self.usual = self._made((), self.seed)

    def of(self, headers: Headers) -> Relay:
        """The relay that a request asks for by its headers. Raises UnknownMannerError."""
        if not self.wanted and isinstance(headers, Fields) and not headers.wishful:
            return self.usual
        wanted, seed = header(headers, FAULT), header(headers, SEED)
        names = self.grants.granted("start", self.wanted) if self.wanted else ()
        if wanted is not None:
            names += self._named(FAULT, wanted, "X-Relay-Fault: ")
        if self._keyed:
            for key in keys_of(headers):
                if key.startswith(KEYED):
                    names += self._named(key, key.removeprefix(KEYED), f"the key {KEYED}…: ")
        mode = header(headers, CHOSEN)
        if mode is not None and mode.strip().lower() not in set(Mode):
            msg = f"X-Relay-Validate: expected {', '.join(Mode)}"
            raise UnknownMannerError(msg)
        if seed is not None and not (seed.isascii() and seed.isdigit()):
            msg = "X-Relay-Seed: expected a whole number"
            raise UnknownMannerError(msg)
        if not names and seed is None:
            return self.usual
        return self._made(names, self.seed if seed is None else int(seed[:18]))

    def cast(self, relay: Relay, asked: Asked) -> tuple[Relay, Asked, Play | None]:
        """Who answers a request that was read whole, what of it is left to be heard, and what the script says to it.
        Raises UnknownMannerError."""
        names: tuple[str, ...] = ()
        model = asked.object.get("model")
        if isinstance(model, str) and BEHIND in model:
            base, _, words = model.partition(BEHIND)
            try:
                names += self._named("model", words.replace(BEHIND, ","), f"the model {base}{BEHIND}…: ")
            except UnknownMannerError:
                if model not in self.usual.known_models and self.usual.knows(base):
                    raise  # any other may be the name of a model
            else:
                asked, model = _for_model(asked, base), base
        if self._aliases and isinstance(model, str) and model in self._aliases:
            asked = _for_model(asked, self._aliases[model])
        play = self.script.play(asked, self.ledger) if self.script.rules else None
        if play and play.rule.faults:
            names += self.grants.granted(play.rule.name, play.rule.faults)
        if names:
            known = tuple(fault.id for fault in relay.faults[len(self.usual.faults) :])
            relay = self._made((*known, *names), relay.seed)
        return relay, asked, play

    def reset(self) -> None:
        """Turns and counts from the start."""
        self.ledger.forget(rules.COUNTED)
        self.grants.reset()
        self._anew()

    def _named(self, source: str, text: str, where: str) -> tuple[str, ...]:
        try:
            return self.grants.granted(f"{source} {text}", wishes(text))
        except WishError as error:
            msg = f"{where}{error}"
            raise UnknownMannerError(msg) from error


def _for_model(asked: Asked, model: str) -> Asked:
    """The same request for another model."""
    body = {**asked.object, "model": model}
    return asked._replace(body=body, raw=json_text.write(body))
