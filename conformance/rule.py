"""What must hold, and what was found.

    @rule("chat.stream.done", Level.MUST, cites="…", on=chat & streamed, given=event_stream)
    def done(exchange: Exchange) -> Iterator[Remark]:
        \"\"\"The stream ends with one `[DONE]`.\"\"\"

`on` looks only at what was asked: where it is false the rule says nothing. Two more look at what came back: without its
`occasion` a law never came to apply (not-seen), and without what is `given` there is nothing to judge (inconclusive,
with the reason). A check yields what it found; nothing
found is a pass. It never repairs what it judges and never catches what it does not understand: a raise is `broken`.

A law about several exchanges names the steps of the probe that makes them, and its check is given one exchange each:

    @rule("chat.same.text", Level.SHOULD, cites="…", on=chat & legal, given=whole_reply, over=("whole", "stream"))
    def same_text(whole: Exchange, stream: Exchange) -> Iterator[Remark]:

`on` is then read off the first of them; `given` and `occasion` must hold for all.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

from openapi.json_text import Json
from openapi.wire.exchange import Exchange


class Level(StrEnum):
    """How much a rule weighs: MUST breaks clients, SHOULD is expected, MAY is told and no more."""

    MUST = "MUST"
    SHOULD = "SHOULD"
    MAY = "MAY"


class Outcome(StrEnum):
    """What became of a rule, worst first. Only `pass` means verified."""

    BROKEN = "broken"
    FAIL = "fail"
    PASS = "pass"  # noqa: S105 - an outcome, not a password
    UNTESTABLE = "untestable"
    INCONCLUSIVE = "inconclusive"
    NOT_SEEN = "not-seen"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Finding:
    """What was expected and what was seen. `at` is the number of the event, or the byte offset where there are none.

    `place` is where in the answer, free of numbers and values that change from run to run (`/choices/*/index`, the name
    of a header): with the rule and the probe it identifies the finding. `exchange` is the id of its exchange, where
    there are several.
    """

    text: str
    at: int | None = None
    place: str = ""
    exchange: str | None = None


@dataclass(frozen=True, slots=True)
class Inconclusive:
    """The answer decides nothing. `mood` where only the model's behaviour stood in the way."""

    reason: str
    mood: bool = False


@dataclass(frozen=True, slots=True)
class NotSeen:
    """The rule applies, but its occasion never came."""

    reason: str


Remark = Finding | Inconclusive | NotSeen
Check = Callable[..., Iterable[Remark]]  # of one exchange, or of one for each step in `over`


@dataclass(frozen=True, slots=True)
class On:
    """A pure predicate over an exchange, with a name, made of others by `&`, `|` and `~`.

    Rules share predicates: each is asked once of an exchange (`Exchange.view`).
    """

    name: str
    holds: Callable[[Exchange], bool]

    def __and__(self, other: "On") -> "On":
        return On(f"{self.name}, {other.name}", lambda e: e.view(self.holds) and e.view(other.holds))

    def __or__(self, other: "On") -> "On":
        return On(f"{self.name} or {other.name}", lambda e: e.view(self.holds) or e.view(other.holds))

    def __invert__(self) -> "On":
        return On(f"not {self.name}", lambda e: not e.view(self.holds))


def on(name: str) -> Callable[[Callable[[Exchange], bool]], On]:
    """Names a predicate."""
    return lambda holds: On(name, holds)


GENERATED = "fuzz."  # begins the id of a generated probe
CLAIMS = "claims"  # the chapter on what a relay is said to have
MEDIA = "media"  # the step that fetches a link of an answer: somebody else answers it
ANYTHING = On("any answer", lambda _: True)


@dataclass(frozen=True, slots=True)
class Rule:
    """One law. The docstring of its check is the normative sentence; `cites` is where it stands.

    `silence` is for the few that also judge a request to which no answer came. `over` names the steps of a probe whose
    exchanges are judged together; empty for a law about one exchange.
    """

    id: str
    level: Level
    cites: str
    on: On
    check: Check
    occasion: On
    given: On
    silence: bool
    over: tuple[str, ...] = ()

    @property
    def law(self) -> str:
        return " ".join((self.check.__doc__ or "").split())

    def speaks_of(self, exchange: Exchange) -> bool:
        """Whether it may judge the answer: what a relay is not said to have is left to the rules on claims, and what
        a link of it leads to is not its own answer."""
        if exchange.step == MEDIA:
            return MEDIA in self.over
        return all(exchange.claims.values()) or self.chapter == CLAIMS

    @property
    def chapter(self) -> str:
        """The part of the id before the first dot, by which reports group."""
        return self.id.partition(".")[0]


class CatalogueError(ValueError):
    """A rule that cannot stand in the catalogue: an id declared twice, or no docstring."""


_declared: dict[str, Rule] = {}
_into: ContextVar[dict[str, Rule]] = ContextVar("into", default=_declared)


def rule(
    id: str,  # noqa: A002
    level: Level,
    *,
    cites: str,
    on: On,
    occasion: On = ANYTHING,
    given: On = ANYTHING,
    silence: bool = False,
    over: tuple[str, ...] = (),
) -> Callable[[Check], Check]:
    """Declares a rule. Ids are names chosen for ever; one declared twice is refused at import."""

    def declare(check: Check) -> Check:
        book = _into.get()
        if id in book:
            msg = f"rule {id!r} is declared twice"
            raise CatalogueError(msg)
        if not check.__doc__:
            msg = f"rule {id!r} has no docstring, so it says no law"
            raise CatalogueError(msg)
        book[id] = Rule(id, level, cites, on, check, occasion, given, silence, over)
        return check

    return declare


def declared() -> Mapping[str, Rule]:
    """The rules declared so far, by id; `conformance.rules.BOOK` is all of them."""
    return MappingProxyType(_declared)


@contextmanager
def declaring_into(book: dict[str, Rule]) -> Iterator[None]:
    """Rules that are declared meanwhile go there, and not into the catalogue: those of a user's own file."""
    token = _into.set(book)
    try:
        yield
    finally:
        _into.reset(token)


@dataclass(frozen=True, slots=True)
class Flaky:
    """How often a rule failed where it did not always: `failed` of so many, and the rate's interval (Wilson, 95 %)."""

    failed: int
    of: int
    low: float
    high: float

    def record(self) -> dict[str, Json]:
        return {"failed": self.failed, "of": self.of, "interval": [self.low, self.high]}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One rule on the exchanges of one probe (`probe` is None for what no probe of ours made).

    `reason` says why where there is no finding to say it. `mood` marks an inconclusive that the model alone decided.
    A failure may carry why it does not count: `waived` is the waiver of a baseline, `dialect` the habit of the relay's
    family. `flaky` stands where repeats of the probe did not all fail.
    """

    rule: str
    level: Level
    outcome: Outcome
    probe: str | None
    exchanges: tuple[str, ...]
    findings: tuple[Finding, ...] = ()
    reason: str | None = None
    mood: bool = False
    flaky: Flaky | None = None
    waived: str | None = None
    dialect: str | None = None

    @property
    def generated(self) -> bool:
        """Whether it is on a generated probe."""
        return (self.probe or "").startswith(GENERATED)

    @property
    def excused(self) -> bool:
        """Whether a failure is known, and so decides no exit code."""
        return self.waived is not None or self.dialect is not None

    @property
    def places(self) -> tuple[str, ...]:
        """Where it failed, each place once: `rule probe place` is the same in every run of the same plan."""
        return tuple(dict.fromkeys(found.place for found in self.findings))

    def record(self) -> dict[str, Json]:
        """The line of a run, less its `type`."""
        line: dict[str, Json] = {
            "rule": self.rule,
            "level": self.level.value,
            "outcome": self.outcome.value,
            "probe": self.probe,
            "exchanges": list(self.exchanges),
            "findings": [_line(found) for found in self.findings],
        }
        if self.reason is not None:
            line["reason"] = self.reason
        if self.mood:
            line["mood"] = True
        if self.flaky:
            line["flaky"] = self.flaky.record()
        excuses: dict[str, str | None] = {"waived": self.waived, "dialect": self.dialect}
        return line | {name: text for name, text in excuses.items() if text is not None}


def _line(found: Finding) -> dict[str, Json]:
    line: dict[str, Json] = {"text": found.text}
    said: dict[str, Json] = {"at": found.at, "place": found.place or None, "exchange": found.exchange}
    return line | {name: value for name, value in said.items() if value is not None}


def worst(outcomes: Iterable[Outcome]) -> Outcome:
    """One outcome for several of one rule: a failure counts over a pass, a pass over what was left open."""
    order = list(Outcome)
    return min(outcomes, key=order.index)


def findings(remarks: Iterable[Remark]) -> Iterator[Finding]:
    """The findings among remarks."""
    return (remark for remark in remarks if isinstance(remark, Finding))
