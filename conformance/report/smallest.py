"""What generated probes found, as a report shows it: the smallest request of each finding, as curl and as SDK code."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from conformance.identity import identities
from conformance.judge import last_attempts
from conformance.report.curl import command
from conformance.report.doubt import doubt
from conformance.report.sdk import code
from conformance.report.texts import ENGLISH
from conformance.rule import Outcome
from conformance.run import Earlier, Found, Generated, Run
from openapi.wire.exchange import Exchange, Request

MANY = 20  # findings that a report shows
MOST = 4  # requests of one of them


@dataclass(frozen=True, slots=True)
class Smallest:
    """One finding, with the exchanges of the smallest probe that shows it, as it was asked once, and the code that asks
    it again. `passed` are those of another time, when it did not fail; `before` says that an earlier run stored it."""

    found: Found
    exchanges: tuple[Exchange, ...]
    curl: tuple[str, ...]
    python: tuple[str, ...]
    passed: tuple[Exchange, ...] = ()
    before: bool = False

    @property
    def rule(self) -> str:
        return self.found.identity.partition(" ")[0]

    @property
    def asked(self) -> tuple[str, ...]:
        """What is asked: of a sequence each request, else the first; a body, or the path of one that has none."""
        data = self.found.case.get("data")
        each = not self.found.case or (isinstance(data, dict) and data.get("moves"))
        return tuple(_asked(one.request) for one in self.exchanges[: MOST if each else 1])

    @property
    def ids(self) -> str:
        return _ids(self.exchanges)

    @property
    def notes(self) -> tuple[tuple[str, str], ...]:
        """What else to know of it, each as the key of a text of `generated` and what stands in it for a number."""
        told = [(key, f"{number:,}") for key, number in filter(None, [doubt(self.found)])]
        told += [("passed", _ids(self.passed))] if self.passed else []
        return (*told, *([("before", "")] if self.before else []))

    @property
    def noted(self) -> str:
        """The same in words."""
        return " · ".join(ENGLISH[f"generated.{key}"].replace("{n}", said) for key, said in self.notes)


def _ids(exchanges: Sequence[Exchange]) -> str:
    more = len(exchanges) - MOST
    return ", ".join(one.id for one in exchanges[:MOST]) + (f" and {more} more" if more > 0 else "")


def _asked(request: Request) -> str:
    return f"{request.method} {request.path}" if request.body is None else request.body.decode("utf-8", "replace")


def smallest(run: Run) -> tuple[Smallest, ...]:
    """The findings of a run's generated probes, as many as a report shows."""
    generated = run.footer.generated if run.footer else None
    before = generated.earlier.failing if generated and generated.earlier else ()
    found = generated.found[:MANY] if generated else ()
    return tuple(_smallest(run, one, before=one.identity in before) for one in found)


def told(generated: Generated) -> Iterator[str]:
    """What became of the generated probes, in sentences."""
    why = f" as nothing more was sent: {generated.stopped}" if generated.stopped else " by the budget"
    left = f", {generated.left:,} left out{why}" if generated.left else ""
    tries = f"; {generated.tries:,} requests asked failures again and made them smaller" if generated.tries else ""
    yield f"{generated.asked:,} of {generated.drawn:,} generated probes asked{left}{tries}"
    if generated.earlier:
        yield from _earlier(generated.earlier)
    yield from (f"mended: {identity}" for identity in generated.mended)


def _earlier(earlier: Earlier) -> Iterator[str]:
    """What became of the failures of earlier runs."""
    many = f"{earlier.stored:,} stored failure{'' if earlier.stored == 1 else 's'}"
    asked = f"{earlier.stored - len(earlier.open):,} of {many}" if earlier.open else many
    yield f"asked first: {asked}, {len(earlier.failing):,} still failing"
    for why, count in Counter(earlier.open.values()).most_common():
        yield f"{count:,} stored left open: {why}"
    yield from (f"did not fail this time: {identity}" for identity in earlier.passing)


def _smallest(run: Run, found: Found, *, before: bool) -> Smallest:
    times = _times(one for one in run.exchanges if one.probe == found.probe)
    failed = _failed(run, found)
    shown = [one for one in times if any(each.id in failed for each in one)]
    exchanges = next(iter(shown or times), ())
    passed = next((one for one in times if one not in shown), ()) if shown and found.flaky else ()
    base = run.header.relay.get("base_url")
    requests = list(dict.fromkeys(one.request for one in exchanges))[:MOST]
    python = tuple(filter(None, (code(request, base) for request in requests)))
    return Smallest(found, exchanges, tuple(command(one, base) for one in requests), python, passed, before)


def _failed(run: Run, found: Found) -> set[str]:
    """The ids of the exchanges that show it."""
    verdicts = (one for one in run.verdicts if one.probe == found.probe and one.outcome is Outcome.FAIL)
    return {name for one in verdicts if found.identity in identities(one) for name in one.exchanges}


def _times(exchanges: Iterable[Exchange]) -> list[tuple[Exchange, ...]]:
    """The exchanges of a probe, by each time that it was asked; of what was sent again the last attempt."""
    times: list[list[Exchange]] = []
    for one in last_attempts(exchanges):
        if not times or one.step is None or one.step == (one.steps or (one.step,))[0]:
            times.append([])
        times[-1].append(one)
    return [tuple(one) for one in times]
