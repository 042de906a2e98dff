"""What every report shows, derived once, so that the totals of all formats agree by construction."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from math import isfinite
from typing import Protocol

from conformance.report.doubt import doubted
from conformance.report.escape import visible
from conformance.report.texts import ENGLISH
from conformance.rule import Finding, Level, Outcome, Verdict
from conformance.run import Note, Run, Stale, outcome_of

NAME = 60
UNVERIFIED = (Outcome.UNTESTABLE, Outcome.INCONCLUSIVE, Outcome.NOT_SEEN, Outcome.SKIPPED)


class Law(Protocol):
    """What a report needs of a Rule."""

    @property
    def id(self) -> str: ...
    @property
    def level(self) -> Level: ...
    @property
    def cites(self) -> str: ...
    @property
    def law(self) -> str: ...


Laws = Mapping[str, Law]


def excuses_of(verdict: Verdict) -> tuple[str, ...]:
    """What excuses a failure: `waived: …`, `dialect: …`."""
    known = (("waived", verdict.waived), ("dialect", verdict.dialect))
    return tuple(f"{name}: {text}" for name, text in known if text is not None)


@dataclass(frozen=True)
class Result:
    """One rule with all that was found on it. `law` and `cites` are empty where this version does not know the rule."""

    rule: str
    level: Level
    outcome: Outcome
    law: str
    cites: str
    verdicts: tuple[Verdict, ...]
    doubts: tuple[str, ...] = ()  # what is to be known of its findings by generated probes

    @property
    def chapter(self) -> str:
        return self.rule.partition(".")[0]

    @cached_property
    def deciding(self) -> tuple[Verdict, ...]:
        """The verdicts that made the outcome what it is; of failures those first that nothing excuses."""
        decided = (verdict for verdict in self.verdicts if verdict.outcome is self.outcome)
        return tuple(sorted(decided, key=lambda verdict: verdict.excused))

    @property
    def excused(self) -> bool:
        """Whether it failed and all of that is known: it decides no exit code."""
        return self.outcome is Outcome.FAIL and all(verdict.excused for verdict in self.deciding)

    @property
    def excuse(self) -> str | None:
        """`waived` where a baseline has a part in excusing it, `dialect` where the relay's family alone has."""
        if not self.excused:
            return None
        return "waived" if any(verdict.waived is not None for verdict in self.deciding) else "dialect"

    @cached_property
    def excuses(self) -> tuple[str, ...]:
        """What excuses its failures, each in words and once."""
        return tuple(dict.fromkeys(text for verdict in self.deciding for text in excuses_of(verdict)))

    @property
    def flaky(self) -> str:
        """`flaky (3/6, 0.19–0.81)` where a failure was not seen in each repeat, else nothing."""
        seen = next((verdict.flaky for verdict in self.deciding if verdict.flaky), None)
        return f"flaky ({seen.failed}/{seen.of}, {seen.low:.2f}–{seen.high:.2f})" if seen else ""

    @cached_property
    def findings(self) -> tuple[tuple[Verdict, Finding], ...]:
        return tuple((verdict, found) for verdict in self.verdicts for found in verdict.findings)

    @cached_property
    def probes(self) -> tuple[str, ...]:
        """The probes that asked, the deciding ones first."""
        asked = (*self.deciding, *self.verdicts)
        return tuple(dict.fromkeys(verdict.probe for verdict in asked if verdict.probe is not None))

    @cached_property
    def exchanges(self) -> tuple[str, ...]:
        """The ids of the exchanges behind it, the deciding ones first."""
        return tuple(dict.fromkeys(name for verdict in (*self.deciding, *self.verdicts) for name in verdict.exchanges))

    @cached_property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not decided, each reason once."""
        return tuple(dict.fromkeys(verdict.reason for verdict in self.deciding if verdict.reason))

    @property
    def said(self) -> str:
        """The first thing to say about it: a finding, else a reason, else nothing."""
        first = next((found.text for verdict in self.deciding for found in verdict.findings), None)
        return first if first is not None else next(iter(self.reasons), "")

    @property
    def mood(self) -> bool:
        """Whether the model's behaviour alone left it open."""
        return self.outcome is Outcome.INCONCLUSIVE and all(verdict.mood for verdict in self.deciding)

    @property
    def urgency(self) -> tuple[int, bool, int]:
        """Orders results: failures first, those that are known behind the others, MUST before SHOULD, what was verified
        last."""
        order = (Outcome.BROKEN, Outcome.FAIL, *UNVERIFIED, Outcome.PASS)
        return order.index(self.outcome), self.excused, list(Level).index(self.level)


@dataclass(frozen=True, slots=True)
class Tally:
    """Rules by outcome. Only what was decided is in the fraction; what was not verified never is."""

    counts: Mapping[Outcome, int]

    def __getitem__(self, outcome: Outcome) -> int:
        return self.counts.get(outcome, 0)

    @property
    def passed(self) -> int:
        return self[Outcome.PASS]

    @property
    def decided(self) -> int:
        return self[Outcome.PASS] + self[Outcome.FAIL]

    @property
    def total(self) -> int:
        return sum(self.counts.values())

    @property
    def fraction(self) -> str:
        return f"{self.passed}/{self.decided}"


def tally(results: Iterable[Result]) -> Tally:
    return Tally(Counter(result.outcome for result in results))


@dataclass(frozen=True)
class Summary:
    """A run as its reports tell it. `results` stand in the order of the book, unknown rules behind."""

    run: Run
    results: tuple[Result, ...]
    unasked: tuple[str, ...]

    @cached_property
    def all(self) -> Tally:
        return tally(self.results)

    def level(self, level: Level) -> Tally:
        return tally(result for result in self.results if result.level is level)

    def of(self, outcome: Outcome, level: Level | None = None) -> list[Result]:
        """The results with that outcome, MUST first."""
        chosen = [one for one in self.results if one.outcome is outcome and level in {None, one.level}]
        return sorted(chosen, key=lambda one: one.urgency)

    def failures(self, level: Level) -> list[Result]:
        """What failed and nothing excuses."""
        return [one for one in self.of(Outcome.FAIL, level) if not one.excused]

    @cached_property
    def known(self) -> list[Result]:
        """What failed and is excused, MUST first."""
        return [one for one in self.of(Outcome.FAIL) if one.excused]

    @property
    def flaky(self) -> int:
        """How many rules failed now and then."""
        return sum(bool(one.flaky) for one in self.results)

    @property
    def notes(self) -> tuple[Note, ...]:
        """What is to be said of the baseline."""
        return self.run.footer.notes if self.run.footer else ()

    @cached_property
    def chapters(self) -> dict[str, list[Result]]:
        grouped: dict[str, list[Result]] = {}
        for result in self.results:
            grouped.setdefault(result.chapter, []).append(result)
        return grouped

    @property
    def exit(self) -> int | None:
        """The exit code of the run, None where it did not end."""
        return self.run.footer.exit if self.run.footer else None

    @property
    def meaning_key(self) -> str:
        """The key, in the table of texts, of what the exit code says."""
        return _known(f"exit.{'none' if self.exit is None else self.exit}", "exit.other")

    @property
    def meaning(self) -> str:
        return ENGLISH[self.meaning_key]

    @property
    def holds(self) -> bool:
        """Whether green is honest: the run ended with 0, some MUST was verified, and nothing is seen to break one."""
        must = self.level(Level.MUST)
        return self.exit == 0 and must.passed > 0 and not must[Outcome.FAIL] and not self.all[Outcome.BROKEN]

    @property
    def word_key(self) -> str:
        """The key of the run in two or three words; exit 0 is no praise where a failure was waived or nothing asked."""
        if self.exit == 0 and not self.holds:
            return "word.empty" if not self.level(Level.MUST).decided else "word.accepted"
        return _known(f"word.{'none' if self.exit is None else self.exit}", "word.other")

    @property
    def word(self) -> str:
        return ENGLISH[self.word_key]

    @property
    def line(self) -> str:
        """`MUST 40/41 · SHOULD 12/14 · 2 inconclusive (1 MUST by the model alone) · 1 waived (1 expires in 5 days)`."""
        return " · ".join(self._parts())

    @property
    def spent(self) -> str:
        """`spent: 57 requests, 1,234 tokens as reported (5,678 at most), 0.0123 USD at most`; empty where nobody was
        asked."""
        told = self.run.footer.spent if self.run.footer else {}
        requests, most = told.get("requests"), told.get("tokens_at_most")
        if not isinstance(requests, int):
            return ""
        reported = sum(n for name in ("prompt_tokens", "completion_tokens") if isinstance(n := told.get(name), int))
        parts = [f"{requests:,} requests", f"{reported:,} tokens as reported"]
        parts[1] += f" ({most:,} at most)" if isinstance(most, int) else ""
        cost = told.get("cost_at_most")
        if isinstance(cost, int | float) and isfinite(cost):
            money = f"{cost:,.6f}".rstrip("0").rstrip(".")
            parts.append(f"{money} {visible(str(told.get('currency') or ''), NAME)}".rstrip() + " at most")
        return f"spent: {', '.join(parts)}"

    @property
    def relay(self) -> str:
        """The relay's name, else where it is."""
        known = self.run.header.relay
        return next((str(known[key]) for key in ("name", "base_url") if known.get(key)), "a relay without a name")

    def _parts(self) -> Iterator[str]:
        for level in Level:
            of_level = self.level(level)
            if level is Level.MUST or of_level.total:
                yield f"{level.value} {of_level.fraction}"
        for outcome in (Outcome.BROKEN, *UNVERIFIED):
            if self.all[outcome]:
                yield f"{self.all[outcome]} {outcome.value}{self._moods(outcome)}"
        excused = Counter(one.excuse for one in self.known)
        if excused["waived"]:
            yield f"{excused['waived']} waived{self._ending()}"
        if excused["dialect"]:
            name = self.run.footer.dialect if self.run.footer and self.run.footer.dialect else "its family"
            yield f"{excused['dialect']} of dialect {visible(name, NAME)}"
        if self.flaky:
            yield f"{self.flaky} flaky"

    def _ending(self) -> str:
        """How many waivers end soon, and when the last of them does."""
        days = [note.days for note in self.notes if note.kind is Stale.EXPIRES_SOON and note.days is not None]
        if not days:
            return ""
        left = "today" if max(days) == 0 else f"{'in' if len(days) == 1 else 'within'} {max(days)} days"
        return f" ({len(days)} expire{'s' if len(days) == 1 else ''} {left})"

    def _moods(self, outcome: Outcome) -> str:
        moods = sum(one.mood and one.level is Level.MUST for one in self.of(outcome))
        return f" ({moods} MUST by the model alone)" if moods else ""


def _known(key: str, other: str) -> str:
    return key if key in ENGLISH else other


def summarise(run: Run, laws: Laws) -> Summary:
    """The summary of a run by the book; a rule that the book does not have keeps the level of its verdicts."""
    judged = run.by_rule()
    order = [*(rule for rule in laws if rule in judged), *(rule for rule in judged if rule not in laws)]
    doubts = _doubts(run)
    results = tuple(
        replace(_result(rule, tuple(judged[rule]), laws.get(rule)), doubts=tuple(doubts.get(rule, ())))
        for rule in order
    )
    return Summary(run, results, tuple(rule for rule in laws if rule not in judged))


def _doubts(run: Run) -> dict[str, list[str]]:
    """Of the findings of generated probes, by rule: where each is, and what is to be known of it."""
    found = run.footer.generated.found if run.footer and run.footer.generated else ()
    told: dict[str, list[str]] = {}
    for one in found:
        rule, _, place = one.identity.partition(" ")
        if said := doubted(one):
            told.setdefault(rule, []).append(f"{place}: {said}")
    return told


def _result(rule: str, verdicts: tuple[Verdict, ...], law: Law | None) -> Result:
    level = min((verdict.level for verdict in verdicts), key=list(Level).index)
    return Result(rule, level, outcome_of(verdicts), law.law if law else "", law.cites if law else "", verdicts)
