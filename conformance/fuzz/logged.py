"""What became of generated probes, told from a run's log: of one that is judged again, and of one that did not end."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from conformance.fuzz.smaller import failing
from conformance.identity import identities
from conformance.judge import NUMBER
from conformance.plan import SMALLEST
from conformance.rule import GENERATED, Level, Outcome, Verdict
from conformance.run import Found, Generated, Header, Run, Short
from openapi.wire.exchange import Exchange

NO_END = "the run did not end"


def generated_of(run: Run, verdicts: Sequence[Verdict]) -> Generated | None:
    """What a run says of its generated probes, by verdicts that are made anew; None where it drew none.

    What does not fail any more by them is left out. Of a run that did not end it is what its exchanges tell: how many
    were drawn and asked, and what failed, as nothing was made smaller of which the log would tell.
    """
    told = run.footer.generated if run.footer else None
    if told:
        failed = {(one.probe, name) for one in verdicts if one.outcome is Outcome.FAIL for name in identities(one)}
        return replace(told, found=tuple(one for one in told.found if (one.probe, one.identity) in failed))
    drawn = _count(run.header, "generated")
    if run.footer or not drawn:
        return None
    first = _count(run.header, "probes") + SMALLEST + 1
    asked = len({number for one in run.exchanges if (number := _number(one)) >= first})
    return Generated(drawn, asked, max(drawn - asked, 0), 0, tuple(found_in_log(run, verdicts)), stopped=NO_END)


def found_in_log(run: Run, verdicts: Sequence[Verdict]) -> Iterator[Found]:
    """Each finding that the plan's own probes do not show as well, by the probe that asked least; MUSTs first."""
    shown = {(one.rule, found.place) for one in verdicts if not one.generated for found in one.findings}
    size = {one.probe: 0 for one in run.exchanges}
    for exchange in run.exchanges:
        size[exchange.probe] += len(exchange.request.body or b"") + 1
    told: dict[str, Found] = {}
    for verdict in sorted(verdicts, key=lambda one: size.get(one.probe, 0)):
        name = verdict.probe or ""
        if name.startswith(GENERATED) and verdict.level is not Level.MAY and not verdict.excused:
            for identity, one in failing(verdict):
                if (verdict.rule, one.place) not in shown:
                    found = Found(identity, verdict.level, one.text, name, name, 0, {}, None, Short.END)
                    told.setdefault(identity, found)
    yield from sorted(told.values(), key=lambda one: (one.level is not Level.MUST, one.identity))


def _count(header: Header, name: str) -> int:
    value = header.plan.get(name)
    return value if isinstance(value, int) else 0


def _number(exchange: Exchange) -> int:
    """The number of its probe in the plan, -1 where its id has none."""
    found = NUMBER.match(exchange.id)
    return int(found[1]) if found else -1
