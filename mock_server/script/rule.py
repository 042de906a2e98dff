"""The rules of a script, whose turn it is, and what a request that is none of theirs came near to."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from mock_server.answer import Asked
from mock_server.asking import header
from mock_server.latency import USUAL, Latency
from mock_server.ledger import Ledger
from mock_server.limits import Limit
from mock_server.outage import Outage
from mock_server.script.when import ANY, When, has_wildcard
from mock_server.wish import Wish
from openapi.json_text import Json
from openapi.wire.exchange import Auth, Headers

SESSION = "x-relay-session"
COUNTED = "rule "  # how names in the ledger begin


@dataclass(frozen=True, slots=True)
class Failure:
    """An answer that is an error. What is None is what the status usually says."""

    status: int
    message: str | None = None
    type: str | None = None
    code: str | None = None
    param: str | None = None


@dataclass(frozen=True)
class Rule:
    """What is done for which requests. `recordings` answer in turn, and behind the last one as `then` says: last, cycle
    or miss. `after` requests it sets in, for `times` of them, each with a `probability`. `limit` is what it lets
    in, in an `outage` nothing."""

    name: str
    when: When = ANY
    recordings: tuple[str, ...] = ()
    then: str = "last"
    reply: str | None = None
    calls: tuple[tuple[str, Json], ...] = ()
    failure: Failure | None = None
    headers: Headers = ()
    faults: tuple[Wish, ...] = ()
    latency: Latency = USUAL
    after: int = 0
    times: int | None = None
    probability: float = 1.0
    limit: Limit | None = None
    outage: Outage | None = None

    @property
    def most(self) -> int | None:
        """Its turns, where they end."""
        missing = len(self.recordings) if self.recordings and self.then == "miss" else None
        return min((most for most in (self.times, missing) if most is not None), default=None)

    @cached_property
    def always(self) -> bool:
        """Whether it does the same each time, so that nobody need count."""
        return self.after == 0 and self.most is None and self.probability == 1 and len(self.recordings) < 2

    @cached_property
    def constant(self) -> bool:
        """Whether the same request gets the same answer by it each time: nothing is counted, measured or drawn."""
        return self.always and not self.faults and self.limit is None and self.outage is None

    @cached_property
    def standing(self) -> "Play":
        """What it does where it is `constant`."""
        return Play(self, next(iter(self.recordings), None), settled=True)


@dataclass(frozen=True, slots=True)
class Play:
    """What a rule does for one request. `settled` says that the same request gets the same by it each time, and that
    no rule before it counts this one."""

    rule: Rule
    recording: str | None = None
    settled: bool = False

    @property
    def answers(self) -> bool:
        """Whether the answer is the script's own, and not left to the relay."""
        rule = self.rule
        return bool(self.recording or rule.failure or rule.reply is not None or rule.calls)


@dataclass(frozen=True, slots=True)
class Script:
    """Rules in their order: the first that is for a request, and has a turn left, decides.

    Turns are counted for each rule, and where a request says X-Relay-Session for each session.
    """

    rules: tuple[Rule, ...] = ()
    seed: int = 0

    def play(self, asked: Asked, ledger: Ledger) -> Play | None:
        """What is done for this request, None where no rule is for it."""
        first = True
        for rule in self.rules:
            if rule.when.holds(asked):
                if rule.constant and first:
                    return rule.standing
                play = self._turn(rule, asked, ledger)
                if play:
                    return play
                first = False
        return None

    def is_for(self, asked: Asked) -> bool:
        """Whether a rule is for this request, a turn left or not."""
        return any(rule.when.holds(asked) for rule in self.rules)

    def near(self, asked: Asked, most: int = 3) -> list[str]:
        """The rules that were nearest, each with why it is not for this request."""
        missed = [(list(rule.when.misses(asked)), rule) for rule in self.rules]
        told = sorted(missed, key=lambda pair: len(pair[0]))[:most]
        return [
            f"{rule.name}: {'; '.join(miss.text for miss in misses) or 'its turns are over'}" for misses, rule in told
        ]

    @property
    def models(self) -> tuple[str, ...]:
        """The models that rules name without a wildcard: they are known."""
        named = (rule.when.model for rule in self.rules)
        return tuple(dict.fromkeys(name for name in named if name and not has_wildcard(name)))

    def knows(self, model: str) -> bool:
        """Whether a rule is for this model by name or by glob."""
        return any(rule.when.model and When(model=rule.when.model).holds(_only(model)) for rule in self.rules)

    def _turn(self, rule: Rule, asked: Asked, ledger: Ledger) -> Play | None:
        name = f"{COUNTED}{rule.name} {header(asked.headers, SESSION) or ''}"
        turn = 0 if rule.always else ledger.turn(name, rule.after, rule.most, rule.probability, self.seed)
        return None if turn is None else Play(rule, _in_turn(rule.recordings, turn, rule.then))


def _in_turn(names: Sequence[str], turn: int, then: str) -> str | None:
    if not names or turn < len(names):
        return names[turn] if names else None
    return names[turn % len(names)] if then == "cycle" else names[-1]


def _only(model: str) -> Asked:
    """A request that says nothing but its model."""
    return Asked("POST", "/", None, (), b"", {"model": model}, Auth.VALID)
